//! Differential harness: bare rows folded here, and as rows of `events` by the scalar fold, give
//! the same conversations; a wrong fold planted on purpose is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType, UInt64Type};
use arrow_array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use proptest::prelude::*;
use turnwise_model::conversation::{Counters, column as out, schema};
use turnwise_model::schema::column as c;
use turnwise_model::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use turnwise_model::{Day, EventKind, InteractiveType, MessageKind};

use super::*;
use crate::fold::lanes::Run;
use crate::fold::scalar;
use crate::ordering::scalar as comparison;
use crate::testing::is_found;

/// Sender, peer, time, direction, kind.
type Row = (u64, u64, i64, u8, u8);
/// A conversation: sender, peer and start; then every value that bare rows can tell, by name.
type Conversations = BTreeMap<(u64, u64, i64), BTreeMap<String, Vec<i64>>>;

const DAY: i64 = 20_000;

/// What kinds of bare rows are among the kinds of messages.
const EVENT_KINDS: [MessageKind; KINDS] = [
    MessageKind::Text,
    MessageKind::Button,
    MessageKind::Audio,
    MessageKind::Image,
    MessageKind::Template,
    MessageKind::Interactive,
    MessageKind::Sticker,
];

/// The values of a column, a list a row.
fn values(array: &ArrayRef) -> Vec<Vec<i64>> {
    let one = |values: &[i64]| values.iter().map(|value| vec![*value]).collect();
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        one(numbers.values())
    } else if let Some(times) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        one(times.values())
    } else if let Some(days) = array.as_primitive_opt::<Date32Type>() {
        days.values().iter().map(|day| vec![i64::from(*day)]).collect()
    } else {
        let lists = array.as_list::<i32>();
        lists
            .iter()
            .flatten()
            .flat_map(|list| vec![list.as_primitive::<Int64Type>().values().to_vec()])
            .collect()
    }
}

fn told() -> Vec<String> {
    let schema = schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    let keys = [out::SENDER, out::PEER, out::RUN_KIND];
    names.filter(|name| BareColumns::has(name) && !keys.contains(&name.as_str())).collect()
}

fn collect(found: &mut Conversations, pairs: &[(u64, u64)], column: &dyn Fn(&str) -> ArrayRef) {
    let starts = values(&column(out::START));
    for name in told() {
        for ((pair, start), value) in pairs.iter().zip(&starts).zip(values(&column(&name))) {
            let of_run = found.entry((pair.0, pair.1, start[0])).or_default();
            assert_eq!(of_run.insert(name.clone(), value), None, "one run begins at a time");
        }
    }
}

fn folded(rows: &[Row]) -> Conversations {
    let mut scatter = Scatter::new(1, 4);
    for rows in rows.chunks(100) {
        let pick = |pick: fn(&Row) -> u64| rows.iter().map(pick).collect::<Vec<_>>();
        let done = scatter.push(&BareBatch {
            parts: &[],
            senders: &pick(|row| row.0),
            peers: &pick(|row| row.1),
            times_ms: &rows.iter().map(|row| row.2).collect::<Vec<_>>(),
            directions: &rows.iter().map(|row| row.3).collect::<Vec<_>>(),
            kinds: &rows.iter().map(|row| row.4).collect::<Vec<_>>(),
        });
        assert_eq!(done, Scattered::default());
    }
    let mut found = Conversations::new();
    let mut folder = BareFolder::default();
    for bucket in scatter.buckets() {
        let mut kept = Vec::new();
        let mut emit = |columns: &BareColumns| {
            let numbers = |name| {
                let array = columns.column(name).expect("a column");
                array.as_primitive::<UInt64Type>().values().to_vec()
            };
            let pairs: Vec<_> = numbers(out::SENDER).into_iter().zip(numbers(out::PEER)).collect();
            collect(&mut found, &pairs, &|name| columns.column(name).expect("a column"));
            Ok::<_, ()>(())
        };
        folder.fold(bucket.chunks(), &Frontier::END, &mut kept, &mut emit).expect("no error");
        assert!(kept.is_empty());
    }
    found
}

/// Folds rows in rounds of a few, each with the frontier that the rest gives, or one that promises
/// later rows.
fn folded_in_rounds(
    rows: &[Row],
    round: usize,
    by_sender: bool,
    sooner_ms: i64,
) -> (Conversations, usize) {
    let bits = word_bits();
    let (mut found, mut kept) = (Conversations::new(), Vec::new());
    let (mut folder, mut most) = (BareFolder::default(), 0);
    for from in (0..rows.len()).step_by(round) {
        let (now, later) = rows[from..].split_at(round.min(rows.len() - from));
        let least = |pick: fn(&Row) -> i64| later.iter().map(pick).min();
        let frontier = match least(|row| row.2) {
            None => Frontier::END,
            Some(_) if by_sender => {
                let sender = least(|row| row.0.cast_signed()).unwrap_or(i64::MIN);
                Frontier { time_ms: i64::MIN, sender: SenderBound::Signed(sender) }
            }
            Some(time_ms) => Frontier { time_ms: time_ms + sooner_ms, sender: SenderBound::None },
        };
        let mut all = std::mem::take(&mut kept);
        all.extend(now.iter().map(|(sender, peer, time_ms, direction, kind)| {
            let bits = bits[usize::from(*direction) << KIND_BITS | usize::from(*kind)];
            let word = word::time_bits(*time_ms).expect("near") | bits;
            BareRow { sender: *sender, peer: *peer, word }
        }));
        let mut emit = |columns: &BareColumns| {
            let numbers = |name| {
                let array = columns.column(name).expect("a column");
                array.as_primitive::<UInt64Type>().values().to_vec()
            };
            let pairs: Vec<_> = numbers(out::SENDER).into_iter().zip(numbers(out::PEER)).collect();
            collect(&mut found, &pairs, &|name| columns.column(name).expect("a column"));
            Ok::<_, ()>(())
        };
        let chunks = std::iter::once(all.as_slice());
        folder.fold(chunks, &frontier, &mut kept, &mut emit).expect("no error");
        most = most.max(kept.len());
    }
    assert!(kept.is_empty());
    (found, most)
}

/// Folds without dropping repeats.
fn keeping_repeats(rows: &[Row]) -> Conversations {
    let bits = word_bits();
    let mut by_pair: BTreeMap<(u64, u64), Vec<u64>> = BTreeMap::new();
    for (sender, peer, time_ms, direction, kind) in rows {
        let bits = bits[usize::from(*direction) << KIND_BITS | usize::from(*kind)];
        let time = word::time_bits(*time_ms).expect("near");
        by_pair.entry((*sender, *peer)).or_default().push(time | bits);
    }
    let mut found = Conversations::new();
    for (pair, words) in by_pair {
        let groups = vec![0; words.len()];
        let ordered = comparison::order(&groups, 1, &words);
        let mut rest = ordered.keys();
        while !rest.is_empty() {
            let mut columns = BareColumns::default();
            let run = Run::of(rest, columns.replies());
            columns.push([pair.0, pair.1], run);
            collect(&mut found, &[pair], &|name| columns.column(name).expect("a column"));
            rest = &rest[run.messages as usize..];
        }
    }
    found
}

/// The rows as rows of `events`. Identical rows have one message id, and of one pair's rows at one
/// time the ids are in the order of their words.
fn events(rows: &[Row]) -> RecordBatch {
    let bits = word_bits();
    let word = |row: &Row| bits[usize::from(row.3) << KIND_BITS | usize::from(row.4)];
    let mut identities: Vec<_> = rows.iter().map(|row| (row.0, row.1, row.2, word(row))).collect();
    identities.sort_unstable();
    identities.dedup();
    let id = |row: &Row| {
        let identity = (row.0, row.1, row.2, word(row));
        identities.partition_point(|known| *known < identity) as i64
    };
    let kind = |row: &Row| EVENT_KINDS[usize::from(row.4)].code();
    let tapped =
        |row: &Row| (row.3 == 0 && row.4 == 5).then_some(InteractiveType::ButtonReply.code());
    let ints = |pick: &dyn Fn(&Row) -> Option<i32>| -> ArrayRef {
        Arc::new(rows.iter().map(pick).collect::<Int32Array>())
    };
    let longs = |pick: &dyn Fn(&Row) -> i64| -> ArrayRef {
        Arc::new(rows.iter().map(pick).collect::<Int64Array>())
    };
    let names = |pick: &dyn Fn(&Row) -> String| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(pick(row))).collect::<StringArray>())
    };
    let times = rows.iter().map(|row| row.2 * 1_000).collect::<Vec<_>>();
    let offsets: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows.len() as i64));
    RecordBatch::try_from_iter(vec![
        (c::SENDER, names(&|row| row.0.to_string())),
        (c::SOURCE, names(&|_| "test".to_owned())),
        (
            c::TIME,
            Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")) as ArrayRef,
        ),
        (c::MESSAGE, longs(&id)),
        (c::PEER_PHONE, longs(&|row| row.1.cast_signed())),
        (c::OFFSET, offsets),
        (c::ORIGIN, ints(&|_| Some(0))),
        (c::DIRECTION, ints(&|row| Some(row.3.into()))),
        (c::MESSAGE_KIND, ints(&|row| Some(kind(row)))),
        (c::INTERACTIVE_TYPE, ints(&tapped)),
        (c::VOICE, ints(&|row| (row.4 == 2).then_some(1))),
    ])
    .expect("columns of one length")
}

fn meant(rows: &[Row]) -> Conversations {
    let day = |number: i64| Day(i32::try_from(number).expect("small"));
    let mut collector = scalar::Collector::new(day(DAY - 1)..=day(DAY + 3));
    if let Some(input) = scalar::Input::new(EventKind::Message, &events(rows)) {
        collector.collect(&input);
    }
    let mut found = Conversations::new();
    let emitted: Result<(), ()> = collector.into_folder().finish(&mut |batch| {
        let senders = batch[out::SENDER].as_string::<i32>().iter().flatten();
        let senders = senders.map(|name| name.parse().expect("a number"));
        let peers = batch[out::PEER].as_primitive::<Int64Type>().values();
        let pairs: Vec<_> = senders.zip(peers.iter().map(|peer| peer.cast_unsigned())).collect();
        collect(&mut found, &pairs, &|name| Arc::clone(&batch[name]));
        Ok(())
    });
    emitted.expect("no error");
    found
}

/// Rows of three senders and a few peers on two days, gaps at the edge of a conversation among
/// them, some rows more than once, in any order.
fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0_u64..3, 0_u64..3, 0_i64..140, -1_i64..2, 0_u8..2, 0_u8..7);
    let row = row.prop_map(|(sender, peer, slot, edge, direction, kind)| {
        let time_ms = DAY * DAY_MS + 22 * HOUR_MS + slot * 10 * MINUTE_MS + edge;
        // A template comes from the business.
        let kind = if direction == 0 && kind == 4 { 0 } else { kind };
        (sender, peer.wrapping_sub(1), time_ms, direction, kind)
    });
    let repeats = prop::collection::vec(any::<prop::sample::Index>(), 0..20);
    (prop::collection::vec(row, 0..200), repeats).prop_map(|(mut rows, repeats)| {
        for repeat in repeats.iter().filter(|_| !rows.is_empty()).collect::<Vec<_>>() {
            rows.push(rows[repeat.index(rows.len())]);
        }
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn bare_rows_give_the_conversations_that_the_scalar_fold_gives(rows in any_rows()) {
        prop_assert_eq!(folded(&rows), meant(&rows));
    }

    #[test]
    fn rounds_give_what_one_fold_gives(
        mut rows in any_rows(),
        round in 1_usize..60,
        late in 0_i64..5,
        by_sender in any::<bool>(),
    ) {
        if by_sender {
            rows.sort_unstable();
        } else {
            // Some rows come later than others of later times.
            rows.sort_by_key(|row| row.2 + i64::from(row.4) * late * 20 * MINUTE_MS);
        }
        prop_assert_eq!(folded_in_rounds(&rows, round, by_sender, 0).0, folded(&rows));
    }
}

/// A fold that reads other rows than those it is given.
fn misread(rows: &[Row], change: impl Fn(Row) -> Row) -> Conversations {
    folded(&rows.iter().copied().map(change).collect::<Vec<_>>())
}

/// A kernel that may be wrong.
type Fold = fn(&[Row]) -> Conversations;

#[test]
fn wrong_folds_are_found() {
    let planted: [(&str, Fold); 6] = [
        ("keeps repeats", keeping_repeats),
        ("drops all rows of one time but one", |rows| {
            let mut known = std::collections::BTreeSet::new();
            let kept = rows.iter().filter(|row| known.insert((row.0, row.1, row.2)));
            folded(&kept.copied().collect::<Vec<_>>())
        }),
        ("loses the last row of a batch", |rows| {
            let kept = rows.chunks(100).flat_map(|rows| &rows[..rows.len().min(99)]);
            folded(&kept.copied().collect::<Vec<_>>())
        }),
        ("reads whole seconds", |rows| {
            misread(rows, |row| (row.0, row.1, row.2.div_euclid(1_000) * 1_000, row.3, row.4))
        }),
        ("takes a voice message for an image", |rows| {
            misread(rows, |row| (row.0, row.1, row.2, row.3, if row.4 == 2 { 3 } else { row.4 }))
        }),
        ("cuts runs at days", |rows| {
            let by_day = |day: i64| {
                let of_day = rows.iter().filter(|row| row.2.div_euclid(DAY_MS) == day);
                folded(&of_day.copied().collect::<Vec<_>>())
            };
            (DAY..DAY + 3).flat_map(by_day).collect()
        }),
    ];
    for (name, fold) in planted {
        let agrees = |rows: &Vec<Row>| fold(rows) == meant(rows);
        assert!(is_found(&any_rows(), agrees), "the fold that {name} passed");
    }
}

#[test]
fn a_frontier_that_comes_too_soon_is_found() {
    let agrees = |sooner_ms: i64| {
        move |rows: &Vec<Row>| {
            let mut rows = rows.clone();
            rows.sort_unstable_by_key(|row| (row.2, row.0, row.1));
            // No two runs of a pair can begin at one time, wherever they are cut.
            rows.dedup_by_key(|row| (row.2, row.0, row.1));
            folded_in_rounds(&rows, 20, false, sooner_ms).0 == folded(&rows)
        }
    };
    assert!(!is_found(&any_rows(), agrees(0)));
    assert!(is_found(&any_rows(), agrees(MINUTE_MS)));
}

#[test]
fn rounds_keep_what_is_open_and_no_more() {
    let row = |at: i64| (1, at.cast_unsigned() / 2, DAY * DAY_MS + at * MINUTE_MS, 0, 0);
    let rows: Vec<Row> = (0..1_000).map(row).collect();
    // Half an hour of them may still be joined.
    assert_eq!(folded_in_rounds(&rows, 100, false, 0).1, 30);
    let row = |at: i64| (at.cast_unsigned() / 150, 1, DAY * DAY_MS + at * DAY_MS, 0, 0);
    let rows: Vec<Row> = (0..900).map(row).collect();
    assert_eq!(folded_in_rounds(&rows, 100, true, 0).1, 100);
}

#[test]
fn a_run_is_not_cut_at_days_and_counts_beyond_sixteen_bits() {
    let rows = 200_000;
    let row = |at: i64| (1, 2, DAY * DAY_MS + at * MINUTE_MS, u8::from(at % 2 == 1), 0);
    let rows: Vec<Row> = (0..rows).map(row).collect();
    let found = folded(&rows);
    let run = found.values().next().expect("a run");
    assert_eq!(
        (found.len(), &run["messages"], &run["u_text"]),
        (1, &vec![200_000], &vec![100_000])
    );
    assert_eq!(run[out::REPLY_LATENCIES_MS], vec![MINUTE_MS; 100_000]);
}

#[test]
fn rows_of_no_direction_or_time_are_told() {
    let mut scatter = Scatter::new(1, 2);
    let done = scatter.push(&BareBatch {
        parts: &[],
        senders: &[1; 4],
        peers: &[2; 4],
        times_ms: &[0, i64::MAX, i64::MIN, -1],
        directions: &[2, 0, 1, 1],
        kinds: &[200; 4],
    });
    assert_eq!(done, Scattered { undirected: 1, untimely: 2 });
    assert_eq!(scatter.buckets().iter().map(|bucket| bucket.rows()).sum::<usize>(), 1);
}

#[test]
fn columns_that_need_more_than_bare_rows_are_not_told() {
    assert!(Counters::NAMES.contains(&"u_chars") && !BareColumns::has("u_chars"));
    assert!(!BareColumns::has(out::LATENCIES) && BareColumns::has(out::REPLY_LATENCIES_MS));
}
