//! Whether bytes are UTF-8: most are ASCII, which is quickly seen.

use super::BLOCK;
use crate::dispatch::{InstructionSet, Kernel};

/// Whether all bytes are ASCII.
#[inline]
#[must_use]
pub fn is_ascii(bytes: &[u8]) -> bool {
    match bytes.last_chunk() {
        // Whole blocks, and the last one again for what is left.
        Some(last) => {
            let blocks = bytes.as_chunks::<BLOCK>().0.iter();
            blocks.fold(is_ascii_block(last), |all, block| all & is_ascii_block(block))
        }
        None => is_short_ascii(bytes),
    }
}

/// The same of less than a block: two words that overlap are all of it.
#[inline]
fn is_short_ascii(bytes: &[u8]) -> bool {
    const HIGH: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u128::from_le_bytes(*first) | u128::from_le_bytes(*last)) & HIGH == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_le_bytes(*first) | u64::from_le_bytes(*last)) & HIGH as u64 == 0;
    }
    bytes.iter().fold(0, |all, byte| all | byte) < 0x80
}

#[inline(always)]
fn is_ascii_block(block: &[u8; BLOCK]) -> bool {
    #[cfg(target_arch = "x86_64")]
    return super::x86::is_ascii(block);
    #[cfg(not(target_arch = "x86_64"))]
    block.is_ascii()
}

/// Bytes from which on the validator of lanes looks at many at a time.
const MANY: usize = 64;

/// Whether bytes are UTF-8.
#[inline]
#[must_use]
pub fn is_utf8(bytes: &[u8]) -> bool {
    InstructionSet::best().run(Utf8(bytes))
}

struct Utf8<'a>(&'a [u8]);

impl Kernel for Utf8<'_> {
    type Output = bool;

    #[inline(always)]
    fn lanes(self) -> bool {
        let Self(bytes) = self;
        if bytes.len() < MANY {
            is_ascii(bytes) || is_short_utf8(bytes)
        } else {
            is_long_utf8(bytes)
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn avx512(self, proof: crate::dispatch::Avx512) -> bool {
        super::x86::is_utf8(proof, self.0)
    }
}

#[inline(never)]
fn is_long_utf8(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// The same of few bytes, zeros put behind them: those are letters, so a letter that is cut off by
/// the end is still none.
#[inline(never)]
fn is_short_utf8(bytes: &[u8]) -> bool {
    let mut many = [0; MANY];
    let Some(first) = many.get_mut(..bytes.len()) else { return false };
    first.copy_from_slice(bytes);
    is_long_utf8(&many)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Asks all instruction sets, and the one function.
    fn check(bytes: &[u8]) {
        let expected = std::str::from_utf8(bytes).is_ok();
        for set in InstructionSet::available() {
            assert_eq!(set.run(Utf8(bytes)), expected, "{} {bytes:?}", set.name());
        }
        assert_eq!(is_utf8(bytes), expected);
    }

    #[test]
    fn one_byte_that_is_no_ascii_is_seen_wherever_it_stands() {
        for length in 0..140 {
            let mut bytes = vec![b'a'; length];
            assert!(is_ascii(&bytes) && is_utf8(&bytes));
            for at in 0..length {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes));
                check(&bytes);
                bytes[at] = b'a';
            }
        }
        assert!(is_utf8("é".as_bytes()) && !is_ascii("é".as_bytes()));
    }

    /// Letters of all lengths behind each other, cut off anywhere, anywhere in a text.
    fn each_cut(mut each: impl FnMut(&[u8])) {
        for letter in ["a", "é", "中", "😀"].map(str::as_bytes) {
            for length in 0..140 {
                let whole = [&vec![b'a'; length][..], letter, letter].concat();
                for end in length..whole.len() + 1 {
                    let cut = &whole[..end];
                    each(cut);
                    each(&[cut, b"a"].concat());
                }
            }
        }
    }

    #[test]
    fn letters_are_whole_wherever_they_stand() {
        each_cut(check);
    }

    #[test]
    fn wrong_validators_are_found() {
        // The first takes a cut letter at the end for a whole one, the second letters of four bytes
        // for none, the third the last byte of a block for ASCII.
        let wrong: [fn(&[u8]) -> bool; 3] = [
            |bytes| std::str::from_utf8(bytes).map_or_else(|e| e.error_len().is_none(), |_| true),
            |bytes| std::str::from_utf8(bytes).is_ok() && bytes.iter().all(|byte| *byte < 0xF0),
            |bytes| {
                let mut bytes = bytes.to_vec();
                bytes.iter_mut().skip(63).step_by(64).for_each(|byte| *byte &= 0x7F);
                std::str::from_utf8(&bytes).is_ok()
            },
        ];
        for (nth, wrong) in wrong.into_iter().enumerate() {
            let mut found = 0;
            each_cut(|bytes| {
                found += usize::from(wrong(bytes) != std::str::from_utf8(bytes).is_ok());
            });
            assert!(found > 0, "{nth}");
        }
    }

    #[test]
    fn all_pairs_of_bytes_are_told_alone_and_behind_each_leader() {
        for leader in [b"".as_slice(), b"\xE0", b"\xE1", b"\xED", b"\xF0", b"\xF1", b"\xF4"] {
            for pair in 0..=u16::MAX {
                let pair = pair.to_le_bytes();
                for before in [0, 61, 62, 63, 64] {
                    for behind in [&b""[..], b"\x80", b"a"] {
                        let bytes = [&vec![b'a'; before][..], leader, &pair, behind].concat();
                        let expected = std::str::from_utf8(&bytes).is_ok();
                        assert_eq!(is_utf8(&bytes), expected, "{bytes:?}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn texts_are_told_as_the_standard_library_tells_them(
            text in "\\PC{0,200}",
            changed in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = text.into_bytes();
            if let Some((at, byte)) = changed && !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            check(&bytes);
            check(&bytes[..cut.index(bytes.len() + 1)]);
        }

        #[test]
        fn any_bytes_are_told_as_the_standard_library_tells_them(
            bytes in prop::collection::vec(any::<u8>(), 0..150),
        ) {
            check(&bytes);
        }
    }
}
