//! `scan` from the outside: the built binary over small files.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use turnwise_codec::encode::{self, Event, Message, Person, Text, What};
use turnwise_model::{Direction, MessageKind, Millis, Origin};

const BINARY: &str = env!("CARGO_BIN_EXE_turnwise");

fn webhook(id: u32, seconds: u32) -> String {
    format!(
        "{{\"object\":\"whatsapp_business_account\",\"entry\":[{{\"id\":\"900\",\"changes\":[{{\
         \"field\":\"messages\",\"value\":{{\"messaging_product\":\"whatsapp\",\"metadata\":{{\
         \"display_phone_number\":\"15550001\",\"phone_number_id\":\"100\"}},\"messages\":[{{\
         \"from\":\"49170000{id}\",\"id\":\"wamid.{id}\",\"timestamp\":\"{}\",\"type\":\"text\",\
         \"text\":{{\"body\":\"how do I cook rice number {id}\"}}}}]}}}}]}}]}}",
        1_794_000_000 + seconds
    )
}

fn lines(count: u32) -> String {
    (0..count).map(|id| webhook(id, id) + "\n").collect()
}

fn turnwise(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(BINARY)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    // A command that reads no input may be gone before it is written.
    let _ = child.stdin.take().expect("piped").write_all(input);
    child.wait_with_output().expect("ends")
}

fn scan(folder: &Path, args: &[&str], input: &[u8], status: i32) -> Value {
    let all = [&["scan", "--format", "json"], args].concat();
    let output = turnwise(folder, &all, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("written")
}

#[test]
fn every_form_of_input_is_read_and_its_messages_count_once() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    let plain = lines(40);
    std::fs::write(path.join("a.jsonl"), &plain).expect("written");
    std::fs::write(path.join("b.gz"), gz(plain.as_bytes())).expect("written");
    let zst = zstd::encode_all(plain.as_bytes(), 1).expect("written");
    std::fs::write(path.join("c.zst"), zst).expect("written");
    let document: Value = serde_json::from_str(&webhook(0, 0)).expect("JSON");
    let pretty = serde_json::to_string_pretty(&document).expect("JSON");
    std::fs::write(path.join("d.json"), pretty).expect("written");
    let files = ["a.jsonl", "b.gz", "c.zst", "d.json", "-"];
    let answer = scan(path, &files, plain.as_bytes(), 0);
    let messages: Vec<i64> = answer["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["messages"].as_i64().expect("a count"))
        .collect();
    assert_eq!(messages, [40, 40, 40, 1, 40]);
    let sender = &answer["senders"][0];
    assert_eq!(sender["sender"], "100");
    assert_eq!(sender["tenant"], "900");
    assert_eq!(sender["features"]["F01_active_peers"], 40.0);
    assert_eq!(sender["verdict"], "insufficient");
    assert_eq!(sender["notes"][0], "send log missing");
    assert_eq!(sender["window_end"], "2026-11-07T00:00:00Z");
    assert!(sender["features"]["F39_topic_coincidence"].is_null());
    assert!(sender["coverage"]["sends_with_status"].is_null());
}

#[test]
fn bad_files_leave_the_rest_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    let cut = gz(lines(2_000).as_bytes());
    std::fs::write(path.join("cut.gz"), &cut[..cut.len() - 9]).expect("written");
    std::fs::write(path.join("mixed.jsonl"), webhook(1, 1) + "\noops\n[1]\n").expect("written");
    let answer = scan(path, &["missing", "cut.gz", "mixed.jsonl", "."], b"", 1);
    let files = answer["files"].as_array().expect("files");
    assert_eq!(files.len(), 2);
    assert_eq!(files[0]["dead_letters"], 1);
    assert!(files[0]["messages"].as_i64().expect("a count") > 1_000);
    let letters = answer["dead_letters"].as_array().expect("letters");
    assert_eq!(letters[0]["reason"], "invalid_compression");
    assert_eq!(letters[1]["line"], 2);
    assert_eq!(letters[1]["reason"], "invalid_json");
}

#[test]
fn second_run_into_a_lake_adds_nothing_and_another_secret_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    std::fs::write(path.join("a.jsonl"), lines(30)).expect("written");
    let into = ["a.jsonl", "--lake", "lake", "--secret-file", "secret"];
    let first = scan(path, &into, b"", 0);
    let second = scan(path, &into, b"", 0);
    assert_eq!(first["senders"], second["senders"]);
    assert_eq!(first["files"][0]["messages"], 30);
    assert_eq!(second["files"][0]["messages"], 0);
    let count = ["sql", "SELECT count(*) AS n FROM messages_raw", "--lake", "lake"];
    let output = turnwise(path, &[&count[..], &["--format", "csv"]].concat(), b"");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "n\n30\n");
    let lists = ["sql", "SELECT [1, 2] AS l, NULL AS n", "--lake", "lake", "--format", "csv"];
    let output = turnwise(path, &lists, b"");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "l,n\n\"[1, 2]\",\n");
    let no_lake = turnwise(path, &["sql", "SELECT 1", "--lake", "."], b"");
    assert_eq!(no_lake.status.code(), Some(2));
    assert!(!path.join("_turnwise").exists());
    scan(path, &["a.jsonl", "--lake", "lake", "--secret-file", "other"], b"", 2);
    scan(path, &["a.jsonl", "--lake", "lake", "--secret-file", "lake/secret"], b"", 2);
    scan(path, &["a.jsonl", "--lake", "lake"], b"", 2);
}

#[test]
fn as_of_leaves_later_rows_out_but_stores_them() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    std::fs::write(path.join("a.jsonl"), lines(40)).expect("written");
    let at = Millis(1_794_000_009_000).rfc3339();
    let into = ["a.jsonl", "--lake", "lake", "--secret-file", "secret", "--as-of", &at];
    let answer = scan(path, &into, b"", 0);
    assert_eq!(answer["senders"][0]["features"]["F01_active_peers"], 10.0);
    assert_eq!(answer["files"][0]["messages"], 40);
    let all = scan(path, &into[..5], b"", 0);
    assert_eq!(all["senders"][0]["features"]["F01_active_peers"], 40.0);
}

fn event(id: u32) -> Event {
    Event {
        waba_id: "900".to_owned(),
        phone_number_id: "100".to_owned(),
        time: Some(Millis(1_794_000_000_000 + i64::from(id))),
        peer: Person { phone: format!("49170000{id}"), user_id: String::new() },
        what: What::Message(Message {
            id: format!("wamid.{id}"),
            origin: Origin::Live,
            direction: Direction::Inbound,
            kind: MessageKind::Text,
            interactive: None,
            text: Text::Body("how do I cook rice".to_owned()),
            voice: false,
            in_group: false,
            is_reply: false,
            has_referral: false,
            change: None,
        }),
    }
}

/// Records with their lengths before them.
fn framed(records: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        let length = u8::try_from(record.len()).expect("short");
        // Two bytes always, the second of which may be zero.
        bytes.extend([0x80 | length & 0x7F, length >> 7]);
        bytes.extend(record);
    }
    bytes
}

fn messages(answer: &Value) -> Vec<i64> {
    let files = answer["files"].as_array().expect("files");
    files.iter().map(|file| file["messages"].as_i64().expect("a count")).collect()
}

#[test]
fn protobuf_events_and_forms_are_told_by_their_content() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    let records = framed((1_000..1_030).map(|id| encode::protobuf(&[event(id)])));
    std::fs::write(path.join("a.pb"), &records).expect("written");
    std::fs::write(path.join("b.pb.gz"), gz(&records)).expect("written");
    let around = |id: u32| {
        let data: Value = serde_json::from_str(&webhook(id, id)).expect("JSON");
        serde_json::json!({"specversion": "1.0", "id": id.to_string(), "source": "/x", "type": "y", "data": data})
    };
    let list: Vec<Value> = (0..20).map(around).collect();
    let list = serde_json::to_string_pretty(&list).expect("JSON");
    std::fs::write(path.join("c.json"), list).expect("written");
    let answer = scan(path, &["a.pb", "b.pb.gz", "c.json"], b"", 0);
    assert_eq!(messages(&answer), [30, 30, 20]);
    assert_eq!(answer["senders"][0]["features"]["F01_active_peers"], 50.0);
    assert_eq!(answer["dead_letters"], serde_json::json!([]));

    let form = |id: u32| {
        format!(
            "SmsMessageSid=SM{id}&MessageSid=SM{id}&AccountSid=AC1&WaId=49170000{id}&\
             From=whatsapp%3A%2B49170000{id}&To=whatsapp%3A%2B15550001&Body=a+b&NumMedia=0&\
             MessageType=text&ApiVersion=2010-04-01\n"
        )
    };
    let forms: String = (0..10).map(form).collect();
    let output = turnwise(path, &["scan", "--format", "json", "-"], forms.as_bytes());
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(messages(&answer), [10]);
    assert_eq!(answer["senders"][0]["sender"], "15550001");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("10 messages and statuses have no time")
    );
}

#[test]
fn format_that_is_named_wins_over_what_content_tells() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    std::fs::write(path.join("a.jsonl"), lines(3)).expect("written");
    let answer = scan(path, &["a.jsonl", "--input", "cloud_api"], b"", 0);
    assert_eq!(messages(&answer), [3]);
    let answer = scan(path, &["a.jsonl", "--input", "send"], b"", 0);
    assert_eq!(messages(&answer), [0]);
    assert_eq!(answer["files"][0]["dead_letters"], 3);
    scan(path, &["a.jsonl", "--input", "telex"], b"", 2);
    let cut = framed((1_000..1_003).map(|id| encode::protobuf(&[event(id)])));
    let answer = scan(path, &["-", "--input", "protobuf"], &cut[..cut.len() - 1], 0);
    assert_eq!(messages(&answer), [2]);
    assert_eq!(answer["dead_letters"][0]["reason"], "invalid_protobuf");
    let output = turnwise(path, &["formats", "--format", "json"], b"");
    let formats: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(formats[0]["format"], "auto");
}
