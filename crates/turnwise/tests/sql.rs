//! `sql` from the outside: the built binary over a Parquet file of bare messages.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt8Array};
use datafusion::parquet::arrow::ArrowWriter;

const BINARY: &str = env!("CARGO_BIN_EXE_turnwise");

fn turnwise(folder: &Path, args: &[&str]) -> Output {
    Command::new(BINARY).args(args).current_dir(folder).output().expect("runs")
}

fn answer(folder: &Path, args: &[&str], status: i32) -> (String, String) {
    let output = turnwise(folder, &[&["sql"], args].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{err}");
    (out, err)
}

/// Two conversations of one number, 31 minutes apart, and one of another.
fn write(path: &Path) {
    let minutes = [0, 1, 2, 33, 0];
    let times = minutes.map(|minute| 1_794_000_000_000 + minute * 60_000);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("number", Arc::new(StringArray::from(vec!["100", "100", "100", "100", "200"]))),
        ("who", Arc::new(Int64Array::from(vec![7, 7, 7, 7, -7]))),
        ("ts", Arc::new(Int64Array::from(times.to_vec()))),
        ("way", Arc::new(UInt8Array::from(vec![0, 1, 0, 0, 1]))),
        ("what", Arc::new(UInt8Array::from(vec![0, 0, 2, 0, 4]))),
        ("text", Arc::new(StringArray::from(vec!["a secret"; 5]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns");
    let file = File::create(path).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}

const COLUMNS: [&str; 2] = ["--columns", "number,who,ts,way,what"];

#[test]
fn bare_messages_are_asked_by_the_fold_and_their_texts_are_not_there() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    write(&path.join("m.parquet"));
    let ask = |statement: &str, status: i32| {
        let args = [&[statement, "--messages", "m.parquet", "--format", "csv"], &COLUMNS[..]];
        answer(path, &args.concat(), status)
    };
    let sql = "SELECT sender, count(*) AS conversations, sum(messages) AS messages, \
               exact_quantiles(turns, [0.5])[1] AS turns, sum(voices) AS voices \
               FROM conversations GROUP BY sender ORDER BY sender";
    let (out, _) = ask(sql, 0);
    assert_eq!(out, "sender,conversations,messages,turns,voices\n100,2,4,2.0,1\n200,1,1,1.0,0\n");
    let (out, _) = ask("EXPLAIN ANALYZE SELECT count(*) FROM conversations", 0);
    assert!(out.contains("FoldExec: bare") && out.contains("rounds_folded"), "{out}");
    let (_, err) = ask("SELECT * FROM bare_messages", 1);
    assert!(err.contains("bare_messages"), "{err}");
    let (out, _) = ask("SELECT * FROM messages ORDER BY ts LIMIT 1", 0);
    assert_eq!(out, "number,who,ts,way,what\n100,7,1794000000000,0,0\n");
    let sql = "SELECT sum(chars) AS chars, sum(words) AS words FROM messages";
    let args = [&[sql, "--messages", "m.parquet", "--text", "text"], &COLUMNS[..]].concat();
    let (out, _) = answer(path, &[&args[..], &["--format", "csv"]].concat(), 0);
    assert_eq!(out, "chars,words\n40,10\n");
    for (sql, status) in [
        ("SELECT * FROM messages", 0),
        ("SELECT text FROM messages", 1),
        ("SELECT text_bucket FROM messages", 1),
        ("EXPLAIN SELECT chars FROM messages", 0),
        ("EXPLAIN ANALYZE VERBOSE SELECT chars FROM messages", 0),
        ("EXPLAIN VERBOSE SELECT chars FROM messages", 1),
    ] {
        let args = [&[sql], &args[1..]].concat();
        let (out, err) = answer(path, &args, status);
        assert!(!out.contains("secret") && !err.contains("secret"), "{out}{err}");
    }
    // Names are names, and no patterns.
    std::fs::rename(path.join("m.parquet"), path.join("m[1].pq")).expect("renamed");
    let args = ["SELECT count(*) AS n FROM conversations", "--messages", "m[1].pq"];
    let (out, _) = answer(path, &[&args, &COLUMNS[..], &["--format", "csv"]].concat(), 0);
    assert_eq!(out, "n\n3\n");
    let written: Vec<_> = std::fs::read_dir(path).expect("read").collect();
    assert_eq!(written.len(), 1, "nothing is written beside the messages");
}

#[test]
fn a_lakes_conversations_are_asked_by_the_fold_and_what_it_did_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    let webhook = |id: u32| {
        format!(
            "{{\"object\":\"whatsapp_business_account\",\"entry\":[{{\"id\":\"900\",\"changes\":[{{\
             \"field\":\"messages\",\"value\":{{\"messaging_product\":\"whatsapp\",\"metadata\":{{\
             \"display_phone_number\":\"15550001\",\"phone_number_id\":\"100\"}},\"messages\":[{{\
             \"from\":\"49170000{id}\",\"id\":\"wamid.{id}\",\"timestamp\":\"1794000000\",\
             \"type\":\"text\",\"text\":{{\"body\":\"a secret\"}}}}]}}}}]}}]}}\n"
        )
    };
    std::fs::write(path.join("a.jsonl"), (1..=20).map(webhook).collect::<String>())
        .expect("written");
    let lake = ["--lake", "lake"];
    let scanned = turnwise(path, &[&["scan", "a.jsonl", "--secret-file", "s"], &lake[..]].concat());
    assert!(scanned.status.success(), "{}", String::from_utf8_lossy(&scanned.stderr));
    let sql = "EXPLAIN ANALYZE SELECT sum(turns) FROM conversations WHERE sender = '100'";
    let (out, _) = answer(path, &[&[sql], &lake[..]].concat(), 0);
    let fold = out.lines().find(|line| line.contains("FoldExec: goes=[2026-11-06..=2026-11-06"));
    let fold = fold.unwrap_or_else(|| panic!("a fold in {out}"));
    for told in
        ["projection=[sender, turns]", "rows_folded=20", "output_rows=20", "elapsed_compute="]
    {
        assert!(fold.contains(told), "{told} in {fold}");
    }
    assert!(!out.contains("tokens"), "{out}");
}

#[test]
fn what_is_wrong_with_bare_messages_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    write(&path.join("m.parquet"));
    let ask = |args: &[&str], status: i32| {
        let args = [&["SELECT 1 FROM conversations"], args].concat();
        answer(path, &args, status).1
    };
    assert!(ask(&["--messages", "no.parquet"], 2).contains("no.parquet"));
    assert!(ask(&["--messages", "m.parquet"], 1).contains("number_id"));
    assert!(ask(&["--messages", "m.parquet", "--columns", "a,b"], 2).contains("five names"));
    let texts = ask(&["--messages", "m.parquet", "--columns", "number,who,ts,text,what"], 1);
    assert!(texts.contains("text must hold whole numbers"), "{texts}");
    assert!(ask(&["--messages", "m.parquet", "--lake", "."], 2).contains("cannot be used with"));
    let number = ask(&["--messages", "m.parquet", COLUMNS[0], COLUMNS[1], "--text", "who"], 1);
    assert!(number.contains("who holds texts and is named as another"), "{number}");
    assert!(ask(&["--text", "text"], 2).contains("--messages"));
    std::fs::write(path.join("torn.parquet"), b"PAR1 and nothing else").expect("written");
    assert!(ask(&["--messages", "torn.parquet"], 1).contains("open the messages"));
}
