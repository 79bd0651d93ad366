//! The figures that features are made of: quantiles, entropy, novelty, topic coincidence.

use std::collections::{BTreeMap, BTreeSet};

/// The middle of the bucket that holds a value: exact to 255, then buckets 2 % wide.
#[must_use]
pub fn bucket_middle(value: i64) -> f64 {
    if value <= 255 {
        return value as f64;
    }
    let mut edge = 256_i64;
    loop {
        let next = edge + (edge / 50).max(1);
        if value < next {
            return (edge + next - 1) as f64 / 2.0;
        }
        edge = next;
    }
}

/// The ⌈q n⌉-th smallest value, as its bucket's middle; `None` of nothing.
#[must_use]
pub fn quantile(values: &[i64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map(|value| bucket_middle(*value))
}

/// Entropy in bits of counts; `None` where they are all 0.
#[must_use]
pub fn entropy(counts: &[i64]) -> Option<f64> {
    let total: i64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let share = |count: i64| count as f64 / total as f64;
    Some(counts.iter().filter(|count| **count > 0).map(|n| -share(*n) * share(*n).log2()).sum())
}

/// Mean over texts, given as peer and tokens, of the share of a text's tokens that no text of
/// another peer has.
#[must_use]
pub fn novelty(texts: &[(i64, Vec<u32>)]) -> Option<f64> {
    if texts.is_empty() {
        return None;
    }
    let mut sum = 0.0;
    for (peer, tokens) in texts {
        let new = tokens.iter().filter(|token| {
            !texts.iter().any(|(other, tokens)| other != peer && tokens.contains(token))
        });
        sum += new.count() as f64 / tokens.len() as f64;
    }
    Some(sum / texts.len() as f64)
}

/// Topic coincidence of peers' token sets with at least two tokens, and their number.
#[must_use]
pub fn topic_coincidence(peers: &[BTreeSet<u32>]) -> (Option<f64>, i64) {
    let peers: Vec<_> = peers.iter().filter(|tokens| tokens.len() >= 2).collect();
    let n = peers.len() as f64;
    let mut having: BTreeMap<u32, i64> = BTreeMap::new();
    for token in peers.iter().flat_map(|tokens| tokens.iter()) {
        *having.entry(*token).or_default() += 1;
    }
    let f1 = having.values().sum::<i64>() as f64;
    let f2 = having.values().map(|count| count * count).sum::<i64>() as f64;
    let count = i64::try_from(peers.len()).unwrap_or(i64::MAX);
    if peers.len() < 2 {
        return (None, count);
    }
    let shared = (f2 - f1) / (n * (n - 1.0));
    (Some(shared / (2.0 * f1 / n - shared)), count)
}
