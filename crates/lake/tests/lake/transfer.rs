//! Long data files go to the store in parts, and come back in parts.

use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch, StringArray};
use turnwise_lake::{Encoding, FileFilter, LakeError, Retry, Staged, Table};
use turnwise_model::limits::{PART_BYTES, PUT_BYTES_MAX, TRANSFERS_MAX, UPLOADS_MAX};

use crate::common::{Fault, Fixture, fixture, info, now_ms, partition, rows, table, txn};

/// Rows of more parts than may be under way.
fn long_rows() -> RecordBatch {
    let count = (TRANSFERS_MAX + 1) * (PART_BYTES >> 20) + 3;
    let text = "x".repeat(1 << 20);
    let texts = (0..count).map(|row| format!("{row:04}{text}"));
    let texts = StringArray::from_iter_values(texts);
    let numbers: Int64Array = (0..).take(count).collect();
    RecordBatch::try_new(rows("a", 0, 0).schema(), vec![Arc::new(texts), Arc::new(numbers)])
        .expect("rows")
}

fn stage(table: &Table, rows: &RecordBatch) -> Result<Staged, LakeError> {
    table.stage(vec![(partition("p"), rows.clone())], Encoding::States, now_ms())
}

fn commit(table: &Table, staged: &Staged) {
    table.commit(staged, &[txn("a", None, 1)], &info(), now_ms()).expect("commits");
}

fn expect_read(table: &Table, rows: &RecordBatch) {
    let read = table.snapshot(None).expect("snapshot").read(None, &FileFilter::all());
    let [read] = <[_; 1]>::try_from(read.expect("reads")).expect("one batch");
    for column in ["app", "number"] {
        assert_eq!(&read[column], &rows[column], "{column}");
    }
}

/// Names in a folder of the lake; none where it is not there.
fn names(fixture: &Fixture, folder: &str) -> usize {
    std::fs::read_dir(fixture.folder.path().join(folder)).map_or(0, Iterator::count)
}

#[test]
fn long_file_goes_and_comes_in_parts_of_which_few_are_under_way() {
    let fixture = fixture();
    let (table, rows) = (table(&fixture.lake), long_rows());
    commit(&table, &stage(&table, &rows).expect("stages"));
    let files = table.snapshot(None).expect("snapshot").files(&FileFilter::all());
    let size = usize::try_from(files.expect("files")[0].size).expect("fits");
    let seen = fixture.store.transfers();
    assert_eq!(seen.parts.iter().sum::<usize>(), size);
    assert_eq!(seen.parts.len(), size.div_ceil(PART_BYTES));
    assert!(seen.parts.iter().all(|bytes| *bytes <= PART_BYTES), "{seen:?}");
    assert!((2..=TRANSFERS_MAX).contains(&seen.under_way_max), "{seen:?}");
    assert!(seen.put_bytes_max <= PUT_BYTES_MAX, "{seen:?}");
    assert_eq!(seen.aborted, 0);
    expect_read(&table, &rows);
    let seen = fixture.store.transfers();
    assert!(seen.get_bytes_max <= PART_BYTES as u64, "{seen:?}");
}

#[test]
fn upload_that_fails_or_whose_answer_is_lost_is_begun_again() {
    let fixture = fixture();
    let (table, rows) = (table(&fixture.lake), long_rows());
    fixture.store.script_uploads(&[Fault::Refuse, Fault::LoseReply]);
    let staged = stage(&table, &rows).expect("stages");
    assert_eq!(fixture.store.transfers().aborted, 2);
    assert_eq!(names(&fixture, "_turnwise/temporary"), 0);
    assert_eq!(names(&fixture, "events/part=p"), 1);
    commit(&table, &staged);
    expect_read(&table, &rows);
}

#[test]
fn uploads_that_go_on_failing_end_and_leave_nothing() {
    let fixture = fixture();
    let (table, rows) = (table(&fixture.lake), long_rows());
    let fail = usize::try_from(UPLOADS_MAX).expect("fits");
    fixture.store.script_uploads(&vec![Fault::Refuse; fail]);
    let error = stage(&table, &rows).expect_err("fails");
    assert_eq!(error.retry(), Retry::Later);
    assert_eq!(fixture.store.transfers().aborted, fail);
    assert_eq!(names(&fixture, "_turnwise/temporary"), 0);
    assert_eq!(names(&fixture, "events/part=p"), 0);
}
