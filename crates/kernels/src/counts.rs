//! A count map: integer key → how often. The state of every histogram and of small closed
//! lists (hours, scripts).
//!
//! As a state it is the flattened pairs (key, count), keys ascending, counts positive. Merging
//! adds counts, so any split, order or tree of merges gives the same state. A state of odd
//! length is read as if its last number were absent; a pair whose count is not positive too.

/// Keys from 0 up to here are counted by place once there are many of them.
const PLACES: usize = 1_024;
/// So many pairs of such keys make it worth while: a place takes a quarter of a pair's bytes.
const PLACED_FROM: usize = 32;

/// A growing count map.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Ascending by key. A key that has a place is here only for what its place cannot hold.
    pairs: Vec<(i64, i64)>,
    /// How often each of the keys from 0 on came; empty while there are few.
    places: Vec<u32>,
}

impl Counts {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new(), places: Vec::new() }
    }

    /// Counts `key` `n` times more. An `n` below 1 adds nothing; sums stop at `i64::MAX`.
    pub fn add(&mut self, key: i64, n: i64) {
        if !self.add_by_place(key, n) {
            self.add_by_pair(key, n);
        }
    }

    /// Counts a key by its place; whether it could.
    fn add_by_place(&mut self, key: i64, n: i64) -> bool {
        let (Ok(at), Ok(n)) = (usize::try_from(key), u32::try_from(n)) else { return false };
        if at >= self.places.len() {
            if self.places.is_empty() || at >= PLACES {
                return false;
            }
            self.places.resize((at + 1).next_multiple_of(64), 0);
        }
        match self.places[at].checked_add(n) {
            Some(sum) => self.places[at] = sum,
            None => return false,
        }
        true
    }

    fn add_by_pair(&mut self, key: i64, n: i64) {
        if n <= 0 {
            return;
        }
        // Most maps are merged in key order, so the end is looked at first.
        if self.pairs.last().is_none_or(|last| last.0 < key) {
            self.pairs.push((key, n));
        } else {
            match self.place(key) {
                Ok(at) => {
                    self.pairs[at].1 = self.pairs[at].1.saturating_add(n);
                    return;
                }
                Err(at) => self.pairs.insert(at, (key, n)),
            }
        }
        if self.places.is_empty() && self.pairs.len() >= PLACED_FROM {
            self.give_places();
        }
    }

    /// Gives the small keys their places, if they are many.
    fn give_places(&mut self) {
        let from = self.pairs.partition_point(|pair| pair.0 < 0);
        let to = self.pairs.partition_point(|pair| pair.0 < PLACES as i64);
        if to - from < PLACED_FROM {
            return;
        }
        self.places.resize(64, 0);
        let small: Vec<(i64, i64)> = self.pairs.drain(from..to).collect();
        for (key, n) in small {
            self.add(key, n);
        }
    }

    /// Where a key is, or would be. Keys are mostly neighbours, so it is first looked for where
    /// it stands if none is left out before it; it never stands behind that place.
    fn place(&self, key: i64) -> Result<usize, usize> {
        let Some(first) = self.pairs.first() else { return Err(0) };
        let Ok(guess) = usize::try_from(key.saturating_sub(first.0)) else { return Err(0) };
        match self.pairs.get(guess) {
            Some(pair) if pair.0 == key => Ok(guess),
            _ => {
                let before = &self.pairs[..guess.min(self.pairs.len())];
                before.binary_search_by_key(&key, |pair| pair.0)
            }
        }
    }

    /// Adds the counts of a state.
    pub fn merge(&mut self, state: &[i64]) {
        for (key, n) in pairs(state) {
            self.add(key, n);
        }
    }

    /// The flattened pairs.
    #[must_use]
    pub fn to_state(&self) -> Vec<i64> {
        let negative = self.pairs.partition_point(|pair| pair.0 < 0);
        let (negative, mut others) = self.pairs.split_at(negative);
        let mut state = Vec::with_capacity(2 * self.pairs.len());
        let mut put = |pair: &(i64, i64)| state.extend([pair.0, pair.1]);
        negative.iter().for_each(&mut put);
        for (key, n) in (0..).zip(&self.places) {
            let mut n = i64::from(*n);
            if let [(same, more), rest @ ..] = others
                && *same == key
            {
                n = n.saturating_add(*more);
                others = rest;
            }
            if n > 0 {
                put(&(key, n));
            }
        }
        others.iter().for_each(put);
        state
    }

    /// The sum of all counts; stops at `i64::MAX`.
    #[must_use]
    pub fn total(&self) -> i64 {
        let placed: i64 = self.places.iter().map(|n| i64::from(*n)).sum();
        self.pairs.iter().fold(placed, |sum, pair| sum.saturating_add(pair.1))
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty() && self.places.iter().all(|n| *n == 0)
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn size(&self) -> usize {
        self.pairs.capacity() * size_of::<(i64, i64)>() + self.places.capacity() * size_of::<u32>()
    }
}

/// The pairs (key, count) of a state that have a positive count.
pub fn pairs(state: &[i64]) -> impl Iterator<Item = (i64, i64)> + '_ {
    state.chunks_exact(2).map(|pair| (pair[0], pair[1])).filter(|pair| pair.1 > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_are_sorted_by_key() {
        let mut counts = Counts::new();
        counts.add(7, 1);
        counts.add(-2, 3);
        counts.add(7, 2);
        counts.add(9, 0);
        assert_eq!(counts.to_state(), [-2, 3, 7, 3]);
        assert_eq!(counts.total(), 6);
        assert!(counts.size() >= 32);
    }

    #[test]
    fn a_broken_state_counts_what_is_whole() {
        let mut counts = Counts::new();
        counts.merge(&[1, 2, 5, -4, 3]);
        assert_eq!(counts.to_state(), [1, 2]);
    }

    #[test]
    fn a_count_that_its_place_cannot_hold_is_whole() {
        let mut counts = Counts::new();
        (0..40).for_each(|key| counts.add(key, 1));
        assert!(!counts.places.is_empty());
        for n in [i64::from(u32::MAX), 7, 1 << 40, i64::MAX] {
            counts.add(3, n);
            counts.add(-3, 1);
            counts.add(90, 1);
        }
        let state = counts.to_state();
        assert_eq!(state[..4], [-3, 4, 0, 1]);
        assert_eq!(state[8..10], [3, i64::MAX]);
        assert_eq!(state[state.len() - 2..], [90, 4]);
        let mut merged = Counts::new();
        merged.merge(&state);
        assert_eq!(merged.to_state(), state);
        assert_eq!(counts.total(), i64::MAX);
    }

    proptest! {
        #[test]
        fn any_keys_are_counted_as_in_a_tree(
            keys in prop::collection::vec(
                prop_oneof![-4_i64..90, 900_i64..1_100, Just(i64::MIN), Just(i64::MAX), any::<i64>()],
                0..200,
            ),
        ) {
            let (mut counts, mut tree) = (Counts::new(), std::collections::BTreeMap::new());
            for key in keys {
                counts.add(key, 2);
                *tree.entry(key).or_insert(0) += 2;
            }
            let expected: Vec<i64> = tree.into_iter().flat_map(|(key, n)| [key, n]).collect();
            prop_assert_eq!(counts.to_state(), expected);
        }

        #[test]
        fn any_split_and_order_gives_the_same_state(
            values in prop::collection::vec((-20_i64..20, 1_i64..5), 0..60),
            cut in 0_usize..60,
        ) {
            let mut whole = Counts::new();
            values.iter().for_each(|&(key, n)| whole.add(key, n));
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut parts = [Counts::new(), Counts::new()];
            left.iter().rev().for_each(|&(key, n)| parts[0].add(key, n));
            right.iter().for_each(|&(key, n)| parts[1].add(key, n));
            let mut merged = Counts::new();
            merged.merge(&parts[1].to_state());
            merged.merge(&parts[0].to_state());
            prop_assert_eq!(merged.to_state(), whole.to_state());
        }
    }
}
