//! Reading the tape: a value is a place on it.

use std::borrow::Cow;

use super::Node;
use crate::work;

/// What a JSON value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true`.
    True,
    /// `false`.
    False,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A value in a parsed text. Its `Debug` shows no content.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub(super) tape: &'a [Node],
    pub(super) text: &'a str,
    pub(super) at: u32,
}

/// Bytes of the longest escape.
const ESCAPE_BYTES: usize = 6;

/// The elements of an array, or the one value that stands where an array was meant.
#[derive(Clone)]
pub struct Items<'a> {
    next: Value<'a>,
    end: u32,
}

impl Kind {
    /// The type's name as it appears in the detail of a dead letter.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::True | Self::False => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.kind().name())
    }
}

impl<'a> Value<'a> {
    fn node(self) -> Node {
        self.tape[self.at as usize]
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its bytes as they arrived, a string without its quotes.
    #[must_use]
    pub fn raw(self) -> &'a str {
        let node = self.node();
        self.text.get(node.start as usize..node.end as usize).unwrap_or_default()
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Whether it is an object without keys.
    pub(crate) fn is_hollow(self) -> bool {
        self.is_object() && self.node().next == self.at + 1
    }

    /// Whether it is an object with one key.
    pub(crate) fn has_one_key(self) -> bool {
        // A key and its value follow the object itself.
        self.is_object()
            && !self.is_hollow()
            && Value { at: self.at + 2, ..self }.node().next == self.node().next
    }

    /// The value of a key that is there and not null; of a repeated key the last.
    /// `None` where this is no object.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        self.get_or_null(key).filter(|value| value.kind() != Kind::Null)
    }

    /// The value of a key, even null.
    #[must_use]
    pub fn get_or_null(self, key: &str) -> Option<Value<'a>> {
        let node = self.node();
        if node.kind != Kind::Object {
            return None;
        }
        let mut found = None;
        let mut at = self.at + 1;
        while at < node.next {
            work::step(1);
            let name = Value { at, ..self };
            let value = Value { at: at + 1, ..self };
            if name.is_key(key) {
                found = Some(value);
            }
            at = value.node().next;
        }
        found
    }

    /// The keys and values of an object, in their order; anything else has none.
    pub(crate) fn members(self) -> impl Iterator<Item = (Value<'a>, Value<'a>)> {
        let node = self.node();
        let end = if node.kind == Kind::Object { node.next } else { self.at };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let (name, value) = (Value { at, ..self }, Value { at: at + 1, ..self });
                at = value.node().next;
                (name, value)
            })
        })
    }

    /// The value at a path of keys.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Value<'a>> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The keys of all objects in it, in their order.
    pub(crate) fn each_key(self, mut each: impl FnMut(&str)) {
        let mut at = self.at;
        let end = self.node().next;
        // Where each open object ends; what is in an array is no key.
        let mut open: Vec<(u32, bool)> = Vec::new();
        while at < end {
            while open.last().is_some_and(|(end, _)| at >= *end) {
                open.pop();
            }
            if let Some((_, true)) = open.last() {
                let name = Value { at, ..self };
                each(&name.string().unwrap_or_default());
                at += 1;
            }
            let node = Value { at, ..self }.node();
            if matches!(node.kind, Kind::Object | Kind::Array) {
                open.push((node.next, node.kind == Kind::Object));
            }
            at += 1;
        }
    }

    /// Whether it is the string `expected`.
    #[inline]
    pub(crate) fn is_key(self, expected: &str) -> bool {
        let Node { escaped, start, end, .. } = self.node();
        if escaped {
            return self.is_escaped_key(expected);
        }
        let length = (end - start) as usize;
        length == expected.len()
            && self.text.as_bytes().get(start as usize..end as usize) == Some(expected.as_bytes())
    }

    #[inline(never)]
    fn is_escaped_key(self, expected: &str) -> bool {
        // A letter takes at most six bytes for each of its own: longer ones are not unescaped.
        let raw = self.raw();
        raw.len() <= ESCAPE_BYTES * expected.len() && unescape(raw) == expected
    }

    /// The content of a string.
    #[must_use]
    pub fn string(self) -> Option<Cow<'a, str>> {
        let node = self.node();
        (node.kind == Kind::String).then(|| {
            if node.escaped { Cow::Owned(unescape(self.raw())) } else { Cow::Borrowed(self.raw()) }
        })
    }

    /// The elements of an array; any other value stands as the only element.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        let node = self.node();
        match node.kind {
            Kind::Array => Items { next: Value { at: self.at + 1, ..self }, end: node.next },
            _ => Items { next: self, end: node.next },
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.next.at >= self.end {
            return None;
        }
        let value = self.next;
        self.next.at = value.node().next;
        Some(value)
    }
}

/// Resolves the escapes of a string whose grammar was checked. A lone surrogate is U+FFFD.
fn unescape(raw: &str) -> String {
    work::step(raw.len());
    let mut text = String::with_capacity(raw.len());
    unescape_into(raw, &mut text);
    text
}

/// The same, behind what `text` holds.
pub(crate) fn unescape_into(raw: &str, text: &mut String) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (letter, skip) = match rest.as_bytes().first() {
            Some(b'b') => ('\u{8}', 1),
            Some(b'f') => ('\u{c}', 1),
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b't') => ('\t', 1),
            Some(b'u') => unicode(rest),
            Some(&other) => (char::from(other), 1),
            None => return,
        };
        text.push(letter);
        rest = rest.get(skip..).unwrap_or_default();
    }
    text.push_str(rest);
}

/// `rest` begins at the `u` of an escape: its letter, and how many bytes it takes.
fn unicode(rest: &str) -> (char, usize) {
    let unit = |from: usize| {
        rest.get(from..from + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    match unit(1) {
        Some(high @ 0xD800..=0xDBFF) if rest.get(5..7) == Some("\\u") => match unit(7) {
            Some(low @ 0xDC00..=0xDFFF) => {
                let scalar = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
            }
            _ => (char::REPLACEMENT_CHARACTER, 5),
        },
        Some(unit) => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 5),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}
