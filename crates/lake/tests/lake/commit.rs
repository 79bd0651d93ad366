//! Commits with offsets under races, lost answers and kills (law 2).

use std::collections::BTreeMap;

use crate::common::{
    Fault, all_rows, fixture, info, now_ms, open, partition, rows, table, tiles, txn,
};
use turnwise_lake::{CommitOutcome, Encoding, Lake, LakeError, Retry, Table};
use turnwise_model::limits::{COMMIT_ATTEMPTS_MAX, COMMIT_DEADLINE_MS};

/// Commits `[stored, stored + step)` until the application stands at `end`.
fn write_until(table: &Table, app: &str, end: i64, step: i64) {
    while table.transaction(app).unwrap_or(0) < end {
        let expected = table.transaction(app);
        let (from, now) = (expected.unwrap_or(0), now_ms());
        let to = (from + step).min(end);
        let staged = table
            .stage(vec![(partition(app), rows(app, from, to))], Encoding::Light, now)
            .expect("stages");
        match table.commit(&staged, &[txn(app, expected, to)], &info(), now) {
            Ok(CommitOutcome::Expired) => panic!("nothing waits that long"),
            Ok(_) | Err(LakeError::Contended { .. }) => {
                table.refresh().expect("refreshes");
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn rows_of_racing_writers_tile_exactly() {
    let fixture = fixture();
    table(&fixture.lake);
    std::thread::scope(|scope| {
        // Two fight over `shared`, and each has a partition of its own.
        for own in ["left", "right"] {
            let lake = &fixture.lake;
            scope.spawn(move || {
                let table = table(lake);
                for round in 1..=10 {
                    write_until(&table, own, round * 7, 7);
                    write_until(&table, "shared", round * 10, 3);
                }
            });
        }
    });
    let table = table(&fixture.lake);
    assert_eq!(all_rows(&table), tiles(&[("left", 70), ("right", 70), ("shared", 100)]));
    assert_eq!(table.transaction("shared"), Some(100));
}

#[test]
fn every_ambiguous_answer_leaves_each_row_once() {
    let faults = [
        Fault::Pass,
        Fault::LoseReply,
        Fault::ConflictWithItself,
        Fault::Refuse,
        Fault::FalseConflict,
    ];
    let fixture = fixture();
    let table = table(&fixture.lake);
    let mut end = 0;
    for first in faults {
        for second in faults {
            fixture.store.script(&[first, second]);
            let now = now_ms();
            let parts = vec![(partition("p"), rows("a", end, end + 3))];
            let staged = table.stage(parts, Encoding::Light, now).expect("stages");
            let expected = table.transaction("a");
            let outcome =
                table.commit(&staged, &[txn("a", expected, end + 3)], &info(), now).expect("ends");
            end += 3;
            let stored = matches!(first, Fault::LoseReply | Fault::ConflictWithItself)
                || (first != Fault::Pass
                    && matches!(second, Fault::LoseReply | Fault::ConflictWithItself));
            assert_eq!(outcome == CommitOutcome::AlreadyIn, stored, "{first:?} {second:?}");
            assert_eq!(table.transaction("a"), Some(end), "{first:?} {second:?}");
        }
    }
    fixture.store.script(&[]);
    assert_eq!(all_rows(&table), tiles(&[("a", end)]));
}

#[test]
fn commit_without_offsets_is_not_made_twice_when_its_answer_is_lost() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    let now = now_ms();
    for (fault, from) in [(Fault::LoseReply, 0), (Fault::Refuse, 4), (Fault::ConflictWithItself, 8)]
    {
        let parts = vec![(partition("p"), rows("a", from, from + 4))];
        let staged = table.stage(parts, Encoding::Light, now).expect("stages");
        fixture.store.script(&[fault]);
        table.commit(&staged, &[], &info(), now).expect("ends");
    }
    assert_eq!(all_rows(&table), tiles(&[("a", 12)]));
}

#[test]
fn store_that_is_down_ends_in_a_bounded_number_of_attempts() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    let now = now_ms();
    let staged =
        table.stage(vec![(partition("p"), rows("a", 0, 4))], Encoding::Light, now).expect("stages");
    let tries = usize::try_from(COMMIT_ATTEMPTS_MAX).expect("fits");
    fixture.store.script(&vec![Fault::Refuse; tries]);
    let error = table.commit(&staged, &[txn("a", None, 4)], &info(), now).expect_err("down");
    assert!(matches!(error, LakeError::Contended { attempts: 1..=COMMIT_ATTEMPTS_MAX, .. }));
    assert_eq!(error.retry(), Retry::Later);
    assert_eq!(all_rows(&table), tiles(&[]));
}

#[test]
fn partition_that_another_moved_is_lost_and_the_rest_commits() {
    let fixture = fixture();
    let (slow, quick) = (table(&fixture.lake), table(&fixture.lake));
    let now = now_ms();
    let parts = vec![(partition("p"), rows("a", 0, 5)), (partition("p"), rows("b", 0, 5))];
    let staged = slow.stage(parts, Encoding::Light, now).expect("stages");
    write_until(&quick, "a", 3, 3);
    let both = [txn("a", None, 5), txn("b", None, 5)];
    let outcome = slow.commit(&staged, &both, &info(), now).expect("ends");
    assert_eq!(outcome, CommitOutcome::Lost { apps: vec!["a".to_owned()] });
    let rest =
        slow.stage(vec![(partition("p"), rows("b", 0, 5))], Encoding::Light, now).expect("stages");
    let outcome = slow.commit(&rest, &both[1..], &info(), now).expect("ends");
    assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
    assert_eq!(all_rows(&slow), tiles(&[("a", 3), ("b", 5)]));
}

#[test]
fn files_staged_too_long_ago_are_never_committed() {
    let fixture = fixture();
    let table = table(&fixture.lake);
    let now = now_ms();
    let staged =
        table.stage(vec![(partition("p"), rows("a", 0, 5))], Encoding::Light, now).expect("stages");
    let late = now + COMMIT_DEADLINE_MS + 1;
    let outcome = table.commit(&staged, &[txn("a", None, 5)], &info(), late).expect("ends");
    assert_eq!(outcome, CommitOutcome::Expired);
    assert_eq!(all_rows(&table), tiles(&[]));
}

#[test]
fn store_that_ignores_create_mode_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let error = open(folder.path(), true).expect_err("refused");
    assert!(matches!(error, LakeError::UnsafeStore), "{error:?}");
    assert_eq!(error.retry(), Retry::Fatal);
}

#[test]
fn another_secret_is_refused() {
    let fixture = fixture();
    fixture.lake.check_secret("one").expect("first use");
    fixture.lake.check_secret("one").expect("same");
    let error = fixture.lake.check_secret("two").expect_err("other");
    assert!(matches!(error, LakeError::OtherSecret), "{error:?}");
    let location = fixture.folder.path().to_str().expect("utf-8");
    let again = Lake::open(location, &BTreeMap::new()).expect("opens");
    assert!(again.check_secret("two").is_err());
}

#[test]
fn table_is_created_once_by_many_and_keeps_its_columns() {
    let fixture = fixture();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| table(&fixture.lake));
        }
    });
    assert_eq!(fixture.lake.table_names().expect("names"), ["events"]);
    let other = std::sync::Arc::new(arrow_schema::Schema::new(vec![arrow_schema::Field::new(
        "other",
        arrow_schema::DataType::Int64,
        true,
    )]));
    let error = fixture.lake.table("events", other, &[]).expect_err("other columns");
    assert!(matches!(error, LakeError::OtherSchema { .. }), "{error:?}");
    assert!(fixture.lake.existing_table("none").expect("looks").is_none());
    fixture.lake.delete_table("events").expect("deletes");
    assert!(fixture.lake.existing_table("events").expect("looks").is_none());
}
