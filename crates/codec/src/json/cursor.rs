//! Reads a text from its beginning to its end, and writes down how it was laid out.

use super::layouts::VALUES_MAX;
use super::reader::{Field, Reader, UNUSUAL};
use super::scan::{self, Expected, Span, Text};
use crate::unknown::{Unknown, unknown};
use crate::utf8;

/// Containers inside each other that [`Cursor`] skips; fewer than the tape allows.
const SKIPPED_DEPTH_MAX: usize = 32;
const _: () = assert!(SKIPPED_DEPTH_MAX + 16 <= turnwise_model::limits::JSON_DEPTH_MAX);

/// Strings that every writer writes where nobody asks: parts of the layout, not values in it.
const WORDS: [&[u8]; 4] = [b"whatsapp_business_account", b"whatsapp", b"individual", b"accepted"];

/// What a reader did, as [`super::replay::Replay`] does it again. Fields stand for themselves, and so
/// do the numbers that names are known by.
pub(super) mod op {
    pub(in super::super) const END_OBJECT: u8 = 0;
    pub(in super::super) const TRUE: u8 = 32;
    pub(in super::super) const FALSE: u8 = 33;
    pub(in super::super) const ELEMENT: u8 = 34;
    pub(in super::super) const END_ARRAY: u8 = 35;
    /// Something was skipped; how many strings and numbers it holds follows.
    pub(in super::super) const SKIP: u8 = 36;
}

/// How a text is laid out: what was done with it, and where its strings and numbers stand.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(super) ops: Vec<u8>,
    /// How many there were when the last skip of an unknown field was among them.
    skipped_at: usize,
    /// Strings, and numbers; those that the layout tells left out.
    pub(super) values: Vec<(Text, bool)>,
    /// Fields that nobody knows.
    pub(crate) unknown: Vec<Unknown>,
}

/// Steps, strings and numbers, and fields that a trace keeps memory for between texts.
const TRACED_KEPT_MAX: usize = 64 << 10;

impl Trace {
    fn clear(&mut self) {
        let Self { ops, skipped_at, values, unknown } = self;
        *skipped_at = 0;
        ops.clear();
        ops.shrink_to(TRACED_KEPT_MAX);
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
        (self.rest.is_empty() && utf8::is_utf8(self.bytes)).then_some(())
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
        let text = scan::string(self.bytes, &mut self.rest, &mut Expected::default())?;
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
        scan::string(self.bytes, &mut self.rest, &mut Expected::default())
    }

    fn value_string(&mut self) -> Option<Text> {
        let text = self.any_string()?;
        self.note(text, false);
        Some(text)
    }

    fn skip_string(&mut self) -> Option<()> {
        let text = self.any_string()?;
        if !WORDS.contains(&text.span().of(self.bytes)) {
            self.note(text, false);
        }
        Some(())
    }

    fn value_number(&mut self) -> Option<Text> {
        self.peek();
        let text = scan::number(self.bytes, &mut self.rest)?;
        self.note(text, true);
        Some(text)
    }

    /// Notes a value for the layout: one more than a layout may have is enough to tell.
    #[inline(always)]
    fn note(&mut self, text: Text, is_number: bool) {
        if self.trace.values.len() <= VALUES_MAX {
            self.trace.values.push((text, is_number));
        }
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
            _ => self.value_number().map(drop),
        }
    }

    fn skip_key(&mut self) -> Option<()> {
        self.take(b'"')?;
        let text = scan::string(self.bytes, &mut self.rest, &mut Expected::default())?;
        self.trace.unknown.extend(unknown(text.span().of(self.bytes)));
        self.take(b':').filter(|()| !text.is_escaped())
    }

    /// Skips the value of a field that nobody asks for; fields behind each other are one skip.
    fn skip_unknown(&mut self) -> Option<()> {
        let before = self.trace.values.len();
        self.skip_value()?;
        let skipped = self.trace.values.len() - before;
        let Trace { ops, skipped_at, .. } = &mut *self.trace;
        let is_behind_one = ops.len() == *skipped_at;
        match ops.last_mut() {
            _ if skipped == 0 => {}
            Some(count) if is_behind_one => *count = count.saturating_add(few(skipped)),
            _ => {
                ops.extend([op::SKIP, few(skipped)]);
                *skipped_at = ops.len();
            }
        }
        Some(())
    }

    /// Skips a value with all that is in it; which kind of container is open is a bit.
    fn skip_value(&mut self) -> Option<()> {
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

/// A number of strings and numbers. What holds more is not laid out as anything before; see
/// [`VALUES_MAX`].
fn few(values: usize) -> u8 {
    u8::try_from(values).unwrap_or(u8::MAX)
}

impl<'a> Reader<'a> for Cursor<'a, '_> {
    fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline(always)]
    fn object(
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
                0 => self.skip_unknown()?,
                key => {
                    let before = met;
                    met |= 1 << key;
                    if met == before {
                        return None;
                    }
                    self.trace.ops.push(key);
                    field(self, key)?;
                }
            }
            goes_on = self.goes_on(b'}')?;
        }
        self.trace.ops.push(op::END_OBJECT);
        Some(())
    }

    #[inline(always)]
    fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        let mut goes_on = self.peek() != b']';
        if !goes_on {
            self.advance();
        }
        while goes_on {
            self.trace.ops.push(op::ELEMENT);
            element(self)?;
            goes_on = self.goes_on(b']')?;
        }
        self.trace.ops.push(op::END_ARRAY);
        Some(())
    }

    fn string(&mut self) -> Option<Text> {
        self.value_string()
    }

    fn named(&mut self, known: fn(&[u8]) -> Option<u8>) -> Option<u8> {
        let text = self.any_string().filter(|text| !text.is_escaped())?;
        let number = known(text.span().of(self.bytes))?;
        self.trace.ops.push(number);
        Some(number)
    }

    fn number_or_string(&mut self) -> Option<Text> {
        if self.peek() == b'"' { self.value_string() } else { self.value_number() }
    }

    fn number(&mut self) -> Option<Span> {
        self.value_number().map(|text| text.span())
    }

    fn boolean(&mut self) -> Option<bool> {
        let value = self.peek() == b't';
        self.trace.ops.push(if value { op::TRUE } else { op::FALSE });
        self.literal(if value { b"true" } else { b"false" }).map(|()| value)
    }

    fn skip(&mut self) -> Option<()> {
        let before = self.trace.values.len();
        self.skip_value()?;
        let skipped = self.trace.values.len() - before;
        self.trace.ops.extend([op::SKIP, few(skipped)]);
        Some(())
    }

    fn skip_object(&mut self) -> Option<()> {
        if self.peek() == b'{' { self.skip() } else { None }
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
