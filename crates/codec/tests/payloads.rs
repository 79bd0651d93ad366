//! Payloads that nobody here wrote: every one of them becomes rows, and every message, echo and
//! status in them is found.

use std::path::{Path, PathBuf};

use serde_json::Value;
use turnwise_codec::{Decoder, Format, RecordContext, RecordCounts};
use turnwise_model::{Keys, Millis, Offset, PartitionId, Secret, SourceName};

/// The folder of payloads, where the variable names one.
fn payloads() -> Option<PathBuf> {
    Some(Path::new(&std::env::var_os("TURNWISE_DATA")?).join("payloads"))
}

fn decode(bytes: &[u8]) -> (RecordCounts, Vec<String>) {
    let secret = Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough");
    let mut decoder = Decoder::new(Keys::expand(&secret));
    let source = SourceName("payload/1".to_owned());
    let context = RecordContext {
        source: &source,
        partition: PartitionId(0),
        offset: Offset(1),
        record_time: None,
        read_time: Millis(1_794_139_200_000),
    };
    let counts = decoder.decode(Format::Auto, &context, Some(bytes));
    let rows: usize = decoder.finish().iter().map(|batch| batch.rows.num_rows()).sum();
    assert_eq!(counts.total(), rows as u64);
    let letters = decoder.take_dead_letters();
    (
        counts,
        letters.into_iter().map(|note| format!("{} {}", note.reason.name(), note.detail)).collect(),
    )
}

/// How many objects of the arrays with this name there are, calls left out.
fn count(value: &Value, name: &str) -> u64 {
    match value {
        Value::Array(items) => items.iter().map(|item| count(item, name)).sum(),
        Value::Object(map) if map.get("field") == Some(&Value::from("calls")) => 0,
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| match inner {
                Value::Array(items) if key == name => items.len() as u64,
                _ => count(inner, name),
            })
            .sum(),
        _ => 0,
    }
}

/// What rows a kind of payload must give: (messages, statuses, history, account, ignored, dead).
fn expected(kind: &str) -> Option<(u64, u64, u64, u64, u64, u64)> {
    Some(match kind {
        "send.mark_read" => (0, 0, 0, 0, 1, 0),
        "send.text" | "bsp" => (0, 0, 0, 0, 0, 1),
        "history_declined_2593109" => (0, 0, 0, 1, 0, 0),
        "history_thread_context_with_message_echoes" => (1, 0, 1, 0, 0, 0),
        "history_threads" => (0, 0, 4, 0, 0, 0),
        "messages.in.system.user_changed_number"
        | "messages.in.system.customer_identity_changed" => (1, 0, 0, 1, 0, 0),
        "messaging_handovers_control_passed" | "user_id_update" => (0, 0, 0, 1, 0, 0),
        "standby_text_message_echo" | "smb_message_echoes_bsuid" => (1, 0, 0, 0, 0, 0),
        "calls.errors" => (0, 0, 0, 1, 1, 0),
        _ if kind.contains('+') => return None,
        _ if kind.starts_with("account_update") => (0, 0, 0, 1, 0, 0),
        _ if kind.starts_with("messages.status")
            || kind.starts_with("status_")
            || kind == "standby_status_receipt" =>
        {
            (0, 1, 0, 0, 0, 0)
        }
        _ if kind.starts_with("messages.in") || kind.starts_with("smb_message_echoes") => {
            return None;
        }
        _ => (0, 0, 0, 0, 1, 0),
    })
}

#[test]
fn every_payload_becomes_rows_and_every_message_is_found() {
    let Some(folder) = payloads() else { return };
    let index = std::fs::read_to_string(folder.join("INDEX.tsv")).expect("INDEX.tsv");
    let mut files = 0;
    for line in index.lines().skip(1) {
        let mut columns = line.split('\t');
        let (file, kind) = (columns.next().expect("file"), columns.next().expect("kind"));
        let bytes = std::fs::read(folder.join(file)).expect("payload");
        let (counts, letters) = decode(&bytes);
        files += 1;
        println!("{kind}\t{counts:?}\t{letters:?}");
        assert!(counts.total() > 0, "{file}");
        if let Some(expected) = expected(kind) {
            let RecordCounts { messages, statuses, history, account_events, ignored, dead_letters } =
                counts;
            let found = (messages, statuses, history, account_events, ignored, dead_letters);
            assert_eq!(found, expected, "{file} {kind} {letters:?}");
        }
        let tree: Value = serde_json::from_slice(&bytes).expect("JSON");
        if tree.get("entry").is_some() {
            let out_of_range =
                letters.iter().filter(|letter| letter.starts_with("time_out_of_range")).count()
                    as u64;
            let unowned =
                letters.iter().filter(|letter| letter.starts_with("no_sender")).count() as u64;
            let inside = count(&tree, "messages")
                + count(&tree, "message_echoes")
                + count(&tree, "statuses");
            assert_eq!(
                counts.messages + counts.history + counts.statuses + out_of_range + unowned,
                inside,
                "{file} {letters:?}"
            );
            assert_eq!(counts.dead_letters, out_of_range + unowned, "{file} {letters:?}");
        }
    }
    assert!(files > 100, "only {files} payloads");
}
