//! A count map: integer key → how often. The state of every histogram and of small closed
//! lists (hours, scripts).
//!
//! As a state it is the flattened pairs (key, count), keys ascending, counts positive. Merging
//! adds counts, so any split, order or tree of merges gives the same state. A state of odd
//! length is read as if its last number were absent; a pair whose count is not positive too.

use crate::fetch::fetch_value;
use crate::histogram::{NEAR_FIRSTS, bucket, near_number, number};

/// So many pairs at least that could have places make them worth while.
const PLACED_FROM: usize = 8;
/// Places are made by so many.
const PLACES: usize = 64;
/// Counts of a word of a packed map.
const OF_WORD: usize = size_of::<u64>() / size_of::<u16>();

/// A growing count map.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Ascending by key. A key that has a place is here only for what its place cannot hold.
    pairs: Vec<(i64, i64)>,
    /// How often each of the keys came that are the first buckets of a histogram, which all small
    /// keys are; empty while there are few.
    places: Vec<u16>,
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

    /// Counts the bucket of a value once more.
    #[inline]
    pub fn add_value(&mut self, value: i64) {
        let place = number(value).and_then(|at| self.places.get_mut(at));
        if let Some(count) = place
            && let Some(sum) = count.checked_add(1)
        {
            *count = sum;
        } else {
            self.add(bucket(value), 1);
        }
    }

    /// Has the processor fetch what counting a value's bucket changes, where it is far.
    #[inline]
    pub fn fetch_value(&self, value: i64) {
        if let Some(at) = number(value) {
            fetch_value(&self.places, at);
        }
    }

    /// Counts a key by its place; whether it could.
    #[inline]
    fn add_by_place(&mut self, key: i64, n: i64) -> bool {
        let (Some(at), Ok(n)) = (near_number(key), u16::try_from(n)) else { return false };
        if self.places.is_empty() {
            return false;
        }
        self.add_at(at, n);
        true
    }

    /// Counts at a place, which is made if it is missing.
    #[inline]
    fn add_at(&mut self, at: usize, n: u16) {
        if at >= self.places.len() {
            self.places.resize((at + 1).next_multiple_of(PLACES), 0);
        }
        let count = &mut self.places[at];
        match count.checked_add(n) {
            Some(sum) => *count = sum,
            None => {
                let all = i64::from(*count) + i64::from(n);
                *count = 0;
                self.add_by_pair(i64::from(NEAR_FIRSTS[at]), all);
            }
        }
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
        // Looked at again only when there are twice as many, for it looks at all.
        let pairs = self.pairs.len();
        if self.places.is_empty() && pairs >= PLACED_FROM && pairs.is_power_of_two() {
            let near = || self.pairs.iter().filter_map(|pair| near_number(pair.0));
            let (count, last) = (near().count(), near().max().unwrap_or_default());
            // Twice the bytes of the pairs at most, to begin with.
            let places = (last + 1).next_multiple_of(PLACES) * size_of::<u16>();
            if count >= PLACED_FROM && places <= 2 * count * size_of::<(i64, i64)>() {
                self.give_places();
            }
        }
    }

    /// Counts keys by place from now on, where they have one.
    fn give_places(&mut self) {
        self.places.resize(PLACES, 0);
        for (key, n) in std::mem::take(&mut self.pairs) {
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
        let mut state = Vec::with_capacity(self.state_len());
        self.append_state(&mut state);
        state
    }

    /// Numbers that the state has at most.
    #[must_use]
    pub fn state_len(&self) -> usize {
        2 * (self.pairs.len() + self.places.iter().filter(|n| **n > 0).count())
    }

    /// Puts the flattened pairs at the end of a list.
    pub fn append_state(&self, state: &mut Vec<i64>) {
        let mut others = &self.pairs[..];
        for (key, n) in NEAR_FIRSTS.iter().zip(&self.places) {
            let (key, mut n) = (i64::from(*key), i64::from(*n));
            let before = others.iter().take_while(|pair| pair.0 < key).count();
            let (before, rest) = others.split_at(before);
            state.extend(before.iter().flat_map(|pair| [pair.0, pair.1]));
            others = rest;
            if let [(same, more), rest @ ..] = others
                && *same == key
            {
                n = n.saturating_add(*more);
                others = rest;
            }
            if n > 0 {
                state.extend([key, n]);
            }
        }
        state.extend(others.iter().flat_map(|pair| [pair.0, pair.1]));
    }

    /// Puts the map at the end of a list, as [`Self::merge_packed`] reads it: how many words of
    /// places, those words with four counts each, the lowest first, and all other pairs. An eighth
    /// of a state that has many small keys, and quicker to make.
    pub fn append_packed(&self, packed: &mut Vec<i64>) {
        let used = self.places.iter().rposition(|n| *n > 0).map_or(0, |last| last + 1);
        let words = used.div_ceil(OF_WORD);
        // Places are a whole number of words.
        let words = &self.places.as_chunks::<OF_WORD>().0[..words];
        packed.push(words.len() as i64);
        let bits = |bits: u64, n: &u16| bits << u16::BITS | u64::from(*n);
        packed.extend(words.iter().map(|word| word.iter().rev().fold(0, bits).cast_signed()));
        packed.extend(self.pairs.iter().flat_map(|pair| [pair.0, pair.1]));
    }

    /// Adds the counts of a packed map. Of one that is broken off, what is whole.
    pub fn merge_packed(&mut self, packed: &[i64]) {
        let Some((words, rest)) = packed.split_first() else { return };
        let words = usize::try_from(*words).unwrap_or(0).min(rest.len());
        let (words, others) = rest.split_at(words);
        if self.places.is_empty() && !words.is_empty() {
            self.give_places();
        }
        let counts = words.iter().flat_map(|word| {
            (0..OF_WORD).map(move |nth| (word.cast_unsigned() >> (nth * 16)) as u16)
        });
        for (at, n) in counts.take(NEAR_FIRSTS.len()).enumerate().filter(|(_, n)| *n > 0) {
            self.add_at(at, n);
        }
        self.merge(others);
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
        self.pairs.capacity() * size_of::<(i64, i64)>() + self.places.capacity() * size_of::<u16>()
    }
}

/// The pairs (key, count) of a state that have a positive count.
pub fn pairs(state: &[i64]) -> impl Iterator<Item = (i64, i64)> + '_ {
    state.chunks_exact(2).map(|pair| (pair[0], pair[1])).filter(|pair| pair.1 > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::is_found;
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
    fn a_broken_packed_map_counts_what_is_whole() {
        let whole = [2, 1 << 48 | 5, -1, 7, 3, 9];
        for (packed, expected) in [
            (&whole[..], &[0, 5, 3, 1, 4, 65_535, 5, 65_535, 6, 65_535, 7, 65_538][..]),
            (&whole[..2], &[0, 5, 3, 1]),
            (&[i64::MAX, 4], &[0, 4]),
            (&[-1, 7, 3], &[7, 3]),
            (&[], &[]),
        ] {
            let mut counts = Counts::new();
            counts.merge_packed(packed);
            assert_eq!(counts.to_state(), expected);
        }
    }

    #[test]
    fn places_come_where_they_take_little_more_than_pairs() {
        let placed = |keys: &mut dyn Iterator<Item = i64>| {
            let mut counts = Counts::new();
            keys.for_each(|key| counts.add(key, 1));
            !counts.places.is_empty()
        };
        assert!(!placed(&mut (0..7)) && placed(&mut (0..8)));
        assert!(placed(&mut (50..58)));
        // The last of them is far, and none of those has a place.
        assert!(!placed(&mut (0..7).chain([900])));
        assert!(!placed(&mut (-20..-1)));
    }

    #[test]
    fn a_count_that_its_place_cannot_hold_is_whole() {
        let mut counts = Counts::new();
        (0..40).for_each(|key| counts.add(key, 1));
        assert!(!counts.places.is_empty());
        for n in [i64::from(u16::MAX), 7, 1 << 40, i64::MAX] {
            counts.add(3, n);
            counts.add(-3, 1);
            counts.add(90, 1);
        }
        (0..70_000).for_each(|_| counts.add(9, 1));
        let state = counts.to_state();
        assert_eq!(state[..4], [-3, 4, 0, 1]);
        assert_eq!(state[20..22], [9, 70_001]);
        assert_eq!(state[8..10], [3, i64::MAX]);
        assert_eq!(state[state.len() - 2..], [90, 4]);
        let mut merged = Counts::new();
        merged.merge(&state);
        assert_eq!(merged.to_state(), state);
        assert_eq!(counts.total(), i64::MAX);
    }

    /// A way to count: pairs of a key and how often it comes, to a state.
    type Kernel = fn(&[(i64, i64)]) -> Vec<i64>;

    fn counted(pairs: &[(i64, i64)]) -> Counts {
        let mut counts = Counts::new();
        pairs.iter().for_each(|&(key, n)| counts.add(key, n));
        counts
    }

    /// Counts in three parts, which are merged from the last to the first.
    fn in_parts(pairs: &[(i64, i64)], hand_on: fn(&Counts, &mut Counts)) -> Vec<i64> {
        let [from, to] = [pairs.len() / 5, pairs.len() / 2];
        let mut merged = Counts::new();
        for part in [&pairs[to..], &pairs[from..to], &pairs[..from]] {
            hand_on(&counted(part), &mut merged);
        }
        merged.to_state()
    }

    fn packed_on(part: &Counts, merged: &mut Counts) {
        let mut packed = Vec::new();
        part.append_packed(&mut packed);
        merged.merge_packed(&packed);
    }

    const KERNELS: [Kernel; 3] = [
        |pairs| counted(pairs).to_state(),
        |pairs| in_parts(pairs, |part, merged| merged.merge(&part.to_state())),
        |pairs| in_parts(pairs, packed_on),
    ];

    /// What a count map means.
    fn in_a_tree(pairs: &[(i64, i64)]) -> Vec<i64> {
        let mut tree = std::collections::BTreeMap::<i64, i64>::new();
        for (key, n) in pairs.iter().filter(|pair| pair.1 > 0) {
            let count = tree.entry(*key).or_default();
            *count = count.saturating_add(*n);
        }
        tree.into_iter().flat_map(|(key, n)| [key, n]).collect()
    }

    /// Small keys, those of wide buckets, far ones; counts beyond what a place holds, beyond what a
    /// state holds, and such that add nothing.
    fn cases() -> impl Strategy<Value = Vec<(i64, i64)>> {
        let far = prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>()];
        let key = prop_oneof![8 => -4_i64..90, 4 => 250_i64..5_000, 1 => far];
        let n = prop_oneof![8 => 1_i64..9, 4 => 1_i64..40_000, 1 => -1_i64..1, 1 => Just(i64::MAX)];
        prop::collection::vec((key, n), 0..200)
    }

    #[test]
    fn wrong_kernels_are_found() {
        let planted: [(&str, Kernel); 2] = [
            ("counts small keys by sixteen bits alone", |pairs| {
                let mut state = in_a_tree(pairs);
                for pair in state.chunks_exact_mut(2).filter(|pair| near_number(pair[0]).is_some())
                {
                    pair[1] &= i64::from(u16::MAX);
                }
                state
            }),
            ("loses what has no place when it is packed", |pairs| {
                in_parts(pairs, |part, merged| {
                    let placed = Counts { pairs: Vec::new(), places: part.places.clone() };
                    packed_on(if part.places.is_empty() { part } else { &placed }, merged);
                })
            }),
        ];
        for (name, kernel) in planted {
            let agrees = |pairs: &Vec<(i64, i64)>| kernel(pairs) == in_a_tree(pairs);
            assert!(is_found(&cases(), agrees), "the kernel that {name} passed");
        }
    }

    proptest! {
        #[test]
        fn any_keys_are_counted_as_in_a_tree_in_parts_and_in_any_order(pairs in cases()) {
            let expected = in_a_tree(&pairs);
            for (nth, kernel) in KERNELS.iter().enumerate() {
                prop_assert_eq!(kernel(&pairs), &expected[..], "{}", nth);
            }
            let counts = counted(&pairs);
            prop_assert!(counts.state_len() >= expected.len());
            let mut backwards = pairs;
            backwards.reverse();
            prop_assert_eq!(counted(&backwards).to_state(), expected);
        }
    }
}
