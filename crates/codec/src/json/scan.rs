//! A cursor over JSON text for readers who know what they expect.
//!
//! Each method reads one thing and answers `None` where something else stands; then its reader
//! gives up and leaves the text to the tape. The cursor accepts no text that the tape refuses.
//! Bytes that are no ASCII are only noted: [`Cursor::end`] asks once whether the text is UTF-8.
//!
//! Two things make it fast. Where a string ends is asked of a kernel that looks at 32 bytes at a
//! time. And writers put the keys of an object in the same order again and again, so that the key
//! that followed last time is compared first ([`Guesses`]): one comparison instead of finding its
//! end and choosing among all names. A wrong guess costs no more than that comparison.

use turnwise_kernels::scan::{self, BLOCK, Look};

use crate::straight::are_digits;
use crate::utf8;

/// Containers inside each other that [`Cursor::skip`] follows; fewer than the tape allows.
const SKIPPED_DEPTH_MAX: usize = 32;
const _: () = assert!(SKIPPED_DEPTH_MAX + 16 <= turnwise_model::limits::JSON_DEPTH_MAX);

/// What a reader calls a key that it asks for: 1 to 22.
pub(crate) type Field = u8;
/// A key that ends the straight way.
pub(crate) const UNUSUAL: Field = 23;
/// A key that nobody asks for; it and those above, told apart by their letters.
pub(crate) const UNKNOWN: Field = 24;
/// Before the first key.
const START: Field = 0;
const FIELDS: usize = 32;

/// A kind of objects whose keys are guessed.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// Below [`KINDS`], and no other kind's.
    pub(crate) number: usize,
    /// Which field a key is; 0 for those that nobody asks for.
    pub(crate) field: fn(&[u8]) -> Field,
}

/// Kinds at most.
pub(crate) const KINDS: usize = 24;

/// The key that is expected, as it is written: quotes, letters, colon.
#[derive(Clone, Copy, Debug)]
struct Guess {
    words: [u64; 4],
    masks: [u64; 4],
    length: u8,
    field: Field,
}

/// The key that followed each key last time, for each kind of object.
#[derive(Debug)]
pub(crate) struct Guesses(Box<[[Guess; FIELDS]; KINDS]>);

/// A place in a text: of a string what stands between its quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    at: u32,
    length: u32,
}

/// A string of a text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text {
    pub(crate) span: Span,
    /// It holds escapes.
    pub(crate) escaped: bool,
    /// It holds bytes that are no ASCII.
    pub(crate) high: bool,
}

/// A text that is being read.
#[derive(Debug)]
pub(crate) struct Cursor<'a, 'g> {
    bytes: &'a [u8],
    at: usize,
    /// Whether a string so far holds bytes that are no ASCII.
    seen_high: bool,
    guesses: &'g mut Guesses,
}

impl Default for Guesses {
    fn default() -> Self {
        // No text holds such bytes.
        let none = Guess { words: [u64::MAX; 4], masks: [u64::MAX; 4], length: 0, field: UNUSUAL };
        Self(Box::new([[none; FIELDS]; KINDS]))
    }
}

impl Guess {
    /// Whether a block begins with the key.
    #[inline(always)]
    fn is_right(&self, block: &[u8; BLOCK]) -> bool {
        let words = block.as_chunks::<8>().0;
        let differs = |at: usize| (u64::from_le_bytes(words[at]) ^ self.words[at]) & self.masks[at];
        differs(0) | differs(1) == 0 && (self.length <= 16 || differs(2) | differs(3) == 0)
    }

    /// A guess at `literal`, if it is short enough.
    fn of(literal: &[u8], field: Field) -> Option<Self> {
        let (mut bytes, mut mask) = ([0; BLOCK], [0; BLOCK]);
        bytes.get_mut(..literal.len())?.copy_from_slice(literal);
        mask.get_mut(..literal.len())?.fill(0xFF);
        let words = |block: &[u8; BLOCK]| {
            let words = block.as_chunks::<8>().0;
            std::array::from_fn(|at| u64::from_le_bytes(words[at]))
        };
        let length = u8::try_from(literal.len()).ok()?;
        Some(Self { words: words(&bytes), masks: words(&mask), length, field })
    }
}

impl Span {
    /// Its bytes in the text that it is of.
    #[inline]
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        let (at, length) = (self.at as usize, self.length as usize);
        bytes.get(at..).and_then(|rest| rest.get(..length)).unwrap_or_default()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.length == 0
    }
}

impl<'a, 'g> Cursor<'a, 'g> {
    /// A record has far fewer than 2³² bytes.
    pub(crate) fn new(bytes: &'a [u8], guesses: &'g mut Guesses) -> Self {
        Self { bytes, at: 0, seen_high: false, guesses }
    }

    /// All of the text.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether nothing but white space is left, and the text is UTF-8.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.space();
        let is_text = !self.seen_high || utf8::is_utf8(self.bytes);
        (self.at == self.bytes.len() && is_text).then_some(())
    }

    /// The next byte, white space skipped; 0 at the end.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> u8 {
        match self.bytes.get(self.at) {
            Some(&byte) if byte > b' ' => byte,
            _ => self.peek_behind_space(),
        }
    }

    #[inline(never)]
    fn peek_behind_space(&mut self) -> u8 {
        self.space();
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes one byte, white space before it skipped.
    #[inline(always)]
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    /// Behind a value in a container: whether another follows, or the container ends.
    #[inline(always)]
    fn goes_on(&mut self, close: u8) -> Option<bool> {
        let byte = self.peek();
        let goes_on = byte == b',';
        (goes_on || byte == close).then(|| {
            self.at += 1;
            goes_on
        })
    }

    /// An object of a kind; `field` reads the value of a field. Each field may occur once, keys that
    /// nobody asks for any number of times.
    #[inline(always)]
    pub(crate) fn object(
        &mut self,
        kind: &Kind,
        mut field: impl FnMut(&mut Self, Field) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        if self.peek() == b'}' {
            self.at += 1;
            return Some(());
        }
        let (mut key, mut met) = (START, 0_u32);
        loop {
            key = self.key(kind, key)?;
            if key < UNKNOWN {
                let before = met;
                met |= 1 << key;
                if met == before {
                    return None;
                }
                field(self, key)?;
            } else {
                self.skip()?;
            }
            if !self.goes_on(b'}')? {
                return Some(());
            }
        }
    }

    /// An array; `element` reads each element.
    #[inline(always)]
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.peek() == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            element(self)?;
            if !self.goes_on(b']')? {
                return Some(());
            }
        }
    }

    /// A key and its colon.
    #[inline(always)]
    fn key(&mut self, kind: &Kind, previous: Field) -> Option<Field> {
        let guess = &self.guesses.0[kind.number % KINDS][usize::from(previous) % FIELDS];
        match self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
            Some(block) if guess.is_right(block) => {
                self.at += usize::from(guess.length);
                Some(guess.field)
            }
            _ => self.unguessed_key(kind, previous),
        }
    }

    #[inline(never)]
    fn unguessed_key(&mut self, kind: &Kind, previous: Field) -> Option<Field> {
        self.peek();
        let start = self.at;
        let text = self.string()?;
        if text.escaped {
            return None;
        }
        let letters = text.span.of(self.bytes);
        let field = match (kind.field)(letters) {
            0 => UNKNOWN + letters.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) % 8,
            field => field,
        };
        let colon = self.at;
        self.take(b':')?;
        if field == UNUSUAL {
            return None;
        }
        // With white space before the colon it is written in another way.
        if self.at == colon + 1
            && let Some(guess) = Guess::of(&self.bytes[start..self.at], field)
        {
            self.guesses.0[kind.number % KINDS][usize::from(previous) % FIELDS] = guess;
        }
        Some(field)
    }

    /// A string.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Option<Text> {
        self.take(b'"')?;
        self.string_rest()
    }

    /// A string without escapes.
    #[inline(always)]
    pub(crate) fn plain(&mut self) -> Option<Text> {
        let text = self.string()?;
        (!text.escaped).then_some(text)
    }

    /// A string; the cursor stands behind its opening quote.
    #[inline(always)]
    fn string_rest(&mut self) -> Option<Text> {
        let start = self.at;
        if let Some(block) = self.bytes.get(start..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
            let Look { special, high } = scan::look(block);
            if special != 0 {
                let length = special.trailing_zeros();
                if self.bytes.get(start + length as usize) == Some(&b'"') {
                    // The bits below the quote's.
                    let high = high & (special & special.wrapping_neg()).wrapping_sub(1) != 0;
                    self.seen_high |= high;
                    self.at = start + length as usize + 1;
                    let span = Span { at: start as u32, length };
                    return Some(Text { span, escaped: false, high });
                }
            }
        }
        self.long_string(start)
    }

    /// The same of a string that is longer than a block, holds escapes, or is at the text's end.
    #[inline(never)]
    fn long_string(&mut self, start: usize) -> Option<Text> {
        let (mut at, mut escaped, mut all_high) = (start, false, 0);
        loop {
            let rest = self.bytes.get(at..)?;
            let Look { special, high } = match rest.first_chunk::<BLOCK>() {
                Some(block) => scan::look(block),
                None => {
                    // Zeros behind the text's end are no letters of a string.
                    let mut block = [0; BLOCK];
                    block[..rest.len()].copy_from_slice(rest);
                    scan::look(&block)
                }
            };
            if special == 0 {
                all_high |= high;
                at += BLOCK;
                continue;
            }
            all_high |= high & (special & special.wrapping_neg()).wrapping_sub(1);
            at += special.trailing_zeros() as usize;
            match self.bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    at += escape(self.bytes.get(at..)?)?;
                }
                _ => return None,
            }
        }
        self.at = at + 1;
        let high = all_high != 0;
        self.seen_high |= high;
        let span = Span { at: start as u32, length: (at - start) as u32 };
        Some(Text { span, escaped, high })
    }

    /// A whole number without sign, fraction or exponent, of up to eighteen digits.
    #[inline]
    pub(crate) fn digits(&mut self) -> Option<i64> {
        self.peek();
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = whole(rest.get(..length)?)?;
        if rest[0] == b'0' && length > 1 {
            return None;
        }
        self.at += length;
        Some(number)
    }

    /// A literal.
    #[inline]
    pub(crate) fn literal<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        self.peek();
        self.bytes.get(self.at..)?.starts_with(literal).then(|| self.at += N)
    }

    /// Skips a value of any kind, unless it is nested very deep.
    #[inline(always)]
    pub(crate) fn skip(&mut self) -> Option<()> {
        match self.peek() {
            b'"' => {
                self.at += 1;
                self.string_rest().map(drop)
            }
            b'{' | b'[' => self.skip_container(),
            _ => self.skip_scalar(),
        }
    }

    #[inline(never)]
    fn skip_scalar(&mut self) -> Option<()> {
        match self.peek() {
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            b'"' => self.string().map(drop),
            _ => self.skip_number(),
        }
    }

    fn skip_number(&mut self) -> Option<()> {
        let digits = |cursor: &mut Self| {
            let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            cursor.at += length;
            length
        };
        let next = |cursor: &Self| cursor.bytes.get(cursor.at).copied().unwrap_or(0);
        if next(self) == b'-' {
            self.at += 1;
        }
        let zero = next(self) == b'0';
        let whole = digits(self);
        if whole == 0 || zero && whole > 1 {
            return None;
        }
        if next(self) == b'.' {
            self.at += 1;
            if digits(self) == 0 {
                return None;
            }
        }
        if matches!(next(self), b'e' | b'E') {
            self.at += 1;
            if matches!(next(self), b'+' | b'-') {
                self.at += 1;
            }
            if digits(self) == 0 {
                return None;
            }
        }
        Some(())
    }

    /// Skips an object or array with all that is in it; which of both is open is a bit.
    #[inline(never)]
    fn skip_container(&mut self) -> Option<()> {
        let mut objects = 0_u64;
        let mut depth = 0;
        loop {
            // A value, or the end of the container just opened.
            match self.peek() {
                open @ (b'{' | b'[') => {
                    if depth == SKIPPED_DEPTH_MAX {
                        return None;
                    }
                    self.at += 1;
                    depth += 1;
                    objects = objects << 1 | u64::from(open == b'{');
                    let close = if open == b'{' { b'}' } else { b']' };
                    if self.peek() != close {
                        if open == b'{' {
                            self.skip_key()?;
                        }
                        continue;
                    }
                }
                b'"' => self.string().map(drop)?,
                _ => self.skip_scalar()?,
            }
            // Behind a value: its container goes on or ends, and so may the one around it.
            loop {
                match (self.peek(), objects & 1) {
                    (b',', in_object) => {
                        self.at += 1;
                        if in_object == 1 {
                            self.skip_key()?;
                        }
                        break;
                    }
                    (b'}', 1) | (b']', 0) => {
                        self.at += 1;
                        depth -= 1;
                        objects >>= 1;
                        if depth == 0 {
                            return Some(());
                        }
                    }
                    _ => return None,
                }
            }
        }
    }

    fn skip_key(&mut self) -> Option<()> {
        self.string()?;
        self.take(b':')
    }
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

/// How many bytes the escape takes that `rest` begins with.
#[inline]
fn escape(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => rest.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
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

    /// Whether the cursor skips all of a text.
    fn skips(text: &[u8]) -> bool {
        let mut guesses = Guesses::default();
        let mut cursor = Cursor::new(text, &mut guesses);
        cursor.skip().and_then(|()| cursor.end()).is_some()
    }

    #[test]
    fn what_is_skipped_is_json() {
        for text in [
            "null",
            " true ",
            "-0.5e+3",
            "[]",
            "{}",
            "[1,[],{},\"\"]",
            "{\"a\":{\"b\":[{}]}}",
            "\"é\\u00e9\"",
            "\"0123456789012345678901234567890\"",
            "\"01234567890123456789012345678901\"",
        ] {
            assert!(skips(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "nul",
            "tru",
            "01",
            "1.",
            "1e",
            "-",
            "[1,]",
            "[,]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "[1}",
            "{\"a\":1]",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "1 1",
            "[",
            "{",
            "[[]",
            "\u{e9}",
        ] {
            assert!(!skips(text.as_bytes()), "{text}");
        }
        assert!(!skips(b"\"\xff\"") && !skips(b"\"0123456789012345678901234567890123\x80\""));
        let deep = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(skips(&deep(SKIPPED_DEPTH_MAX)) && !skips(&deep(SKIPPED_DEPTH_MAX + 1)));
    }
}
