//! What it means.

use super::{BLOCK, Look};

/// As [`super::look`].
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "what the other one must equal"))]
pub(super) fn look(block: &[u8; BLOCK]) -> Look {
    let bits = |is: fn(&u8) -> bool| {
        let bytes = block.iter().enumerate();
        bytes.fold(0, |bits, (at, byte)| bits | u32::from(is(byte)) << at)
    };
    Look {
        special: bits(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)),
        high: bits(|byte| !byte.is_ascii()),
    }
}

/// As [`super::same`].
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "what the other one must equal"))]
pub(super) fn same(one: &[u8; BLOCK], other: &[u8; BLOCK]) -> u32 {
    let pairs = one.iter().zip(other).enumerate();
    pairs.fold(0, |bits, (at, (one, other))| bits | u32::from(one == other) << at)
}
