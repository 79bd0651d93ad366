//! Compaction, checkpoints, vacuum and log cleaning beside writers.

use crate::common::{Fault, all_rows, fixture, info, now_ms, partition, rows, table, tiles, txn};
use arrow_array::RecordBatch;
use turnwise_lake::{
    Cause, CommitOutcome, CompactOutcome, CompactPlan, Encoding, FileFilter, Table,
};
use turnwise_model::limits::{CHECKPOINT_EVERY, LOG_RETENTION_MS, ORPHAN_RETENTION_MS};

/// Commits `[from, to)` of an application in one file.
fn append(table: &Table, app: &str, from: i64, to: i64) {
    let now = now_ms();
    let parts = vec![(partition("p"), rows(app, from, to))];
    let staged = table.stage(parts, Encoding::Light, now).expect("stages");
    let expected = (from > 0).then_some(from);
    let outcome = table.commit(&staged, &[txn(app, expected, to)], &info(), now).expect("ends");
    assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
}

fn plan() -> CompactPlan {
    CompactPlan {
        partition: partition("p"),
        small_bytes: 1 << 20,
        files_min: 2,
        input_bytes_max: 1 << 30,
        file_rows_max: 1_000,
        sorted_by: &[],
        data_change: false,
    }
}

fn unchanged(rows: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Cause> {
    Ok(rows)
}

fn data_files(fixture: &crate::common::Fixture) -> usize {
    let folder = fixture.folder.path().join("events/part=p");
    std::fs::read_dir(folder).expect("folder").count()
}

#[test]
fn orphan_of_a_killed_writer_stays_for_the_retention_and_goes_after() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    append(&table, "a", 0, 5);
    let now = now_ms();
    // Killed between stage and commit.
    let staged = table.stage(vec![(partition("p"), rows("a", 5, 9))], Encoding::Light, now);
    drop(staged.expect("stages"));
    let temporary = fixture.folder.path().join("_turnwise/temporary");
    std::fs::write(temporary.join("half"), b"half").expect("writes");
    assert_eq!(data_files(&fixture), 2);
    assert_eq!(table.vacuum(now).expect("sweeps"), 0);
    assert_eq!(data_files(&fixture), 2);
    let later = now_ms() + ORPHAN_RETENTION_MS + 1_000;
    assert_eq!(table.vacuum(later).expect("sweeps"), 2);
    assert_eq!(data_files(&fixture), 1);
    assert_eq!(std::fs::read_dir(temporary).expect("folder").count(), 0);
    assert_eq!(all_rows(&table), tiles(&[("a", 5)]));
}

#[test]
fn compaction_keeps_every_row_and_the_file_is_kept_for_readers() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    for number in 0..6 {
        append(&table, "a", number * 2, number * 2 + 2);
    }
    let before = table.snapshot(None).expect("snapshot");
    let outcome = table.compact(&plan(), &mut unchanged, &info(), now_ms()).expect("compacts");
    let version = table.version();
    let done = CompactOutcome::Done { version: Some(version), removed: 6, added: 1 };
    assert_eq!(outcome, done);
    assert_eq!(all_rows(&table), tiles(&[("a", 12)]));
    assert_eq!(table.transaction("a"), Some(12));
    assert!(!table.changes(version - 1, version).expect("reads")[0].data_change);
    // A reader of the version before still finds its files.
    assert_eq!(table.vacuum(now_ms()).expect("sweeps"), 0);
    assert_eq!(before.read(None, &FileFilter::all()).expect("reads").len(), 6);
    let later = now_ms() + ORPHAN_RETENTION_MS + 1_000;
    assert_eq!(table.vacuum(later).expect("sweeps"), 6);
    assert_eq!(all_rows(&table), tiles(&[("a", 12)]));
    let again = table.compact(&plan(), &mut unchanged, &info(), now_ms()).expect("looks");
    assert_eq!(again, CompactOutcome::Nothing);
}

#[test]
fn compaction_that_loses_rows_is_refused() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    append(&table, "a", 0, 2);
    append(&table, "a", 2, 4);
    let mut loses = |mut rows: Vec<RecordBatch>| {
        rows.pop();
        Ok(rows)
    };
    assert!(table.compact(&plan(), &mut loses, &info(), now_ms()).is_err());
    assert_eq!(all_rows(&table), tiles(&[("a", 4)]));
}

#[test]
fn compaction_goes_on_beside_appends_and_gives_way_to_another() {
    let fixture = fixture();
    let (writer, compactor) = (table(&fixture.lake), table(&fixture.lake));
    append(&writer, "a", 0, 2);
    append(&writer, "a", 2, 4);
    // An append between its look and its commit: it commits again with what it staged.
    let mut beside = |rows: Vec<RecordBatch>| {
        append(&writer, "a", 4, 6);
        Ok(rows)
    };
    let outcome = compactor.compact(&plan(), &mut beside, &info(), now_ms()).expect("compacts");
    assert!(matches!(outcome, CompactOutcome::Done { removed: 2, .. }), "{outcome:?}");
    assert_eq!(all_rows(&writer), tiles(&[("a", 6)]));
    // Another compaction in between: its inputs are gone.
    let mut overtaken = |rows: Vec<RecordBatch>| {
        writer.compact(&plan(), &mut unchanged, &info(), now_ms())?;
        Ok(rows)
    };
    let outcome = compactor.compact(&plan(), &mut overtaken, &info(), now_ms()).expect("ends");
    assert_eq!(outcome, CompactOutcome::GaveUp);
    assert_eq!(all_rows(&writer), tiles(&[("a", 6)]));
    // A lost answer: not a second time.
    append(&writer, "a", 6, 8);
    compactor.refresh().expect("refreshes");
    fixture.store.script(&[Fault::LoseReply]);
    let outcome = compactor.compact(&plan(), &mut unchanged, &info(), now_ms()).expect("ends");
    assert!(matches!(outcome, CompactOutcome::Done { version: None, .. }), "{outcome:?}");
    assert_eq!(all_rows(&writer), tiles(&[("a", 8)]));
}

#[test]
fn rows_tile_while_two_compact_and_vacuum_in_a_loop() {
    let fixture = fixture();
    table(&fixture.lake);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let table = table(&fixture.lake);
            for number in 0..40 {
                append(&table, "a", number * 3, number * 3 + 3);
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let table = table(&fixture.lake);
                for _ in 0..12 {
                    table.compact(&plan(), &mut unchanged, &info(), now_ms()).expect("compacts");
                    table.checkpoint_now().expect("checkpoints");
                    table.vacuum(now_ms()).expect("sweeps");
                    table.clean_log(now_ms()).expect("cleans");
                }
            });
        }
    });
    assert_eq!(all_rows(&table(&fixture.lake)), tiles(&[("a", 120)]));
}

#[test]
fn checkpoint_and_log_give_the_same_offsets_when_opened_again() {
    let fixture = fixture();
    let first = table(&fixture.lake);
    for number in 0..5 {
        append(&first, "a", number, number + 1);
        append(&first, "b", number * 2, number * 2 + 2);
    }
    assert_eq!(first.checkpoint().expect("not due"), None);
    let version = first.checkpoint_now().expect("writes");
    assert_eq!(version, 10);
    append(&first, "b", 10, 11);
    append(&first, "c", 0, 1);
    let expected = first.transactions();
    assert_eq!(expected.len(), 3);
    let again = table(&fixture.lake);
    assert_eq!(again.transactions(), expected);
    // The same from the checkpoint alone, after the log before it was cleaned.
    let later = now_ms() + LOG_RETENTION_MS + 1_000;
    assert_eq!(first.clean_log(now_ms()).expect("cleans"), 0);
    assert_eq!(first.clean_log(later).expect("cleans"), 10);
    let again = table(&fixture.lake);
    assert_eq!(again.transactions(), expected);
    assert_eq!(all_rows(&again), tiles(&[("a", 5), ("b", 11), ("c", 1)]));
    assert!(again.changes(3, 5).is_err());
    append(&again, "a", 5, 6);
    assert_eq!(all_rows(&first), tiles(&[("a", 6), ("b", 11), ("c", 1)]));
}

#[test]
fn writer_that_slept_through_log_cleaning_commits_into_no_hole() {
    let fixture = fixture();
    let (sleeper, others) = (table(&fixture.lake), table(&fixture.lake));
    append(&sleeper, "a", 0, 3);
    others.refresh().expect("refreshes");
    for number in 0..4 {
        append(&others, "b", number, number + 1);
    }
    others.checkpoint_now().expect("writes");
    append(&others, "a", 3, 5);
    let later = now_ms() + LOG_RETENTION_MS + 1_000;
    assert!(others.clean_log(later).expect("cleans") > 3);
    // It believes that `a` stands at 3 and that version 2 is free: the name is, the version
    // is not.
    let now = now_ms();
    let staged = sleeper
        .stage(vec![(partition("p"), rows("a", 3, 6))], Encoding::Light, now)
        .expect("stages");
    let outcome = sleeper.commit(&staged, &[txn("a", Some(3), 6)], &info(), now).expect("ends");
    assert_eq!(outcome, CommitOutcome::Lost { apps: vec!["a".to_owned()] });
    assert_eq!(all_rows(&others), tiles(&[("a", 5), ("b", 4)]));
    assert_eq!(all_rows(&sleeper), tiles(&[("a", 5), ("b", 4)]));
    assert_eq!(all_rows(&table(&fixture.lake)), tiles(&[("a", 5), ("b", 4)]));
}

#[test]
fn checkpoint_is_written_when_due() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    let every = i64::try_from(CHECKPOINT_EVERY).expect("fits");
    for number in 0..every {
        append(&table, "a", number, number + 1);
    }
    assert_eq!(table.checkpoint().expect("writes"), Some(CHECKPOINT_EVERY));
    assert_eq!(table.checkpoint().expect("looks"), None);
    assert_eq!(all_rows(&crate::common::table(&fixture.lake)), tiles(&[("a", every)]));
}
