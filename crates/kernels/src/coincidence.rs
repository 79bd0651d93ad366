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
    use proptest::prelude::*;
    use std::collections::BTreeSet;

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

    proptest! {
        #[test]
        fn value_is_the_mean_shared_over_the_mean_union(
            peers in prop::collection::vec(prop::collection::btree_set(0_i32..25, 2..9), 2..40),
        ) {
            let lists: Vec<Vec<i32>> = peers.iter().map(|set| set.iter().copied().collect()).collect();
            let found = topic_coincidence(&state(&lists), Tokens::User).expect("two peers or more");
            let (mut shared, mut union) = (0_usize, 0_usize);
            for (at, left) in peers.iter().enumerate() {
                for right in &peers[at + 1..] {
                    shared += left.intersection(right).count();
                    union += left.union(right).collect::<BTreeSet<_>>().len();
                }
            }
            prop_assert!((found.value - shared as f64 / union as f64).abs() < 1e-12);
            prop_assert!(0.0 <= found.low && found.low <= found.value);
            prop_assert!(found.value <= found.high && found.high <= 1.0);
        }

        #[test]
        fn malformed_states_do_not_panic(numbers in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..5], 0..40)) {
            let _ = topic_coincidence(&numbers, Tokens::User);
        }
    }
}
