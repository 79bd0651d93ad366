//! The frame that schema registries put before a payload: `0x00`, the schema's id (4 bytes, big
//! endian) and, for protobuf, which message of the schema it is.
//!
//! ```text
//! 00 | 00 00 00 07 | 00              | payload     protobuf, the first message
//! 00 | 00 00 00 07 | 02 00           | payload     the same, written out: one index, 0
//! 00 | 00 00 00 07 |                 | payload     JSON
//! ```
//!
//! Neither JSON nor protobuf can begin with `0x00`, so a frame is always told from a payload. (Its
//! newer form stands in a header and leaves the payload alone.) Ids are not looked up: the record
//! type is ours whatever its number in somebody's registry.

/// The first byte of a framed payload.
pub(crate) const MAGIC: u8 = 0;
/// Magic and schema id.
const HEAD: usize = 5;

/// Why a framed record is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// It ends inside the frame, or an index is no number.
    Broken,
    /// Another message of the schema than the first.
    OtherMessage,
}

/// Where the JSON of a record begins.
pub(crate) fn of_json(bytes: &[u8]) -> usize {
    if bytes.first() == Some(&MAGIC) && bytes.len() >= HEAD { HEAD } else { 0 }
}

/// Whether a record begins as JSON that is an object or a list, in a frame or without one.
pub(crate) fn holds_json(bytes: &[u8]) -> bool {
    let bytes = bytes.get(of_json(bytes)..).unwrap_or_default();
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Where the message of a protobuf record begins.
pub(crate) fn of_protobuf(bytes: &[u8]) -> Result<usize, FrameError> {
    if bytes.first() != Some(&MAGIC) {
        return Ok(0);
    }
    let mut at = HEAD;
    let count = zigzag(bytes, &mut at).ok_or(FrameError::Broken)?;
    match count {
        0 => Ok(at),
        1 => match zigzag(bytes, &mut at).ok_or(FrameError::Broken)? {
            0 => Ok(at),
            1.. => Err(FrameError::OtherMessage),
            _ => Err(FrameError::Broken),
        },
        2.. => Err(FrameError::OtherMessage),
        _ => Err(FrameError::Broken),
    }
}

/// A zigzag varint of up to five bytes: an index or a count of them.
fn zigzag(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            let half = (value >> 1).cast_signed();
            return Some(if value & 1 == 0 { half } else { -half - 1 });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_from_payloads() {
        for (bytes, expected) in [
            (&b"\x0a\x01x"[..], Ok(0)),
            (b"", Ok(0)),
            (b"\x00\x00\x00\x00\x07\x00\x0a", Ok(6)),
            (b"\x00\x00\x00\x00\x07\x02\x00\x0a", Ok(7)),
            (b"\x00\x00\x00\x00\x07\x00", Ok(6)),
            (b"\x00\x00\x00\x00\x07\x02\x02\x0a", Err(FrameError::OtherMessage)),
            (b"\x00\x00\x00\x00\x07\x04\x00\x00", Err(FrameError::OtherMessage)),
            (b"\x00\x00\x00\x00\x07\x01", Err(FrameError::Broken)),
            (b"\x00\x00\x00\x00\x07\x02\x01", Err(FrameError::Broken)),
            (b"\x00\x00\x00\x00\x07", Err(FrameError::Broken)),
            (b"\x00\x00", Err(FrameError::Broken)),
            (b"\x00\x00\x00\x00\x07\xff\xff\xff\xff\xff\x00", Err(FrameError::Broken)),
        ] {
            assert_eq!(of_protobuf(bytes), expected, "{bytes:?}");
        }
        assert_eq!(of_json(b"\x00\x00\x00\x00\x07{}"), 5);
        assert_eq!(of_json(b"{}"), 0);
        assert_eq!(of_json(b"\x00\x00"), 0);
        for json in [&b"{"[..], b" \n[", b"\xEF\xBB\xBF{}", b"\x00\x00\x00\x00\x07\n {"] {
            assert!(holds_json(json), "{json:?}");
        }
        for other in [&b""[..], b"7", b"\"{\"", b"\x00{", b"\x00\x00\x00\x00\x07\x00{"] {
            assert!(!holds_json(other), "{other:?}");
        }
    }
}
