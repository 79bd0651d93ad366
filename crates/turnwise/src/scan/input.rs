//! One input of a scan as records: plain, gz or zst; lines, JSON documents or frames.
//!
//! ```text
//!  bytes ─magic─▶ plain | gz | zst ─▶ look ahead ─┬─ one JSON document ─────▶ one record
//!                                                 ├─ documents, a long list ▶ a record a value
//!                                                 ├─ lengths and protobuf ──▶ a record a frame
//!                                                 └─ JSON or forms in lines ▶ a record a line
//! ```
//!
//! What is looked at ahead is bounded by the largest record, so a file of any size of more than
//! one record streams through.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Cursor, Read};
use std::path::Path;

use serde::de::IgnoredAny;
use turnwise_codec::{Format, Reason, is_protobuf};

use crate::scan::split::{self, Frame, KEPT_BYTES_MAX, Values};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// Bytes that tell the compression.
const MAGIC_BYTES: usize = 4;
/// Bytes of an input that a hash reads at a time.
const HASH_BYTES: usize = 1 << 20;

type Bytes = Box<dyn Read + Send>;

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// The record in the buffer; its number, from 1.
    Record(i64),
    /// The end of the input.
    End,
    /// What follows cannot be read, at this number.
    Broken(i64, Broken),
}

/// Why the rest of an input cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Compressed bytes that do not decompress.
    Compression,
    /// A frame that is not whole.
    Frame,
}

impl Broken {
    /// What a dead letter says of it.
    pub(crate) fn told(self) -> (Reason, &'static str) {
        match self {
            Self::Compression => (
                Reason::InvalidCompression,
                "record: expected compressed bytes, found others or their end",
            ),
            Self::Frame => (
                Reason::InvalidProtobuf,
                "record: expected a length and as many bytes, found a broken length or fewer bytes",
            ),
        }
    }
}

/// How an input's records follow each other.
#[derive(Debug)]
enum Layout {
    /// One a line.
    Lines,
    /// All of it is one.
    Document,
    /// JSON values.
    Values(Values),
    /// Each behind its length.
    Frames,
}

/// The records of an input, in order.
pub(crate) struct Records {
    lines: BufReader<Bytes>,
    layout: Layout,
    is_compressed: bool,
    /// The number of the last record or line.
    number: i64,
    /// Whether anything but white space was there.
    has_content: bool,
    is_done: bool,
}

impl Records {
    /// Opens a file; `counted` sees the bytes as they are read from it.
    pub(crate) fn open(
        path: &Path,
        format: Format,
        counted: impl FnMut(u64) + Send + 'static,
    ) -> std::io::Result<Self> {
        Self::new(Box::new(Counted { inner: File::open(path)?, counted }), format)
    }

    /// Over bytes, compressed or not.
    pub(crate) fn new(mut bytes: Bytes, format: Format) -> std::io::Result<Self> {
        let mut magic = Vec::with_capacity(MAGIC_BYTES);
        bytes.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut magic)?;
        let (gz, zst) = (magic.starts_with(b"\x1f\x8b"), magic == b"\x28\xb5\x2f\xfd");
        let whole: Bytes = Box::new(Cursor::new(magic).chain(bytes));
        let plain: Bytes = if gz {
            Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(
                BUFFER_BYTES,
                whole,
            )))
        } else if zst {
            Box::new(zstd::stream::read::Decoder::new(whole)?)
        } else {
            whole
        };
        let (ahead, error, rest) =
            look_ahead(BufReader::with_capacity(BUFFER_BYTES, plain), format);
        let parts = Ahead { ahead: Cursor::new(ahead.bytes), error, rest };
        Ok(Self {
            lines: BufReader::with_capacity(BUFFER_BYTES, Box::new(parts)),
            layout: ahead.layout,
            is_compressed: gz || zst,
            number: 0,
            has_content: false,
            is_done: false,
        })
    }

    /// The format of the records: the one asked for, unless the input's layout tells it.
    pub(crate) fn format(&self, asked: Format) -> Format {
        match (&self.layout, asked) {
            (Layout::Frames, Format::Auto) => Format::Protobuf,
            _ => asked,
        }
    }

    /// Puts the next record into the buffer. Lines of white space are none, but an input of
    /// nothing else is one empty record.
    ///
    /// # Errors
    /// An input that is not compressed and cannot be read on.
    pub(crate) fn next(&mut self, record: &mut Vec<u8>) -> std::io::Result<Next> {
        while !self.is_done {
            record.clear();
            let read = self.read(record);
            self.number += 1;
            match read {
                Ok(Some(Frame::End)) => {
                    self.is_done = true;
                    self.number -= 1;
                }
                Ok(Some(Frame::Broken)) => {
                    self.is_done = true;
                    self.has_content = true;
                    return Ok(Next::Broken(self.number, Broken::Frame));
                }
                Ok(whole) => {
                    if whole.is_some() || !record.trim_ascii().is_empty() {
                        self.has_content = true;
                        return Ok(Next::Record(self.number));
                    }
                }
                Err(_) if self.is_compressed => {
                    self.is_done = true;
                    self.has_content = true;
                    return Ok(Next::Broken(self.number, Broken::Compression));
                }
                Err(error) => return Err(error),
            }
        }
        if self.has_content {
            return Ok(Next::End);
        }
        self.has_content = true;
        self.number = self.number.max(1);
        record.clear();
        Ok(Next::Record(self.number))
    }

    /// What came next: a frame, or something that is a record unless it is blank.
    fn read(&mut self, record: &mut Vec<u8>) -> std::io::Result<Option<Frame>> {
        let is_there = match &mut self.layout {
            Layout::Lines => split::line(&mut self.lines, record)? > 0,
            Layout::Values(values) => values.next(&mut self.lines, record)?,
            Layout::Frames => return split::frame(&mut self.lines, record).map(Some),
            Layout::Document => {
                self.is_done = true;
                self.lines.read_to_end(record)?;
                true
            }
        };
        Ok((!is_there).then_some(Frame::End))
    }
}

/// The keyless hash of a file's bytes as they are: what names it in the lake.
pub(crate) fn content_hash(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; HASH_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            read => hasher.update(&buffer[..read]),
        };
    }
}

/// The beginning of an input.
struct Beginning {
    bytes: Vec<u8>,
    layout: Layout,
}

/// Reads until it is clear how records follow each other.
fn look_ahead(
    mut input: BufReader<Bytes>,
    format: Format,
) -> (Beginning, Option<std::io::Error>, BufReader<Bytes>) {
    let mut bytes = Vec::new();
    let mut line = Vec::new();
    let mut error = None;
    // The first line that is not blank.
    loop {
        line.clear();
        match input.by_ref().take(KEPT_BYTES_MAX as u64).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => bytes.extend_from_slice(&line),
            Err(failed) => {
                bytes.extend_from_slice(&line);
                error = Some(failed);
                break;
            }
        }
        if !line.trim_ascii().is_empty() || bytes.len() >= KEPT_BYTES_MAX {
            break;
        }
    }
    // A number and a line's end may be a length and the first byte of a frame; no frame begins with
    // an object or list.
    let is_clear = format != Format::Protobuf && opens(&line) && is_json(&line);
    if is_clear || error.is_some() {
        let layout = if format == Format::Protobuf { Layout::Frames } else { Layout::Lines };
        return (Beginning { bytes, layout }, error, input);
    }
    let room = KEPT_BYTES_MAX.saturating_sub(bytes.len());
    error = input.by_ref().take(room as u64).read_to_end(&mut bytes).err();
    let is_all = error.is_none() && bytes.len() < KEPT_BYTES_MAX;
    let layout = layout(format, &bytes, &line, is_all);
    (Beginning { bytes, layout }, error, input)
}

/// By the beginning of an input and its first line; `is_all` says whether that is all of it.
fn layout(format: Format, bytes: &[u8], first: &[u8], is_all: bool) -> Layout {
    if matches!(format, Format::Auto | Format::Protobuf) {
        let is_framed = split::first_framed(bytes).is_some_and(|record| is_protobuf(&record));
        match (is_framed, format) {
            (true, _) => return Layout::Frames,
            (false, _) if is_all && is_protobuf(bytes) => return Layout::Document,
            (false, Format::Protobuf) => return Layout::Frames,
            (false, _) => {}
        }
    }
    if is_all && is_json(bytes) {
        return Layout::Document;
    }
    // A line that is JSON but no container is a record by itself, too.
    if is_json(first) {
        return Layout::Lines;
    }
    let first = without_mark(first).trim_ascii();
    let (opens_list, opens_object) = (first.starts_with(b"["), first.starts_with(b"{"));
    let lines = || bytes.split(|byte| *byte == b'\n');
    // A list with an element a line, or one that is longer than any record.
    let is_list = || {
        first == b"["
            || first.ends_with(b",")
            || first.len() >= KEPT_BYTES_MAX - 3
            || lines().any(|line| line.trim_ascii_start().starts_with(b","))
    };
    if opens_list && is_list() {
        return Layout::Values(Values::default());
    }
    if lines().any(is_record) {
        return Layout::Lines;
    }
    match (opens_list || opens_object, is_all) {
        (true, _) => Layout::Values(Values::default()),
        // What is no record anywhere is one dead letter.
        (false, true) => Layout::Document,
        (false, false) => Layout::Lines,
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// Whether the bytes begin as an object or a list.
fn opens(bytes: &[u8]) -> bool {
    matches!(without_mark(bytes).trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Whether the bytes are one JSON value.
fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(without_mark(bytes)).is_ok()
}

/// Whether a line is a record by itself: an object, a list of some, or a form.
fn is_record(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let is_value = line.starts_with(b"{") || line.starts_with(b"[{");
    is_value && is_json(line) || is_form(line)
}

/// Whether a line may be an urlencoded form: names, signs and values without blanks.
fn is_form(line: &[u8]) -> bool {
    let name = line.iter().position(|byte| *byte == b'=').unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'%');
    name > 0 && line[..name].iter().all(is_name) && line.iter().all(u8::is_ascii_graphic)
}

/// What was looked at ahead, then what went wrong there, else the rest.
struct Ahead {
    ahead: Cursor<Vec<u8>>,
    error: Option<std::io::Error>,
    rest: BufReader<Bytes>,
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.ahead.read(buffer)? {
            0 => match self.error.take() {
                Some(error) => Err(error),
                None => self.rest.read(buffer),
            },
            read => Ok(read),
        }
    }
}

/// Tells somebody how many bytes were read.
struct Counted<R, F> {
    inner: R,
    counted: F,
}

impl<R: Read, F: FnMut(u64)> Read for Counted<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        (self.counted)(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn records(bytes: &[u8]) -> Vec<String> {
        records_of(Format::Auto, bytes)
    }

    fn records_of(format: Format, bytes: &[u8]) -> Vec<String> {
        let mut input = Records::new(Box::new(Cursor::new(bytes.to_vec())), format).expect("opens");
        let (mut found, mut record) = (Vec::new(), Vec::new());
        loop {
            match input.next(&mut record).expect("reads") {
                Next::Record(at) => {
                    found.push(format!("{at} {}", String::from_utf8_lossy(record.trim_ascii())));
                }
                Next::Broken(at, why) => found.push(format!("{at} broken {why:?}")),
                Next::End => return found,
            }
        }
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(bytes).expect("written");
        gz.finish().expect("written")
    }

    #[test]
    fn lines_are_records_and_blank_ones_are_none() {
        assert_eq!(records(b"{\"a\":1}\n\n{\"b\":2}\r\n"), ["1 {\"a\":1}", "3 {\"b\":2}"]);
        assert_eq!(records(b"oops\n{\"b\":2}"), ["1 oops", "2 {\"b\":2}"]);
        assert_eq!(records(b"7\n{\"b\":2}\n"), ["1 7", "2 {\"b\":2}"]);
        assert_eq!(records(b"7\n8\n"), ["1 7", "2 8"]);
        assert_eq!(records(b"{}\n[]\n"), ["1 {}", "2 []"]);
        assert_eq!(records(b" \n"), ["1 "]);
        assert_eq!(records(b""), ["1 "]);
    }

    #[test]
    fn document_over_several_lines_is_one_record() {
        assert_eq!(records(b"{\n\"a\": 1\n}\n"), ["1 {\n\"a\": 1\n}"]);
        assert_eq!(records(b"{\n\"a\": \n}\n"), ["1 {\n\"a\": \n}"]);
    }

    #[test]
    fn compressed_input_reads_the_same_and_a_cut_tail_is_broken() {
        let lines = b"{\"a\":1}\n{\"b\":2}\n".repeat(2_000);
        let gz = gz(&lines);
        let zst = zstd::encode_all(lines.as_slice(), 1).expect("written");
        assert_eq!(records(&gz), records(&lines));
        assert_eq!(records(&zst), records(&lines));
        for cut in [&gz[..gz.len() - 6], &zst[..zst.len() - 6]] {
            assert!(records(cut).last().expect("some").ends_with("broken Compression"));
        }
    }

    #[test]
    fn documents_one_after_another_and_broken_lists_are_a_record_a_value() {
        assert_eq!(records(b"{\n\"a\": 1\n}\n{\n}\n"), ["1 {\n\"a\": 1\n}", "2 {\n}"]);
        assert_eq!(records(b"[\n{\"a\":1},\n{\"b\":2}\n]"), ["1 [\n{\"a\":1},\n{\"b\":2}\n]"]);
        let broken = ["1 {\"a\":}", "2 {\"b\":2}"];
        assert_eq!(records(b"[\n{\"a\":},\n{\"b\":2}\n]"), broken);
        assert_eq!(records(b"[{\"a\":},\n{\"b\":2}\n]"), broken);
        assert_eq!(records(b"[{\"a\":}\n{\"b\":2}"), ["1 [{\"a\":}", "2 {\"b\":2}"]);
    }

    #[test]
    fn list_that_is_longer_than_a_record_is_a_record_a_value() {
        let element = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20));
        for between in [",", ",\n", "\n,\n "] {
            let list = format!("[{}]", [element.as_str(); 10].join(between));
            let found = records(list.as_bytes());
            assert_eq!(found.len(), 10);
            assert!(found.iter().all(|record| record.ends_with(&element)));
        }
    }

    #[test]
    fn forms_are_a_record_a_line_and_what_is_nothing_is_one() {
        let forms = b"MessageSid=SM1&Body=a+b\nMessageSid=SM2&Body=%20\n";
        assert_eq!(records(forms), ["1 MessageSid=SM1&Body=a+b", "2 MessageSid=SM2&Body=%20"]);
        assert_eq!(records_of(Format::Twilio, &gz(forms)).len(), 2);
        assert_eq!(records(b"no\nrecord\nanywhere").len(), 1);
    }

    #[test]
    fn protobuf_is_a_record_a_frame() {
        // Account `9` and one empty item.
        let record = b"\x0a\x019\x1a\x00";
        assert!(is_protobuf(record));
        let framed = [&[5], &record[..], &[5], record].concat();
        let cut = [&framed[..], &[5], &record[..2]].concat();
        let text = String::from_utf8_lossy(record.trim_ascii()).into_owned();
        let two = [format!("1 {text}"), format!("2 {text}")];
        for format in [Format::Auto, Format::Protobuf] {
            assert_eq!(records_of(format, record), two[..1]);
            assert_eq!(records_of(format, &framed), two);
            assert_eq!(records_of(format, &gz(&framed)), two);
            assert_eq!(records_of(format, &cut)[2], "3 broken Frame");
            // An empty record before them hides none.
            let empty = [&[0], &framed[..]].concat();
            assert_eq!(records_of(format, &empty).len(), 3);
        }
        // Lengths that are digits, blanks, brackets and quotes, before the line's end that the
        // first field's tag is.
        for length in (b'0'..=b'9').chain(*b" \t\n\r{[\"-tf") {
            // An empty item, and one that was ignored, with a newer writer's field behind it.
            for item in [&b"\x1a\x00"[..], b"\x1a\x02\x22\x00\x22\x01x"] {
                let account = length - 2 - item.len() as u8;
                let digits = vec![b'9'; usize::from(account)];
                let frame = [&[length, 10, account], &digits[..], item].concat();
                assert_eq!(frame.len(), 1 + usize::from(length));
                let found = records(&frame.repeat(3));
                assert_eq!(found.len(), 3, "{length} {found:?}");
                assert!(!found.iter().any(|record| record.contains("broken")), "{length}");
            }
        }
        assert_eq!(records_of(Format::Protobuf, b""), ["1 "]);
        assert_eq!(records_of(Format::Protobuf, b"{\n"), ["1 broken Frame"]);
    }
}
