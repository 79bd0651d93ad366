use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema};
use arrow::row::{RowConverter, SortField};
use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_lake::{CommitOutcome, Encoding, FloorTxn, Partition, ReplaceOutcome};
use turnwise_model::limits::CHECKPOINT_EVERY;
use turnwise_model::time::MINUTE_MS;
use turnwise_model::{Keys, Millis, Offset, Secret, SourceName};

use super::*;

const DAY: Day = Day(20_700);
const ROWS: usize = 40;

struct Fixture {
    folder: tempfile::TempDir,
    table: Table,
    commits: i64,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let table = open(&folder);
        Self { folder, table, commits: 0 }
    }

    /// The rows of messages with texts, of a day.
    fn rows(&mut self, day: Day) -> Vec<(Partition, RecordBatch)> {
        let mut decoder = Decoder::new(Keys::expand(&Secret::new(&[7; 64]).expect("long enough")));
        let source = SourceName("t".into());
        self.commits += 1;
        let at = Millis(day.start().0 + self.commits * MINUTE_MS);
        let context = RecordContext {
            source: &source,
            partition: PartitionId(0),
            offset: Offset(self.commits),
            record_time: Some(at),
            read_time: at,
        };
        let message = |peer: usize| {
            format!(
                r#"{{"from":"4915112{peer:05}","id":"{} {peer}","timestamp":"{}","type":"text","text":{{"body":"How far is the moon of planet {peer} from here?"}}}}"#,
                self.commits,
                at.0 / 1_000
            )
        };
        let sender = |nth: usize| {
            let messages = (0..ROWS / 4).map(message).collect::<Vec<_>>().join(",");
            format!(
                r#"{{"field":"messages","value":{{"metadata":{{"phone_number_id":"{nth}"}},"messages":[{messages}]}}}}"#
            )
        };
        let changes = [4, 2, 3, 1].map(sender).join(",");
        let record = format!(r#"{{"entry":[{{"id":"9","changes":[{changes}]}}]}}"#);
        decoder.decode(Format::CloudApi, &context, Some(record.as_bytes()));
        writer::parts(decoder.finish()).expect("rows")
    }

    fn commit(&self, rows: Vec<(Partition, RecordBatch)>, encoding: Encoding) {
        let now_ms = clock::now().0;
        let staged = self.table.stage(rows, encoding, now_ms).expect("staged");
        let done = self.table.commit(&staged, &[], &BTreeMap::new(), now_ms).expect("committed");
        assert!(matches!(done, CommitOutcome::Committed { .. }), "{done:?}");
    }

    fn files(&self) -> Vec<FileInfo> {
        self.table.refresh().expect("refreshed");
        self.table.snapshot(None).expect("snapshot").files(&FileFilter::all()).expect("files")
    }

    /// Where rows came from, and whether each still has tokens, a skeleton and a bucket.
    fn read(&self) -> Vec<(i64, i32, [bool; 3])> {
        let snapshot = self.table.snapshot(None).expect("snapshot");
        let mut found = Vec::new();
        for batch in snapshot.read(None, &FileFilter::all()).expect("rows") {
            let offsets = batch[column::OFFSET].as_primitive::<Int64Type>();
            let items = batch[column::ITEM].as_primitive::<Int32Type>();
            assert_eq!(batch[column::CHARS].null_count(), 0);
            found.extend((0..batch.num_rows()).map(|row| {
                let has = SHORT_LIVED.map(|name| batch[name].is_valid(row));
                (offsets.value(row), items.value(row), has)
            }));
        }
        found.sort_unstable();
        found
    }
}

fn open(folder: &tempfile::TempDir) -> Table {
    let location = folder.path().to_str().expect("utf-8");
    let lake = Lake::open(location, &BTreeMap::new()).expect("opens");
    writer::events_table(&lake).expect("made")
}

/// Takes the statistics out of the newest log entry, as if another program had written it.
fn forget_statistics(fixture: &Fixture) {
    let version = fixture.table.version();
    let entry = fixture.folder.path().join(format!("events/_delta_log/{version:020}.json"));
    let text = std::fs::read_to_string(&entry).expect("an entry");
    let lines = text.lines().map(|line| {
        let mut action: serde_json::Value = serde_json::from_str(line).expect("an action");
        if let Some(add) = action.get_mut("add").and_then(serde_json::Value::as_object_mut) {
            add.remove("stats");
        }
        action.to_string() + "\n"
    });
    let text: String = lines.collect();
    std::fs::write(entry, text).expect("written");
}

#[test]
fn old_days_lose_what_is_made_of_texts_whatever_their_files_and_are_then_left_alone() {
    let mut fixture = Fixture::new();
    let old = Day(DAY.0 - 1);
    for _ in 0..3 {
        let rows = fixture.rows(old);
        fixture.commit(rows, Encoding::Light);
    }
    let (of_day, rows) = fixture.rows(old).pop().expect("messages");
    let rows = in_order(vec![rows]).expect("ordered").pop().expect("rows");
    fixture.commit(vec![(of_day, rows)], Encoding::Sorted(&SORTED_BY));
    let rows = fixture.rows(DAY);
    fixture.commit(rows, Encoding::Light);
    let rows = fixture.rows(old);
    fixture.commit(rows, Encoding::Light);
    forget_statistics(&fixture);
    let fixture = Fixture { table: open(&fixture.folder), ..fixture };

    let before = fixture.read();
    assert_eq!(before.len(), 6 * ROWS);
    assert!(before.iter().all(|(.., has)| *has == [true; 3]));
    assert_eq!(fixture.files().iter().filter(|file| file.num_records.is_none()).count(), 1);
    // One file of two fits in memory, and none of those in order is of the size of a file.
    let size = fixture.files().iter().map(|file| file.size).max().expect("files");
    let tiers = Tiers { unsorted_bytes_max: size, large_bytes: 1, large_bytes_max: 1, ..TIERS };
    drop_tokens(&fixture.table, &tiers, DAY, &mut BTreeSet::new(), &Stop::default());

    let after = fixture.read();
    for ((offset, item, has), before) in after.iter().zip(&before) {
        assert_eq!((*offset, *item), (before.0, before.1));
        assert_eq!(*has, [*offset == 5; 3], "of commit {offset}");
    }
    assert_eq!(after.len(), before.len());
    let files = fixture.files();
    let holding = |file: &&FileInfo| SHORT_LIVED.iter().any(|name| file.may_hold(name));
    assert_eq!(files.iter().filter(holding).count(), 1, "the log tells of the others");
    let changes = fixture.table.changes(6, fixture.table.version()).expect("log");
    assert!(changes.len() >= 4 && changes.iter().all(|change| change.data_change));

    // A cleared day is not rewritten again.
    drop_tokens(&fixture.table, &tiers, DAY, &mut BTreeSet::new(), &Stop::default());
    drop_tokens(&fixture.table, &TIERS, DAY, &mut BTreeSet::new(), &Stop::default());
    assert_eq!(fixture.files(), files);
}

#[test]
fn many_files_become_few_in_one_turn_with_the_same_rows_in_order() {
    let mut fixture = Fixture::new();
    for _ in 0..30 {
        let rows = fixture.rows(DAY);
        fixture.commit(rows, Encoding::Light);
    }
    let before = fixture.read();
    assert_eq!((fixture.files().len(), before.len()), (30, 30 * ROWS));
    let size = fixture.files().iter().map(|file| file.size).max().expect("files");
    let tiers =
        Tiers { unsorted_files_min: 4, unsorted_bytes_max: 3 * size, alike_files_min: 3, ..TIERS };
    let stop = Stop::default();
    stop.stop();
    compact(&fixture.table, &tiers, &mut BTreeSet::new(), &stop);
    assert_eq!(fixture.files().len(), 30, "a process that is to end begins no rewrite");

    compact(&fixture.table, &tiers, &mut BTreeSet::new(), &Stop::default());
    let files = fixture.files();
    assert!(files.len() <= 3 + 2 + 2, "{} files", files.len());
    assert_eq!(fixture.read(), before);
    let sorted = files.iter().filter(|file| file.sorted_by() == Some(column::SENDER));
    let rows: u64 = sorted.filter_map(|file| file.num_records).sum();
    assert!(rows >= 27 * ROWS as u64, "{rows} rows in order");
    // The order is that of all columns that it is said to be of, also where files were merged.
    let snapshot = fixture.table.snapshot(None).expect("snapshot");
    let largest = files.iter().max_by_key(|file| file.num_records).expect("files");
    assert!(largest.num_records >= Some(9 * ROWS as u64), "{largest:?}");
    let columns: Vec<&str> = SORTED_BY.into_iter().chain([column::OFFSET, column::ITEM]).collect();
    let paths: Vec<_> = files.iter().map(|file| &file.path).collect();
    let batches = snapshot.read(Some(&columns), &FileFilter::all()).expect("rows");
    let read = batches.iter().zip(paths).find(|(_, path)| **path == largest.path);
    let (rows, _) = read.expect("a batch a file, in the order of their paths");
    let fields = rows.columns().iter().map(|values| SortField::new(values.data_type().clone()));
    let converter = RowConverter::new(fields.collect()).expect("types with an order");
    let keys = converter.convert_columns(rows.columns()).expect("keys");
    assert!((1..keys.num_rows()).all(|row| keys.row(row - 1) < keys.row(row)));
    // Nothing is left that is worth it.
    compact(&fixture.table, &tiers, &mut BTreeSet::new(), &Stop::default());
    assert_eq!(fixture.files(), files);
}

#[test]
fn a_file_that_cannot_be_read_keeps_no_other_as_it_is() {
    let mut fixture = Fixture::new();
    for _ in 0..6 {
        let rows = fixture.rows(DAY);
        fixture.commit(rows, Encoding::Light);
    }
    let files = fixture.files();
    let broken = files.first().expect("files").path.clone();
    std::fs::write(fixture.folder.path().join("events").join(&broken), b"no Parquet").expect("put");
    let tiers = Tiers { unsorted_files_min: 2, alike_files_min: 2, ..TIERS };
    let mut damaged = BTreeSet::new();
    compact(&fixture.table, &tiers, &mut damaged, &Stop::default());
    assert_eq!(damaged, BTreeSet::from([broken.clone()]));
    let (left, whole): (Vec<_>, Vec<_>) =
        fixture.files().into_iter().partition(|file| file.path == broken);
    assert_eq!(left.len(), 1, "what cannot be read stays named");
    assert!(whole.iter().all(|file| file.sorted_by() == Some(column::SENDER)), "{whole:?}");
    let rows: u64 = whole.iter().filter_map(|file| file.num_records).sum();
    assert_eq!(rows, 5 * ROWS as u64);
}

#[test]
fn where_no_file_can_be_rewritten_none_is_called_damaged() {
    let mut fixture = Fixture::new();
    for _ in 0..3 {
        let rows = fixture.rows(DAY);
        fixture.commit(rows, Encoding::Light);
    }
    for file in fixture.files() {
        std::fs::write(fixture.folder.path().join("events").join(&file.path), b"").expect("put");
    }
    let tiers = Tiers { unsorted_files_min: 2, alike_files_min: 2, ..TIERS };
    let mut damaged = BTreeSet::new();
    compact(&fixture.table, &tiers, &mut damaged, &Stop::default());
    assert_eq!((damaged, fixture.files().len()), (BTreeSet::new(), 3));
}

/// Makes all files below a folder as old as if they were written two days ago.
fn age(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            age(&path);
            continue;
        }
        let written = std::time::SystemTime::UNIX_EPOCH
            + Duration::from_millis(u64::try_from(clock::now().0).expect("after 1970"))
            - Duration::from_secs(2 * 86_400);
        std::fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(written))
            .expect("aged");
    }
}

fn count(folder: &std::path::Path, extension: &str) -> usize {
    let entries =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => count(&path, extension),
            path => usize::from(path.extension().is_some_and(|found| found == extension)),
        })
        .sum()
}

#[test]
fn derived_tables_are_kept_as_small_as_events() {
    let folder = tempfile::tempdir().expect("folder");
    let lake = Lake::open(folder.path().to_str().expect("utf-8"), &BTreeMap::new()).expect("opens");
    let fields = [("sender", DataType::Utf8), ("window_end", DataType::Date32)];
    let fields = fields.map(|(name, of)| Field::new(name, of, name == "sender"));
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let table = lake.table("verdicts", schema, &["window_end"]).expect("made");
    let rows = RecordBatch::try_new(
        Arc::new(Schema::new(vec![Field::new("sender", DataType::Utf8, true)])),
        vec![Arc::new(StringArray::from(vec!["100"]))],
    );
    let rows = rows.expect("columns");
    let partition = Partition::from([("window_end".to_owned(), DAY.into())]);
    let replaced = CHECKPOINT_EVERY + 5;
    for version in 0..replaced {
        let now_ms = clock::now().0;
        let parts = vec![(partition.clone(), rows.clone())];
        let staged = table.stage(parts, Encoding::Compressed, now_ms).expect("staged");
        let to = i64::try_from(version).expect("few");
        let txn = FloorTxn { app: "derive/verdicts".to_owned(), to, force_equal: false };
        let done = table.replace(&|_| true, &staged, &[txn], &BTreeMap::new(), now_ms);
        assert!(matches!(done, Ok(ReplaceOutcome::Committed { .. })), "{done:?}");
    }
    let stop = Stop::default();
    let mut keeper = Keeper::new(&lake, &stop);
    keeper.turn(SELDOM_TURNS - 1, &TIERS);
    let (files, log) = (folder.path().join("verdicts"), folder.path().join("verdicts/_delta_log"));
    // The table was made by the first entry, and a checkpoint is a file like those of data.
    let replaced = usize::try_from(replaced).expect("few");
    assert_eq!((count(&files, "parquet"), count(&log, "json")), (replaced + 1, replaced + 1));
    age(&files);
    keeper.turn(SELDOM_TURNS - 1, &TIERS);
    // One of data and one checkpoint; the entries after it.
    assert_eq!(count(&files, "parquet"), 2);
    assert_eq!(count(&log, "json"), 1);
    let again = lake.existing_table("verdicts").expect("read").expect("there");
    assert_eq!(again.transaction("derive/verdicts"), Some(204));
    let files = again.snapshot(None).expect("snapshot").files(&FileFilter::all()).expect("files");
    assert_eq!(files.iter().filter_map(|file| file.num_records).sum::<u64>(), 1);
}

#[test]
fn the_holder_of_the_first_partition_looks_each_turn_and_others_seldom() {
    let topics = ["a".to_owned(), "b".to_owned()];
    let partition = |topic: &str, number| TopicPartition {
        topic: topic.to_owned(),
        topic_id: None,
        partition: PartitionId(number),
    };
    assert!(is_first(&topics, &partition("a", 0)));
    assert!(!is_first(&topics, &partition("a", 1)) && !is_first(&topics, &partition("b", 0)));
    assert!(!is_first(&[], &partition("a", 0)));
    let turns = |holds_first| (0..60).filter(|turn| is_due(holds_first, *turn)).count();
    assert_eq!((turns(true), turns(false)), (60, 6));
}
