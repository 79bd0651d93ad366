//! One sentence of the laws at a time; the faults in combination are the simulation's.

use super::*;
use crate::cut::tests::{batch, partition, rows_of};

fn machine() -> Machine {
    Machine::new(Settings { buffer_bytes_max: 1_000, commit_bytes: 400, ..Settings::default() })
}

/// Feeds one input; answers every `Cut` at once with `rows` (the first) or nothing.
fn feed(machine: &mut Machine, input: Input, now_ms: i64, rows: &[Row]) -> Vec<Wish> {
    let mut wishes = machine.handle(input, now_ms).expect("positions are there");
    let (mut index, mut rows) = (0, rows);
    while index < wishes.len() {
        if let Wish::Cut { cut } = wishes[index] {
            let batches = if rows.is_empty() { Vec::new() } else { vec![batch(rows)] };
            rows = &[];
            let more = machine.handle(Input::Cut { cut, batches }, now_ms).expect("positions");
            wishes.extend(more);
        }
        index += 1;
    }
    wishes.retain(|wish| !matches!(wish, Wish::Cut { .. }));
    wishes
}

fn assign(machine: &mut Machine, number: i32, stored: Option<i64>) -> Epoch {
    let input = Input::Assigned {
        partition: partition(0, number),
        stored: stored.map(Offset),
        first: Offset(5),
    };
    match feed(machine, input, 0, &[]).as_slice() {
        [Wish::Seek { epoch, offset, .. }] => {
            assert_eq!(offset.0, stored.unwrap_or(5));
            *epoch
        }
        other => panic!("no seek: {other:?}"),
    }
}

fn read(number: i32, epoch: Epoch, from: i64, to: i64, bytes: usize) -> Input {
    Input::Read {
        partition: partition(0, number),
        epoch,
        from: Offset(from),
        to: Offset(to),
        rows: 1,
        bytes,
        read_to: Some(Millis(to)),
    }
}

type Range = (i32, Option<i64>, i64);
type Row = (u8, i32, i64, i32);

/// The one commit among the wishes: its id, attempt, ranges and rows.
fn commit(wishes: &[Wish]) -> (CommitId, u32, Vec<Range>, Vec<Row>) {
    let mut commits = wishes.iter().filter_map(|wish| match wish {
        Wish::Commit { id, attempt, ranges, batches, .. } => {
            let ranges = ranges
                .iter()
                .map(|range| {
                    (range.partition.partition.0, range.from.map(|from| from.0), range.to.0)
                })
                .collect();
            Some((*id, *attempt, ranges, rows_of(batches)))
        }
        _ => None,
    });
    let found = commits.next().unwrap_or_else(|| panic!("no commit: {wishes:?}"));
    assert!(commits.next().is_none());
    found
}

fn stored(offsets: &[(i32, i64)]) -> BTreeMap<SourcePartition, Offset> {
    offsets.iter().map(|(number, offset)| (partition(0, *number), Offset(*offset))).collect()
}

/// Two partitions in flight: 0 over [10, 20), 1 over [None, 8).
fn two_in_flight() -> (Machine, CommitId, [Epoch; 2]) {
    let mut machine = machine();
    let epochs = [assign(&mut machine, 0, Some(10)), assign(&mut machine, 1, None)];
    assert!(feed(&mut machine, read(0, epochs[0], 10, 20, 10), 0, &[]).is_empty());
    assert!(feed(&mut machine, read(1, epochs[1], 5, 8, 10), 0, &[]).is_empty());
    assert!(feed(&mut machine, Input::Tick, 1_999, &[]).is_empty());
    let wishes = feed(&mut machine, Input::Tick, 2_000, &[(0, 0, 15, 0), (0, 1, 5, 0)]);
    let (id, attempt, ranges, rows) = commit(&wishes);
    assert_eq!((attempt, rows.len()), (1, 2));
    assert_eq!(ranges, [(0, Some(10), 20), (1, None, 8)]);
    (machine, id, epochs)
}

#[test]
fn batch_is_committed_at_its_age_and_kafka_hears_of_it_afterwards() {
    let (mut machine, id, _) = two_in_flight();
    let wishes = feed(&mut machine, Input::Committed { id }, 2_100, &[]);
    let [Wish::StoreOffsets(offsets)] = wishes.as_slice() else { panic!("{wishes:?}") };
    assert_eq!(*offsets, [(partition(0, 0), Offset(20)), (partition(0, 1), Offset(8))]);
    assert_eq!(machine.held_bytes(), 0);
}

#[test]
fn ambiguous_commit_with_offsets_at_from_is_tried_again_under_its_id() {
    let (mut machine, id, _) = two_in_flight();
    let wishes = feed(&mut machine, Input::Ambiguous { id }, 2_100, &[]);
    assert!(
        matches!(wishes.as_slice(), [Wish::ReadOffsets { partitions, .. }] if partitions.len() == 2)
    );
    let wishes = feed(&mut machine, Input::Offsets { id, stored: stored(&[(0, 10)]) }, 2_200, &[]);
    let (again, attempt, ranges, rows) = commit(&wishes);
    assert_eq!((again, attempt, ranges.len(), rows.len()), (id, 2, 2, 2));
}

#[test]
fn ambiguous_commit_with_offsets_at_to_is_in() {
    let (mut machine, id, epochs) = two_in_flight();
    feed(&mut machine, Input::Ambiguous { id }, 2_100, &[]);
    let answer = Input::Offsets { id, stored: stored(&[(0, 20), (1, 8)]) };
    let wishes = feed(&mut machine, answer, 2_200, &[]);
    assert!(matches!(wishes.as_slice(), [Wish::StoreOffsets(_)]), "{wishes:?}");
    feed(&mut machine, read(0, epochs[0], 20, 30, 1), 2_300, &[]);
    let (_, _, ranges, _) = commit(&feed(&mut machine, Input::Tick, 9_000, &[]));
    assert_eq!(ranges, [(0, Some(20), 30)]);
}

#[test]
fn partition_that_moved_is_cut_out_and_read_again_from_the_lake() {
    let (mut machine, id, epochs) = two_in_flight();
    // More of both is read meanwhile.
    feed(&mut machine, read(0, epochs[0], 20, 25, 10), 2_050, &[]);
    feed(&mut machine, read(1, epochs[1], 8, 9, 10), 2_050, &[]);
    feed(&mut machine, Input::Ambiguous { id }, 2_100, &[]);
    let answer = Input::Offsets { id, stored: stored(&[(0, 17)]) };
    let wishes = feed(&mut machine, answer, 2_200, &[(0, 0, 22, 0), (0, 1, 8, 0)]);
    assert!(wishes.iter().any(|wish| matches!(wish,
        Wish::Seek { partition: at, offset: Offset(17), .. } if *at == partition(0, 0))));
    let (rest, attempt, ranges, rows) = commit(&wishes);
    assert!(rest > id);
    assert_eq!((attempt, ranges, rows), (2, vec![(1, None, 8)], vec![(0, 1, 5, 0)]));
    // What was read of it behind the commit is gone too, and its old epoch is not heard.
    feed(&mut machine, read(0, epochs[0], 25, 26, 10), 2_300, &[]);
    assert_eq!(machine.counters().stale_reads, 1);
    feed(&mut machine, Input::Committed { id: rest }, 2_400, &[]);
    let (_, _, ranges, rows) = commit(&feed(&mut machine, Input::Tick, 9_000, &[]));
    assert_eq!((ranges, rows), (vec![(1, Some(8), 9)], vec![(0, 1, 8, 0)]));
}

#[test]
fn file_past_the_deadline_is_read_again_and_not_committed() {
    let (mut machine, id, _) = two_in_flight();
    feed(&mut machine, Input::Ambiguous { id }, 2_100, &[]);
    let answer = Input::Offsets { id, stored: stored(&[(0, 10)]) };
    let wishes = feed(&mut machine, answer, 2_000 + 600_000, &[]);
    let seeks: Vec<i64> = wishes
        .iter()
        .filter_map(|wish| match wish {
            Wish::Seek { offset, .. } => Some(offset.0),
            _ => None,
        })
        .collect();
    assert_eq!(seeks, [10, 5]);
    assert_eq!((machine.counters().deadline_drops, machine.held_bytes()), (1, 0));
}

#[test]
fn attempts_are_bounded() {
    let (mut machine, id, _) = two_in_flight();
    for attempt in 2..=30 {
        feed(&mut machine, Input::Ambiguous { id }, 2_100, &[]);
        let answer = Input::Offsets { id, stored: stored(&[(0, 10)]) };
        assert_eq!(commit(&feed(&mut machine, answer, 2_100, &[])).1, attempt);
    }
    feed(&mut machine, Input::Ambiguous { id }, 2_100, &[]);
    let answer = Input::Offsets { id, stored: stored(&[(0, 10)]) };
    let wishes = feed(&mut machine, answer, 2_100, &[]);
    assert!(wishes.iter().all(|wish| matches!(wish, Wish::Seek { .. })), "{wishes:?}");
    assert_eq!(machine.counters().attempt_drops, 1);
}

#[test]
fn revoked_partition_is_committed_before_it_is_released() {
    let mut machine = machine();
    let epoch = assign(&mut machine, 0, Some(0));
    feed(&mut machine, read(0, epoch, 0, 3, 10), 10, &[]);
    let revoked = Input::Revoked { partition: partition(0, 0) };
    let (id, _, ranges, _) = commit(&feed(&mut machine, revoked, 20, &[(0, 0, 0, 0)]));
    assert_eq!(ranges, [(0, Some(0), 3)]);
    let wishes = feed(&mut machine, Input::Committed { id }, 30, &[]);
    assert!(matches!(wishes.as_slice(), [Wish::StoreOffsets(_), Wish::Released { .. }]));
    assert_eq!(machine.positions().count(), 0);
}

#[test]
fn lost_partition_leaves_no_row() {
    let mut machine = machine();
    let epochs = [assign(&mut machine, 0, Some(0)), assign(&mut machine, 1, Some(0))];
    feed(&mut machine, read(0, epochs[0], 0, 3, 10), 10, &[]);
    feed(&mut machine, read(1, epochs[1], 0, 1, 10), 10, &[]);
    let lost = Input::Lost { partition: partition(0, 0) };
    feed(&mut machine, lost, 20, &[(0, 0, 0, 0), (0, 1, 0, 0), (0, 0, 2, 0)]);
    let (_, _, ranges, rows) = commit(&feed(&mut machine, Input::Tick, 3_000, &[]));
    assert_eq!((ranges, rows), (vec![(1, Some(0), 1)], vec![(0, 1, 0, 0)]));
}

#[test]
fn read_that_does_not_go_on_is_read_again() {
    for from in [2, 4] {
        let mut machine = machine();
        let epoch = assign(&mut machine, 0, Some(0));
        feed(&mut machine, read(0, epoch, 0, 3, 10), 10, &[]);
        let wishes = feed(&mut machine, read(0, epoch, from, 5, 10), 20, &[(0, 0, 0, 0)]);
        assert!(matches!(wishes.as_slice(), [Wish::Seek { offset: Offset(0), .. }]), "{wishes:?}");
        assert!(feed(&mut machine, Input::Tick, 9_000, &[]).is_empty());
    }
}

#[test]
fn bad_read_behind_a_commit_that_is_not_in_goes_back_to_the_lake() {
    let (mut machine, id, epochs) = two_in_flight();
    let behind = feed(&mut machine, read(0, epochs[0], 23, 25, 10), 2_050, &[]);
    let [Wish::Seek { offset: Offset(20), .. }] = behind.as_slice() else { panic!("{behind:?}") };
    feed(&mut machine, Input::Ambiguous { id }, 2_100, &[]);
    let answer = Input::Offsets { id, stored: stored(&[(0, 10)]) };
    let wishes = feed(&mut machine, answer, 2_200, &[]);
    // Else nothing would be read of it until its next record, and an idle commit would claim it read.
    assert!(wishes.iter().any(|wish| matches!(wish,
        Wish::Seek { partition: at, offset: Offset(10), .. } if *at == partition(0, 0))));
    assert_eq!(commit(&wishes).2, [(1, None, 8)]);
}

#[test]
fn full_buffer_pauses_and_a_commit_resumes() {
    let mut machine = machine();
    let epoch = assign(&mut machine, 0, Some(0));
    let (id, ..) = commit(&feed(&mut machine, read(0, epoch, 0, 1, 600), 0, &[]));
    let wishes = feed(&mut machine, read(0, epoch, 1, 2, 400), 0, &[]);
    assert!(matches!(wishes.as_slice(), [Wish::Pause]), "{wishes:?}");
    let wishes = feed(&mut machine, Input::Committed { id }, 1, &[]);
    assert!(wishes.iter().any(|wish| matches!(wish, Wish::Resume)), "{wishes:?}");
    assert_eq!(machine.counters().pauses, 1);
}

#[test]
fn idle_worker_says_once_a_minute_up_to_when_it_read() {
    let mut machine = machine();
    let epoch = assign(&mut machine, 0, Some(7));
    let mut at_end = read(0, epoch, 7, 7, 0);
    if let Input::Read { rows, read_to, .. } = &mut at_end {
        (*rows, *read_to) = (0, Some(Millis(59_000)));
    }
    assert!(feed(&mut machine, at_end, 59_000, &[]).is_empty());
    let wishes = feed(&mut machine, Input::Tick, 60_000, &[]);
    let [Wish::Commit { id, ranges, batches, read_to, .. }] = wishes.as_slice() else {
        panic!("{wishes:?}")
    };
    assert!(ranges.is_empty() && batches.is_empty());
    assert_eq!(*read_to, [ReadTo { partition: partition(0, 0), time: Millis(59_000) }]);
    // Unclear is as good as done: the next one says it again.
    assert!(feed(&mut machine, Input::Ambiguous { id: *id }, 60_100, &[]).is_empty());
    assert!(feed(&mut machine, Input::Tick, 119_999, &[]).is_empty());
    assert_eq!(feed(&mut machine, Input::Tick, 120_000, &[]).len(), 1);
}

#[test]
fn drain_commits_what_was_read_and_then_says_so() {
    let mut machine = machine();
    let epoch = assign(&mut machine, 0, Some(0));
    feed(&mut machine, read(0, epoch, 0, 3, 10), 10, &[]);
    let (id, ..) = commit(&feed(&mut machine, Input::Drain, 20, &[(0, 0, 0, 0)]));
    let wishes = feed(&mut machine, Input::Committed { id }, 30, &[]);
    assert!(matches!(wishes.as_slice(), [Wish::StoreOffsets(_), Wish::Drained]), "{wishes:?}");
}

#[test]
fn answers_to_questions_that_are_over_change_nothing() {
    let (mut machine, id, _) = two_in_flight();
    feed(&mut machine, Input::Committed { id }, 2_100, &[]);
    for late in [
        Input::Ambiguous { id },
        Input::Committed { id },
        Input::Offsets { id, stored: stored(&[(0, 99)]) },
        Input::Cut { cut: CutId(1), batches: vec![batch(&[(0, 0, 0, 0)])] },
        Input::Cut { cut: CutId(99), batches: Vec::new() },
    ] {
        assert!(feed(&mut machine, late, 2_200, &[]).is_empty());
    }
}
