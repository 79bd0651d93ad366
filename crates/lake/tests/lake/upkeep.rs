//! Compaction, checkpoints, vacuum and log cleaning beside writers.

use crate::common::{
    Fault, all_rows, fixture, info, now_ms, open, partition, rows, table, tiles, txn,
};
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, RecordBatch};
use turnwise_lake::{
    Cause, CommitOutcome, CompactOutcome, CompactPlan, Encoding, FileFilter, FileInfo, LakeError,
    Table,
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

/// All files of the partition, as the table now has them.
fn plan(table: &Table) -> CompactPlan {
    table.refresh().expect("refreshes");
    let snapshot = table.snapshot(None).expect("snapshot");
    let inputs = snapshot.files(&FileFilter::all().partition(&partition("p"))).expect("files");
    CompactPlan { inputs, sorted_by: &["app", "number"], clears: &[] }
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
    assert_eq!(table.vacuum(ORPHAN_RETENTION_MS, now).expect("sweeps"), 0);
    assert_eq!(data_files(&fixture), 2);
    let later = now_ms() + ORPHAN_RETENTION_MS + 1_000;
    assert_eq!(table.vacuum(ORPHAN_RETENTION_MS, later).expect("sweeps"), 2);
    assert_eq!(data_files(&fixture), 1);
    assert_eq!(std::fs::read_dir(temporary).expect("folder").count(), 0);
    assert_eq!(all_rows(&table), tiles(&[("a", 5)]));
}

#[test]
fn what_was_replaced_goes_sooner_where_that_is_asked_for_and_what_no_commit_names_does_not() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    for number in 0..6 {
        append(&table, "a", number * 2, number * 2 + 2);
    }
    table.compact(&plan(&table), &mut unchanged, &info(), now_ms()).expect("compacts");
    let staged = table.stage(vec![(partition("p"), rows("a", 5, 9))], Encoding::Light, now_ms());
    drop(staged.expect("stages"));
    assert_eq!(data_files(&fixture), 8);
    let later = now_ms() + 10_000;
    assert_eq!(table.vacuum(60_000, later).expect("sweeps"), 0);
    assert_eq!(table.vacuum(5_000, later).expect("sweeps"), 6);
    assert_eq!((data_files(&fixture), all_rows(&table)), (2, tiles(&[("a", 12)])));
}

#[test]
fn vacuum_sweeps_a_lake_below_a_folder_with_the_name_of_its_own() {
    let folder = tempfile::tempdir().expect("folder");
    // Below a folder with the name of the log the kernel reads no table.
    let (lake, _) = open(&folder.path().join("_turnwise/lake"), false).expect("opens");
    let table = table(&lake);
    append(&table, "a", 0, 5);
    let orphan = table.stage(vec![(partition("p"), rows("a", 5, 9))], Encoding::Light, now_ms());
    drop(orphan.expect("stages"));
    table.checkpoint_now().expect("writes");
    let later = now_ms() + ORPHAN_RETENTION_MS + 1_000;
    assert_eq!(table.vacuum(ORPHAN_RETENTION_MS, later).expect("sweeps"), 1);
    assert_eq!(all_rows(&crate::common::table(&lake)), tiles(&[("a", 5)]));
}

#[test]
fn compaction_keeps_every_row_and_the_file_is_kept_for_readers() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    for number in 0..6 {
        append(&table, "a", number * 2, number * 2 + 2);
    }
    let before = table.snapshot(None).expect("snapshot");
    let outcome =
        table.compact(&plan(&table), &mut unchanged, &info(), now_ms()).expect("compacts");
    let version = table.version();
    let done = CompactOutcome::Done { version: Some(version), removed: 6, added: 1 };
    assert_eq!(outcome, done);
    assert_eq!(all_rows(&table), tiles(&[("a", 12)]));
    assert_eq!(table.transaction("a"), Some(12));
    assert!(!table.changes(version - 1, version).expect("reads")[0].data_change);
    // A reader of the version before still finds its files.
    assert_eq!(table.vacuum(ORPHAN_RETENTION_MS, now_ms()).expect("sweeps"), 0);
    assert_eq!(before.read(None, &FileFilter::all()).expect("reads").len(), 6);
    assert_eq!(table.vacuum(1_000, now_ms()).expect("sweeps"), 0);
    let later = now_ms() + ORPHAN_RETENTION_MS + 1_000;
    assert_eq!(table.vacuum(ORPHAN_RETENTION_MS, later).expect("sweeps"), 6);
    assert_eq!(all_rows(&table), tiles(&[("a", 12)]));
    let nothing = CompactPlan { inputs: Vec::new(), ..plan(&table) };
    let again = table.compact(&nothing, &mut unchanged, &info(), now_ms()).expect("looks");
    assert_eq!(again, CompactOutcome::Nothing);
}

#[test]
fn files_in_order_are_merged_with_others_and_their_rows_are_in_order() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    // Two files in order, whose rows go into each other, and two that are not.
    for (app, from) in [("b", 0), ("a", 0), ("b", 20_000), ("a", 20_000)] {
        append(&table, app, from, from + 20_000);
        if from == 0 {
            let CompactPlan { mut inputs, .. } = plan(&table);
            inputs.retain(|file| file.sorted_by().is_none());
            let plan = CompactPlan { inputs, ..plan(&table) };
            table.compact(&plan, &mut unchanged, &info(), now_ms()).expect("compacts");
        }
    }
    let plan = plan(&table);
    assert_eq!(plan.inputs.iter().filter(|file| file.sorted_by() == Some("app")).count(), 2);
    let mut others = 0;
    let mut in_order = |mut rows: Vec<RecordBatch>| {
        others = rows.iter().map(RecordBatch::num_rows).sum();
        rows.sort_by_key(|rows| rows["app"].as_string::<i32>().value(0).to_owned());
        Ok(rows)
    };
    let done = table.compact(&plan, &mut in_order, &info(), now_ms()).expect("compacts");
    assert!(matches!(done, CompactOutcome::Done { removed: 4, added: 1, .. }), "{done:?}");
    assert_eq!(others, 40_000, "rows in order are not put in order again");
    let read = table.snapshot(None).expect("snapshot").read(None, &FileFilter::all());
    let mut found = Vec::new();
    for batch in read.expect("reads") {
        let apps = batch["app"].as_string::<i32>().iter().flatten().map(str::to_owned);
        let numbers = batch["number"].as_primitive::<Int64Type>().values().iter().copied();
        found.extend(apps.zip(numbers));
    }
    assert_eq!(found, tiles(&[("a", 40_000), ("b", 40_000)]));
}

#[test]
fn rows_that_were_put_in_another_order_are_refused() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    append(&table, "b", 0, 5);
    append(&table, "a", 0, 5);
    let refused = table.compact(&plan(&table), &mut unchanged, &info(), now_ms());
    assert!(matches!(refused, Err(LakeError::Data { .. })), "{refused:?}");
    assert_eq!(all_rows(&table), tiles(&[("a", 5), ("b", 5)]));
}

#[test]
fn files_of_two_partitions_are_no_compaction() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    append(&table, "a", 0, 5);
    let of_other = vec![(partition("q"), rows("a", 5, 9))];
    let staged = table.stage(of_other, Encoding::Light, now_ms()).expect("stages");
    table.commit(&staged, &[txn("a", Some(5), 9)], &info(), now_ms()).expect("commits");
    let inputs = table.snapshot(None).expect("snapshot").files(&FileFilter::all());
    let plan = CompactPlan { inputs: inputs.expect("files"), ..plan(&table) };
    assert_eq!(plan.inputs.len(), 2);
    assert!(table.compact(&plan, &mut unchanged, &info(), now_ms()).is_err());
    assert_eq!(all_rows(&table), tiles(&[("a", 9)]));
}

#[test]
fn cleared_columns_are_empty_and_the_log_says_so() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    append(&table, "a", 0, 2);
    append(&table, "b", 0, 3);
    let clearing = CompactPlan { clears: &["number"], ..plan(&table) };
    table.compact(&clearing, &mut unchanged, &info(), now_ms()).expect("compacts");
    let version = table.version();
    assert!(table.changes(version - 1, version).expect("reads")[0].data_change);
    let [file] = <[_; 1]>::try_from(plan(&table).inputs).expect("one file");
    assert!(!file.may_hold("number") && file.may_hold("app"));
    let read = table.snapshot(None).expect("snapshot").read(Some(&["number"]), &FileFilter::all());
    let nulls: usize = read.expect("reads").iter().map(|rows| rows["number"].null_count()).sum();
    assert_eq!(nulls, 5);
    // Also of a file in order, which is not put in order again.
    append(&table, "c", 0, 4);
    let sorted = plan(&table);
    table.compact(&sorted, &mut unchanged, &info(), now_ms()).expect("compacts");
    let [file] = <[_; 1]>::try_from(plan(&table).inputs).expect("one file");
    assert!(file.may_hold("number"));
    let clearing = CompactPlan { clears: &["number"], ..plan(&table) };
    let mut never = |_: Vec<RecordBatch>| Err(Cause::from("in order already"));
    table.compact(&clearing, &mut never, &info(), now_ms()).expect("compacts");
    assert!(!plan(&table).inputs[0].may_hold("number"));
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
    assert!(table.compact(&plan(&table), &mut loses, &info(), now_ms()).is_err());
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
    let outcome =
        compactor.compact(&plan(&compactor), &mut beside, &info(), now_ms()).expect("compacts");
    assert!(matches!(outcome, CompactOutcome::Done { removed: 2, .. }), "{outcome:?}");
    assert_eq!(all_rows(&writer), tiles(&[("a", 6)]));
    // Another compaction in between: its inputs are gone.
    let mut overtaken = |rows: Vec<RecordBatch>| {
        writer.compact(&plan(&writer), &mut unchanged, &info(), now_ms())?;
        Ok(rows)
    };
    let outcome =
        compactor.compact(&plan(&compactor), &mut overtaken, &info(), now_ms()).expect("ends");
    assert_eq!(outcome, CompactOutcome::GaveUp);
    assert_eq!(all_rows(&writer), tiles(&[("a", 6)]));
    // A lost answer: not a second time.
    append(&writer, "a", 6, 8);
    compactor.refresh().expect("refreshes");
    fixture.store.script(&[Fault::LoseReply]);
    let outcome =
        compactor.compact(&plan(&compactor), &mut unchanged, &info(), now_ms()).expect("ends");
    assert!(matches!(outcome, CompactOutcome::Done { version: None, .. }), "{outcome:?}");
    assert_eq!(all_rows(&writer), tiles(&[("a", 8)]));
}

/// An entry of another writer that has nothing to do with any file.
const OTHER: Fault = Fault::Overtaken("{\"commitInfo\":{\"operation\":\"WRITE\"}}\n");

/// The name of a version's entry in the log.
fn entry(version: u64) -> String {
    format!("{version:020}.json")
}

fn removal_of(file: &FileInfo) -> String {
    let remove = r#"{"remove":{"deletionTimestamp":1,"dataChange":true,"path":"#;
    format!("{remove}\"{}\"}}}}\n", file.path)
}

#[test]
fn compaction_that_is_overtaken_again_and_again_looks_at_all_files_once() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    for number in 0..4 {
        append(&table, "a", number * 2, number * 2 + 2);
    }
    let plan = plan(&table);
    fixture.store.script(&[OTHER; 6]);
    let before = fixture.store.reads(&entry(1));
    let outcome = table.compact(&plan, &mut unchanged, &info(), now_ms()).expect("compacts");
    let done = CompactOutcome::Done { version: Some(4 + 6 + 1), removed: 4, added: 1 };
    assert_eq!(outcome, done);
    assert_eq!(fixture.store.reads(&entry(1)) - before, 1);
    assert_eq!(all_rows(&table), tiles(&[("a", 8)]));
}

#[test]
fn compaction_that_is_overtaken_gives_way_to_whoever_touched_an_input() {
    let adds_again = |log: &std::path::Path| {
        let lines = std::fs::read_to_string(log.join(entry(1))).expect("reads");
        lines.lines().find(|line| line.starts_with("{\"add\"")).expect("adds").to_owned() + "\n"
    };
    for (does_remove, left) in [(true, vec![("a".to_owned(), 2)]), (false, tiles(&[("a", 3)]))] {
        let fixture = fixture();
        let table = table(&fixture.lake);
        append(&table, "a", 0, 2);
        let first = plan(&table).inputs;
        append(&table, "a", 2, 3);
        let plan = plan(&table);
        let log = fixture.folder.path().join("events/_delta_log");
        let touch = if does_remove { removal_of(&first[0]) } else { adds_again(&log) };
        fixture.store.script(&[OTHER, Fault::Overtaken(touch.leak()), OTHER]);
        let outcome = table.compact(&plan, &mut unchanged, &info(), now_ms()).expect("ends");
        assert_eq!(outcome, CompactOutcome::GaveUp);
        assert_eq!(all_rows(&table), left);
    }
}

#[test]
fn compaction_that_more_commits_overtook_than_are_read_looks_at_all_files_again() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    append(&table, "a", 0, 2);
    append(&table, "a", 2, 3);
    let plan = plan(&table);
    let log = fixture.folder.path().join("events/_delta_log");
    let Fault::Overtaken(other) = OTHER else { panic!("an entry") };
    // The first of so many removes an input.
    let removal = removal_of(&plan.inputs[0]);
    let mut overtaken = |rows: Vec<RecordBatch>| {
        for nth in 0..=2 * CHECKPOINT_EVERY {
            let lines = if nth == 0 { removal.as_str() } else { other };
            std::fs::write(log.join(entry(3 + nth)), lines)?;
        }
        Ok(rows)
    };
    let outcome = table.compact(&plan, &mut overtaken, &info(), now_ms()).expect("ends");
    assert_eq!(outcome, CompactOutcome::GaveUp);
    assert_eq!(all_rows(&table), [("a".to_owned(), 2)]);
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
                    table
                        .compact(&plan(&table), &mut unchanged, &info(), now_ms())
                        .expect("compacts");
                    table.checkpoint_now().expect("checkpoints");
                    table.vacuum(ORPHAN_RETENTION_MS, now_ms()).expect("sweeps");
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
