//! The small parts of JSON that readers in a hurry look for: where a string and a number ends.

use turnwise_kernels::scan::{BLOCK, Blocks, Eyes, Look, WIDE, WideLook, below_lowest, look};

use crate::straight::are_digits;

/// A place in a text: of a string what stands between its quotes. One number, so that it travels in
/// a register: its first byte below, its length above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span(u64);

/// A string of a text, or a number, and what was seen of it: a span whose length has three marks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text(u64);

/// It is a number.
const NUMBER: u64 = 1 << 61;
/// The string holds escapes.
const ESCAPED: u64 = 1 << 62;
/// It holds bytes that are no ASCII, or an `@`.
const RARE: u64 = 1 << 63;
const _: () = assert!(turnwise_model::limits::RECORD_BYTES_MAX < 1 << 29);

impl Span {
    /// Its bytes in the text that it is of.
    #[inline(always)]
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        let (at, length) = (self.0 as u32 as usize, (self.0 >> 32) as usize);
        bytes.get(at..).and_then(|rest| rest.get(..length)).unwrap_or_default()
    }
}

impl Text {
    /// The `length` bytes with `rest` bytes of the text from them on.
    #[inline(always)]
    fn new(bytes: &[u8], rest: usize, length: usize) -> Self {
        Self::at(bytes.len() - rest, length)
    }

    /// The `length` bytes from a place on.
    #[inline(always)]
    fn at(at: usize, length: usize) -> Self {
        Self(at as u64 | (length as u64) << 32)
    }

    #[inline(always)]
    fn marked(self, mark: u64, is_so: bool) -> Self {
        Self(if is_so { self.0 | mark } else { self.0 })
    }

    #[inline(always)]
    pub(crate) fn span(self) -> Span {
        Span(self.0 & !(ESCAPED | RARE | NUMBER))
    }

    #[inline(always)]
    pub(crate) fn is_number(self) -> bool {
        self.0 & NUMBER != 0
    }

    #[inline(always)]
    pub(crate) fn is_escaped(self) -> bool {
        self.0 & ESCAPED != 0
    }

    #[inline(always)]
    pub(crate) fn is_rare(self) -> bool {
        self.0 & RARE != 0
    }

    /// Whether it is a string of ASCII without escapes and without an `@`.
    #[inline(always)]
    pub(crate) fn is_simple(self) -> bool {
        self.0 & (NUMBER | ESCAPED | RARE) == 0
    }

    /// Itself, with the marks of either.
    #[inline(always)]
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0 & (ESCAPED | RARE))
    }

    /// The eight bytes before its end, of whatever they are; 0 where there are fewer.
    #[inline(always)]
    pub(crate) fn last_eight(self, bytes: &[u8]) -> u64 {
        let before = bytes.get(..self.range().end).and_then(|before| before.last_chunk());
        before.map_or(0, |last| u64::from_le_bytes(*last))
    }

    /// How many bytes it has.
    #[inline(always)]
    pub(crate) fn length(self) -> usize {
        (self.span().0 >> 32) as usize
    }

    /// Where it begins and ends in its text.
    #[inline(always)]
    pub(super) fn range(self) -> std::ops::Range<usize> {
        let span = self.span().0;
        let at = span as u32 as usize;
        at..at + (span >> 32) as usize
    }
}

/// The last block of a text, what is left of it first and zeros behind: no JSON holds zeros.
#[inline(always)]
fn last_block(bytes: &[u8], rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; 2 * BLOCK];
    match bytes.last_chunk::<BLOCK>() {
        Some(last) => {
            // Two moves of whole blocks are faster than one of a few bytes.
            block[..BLOCK].copy_from_slice(last);
            let behind = block.get(BLOCK - rest.len().min(BLOCK)..);
            behind.and_then(|behind| behind.first_chunk()).copied().unwrap_or([0; BLOCK])
        }
        None => {
            block[..rest.len()].copy_from_slice(rest);
            block.first_chunk().copied().unwrap_or([0; BLOCK])
        }
    }
}

/// How long a string may well be: as long as the last one in its place, if strings there are all
/// of one length.
///
/// A string begins where the one before ended, so that each would wait for the one before to be
/// looked through. An expected length is known at once: a processor goes on with it while it still
/// checks that it is right.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expected {
    length: u32,
    /// How often it was wrong; then nothing is expected any more.
    wrong: u32,
}

/// Wrong expectations after which there are none.
const WRONG_MAX: u32 = 4;

impl Expected {
    /// The length that was found.
    #[inline(always)]
    fn or(&mut self, found: u32) -> u32 {
        if found == self.length {
            // The same number, but the compiler must not know: it would wait for the other one.
            return std::hint::black_box(self.length);
        }
        if self.wrong < WRONG_MAX {
            self.wrong += 1;
            self.length = if self.wrong == WRONG_MAX { u32::MAX } else { found };
        }
        found
    }
}

/// Reads a string; `rest` begins behind its opening quote and is moved behind the closing one.
#[inline(always)]
pub(super) fn string(bytes: &[u8], rest: &mut &[u8]) -> Option<Text> {
    let Look { special, rare } = match rest.first_chunk() {
        Some(block) => look(block),
        None => return long_string(bytes, rest),
    };
    let length = special.trailing_zeros() as usize;
    if rest.get(length) != Some(&b'"') {
        return long_string(bytes, rest);
    }
    let text = Text::new(bytes, rest.len(), length);
    let is_rare = u64::from(rare) & below_lowest(u64::from(special)) != 0;
    *rest = rest.get(length + 1..)?;
    Some(text.marked(RARE, is_rare))
}

/// The same with eyes, where it is known how long the string may well be; it begins at `at`, which is
/// moved behind it.
#[inline(always)]
pub(super) fn expected_string<E: Eyes>(
    eyes: E,
    blocks: &Blocks<'_>,
    at: &mut usize,
    expected: &mut Expected,
) -> Option<Text> {
    let (mut before, mut any_rare) = (0, false);
    let special = loop {
        // Behind the text there are zeros, which are special.
        let WideLook { special, is_rare } = eyes.look(blocks.at(*at + before)?);
        any_rare |= is_rare;
        if special != 0 {
            break special;
        }
        before += WIDE;
    };
    let length = expected.or(before as u32 + special.trailing_zeros()) as usize;
    let bytes = blocks.text();
    if bytes.get(*at + length) != Some(&b'"') {
        let mut rest = bytes.get(*at..)?;
        let text = long_string(bytes, &mut rest)?;
        *at = bytes.len() - rest.len();
        return Some(text);
    }
    let text = Text::at(*at, length);
    *at += length + 1;
    Some(text.marked(RARE, any_rare))
}

/// The same of a string that holds escapes, or is at the text's end.
#[inline(never)]
fn long_string(bytes: &[u8], rest: &mut &[u8]) -> Option<Text> {
    let start = *rest;
    let (mut inner, mut escaped, mut all_rare) = (start, false, 0);
    loop {
        let Look { special, rare } = match inner.first_chunk::<BLOCK>() {
            Some(block) => look(block),
            None => look(&last_block(bytes, inner)),
        };
        if special == 0 {
            all_rare |= u64::from(rare);
            // A block without zeros is one of the text.
            inner = inner.get(BLOCK..)?;
            continue;
        }
        all_rare |= u64::from(rare) & below_lowest(u64::from(special));
        inner = inner.get(special.trailing_zeros() as usize..)?;
        match inner.first()? {
            b'"' => break,
            b'\\' => {
                escaped = true;
                inner = inner.get(escape(inner)?..)?;
            }
            _ => return None,
        }
    }
    let text = Text::new(bytes, start.len(), start.len() - inner.len());
    *rest = &inner[1..];
    Some(text.marked(ESCAPED, escaped).marked(RARE, all_rare != 0))
}

/// How many bytes the escape takes that `rest` begins with.
fn escape(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => rest.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

/// Reads a number of any form; `rest` is moved behind it.
pub(super) fn number<'a>(bytes: &[u8], rest: &mut &'a [u8]) -> Option<Text> {
    let start = *rest;
    let mut inner = start.strip_prefix(b"-").unwrap_or(start);
    let digits = |inner: &mut &'a [u8]| {
        let length = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
        *inner = &inner[length..];
        length
    };
    let zero = inner.first() == Some(&b'0');
    let whole = digits(&mut inner);
    if whole == 0 || zero && whole > 1 {
        return None;
    }
    if let Some(b'.') = inner.first() {
        inner = &inner[1..];
        if digits(&mut inner) == 0 {
            return None;
        }
    }
    if let Some(b'e' | b'E') = inner.first() {
        inner = &inner[1..];
        if let Some(b'+' | b'-') = inner.first() {
            inner = &inner[1..];
        }
        if digits(&mut inner) == 0 {
            return None;
        }
    }
    *rest = inner;
    Some(Text::new(bytes, start.len(), start.len() - inner.len()).marked(NUMBER, true))
}

/// A number of one to eighteen digits.
#[inline]
pub(crate) fn whole(digits: &[u8]) -> Option<i64> {
    // Times have ten digits, or thirteen: eight at once, the few before one by one.
    let (rest, last) = match digits.split_last_chunk::<8>() {
        Some((rest, last)) => (rest, eight_digits(u64::from_le_bytes(*last))?),
        None => (digits, 0),
    };
    if rest.len() > 10 || digits.is_empty() {
        return None;
    }
    let first = rest.iter().try_fold(0_i64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + i64::from(digit))
    })?;
    Some(if rest.len() == digits.len() { first } else { first * 100_000_000 + last })
}

/// The number that eight digits are, the first in the lowest byte.
#[inline]
fn eight_digits(word: u64) -> Option<i64> {
    if !are_digits(word) {
        return None;
    }
    // Neighbours are joined: digits to pairs, pairs to fours, fours to all.
    let digits = word - 0x3030_3030_3030_3030;
    let pairs = (digits * 10 + (digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some(((fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_standard_library_reads_them() {
        let numbers = (0..18).flat_map(|power| {
            let ten = 10_i64.pow(power);
            [ten - 1, ten, ten + 1, ten / 7, ten * 9 / 8]
        });
        for number in numbers.filter(|number| *number < 10_i64.pow(18)) {
            for text in [number.to_string(), format!("{number:010}"), format!("{number:018}")] {
                assert_eq!(whole(text.as_bytes()), Some(number), "{text}");
                for at in 0..text.len() {
                    for bad in [b'/', b':', b'?', b' ', 0x80, b'@', b'J'] {
                        let mut text = text.clone().into_bytes();
                        text[at] = bad;
                        assert_eq!(whole(&text), None, "{text:?}");
                    }
                }
            }
        }
        assert_eq!(whole(b""), None);
        assert_eq!(whole(&[b'1'; 19]), None);
    }
}
