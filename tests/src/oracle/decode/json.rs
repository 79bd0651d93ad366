//! JSON as a tree that remembers the bytes of every value, by plain recursion.
//!
//! An item without an id takes its pseudonym from its own bytes as they arrived, so a tree alone
//! does not do. Grammar: RFC 8259, but a lone surrogate escape reads as U+FFFD, and a number may
//! be of any size.

use turnwise_model::limits::JSON_DEPTH_MAX;

/// A value and its bytes as they arrived.
#[derive(Clone, Debug)]
pub struct Json<'a> {
    /// What it is.
    pub node: Node<'a>,
    /// Its bytes, a string with its quotes.
    pub raw: &'a str,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Node<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written.
    Number,
    /// A string, its escapes resolved.
    Text(String),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object's pairs in order.
    Object(Vec<(String, Json<'a>)>),
}

/// Why a text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// At this byte, about, it stops being JSON.
    Invalid(usize),
    /// More containers inside each other than the limit.
    TooDeep(usize),
}

impl<'a> Json<'a> {
    /// The name of its type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.node {
            Node::Null => "null",
            Node::Bool(_) => "boolean",
            Node::Number => "number",
            Node::Text(_) => "string",
            Node::Array(_) => "array",
            Node::Object(_) => "object",
        }
    }

    /// How many bytes it has; of a string its content's.
    #[must_use]
    pub fn bytes(&self) -> usize {
        if matches!(self.node, Node::Text(_)) { self.raw.len() - 2 } else { self.raw.len() }
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self.node, Node::Object(_))
    }

    /// The value of a key, also null; of two equal keys the last.
    #[must_use]
    pub fn get_or_null(&self, key: &str) -> Option<&Json<'a>> {
        let Node::Object(pairs) = &self.node else { return None };
        pairs.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a key that is there and not null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.get_or_null(key).filter(|value| !matches!(value.node, Node::Null))
    }

    /// Whether a key is there and not null.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The value at the end of a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Json<'a>> {
        let mut value = self;
        for key in path {
            value = value.get(key)?;
        }
        Some(value)
    }

    /// The content of a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array; any other value is a list of one.
    #[must_use]
    pub fn list(&self) -> Vec<&Json<'a>> {
        match &self.node {
            Node::Array(items) => items.iter().collect(),
            _ => vec![self],
        }
    }
}

/// Reads a text.
///
/// # Errors
/// Where it is no JSON.
pub fn parse(text: &str) -> Result<Json<'_>, Fault> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    if reader.at == text.len() { Ok(value) } else { Err(Fault::Invalid(reader.at)) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        self.space();
        if self.peek() != Some(byte) {
            return Err(Fault::Invalid(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Fault> {
        self.space();
        let start = self.at;
        let node = match self.peek() {
            Some(b'{' | b'[') if depth == JSON_DEPTH_MAX => return Err(Fault::TooDeep(start)),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Node::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Json { node, raw: &self.text[start..self.at] })
    }

    fn object(&mut self, depth: usize) -> Result<Node<'a>, Fault> {
        self.at += 1;
        let mut pairs = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Node::Object(pairs));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(Fault::Invalid(self.at));
            }
            let key = self.string()?;
            self.expect(b':')?;
            pairs.push((key, self.value(depth + 1)?));
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.expect(b'}')?;
            return Ok(Node::Object(pairs));
        }
    }

    fn array(&mut self, depth: usize) -> Result<Node<'a>, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.expect(b']')?;
            return Ok(Node::Array(items));
        }
    }

    fn word(&mut self) -> Result<Node<'a>, Fault> {
        let words =
            [("null", Node::Null), ("true", Node::Bool(true)), ("false", Node::Bool(false))];
        for (word, node) in words {
            if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(node);
            }
        }
        Err(Fault::Invalid(self.at))
    }

    fn number(&mut self) -> Result<Node<'a>, Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(Fault::Invalid(self.at));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Node::Number)
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if start == self.at { Err(Fault::Invalid(start)) } else { Ok(&self.text[start..self.at]) }
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        // Escapes are units of UTF-16, two of which may make one character.
        let mut units: Vec<u16> = Vec::new();
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(ch) = rest.chars().next() else { return Err(Fault::Invalid(self.at)) };
            if ch == '\\' && rest.as_bytes().get(1) == Some(&b'u') {
                let digits =
                    rest.as_bytes().get(2..6).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
                let Some(digits) = digits else { return Err(Fault::Invalid(self.at)) };
                let unit = digits.iter().fold(0, |sum, digit| {
                    sum * 16
                        + u16::try_from(char::from(*digit).to_digit(16).unwrap_or(0)).unwrap_or(0)
                });
                units.push(unit);
                self.at += 6;
                continue;
            }
            text.push_str(&String::from_utf16_lossy(&units));
            units.clear();
            match ch {
                '"' => {
                    self.at += 1;
                    return Ok(text);
                }
                '\\' => {
                    let plain = match rest.as_bytes().get(1) {
                        Some(b'b') => '\u{8}',
                        Some(b'f') => '\u{c}',
                        Some(b'n') => '\n',
                        Some(b'r') => '\r',
                        Some(b't') => '\t',
                        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
                        _ => return Err(Fault::Invalid(self.at)),
                    };
                    text.push(plain);
                    self.at += 2;
                }
                '\0'..='\u{1f}' => return Err(Fault::Invalid(self.at)),
                ch => {
                    text.push(ch);
                    self.at += ch.len_utf8();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(json: &Json<'_>) -> serde_json::Value {
        match &json.node {
            Node::Null => serde_json::Value::Null,
            Node::Bool(value) => (*value).into(),
            Node::Number => serde_json::from_str(json.raw).expect("a number"),
            Node::Text(text) => text.as_str().into(),
            Node::Array(items) => items.iter().map(tree).collect(),
            Node::Object(pairs) => {
                serde_json::Value::Object(pairs.iter().map(|(k, v)| (k.clone(), tree(v))).collect())
            }
        }
    }

    #[test]
    fn tree_is_what_a_known_parser_reads_and_bytes_are_kept() {
        for text in [
            "null",
            " [1, -2.5e3, \"a\\n\\u00e9\\ud83d\\ude00\\/\", true ,{}] ",
            "{\"a\":{\"b\":[]},\"c\":false,\"a\":1}",
        ] {
            let known: serde_json::Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(tree(&parse(text).expect("JSON")), known);
        }
        for text in
            ["", "[1,]", "{\"a\"}", "01", "tru", "\"a", "\"\u{1}\"", "[1]]", "\"\\x\"", "1."]
        {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
            assert!(parse(text).is_err(), "{text}");
        }
        let list = parse("[ {\"a\" : \"x\"} , -1.50 ]").expect("JSON");
        let raws: Vec<&str> = list.list().iter().map(|item| item.raw).collect();
        assert_eq!(raws, ["{\"a\" : \"x\"}", "-1.50"]);
        let lone = parse("\"a\\ud83db\"").expect("a lone surrogate is read");
        assert_eq!(lone.text(), Some("a\u{fffd}b"));
        assert!(matches!(parse(&"[".repeat(65)), Err(Fault::TooDeep(64))));
    }
}
