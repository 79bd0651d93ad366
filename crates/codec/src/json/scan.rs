//! The small parts of JSON that readers in a hurry look for: where a string and a number ends.

use turnwise_kernels::scan::{BLOCK, Look, look};

use crate::straight::are_digits;

/// A place in a text: of a string what stands between its quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(super) at: u32,
    pub(super) length: u32,
}

/// A string of a text, or a number, which is neither of both.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text {
    pub(crate) span: Span,
    /// It holds escapes.
    pub(crate) escaped: bool,
    /// It holds bytes that are no ASCII.
    pub(crate) high: bool,
}

impl Span {
    /// The place of `length` bytes with `rest` bytes of the text from them on. A record has far
    /// fewer than 2³² bytes.
    #[inline(always)]
    pub(super) fn new(bytes: &[u8], rest: usize, length: usize) -> Self {
        Self { at: (bytes.len() - rest) as u32, length: length as u32 }
    }

    /// Its bytes in the text that it is of.
    #[inline(always)]
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        let (at, length) = (self.at as usize, self.length as usize);
        bytes.get(at..).and_then(|rest| rest.get(..length)).unwrap_or_default()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.length == 0
    }
}

/// A block of what is left of a text, zeros behind its end: no text of JSON holds zeros.
#[inline(always)]
pub(super) fn block(rest: &[u8]) -> [u8; BLOCK] {
    match rest.first_chunk::<BLOCK>() {
        Some(block) => *block,
        None => last_block(rest),
    }
}

#[inline(never)]
fn last_block(rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block
}

/// Reads a string; `rest` begins behind its opening quote and is moved behind the closing one.
#[inline(always)]
pub(super) fn string(bytes: &[u8], rest: &mut &[u8]) -> Option<Text> {
    let Look { special, high } = match rest.first_chunk::<BLOCK>() {
        Some(block) => look(block),
        None => return long_string(bytes, rest),
    };
    let length = special.trailing_zeros() as usize;
    if rest.get(length) != Some(&b'"') || length >= BLOCK {
        return long_string(bytes, rest);
    }
    let text = Text {
        span: Span::new(bytes, rest.len(), length),
        escaped: false,
        high: high & below_lowest(special) != 0,
    };
    *rest = &rest[length + 1..];
    Some(text)
}

/// The bits below the lowest one.
#[inline(always)]
fn below_lowest(bits: u32) -> u32 {
    (bits & bits.wrapping_neg()).wrapping_sub(1)
}

/// The same of a string that is longer than a block, holds escapes, or is at the text's end.
#[inline(never)]
fn long_string(bytes: &[u8], rest: &mut &[u8]) -> Option<Text> {
    let start = *rest;
    let (mut inner, mut escaped, mut all_high) = (start, false, 0);
    loop {
        let Look { special, high } = look(&block(inner));
        if special == 0 {
            all_high |= high;
            // A block without zeros is one of the text.
            inner = inner.get(BLOCK..)?;
            continue;
        }
        all_high |= high & below_lowest(special);
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
    let span = Span::new(bytes, start.len(), start.len() - inner.len());
    *rest = &inner[1..];
    Some(Text { span, escaped, high: all_high != 0 })
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
    let span = Span::new(bytes, start.len(), start.len() - inner.len());
    *rest = inner;
    Some(Text { span, escaped: false, high: false })
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
