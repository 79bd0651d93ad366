//! Where a JSON string ends: which bytes of a block are a quote, a backslash or a control character,
//! and which are no ASCII or an `@`: of a text with such a one more is to be asked.
//!
//! [`look`] is one function of 32 bytes, small enough to be a part of its caller. It needs no
//! dispatch: its instructions are part of every processor of its family. Who looks at many blocks of
//! one text has it walked through with [`Eyes`], of 64 bytes and the widest registers. Beside that it
//! tells whether texts are UTF-8.

mod eyes;
mod scalar;
mod utf8;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86;

pub use eyes::{Blocks, Eyes, WIDE, Walk, WideLook, below_lowest, walk};
pub use utf8::{is_ascii, is_utf8};

/// Bytes of a block.
pub const BLOCK: usize = 32;

/// What was seen of a block: a bit for each byte, the first byte's the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The byte is a quote, a backslash or below 0x20.
    pub special: u32,
    /// The byte is no ASCII, or an `@`.
    pub rare: u32,
}

/// Looks at a block.
#[inline(always)]
#[must_use]
pub fn look(block: &[u8; BLOCK]) -> Look {
    #[cfg(target_arch = "x86_64")]
    return x86::look(block);
    #[cfg(not(target_arch = "x86_64"))]
    scalar::look(block)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A version under test.
    type Version<'a> = &'a dyn Fn(&[u8; BLOCK]) -> Look;

    /// Whether a version tells every byte at every place, among others of several kinds, as the
    /// scalar version does.
    fn agrees(version: Version<'_>) -> bool {
        [b'a', b'"', 0x80, 0xFF].into_iter().all(|filler| {
            (0..=u8::MAX).all(|byte| {
                (0..BLOCK).all(|at| {
                    let mut block = [filler; BLOCK];
                    block[at] = byte;
                    version(&block) == scalar::look(&block)
                })
            })
        })
    }

    #[test]
    fn every_byte_at_every_place_is_told_as_the_scalar_version_tells_it() {
        for byte in 0..=u8::MAX {
            for at in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[at] = byte;
                let special = byte == b'"' || byte == b'\\' || byte < 0x20;
                let rare = byte >= 0x80 || byte == b'@';
                let expected =
                    Look { special: u32::from(special) << at, rare: u32::from(rare) << at };
                assert_eq!(scalar::look(&block), expected, "{byte} at {at}");
            }
        }
        assert!(agrees(&look));
    }

    #[test]
    fn wrong_versions_are_found() {
        let taken = |byte: u8, other: u8| {
            move |block: &[u8; BLOCK]| look(&block.map(|one| if one == byte { other } else { one }))
        };
        let planted: [(&str, Version<'_>); 5] = [
            ("takes the last control character for none", &taken(0x1F, b'a')),
            ("takes a delete character for one", &taken(0x7F, 0)),
            ("takes the first byte that is no ASCII for a letter", &taken(0x80, b'a')),
            ("takes an @ for a letter", &taken(b'@', b'a')),
            ("does not look at the last byte", &|block| {
                let Look { special, rare } = look(block);
                Look { special: special << 1 >> 1, rare }
            }),
        ];
        for (name, version) in planted {
            assert!(!agrees(version), "the version that {name} passed");
        }
    }

    proptest! {
        #[test]
        fn blocks_are_told_as_the_scalar_version_tells_them(block in any::<[u8; BLOCK]>()) {
            prop_assert_eq!(look(&block), scalar::look(&block));
        }
    }
}
