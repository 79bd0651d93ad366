//! Replacement of derived results, changes, filters and statistics.

use std::sync::Arc;

use crate::common::{Fault, all_rows, fixture, info, now_ms, partition, rows, table, tiles, txn};
use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{
    Array as _, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema};
use turnwise_lake::{
    Bound, CommitOutcome, Encoding, FileFilter, FileInfo, FloorTxn, LakeError, Partition,
    ReplaceOutcome, Table,
};
use turnwise_model::limits::ORPHAN_RETENTION_MS;
use turnwise_model::{Day, EventKind, Millis, schema};

fn floor(to: i64, force_equal: bool) -> [FloorTxn; 1] {
    [FloorTxn { app: "derive/p".to_owned(), to, force_equal }]
}

/// Replaces partition `p` by the rows `[0, to)`.
fn replace(table: &Table, rows_to: i64, txns: &[FloorTxn]) -> ReplaceOutcome {
    let now = now_ms();
    let parts = vec![(partition("p"), rows("a", 0, rows_to))];
    let staged = table.stage(parts, Encoding::Compressed, now).expect("stages");
    let of_partition =
        |file: &FileInfo| file.partition_values.get("part").and_then(Option::as_deref) == Some("p");
    table.replace(&of_partition, &staged, txns, &info(), now).expect("ends")
}

#[test]
fn replacement_never_falls_back() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    let now = now_ms();
    let other = vec![(partition("q"), rows("b", 0, 2))];
    let staged = table.stage(other, Encoding::Light, now).expect("stages");
    table.commit(&staged, &[], &info(), now).expect("commits");

    let committed = |outcome| matches!(outcome, ReplaceOutcome::Committed { .. });
    let stale = ReplaceOutcome::Stale { apps: vec!["derive/p".to_owned()] };
    assert!(committed(replace(&table, 3, &floor(5, false))));
    assert_eq!(replace(&table, 9, &floor(4, true)), stale);
    assert_eq!(replace(&table, 9, &floor(5, false)), stale);
    assert_eq!(all_rows(&table), tiles(&[("a", 3), ("b", 2)]));
    assert!(committed(replace(&table, 4, &floor(5, true))));
    assert!(committed(replace(&table, 5, &floor(6, false))));
    assert_eq!(all_rows(&table), tiles(&[("a", 5), ("b", 2)]));
    for fault in [Fault::LoseReply, Fault::ConflictWithItself] {
        fixture.store.script(&[fault]);
        let to = table.transaction("derive/p").expect("known") + 1;
        assert_eq!(replace(&table, 6, &floor(to, false)), ReplaceOutcome::AlreadyIn);
    }
    fixture.store.script(&[Fault::Refuse, Fault::FalseConflict]);
    assert!(committed(replace(&table, 7, &floor(9, false))));
    assert_eq!(all_rows(&table), tiles(&[("a", 7), ("b", 2)]));
}

#[test]
fn replacement_of_racing_writers_leaves_one_result_whole() {
    let fixture = fixture();
    table(&fixture.lake);
    std::thread::scope(|scope| {
        for start in [0, 1] {
            let lake = &fixture.lake;
            scope.spawn(move || {
                let table = table(lake);
                for round in 0..8 {
                    let version = round * 2 + start;
                    replace(&table, version + 1, &floor(version, false));
                }
            });
        }
    });
    assert_eq!(all_rows(&table(&fixture.lake)), tiles(&[("a", 16)]));
}

#[test]
fn changes_tell_what_each_commit_did() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    let now = now_ms();
    let parts = vec![(partition("p"), rows("a", 0, 3)), (partition("q"), rows("a", 3, 4))];
    let staged = table.stage(parts, Encoding::Light, now).expect("stages");
    let outcome = table.commit(&staged, &[txn("a", None, 4)], &info(), now).expect("commits");
    assert_eq!(outcome, CommitOutcome::Committed { version: 1 });
    replace(&table, 5, &floor(1, false));
    let changes = table.changes(0, 2).expect("reads");
    assert_eq!(changes.len(), 2);
    let mut paths: Vec<_> = changes[0].added.iter().map(|file| file.path.clone()).collect();
    let mut staged_paths = staged.paths();
    paths.sort();
    staged_paths.sort();
    assert_eq!(paths, staged_paths);
    assert!(changes[0].data_change);
    assert_eq!(changes[0].info, info());
    assert_eq!(changes[0].transactions, [("a".to_owned(), 4)]);
    assert_eq!(changes[0].added.iter().filter_map(|file| file.num_records).sum::<u64>(), 4);
    assert_eq!(changes[1].removed_paths.len(), 1);
    assert!(staged_paths.contains(&changes[1].removed_paths[0]));
    let error = table.changes(2, 3).expect_err("not yet there");
    assert!(matches!(error, LakeError::LogGone { version: 3 }), "{error:?}");
    // An older version still reads as it was.
    let before = table.snapshot(Some(1)).expect("reads");
    assert_eq!(before.files(&FileFilter::all()).expect("lists").len(), 2);
}

fn message_rows(numbers: &[i64], times: &[i64]) -> RecordBatch {
    let full = schema::file_schema(EventKind::Message);
    let mut tokens = ListBuilder::new(Int32Builder::new()).with_field(Arc::new(Field::new(
        "element",
        DataType::Int32,
        true,
    )));
    for _ in numbers {
        tokens.append_value([Some(i32::MIN), None, Some(7)]);
    }
    let columns = full.fields().iter().map(|field| -> arrow_array::ArrayRef {
        match field.name().as_str() {
            "sender" | "source" => Arc::new(StringArray::from(vec!["123"; numbers.len()])),
            "message" | "offset" => Arc::new(Int64Array::from(numbers.to_vec())),
            "partition" | "item" => Arc::new(arrow_array::Int32Array::from(vec![0; numbers.len()])),
            "time" => {
                Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC"))
            }
            "tokens" => Arc::new(tokens.finish_cloned()),
            _ => arrow_array::new_null_array(field.data_type(), numbers.len()),
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(full, columns).expect("rows")
}

#[test]
fn statistics_of_events_are_tight_and_skip_files() {
    let fixture = fixture();
    let partitions = ["kind", "date"];
    let table = fixture.lake.table("events", schema::events(), &partitions).expect("creates");
    let now = now_ms();
    let days = ["2026-11-23", "2026-11-24"].map(|text| Day::parse_iso(text).expect("day"));
    let numbers = [[i64::MIN, -1, i64::MAX], [-(1 << 53) - 1, 0, (1 << 53) + 1]];
    let parts = days.iter().zip(numbers).map(|(day, numbers)| {
        let partition = Partition::from([
            ("kind".to_owned(), "message".into()),
            ("date".to_owned(), (*day).into()),
        ]);
        let start = day.start();
        let times = [start, Millis(start.0 + 1), Millis(start.0 + 1_999)].map(Millis::micros);
        (partition, message_rows(&numbers, &times))
    });
    let staged = table.stage(parts.collect(), Encoding::Light, now).expect("stages");
    assert_eq!(staged.rows(), 6);
    table.commit(&staged, &[txn("a", None, 1)], &info(), now).expect("commits");
    // The same from the log and from a checkpoint.
    for _ in 0..2 {
        let snapshot = table.snapshot(None).expect("snapshot");
        let files = snapshot.files(&FileFilter::all()).expect("lists");
        for (file, numbers) in files.iter().zip(numbers) {
            let bounds = file.bounds();
            assert_eq!(bounds["message"], (Bound::Int(numbers[0]), Bound::Int(numbers[2])));
            assert_eq!(bounds["sender"].0, Bound::Text("123".to_owned()));
            assert!(!bounds.contains_key("waba_id"));
            assert_eq!(file.num_records, Some(3));
            assert_eq!(file.null_counts()["peer_phone"], 3);
        }
        let start = days[1].start();
        let kept = |filter: FileFilter| snapshot.files(&filter).expect("lists").len();
        let all = FileFilter::all;
        assert_eq!(kept(all().time_between("time", start, Millis(start.0 + 5))), 1);
        assert_eq!(kept(all().time_between("time", Millis(start.0 + 2_000), days[1].end())), 0);
        assert_eq!(kept(all().overlaps("message", i64::MIN, i64::MIN)), 1);
        assert_eq!(kept(all().partition_between("date", days[0], days[1])), 2);
        assert_eq!(kept(all().partition_in("kind", ["status"])), 0);
        let read = snapshot.read(Some(&["message", "kind", "tokens"]), &all()).expect("reads");
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].column(0).as_primitive::<Int64Type>().value(0), i64::MIN);
        assert_eq!(read[0].column(1).as_string::<i32>().value(2), "message");
        assert_eq!(read[0].column(2).as_list::<i32>().value(0).len(), 3);
        table.checkpoint_now().expect("writes");
        fixture.lake.table("events", schema::events(), &partitions).expect("same columns");
    }
}

#[test]
fn floats_text_and_odd_partition_values_come_back() {
    let fixture = fixture();
    let columns = Arc::new(Schema::new(vec![
        Field::new("value", DataType::Float64, true),
        Field::new("note", DataType::Utf8, true),
        Field::new("bucket", DataType::Int32, true),
        Field::new("day", DataType::Date32, true),
        Field::new("part", DataType::Utf8, true),
    ]));
    let keys = ["bucket", "day", "part"];
    let table = fixture.lake.table("odd", Arc::clone(&columns), &keys).expect("creates");
    let odd = "a b/c=d%20#ü:'";
    let partition = Partition::from([
        ("bucket".to_owned(), (-3).into()),
        ("day".to_owned(), Day(0).into()),
        ("part".to_owned(), odd.into()),
    ]);
    let fields = columns.fields()[..2].to_vec();
    let long = "x".repeat(100);
    let rows = RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        vec![
            Arc::new(Float64Array::from(vec![Some(-0.5), None, Some(f64::MAX)])),
            Arc::new(StringArray::from(vec![Some("a"), Some(long.as_str()), None])),
        ],
    )
    .expect("rows");
    let now = now_ms();
    let staged = table.stage(vec![(partition.clone(), rows)], Encoding::Compressed, now);
    table.commit(&staged.expect("stages"), &[], &info(), now).expect("commits");
    table.refresh().expect("refreshes");
    let snapshot = table.snapshot(None).expect("snapshot");
    let files = snapshot.files(&FileFilter::all().partition(&partition)).expect("lists");
    assert_eq!(files.len(), 1);
    let bounds = files[0].bounds();
    assert_eq!(bounds["value"], (Bound::Float(-0.5), Bound::Float(f64::MAX)));
    match &bounds["note"] {
        (Bound::Text(low), Bound::Text(high)) => assert!(low.as_str() <= "a" && *high >= long),
        other => panic!("{other:?}"),
    }
    let read = snapshot.read(None, &FileFilter::all()).expect("reads");
    assert_eq!(read[0].column_by_name("part").expect("part").as_string::<i32>().value(0), odd);
    assert_eq!(read[0].num_rows(), 3);
    assert_eq!(table.vacuum(ORPHAN_RETENTION_MS, now_ms() + 100 * 86_400_000).expect("sweeps"), 0);
}

#[test]
fn rows_that_do_not_fit_the_table_are_refused() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    let wrong = RecordBatch::try_from_iter(vec![(
        "number",
        Arc::new(StringArray::from(vec!["text"])) as arrow_array::ArrayRef,
    )])
    .expect("rows");
    let error = table.stage(vec![(partition("p"), wrong)], Encoding::Light, 0).expect_err("text");
    assert!(matches!(error, LakeError::Data { .. }), "{error:?}");
    let error = table
        .stage(vec![(Partition::new(), rows("a", 0, 1))], Encoding::Light, 0)
        .expect_err("no partition");
    assert!(matches!(error, LakeError::Data { .. }), "{error:?}");
}

#[test]
fn sorted_rows_say_so_in_the_name_and_others_are_refused() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    let sorted = Encoding::Sorted(&["number"]);
    let staged = table.stage(vec![(partition("p"), rows("a", 0, 9))], sorted, 0).expect("stages");
    assert!(staged.paths()[0].ends_with(".sorted-by-number.parquet"), "{:?}", staged.paths());
    let staged = table.stage(vec![(partition("p"), rows("a", 0, 9))], Encoding::Sorted(&[]), 0);
    assert!(!staged.expect("stages").paths()[0].contains("sorted"));
    let other = [rows("a", 5, 9), rows("a", 0, 5)];
    let other = arrow::compute::concat_batches(&other[0].schema(), &other).expect("rows");
    let error = table.stage(vec![(partition("p"), other)], sorted, 0).expect_err("no order");
    let LakeError::Data { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.to_string(), "rows are not in the order of column number");
}
