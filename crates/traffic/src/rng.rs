//! The one source of chance: SplitMix64, seeded by values that name what is decided.
//!
//! Integers only, so that every machine draws the same. Long tails come from trailing zeros
//! instead of logarithms.

/// Mixes a number well (the finaliser of SplitMix64).
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Mixes two numbers into one.
pub(crate) fn mix2(a: u64, b: u64) -> u64 {
    mix(a ^ mix(b).rotate_left(23))
}

/// A stream of pseudorandom numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound` (0 where that is 0), by multiplication of the upper half.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((self.next() >> 32) * bound) >> 32
    }

    /// A number in `[low, high)`; `low` where the range is empty.
    pub(crate) fn range(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low).unwrap_or(0);
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// An index into a list of `len` items.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True in `percent` of 100 draws.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// True with the given probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        ((self.next() >> 11) as f64) < probability * 9_007_199_254_740_992.0
    }

    /// How often a coin of one half falls heads before tails, at most `most`.
    pub(crate) fn run(&mut self, most: u32) -> u32 {
        self.next().trailing_zeros().min(most)
    }

    /// A wait with a long tail: `[base, 2 base)` half of the time, doubled by each lucky coin.
    pub(crate) fn wait(&mut self, base: i64, doublings: u32) -> i64 {
        let doubled = base << self.run(doublings);
        doubled + self.range(0, doubled)
    }
}
