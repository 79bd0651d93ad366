//! Where a record ends and the next begins: lines, JSON values, frames.
//!
//! Of a record that is longer than any may be, only the beginning is kept.

use std::io::{BufRead, Read as _, Result};

use turnwise_model::limits::RECORD_BYTES_MAX;

/// Bytes kept of a longer record: enough to see that it is too long.
pub(crate) const KEPT_BYTES_MAX: usize = RECORD_BYTES_MAX + 1;
/// Bytes of the longest varint.
const VARINT_BYTES_MAX: usize = 10;

/// Reads a line without its end. Returns the bytes taken from the input.
pub(crate) fn line(input: &mut impl BufRead, record: &mut Vec<u8>) -> Result<usize> {
    let mut taken = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(taken);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let line = &buffer[..end.unwrap_or(buffer.len())];
        keep(record, line);
        let used = line.len() + usize::from(end.is_some());
        input.consume(used);
        taken += used;
        if end.is_some() {
            return Ok(taken);
        }
    }
}

fn keep(record: &mut Vec<u8>, bytes: &[u8]) {
    let room = KEPT_BYTES_MAX.saturating_sub(record.len());
    record.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

/// JSON values one after another, and those of lists at the top. A value ends where its brackets
/// do, so a broken one leaves the next alone unless its brackets or quotes are what is broken.
#[derive(Debug, Default)]
pub(crate) struct Values {
    in_list: bool,
}

/// Where a value's reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before it.
    Before,
    /// Inside, under so many brackets.
    Inside(u64),
    /// Inside a string.
    Text(u64),
    /// Behind a `\\` in a string.
    Escape(u64),
    /// In something without brackets.
    Bare,
}

impl Values {
    /// Puts the next value into the buffer; false where there is none.
    pub(crate) fn next(&mut self, input: &mut impl BufRead, record: &mut Vec<u8>) -> Result<bool> {
        let mut at = At::Before;
        loop {
            let buffer = input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(at != At::Before);
            }
            let mut from = 0;
            let mut end = None;
            for (place, byte) in buffer.iter().enumerate() {
                match self.step(at, *byte) {
                    Step::To(next) => {
                        if at == At::Before {
                            from = if next == At::Before { place + 1 } else { place };
                        }
                        at = next;
                    }
                    Step::EndsBefore => end = Some((place, place)),
                    Step::EndsBehind => end = Some((place + 1, place + 1)),
                }
                if end.is_some() {
                    break;
                }
            }
            let (kept, used) = end.unwrap_or((buffer.len(), buffer.len()));
            keep(record, &buffer[from..kept]);
            input.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    fn step(&mut self, at: At, byte: u8) -> Step {
        match (at, byte) {
            (At::Before, b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1E | 0xEF | 0xBB | 0xBF) => {
                Step::To(At::Before)
            }
            (At::Before, b'[') if !self.in_list => {
                self.in_list = true;
                Step::To(At::Before)
            }
            (At::Before, b']') => {
                self.in_list = false;
                Step::To(At::Before)
            }
            (At::Before, b'{' | b'[') => Step::To(At::Inside(1)),
            (At::Before, b'"') => Step::To(At::Text(0)),
            (At::Before, _) => Step::To(At::Bare),
            (At::Bare, b'\n' | b',' | b']') => Step::EndsBefore,
            (At::Bare, _) => Step::To(At::Bare),
            (At::Inside(1), b'}' | b']') => Step::EndsBehind,
            (At::Inside(depth), b'}' | b']') => Step::To(At::Inside(depth - 1)),
            (At::Inside(depth), b'{' | b'[') => Step::To(At::Inside(depth + 1)),
            (At::Inside(depth), b'"') => Step::To(At::Text(depth)),
            (At::Inside(_), _) => Step::To(at),
            (At::Text(0), b'"') => Step::EndsBehind,
            (At::Text(depth), b'"') => Step::To(At::Inside(depth)),
            (At::Text(depth), b'\\') => Step::To(At::Escape(depth)),
            (At::Text(_), _) => Step::To(at),
            (At::Escape(depth), _) => Step::To(At::Text(depth)),
        }
    }
}

/// What a byte does.
enum Step {
    To(At),
    EndsBefore,
    EndsBehind,
}

/// What stands where a frame may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A whole one; its record is in the buffer.
    Whole,
    /// The end of the input.
    End,
    /// A length that is none, or fewer bytes than it says.
    Broken,
}

/// Reads a length (a varint) and as many bytes.
pub(crate) fn frame(input: &mut impl BufRead, record: &mut Vec<u8>) -> Result<Frame> {
    let mut length = 0_u64;
    for place in 0..=VARINT_BYTES_MAX {
        let mut byte = [0];
        if input.read(&mut byte)? == 0 {
            return Ok(if place == 0 { Frame::End } else { Frame::Broken });
        }
        if place == VARINT_BYTES_MAX || place + 1 == VARINT_BYTES_MAX && byte[0] > 1 {
            break;
        }
        length |= u64::from(byte[0] & 0x7F) << (7 * place);
        if byte[0] < 0x80 {
            return body(input, record, length);
        }
    }
    Ok(Frame::Broken)
}

fn body(input: &mut impl BufRead, record: &mut Vec<u8>, length: u64) -> Result<Frame> {
    let kept = length.min(KEPT_BYTES_MAX as u64);
    let read = input.by_ref().take(kept).read_to_end(record)? as u64;
    let rest = length - kept;
    let dropped = std::io::copy(&mut input.by_ref().take(rest), &mut std::io::sink())?;
    Ok(if read + dropped == length { Frame::Whole } else { Frame::Broken })
}

/// The record of the first frame of an input that is not empty, if all of it is there.
pub(crate) fn first_framed(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut record = Vec::new();
    while let Ok(Frame::Whole) = frame(&mut bytes, &mut record) {
        if !record.is_empty() {
            return Some(record);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// With a buffer of any size, since values go over its edges.
    fn values(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        for size in 1..text.len() + 2 {
            let mut input = BufReader::with_capacity(size, text.as_bytes());
            let (mut values, mut found, mut record) = (Values::default(), Vec::new(), Vec::new());
            while values.next(&mut input, &mut record).expect("reads") {
                found.push(String::from_utf8(std::mem::take(&mut record)).expect("UTF-8"));
            }
            all.push(found);
        }
        assert!(all.windows(2).all(|two| two[0] == two[1]), "{text}: {all:?}");
        all.swap_remove(0)
    }

    #[test]
    fn values_end_where_their_brackets_do() {
        assert_eq!(values("{\n\"a\": [1]\n}\n{}\n"), ["{\n\"a\": [1]\n}", "{}"]);
        assert_eq!(
            values("[\n{\"a\":\"]}\\\"\"},\n[1,[2]]\n]{}"),
            ["{\"a\":\"]}\\\"\"}", "[1,[2]]", "{}"]
        );
        assert_eq!(values("[{\"a\":},oops, \"x,]\",{}]"), ["{\"a\":}", "oops", "\"x,]\"", "{}"]);
        assert_eq!(values("{\"a\":{"), ["{\"a\":{"]);
        assert!(values(" \n[ ] ").is_empty());
    }

    #[test]
    fn frames_are_as_long_as_they_say() {
        let long = vec![7; 300];
        let bytes = [&b"\x03abc\x00\xac\x02"[..], &long].concat();
        let mut input = &bytes[..];
        for expected in [&b"abc"[..], b"", &long] {
            let mut record = Vec::new();
            assert_eq!(frame(&mut input, &mut record).expect("reads"), Frame::Whole);
            assert_eq!(record, expected);
        }
        assert_eq!(frame(&mut input, &mut Vec::new()).expect("reads"), Frame::End);
        for broken in [&b"\x03ab"[..], b"\x80", &[0xFF; 11]] {
            assert_eq!(frame(&mut &*broken, &mut Vec::new()).expect("reads"), Frame::Broken);
        }
        let huge = [&b"\x81\x80\x80\x05"[..], &vec![0; 10_485_761]].concat();
        let mut record = Vec::new();
        assert_eq!(frame(&mut &huge[..], &mut record).expect("reads"), Frame::Whole);
        assert_eq!(record.len(), KEPT_BYTES_MAX);
    }
}
