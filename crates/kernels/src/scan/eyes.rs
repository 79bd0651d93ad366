//! Wide blocks of a text, and who looks at them: each kind of [`Eyes`] says the same.

use crate::dispatch::{InstructionSet, Kernel};

/// Bytes of a wide block.
pub const WIDE: usize = 64;

/// What was seen of a wide block up to its first special byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WideLook {
    /// The byte is a quote, a backslash or below 0x20: the lowest bit set is the first such byte's,
    /// and of those behind it some may be missing.
    pub special: u64,
    /// A byte before that, or one of all if there is none, is no ASCII, or an `@`.
    pub is_rare: bool,
}

impl WideLook {
    /// Of what all bytes up to the first special one are.
    #[inline(always)]
    pub(super) fn of(special: u64, rare: u64) -> Self {
        Self { special, is_rare: rare & below_lowest(special) != 0 }
    }
}

/// The bits below the lowest one; all if there is none.
#[inline(always)]
#[must_use]
pub fn below_lowest(bits: u64) -> u64 {
    (bits & bits.wrapping_neg()).wrapping_sub(1)
}

/// Looks at wide blocks with what the processor has.
pub trait Eyes: Copy {
    /// Whether a block has the bytes of another wherever a bit is set, the first byte's the lowest.
    fn is_same(self, block: &[u8; WIDE], other: &[u8; WIDE], within: u64) -> bool;

    /// Looks at a block.
    fn look(self, block: &[u8; WIDE]) -> WideLook;
}

/// The wide blocks of a text from any byte of it on, zeros behind its end.
#[derive(Debug)]
pub struct Blocks<'t> {
    text: &'t [u8],
    /// Where the last 64 bytes begin, or all of fewer.
    last: usize,
    /// Those, and zeros.
    end: [u8; 2 * WIDE],
}

impl<'t> Blocks<'t> {
    /// Of a text.
    #[inline(always)]
    #[must_use]
    pub fn of(text: &'t [u8]) -> Self {
        let mut end = [0; 2 * WIDE];
        match text.last_chunk::<WIDE>() {
            Some(last) => end[..WIDE].copy_from_slice(last),
            None => end[..text.len()].copy_from_slice(text),
        }
        Self { text, last: text.len().saturating_sub(WIDE), end }
    }

    /// The text.
    #[inline(always)]
    #[must_use]
    pub fn text(&self) -> &'t [u8] {
        self.text
    }

    /// The block that begins at a byte, or at the end; `None` behind it.
    #[inline(always)]
    #[must_use]
    pub fn at(&self, at: usize) -> Option<&[u8; WIDE]> {
        match self.text.get(at..)?.first_chunk() {
            Some(block) => Some(block),
            None => self.end.get(at - self.last..)?.first_chunk(),
        }
    }
}

/// What needs eyes. Implementations mark `walk` and what it calls `#[inline(always)]`: it is
/// compiled for each kind of them.
pub trait Walk {
    /// What comes of it.
    type Output;

    /// Does it.
    fn walk<E: Eyes>(self, eyes: E) -> Self::Output;
}

/// Does something with the eyes of an instruction set.
#[inline]
pub fn walk<W: Walk>(set: InstructionSet, walk: W) -> W::Output {
    set.run(Walking(walk))
}

struct Walking<W>(W);

impl<W: Walk> Kernel for Walking<W> {
    type Output = W::Output;

    #[inline(always)]
    fn lanes(self) -> W::Output {
        #[cfg(target_arch = "x86_64")]
        return self.0.walk(super::x86::Sse2);
        #[cfg(not(target_arch = "x86_64"))]
        self.0.walk(super::scalar::Scalar)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn avx2(self, proof: crate::dispatch::Avx2) -> W::Output {
        self.0.walk(proof)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn avx512(self, proof: crate::dispatch::Avx512) -> W::Output {
        self.0.walk(proof)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scalar::Scalar;
    use super::*;

    /// All that can be told of a text.
    struct Tell<'a> {
        text: &'a [u8],
        other: &'a [u8; WIDE],
        within: u64,
    }

    impl Walk for Tell<'_> {
        type Output = (bool, WideLook);

        #[inline(always)]
        fn walk<E: Eyes>(self, eyes: E) -> Self::Output {
            let blocks = Blocks::of(self.text);
            let block = blocks.at(0).expect("a text begins");
            let mut look = eyes.look(block);
            look.special &= look.special.wrapping_neg();
            (eyes.is_same(block, self.other, self.within), look)
        }
    }

    fn check(text: &[u8], other: &[u8; WIDE], within: u64) {
        let expected = Tell { text, other, within }.walk(Scalar);
        for set in InstructionSet::available() {
            let told = walk(set, Tell { text, other, within });
            assert_eq!(told, expected, "{} {text:?} {other:?} {within:x}", set.name());
        }
    }

    /// Every byte at every place, each with the whole text and with one that ends there.
    fn each_byte(mut each: impl FnMut(&[u8], &[u8; WIDE], u64)) {
        for byte in 0..=u8::MAX {
            for at in 0..WIDE {
                let mut text = [b'a'; WIDE];
                text[at] = byte;
                for within in [1 << at, !(1 << at)] {
                    each(&text, &[b'a'; WIDE], within);
                    each(&text[..at], &text, within);
                }
            }
        }
    }

    #[test]
    fn every_byte_at_every_place_is_told_as_the_scalar_version_tells_it() {
        for byte in 0..=u8::MAX {
            for at in 0..WIDE {
                let mut text = [b'a'; WIDE];
                text[at] = byte;
                let special = byte == b'"' || byte == b'\\' || byte < 0x20;
                let look = WideLook {
                    special: u64::from(special) << at,
                    is_rare: byte >= 0x80 || byte == b'@',
                };
                let tell = Tell { text: &text, other: &[b'a'; WIDE], within: 1 << at };
                assert_eq!(tell.walk(Scalar), (byte == b'a', look));
            }
        }
        each_byte(check);
    }

    /// Eyes with something wrong.
    #[derive(Clone, Copy, Debug)]
    enum Wrong {
        /// Take the last control character for none.
        Control,
        /// Take the first byte that is no ASCII for one.
        High,
        /// Do not compare the last byte.
        Last,
        /// Take the zeros behind the end for letters.
        Zero,
    }

    impl Eyes for Wrong {
        fn is_same(self, block: &[u8; WIDE], other: &[u8; WIDE], within: u64) -> bool {
            let within = if matches!(self, Self::Last) { within << 1 >> 1 } else { within };
            Scalar.is_same(block, other, within)
        }

        fn look(self, block: &[u8; WIDE]) -> WideLook {
            let told = |byte: u8| match self {
                Self::Control if byte == 0x1F => b'a',
                Self::High if byte == 0x80 => b'a',
                Self::Zero if byte == 0 => b'a',
                _ => byte,
            };
            Scalar.look(&block.map(told))
        }
    }

    #[test]
    fn wrong_eyes_are_found() {
        for wrong in [Wrong::Control, Wrong::High, Wrong::Last, Wrong::Zero] {
            let mut found = 0;
            each_byte(|text, other, within| {
                let tell = || Tell { text, other, within };
                found += usize::from(tell().walk(wrong) != tell().walk(Scalar));
            });
            assert!(found > 0, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn blocks_of_a_text_have_zeros_behind_it(text in prop::collection::vec(1_u8.., 0..200)) {
            let blocks = Blocks::of(&text);
            for at in 0..=text.len() {
                let expected: [u8; WIDE] =
                    std::array::from_fn(|nth| text.get(at + nth).copied().unwrap_or(0));
                prop_assert_eq!(blocks.at(at), Some(&expected));
            }
            prop_assert_eq!(blocks.at(text.len() + 1), None);
        }

        #[test]
        fn blocks_are_told_as_the_scalar_version_tells_them(
            text in prop::collection::vec(any::<u8>(), 0..80),
            changed in prop::option::of((0..WIDE, any::<u8>())),
            length in 0..=WIDE as u32,
        ) {
            let mut other = [0; WIDE];
            let first = text.len().min(WIDE);
            other[..first].copy_from_slice(&text[..first]);
            if let Some((at, byte)) = changed {
                other[at] = byte;
            }
            check(&text, &other, u64::MAX.checked_shr(WIDE as u32 - length).unwrap_or(0));
        }
    }
}
