//! Canaries: secrets put into records on purpose, and a search for them in whatever came out.
//!
//! A canary is looked for as it is, as JSON and debug output escape it, as hex, as base64 at every
//! alignment, and, if it is digits, as an integer of eight bytes. Parquet files are searched raw and
//! as the values that a reader sees; JSON lines are searched raw and as the strings they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Fewer bytes than this would be found by chance.
const NEEDLE_BYTES_MIN: usize = 7;

/// Where a canary was found: which, in which form, where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The canary.
    pub canary: String,
    /// The form it had.
    pub form: &'static str,
    /// The file or stream, and the column.
    pub place: String,
}

/// Finds canaries.
#[derive(Debug)]
pub struct Search {
    needles: Vec<(usize, &'static str, Vec<u8>)>,
    /// Needles by their first four bytes.
    starts: BTreeMap<[u8; 4], Vec<usize>>,
    /// Whether any needle starts with these two bytes.
    pairs: Vec<bool>,
    canaries: Vec<String>,
    integers: BTreeMap<i64, usize>,
    bytes: u64,
    values: u64,
    hits: BTreeSet<Hit>,
}

impl Search {
    /// For these canaries, each so odd that it appears nowhere by chance.
    #[must_use]
    pub fn new(canaries: &[String]) -> Self {
        let mut needles = Vec::new();
        let mut integers = BTreeMap::new();
        for (at, canary) in canaries.iter().enumerate() {
            for (form, bytes) in forms(canary) {
                needles.push((at, form, bytes));
            }
            if let Some(number) = integer(canary) {
                integers.insert(number, at);
            }
        }
        let (mut starts, mut pairs) = (BTreeMap::<_, Vec<_>>::new(), vec![false; 1 << 16]);
        for (at, (_, _, bytes)) in needles.iter().enumerate() {
            assert!(bytes.len() >= NEEDLE_BYTES_MIN, "too short to be looked for");
            starts.entry([bytes[0], bytes[1], bytes[2], bytes[3]]).or_default().push(at);
            pairs[usize::from(bytes[0]) << 8 | usize::from(bytes[1])] = true;
        }
        let canaries = canaries.to_vec();
        let (bytes, values, hits) = (0, 0, BTreeSet::new());
        Self { needles, starts, pairs, canaries, integers, bytes, values, hits }
    }

    /// What was found so far.
    #[must_use]
    pub fn hits(&self) -> &BTreeSet<Hit> {
        &self.hits
    }

    /// Bytes, and values of Parquet columns, that were searched.
    #[must_use]
    pub fn searched(&self) -> (u64, u64) {
        (self.bytes, self.values)
    }

    /// Searches bytes as they are.
    pub fn raw(&mut self, place: &str, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        for at in 0..bytes.len().saturating_sub(3) {
            if !self.pairs[usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])] {
                continue;
            }
            let start = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            for needle in self.starts.get(&start).into_iter().flatten() {
                let (canary, form, needle) = &self.needles[*needle];
                if bytes[at..].starts_with(needle) {
                    let canary = self.canaries[*canary].clone();
                    self.hits.insert(Hit { canary, form, place: place.to_owned() });
                }
            }
        }
    }

    /// Searches text raw, and what its JSON lines, or the whole as one JSON, hold.
    pub fn text(&mut self, place: &str, bytes: &[u8]) {
        self.raw(place, bytes);
        if let Ok(value) = serde_json::from_slice(bytes) {
            self.json(place, &value);
            return;
        }
        for line in bytes.split(|byte| *byte == b'\n') {
            if let Ok(value) = serde_json::from_slice(line) {
                self.json(place, &value);
            }
        }
    }

    fn json(&mut self, place: &str, value: &Value) {
        match value {
            Value::String(text) => {
                self.raw(place, text.as_bytes());
                if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
                {
                    self.json(place, &inner);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.json(place, item)),
            Value::Object(members) => {
                for (key, value) in members {
                    self.raw(place, key.as_bytes());
                    self.json(place, value);
                }
            }
            Value::Number(number) => self.number(place, number.as_i64()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn number(&mut self, place: &str, number: Option<i64>) {
        self.values += 1;
        if let Some(canary) = number.and_then(|number| self.integers.get(&number)) {
            let canary = self.canaries[*canary].clone();
            self.hits.insert(Hit { canary, form: "number", place: place.to_owned() });
        }
    }

    /// Searches every file under a folder, and the names of all.
    ///
    /// # Panics
    /// Where a file cannot be read.
    pub fn folder(&mut self, folder: &Path) -> usize {
        let mut count = 0;
        for path in files(folder) {
            let place = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            self.raw(&place, place.as_bytes());
            let bytes = std::fs::read(&path).expect("a file that was listed");
            self.text(&place, &bytes);
            if path.extension().is_some_and(|end| end == "parquet") {
                self.parquet(&place, &path);
            }
            count += 1;
        }
        count
    }

    fn parquet(&mut self, place: &str, path: &Path) {
        let file = File::open(path).expect("a file that was listed");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
        for batch in reader.build().expect("a reader") {
            self.batch(place, &batch.expect("rows"));
        }
    }

    fn batch(&mut self, place: &str, batch: &RecordBatch) {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            self.column(&format!("{place}: {}", field.name()), column.as_ref());
        }
    }

    /// Every value of a column: numbers as numbers, bytes as bytes, anything else as text.
    fn column(&mut self, place: &str, column: &dyn Array) {
        match column.data_type() {
            DataType::Int64 => {
                let values = column.as_primitive::<Int64Type>();
                values.iter().for_each(|value| self.number(place, value));
            }
            DataType::Int32 => {
                let values = column.as_primitive::<Int32Type>();
                values.iter().for_each(|value| self.number(place, value.map(i64::from)));
            }
            DataType::List(_) => self.column(place, column.as_list::<i32>().values().as_ref()),
            DataType::Struct(_) => {
                let values = column.as_struct();
                values.columns().iter().for_each(|child| self.column(place, child.as_ref()));
            }
            DataType::Binary => {
                for value in column.as_binary::<i32>().iter().flatten() {
                    self.values += 1;
                    self.text(place, value);
                }
            }
            _ => {
                let options = FormatOptions::default();
                let shown = ArrayFormatter::try_new(column, &options).expect("a type with text");
                for row in 0..column.len() {
                    self.values += 1;
                    self.text(place, shown.value(row).to_string().as_bytes());
                }
            }
        }
    }
}

/// All files under a folder, in order.
///
/// # Panics
/// Where a folder cannot be listed.
#[must_use]
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn integer(canary: &str) -> Option<i64> {
    canary.parse().ok().filter(|number: &i64| *number >= 1 << 40)
}

/// The forms in which a canary is looked for.
fn forms(canary: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = canary.as_bytes();
    let mut forms = vec![("plain", bytes.to_vec())];
    let escaped: String = canary.chars().map(json_escape).collect();
    let debug = format!("{canary:?}").trim_matches('"').to_owned();
    let unicode: String = canary.chars().flat_map(char::escape_unicode).collect();
    let shown = serde_json::to_string(canary).unwrap_or_default().trim_matches('"').to_owned();
    forms.extend([
        ("json", escaped.into_bytes()),
        ("json", shown.into_bytes()),
        ("debug", debug.into_bytes()),
        ("unicode", unicode.into_bytes()),
        ("hex", hex(bytes, false)),
        ("hex", hex(bytes, true)),
        ("octets", octets(bytes)),
    ]);
    for alphabet in [STANDARD, URL_SAFE] {
        forms.extend((0..3).map(|shift| ("base64", base64_inside(bytes, shift, alphabet))));
    }
    if let Some(number) = integer(canary) {
        forms.push(("integer", number.to_le_bytes().to_vec()));
        forms.push(("integer", number.to_be_bytes().to_vec()));
    }
    let mut seen = BTreeSet::new();
    forms.retain(|(_, bytes)| seen.insert(bytes.clone()));
    forms
}

fn json_escape(c: char) -> String {
    if c.is_ascii_alphanumeric() || ".:-_+ ".contains(c) {
        return c.to_string();
    }
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn hex(bytes: &[u8], upper: bool) -> Vec<u8> {
    let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let digit = |value: u8| digits[usize::from(value)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes as debug output shows a list of them.
fn octets(bytes: &[u8]) -> Vec<u8> {
    let shown: Vec<String> = bytes.iter().map(u8::to_string).collect();
    shown.join(", ").into_bytes()
}

/// What base64 has of these bytes, whatever stands before and after, with `shift` bytes before.
fn base64_inside(bytes: &[u8], shift: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let bits: Vec<bool> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    // The first sextet that holds bits of ours alone.
    let skipped = (6 - shift * 8 % 6) % 6;
    let sextet = |bits: &[bool]| bits.iter().fold(0_usize, |sum, bit| sum * 2 + usize::from(*bit));
    bits[skipped..].chunks_exact(6).map(|bits| alphabet[sextet(bits)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(canary: &str, bytes: &[u8]) -> Vec<&'static str> {
        let mut search = Search::new(&[canary.to_owned()]);
        search.text("here", bytes);
        search.hits().iter().map(|hit| hit.form).collect()
    }

    #[test]
    fn every_form_is_found_inside_other_bytes() {
        assert_eq!(found("zebra quagga", b"a zebra quagga b"), ["plain"]);
        assert_eq!(found("zebra quagga", b"7a6562726120717561676761"), ["hex"]);
        assert_eq!(found("zebra quagga", b"7A6562726120717561676761"), ["hex"]);
        // `zebra quagga` alone, after `x` and after `xy`.
        for text in ["emVicmEgcXVhZ2dh", "eHplYnJhIHF1YWdnYQ==", "eHl6ZWJyYSBxdWFnZ2E="] {
            assert_eq!(found("zebra quagga", text.as_bytes()), ["base64"], "{text}");
        }
        assert_eq!(found("z\u{e9}bra \"q", b"z\\u00e9bra \\u0022q"), ["json"]);
        assert!(found("z\u{e9}bra \"q", b"{\"a\":\"z\\u00E9bra \\\"q\"}").contains(&"plain"));
        assert_eq!(found("4917055512345", &4_917_055_512_345_i64.to_le_bytes()), ["integer"]);
        assert!(found("4917055512345", b"{\"a\":4917055512345}").contains(&"number"));
        assert!(found("zebra quagga", b"zebra quag ga").is_empty());
    }
}
