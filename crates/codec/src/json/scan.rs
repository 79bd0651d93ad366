//! A cursor over JSON text that asks many bytes at a time where a string ends.
//!
//! The plain version looks at each byte of a string for a quote, a backslash or a control
//! character. Here sixteen bytes are compared at once in a loop without branches, which the
//! compiler turns into vector instructions.
//!
//! [`Cursor`] is for readers who know what they expect: each method reads one thing and answers
//! `None` where something else stands, and then its reader gives up and leaves the text to the
//! tape. It accepts no text that the tape refuses. Bytes that are no ASCII are only noted:
//! [`Cursor::end`] asks once whether the text is UTF-8.

use crate::utf8;

/// Bytes that are looked at together.
const BLOCK: usize = 16;
/// Containers inside each other that [`Cursor::skip`] follows; fewer than the tape allows.
const SKIPPED_DEPTH_MAX: usize = 32;
const _: () = assert!(SKIPPED_DEPTH_MAX + 16 <= turnwise_model::limits::JSON_DEPTH_MAX);

/// Where the first quote, backslash or control character of a block stands; [`BLOCK`] if nowhere.
#[inline]
pub(super) fn first_special(block: &[u8; BLOCK]) -> usize {
    let mut found = [0_u8; BLOCK];
    for (found, byte) in found.iter_mut().zip(block) {
        let special = (*byte == b'"') | (*byte == b'\\') | (*byte < 0x20);
        *found = u8::from(special).wrapping_neg();
    }
    let found = u128::from_le_bytes(found);
    let [low, high] = [found as u64, (found >> 64) as u64];
    if low != 0 {
        low.trailing_zeros() as usize / 8
    } else if high != 0 {
        8 + high.trailing_zeros() as usize / 8
    } else {
        BLOCK
    }
}

/// A place in a text: of a string what stands between its quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    at: u32,
    length: u32,
}

/// A string of a text, and whether it holds escapes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text {
    pub(crate) span: Span,
    pub(crate) escaped: bool,
}

/// A key without escapes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) name: &'a [u8],
    /// Its first eight bytes, for a quick choice; zeros behind a shorter one.
    pub(crate) word: u64,
}

/// A text that is being read.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The bits of all bytes of strings so far.
    seen: u64,
}

/// The first eight bytes of a name, as [`Key::word`].
pub(crate) const fn word(name: &[u8]) -> u64 {
    let mut word = 0;
    let mut at = 0;
    while at < name.len() && at < 8 {
        word |= (name[at] as u64) << (8 * at);
        at += 1;
    }
    word
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

impl Key<'_> {
    #[inline]
    pub(crate) fn is<const N: usize>(&self, name: &[u8; N]) -> bool {
        self.name == name
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, seen: 0 }
    }

    /// All of the text.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether nothing but white space is left, and the text is UTF-8.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.space();
        let is_text = self.seen & 0x8080_8080_8080_8080 == 0 || utf8::is_utf8(self.bytes);
        (self.at == self.bytes.len() && is_text).then_some(())
    }

    /// The next byte, white space skipped; 0 at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        match self.bytes.get(self.at) {
            Some(&byte) if byte > b' ' => byte,
            _ => {
                self.space();
                self.bytes.get(self.at).copied().unwrap_or(0)
            }
        }
    }

    #[inline]
    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes one byte, white space before it skipped.
    #[inline]
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    /// An object; `field` reads the value of each key.
    #[inline]
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, Key<'a>) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        if self.peek() == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.key()?;
            field(self, key)?;
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// An array; `element` reads each element.
    #[inline]
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.peek() == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            element(self)?;
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// A key and its colon.
    #[inline]
    fn key(&mut self) -> Option<Key<'a>> {
        self.take(b'"')?;
        let rest = self.bytes.get(self.at..)?;
        let text = match rest.first_chunk::<BLOCK>() {
            Some(block) => match first_special(block) {
                BLOCK => self.string_rest()?,
                length if block[length] == b'"' => {
                    let key = Key { name: &rest[..length], word: masked(block, length) };
                    self.see(block);
                    self.at += length + 1;
                    self.take(b':')?;
                    return Some(key);
                }
                _ => return None,
            },
            None => self.string_rest()?,
        };
        self.take(b':')?;
        let name = text.span.of(self.bytes);
        (!text.escaped).then(|| Key { name, word: word(name) })
    }

    /// A string.
    #[inline]
    pub(crate) fn string(&mut self) -> Option<Text> {
        self.take(b'"')?;
        self.string_rest()
    }

    /// A string without escapes.
    #[inline]
    pub(crate) fn plain(&mut self) -> Option<Span> {
        let text = self.string()?;
        (!text.escaped).then_some(text.span)
    }

    #[inline]
    fn see(&mut self, block: &[u8; BLOCK]) {
        let both = u128::from_le_bytes(*block);
        self.seen |= both as u64 | (both >> 64) as u64;
    }

    /// A string; the cursor stands behind its opening quote.
    #[inline]
    fn string_rest(&mut self) -> Option<Text> {
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let length = match rest.first_chunk::<BLOCK>() {
                Some(block) => {
                    self.see(block);
                    first_special(block)
                }
                None => self.special_of_tail(rest),
            };
            self.at += length;
            match rest.get(length) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += escape(&rest[length..])?;
                }
                Some(0x20..) => {}
                _ => return None,
            }
        }
        let length = self.at - start;
        self.at += 1;
        let span = Span { at: u32::try_from(start).ok()?, length: u32::try_from(length).ok()? };
        Some(Text { span, escaped })
    }

    /// The same as [`first_special`] of fewer bytes than a block.
    #[cold]
    fn special_of_tail(&mut self, rest: &[u8]) -> usize {
        self.seen |= u64::from(rest.iter().fold(0, |all, byte| all | byte));
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        rest.iter().position(special).unwrap_or(rest.len())
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
    #[inline]
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
                _ => {
                    self.skip_scalar()?;
                }
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

/// The first eight bytes of a key of `length` bytes in its block, zeros behind it.
#[inline]
fn masked(block: &[u8; BLOCK], length: usize) -> u64 {
    let word = u128::from_le_bytes(*block) as u64;
    if length >= 8 { word } else { word & ((1 << (8 * length)) - 1) }
}

/// A number of one to eighteen digits.
#[inline]
pub(crate) fn whole(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0_i64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + i64::from(digit))
    })
}

/// How many bytes the escape takes that `rest` begins with.
#[inline]
pub(super) fn escape(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => rest.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}
