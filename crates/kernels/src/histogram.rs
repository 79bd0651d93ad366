//! Histograms of whole numbers in buckets 2 % wide, for quantiles.
//!
//! 0 to 255 have a bucket each; from 256 on a bucket that begins at e ends before
//! e + max(1, e / 50). A bucket is named by its first integer and reported by its middle, so a
//! reported quantile is within 1 % of the true one. The state is a count map
//! ([`crate::counts`]) of bucket → count, in which ranks are found by integers alone.

use crate::counts::pairs;

/// First integer of the first bucket that may hold more than one.
const WIDE_FROM: i64 = 256;

const fn edge_after(edge: i64) -> Option<i64> {
    let step = edge / 50;
    edge.checked_add(if step > 1 { step } else { 1 })
}

const fn wide_edges_count() -> usize {
    let mut edge = WIDE_FROM;
    let mut count = 1;
    while let Some(next) = edge_after(edge) {
        edge = next;
        count += 1;
    }
    count
}

const WIDE_EDGES: [i64; wide_edges_count()] = {
    let mut edges = [0; wide_edges_count()];
    let mut edge = WIDE_FROM;
    let mut at = 0;
    while at < edges.len() {
        edges[at] = edge;
        if let Some(next) = edge_after(edge) {
            edge = next;
        }
        at += 1;
    }
    edges
};

/// Values below are looked up: lengths of texts and most counts are.
const NEAR: i64 = 4_096;
const NEAR_VALUES: usize = NEAR as usize;

/// By value: the first integer of its bucket.
static NEAR_BUCKETS: [u16; NEAR_VALUES] = {
    let mut buckets = [0; NEAR_VALUES];
    let (mut value, mut wide) = (0, 0);
    while value < NEAR_VALUES {
        buckets[value] = value as u16;
        if value as i64 >= WIDE_FROM {
            while WIDE_EDGES[wide + 1] <= value as i64 {
                wide += 1;
            }
            buckets[value] = WIDE_EDGES[wide] as u16;
        }
        value += 1;
    }
    buckets
};

/// Buckets that begin below [`NEAR`].
const NEAR_COUNT: usize = {
    let mut wide = 0;
    while WIDE_EDGES[wide] < NEAR {
        wide += 1;
    }
    WIDE_FROM as usize + wide
};

/// Where the first buckets begin, ascending.
pub(crate) static NEAR_FIRSTS: [u16; NEAR_COUNT] = {
    let mut firsts = [0; NEAR_COUNT];
    let mut at = 0;
    while at < NEAR_COUNT {
        let wide = at.saturating_sub(WIDE_FROM as usize);
        firsts[at] = if at < WIDE_FROM as usize { at as u16 } else { WIDE_EDGES[wide] as u16 };
        at += 1;
    }
    firsts
};

const NO_BUCKET: u16 = u16::MAX;

/// By value: the number of the bucket that begins there.
static NEAR_NUMBERS: [u16; NEAR_VALUES] = {
    let mut numbers = [NO_BUCKET; NEAR_VALUES];
    let mut at = 0;
    while at < NEAR_COUNT {
        numbers[NEAR_FIRSTS[at] as usize] = at as u16;
        at += 1;
    }
    numbers
};

/// By value: the number of its bucket.
static NUMBERS: [u16; NEAR_VALUES] = {
    let mut numbers = [0; NEAR_VALUES];
    let mut value = 0;
    while value < NEAR_VALUES {
        numbers[value] = NEAR_NUMBERS[NEAR_BUCKETS[value] as usize];
        value += 1;
    }
    numbers
};

/// The number of a value's bucket, if it is one of the first. A negative value counts as 0.
#[inline]
pub(crate) fn number(value: i64) -> Option<usize> {
    NUMBERS.get(value.max(0) as usize).map(|number| usize::from(*number))
}

/// The number of the bucket that begins at this value, if it is one of the first.
#[inline]
pub(crate) fn near_number(first: i64) -> Option<usize> {
    if (0..WIDE_FROM).contains(&first) {
        return Some(first as usize);
    }
    let number = *NEAR_NUMBERS.get(usize::try_from(first).ok()?)?;
    (number != NO_BUCKET).then_some(usize::from(number))
}

/// The first integer of a value's bucket. A negative value counts as 0.
#[must_use]
pub fn bucket(value: i64) -> i64 {
    if value < NEAR {
        return i64::from(NEAR_BUCKETS[value.max(0) as usize]);
    }
    WIDE_EDGES[WIDE_EDGES.partition_point(|edge| *edge <= value) - 1]
}

/// The middle of the bucket that begins at `bucket_first`: (first + last integer) / 2.
#[must_use]
pub fn middle(bucket_first: i64) -> f64 {
    let first = bucket(bucket_first);
    let last =
        if first < WIDE_FROM { first } else { edge_after(first).map_or(i64::MAX, |next| next - 1) };
    (i128::from(first) + i128::from(last)) as f64 / 2.0
}

/// How many values a state holds; stops at `i64::MAX`.
#[must_use]
pub fn total(state: &[i64]) -> i64 {
    pairs(state).fold(0, |sum, pair| sum.saturating_add(pair.1))
}

/// The q-quantile, q = `q_num` / `q_den`: the middle of the bucket of the ⌈q n⌉-th smallest of
/// the n values, at least the first and at most the last. `None` of an empty state and where
/// `q_den` is not positive.
#[must_use]
pub fn quantile(state: &[i64], q_num: i64, q_den: i64) -> Option<f64> {
    let n = i128::from(total(state));
    if n == 0 || q_den <= 0 {
        return None;
    }
    let q_den = i128::from(q_den);
    let product = i128::from(q_num.max(0)) * n;
    let rank = (product / q_den + i128::from(product % q_den != 0)).clamp(1, n);
    let mut seen = 0_i128;
    for (first, count) in pairs(state) {
        seen += i128::from(count);
        if seen >= rank {
            return Some(middle(first));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::Counts;
    use crate::testing::is_found;
    use proptest::prelude::*;

    fn state(values: &[i64]) -> Vec<i64> {
        let mut counts = Counts::new();
        values.iter().for_each(|value| counts.add(bucket(*value), 1));
        counts.to_state()
    }

    #[test]
    fn small_values_are_exact_and_large_ones_share_buckets() {
        assert_eq!((bucket(-5), bucket(0), bucket(255), bucket(256)), (0, 0, 255, 256));
        // 256 / 50 = 5: the bucket is 256 to 260, its middle 258.
        assert_eq!((bucket(260), bucket(261)), (256, 261));
        assert_eq!((middle(255), middle(256)), (255.0, 258.0));
        assert!(bucket(i64::MAX) > i64::MAX / 50 * 49);
        assert!(middle(bucket(i64::MAX)) > 9.0e18);
    }

    #[test]
    fn first_buckets_have_numbers_by_where_they_begin() {
        for value in -3..NEAR + 300 {
            let is_near = (0..NEAR).contains(&value) && bucket(value) == value;
            let number = near_number(value);
            assert_eq!(number.is_some(), is_near, "{value}");
            assert!(number.is_none_or(|number| i64::from(NEAR_FIRSTS[number]) == value));
        }
        assert!(NEAR_FIRSTS.is_sorted());
    }

    #[test]
    fn quantiles_are_ranks() {
        let state = state(&[5, 1, 4, 2, 3]);
        assert_eq!(quantile(&state, 1, 2), Some(3.0));
        assert_eq!(quantile(&state, 9, 10), Some(5.0));
        assert_eq!(quantile(&state, 0, 10), Some(1.0));
        assert_eq!(quantile(&state, 2, 5), Some(2.0));
        assert_eq!(quantile(&[], 1, 2), None);
        assert_eq!(quantile(&state, 1, 0), None);
        assert_eq!(total(&state), 5);
    }

    /// What a bucket means: a walk from the first that may hold more than one.
    fn walked(value: i64) -> i64 {
        if value < WIDE_FROM {
            return value.max(0);
        }
        let mut first = WIDE_FROM;
        while let Some(next) = edge_after(first).filter(|next| *next <= value) {
            first = next;
        }
        first
    }

    /// Whether a version has the bucket of every value that is looked up, and of those beside the
    /// edges of all others.
    fn has_buckets(version: fn(i64) -> i64) -> bool {
        let edges = &WIDE_EDGES;
        let beside = edges.iter().flat_map(|edge| [edge - 1, *edge, edge + 1]);
        (-3..NEAR + 300)
            .chain(beside)
            .chain([i64::MIN, i64::MAX])
            .all(|value| version(value) == walked(value))
    }

    /// A kernel that may be wrong.
    type Bucket = fn(i64) -> i64;

    #[test]
    fn buckets_are_those_of_a_walk_and_wrong_ones_are_found() {
        assert!(has_buckets(bucket));
        let planted: [(&str, Bucket); 3] = [
            ("takes an edge for the bucket before", |value| match value {
                ..NEAR => bucket(value),
                _ => WIDE_EDGES[WIDE_EDGES.partition_point(|edge| *edge < value) - 1],
            }),
            ("looks up what is beyond the table", |value| bucket(value.min(NEAR + 200))),
            ("makes a negative value positive", |value| bucket(value.saturating_abs())),
        ];
        for (name, version) in planted {
            assert!(!has_buckets(version), "the version that {name} passed");
        }
    }

    /// Values, and the quantile q / d.
    type Case = (Vec<i64>, i64, i64);

    fn cases() -> impl Strategy<Value = Case> {
        (prop::collection::vec(0_i64..2_000, 0..80), -5_i64..=105, 1_i64..=100)
    }

    /// Whether a version agrees with sorting.
    fn agrees(version: impl Fn(&[i64], i64, i64) -> Option<f64>, (values, q, d): &Case) -> bool {
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let rank = (*q.max(&0) as usize * values.len()).div_ceil(*d as usize).max(1);
        let expected = sorted.get(rank - 1).or(sorted.last()).map(|value| middle(bucket(*value)));
        version(&state(values), *q, *d) == expected
    }

    #[test]
    fn wrong_quantiles_are_found() {
        type Version = fn(&[i64], i64, i64) -> Option<f64>;
        let planted: [(&str, Version); 3] = [
            ("rounds ranks down", |state, q, d| {
                quantile(state, q * total(state) / d, total(state))
            }),
            ("gives a bucket's first value", |state, q, d| {
                let found = quantile(state, q, d)? as i64;
                Some(bucket(found) as f64)
            }),
            ("forgets how often values come", |state, q, d| {
                let once: Vec<i64> = pairs(state).flat_map(|pair| [pair.0, 1]).collect();
                quantile(&once, q, d)
            }),
        ];
        for (name, version) in planted {
            assert!(is_found(&cases(), |case| agrees(version, case)), "the one that {name} passed");
        }
    }

    proptest! {
        #[test]
        fn the_middle_is_within_one_percent(value in 0_i64..i64::MAX / 2) {
            let first = bucket(value);
            prop_assert!(first <= value);
            prop_assert_eq!(bucket(first), first);
            let middle = middle(first);
            prop_assert!((middle - value as f64).abs() <= value as f64 * 0.0101);
        }

        #[test]
        fn quantiles_agree_with_sorting(case in cases()) {
            prop_assert!(agrees(quantile, &case));
        }

        #[test]
        fn a_malformed_state_does_not_panic(
            numbers in prop::collection::vec(any::<i64>(), 0..9),
            q in any::<i64>(),
            d in any::<i64>(),
        ) {
            let _ = quantile(&numbers, q, d);
        }
    }
}
