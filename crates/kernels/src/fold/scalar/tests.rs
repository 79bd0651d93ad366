use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use proptest::prelude::*;
use turnwise_model::schema::column as c;
use turnwise_model::time::{DAY_MS, HOUR_MS, MINUTE_MS};

use turnwise_model::EventKind;

use super::*;
use crate::testing::is_found;

mod sizes;

const DAY: i64 = 20_000;

/// One row of `events`, as a test writes it.
#[derive(Clone, Debug)]
struct Event {
    kind: EventKind,
    time_ms: i64,
    message: i64,
    phone: Option<i64>,
    user: Option<i64>,
    outbound: bool,
    origin: i32,
    message_kind: i32,
    chars: Option<i32>,
    status: Option<i32>,
    category: Option<i32>,
    offset: i64,
}

fn inbound(message: i64, time_ms: i64) -> Event {
    Event {
        kind: EventKind::Message,
        time_ms,
        message,
        phone: Some(7),
        user: None,
        outbound: false,
        origin: 0,
        message_kind: 0,
        chars: Some(10),
        status: None,
        category: None,
        offset: message,
    }
}

fn outbound(message: i64, time_ms: i64) -> Event {
    Event { outbound: true, ..inbound(message, time_ms) }
}

fn status(message: i64, time_ms: i64, status: i32) -> Event {
    Event { kind: EventKind::Status, status: Some(status), ..outbound(message, time_ms) }
}

fn batch(events: &[&Event]) -> RecordBatch {
    batch_of(&vec!["100"; events.len()], events)
}

/// Rows of these senders, one each.
fn batch_of(senders: &[&str], events: &[&Event]) -> RecordBatch {
    let times = events.iter().map(|e| e.time_ms * 1_000).collect::<Vec<_>>();
    let ints = |pick: &dyn Fn(&Event) -> Option<i32>| -> ArrayRef {
        Arc::new(events.iter().map(|e| pick(e)).collect::<Int32Array>())
    };
    let longs = |pick: &dyn Fn(&Event) -> Option<i64>| -> ArrayRef {
        Arc::new(events.iter().map(|e| pick(e)).collect::<Int64Array>())
    };
    let names = |of: &[&str]| -> ArrayRef { Arc::new(StringArray::from(of.to_vec())) };
    let is_message = |e: &Event| e.kind == EventKind::Message;
    RecordBatch::try_from_iter_with_nullable(vec![
        (c::SENDER, names(senders), true),
        (c::SOURCE, names(&vec!["cluster/topic"; events.len()]), true),
        (c::TIME, Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")), true),
        (c::MESSAGE, longs(&|e| Some(e.message)), true),
        (c::PEER_PHONE, longs(&|e| e.phone), true),
        (c::PEER_USER, longs(&|e| e.user), true),
        (c::OFFSET, longs(&|e| Some(e.offset)), true),
        (c::PARTITION, ints(&|_| Some(0)), true),
        (c::ITEM, ints(&|_| Some(0)), true),
        (c::ORIGIN, ints(&|e| Some(e.origin)), true),
        (c::DIRECTION, ints(&|e| is_message(e).then_some(i32::from(e.outbound))), true),
        (c::MESSAGE_KIND, ints(&|e| is_message(e).then_some(e.message_kind)), true),
        (c::CHARS, ints(&|e| e.chars), true),
        (c::WORDS, ints(&|e| e.chars.map(|chars| chars / 5)), true),
        (c::STATUS, ints(&|e| e.status), true),
        (c::CATEGORY, ints(&|e| e.category), true),
    ])
    .expect("columns of one length")
}

fn collect(collector: &mut Collector, kind: EventKind, batch: &RecordBatch) {
    collector.collect(&Input::new(kind, batch).expect("senders and times"));
}

/// Folds one day; the events go in as batches of `chunk` rows of one kind.
fn fold(events: &[Event], day: i64, chunk: usize) -> Vec<RecordBatch> {
    let day = Day(i32::try_from(day).expect("small"));
    let mut rows = Collector::new(day..=day);
    for kind in [EventKind::Status, EventKind::Message, EventKind::Account] {
        let of_kind: Vec<&Event> = events.iter().filter(|e| e.kind == kind).collect();
        for some in of_kind.chunks(chunk) {
            collect(&mut rows, kind, &batch(some));
        }
    }
    let mut batches = Vec::new();
    rows.into_folder()
        .finish::<()>(&mut |batch| {
            batches.push(batch);
            Ok(())
        })
        .expect("no error");
    batches
}

/// The values of counters, a row a conversation.
fn counts<const N: usize>(events: &[Event], day: i64, names: [&str; N]) -> Vec<[i64; N]> {
    let mut found = Vec::new();
    for batch in fold(events, day, 3) {
        for row in 0..batch.num_rows() {
            found.push(names.map(|name| batch[name].as_primitive::<Int64Type>().value(row)));
        }
    }
    found
}

fn at(day: i64, hour: i64, minute: i64) -> i64 {
    day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS
}

#[test]
fn gap_over_thirty_minutes_starts_a_conversation() {
    let events = [
        inbound(1, at(DAY, 9, 0)),
        outbound(2, at(DAY, 9, 30)),
        inbound(3, at(DAY, 10, 0)),
        inbound(4, at(DAY, 10, 30) + 1),
    ];
    let found = counts(&events, DAY, ["messages", "turns", "user_initiated", "peer_day_first"]);
    assert_eq!(found, [[3, 3, 1, 1], [1, 1, 1, 0]]);
}

#[test]
fn copies_count_once_and_the_live_one_first() {
    let echo = Event { origin: 1, ..outbound(2, at(DAY, 9, 1)) };
    let send = Event { offset: 9, ..outbound(2, at(DAY, 9, 2)) };
    let events = [inbound(1, at(DAY, 9, 0)), inbound(1, at(DAY, 9, 0)), echo, send];
    let found = counts(&events, DAY, ["messages", "b_messages", "e_messages"]);
    assert_eq!(found, [[2, 1, 0]]);
}

#[test]
fn user_id_meets_the_smallest_phone_it_was_seen_with() {
    let by_user = Event { phone: None, user: Some(50), ..inbound(1, at(DAY, 9, 0)) };
    let both = |message, phone, minute| Event {
        phone: Some(phone),
        user: Some(50),
        ..inbound(message, at(DAY, 9, minute))
    };
    let events = [by_user, both(2, 8, 1), both(3, -9, 2)];
    let batches = fold(&events, DAY, 10);
    let peers: Vec<i64> = batches[0]["peer"].as_primitive::<Int64Type>().values().to_vec();
    let messages = counts(&events, DAY, ["messages"]);
    assert_eq!((peers, messages), (vec![-9, 8], vec![[2], [1]]));
}

#[test]
fn failed_send_is_a_marked_row_and_in_no_conversation() {
    let events =
        [inbound(1, at(DAY, 9, 0)), outbound(2, at(DAY, 9, 1)), status(2, at(DAY, 9, 2), 4)];
    let found = counts(&events, DAY, ["messages", "b_messages", "sends_with_status"]);
    assert_eq!(found, [[1, 0, 0], [1, 0, 1]]);
}

#[test]
fn sent_status_stands_for_a_message_without_record() {
    let template = Event { category: Some(2), ..status(5, at(DAY, 9, 0), 0) };
    let events = [
        template,
        status(6, at(DAY, 9, 1), 0),
        status(7, at(DAY, 9, 1), 1),
        outbound(8, at(DAY, 9, 2)),
        status(8, at(DAY, 9, 2), 0),
    ];
    let found = counts(&events, DAY, ["b_messages", "stand_ins", "t_messages", "b_recorded"]);
    assert_eq!(found, [[3, 2, 1, 1]]);
}

#[test]
fn long_run_is_cut_at_day_ends_and_each_day_sees_its_own() {
    // A message every 20 minutes from noon of one day to noon of the fourth.
    let times = (0..=(3 * 24 * 3)).map(|step| at(DAY, 12, 0) + step * 20 * MINUTE_MS);
    let events: Vec<Event> = (1..).zip(times).map(|(id, time)| inbound(id, time)).collect();
    let of_day = |day| counts(&events, day, ["messages"]);
    // Day 0: its 36, and the whole next day, at whose end it is cut.
    assert_eq!(of_day(DAY), [[36 + 72]]);
    assert!(of_day(DAY + 1).is_empty());
    assert_eq!(of_day(DAY + 2), [[72]]);
    assert_eq!(of_day(DAY + 3), [[37]]);
}

#[test]
fn template_within_a_day_before_means_the_user_was_prompted() {
    let template = |time| Event { message_kind: 11, ..outbound(9, time) };
    let asked = inbound(1, at(DAY, 9, 0));
    let initiated = |time| {
        let found = counts(&[template(time), asked.clone()], DAY, ["user_initiated", "with_user"]);
        found.into_iter().filter(|row| row[1] == 1).map(|row| row[0]).collect::<Vec<_>>()
    };
    assert_eq!(initiated(asked.time_ms - DAY_MS), [0]);
    assert_eq!(initiated(asked.time_ms - DAY_MS - 1), [1]);
}

#[test]
fn voice_is_answered_by_text_of_twenty_characters_in_time() {
    let voice = Event { message_kind: 2, chars: None, ..inbound(1, at(DAY, 9, 0)) };
    let reply = |chars, after_ms| Event { chars, ..outbound(2, at(DAY, 9, 0) + after_ms) };
    let share = |reply| {
        let mut batches = Vec::new();
        let day = Day(i32::try_from(DAY).expect("small"));
        let mut rows = Collector::new(day..=day);
        let voices = batch(&[&voice]);
        let mark: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        let mut columns = voices.columns().to_vec();
        columns.push(mark);
        let mut fields = voices.schema().fields().to_vec();
        fields.push(Arc::new(arrow_schema::Field::new(
            c::VOICE,
            arrow_schema::DataType::Int32,
            true,
        )));
        let schema = Arc::new(arrow_schema::Schema::new(fields));
        let voice = RecordBatch::try_new(schema, columns).expect("one row");
        collect(&mut rows, EventKind::Message, &voice);
        collect(&mut rows, EventKind::Message, &batch(&[&reply]));
        rows.into_folder()
            .finish::<()>(&mut |b| {
                batches.push(b);
                Ok(())
            })
            .expect("no error");
        ["voice_n", "voice_answered"]
            .map(|name| batches[0][name].as_primitive::<Int64Type>().value(0))
    };
    assert_eq!(share(reply(Some(20), 120_000)), [1, 1]);
    assert_eq!(share(reply(Some(20), 120_001)), [1, 0]);
    assert_eq!(share(reply(Some(7), 1)), [1, 0]);
    assert_eq!(share(reply(None, 1)), [0, 0]);
}

fn any_event() -> impl Strategy<Value = Event> {
    let peer = (0_i64..3, 0_i64..3);
    (0..4_i32, 0..12_i64, 0..300_i64, peer, 0..3_i32, 0..13_i32).prop_map(
        |(shape, message, slot, (phone, user), origin, kind)| {
            let time_ms = at(DAY - 1, 0, 0) + slot * 13 * MINUTE_MS;
            let base = match shape {
                0 => status(message, time_ms, kind % 6),
                1 => outbound(message, time_ms),
                _ => inbound(message, time_ms),
            };
            Event {
                phone: (phone > 0).then_some(phone),
                user: (user > 0).then_some(10 + user),
                origin,
                message_kind: kind,
                offset: slot * 100 + message,
                ..base
            }
        },
    )
}

/// Events each at a position of its own, as rows have.
fn any_events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(any_event(), 0..60).prop_map(|events| {
        (0..).zip(events).map(|(offset, event)| Event { offset, ..event }).collect()
    })
}

/// In another order of arrival, by a seed.
fn shuffled(events: &[Event], seed: u64) -> Vec<Event> {
    let mut shuffled = events.to_vec();
    let mut state = seed;
    for at in (1..shuffled.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let other = usize::try_from(state >> 33).expect("31 bits") % (at + 1);
        shuffled.swap(at, other);
    }
    shuffled
}

const SENDERS: [&str; 3] = ["3", "20", "100"];
/// Inputs that are ordered by sender; rows of none of them are collected.
const INPUTS: usize = 3;

/// A row's sender, and the input that it is in.
type Placed = (usize, usize, Event);

fn any_placed() -> impl Strategy<Value = Vec<Placed>> {
    let place = (0..SENDERS.len(), 0..=INPUTS);
    (any_events(), prop::collection::vec(place, 60)).prop_map(|(events, places)| {
        places.into_iter().zip(events).map(|((of, to), event)| (of, to, event)).collect()
    })
}

/// Folds rows of the first inputs by sender, and collects those of the others. Of each run of one
/// sender's rows `pushed` says which to push.
fn by_sender(
    rows: &[Placed],
    inputs: usize,
    pushed: fn(Range<usize>) -> Range<usize>,
) -> Vec<RecordBatch> {
    let day = Day(i32::try_from(DAY).expect("small"));
    let kinds = [EventKind::Status, EventKind::Message];
    let input = |rows: &[&Placed], kind: EventKind| {
        let of_kind = rows.iter().filter(|(_, _, event)| event.kind == kind);
        let (names, events): (Vec<_>, Vec<_>) =
            of_kind.map(|(of, _, event)| (SENDERS[*of], event)).unzip();
        Input::new(kind, &batch_of(&names, &events)).expect("senders and times")
    };
    let mut collector = Collector::new(day..=day);
    let collected: Vec<_> = rows.iter().filter(|(_, to, _)| *to >= inputs).collect();
    kinds.iter().for_each(|kind| collector.collect(&input(&collected, *kind)));
    let mut folder = collector.into_folder();
    let mut ordered = Vec::new();
    for at in 0..inputs {
        let mut of_input: Vec<_> = rows.iter().filter(|(_, to, _)| *to == at).collect();
        of_input.sort_by_key(|(of, _, _)| SENDERS[*of]);
        ordered.extend(kinds.iter().map(|kind| input(&of_input, *kind)));
    }
    let mut batches = Vec::new();
    let mut emit = |batch| -> Result<(), ()> {
        batches.push(batch);
        Ok(())
    };
    for sender in ["100", "20", "3"] {
        for input in &ordered {
            let mut row = 0;
            while row < input.len() {
                let end = input.run_end(row);
                if input.sender(row) == Some(sender) {
                    folder.push(input, pushed(row..end));
                }
                row = end;
            }
        }
        folder.fold(sender, &mut emit).expect("no error");
    }
    folder.finish(&mut emit).expect("no error");
    batches
}

/// Whether a fold by sender gives what one of collected rows gives, however many inputs are
/// ordered.
fn agrees(fold: impl Fn(&[Placed], usize) -> Vec<RecordBatch>, rows: &[Placed]) -> bool {
    let expected = by_sender(rows, 0, |run| run);
    (1..=INPUTS + 1).all(|inputs| fold(rows, inputs) == expected)
}

/// A kernel that may be wrong.
type FoldPlaced = fn(&[Placed], usize) -> Vec<RecordBatch>;

#[test]
fn wrong_folds_by_sender_are_found() {
    let planted: [(&str, FoldPlaced); 2] = [
        ("loses the last row of a run", |rows, inputs| {
            by_sender(rows, inputs, |run| run.start..run.end - 1)
        }),
        ("loses what was collected", |rows, inputs| {
            let pushed: Vec<_> = rows.iter().filter(|row| row.1 < inputs).cloned().collect();
            by_sender(&pushed, inputs, |run| run)
        }),
    ];
    for (name, fold) in planted {
        assert!(is_found(&any_placed(), |rows| agrees(fold, rows)), "the fold that {name} passed");
    }
}

/// A kernel that may be wrong.
type Misread = fn(&[Event]) -> Vec<Event>;

#[test]
fn folds_that_heed_the_order_of_arrival_are_found() {
    let planted: [(&str, Misread); 1] = [("takes the first copy that arrives", |events| {
        let mut known = std::collections::BTreeSet::new();
        let of = |event: &Event| (event.kind == EventKind::Status, event.message);
        events.iter().filter(|event| known.insert(of(event))).cloned().collect()
    })];
    let cases = (any_events(), any::<u64>());
    for (name, misread) in planted {
        let agrees = |(events, seed): &(Vec<Event>, u64)| {
            fold(events, DAY, 1_000) == fold(&misread(&shuffled(events, *seed)), DAY, 1_000)
        };
        assert!(is_found(&cases, agrees), "the fold that {name} passed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn order_of_arrival_and_batches_do_not_matter(
        events in any_events(),
        seed in any::<u64>(),
        chunk in 1_usize..9,
    ) {
        let found = fold(&shuffled(&events, seed), DAY, chunk);
        prop_assert_eq!(fold(&events, DAY, 1_000), found);
    }

    #[test]
    fn rows_by_sender_fold_as_those_in_any_order(rows in any_placed()) {
        prop_assert!(agrees(|rows, inputs| by_sender(rows, inputs, |run| run), &rows));
    }

    #[test]
    fn rows_outside_the_range_of_a_day_do_not_matter(
        events in any_events(),
        far in prop::collection::vec((any_event(), any::<bool>()), 0..20),
    ) {
        let (from, to) = range_of_day(Day(i32::try_from(DAY).expect("small")));
        let near: Vec<Event> = events
            .into_iter()
            .filter(|e| e.time_ms >= from.0 && e.time_ms < to.0)
            .collect();
        let mut all = near.clone();
        all.extend((1_000..).zip(far).map(|(offset, (event, before))| Event {
            time_ms: if before { from.0 - 1 - event.offset } else { to.0 + event.offset },
            offset,
            ..event
        }));
        prop_assert_eq!(fold(&near, DAY, 7), fold(&all, DAY, 7));
    }
}

#[test]
fn rows_after_the_last_time_are_as_if_they_had_not_arrived() {
    let at = DAY * DAY_MS + 10 * HOUR_MS;
    let rows = [inbound(1, at), inbound(2, at + MINUTE_MS), inbound(3, at + 2 * MINUTE_MS)];
    let fold = |count: usize, last: Option<i64>| {
        let day = Day(i32::try_from(DAY).expect("small"));
        let mut collector = Collector::new(day..=day);
        if let Some(last) = last {
            collector = collector.until(Millis(last));
        }
        let rows = batch(&rows.iter().take(count).collect::<Vec<_>>());
        collect(&mut collector, EventKind::Message, &rows);
        let mut found = Vec::new();
        let emitted: Result<(), ()> = collector.into_folder().finish(&mut |rows| {
            found.push(rows);
            Ok(())
        });
        emitted.expect("folds");
        found
    };
    assert_eq!(fold(3, Some(at + MINUTE_MS)), fold(2, None));
    assert_ne!(fold(3, None), fold(2, None));
}
