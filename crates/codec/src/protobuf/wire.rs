//! The wire format of protobuf: tags, varints and lengths, read in place.
//!
//! Nothing is copied and nothing is allocated: a length that reaches past its message is an error
//! before anyone believes it.

/// Why bytes are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A value reaches past the end of what holds it.
    Truncated,
    /// A varint of more than 64 bits.
    LongVarint,
    /// A group begins or ends.
    Group,
    /// A tag without a field number, or with an unknown wire type.
    Tag,
    /// A known field of another wire type.
    Type,
    /// A string that is not UTF-8.
    Utf8,
}

/// Where and why bytes are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WireError<'a> {
    pub(crate) fault: Fault,
    /// What is left of the message there.
    pub(crate) rest: &'a [u8],
}

/// The fields of one message that are still to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire<'a> {
    rest: &'a [u8],
}

/// A field's number and wire type, in one number as on the wire.
pub(crate) type Tag = u64;

/// The tag of a varint field.
pub(crate) const fn varint(number: u64) -> Tag {
    number << 3
}

/// The tag of a field of bytes: a string or a message.
pub(crate) const fn length(number: u64) -> Tag {
    number << 3 | 2
}

/// The highest field number there is.
const NUMBER_MAX: u64 = (1 << 29) - 1;

/// A number of whose bytes seven bits each count, the lowest first: pushed together in three steps.
#[inline(always)]
fn sevens(word: u64) -> u64 {
    let word = word & 0x7F7F_7F7F_7F7F_7F7F;
    let word = word & 0x007F_007F_007F_007F | (word & 0x7F00_7F00_7F00_7F00) >> 1;
    let word = word & 0x0000_3FFF_0000_3FFF | (word & 0x3FFF_0000_3FFF_0000) >> 2;
    word & 0x0FFF_FFFF | (word & 0x0FFF_FFFF_0000_0000) >> 4
}

impl WireError<'_> {
    /// The byte of the record at which it was found.
    pub(crate) fn at(&self, record: &[u8]) -> usize {
        place(record, self.rest)
    }
}

/// Where in the record a part of it begins.
pub(crate) fn place(record: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().saturating_sub(record.as_ptr().addr()).min(record.len())
}

impl<'a> Wire<'a> {
    /// The message that is all of `rest`.
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// What this message has left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn error(&self, fault: Fault) -> WireError<'a> {
        WireError { fault, rest: self.rest }
    }

    /// Whether the next field has this tag, of one byte; then the cursor stands behind it.
    #[inline(always)]
    pub(crate) fn takes(&mut self, tag: Tag) -> bool {
        match self.rest {
            [byte, rest @ ..] if Tag::from(*byte) == tag => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// The number of the next field, if it has this tag.
    #[inline(always)]
    pub(crate) fn varint_of(&mut self, tag: Tag) -> Result<Option<u64>, WireError<'a>> {
        // Most numbers have one byte: one question for it and the tag.
        if let [byte, number, rest @ ..] = self.rest
            && Tag::from(*byte) == tag
            && *number < 0x80
        {
            self.rest = rest;
            return Ok(Some(u64::from(*number)));
        }
        if self.takes(tag) { self.varint().map(Some) } else { Ok(None) }
    }

    /// The bytes of the next field, if it has this tag.
    #[inline(always)]
    pub(crate) fn bytes_of(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, WireError<'a>> {
        if self.takes(tag) { self.bytes().map(Some) } else { Ok(None) }
    }

    /// The bytes of the next field, if it has this tag, of one byte, and is whole with a length of
    /// one byte. Anything else is left to those who read any field: nothing is read, none it is.
    #[inline(always)]
    pub(crate) fn usual_bytes(&mut self, tag: u8) -> &'a [u8] {
        if let Some((head, rest)) = self.rest.split_first_chunk()
            && let [_, length] = *head
            && u16::from_le_bytes(*head) & 0x80FF == u16::from(tag)
            && let Some((bytes, rest)) = rest.split_at_checked(usize::from(length))
        {
            self.rest = rest;
            return bytes;
        }
        b""
    }

    /// The bytes of the next two fields, if they have these tags and fifteen bytes each, as ids have.
    #[inline(always)]
    pub(crate) fn pair_of(&mut self, tag: u8, next: u8) -> Option<[&'a [u8; 15]; 2]> {
        let (both, rest) = self.rest.split_first_chunk::<34>()?;
        if both[0] != tag || both[1] != 15 || both[17] != next || both[18] != 15 {
            return None;
        }
        self.rest = rest;
        Some([both[2..17].as_array()?, both[19..].as_array()?])
    }

    /// The numbers of the next fields, if they have the tags from this one on and a byte each.
    #[inline(always)]
    pub(crate) fn usual_numbers<const N: usize>(&mut self, first: u8) -> Option<[u8; N]> {
        const { assert!(N <= 4, "two bytes each") };
        let mask = (0..N).fold(0, |mask, nth| mask | 0x80FF << (16 * nth));
        // Tags of numbers that follow each other differ by eight.
        let tags =
            (0..N).fold(0, |tags, nth| tags | (u64::from(first) + 8 * nth as u64) << (16 * nth));
        let word = u64::from_le_bytes(*self.rest.first_chunk()?);
        (word & mask == tags).then(|| {
            self.advance(2 * N);
            std::array::from_fn(|nth| word.to_le_bytes()[2 * nth + 1])
        })
    }

    /// The number of the next field, if it has this tag and six bytes, as times in milliseconds
    /// have from 2004 to 2109; else 0, and nothing is read.
    #[inline(always)]
    pub(crate) fn usual_time(&mut self, tag: u8) -> i64 {
        const ENDS: u64 = 0x0080_8080_8080_80FF;
        let six_bytes = 0x0000_8080_8080_8000 | u64::from(tag);
        match self.rest.first_chunk().map(|word| u64::from_le_bytes(*word)) {
            Some(word) if word & ENDS == six_bytes => {
                self.advance(7);
                sevens(word << 8 >> 16).cast_signed()
            }
            _ => 0,
        }
    }

    /// Goes on behind so many bytes, at most those that are left.
    #[inline(always)]
    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// The next field's tag; `None` at the end.
    #[inline]
    pub(crate) fn tag(&mut self) -> Result<Option<Tag>, WireError<'a>> {
        match self.rest {
            [] => Ok(None),
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(Some(Tag::from(*byte)))
            }
            _ => self.long_varint().map(Some),
        }
    }

    /// A number; the cursor stands behind its tag.
    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, WireError<'a>> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    #[inline]
    fn long_varint(&mut self) -> Result<u64, WireError<'a>> {
        if let Some(word) = self.rest.first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            let ends = !word & 0x8080_8080_8080_8080;
            if ends != 0 {
                let last = ends.trailing_zeros();
                self.advance(last as usize / 8 + 1);
                return Ok(sevens(word & (u64::MAX >> (63 - last))));
            }
        }
        let (value, behind) = self.bytewise_varint()?;
        *self = behind;
        Ok(value)
    }

    #[cold]
    #[inline(never)]
    fn bytewise_varint(self) -> Result<(u64, Self), WireError<'a>> {
        let mut value = 0_u64;
        for (nth, &byte) in self.rest.iter().take(10).enumerate() {
            if nth == 9 && byte > 1 {
                return Err(self.error(Fault::LongVarint));
            }
            value |= u64::from(byte & 0x7F) << (7 * nth);
            if byte < 0x80 {
                let rest = self.rest.get(nth + 1..).unwrap_or_default();
                return Ok((value, Self { rest }));
            }
        }
        Err(self.error(Fault::Truncated))
    }

    /// The bytes of a string or message; the cursor stands behind its tag.
    #[inline(always)]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], WireError<'a>> {
        // Lengths have one byte or two, now this and now that: both are read without asking which.
        if let [low, high, ..] = self.rest {
            let two = low >> 7;
            let length = usize::from(low & 0x7F) | usize::from(high & two.wrapping_neg()) << 7;
            if low & high < 0x80
                && let Some(rest) = self.rest.get(1 + usize::from(two)..)
                && let Some((bytes, rest)) = rest.split_at_checked(length)
            {
                self.rest = rest;
                return Ok(bytes);
            }
        }
        let (bytes, behind) = self.long_bytes()?;
        *self = behind;
        Ok(bytes)
    }

    /// The same of any length, and what stands behind. By value, as all that is seldom called: a
    /// cursor that somebody has the address of is none in registers.
    #[cold]
    #[inline(never)]
    fn long_bytes(mut self) -> Result<(&'a [u8], Self), WireError<'a>> {
        let length = self.varint()?;
        let split = usize::try_from(length).ok().and_then(|at| self.rest.split_at_checked(at));
        let Some((bytes, rest)) = split else { return Err(self.error(Fault::Truncated)) };
        Ok((bytes, Self { rest }))
    }

    /// Skips a field that is not read. Numbers up to `known` are, so theirs is the wrong type.
    #[inline(never)]
    pub(crate) fn skip(&mut self, tag: Tag, known: u64) -> Result<(), WireError<'a>> {
        let number = tag >> 3;
        if number == 0 || number > NUMBER_MAX {
            return Err(self.error(Fault::Tag));
        }
        match tag & 7 {
            3 | 4 => return Err(self.error(Fault::Group)),
            6 | 7 => return Err(self.error(Fault::Tag)),
            _ if number <= known => return Err(self.error(Fault::Type)),
            0 => drop(self.varint()?),
            1 => self.skip_bytes(8)?,
            2 => drop(self.bytes()?),
            _ => self.skip_bytes(4)?,
        }
        Ok(())
    }

    fn skip_bytes(&mut self, count: usize) -> Result<(), WireError<'a>> {
        self.rest = self.rest.get(count..).ok_or(self.error(Fault::Truncated))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    #[test]
    fn varints_read_back_with_and_without_bytes_behind_them() {
        let values = (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1, u64::MAX >> bit]);
        for value in values {
            for behind in [&b""[..], b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\0\0\0\0\0\0\0"]
            {
                let mut bytes = encoded(value);
                bytes.extend_from_slice(behind);
                let mut wire = Wire::new(&bytes);
                assert_eq!((wire.varint(), wire.rest()), (Ok(value), behind));
            }
        }
    }

    #[test]
    fn what_is_read_as_usual_is_what_any_field_says_or_nothing() {
        for value in (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1, u64::MAX >> bit]) {
            for behind in 0..9 {
                let bytes = [&b"\x10"[..], &encoded(value), &vec![0xFF; behind]].concat();
                let (mut any, mut usual) = (Wire::new(&bytes), Wire::new(&bytes));
                let (read, time) = (any.varint_of(0x10), usual.usual_time(0x10));
                let is_usual = encoded(value).len() == 6 && behind > 0;
                let expected =
                    if is_usual { (read, any) } else { (Ok(Some(0)), Wire::new(&bytes)) };
                assert_eq!(
                    (Ok(Some(time.cast_unsigned())), usual.rest),
                    (expected.0, expected.1.rest)
                );
                assert_eq!((usual.usual_time(0x18), usual.rest), (0, expected.1.rest));
            }
        }
        for length in 0..200_usize {
            for behind in 0..3 {
                let bytes = [&b"\x0a"[..], &encoded(length as u64), &vec![b'x'; length + behind]];
                let bytes = bytes.concat();
                let mut wire = Wire::new(&bytes);
                let read = wire.usual_bytes(0x0A);
                assert_eq!(read.len(), if length < 0x80 { length } else { 0 });
                assert_eq!(wire.rest.len(), if length < 0x80 { behind } else { bytes.len() });
                let mut cut = Wire::new(&bytes[..bytes.len() - behind - 1]);
                assert!(cut.usual_bytes(0x0A).is_empty() && cut.usual_bytes(0x12).is_empty());
            }
        }
        let both = [&b"\x0a\x0f123456789012345\x12\x0f223456789012345"[..], b"zz"].concat();
        for end in 0..=both.len() {
            let mut wire = Wire::new(&both[..end]);
            let pair = wire.pair_of(0x0A, 0x12);
            assert_eq!(pair, (end >= 34).then_some([b"123456789012345", b"223456789012345"]));
            assert_eq!(wire.rest.len(), if end >= 34 { end - 34 } else { end });
        }
        for at in [0, 1, 17, 18] {
            for byte in (0..=u8::MAX).filter(|byte| *byte != both[at]) {
                let mut bytes = both.clone();
                bytes[at] = byte;
                let mut wire = Wire::new(&bytes);
                assert_eq!((wire.pair_of(0x0A, 0x12), wire.rest.len()), (None, both.len()));
            }
        }
        let three = b"\x18\x01\x20\x7f\x28\x00zz";
        for at in 0..6 {
            for byte in 0..=u8::MAX {
                let mut bytes = *three;
                bytes[at] = byte;
                let mut wire = Wire::new(&bytes);
                let is_usual = if at % 2 == 0 { byte == three[at] } else { byte < 0x80 };
                let expected = is_usual.then_some([bytes[1], bytes[3], bytes[5]]);
                assert_eq!(wire.usual_numbers(0x18), expected);
                assert_eq!(wire.rest.len(), if is_usual { 2 } else { 8 });
            }
        }
        assert_eq!(Wire::new(&three[..7]).usual_numbers::<3>(0x18), None);
    }

    #[test]
    fn broken_values_are_refused_where_they_stand() {
        let check = |bytes: &[u8], fault, at| {
            let mut wire = Wire::new(bytes);
            let read = wire.tag().and_then(|tag| match tag {
                Some(tag) => wire.skip(tag, 0),
                None => Ok(()),
            });
            let found = read.map_err(|error| (error.fault, error.at(bytes)));
            assert_eq!(found, Err((fault, at)), "{bytes:?}");
        };
        check(b"\x0a", Fault::Truncated, 1);
        check(b"\x0a\x02x", Fault::Truncated, 2);
        // A length of a gibibyte.
        check(b"\x0a\x80\x80\x80\x80\x04x", Fault::Truncated, 6);
        check(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", Fault::Truncated, 11);
        check(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", Fault::LongVarint, 1);
        check(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Fault::LongVarint, 1);
        check(b"\x08\x80", Fault::Truncated, 1);
        check(b"\x0b\x0c", Fault::Group, 1);
        check(b"\x0c", Fault::Group, 1);
        check(b"\x0e\x00", Fault::Tag, 1);
        check(b"\x02\x00", Fault::Tag, 1);
        check(b"\x09\x00", Fault::Truncated, 1);
        check(b"\x0d\x00", Fault::Truncated, 1);
        check(b"\xff\xff\xff\xff\xff\x01\x00", Fault::Tag, 6);
    }

    #[test]
    fn known_field_of_another_type_is_refused() {
        let mut wire = Wire::new(b"\x08\x01");
        let tag = wire.tag().expect("a tag").expect("a field");
        assert_eq!(wire.skip(tag, 1), Err(WireError { fault: Fault::Type, rest: b"\x01" }));
    }
}
