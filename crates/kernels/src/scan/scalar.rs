//! What it means.

use super::{BLOCK, Eyes, Look, WIDE, WideLook};

/// As [`super::look`].
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "what the other one must equal"))]
pub(super) fn look(block: &[u8; BLOCK]) -> Look {
    let bits = |is: fn(&u8) -> bool| {
        let bytes = block.iter().enumerate();
        bytes.fold(0, |bits, (at, byte)| bits | u32::from(is(byte)) << at)
    };
    Look {
        special: bits(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)),
        rare: bits(|byte| !byte.is_ascii() || *byte == b'@'),
    }
}

/// As [`Eyes`] says.
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "what the others must equal"))]
#[derive(Clone, Copy)]
pub(super) struct Scalar;

impl Eyes for Scalar {
    #[inline(always)]
    fn is_same(self, block: &[u8; WIDE], other: &[u8; WIDE], within: u64) -> bool {
        let mut pairs = block.iter().zip(other).enumerate();
        pairs.all(|(at, (one, other))| within >> at & 1 == 0 || one == other)
    }

    #[inline(always)]
    fn look(self, block: &[u8; WIDE]) -> WideLook {
        let [low, high] = [0, BLOCK].map(|at| {
            let half = std::array::from_fn(|nth| block[at + nth]);
            look(&half)
        });
        let both = |low: u32, high: u32| u64::from(low) | u64::from(high) << BLOCK;
        WideLook::of(both(low.special, high.special), both(low.rare, high.rare))
    }
}
