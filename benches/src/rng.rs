//! Chance that depends on a seed alone: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).

/// The step of the sequence: 2^64 divided by the golden ratio, made odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A seeded sequence.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        finish(self.0)
    }

    /// A number below `n`; 0 where `n` is 0. The bias is below n / 2^64.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number of `[low, high)`, the lower one where the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low))
    }

    /// True in `n` of a thousand cases.
    pub fn per_mille(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }

    /// A number of `(0, 1]`.
    pub fn unit(&mut self) -> f64 {
        // 53 bits, so that every value is exact.
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// Spreads the bits of a number; a bijection.
#[must_use]
pub const fn mix(number: u64) -> u64 {
    finish(number.wrapping_add(STEP))
}

/// Spreads the bits of two numbers.
#[must_use]
pub const fn mix2(one: u64, two: u64) -> u64 {
    mix(mix(one) ^ two)
}

const fn finish(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_numbers_are_those_of_the_published_sequence() {
        let mut rng = Rng::new(1_234_567);
        let first = [rng.bits(), rng.bits(), rng.bits()];
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn numbers_stay_in_their_ranges() {
        let mut rng = Rng::new(7);
        for _ in 0..10_000 {
            assert!(rng.below(3) < 3);
            assert!((5..9).contains(&rng.between(5, 9)));
            let unit = rng.unit();
            assert!(unit > 0.0 && unit <= 1.0);
        }
        assert_eq!((rng.below(0), rng.between(4, 4)), (0, 4));
    }
}
