//! The smallest distinct hashes of a text, ascending: what `Tokens` keeps.

use turnwise_model::limits::TEXT_TOKENS_MAX;

/// Hashes that wait to be sorted among the smallest.
const WAITING: usize = 64;

/// Finds the smallest distinct ones among many hashes.
pub(super) struct Smallest {
    /// The smallest so far, ascending, then those that wait.
    hashes: [u32; TEXT_TOKENS_MAX + WAITING],
}

impl Smallest {
    pub(super) const fn new() -> Self {
        Self { hashes: [0; TEXT_TOKENS_MAX + WAITING] }
    }

    /// The smallest of two lists.
    #[inline(always)]
    pub(super) fn of(&mut self, lists: [&[u64]; 2]) -> &[u32] {
        let (mut kept, mut len) = (0, 0);
        let mut bound = u64::from(u32::MAX) + 1;
        for hash in lists.into_iter().flatten() {
            let hash = hash & u64::from(u32::MAX);
            self.hashes[len] = hash as u32;
            len += usize::from(hash < bound);
            if len == self.hashes.len() {
                kept = self.settle(len);
                len = kept;
                if kept == TEXT_TOKENS_MAX {
                    bound = u64::from(self.hashes[kept - 1]);
                }
            }
        }
        if len > kept {
            kept = self.settle(len);
        }
        &self.hashes[..kept]
    }

    /// Sorts the first `len`, drops repeats and all beyond the smallest; tells how many stay.
    #[inline(always)]
    fn settle(&mut self, len: usize) -> usize {
        let hashes = &mut self.hashes[..len];
        hashes.sort_unstable();
        let mut kept = 1;
        for at in 1..len {
            hashes[kept] = hashes[at];
            kept += usize::from(hashes[at] != hashes[kept - 1]);
        }
        kept.min(TEXT_TOKENS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tokens::Tokens;
    use super::*;

    #[test]
    fn smallest_are_those_that_tokens_keep() {
        let mut state = 5_u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            state ^ state >> 31
        };
        let mut smallest = Smallest::new();
        for round in 0..600_u64 {
            let narrow = if round % 3 == 0 { 15 } else { u64::MAX };
            let mut hashes: Vec<u64> = (0..round).map(|_| next() & narrow).collect();
            if round % 7 == 0 {
                hashes.push(u64::from(u32::MAX));
            }
            let mut tokens = Tokens::EMPTY;
            hashes.iter().for_each(|hash| tokens.insert(*hash as u32));
            let (one, two) = hashes.split_at(hashes.len() / 3);
            assert_eq!(smallest.of([one, two]), tokens.as_slice());
        }
    }
}
