//! The JSON grammar as a loop over bytes with an explicit stack of open containers.

use turnwise_model::limits::JSON_DEPTH_MAX;

use super::{Kind, Node, scan};

/// Why a text is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// Not JSON.
    Invalid,
    /// More than `limits::JSON_DEPTH_MAX` containers inside each other.
    TooDeep,
}

/// Where and why a text is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub fault: JsonFault,
    /// The byte at which it was found.
    pub at: usize,
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// A value or the end of the array just opened.
    FirstValue,
    Key,
    /// A key or the end of the object just opened.
    FirstKey,
    /// A comma or the end of the open container; the end of the text if none is open.
    After,
}

/// Parses `text` into `nodes`; `open` is scratch.
pub(super) fn parse(
    text: &[u8],
    nodes: &mut Vec<Node>,
    open: &mut Vec<u32>,
) -> Result<(), JsonError> {
    let mut parser = Parser { text, at: 0 };
    let mut expect = Expect::Value;
    loop {
        parser.skip_space();
        let Some(&byte) = text.get(parser.at) else {
            return if expect == Expect::After && open.is_empty() {
                Ok(())
            } else {
                Err(parser.invalid())
            };
        };
        expect = match (expect, byte) {
            (Expect::Value | Expect::FirstValue, b'{' | b'[') => parser.open(byte, nodes, open)?,
            (Expect::FirstValue, b']') | (Expect::FirstKey, b'}') => {
                parser.close(byte, nodes, open)?
            }
            (Expect::Value | Expect::FirstValue, _) => {
                parser.scalar(byte, nodes)?;
                Expect::After
            }
            (Expect::Key | Expect::FirstKey, b'"') => {
                parser.string(nodes)?;
                parser.skip_space();
                if text.get(parser.at) != Some(&b':') {
                    return Err(parser.invalid());
                }
                parser.at += 1;
                Expect::Value
            }
            (Expect::After, b',') => {
                let Some(&container) = open.last() else { return Err(parser.invalid()) };
                parser.at += 1;
                match nodes[container as usize].kind {
                    Kind::Object => Expect::Key,
                    _ => Expect::Value,
                }
            }
            (Expect::After, b'}' | b']') => parser.close(byte, nodes, open)?,
            _ => return Err(parser.invalid()),
        };
    }
}

impl Parser<'_> {
    fn invalid(&self) -> JsonError {
        JsonError { fault: JsonFault::Invalid, at: self.at }
    }

    fn skip_space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn open(
        &mut self,
        byte: u8,
        nodes: &mut Vec<Node>,
        open: &mut Vec<u32>,
    ) -> Result<Expect, JsonError> {
        if open.len() >= JSON_DEPTH_MAX {
            return Err(JsonError { fault: JsonFault::TooDeep, at: self.at });
        }
        let (kind, expect) = match byte {
            b'{' => (Kind::Object, Expect::FirstKey),
            _ => (Kind::Array, Expect::FirstValue),
        };
        open.push(index(nodes.len()));
        let start = index(self.at);
        nodes.push(Node { kind, escaped: false, start, end: start, next: 0 });
        self.at += 1;
        Ok(expect)
    }

    fn close(
        &mut self,
        byte: u8,
        nodes: &mut [Node],
        open: &mut Vec<u32>,
    ) -> Result<Expect, JsonError> {
        let wanted = if byte == b'}' { Kind::Object } else { Kind::Array };
        let Some(container) = open.pop() else { return Err(self.invalid()) };
        let next = index(nodes.len());
        let node = &mut nodes[container as usize];
        if node.kind != wanted {
            return Err(self.invalid());
        }
        self.at += 1;
        node.end = index(self.at);
        node.next = next;
        Ok(Expect::After)
    }

    fn scalar(&mut self, byte: u8, nodes: &mut Vec<Node>) -> Result<(), JsonError> {
        match byte {
            b'"' => self.string(nodes),
            b'-' | b'0'..=b'9' => self.number(nodes),
            b't' => self.literal(b"true", Kind::True, nodes),
            b'f' => self.literal(b"false", Kind::False, nodes),
            b'n' => self.literal(b"null", Kind::Null, nodes),
            _ => Err(self.invalid()),
        }
    }

    fn push(&self, kind: Kind, escaped: bool, start: usize, end: usize, nodes: &mut Vec<Node>) {
        let next = index(nodes.len() + 1);
        nodes.push(Node { kind, escaped, start: index(start), end: index(end), next });
    }

    fn literal(&mut self, word: &[u8], kind: Kind, nodes: &mut Vec<Node>) -> Result<(), JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.invalid());
        }
        self.push(kind, false, self.at, self.at + word.len(), nodes);
        self.at += word.len();
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self, nodes: &mut Vec<Node>) -> Result<(), JsonError> {
        let start = self.at;
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let leading_zero = self.text.get(self.at) == Some(&b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(self.invalid());
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.invalid());
            }
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.invalid());
            }
        }
        self.push(Kind::Number, false, start, self.at, nodes);
        Ok(())
    }

    /// A string; the cursor stands on its opening quote. The text is UTF-8 as a whole, so only
    /// quotes, escapes and control characters matter.
    fn string(&mut self, nodes: &mut Vec<Node>) -> Result<(), JsonError> {
        self.at += 1;
        let start = self.at;
        let mut rest = self.text.get(start..).unwrap_or_default();
        let Some(text) = scan::string(self.text, &mut rest) else {
            return Err(self.broken_string());
        };
        self.at = self.text.len() - rest.len();
        self.push(Kind::String, text.is_escaped(), start, self.at - 1, nodes);
        Ok(())
    }

    /// Where a string is broken that the cursor stands in.
    #[cold]
    fn broken_string(&mut self) -> JsonError {
        while let Some(b'\\' | 0x20..) = self.text.get(self.at) {
            match self.text[self.at] {
                b'\\' => match self.escape() {
                    Ok(()) => {}
                    Err(error) => return error,
                },
                _ => self.at += 1,
            }
        }
        self.invalid()
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = self.text.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.invalid());
                }
                self.at += 6;
            }
            _ => return Err(self.invalid()),
        }
        Ok(())
    }
}

/// Records are shorter than 4 GiB by `limits::RECORD_BYTES_MAX`, and nodes are fewer than bytes.
fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

const _: () = assert!(turnwise_model::limits::RECORD_BYTES_MAX < u32::MAX as usize / 2);
