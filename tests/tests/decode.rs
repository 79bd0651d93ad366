//! The program's decoder against the oracle's: every record gives the same rows, in every column.
//!
//! ```text
//! generated, damaged, recorded ─┬▶ program's codec ──▶ rows ─┐
//!                               └▶ oracle's decoder ─▶ rows ─┴▶ equal?
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_model::schema::column as c;
use turnwise_model::{EventKind, Keys, Millis, Offset, PartitionId, Secret, SourceName};
use turnwise_tests::oracle::decode::{Cell, Form, Place, RawRow, decode, raw_rows};
use turnwise_traffic::{Plan, Rates, Topic, Traffic};

#[path = "privacy/records.rs"]
mod records;

/// 2026-11-08T12:00:00Z.
const NOW: i64 = 1_794_139_200_000;
/// A program that stops elsewhere in the same token is right too.
const BYTES_OFF_MAX: i64 = 16;

/// Compares what both make of records.
struct Comparison {
    keys: Keys,
    decoder: Decoder,
    records: i64,
    rows: u64,
    wrong: Vec<String>,
}

impl Comparison {
    fn new() -> Self {
        let secret = Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough");
        let keys = Keys::expand(&secret);
        let decoder = Decoder::new(keys.clone());
        Self { keys, decoder, records: 0, rows: 0, wrong: Vec::new() }
    }

    fn add(&mut self, name: &str, form: Form, time: i64, bytes: &[u8]) {
        self.records += 1;
        let source = SourceName("cluster/topic".to_owned());
        let context = RecordContext {
            source: &source,
            partition: PartitionId(3),
            offset: Offset(self.records),
            record_time: Some(Millis(time)),
            read_time: Millis(time),
        };
        let format = match form {
            Form::Webhook => Format::CloudApi,
            Form::Send => Format::Send,
        };
        self.decoder.decode(format, &context, Some(bytes));
        self.decoder.take_dead_letters();
        let mut found: Vec<RawRow> = Vec::new();
        for batch in self.decoder.finish() {
            found.extend(raw_rows(batch.kind, &batch.rows));
        }
        let place = Place { source: source.0.clone(), partition: 3, offset: self.records, time };
        let meant = decode(&self.keys, form, &place, bytes);
        self.rows += meant.len() as u64;
        if let Some(difference) = difference(&found, &meant) {
            self.wrong.push(format!("{difference}: {name}"));
        }
    }

    /// A record whose form its content tells.
    fn add_json(&mut self, name: &str, bytes: &[u8]) {
        let is_send = bytes.windows(10).any(|part| part == b"\"request\":");
        self.add(name, if is_send { Form::Send } else { Form::Webhook }, NOW, bytes);
    }

    fn add_text(&mut self, text: &str) {
        let record = serde_json::json!({
            "time": NOW, "phone_number_id": "100", "status": 200,
            "request": {"type": "text", "to": "4917012345678", "text": {"body": text}},
        });
        self.add(&format!("{text:?}"), Form::Send, NOW, record.to_string().as_bytes());
    }

    fn assert_same(&self) {
        let shown = &self.wrong[..self.wrong.len().min(20)];
        assert!(self.wrong.is_empty(), "{} of {}: {shown:#?}", self.wrong.len(), self.records);
    }
}

/// By kind and item, since the program sorts its rows by kind.
fn by_place(rows: &[RawRow]) -> BTreeMap<(EventKind, Option<i64>), &RawRow> {
    rows.iter().map(|row| ((row.kind, row.int(c::ITEM)), row)).collect()
}

/// The first difference between what the program found and what is meant.
fn difference(found: &[RawRow], meant: &[RawRow]) -> Option<String> {
    let (found_at, meant_at) = (by_place(found), by_place(meant));
    if found_at.len() != found.len() || meant_at.len() != meant.len() {
        return Some("two rows of one place".to_owned());
    }
    if let Some((place, row)) = found_at.iter().find(|(place, _)| !meant_at.contains_key(*place)) {
        return Some(format!("{place:?} is not meant: {row:?}"));
    }
    meant_at.iter().find_map(|(place, meant)| {
        let Some(found) = found_at.get(place) else { return Some(format!("no row for {meant:?}")) };
        if is_same_error(found, meant) {
            return None;
        }
        found.difference(meant).map(|difference| format!("{place:?}: {difference}"))
    })
}

/// Both say that the text stops being JSON, and almost at the same byte.
fn is_same_error(found: &RawRow, meant: &RawRow) -> bool {
    let byte = |row: &RawRow| -> Option<i64> {
        row.text(c::DETAIL)?.strip_prefix("record: found an error at byte ")?.parse().ok()
    };
    let (Some(one), Some(other)) = (byte(found), byte(meant)) else { return false };
    let without = |row: &RawRow| {
        let mut row = row.clone();
        row.cells.remove(c::DETAIL);
        row
    };
    (one - other).abs() <= BYTES_OFF_MAX && without(found) == without(meant)
}

/// Everything goes wrong far more often than it does.
fn rough(seed: u64, messages: u64) -> Plan {
    let rates = Rates {
        duplicates: 0.02,
        failed: 0.05,
        bundled: 0.2,
        integer_timestamps: 0.2,
        user_id_only: 0.2,
        history: 0.05,
        standby: 0.05,
        metadata: 0.2,
        malformed: 0.05,
        ..Rates::default()
    };
    Plan { rates, ..Plan::new(seed, messages) }
}

#[test]
fn generated_records_mean_the_same_rows() {
    let mut comparison = Comparison::new();
    for seed in 1..=6 {
        println!("seed {seed}");
        for record in Traffic::new(rough(seed, 1_500)) {
            let form = match record.topic {
                Topic::Webhooks => Form::Webhook,
                Topic::Sends => Form::Send,
            };
            let name = format!("seed {seed} {:?}", String::from_utf8_lossy(&record.value));
            comparison.add(&name, form, record.time.0, &record.value);
        }
    }
    println!("{} records, {} rows", comparison.records, comparison.rows);
    assert!(comparison.rows > 20_000);
    comparison.assert_same();
}

#[test]
fn records_damaged_in_every_place_mean_the_same_rows() {
    let mut canaries = records::Canaries::default();
    let mut comparison = Comparison::new();
    let good = records::good(&mut canaries);
    for record in &good {
        let text = record.to_string();
        comparison.add_json(&text, text.as_bytes());
        for damaged in records::damaged(record, &mut canaries) {
            let name = String::from_utf8_lossy(&damaged).into_owned();
            comparison.add_json(&name, &damaged);
        }
    }
    for bytes in records::no_json(&mut canaries) {
        let name = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
        comparison.add_json(&name, &bytes);
    }
    println!("{} records, {} rows", comparison.records, comparison.rows);
    assert!(comparison.records > 5_000 && canaries.all().len() > 100);
    comparison.assert_same();
}

/// Files under a folder of recorded data.
fn recorded(folder: &str, extension: &str) -> Vec<PathBuf> {
    let Some(data) = std::env::var_os("TURNWISE_DATA") else { return Vec::new() };
    let mut folders = vec![Path::new(&data).join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn recorded_payloads_mean_the_same_rows() {
    let mut comparison = Comparison::new();
    for file in recorded("payloads", "json") {
        let bytes = std::fs::read(&file).expect("a file that was listed");
        let name = file.display().to_string();
        for form in [Form::Webhook, Form::Send] {
            comparison.add(&name, form, NOW, &bytes);
        }
    }
    println!("{} records, {} rows", comparison.records, comparison.rows);
    comparison.assert_same();
}

/// The strings of a JSON value.
fn strings<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::String(text) => found.push(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        serde_json::Value::Object(members) => {
            members.values().for_each(|value| strings(value, found));
        }
        _ => {}
    }
}

#[test]
fn texts_of_recorded_dialogues_have_the_same_shape() {
    /// Texts of one file that are compared.
    const TEXTS_MAX: usize = 3_000;
    let mut comparison = Comparison::new();
    for file in recorded("dialogues", "gz") {
        let reader = flate2::read::GzDecoder::new(std::fs::File::open(&file).expect("a file"));
        let lines = std::io::BufRead::lines(std::io::BufReader::new(reader));
        let mut texts = 0;
        for line in lines.map_while(Result::ok) {
            let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            let mut found = Vec::new();
            strings(&value, &mut found);
            for text in found {
                texts += 1;
                comparison.add_text(text);
            }
            if texts > TEXTS_MAX {
                break;
            }
        }
    }
    println!("{} texts", comparison.records);
    comparison.assert_same();
}

/// Pieces that texts are put together from: what the rules of a shape turn on.
const PIECES: &[&str] = &[
    " ",
    " ",
    " ",
    "\n",
    "  ",
    "\u{a0}",
    "\t",
    ".",
    ",",
    "!",
    "?",
    "؟",
    ";",
    "·",
    ":",
    "-",
    "'",
    "’",
    "*",
    "**",
    "__",
    "_",
    "#",
    "# ",
    "## ",
    "`",
    "```",
    "- ",
    "* ",
    "• ",
    "1. ",
    "2) ",
    "(3) ",
    "1️⃣ ",
    "{",
    "}",
    ");",
    " = ",
    "->",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "\"",
    "/",
    "@",
    "+",
    "%",
    "€",
    "$",
    "1",
    "42",
    "482913",
    "10:30",
    "1.500,00",
    "१२",
    "٣",
    "kg",
    "EUR",
    "uhr",
    "元",
    "年",
    "G-",
    "x2",
    "what",
    "What",
    "how",
    "hello",
    "Hello",
    "thanks",
    "ok",
    "please",
    "explain",
    "Explain",
    "can you",
    "qué",
    "hola",
    "Hola",
    "por favor",
    "wie",
    "danke",
    "нет",
    "Привет",
    "как",
    "你好",
    "什么",
    "请",
    "おはよう",
    "東京タワー",
    "한국어",
    "สวัสดี",
    "नमस्ते",
    "क्या",
    "مرحبا",
    "כיצד",
    "Τι κάνεις",
    "ß",
    "İ",
    "I",
    "ς",
    "Σ",
    "é",
    "e\u{301}",
    "ー",
    "ｱ",
    "々",
    "Ā",
    "ǅ",
    "ﬁ",
    "London",
    "münchen",
    "STRASSE",
    "a",
    "B",
    "😀",
    "👍🏽",
    "❤️",
    "🇩🇪",
    "👨\u{200d}👩",
    "☎",
    "©",
    "\u{fe0f}",
    "\u{20e3}",
    "\u{200d}",
    "\u{0}",
    "\u{ad}",
    "https://",
    "http://x.org/a?b=1",
    "www.",
    "example.com",
    "a.b",
    "wa.me/1",
    ".com",
    "co",
    "me@x.org",
    "def f(x):",
    "class",
    "import os",
    "from x import y",
    "let a",
    "int x",
    "SELECT ",
    "if (x) {",
    "for x in y:",
];

#[test]
fn texts_of_random_pieces_have_the_same_shape() {
    const TEXTS: u64 = 30_000;
    let seed: u64 = match std::env::var("TURNWISE_TEST_SEED") {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => 11,
    };
    println!("seed {seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut comparison = Comparison::new();
    for _ in 0..TEXTS {
        let pieces = random.random_range(0..14);
        let text: String =
            (0..pieces).map(|_| PIECES[random.random_range(0..PIECES.len())]).collect();
        comparison.add_text(&text);
    }
    comparison.assert_same();
}

#[test]
fn one_wrong_value_or_row_is_told() {
    let mut comparison = Comparison::new();
    let record = br#"{"time":1794139200000,"phone_number_id":"100","status":200,
        "request":{"type":"text","to":"4917012345678","text":{"body":"How do I prepare noodles?"}}}"#;
    comparison.add("a send", Form::Send, NOW, record);
    comparison.assert_same();
    let place = Place { source: "s".to_owned(), partition: 0, offset: 0, time: NOW };
    let meant = decode(&comparison.keys, Form::Send, &place, record);
    assert_eq!(difference(&meant, &meant), None);
    for (column, cell) in &meant[0].cells {
        let mut wrong = meant.clone();
        let other = match cell {
            Cell::Int(value) => Cell::Int(value + 1),
            Cell::Text(text) => Cell::Text(format!("{text}x")),
            Cell::List(values) => Cell::List(values.iter().skip(1).copied().collect()),
        };
        wrong[0].cells.insert(column, other);
        assert!(difference(&wrong, &meant).is_some(), "another {column}");
        wrong[0].cells.remove(column);
        assert!(difference(&wrong, &meant).is_some(), "no {column}");
    }
    assert!(difference(&[], &meant).is_some() && difference(&meant, &[]).is_some());
}
