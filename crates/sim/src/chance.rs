//! The one source of chance of a run.

use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random numbers from the seed.
#[derive(Debug)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From `low` to `high`, both possible.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// An index below `len`, which is not 0.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.0.random_range(0..len)
    }

    /// True once in `n`; never for 0.
    pub(crate) fn one_in(&mut self, n: u32) -> bool {
        n > 0 && self.0.random_range(0..n) == 0
    }

    pub(crate) fn dice(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Milliseconds of one call: mostly short, seldom long.
    pub(crate) fn latency(&mut self) -> i64 {
        if self.one_in(25) { self.between(100, 1_000) } else { self.between(1, 20) }
    }
}
