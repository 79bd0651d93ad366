//! One input of a scan as records: plain, gz or zst; JSON lines or one document.
//!
//! ```text
//!  bytes ─magic─▶ plain | gz | zst ─▶ look ahead ─┬─ one JSON document ─▶ one record
//!                                                 └─ else ─────────────▶ a record a line
//! ```
//!
//! What is looked at ahead is bounded by the largest record, so a file of any size of JSON lines
//! streams through.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use serde::de::IgnoredAny;
use turnwise_model::limits::RECORD_BYTES_MAX;

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// Bytes that tell the compression.
const MAGIC_BYTES: usize = 4;
/// Bytes kept of a longer record: enough to see that it is too long.
const KEPT_BYTES_MAX: usize = RECORD_BYTES_MAX + 1;
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
    /// What follows cannot be read: compressed bytes that do not decompress, at this number.
    Broken(i64),
}

/// The records of an input, in order.
pub(crate) struct Records {
    lines: BufReader<Bytes>,
    is_document: bool,
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
        counted: impl FnMut(u64) + Send + 'static,
    ) -> std::io::Result<Self> {
        Self::new(Box::new(Counted { inner: File::open(path)?, counted }))
    }

    /// Over bytes, compressed or not.
    pub(crate) fn new(mut bytes: Bytes) -> std::io::Result<Self> {
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
        let (ahead, error, rest) = look_ahead(BufReader::with_capacity(BUFFER_BYTES, plain));
        let is_document = ahead.is_document;
        let parts = Ahead { ahead: Cursor::new(ahead.bytes), error, rest };
        Ok(Self {
            lines: BufReader::with_capacity(BUFFER_BYTES, Box::new(parts)),
            is_document,
            is_compressed: gz || zst,
            number: 0,
            has_content: false,
            is_done: false,
        })
    }

    /// Puts the next record into the buffer. Lines of white space are none, but an input of
    /// nothing else is one empty record.
    ///
    /// # Errors
    /// An input that is not compressed and cannot be read on.
    pub(crate) fn next(&mut self, record: &mut Vec<u8>) -> std::io::Result<Next> {
        while !self.is_done {
            record.clear();
            let read = if self.is_document {
                self.is_done = true;
                self.lines.read_to_end(record)
            } else {
                read_line(&mut self.lines, record)
            };
            match read {
                Ok(0) if !self.is_document => self.is_done = true,
                Ok(_) => {
                    self.number += 1;
                    if !record.trim_ascii().is_empty() {
                        self.has_content = true;
                        return Ok(Next::Record(self.number));
                    }
                }
                Err(_) if self.is_compressed => {
                    self.is_done = true;
                    self.has_content = true;
                    self.number += 1;
                    return Ok(Next::Broken(self.number));
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

/// Reads a line without its end; of a longer one than any record may be, only the beginning.
/// Returns the bytes taken from the input.
fn read_line(lines: &mut impl BufRead, record: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut taken = 0;
    loop {
        let buffer = lines.fill_buf()?;
        if buffer.is_empty() {
            return Ok(taken);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let line = &buffer[..end.unwrap_or(buffer.len())];
        let room = KEPT_BYTES_MAX.saturating_sub(record.len());
        record.extend_from_slice(&line[..line.len().min(room)]);
        let used = line.len() + usize::from(end.is_some());
        lines.consume(used);
        taken += used;
        if end.is_some() {
            return Ok(taken);
        }
    }
}

/// The beginning of an input.
struct Beginning {
    bytes: Vec<u8>,
    is_document: bool,
}

/// Reads until it is clear whether the input is one document or a record a line.
fn look_ahead(
    mut input: BufReader<Bytes>,
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
    if error.is_some() || is_json(&line) || bytes.len() >= KEPT_BYTES_MAX {
        return (Beginning { bytes, is_document: false }, error, input);
    }
    let room = KEPT_BYTES_MAX - bytes.len();
    error = input.by_ref().take(room as u64).read_to_end(&mut bytes).err();
    let fits = error.is_none() && bytes.len() < KEPT_BYTES_MAX;
    let is_document = fits && (is_json(&bytes) || !bytes.split(|b| *b == b'\n').any(is_record));
    (Beginning { bytes, is_document }, error, input)
}

/// Whether the bytes are one JSON value.
fn is_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Whether a line is a record by itself.
fn is_record(line: &[u8]) -> bool {
    line.trim_ascii().starts_with(b"{") && is_json(line)
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
        let mut input = Records::new(Box::new(Cursor::new(bytes.to_vec()))).expect("opens");
        let (mut found, mut record) = (Vec::new(), Vec::new());
        loop {
            match input.next(&mut record).expect("reads") {
                Next::Record(at) => {
                    found.push(format!("{at} {}", String::from_utf8_lossy(record.trim_ascii())));
                }
                Next::Broken(at) => found.push(format!("{at} broken")),
                Next::End => return found,
            }
        }
    }

    #[test]
    fn lines_are_records_and_blank_ones_are_none() {
        assert_eq!(records(b"{\"a\":1}\n\n{\"b\":2}\r\n"), ["1 {\"a\":1}", "3 {\"b\":2}"]);
        assert_eq!(records(b"oops\n{\"b\":2}"), ["1 oops", "2 {\"b\":2}"]);
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
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&lines).expect("written");
        let gz = gz.finish().expect("written");
        let zst = zstd::encode_all(lines.as_slice(), 1).expect("written");
        assert_eq!(records(&gz), records(&lines));
        assert_eq!(records(&zst), records(&lines));
        assert!(records(&gz[..gz.len() - 6]).last().expect("some").ends_with("broken"));
        assert!(records(&zst[..zst.len() - 6]).last().expect("some").ends_with("broken"));
    }
}
