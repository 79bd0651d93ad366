//! The smallest distinct hashes of a text, ascending: what `Tokens` keeps. The plain way.

#[cfg(target_arch = "x86_64")]
pub(in super::super) mod x86;

use turnwise_model::limits::TEXT_TOKENS_MAX;

/// Hashes that wait to be sorted among the smallest.
const WAITING: usize = 64;
const ALL: usize = TEXT_TOKENS_MAX + WAITING;

/// Writes the smallest distinct hashes of a list to the beginning of `kept`; tells how many.
#[inline(always)]
pub(super) fn smallest(list: &[u32], kept: &mut [u32; TEXT_TOKENS_MAX]) -> usize {
    // The smallest so far, ascending, then those that wait.
    let mut hashes = [0; ALL];
    let (mut settled, mut len) = (0, 0);
    let mut bound = u64::from(u32::MAX) + 1;
    for hash in list {
        hashes[len] = *hash;
        len += usize::from(u64::from(*hash) < bound);
        if len == ALL {
            settled = settle(&mut hashes);
            len = settled;
            if settled == TEXT_TOKENS_MAX {
                bound = u64::from(hashes[TEXT_TOKENS_MAX - 1]);
            }
        }
    }
    if len > settled {
        settled = settle(&mut hashes[..len]);
    }
    kept.copy_from_slice(&hashes[..TEXT_TOKENS_MAX]);
    settled
}

/// Sorts, drops repeats and all beyond the smallest; tells how many stay.
#[inline(always)]
fn settle(hashes: &mut [u32]) -> usize {
    hashes.sort_unstable();
    let mut kept = 1;
    for at in 1..hashes.len() {
        hashes[kept] = hashes[at];
        kept += usize::from(hashes[at] != hashes[kept - 1]);
    }
    kept.min(TEXT_TOKENS_MAX)
}

#[cfg(test)]
pub(in super::super) mod tests {
    use super::super::super::tokens::Tokens;
    use super::super::ops::{Plain, Vectors};
    use super::*;

    /// Compares with what `Tokens` keeps, over lists of many lengths, with and without repeats.
    pub(in super::super::super) fn check<V: Vectors>(vectors: V) {
        let mut state = 5_u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            (state >> 29) as u32
        };
        for round in 0..900 {
            let narrow = if round % 3 == 0 { 15 } else { u32::MAX };
            let mut hashes: Vec<u32> = (0..round % 300).map(|_| next() & narrow).collect();
            if round % 7 == 0 {
                hashes.push(u32::MAX);
            }
            let mut tokens = Tokens::EMPTY;
            hashes.iter().for_each(|hash| tokens.insert(*hash));
            let mut kept = [0; TEXT_TOKENS_MAX];
            let len = vectors.smallest(&hashes, &mut kept);
            assert_eq!(&kept[..len], tokens.as_slice());
        }
    }

    #[test]
    fn smallest_are_those_that_tokens_keep() {
        check(Plain);
    }
}
