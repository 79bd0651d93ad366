//! Law 1 from the outside: whatever goes into the built program, no text, phone number, user id,
//! name or wamid comes out in a file, a log line, an error or an answer.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use turnwise_model::conversation::SAMPLE_COLUMNS;
use turnwise_tests::canary::{Search, files};

#[path = "privacy/formats.rs"]
mod formats;
#[path = "privacy/kafka.rs"]
mod kafka;
#[path = "privacy/records.rs"]
mod records;
#[path = "privacy/spill.rs"]
mod spill;

use records::Canaries;

/// What the encoders of the codec's tests ask for.
mod common {
    /// When what has no time of its own is read.
    pub const NOW: i64 = 1_794_000_000_000;
}

/// The built program; the tests have nothing to run without it.
fn binary() -> Option<PathBuf> {
    std::env::var_os("TURNWISE_BIN").map(PathBuf::from)
}

struct Input {
    canaries: Canaries,
    lines: Vec<Vec<u8>>,
}

fn input() -> Input {
    let mut canaries = Canaries::default();
    let good = records::good(&mut canaries);
    let mut lines: Vec<Vec<u8>> = good.iter().map(|r| r.to_string().into_bytes()).collect();
    for record in &good {
        lines.extend(records::damaged(record, &mut canaries));
    }
    lines.extend(records::no_json(&mut canaries));
    lines.retain(|line| !line.contains(&b'\n'));
    Input { canaries, lines }
}

fn joined(lines: &[Vec<u8>]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
}

/// Runs the program in a folder, its temporary files in there too.
fn turnwise(binary: &Path, folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let temporary = folder.join("tmp");
    std::fs::create_dir_all(&temporary).expect("folder");
    let mut child = Command::new(binary)
        .args(args)
        .current_dir(folder)
        .env("TMPDIR", &temporary)
        .env("RUST_BACKTRACE", "full")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    let bytes = input.to_vec();
    let writing = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let output = child.wait_with_output().expect("ends");
    writing.join().expect("written");
    output
}

/// Runs it, searches what it said, and expects an exit status.
fn run(
    search: &mut Search,
    at: (&Path, &Path),
    args: &[&str],
    input: &[u8],
    status: i32,
) -> Output {
    let output = turnwise(at.0, at.1, args, input);
    let name = args.join(" ");
    search.text(&format!("{name}: standard output"), &output.stdout);
    search.text(&format!("{name}: standard error"), &output.stderr);
    let said = String::from_utf8_lossy(&output.stderr);
    let end: String = said.chars().rev().take(500).collect::<Vec<_>>().into_iter().rev().collect();
    assert_eq!(output.status.code(), Some(status), "{name}: {end}");
    output
}

fn assert_clean(search: &Search) {
    // One of each column or stream: file names differ, what leaks does not.
    let mut places = BTreeMap::new();
    for hit in search.hits() {
        let kind = hit.place.rsplit(['/', ' ']).next().unwrap_or_default();
        let key = (hit.form, if hit.place.contains(": ") { kind } else { "raw" });
        places.entry(key).or_insert(hit);
    }
    assert!(places.is_empty(), "{} hits, such as {places:#?}", search.hits().len());
}

const TRACE: [&str; 4] = ["--log-level", "trace", "--log", "json"];
const TRACE_TEXT: [&str; 4] = ["--log-level", "trace", "--log", "text"];
const LAKE: [&str; 4] = ["--lake", "lake", "--secret-file", "secret"];

#[test]
fn no_canary_comes_out_of_scan_and_sql() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let (path, input) = (folder.path(), input());
    let plain = joined(&input.lines);
    std::fs::write(path.join("a.jsonl"), &plain).expect("written");
    let mut search = Search::new(input.canaries.all());
    let at = (binary.as_path(), path);
    let scan = [&TRACE[..], &["scan", "a.jsonl", "--format", "json"], &LAKE].concat();
    let output = run(&mut search, at, &scan, b"", 0);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let count = |name: &str| answer["files"][0][name].as_i64().expect("a count");
    assert!(count("messages") > 1_000, "messages {}", count("messages"));
    assert!(count("dead_letters") > 5_000, "dead letters {}", count("dead_letters"));
    for name in ["statuses", "history", "account_events", "ignored"] {
        assert!(count(name) > 5, "{name} {}", count(name));
    }
    let plain_text = [&TRACE_TEXT[..], &["scan", "a.jsonl"]].concat();
    run(&mut search, at, &plain_text, b"", 0);
    ask(&mut search, at);
    assert!(search.folder(&path.join("lake")) > 20, "files of the lake");
    search.folder(&path.join("tmp"));
    let (bytes, values) = search.searched();
    assert!(bytes > 1_000_000 && values > 100_000, "searched {bytes} bytes, {values} values");
    assert_clean(&search);
}

#[test]
fn no_canary_comes_out_of_any_format() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    let mut canaries = Canaries::default();
    let written = formats::written(&mut canaries);
    std::fs::write(path.join("good.jsonl"), joined(&written.good)).expect("written");
    // A whole line says that there is one record a line.
    let damaged = [&written.good[..1], &written.damaged[..]].concat();
    std::fs::write(path.join("damaged.jsonl"), joined(&damaged)).expect("written");
    std::fs::write(path.join("records.pb"), &written.protobuf).expect("written");
    let mut search = Search::new(canaries.all());
    let at = (binary.as_path(), path);
    let names = ["good.jsonl", "damaged.jsonl", "records.pb"];
    let scan = [&TRACE[..], &["scan"], &names, &["--format", "json"], &LAKE].concat();
    let output = run(&mut search, at, &scan, b"", 0);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let count = |file: usize, name: &str| answer["files"][file][name].as_i64().expect("a count");
    // They were read as what they are, not refused.
    assert_eq!(count(0, "dead_letters") + count(0, "ignored"), 0, "{}", answer["files"][0]);
    for (file, name, least) in [
        (0, "messages", 300),
        (0, "statuses", 80),
        (0, "history", 10),
        (1, "dead_letters", 1_000),
        (2, "messages", 10),
        (2, "dead_letters", 20),
    ] {
        assert!(count(file, name) >= least, "{name} of {}: {}", names[file], answer["files"][file]);
    }
    ask(&mut search, at);
    assert!(search.folder(&path.join("lake")) > 10, "files of the lake");
    search.folder(&path.join("tmp"));
    assert_clean(&search);
}

/// Every table in every form, and statements that fail, on rows where they can.
fn ask(search: &mut Search, at: (&Path, &Path)) {
    let sql = |search: &mut Search, log: &[&str], form: &str, statement: &str, status| {
        let asked = ["sql", statement, "--lake", "lake", "--format", form];
        run(search, at, &[log, &asked].concat(), b"", status)
    };
    let tables = [
        "messages_raw",
        "messages",
        "statuses_raw",
        "statuses",
        "account_events",
        "dead_letters",
        "ignored",
        "gaps",
        "sender_features",
        "verdicts",
    ];
    // Samples are nobody's to see; all else of a conversation is.
    let samples = SAMPLE_COLUMNS.join(", ");
    let conversations = format!("SELECT * EXCLUDE ({samples}) FROM conversations LIMIT 3000");
    let of_tables = tables.map(|table| format!("SELECT * FROM {table} LIMIT 3000"));
    for (turn, statement) in of_tables.iter().chain([&conversations]).enumerate() {
        sql(search, &TRACE, ["json", "csv", "table"][turn % 3], statement, 0);
    }
    // A scan flags nobody, and the rest no analyst may see.
    for table in ["flags", "sender_days", "events", "conversations"] {
        sql(search, &TRACE, "json", &format!("SELECT * FROM {table} LIMIT 3000"), 1);
    }
    for statement in [
        "SELECT CAST(sender || CAST(message AS TEXT) AS INT) FROM messages_raw",
        "SELECT CAST(CAST(message AS TEXT) AS TINYINT) FROM messages_raw",
        "SELECT 1 / (message - message) FROM messages_raw",
        "SELECT nothing_of_that_name FROM messages_raw",
        "SELECT CAST(reason || 'x' AS DATE) FROM dead_letters",
        "SELEKT",
    ] {
        sql(search, &TRACE, "json", statement, 1);
        sql(search, &TRACE_TEXT, "table", statement, 1);
    }
}

#[test]
fn no_canary_comes_out_of_compressed_files_and_standard_input() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let (path, input) = (folder.path(), input());
    // A part of the lines is enough for another way in.
    let lines: Vec<Vec<u8>> = input.lines.iter().step_by(7).cloned().collect();
    let plain = joined(&lines);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&plain).expect("written");
    let gz = encoder.finish().expect("written");
    let zst = zstd::encode_all(plain.as_slice(), 1).expect("written");
    std::fs::write(path.join("b.gz"), &gz).expect("written");
    std::fs::write(path.join("cut.gz"), &gz[..gz.len() / 2]).expect("written");
    std::fs::write(path.join("c.zst"), &zst).expect("written");
    std::fs::write(path.join("cut.zst"), &zst[..zst.len() / 2]).expect("written");
    std::fs::write(path.join("d.json"), &input.lines[0]).expect("written");
    let mut search = Search::new(input.canaries.all());
    let at = (binary.as_path(), path);
    let all = ["scan", "b.gz", "c.zst", "d.json", "-"];
    for (form, log) in [("json", TRACE), ("table", TRACE_TEXT), ("csv", TRACE)] {
        let args = [&log[..], &all, &["--format", form], &LAKE].concat();
        run(&mut search, at, &args, &plain, 0);
    }
    run(&mut search, at, &[&TRACE[..], &["scan", "cut.gz", "cut.zst", "missing"]].concat(), b"", 1);
    assert!(search.folder(&path.join("lake")) > 10, "files of the lake");
    search.folder(&path.join("tmp"));
    assert_clean(&search);
}

#[test]
fn leak_planted_in_a_lake_is_found() {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::file::properties::{EnabledStatistics, WriterProperties};

    let mut canaries = Canaries::default();
    let (phone, text) = (canaries.phone(), canaries.text());
    let folder = tempfile::tempdir().expect("folder");
    let rows = |last: &str, number: i64| {
        let texts: StringArray = (0..500)
            .map(|row| Some(format!("harmless words, row {row}")))
            .chain([Some(format!("before {last} after"))])
            .collect();
        let numbers: Int64Array = (0..500).chain([number]).collect();
        let columns: [(&str, ArrayRef); 2] = [("t", Arc::new(texts)), ("n", Arc::new(numbers))];
        RecordBatch::try_from_iter(columns).expect("columns")
    };
    let write = |name: &str, rows: &RecordBatch| {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(19).expect("a level")))
            .set_statistics_enabled(EnabledStatistics::None)
            .build();
        let file = std::fs::File::create(folder.path().join(name)).expect("file");
        let mut writer =
            ArrowWriter::try_new(file, rows.schema(), Some(properties)).expect("writer");
        writer.write(rows).expect("written");
        writer.close().expect("closed");
    };
    let found = || {
        let mut search = Search::new(canaries.all());
        search.folder(folder.path());
        search.hits().clone()
    };
    write("a.parquet", &rows("nothing", 7));
    assert!(found().is_empty());
    write("b.parquet", &rows(&text, 7));
    let texts = found();
    assert!(texts.iter().any(|hit| hit.place == "b.parquet: t"), "{texts:?}");
    write("b.parquet", &rows("nothing", phone.parse().expect("digits")));
    assert!(found().iter().any(|hit| hit.place == "b.parquet: n" && hit.form == "number"));
    write("b.parquet", &rows("nothing", 7));
    std::fs::write(folder.path().join("0.json"), format!("{{\"a\":\"+{phone}\"}}"))
        .expect("written");
    assert!(found().iter().all(|hit| hit.place == "0.json" && hit.canary == phone));
    assert_eq!(files(folder.path()).len(), 3);
}
