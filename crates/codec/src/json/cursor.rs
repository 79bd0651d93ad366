//! Reads a text from its beginning to its end, and writes down how it was laid out.
//!
//! Each method reads one thing and answers `None` where something else stands; then its reader gives
//! up and leaves the text to the tape. Nothing is accepted that the tape refuses.
//!
//! What was read in this way is the same of all texts of one layout ([`super::layouts`]): readers
//! get strings and numbers by their place among all, and look at none of them.

use super::layouts::Found;
use super::noted::Nth;
use super::scan::{self, Text};
use crate::unknown::{Unknown, unknown};
use turnwise_kernels::scan::is_utf8;

/// What a reader calls a key that it asks for: 1 to 30.
pub(crate) type Field = u8;
/// A key that ends the straight way.
pub(crate) const UNUSUAL: Field = 31;

/// Containers inside each other that [`Cursor`] skips; fewer than the tape allows.
const SKIPPED_DEPTH_MAX: usize = 32;
const _: () = assert!(SKIPPED_DEPTH_MAX + 16 <= turnwise_model::limits::JSON_DEPTH_MAX);

/// Strings that every writer writes where nobody asks: parts of the layout, not values in it.
const WORDS: [&[u8]; 4] = [b"whatsapp_business_account", b"whatsapp", b"individual", b"accepted"];

/// How a text is laid out: where its strings and numbers stand.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Strings, and numbers; those that the layout tells left out.
    pub(crate) values: Vec<Text>,
    /// Fields that nobody knows.
    pub(crate) unknown: Vec<Unknown>,
}

/// Strings and numbers, and fields that a trace keeps memory for between texts.
const TRACED_KEPT_MAX: usize = 64 << 10;

/// Part of a text: where it begins, and what of a trace stands before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(super) at: usize,
    pub(super) values: usize,
    pub(super) unknown: usize,
}

impl Mark {
    /// How many values were noted before.
    pub(crate) fn values(self) -> usize {
        self.values
    }
}

impl Trace {
    /// Forgets a text, and gives the memory of a huge one back.
    pub(crate) fn clear(&mut self) {
        let Self { values, unknown } = self;
        values.clear();
        values.shrink_to(TRACED_KEPT_MAX);
        unknown.clear();
        unknown.shrink_to(TRACED_KEPT_MAX);
    }
}

/// A text that is being read.
#[derive(Debug)]
pub(crate) struct Cursor<'a, 't> {
    bytes: &'a [u8],
    rest: &'a [u8],
    trace: &'t mut Trace,
}

impl<'a, 't> Cursor<'a, 't> {
    /// What is read is noted in `trace`.
    pub(crate) fn new(bytes: &'a [u8], trace: &'t mut Trace) -> Self {
        trace.clear();
        Self { bytes, rest: bytes, trace }
    }

    /// Whether nothing but white space is left, and the text is UTF-8.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.peek();
        // Without strings that hold other bytes than ASCII there are none: see the grammar. Keys
        // are not noted, so the whole text is asked.
        (self.rest.is_empty() && is_utf8(self.bytes)).then_some(())
    }

    /// All of the text.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the next value begins.
    pub(crate) fn mark_next(&mut self) -> Mark {
        self.peek();
        self.mark()
    }

    /// Where it stands; behind a value that was just read that is its end.
    pub(crate) fn mark(&self) -> Mark {
        let at = self.bytes.len() - self.rest.len();
        Mark { at, values: self.trace.values.len(), unknown: self.trace.unknown.len() }
    }

    /// Passes over a part that a known layout was found to be of, beginning here.
    pub(crate) fn pass<P>(&mut self, found: &Found<'_, P>) -> Option<()> {
        let Trace { values, unknown } = &mut *self.trace;
        Nth::of(values.len() + found.values.len())?;
        values.extend_from_slice(found.values);
        unknown.extend_from_slice(found.unknown);
        self.rest = self.bytes.get(found.to..)?;
        Some(())
    }

    /// An object. `name` tells which field a key is, 0 for those that nobody asks for; `field` reads
    /// the value of a field. Each field may occur once, other keys any number of times.
    #[inline(always)]
    pub(crate) fn object(
        &mut self,
        name: fn(&[u8]) -> Field,
        mut field: impl FnMut(&mut Self, Field) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        let mut met = 0_u32;
        let mut goes_on = self.peek() != b'}';
        if !goes_on {
            self.advance();
        }
        while goes_on {
            match self.key(name)? {
                0 => self.skip()?,
                key => {
                    let before = met;
                    met |= 1 << key;
                    if met == before {
                        return None;
                    }
                    field(self, key)?;
                }
            }
            goes_on = self.goes_on(b'}')?;
        }
        Some(())
    }

    /// An array; `element` reads each element.
    #[inline(always)]
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        let mut goes_on = self.peek() != b']';
        if !goes_on {
            self.advance();
        }
        while goes_on {
            element(self)?;
            goes_on = self.goes_on(b']')?;
        }
        Some(())
    }

    /// A string.
    pub(crate) fn string(&mut self) -> Option<Nth> {
        let text = self.any_string()?;
        self.note(text)
    }

    /// A number.
    pub(crate) fn number(&mut self) -> Option<Nth> {
        let text = self.any_number()?;
        self.note(text)
    }

    /// A number, or a string.
    pub(crate) fn number_or_string(&mut self) -> Option<Nth> {
        if self.peek() == b'"' { self.string() } else { self.number() }
    }

    /// A string without escapes that one of a closed list is named by, exactly; `known` tells a
    /// number for it. Texts with other names there are other layouts.
    pub(crate) fn named(&mut self, known: fn(&[u8]) -> Option<u8>) -> Option<u8> {
        let text = self.any_string().filter(|text| !text.is_escaped())?;
        known(text.span().of(self.bytes))
    }

    /// `true` or `false`, which are other layouts.
    pub(crate) fn boolean(&mut self) -> Option<bool> {
        let value = self.peek() == b't';
        self.literal(if value { b"true" } else { b"false" }).map(|()| value)
    }

    /// An object with whatever is in it.
    pub(crate) fn skip_object(&mut self) -> Option<()> {
        if self.peek() == b'{' { self.skip() } else { None }
    }

    /// The same of one that has keys.
    pub(crate) fn skip_filled_object(&mut self) -> Option<()> {
        self.peek();
        let inside = self.rest.strip_prefix(b"{")?.trim_ascii_start();
        if inside.first() == Some(&b'}') { None } else { self.skip() }
    }

    /// The next byte, white space skipped; 0 at the end.
    #[inline(always)]
    fn peek(&mut self) -> u8 {
        match self.rest.first() {
            Some(&byte) if byte > b' ' => byte,
            _ => self.peek_behind_space(),
        }
    }

    #[inline(never)]
    fn peek_behind_space(&mut self) -> u8 {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied().unwrap_or(0)
    }

    fn advance(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// Takes one byte, white space before it skipped.
    #[inline(always)]
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.advance())
    }

    /// Behind a value in a container: whether another follows, or the container ends.
    #[inline(always)]
    fn goes_on(&mut self, close: u8) -> Option<bool> {
        let byte = self.peek();
        let goes_on = byte == b',';
        (goes_on || byte == close).then(|| {
            self.advance();
            goes_on
        })
    }

    /// A key and its colon; none with escapes, whose names are not as they stand.
    #[inline(never)]
    fn key(&mut self, name: fn(&[u8]) -> Field) -> Option<Field> {
        self.take(b'"')?;
        let text = scan::string(self.bytes, &mut self.rest)?;
        self.take(b':')?;
        let key = text.span().of(self.bytes);
        let field = name(key);
        if field == 0 {
            self.trace.unknown.extend(unknown(key));
        }
        (!text.is_escaped() && field != UNUSUAL).then_some(field)
    }

    #[inline(never)]
    fn any_string(&mut self) -> Option<Text> {
        self.take(b'"')?;
        scan::string(self.bytes, &mut self.rest)
    }

    fn skip_string(&mut self) -> Option<()> {
        let text = self.any_string()?;
        if !WORDS.contains(&text.span().of(self.bytes)) {
            self.note(text)?;
        }
        Some(())
    }

    fn any_number(&mut self) -> Option<Text> {
        self.peek();
        scan::number(self.bytes, &mut self.rest)
    }

    /// Notes a value, asked for or not.
    #[inline(always)]
    fn note(&mut self, text: Text) -> Option<Nth> {
        let nth = Nth::of(self.trace.values.len())?;
        self.trace.values.push(text);
        Some(nth)
    }

    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// Skips what is no container.
    fn skip_scalar(&mut self) -> Option<()> {
        match self.peek() {
            b'"' => self.skip_string(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => {
                let number = self.any_number()?;
                self.note(number).map(drop)
            }
        }
    }

    fn skip_key(&mut self) -> Option<()> {
        self.take(b'"')?;
        let text = scan::string(self.bytes, &mut self.rest)?;
        self.trace.unknown.extend(unknown(text.span().of(self.bytes)));
        self.take(b':').filter(|()| !text.is_escaped())
    }

    /// A value of any kind, unless it is nested very deep; which kind of container is open is a bit.
    pub(crate) fn skip(&mut self) -> Option<()> {
        let mut objects = 0_u64;
        let mut depth = 0;
        loop {
            // A value, or the end of the container just opened.
            match self.peek() {
                open @ (b'{' | b'[') => {
                    if depth == SKIPPED_DEPTH_MAX {
                        return None;
                    }
                    self.advance();
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
                _ => self.skip_scalar()?,
            }
            // Behind a value: its container goes on or ends, and so may the one around it.
            loop {
                if depth == 0 {
                    return Some(());
                }
                match (self.peek(), objects & 1) {
                    (b',', in_object) => {
                        self.advance();
                        if in_object == 1 {
                            self.skip_key()?;
                        }
                        break;
                    }
                    (b'}', 1) | (b']', 0) => {
                        self.advance();
                        depth -= 1;
                        objects >>= 1;
                    }
                    _ => return None,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the cursor skips all of a text.
    fn skips(text: &[u8]) -> bool {
        let mut trace = Trace::default();
        let mut cursor = Cursor::new(text, &mut trace);
        cursor.skip().and_then(|()| cursor.end()).is_some()
    }

    #[test]
    fn object_without_keys_is_not_filled() {
        for (text, is_filled) in [
            ("{\"a\":1}", true),
            (" {\n\"a\" : {} } ", true),
            ("{}", false),
            (" { \n}", false),
            ("[1]", false),
            ("", false),
        ] {
            let mut trace = Trace::default();
            let mut cursor = Cursor::new(text.as_bytes(), &mut trace);
            let read = cursor.skip_filled_object().and_then(|()| cursor.end());
            assert_eq!(read.is_some(), is_filled, "{text}");
        }
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
