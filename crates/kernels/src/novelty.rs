//! Novelty of the texts of a sample (F37, F38, F41) and reuse of their skeletons (F36).

use turnwise_model::limits::{SAMPLE_TOKENS_MIN, TEXT_TOKENS_MAX};

use crate::samples::texts;

/// lcm(1..=16): the share of a text's tokens is a whole number of these parts, whatever its
/// number of tokens, so shares add up exactly in any order.
const PARTS: i64 = 720_720;

const _: () = {
    assert!(TEXT_TOKENS_MAX == 16);
    let mut tokens = 1;
    while tokens <= 16 {
        assert!(PARTS % tokens == 0);
        tokens += 1;
    }
};

/// The mean over a text sample's texts of the share of a text's tokens that no text of another
/// peer in the sample has, and the number of texts. `None` of an empty sample.
#[must_use]
pub fn novelty(text_state: &[i64]) -> Option<(f64, i64)> {
    let mut users: Vec<(i64, i64)> = texts(text_state)
        .flat_map(|text| text.tokens.iter().map(move |token| (*token, text.peer)))
        .collect();
    users.sort_unstable();
    users.dedup();
    // Tokens that exactly one peer has, ascending.
    let own: Vec<i64> = users
        .chunk_by(|left, right| left.0 == right.0)
        .filter(|run| run.len() == 1)
        .map(|run| run[0].0)
        .collect();
    let (mut parts, mut n) = (0_i64, 0_i64);
    for text in texts(text_state).filter(|text| text.tokens.len() >= SAMPLE_TOKENS_MIN) {
        let novel = text.tokens.iter().filter(|token| own.binary_search(token).is_ok()).count();
        parts += novel as i64 * (PARTS / text.tokens.len() as i64);
        n += 1;
    }
    (n > 0).then(|| (parts as f64 / (PARTS * n) as f64, n))
}

/// How many texts of a text sample have a skeleton that occurs twice or more in it, and how
/// many texts there are.
#[must_use]
pub fn skeleton_reuse(text_state: &[i64]) -> (i64, i64) {
    let mut skeletons: Vec<i64> = texts(text_state).map(|text| text.skeleton).collect();
    skeletons.sort_unstable();
    let reused: usize = skeletons
        .chunk_by(|left, right| left == right)
        .map(<[i64]>::len)
        .filter(|len| *len >= 2)
        .sum();
    (reused as i64, skeletons.len() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::TextSample;
    use crate::testing::is_found;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn novelty_by_hand() {
        let mut sample = TextSample::new();
        // 3 is of peers 10 and 20; 1, 2 and 4 of one peer each, 2 twice by the same peer.
        sample.add(1, 10, 7, &[1, 2, 3]);
        sample.add(2, 10, 7, &[2, 3]);
        sample.add(3, 20, 8, &[3, 4]);
        let state = sample.to_state();
        let (value, n) = novelty(&state).expect("three texts");
        assert_eq!(n, 3);
        assert!((value - (2.0 / 3.0 + 0.5 + 0.5) / 3.0).abs() < 1e-12);
        assert_eq!(skeleton_reuse(&state), (2, 3));
    }

    #[test]
    fn an_empty_sample_has_no_novelty() {
        assert_eq!(novelty(&[]), None);
        assert_eq!(skeleton_reuse(&[]), (0, 0));
    }

    /// Peer, skeleton and tokens of texts; each is a message of its own.
    type Case = Vec<(i64, i64, BTreeSet<i32>)>;
    /// Novelty and reuse of a text sample.
    type Measures = (Option<(f64, i64)>, (i64, i64));

    fn cases() -> impl Strategy<Value = Case> {
        let text = (0_i64..5, 0_i64..9, prop::collection::btree_set(0_i32..30, 0..18));
        prop::collection::vec(text, 0..40)
    }

    fn state(case: &Case) -> Vec<i64> {
        let mut sample = TextSample::new();
        for (message, (peer, skeleton, tokens)) in (0..).zip(case) {
            let tokens: Vec<i32> = tokens.iter().copied().collect();
            sample.add(message, *peer, *skeleton, &tokens);
        }
        sample.to_state()
    }

    /// What both mean: a look at all pairs of texts. A token is another text's too if `is_other`
    /// says that the text counts.
    fn plain(case: &Case, is_other: fn([usize; 2], [i64; 2]) -> bool) -> Measures {
        let texts: Vec<(i64, i64, BTreeSet<i32>)> = case
            .iter()
            .filter(|text| text.2.len() >= SAMPLE_TOKENS_MIN)
            .map(|text| (text.0, text.1, text.2.iter().copied().take(TEXT_TOKENS_MAX).collect()))
            .collect();
        let (mut shares, mut reused) = (0.0, 0);
        for (at, (peer, skeleton, tokens)) in texts.iter().enumerate() {
            let is_novel = |token: &&i32| {
                !(0..).zip(&texts).any(|(other, text)| {
                    is_other([at, other], [*peer, text.0]) && text.2.contains(*token)
                })
            };
            shares += tokens.iter().filter(is_novel).count() as f64 / tokens.len() as f64;
            reused += i64::from(texts.iter().filter(|text| text.1 == *skeleton).count() > 1);
        }
        let n = texts.len() as i64;
        ((n > 0).then(|| (shares / n as f64, n)), (reused, n))
    }

    fn agrees(measures: impl Fn(&Case) -> Measures, case: &Case) -> bool {
        let (found, meant) = (measures(case), plain(case, |_, peers| peers[0] != peers[1]));
        let is_near = match (found.0, meant.0) {
            (Some(found), Some(meant)) => found.1 == meant.1 && (found.0 - meant.0).abs() < 1e-12,
            (found, meant) => found == meant,
        };
        is_near && found.1 == meant.1
    }

    fn measured(case: &Case) -> Measures {
        let state = state(case);
        (novelty(&state), skeleton_reuse(&state))
    }

    /// A kernel that may be wrong.
    type Measure = fn(&Case) -> Measures;

    #[test]
    fn wrong_kernels_are_found() {
        let planted: [(&str, Measure); 3] = [
            ("takes a peer's other texts for another's", |case| {
                plain(case, |texts, _| texts[0] != texts[1])
            }),
            ("counts texts of one token", |case| {
                let (novelty, reuse) = measured(case);
                (novelty.map(|(value, _)| (value, case.len() as i64)), reuse)
            }),
            ("counts the first text of a skeleton as none", |case| {
                let (novelty, (_, n)) = measured(case);
                let skeletons: BTreeSet<i64> =
                    texts(&state(case)).map(|text| text.skeleton).collect();
                (novelty, (n - skeletons.len() as i64, n))
            }),
        ];
        for (name, kernel) in planted {
            assert!(is_found(&cases(), |case| agrees(kernel, case)), "the one that {name} passed");
        }
    }

    proptest! {
        #[test]
        fn measures_are_those_of_all_pairs_of_texts(case in cases()) {
            prop_assert!(agrees(measured, &case));
        }

        #[test]
        fn malformed_states_do_not_panic(
            numbers in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..5], 0..40),
        ) {
            if let Some((value, _)) = novelty(&numbers) {
                prop_assert!((0.0..=1.0).contains(&value));
            }
            let _ = skeleton_reuse(&numbers);
        }
    }
}
