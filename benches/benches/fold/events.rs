//! The fold of `events`: rows in the order of time or of chance, which are collected, and rows by
//! sender, as compaction leaves them.

use std::hint::black_box;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use criterion::{BenchmarkId, Criterion, Throughput};
use turnwise_kernels::fold::{Collector, Folder, Input};
use turnwise_model::schema::column;
use turnwise_model::{Day, EventKind, Millis};

use super::BATCH;
use super::messages::{DAYS, FIRST_MS, Messages, orders};

/// A row of `events` has far more columns than a bare one.
const ROWS: usize = 200_000;

/// All days on which a conversation may begin.
fn days() -> RangeInclusive<Day> {
    let first = Millis(FIRST_MS.cast_signed()).day();
    first..=Day(first.0 + DAYS.cast_signed())
}

/// Messages as batches of `events`, each with an id, a position and the length of its text.
fn batches(messages: &Messages, by_sender: bool) -> Vec<RecordBatch> {
    let mut order: Vec<usize> = (0..messages.senders.len()).collect();
    if by_sender {
        order.sort_by_cached_key(|row| messages.senders[*row].to_string());
    }
    order.chunks(BATCH).map(|rows| batch(messages, rows)).collect()
}

fn batch(messages: &Messages, rows: &[usize]) -> RecordBatch {
    let ints = |pick: &dyn Fn(usize) -> i32| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| pick(*row))))
    };
    let longs = |pick: &dyn Fn(usize) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| pick(*row))))
    };
    let senders = rows.iter().map(|row| messages.senders[*row].to_string());
    let times = rows.iter().map(|row| messages.times_ms[*row] * 1_000);
    let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 12] = [
        (column::SENDER, Arc::new(StringArray::from_iter_values(senders))),
        (column::SOURCE, Arc::new(StringArray::from_iter_values(rows.iter().map(|_| "topic")))),
        (column::TIME, Arc::new(times)),
        (column::MESSAGE, longs(&|row| (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as i64)),
        (column::PEER_PHONE, longs(&|row| messages.peers[row].cast_signed())),
        (column::OFFSET, longs(&|row| row as i64)),
        (column::PARTITION, ints(&|_| 0)),
        (column::ORIGIN, ints(&|_| 0)),
        (column::DIRECTION, ints(&|row| messages.directions[row].into())),
        (column::MESSAGE_KIND, ints(&|row| messages.kinds[row].into())),
        (column::CHARS, ints(&|row| messages.times_ms[row] as i32 & 511)),
        (column::WORDS, ints(&|row| messages.times_ms[row] as i32 & 63)),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn bytes(batches: &[RecordBatch]) -> u64 {
    let columns = batches.iter().flat_map(RecordBatch::columns);
    let bytes = columns.map(|column| column.to_data().get_slice_memory_size().expect("an array"));
    bytes.sum::<usize>() as u64
}

fn inputs(batches: &[RecordBatch]) -> impl Iterator<Item = Input> {
    batches.iter().map(|batch| Input::new(EventKind::Message, batch).expect("senders and times"))
}

/// Rows in any order are collected, and then folded.
fn collected(batches: &[RecordBatch]) -> usize {
    let mut collector = Collector::new(days());
    inputs(batches).for_each(|input| collector.collect(&input));
    finished(collector.into_folder(), 0)
}

/// Each sender is folded when the next one comes.
fn by_sender(batches: &[RecordBatch]) -> usize {
    let mut folder = Collector::new(days()).into_folder();
    let (mut found, mut open) = (0, None::<String>);
    for input in inputs(batches) {
        let mut row = 0;
        while row < input.len() {
            let end = input.run_end(row);
            let sender = input.sender(row).expect("a sender");
            if open.as_deref() != Some(sender) {
                found += open.replace(sender.to_owned()).map_or(0, |of| fold(&mut folder, &of));
            }
            folder.push(&input, row..end);
            row = end;
        }
    }
    found += open.map_or(0, |of| fold(&mut folder, &of));
    finished(folder, found)
}

fn fold(folder: &mut Folder, sender: &str) -> usize {
    let mut found = 0;
    let emitted = folder.fold(sender, &mut |batch| {
        found += black_box(batch).num_rows();
        Ok::<_, ()>(())
    });
    emitted.expect("no error");
    found
}

fn finished(folder: Folder, mut found: usize) -> usize {
    let emitted = folder.finish(&mut |batch| {
        found += black_box(batch).num_rows();
        Ok::<_, ()>(())
    });
    emitted.expect("no error");
    found
}

pub fn events(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("events");
    group.sample_size(10);
    for (name, messages) in orders(ROWS) {
        let is_sorted = name == "compacted";
        let batches = batches(&messages, is_sorted);
        assert_eq!(collected(&batches), by_sender(&self::batches(&messages, true)), "{name}");
        group.throughput(Throughput::ElementsAndBytes {
            elements: ROWS as u64,
            bytes: bytes(&batches),
        });
        let way = if is_sorted { "by_sender" } else { "collected" };
        let fold: fn(&[RecordBatch]) -> usize = if is_sorted { by_sender } else { collected };
        group.bench_function(BenchmarkId::new(way, name), |bencher| {
            bencher.iter(|| fold(black_box(&batches)));
        });
    }
    group.finish();
}
