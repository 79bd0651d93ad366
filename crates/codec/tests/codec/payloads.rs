//! Payloads that nobody here wrote: every one of them becomes the rows that the words of its index
//! mean, and no row that they do not mean.

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int32Type;
use arrow_array::{Array as _, RecordBatch};
use turnwise_codec::Format;
use turnwise_model::{
    Category, Direction, EventKind, InteractiveType, MessageKind, Origin, Status,
};

/// The folder of payloads, where the variable names one.
fn payloads() -> Option<PathBuf> {
    Some(Path::new(&std::env::var_os("TURNWISE_DATA")?).join("payloads"))
}

/// A row as the words below call it: `message in text`, `status delivered utility`, …
fn names(kind: EventKind, rows: &RecordBatch, row: usize) -> String {
    let int = |name: &str| {
        let column = rows.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let text = |name: &str| {
        let column = rows.column_by_name(name).expect("a column").as_string::<i32>();
        if column.is_valid(row) { column.value(row) } else { "" }
    };
    let category = |name| int(name).and_then(Category::from_code).map(Category::name);
    match kind {
        EventKind::Message | EventKind::History => {
            let inbound = int("direction") == Some(Direction::Inbound.code());
            let way = match int("origin").and_then(Origin::from_code) {
                Some(Origin::App) => "echo",
                Some(Origin::Standby) => "standby",
                Some(Origin::History) => "history",
                _ if inbound => "in",
                _ => "out",
            };
            let what = int("message_kind").and_then(MessageKind::from_code).expect("a kind");
            let tap = int("interactive_type").and_then(InteractiveType::from_code);
            let voice = if int("voice") == Some(1) { " voice" } else { "" };
            let tap = tap.map_or(String::new(), |tap| format!(" {}", tap.name()));
            format!("message {way} {}{tap}{voice}", what.name())
        }
        EventKind::Status => {
            let status = int("status").and_then(Status::from_code).expect("a status").name();
            let why = category("category").or(category("conversation_origin")).unwrap_or("-");
            format!("status {status} {why}")
        }
        EventKind::Account => format!("account {} {}", text("field"), text("event")),
        kind => format!("{} {}", kind.name(), text("reason")),
    }
}

/// What a word of the index means: the beginnings of names of rows, of which each must be there.
fn meaning(word: &str) -> Vec<String> {
    let word = word.trim_end_matches(".?");
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let parts: Vec<&str> = word.split('.').collect();
    match (parts.as_slice(), word) {
        (["messages", "in", "system", event], _) => {
            vec!["message in system".to_owned(), format!("account messages {event}")]
        }
        (["messages", "in", rest @ ..], _) => {
            vec![format!("message in {}", rest.join(" ")).trim().to_owned()]
        }
        (["messages" | "smb_message_echoes", "echo", kind], _) => {
            vec![format!("message echo {kind}")]
        }
        (["messages", "status", rest @ ..], _) => vec![format!("status {}", rest.join(" "))],
        (_, "send.text") => all(&["dead_letter no_sender"]),
        (_, "send.mark_read") => all(&["ignored mark_as_read"]),
        (_, "calls.errors") => all(&["ignored calls", "account messages error"]),
        (_, "calls.status.RINGING") => vec!["ignored calls".to_owned()],
        (_, "history.history") => all(&["ignored empty"]),
        (_, "history_threads") => {
            all(&["message history text", "message history media_placeholder"])
        }
        (_, "history_declined_2593109") => all(&["account history error"]),
        (_, "history_thread_context_with_message_echoes") => {
            all(&["message history text", "message history image"])
        }
        (_, "standby_text_message_echo") => all(&["message standby text"]),
        (_, "standby_status_receipt") => all(&["status delivered utility"]),
        (_, "smb_message_echoes_bsuid") => all(&["message echo text"]),
        (_, "status_delivered_bsuid_only") => all(&["status delivered marketing"]),
        (_, "status_failed_131049") => all(&["status failed"]),
        (_, "messaging_handovers_control_passed") => {
            all(&["account messaging_handovers control_passed"])
        }
        (_, "account_update_violation_adult") => all(&["account account_update ACCOUNT_VIOLATION"]),
        (
            _,
            "account_update" | "account_alerts" | "phone_number_quality_update" | "user_id_update",
        ) => {
            vec![format!("account {word} ")]
        }
        (_, "unknown_field_xyz") => all(&["ignored other"]),
        (_, field) => vec![format!("ignored {field}")],
    }
}

/// What the files of single providers are, which the index calls `bsp`.
fn of_provider(file: &str) -> Vec<String> {
    let name = match file.rsplit('/').next().unwrap_or_default() {
        "001_schema_example_WhatsappMessage.json" => "message out text",
        // A request without a sender's id, parts of others, and a form's answers.
        _ => "dead_letter unknown_shape",
    };
    vec![name.to_owned()]
}

/// The rows of a file, by name.
fn rows(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let mut decoder = crate::common::decoder();
    let counts = crate::common::put(&mut decoder, 1, Format::Auto, bytes);
    let mut found = Vec::new();
    for batch in decoder.finish() {
        for row in 0..batch.rows.num_rows() {
            found.push(names(batch.kind, &batch.rows, row));
        }
    }
    assert_eq!(counts.total(), found.len() as u64);
    let notes = decoder.take_dead_letters();
    (found, notes.into_iter().map(|note| note.detail).collect())
}

#[test]
fn every_payload_becomes_the_rows_that_its_words_mean() {
    let Some(folder) = payloads() else { return };
    let index = std::fs::read_to_string(folder.join("INDEX.tsv")).expect("INDEX.tsv");
    let (mut files, mut wrong) = (0, Vec::new());
    for line in index.lines().skip(1) {
        let mut columns = line.split('\t');
        let (file, kind) = (columns.next().expect("file"), columns.next().expect("kind"));
        let (found, details) = rows(&std::fs::read(folder.join(file)).expect("payload"));
        files += 1;
        let meant: Vec<String> = match kind {
            "bsp" => of_provider(file),
            // The index calls what asks for a call a text that is sent.
            _ if file.ends_with("001_calls__response.json") => vec!["ignored calls".to_owned()],
            words => words.split('+').flat_map(meaning).collect(),
        };
        // Some samples hold times such as `1`, or no number: a dead letter stands for the item.
        let stands_in = |row: &String| {
            ["dead_letter time_out_of_range", "dead_letter no_sender"].contains(&row.as_str())
        };
        let dead = found.iter().filter(|row| stands_in(row)).count();
        let missing: Vec<&String> =
            meant.iter().filter(|name| !found.iter().any(|row| row.starts_with(*name))).collect();
        let odd: Vec<&String> = found
            .iter()
            .filter(|row| !stands_in(row) && !meant.iter().any(|name| row.starts_with(name)))
            .collect();
        // Calls ride along with messages; the index does not count them.
        let odd: Vec<&&String> = odd.iter().filter(|row| **row != "ignored calls").collect();
        if missing.len() > dead || !odd.is_empty() || found.is_empty() {
            wrong.push(format!("{file} {kind}: missing {missing:?}, odd {odd:?}, {details:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files > 100, "only {files} payloads");
}
