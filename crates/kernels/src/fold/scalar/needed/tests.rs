use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use proptest::prelude::*;
use turnwise_model::EventKind;
use turnwise_model::conversation::schema;
use turnwise_model::schema::{column as c, file_schema};
use turnwise_model::time::{Day, HOUR_MS};

use super::*;
use crate::fold::{Collector, Input};

const DAY: Day = Day(20_000);
const KINDS: [EventKind; 3] = [EventKind::Message, EventKind::Status, EventKind::Account];

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn ints(&mut self, rows: usize, all: &[Option<i32>]) -> ArrayRef {
        Arc::new((0..rows).map(|_| self.one_of(all)).collect::<Int32Array>())
    }

    fn codes(&mut self, rows: usize, all: &[i32]) -> ArrayRef {
        Arc::new((0..rows).map(|_| Some(self.one_of(all))).collect::<Int32Array>())
    }

    fn longs(&mut self, rows: usize, nulls: u64, mut of: impl FnMut(&mut Self) -> u64) -> ArrayRef {
        let long = |_| {
            let (is_null, value) = (self.below(10) < nulls, of(self).cast_signed());
            (!is_null).then_some(value)
        };
        Arc::new((0..rows).map(long).collect::<Int64Array>())
    }

    fn texts(&mut self, rows: usize, all: &[Option<&str>]) -> ArrayRef {
        Arc::new((0..rows).map(|_| self.one_of(all)).collect::<StringArray>())
    }

    /// A few minutes of each hour of three days, so that conversations are short.
    fn times(&mut self, rows: usize) -> ArrayRef {
        let time = |_| {
            let hour = self.below(3 * 24).cast_signed() * HOUR_MS;
            let within = self.below(300_000).cast_signed();
            (Day(DAY.0 - 1).start().0 + hour + within) * 1_000
        };
        let times = TimestampMicrosecondArray::from_iter_values((0..rows).map(time));
        Arc::new(times.with_timezone("UTC"))
    }

    fn tokens(&mut self, rows: usize) -> ArrayRef {
        let tokens = |_| {
            let count = self.below(6);
            (count > 0).then(|| (1..count).map(|_| Some(self.below(40) as i32)).collect::<Vec<_>>())
        };
        let tokens: Vec<_> = (0..rows).map(tokens).collect();
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(tokens))
    }

    fn column(&mut self, name: &str, rows: usize, messages: u64) -> Option<ArrayRef> {
        Some(match name {
            c::SENDER => self.texts(rows, &[Some("100"), Some("20")]),
            c::SOURCE => self.texts(rows, &[Some("b"), Some("a")]),
            c::PEER_PHONE => self.longs(rows, 2, |dice| dice.below(20)),
            c::PEER_USER => self.longs(rows, 7, |dice| 100 + dice.below(4)),
            c::TIME => self.times(rows),
            c::MESSAGE => self.longs(rows, 0, |dice| dice.below(messages * 3 / 2)),
            c::OFFSET => Arc::new((0..).take(rows).map(Some).collect::<Int64Array>()),
            c::PARTITION | c::ITEM => self.codes(rows, &[0]),
            c::ORIGIN => self.codes(rows, &[0, 0, 0, 0, 0, 1, 2]),
            c::IN_GROUP => self.codes(rows, &[0, 0, 0, 0, 0, 0, 0, 1]),
            c::DIRECTION => self.codes(rows, &[0, 1]),
            c::MESSAGE_KIND => self.codes(rows, &[0, 0, 0, 0, 1, 1, 2, 2, 4, 4, 6, 6, 7, 10, 11]),
            c::INTERACTIVE_TYPE => self.codes(rows, &[0, 1, 2, 4, 7, 8, 9]),
            c::VOICE => self.codes(rows, &[0, 1, 1]),
            c::HAS_REFERRAL => self.codes(rows, &[0, 0, 1]),
            c::CHARS => {
                let chars = [3, 10, 10, 25, 200, 600, 600].map(Some);
                self.ints(rows, &[&[None], &chars[..]].concat())
            }
            c::WORDS => self.ints(rows, &[None, Some(1), Some(5), Some(9)]),
            c::SCRIPT => self.codes(rows, &(0..12).collect::<Vec<_>>()),
            c::TEXT_BITS => self.codes(rows, &(0..512).collect::<Vec<_>>()),
            c::TOKENS => self.tokens(rows),
            c::SKELETON => self.longs(rows, 0, |dice| dice.below(9)),
            c::STATUS => self.codes(rows, &[0, 0, 0, 1, 2, 3, 4, 5]),
            c::CATEGORY => {
                let all: Vec<_> = (0..14).map(Some).chain([None; 4]).collect();
                self.ints(rows, &all)
            }
            c::CONVERSATION_ORIGIN => self.ints(rows, &[None, Some(5), Some(10)]),
            c::PRICING_TYPE => self.ints(rows, &[None, Some(0), Some(1), Some(2)]),
            c::ROLE_PREVIOUS | c::ROLE_NEW => {
                self.texts(rows, &[None, Some("ai_agent"), Some("human")])
            }
            _ => return None,
        })
    }

    /// Rows of each kind, with all columns that the fold looks at.
    fn events(&mut self, messages: usize) -> Vec<RecordBatch> {
        let counts = [messages, messages * 3 / 4, messages / 10];
        let of_kind = |(kind, rows): (EventKind, usize)| {
            let fields = file_schema(kind);
            let columns = fields.fields().iter().filter_map(|field| {
                let column = self.column(field.name(), rows, messages as u64)?;
                Some((field.name().as_str(), column, true))
            });
            RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
        };
        KINDS.into_iter().zip(counts).map(of_kind).collect()
    }
}

/// The conversations of rows, of which only some columns are there.
fn fold(events: &[RecordBatch], has: impl Fn(&str) -> bool, columns: &[usize]) -> Vec<RecordBatch> {
    let mut collector = Collector::new(DAY..=DAY).columns(columns);
    for (kind, events) in KINDS.into_iter().zip(events) {
        let names = events.schema();
        let there = (0..events.num_columns()).filter(|at| has(names.field(*at).name()));
        let events = events.project(&there.collect::<Vec<_>>()).expect("columns of the batch");
        collector.collect(&Input::new(kind, &events).expect("senders and times"));
    }
    let mut found = Vec::new();
    let folded: Result<(), ()> = collector.into_folder().finish(&mut |batch| {
        found.push(batch);
        Ok(())
    });
    folded.expect("no error");
    found
}

fn all_columns() -> Vec<usize> {
    (0..schema().fields().len()).collect()
}

/// Without a column nothing changes but what it decides, and something does.
#[test]
fn a_column_decides_no_more_than_is_said_of_it() {
    // Of many rows nearly all is said; of few there are people whom nobody has prompted.
    let many = Dice(1).events(20_000);
    let few = (2..40).map(|seed| Dice(seed).events(200));
    let sets: Vec<Vec<RecordBatch>> = std::iter::once(many).chain(few).collect();
    let whole: Vec<Vec<RecordBatch>> =
        sets.iter().map(|events| fold(events, |_| true, &all_columns())).collect();
    assert!(whole[0].iter().map(RecordBatch::num_rows).sum::<usize>() > 1_000);
    let names = schema();
    for (left_out, decided) in SOME {
        let mut changed = BTreeSet::new();
        for (events, all) in sets.iter().zip(&whole) {
            let without = fold(events, |name| name != left_out, &all_columns());
            assert_eq!(all.len(), without.len(), "{left_out}");
            let is_changed = |name: &&str| {
                all.iter().zip(&without).any(|(a, b)| a[*name].as_ref() != b[*name].as_ref())
            };
            let fields = names.fields().iter().map(|field| field.name().as_str());
            changed.extend(fields.filter(is_changed));
        }
        let decided: BTreeSet<&str> = decided.iter().copied().collect();
        let more: Vec<&&str> = changed.difference(&decided).collect();
        assert!(more.is_empty() && !changed.is_empty(), "without {left_out}: {more:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn columns_that_are_asked_for_are_those_of_the_whole(
        seed in any::<u64>(),
        order in Just(all_columns()).prop_shuffle(),
        count in prop_oneof![0_usize..6, 0_usize..=83],
    ) {
        let events = Dice(seed).events(400);
        let asked = &order[..count.min(order.len())];
        let names = schema();
        let names: Vec<&str> = asked.iter().map(|at| names.field(*at).name().as_str()).collect();
        let needed = needed(&names);
        let whole = fold(&events, |_| true, &all_columns());
        let expected: Vec<RecordBatch> =
            whole.iter().map(|batch| batch.project(asked).expect("columns of it")).collect();
        prop_assert_eq!(fold(&events, |name| needed.contains(&name), asked), expected);
    }
}
