//! Topic coincidence (F39, F40): how much alike is what many peers write to one number.
//!
//! Over the n peers of P with two tokens or more: `df_w` peers have token w, F1 = Σ `df_w`,
//! F2 = Σ `df_w`². Two peers share on average I = (F2 − F1) / (n (n − 1)) tokens, and their mean
//! Jaccard likeness is I / (2 F1 / n − I). With A = F2 − F1 that is A / (2 F1 (n − 1) − A), one
//! division of integers, so the value is the same however the sample came about.
//!
//! F1 ≥ 2 n because every counted peer has two tokens, and A ≤ (n − 1) F1 because no token has
//! more than n peers: the denominator is positive as soon as n ≥ 2. Below that there is no value.

use turnwise_model::limits::{JACKKNIFE_GROUPS, SAMPLE_TOKENS_MIN};

use crate::intervals::Z;
use crate::samples::members;

const GROUPS: usize = JACKKNIFE_GROUPS as usize;

/// Whose tokens are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// A: what the peers wrote (F39).
    User,
    /// A′: what they were answered (F40).
    Reply,
}

/// A topic coincidence with its support and 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coincidence {
    /// Mean Jaccard likeness of two peers, 0 to 1.
    pub value: f64,
    /// Peers of P with two tokens or more.
    pub n: i64,
    /// Lower end of the interval, at least 0.
    pub low: f64,
    /// Upper end of the interval, at most 1.
    pub high: f64,
}

/// The topic coincidence of a peer sample's state. `None` with fewer than two peers that have
/// two tokens.
///
/// The interval is a delete-a-group jackknife over ten groups of peers (hash mod 10):
/// ± 1.96 √((G − 1) / G · Σ (θ_g − mean)²), θ_g the value without group g. G are the groups that
/// have a peer and leave two; with fewer than two such groups nothing is known and the interval
/// is 0 to 1.
#[must_use]
pub fn topic_coincidence(peer_state: &[i64], which: Tokens) -> Option<Coincidence> {
    let mut peers = [0_i64; GROUPS];
    let mut tokens: Vec<(i64, usize)> = Vec::new();
    for entry in members(peer_state) {
        let list = match which {
            Tokens::User => entry.user_tokens,
            Tokens::Reply => entry.reply_tokens,
        };
        if list.len() < SAMPLE_TOKENS_MIN {
            continue;
        }
        let group = (entry.hash % JACKKNIFE_GROUPS) as usize;
        peers[group] += 1;
        tokens.extend(list.iter().map(|token| (*token, group)));
    }
    tokens.sort_unstable();
    let n = peers.iter().sum::<i64>();
    let (whole, without) = sums(&tokens);
    let value = whole.value(n)?;
    let (low, high) = interval(value, n, &peers, &without);
    Some(Coincidence { value, n, low, high })
}

/// F1 and F2.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    f1: i64,
    f2: i64,
}

impl Sums {
    fn add(&mut self, peers_with_token: i64) {
        self.f1 += peers_with_token;
        self.f2 += peers_with_token * peers_with_token;
    }

    fn value(self, n: i64) -> Option<f64> {
        let shared = self.f2 - self.f1;
        let denominator = 2 * self.f1 * (n - 1) - shared;
        (n >= 2 && denominator > 0).then(|| (shared as f64 / denominator as f64).clamp(0.0, 1.0))
    }
}

/// The sums over all peers, and over all but each group's.
fn sums(sorted: &[(i64, usize)]) -> (Sums, [Sums; GROUPS]) {
    let mut whole = Sums::default();
    let mut without = [Sums::default(); GROUPS];
    for run in sorted.chunk_by(|left, right| left.0 == right.0) {
        let mut by_group = [0_i64; GROUPS];
        run.iter().for_each(|(_, group)| by_group[*group] += 1);
        let all = by_group.iter().sum::<i64>();
        whole.add(all);
        for (sums, own) in without.iter_mut().zip(by_group) {
            sums.add(all - own);
        }
    }
    (whole, without)
}

fn interval(value: f64, n: i64, peers: &[i64; GROUPS], without: &[Sums; GROUPS]) -> (f64, f64) {
    let left: Vec<f64> = peers
        .iter()
        .zip(without)
        .filter(|(own, _)| **own > 0)
        .filter_map(|(own, sums)| sums.value(n - own))
        .collect();
    if left.len() < 2 {
        return (0.0, 1.0);
    }
    let groups = left.len() as f64;
    let mean = left.iter().sum::<f64>() / groups;
    let squares = left.iter().map(|theta| (theta - mean) * (theta - mean)).sum::<f64>();
    let half = Z * ((groups - 1.0) / groups * squares).sqrt();
    ((value - half).max(0.0), (value + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::PeerSample;
    use crate::testing::is_found;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use turnwise_model::Pseudonym;

    fn state(peers: &[Vec<i32>]) -> Vec<i64> {
        let mut sample = PeerSample::new();
        for (peer, tokens) in (0_i64..).zip(peers) {
            sample.add(peer, Some(1), tokens, &[]);
        }
        sample.to_state()
    }

    #[test]
    fn three_peers_by_hand() {
        // df: 1 → 3, 2 → 2, 3 → 1, 4 → 1. F1 = 7, F2 = 15, A = 8, n = 3: 8 / (2·7·2 − 8) = 0.4.
        let state = state(&[vec![1, 2], vec![1, 2, 3], vec![1, 4], vec![9]]);
        let found = topic_coincidence(&state, Tokens::User).expect("three peers");
        assert_eq!((found.value, found.n), (0.4, 3));
        assert!(found.low <= 0.4 && found.high >= 0.4);
        assert_eq!(topic_coincidence(&state, Tokens::Reply), None);
    }

    #[test]
    fn one_peer_has_no_coincidence_and_two_have_no_interval() {
        assert_eq!(topic_coincidence(&state(&[vec![1, 2]]), Tokens::User), None);
        let two = topic_coincidence(&state(&[vec![1, 2], vec![1, 2]]), Tokens::User);
        assert_eq!(two, Some(Coincidence { value: 1.0, n: 2, low: 0.0, high: 1.0 }));
    }

    /// A kernel under test.
    type Kernel = fn(&[i64], Tokens) -> Option<Coincidence>;
    /// What each peer wrote and was answered.
    type Case = Vec<[BTreeSet<i32>; 2]>;

    fn cases() -> impl Strategy<Value = Case> {
        let tokens = || prop::collection::btree_set(0_i32..25, 0..9);
        prop::collection::vec([tokens(), tokens()], 0..40)
    }

    /// The mean of what two sets share by the mean of their unions, over all pairs of them.
    fn shared_by_union(sets: &[&BTreeSet<i32>]) -> Option<f64> {
        let (mut shared, mut union) = (0_usize, 0_usize);
        for (at, left) in sets.iter().enumerate() {
            for right in &sets[at + 1..] {
                shared += left.intersection(right).count();
                union += left.union(right).count();
            }
        }
        (union > 0).then(|| shared as f64 / union as f64)
    }

    /// What it means.
    fn meant(case: &Case, which: Tokens) -> Option<Coincidence> {
        let nth = usize::from(which == Tokens::Reply);
        let group = |peer: i64| Pseudonym(peer).sample_hash() % JACKKNIFE_GROUPS;
        let members: Vec<_> = (0..)
            .zip(case)
            .map(|(peer, tokens)| (group(peer), &tokens[nth]))
            .filter(|(_, tokens)| tokens.len() >= 2)
            .collect();
        let of = |keep: &dyn Fn(u64) -> bool| {
            let kept = members.iter().filter(|(group, _)| keep(*group)).map(|member| member.1);
            shared_by_union(&kept.collect::<Vec<_>>())
        };
        let value = of(&|_| true)?;
        let without: Vec<f64> = (0..JACKKNIFE_GROUPS)
            .filter(|group| members.iter().any(|member| member.0 == *group))
            .filter_map(|group| of(&|other| other != group))
            .collect();
        let g = without.len() as f64;
        let mean = without.iter().sum::<f64>() / g;
        let squares: f64 = without.iter().map(|one| (one - mean).powi(2)).sum();
        let half = if g < 2.0 { 1.0 } else { 1.96 * (squares * (g - 1.0) / g).sqrt() };
        let (low, high) = ((value - half).max(0.0), (value + half).min(1.0));
        Some(Coincidence { value, n: members.len() as i64, low, high })
    }

    /// Whether a kernel agrees on a case.
    fn agrees(kernel: Kernel, case: &Case) -> bool {
        let mut sample = PeerSample::new();
        for (peer, [user, reply]) in (0..).zip(case) {
            let [user, reply] = [user, reply].map(|set| set.iter().copied().collect::<Vec<_>>());
            sample.add(peer, Some(1), &user, &reply);
        }
        let state = sample.to_state();
        [Tokens::User, Tokens::Reply].into_iter().all(|which| {
            match (kernel(&state, which), meant(case, which)) {
                (Some(found), Some(meant)) => {
                    let near = |one: f64, other: f64| (one - other).abs() < 1e-12;
                    // One division of whole numbers, so the same bits.
                    (found.value, found.n) == (meant.value, meant.n)
                        && near(found.low, meant.low)
                        && near(found.high, meant.high)
                }
                (found, meant) => found == meant,
            }
        })
    }

    #[test]
    fn wrong_kernels_are_found() {
        let planted: [(&str, Kernel); 4] = [
            ("takes replies for what users wrote", |state, _| {
                topic_coincidence(state, Tokens::Reply)
            }),
            ("counts peers of one token", |state, which| {
                let found = topic_coincidence(state, which)?;
                Some(Coincidence { n: members(state).count() as i64, ..found })
            }),
            ("leaves out no group", |state, which| {
                let found = topic_coincidence(state, which)?;
                Some(Coincidence { low: found.value, high: found.value, ..found })
            }),
            ("knows an interval of one group", |state, which| {
                let found = topic_coincidence(state, which)?;
                Some(Coincidence { high: found.high.min(0.999), ..found })
            }),
        ];
        for (name, kernel) in planted {
            assert!(is_found(&cases(), |case| agrees(kernel, case)), "the one that {name} passed");
        }
    }

    proptest! {
        #[test]
        fn values_are_those_of_all_pairs_and_intervals_of_all_groups(case in cases()) {
            prop_assert!(agrees(topic_coincidence, &case));
        }

        #[test]
        fn malformed_states_do_not_panic(
            numbers in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..5], 0..40),
        ) {
            let _ = topic_coincidence(&numbers, Tokens::User);
        }
    }
}
