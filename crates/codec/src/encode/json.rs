//! JSON, written straight into bytes.

/// A JSON text that is being written.
#[derive(Debug, Default)]
pub struct Json {
    bytes: Vec<u8>,
    /// Whether the next key or element needs a comma before it.
    comma: bool,
}

impl Json {
    /// The text so far.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// `{` … `}`.
    pub fn object(&mut self, inner: impl FnOnce(&mut Self)) {
        self.container(b'{', b'}', inner);
    }

    /// `[` … `]`.
    pub fn array(&mut self, inner: impl FnOnce(&mut Self)) {
        self.container(b'[', b']', inner);
    }

    fn container(&mut self, open: u8, close: u8, inner: impl FnOnce(&mut Self)) {
        self.separate();
        self.bytes.push(open);
        self.comma = false;
        inner(self);
        self.bytes.push(close);
        self.comma = true;
    }

    /// A key; its value follows.
    pub fn key(&mut self, key: &str) -> &mut Self {
        self.string(key);
        self.bytes.push(b':');
        self.comma = false;
        self
    }

    /// A key and a string.
    pub fn field(&mut self, key: &str, text: &str) {
        self.key(key).string(text);
    }

    /// A key and a string, unless the string is empty.
    pub fn field_if_any(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.field(key, text);
        }
    }

    /// A key and an object.
    pub fn object_field(&mut self, key: &str, inner: impl FnOnce(&mut Self)) {
        self.key(key).object(inner);
    }

    /// A key and an array with one object.
    pub fn list_of_one(&mut self, key: &str, inner: impl FnOnce(&mut Self)) {
        self.key(key).array(|json| json.object(inner));
    }

    /// A whole number.
    pub fn number(&mut self, number: i64) {
        self.separate();
        self.bytes.extend_from_slice(number.to_string().as_bytes());
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.separate();
        self.bytes.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// A string: quotes, backslashes and control characters escaped.
    pub fn string(&mut self, text: &str) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.separate();
        self.bytes.push(b'"');
        for &byte in text.as_bytes() {
            match byte {
                b'"' | b'\\' => self.bytes.extend_from_slice(&[b'\\', byte]),
                b'\n' => self.bytes.extend_from_slice(b"\\n"),
                0..0x20 => {
                    let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                    self.bytes.extend_from_slice(b"\\u00");
                    self.bytes.extend_from_slice(&digits);
                }
                _ => self.bytes.push(byte),
            }
        }
        self.bytes.push(b'"');
    }

    fn separate(&mut self) {
        if self.comma {
            self.bytes.push(b',');
        }
        self.comma = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let mut json = Json::default();
        json.object(|json| {
            json.field("a\"\\", "line\n\u{1}é");
            json.field_if_any("none", "");
            json.list_of_one("b", |json| json.key("c").number(-7));
            json.key("d").array(|json| {
                json.boolean(true);
                json.number(1);
                json.array(|_| {});
            });
            json.object_field("e", |_| {});
        });
        let read: serde_json::Value = serde_json::from_slice(&json.into_bytes()).expect("JSON");
        let expected = serde_json::json!({
            "a\"\\": "line\n\u{1}é", "b": [{"c": -7}], "d": [true, 1, []], "e": {},
        });
        assert_eq!(read, expected);
    }
}
