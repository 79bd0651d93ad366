//! The order of rows in files that stay: sender, peer, time, position. Queries of one sender read
//! few row groups, the fold finds its rows in order, and neighbours that are alike compress well.
//!
//! The plain version is a sort by eight columns that compares them one after the other. Here the
//! columns that decide nearly always are copied into one small key a row first, so that a
//! comparison touches one place in memory; positions are only looked at where all of it is equal.

use std::cmp::Ordering;
use std::collections::HashMap;

use arrow::array::{Array as _, ArrayRef, AsArray, PrimitiveArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{ArrowPrimitiveType, Int32Type, Int64Type, TimestampMicrosecondType};
use turnwise_model::schema::column;

use crate::error::Cause;

/// What decides between rows that are alike in [`turnwise_model::schema::SORTED_BY`].
pub(crate) const POSITION: [&str; 4] =
    [column::SOURCE, column::PARTITION, column::OFFSET, column::ITEM];

/// What decides the place of a row; an absent value comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    sender: Option<u32>,
    phone: Option<i64>,
    user: Option<i64>,
    time: Option<i64>,
    row: u32,
}

/// The rows of all batches in one, in order of [`turnwise_model::schema::SORTED_BY`] and position.
/// Columns that the batches lack decide nothing.
///
/// # Errors
/// Batches of different columns.
pub fn in_order(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Cause> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let all = concat_batches(&first.schema(), &batches)?;
    drop(batches);
    let mut keys = keys(&all);
    let positions = Positions::new(&all);
    keys.sort_unstable_by(|a, b| {
        (a.sender, a.phone, a.user, a.time)
            .cmp(&(b.sender, b.phone, b.user, b.time))
            .then_with(|| positions.compare(a.row as usize, b.row as usize))
    });
    let order: UInt32Array = keys.iter().map(|key| Some(key.row)).collect();
    Ok(vec![take_record_batch(&all, &order)?])
}

fn keys(all: &RecordBatch) -> Vec<Key> {
    let senders = ranks(all.column_by_name(column::SENDER));
    let phones = column_of::<Int64Type>(all, column::PEER_PHONE);
    let users = column_of::<Int64Type>(all, column::PEER_USER);
    let times = column_of::<TimestampMicrosecondType>(all, column::TIME);
    (0_u32..)
        .zip(0..all.num_rows())
        .map(|(row, at)| Key {
            sender: senders.get(at).copied().flatten(),
            phone: value(phones, at),
            user: value(users, at),
            time: value(times, at),
            row,
        })
        .collect()
}

/// For each row the rank of its text among all that occur.
fn ranks(texts: Option<&ArrayRef>) -> Vec<Option<u32>> {
    let Some(texts) = texts.and_then(|array| array.as_string_opt::<i32>()) else {
        return Vec::new();
    };
    let mut ranks: HashMap<&str, u32> = texts.iter().flatten().map(|text| (text, 0)).collect();
    let mut distinct: Vec<&str> = ranks.keys().copied().collect();
    distinct.sort_unstable();
    for (rank, text) in (0..).zip(distinct) {
        ranks.insert(text, rank);
    }
    texts.iter().map(|text| text.and_then(|text| ranks.get(text).copied())).collect()
}

fn column_of<'a, T: ArrowPrimitiveType>(
    all: &'a RecordBatch,
    name: &str,
) -> Option<&'a PrimitiveArray<T>> {
    all.column_by_name(name)?.as_primitive_opt::<T>()
}

fn value<T: ArrowPrimitiveType>(
    array: Option<&PrimitiveArray<T>>,
    row: usize,
) -> Option<T::Native> {
    array.filter(|array| array.is_valid(row)).map(|array| array.value(row))
}

/// Where rows came from.
struct Positions<'a> {
    sources: Vec<Option<u32>>,
    partitions: Option<&'a PrimitiveArray<Int32Type>>,
    offsets: Option<&'a PrimitiveArray<Int64Type>>,
    items: Option<&'a PrimitiveArray<Int32Type>>,
}

impl<'a> Positions<'a> {
    fn new(all: &'a RecordBatch) -> Self {
        Self {
            sources: ranks(all.column_by_name(column::SOURCE)),
            partitions: column_of(all, column::PARTITION),
            offsets: column_of(all, column::OFFSET),
            items: column_of(all, column::ITEM),
        }
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        let of = |row: usize| {
            let source = self.sources.get(row).copied().flatten();
            let partition = value(self.partitions, row);
            (source, partition, value(self.offsets, row), value(self.items, row))
        };
        of(a).cmp(&of(b))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, Int64Array, StringArray, TimestampMicrosecondArray};
    use arrow::compute::{SortColumn, lexsort_to_indices};
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const COLUMNS: [&str; 8] = [
        column::SENDER,
        column::PEER_PHONE,
        column::PEER_USER,
        column::TIME,
        column::SOURCE,
        column::PARTITION,
        column::OFFSET,
        column::ITEM,
    ];

    /// Few values a column, so that every column has to decide somewhere.
    fn random(seed: u64, rows: i64) -> RecordBatch {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut texts = |empty: f64| -> ArrayRef {
            let text = |rng: &mut ChaCha8Rng| ["9", "10", "2"][rng.random_range(0..3)];
            let values = (0..rows).map(|_| (!rng.random_bool(empty)).then(|| text(&mut rng)));
            Arc::new(values.collect::<StringArray>())
        };
        let (senders, sources) = (texts(0.1), texts(0.0));
        let mut longs = |empty: f64| -> Int64Array {
            let values =
                (0..rows).map(|_| (!rng.random_bool(empty)).then(|| rng.random_range(-2..3)));
            values.collect()
        };
        let (phones, users, times) = (longs(0.3), longs(0.7), longs(0.1));
        let times = times.iter().collect::<TimestampMicrosecondArray>().with_timezone("UTC");
        let partitions: Int32Array = (0..rows).map(|_| Some(rng.random_range(0..2))).collect();
        let columns: [ArrayRef; 8] = [
            senders,
            Arc::new(phones),
            Arc::new(users),
            Arc::new(times),
            sources,
            Arc::new(partitions),
            Arc::new((0..rows).rev().map(Some).collect::<Int64Array>()),
            Arc::new(Int32Array::from(vec![0; usize::try_from(rows).expect("small")])),
        ];
        RecordBatch::try_from_iter_with_nullable(
            COLUMNS.into_iter().zip(columns).map(|(name, values)| (name, values, true)),
        )
        .expect("columns of one length")
    }

    #[test]
    fn rows_are_in_the_order_of_the_plain_sort() {
        for seed in 0..20 {
            let batch = random(seed, 500);
            let columns = batch.columns().iter().cloned();
            let columns: Vec<SortColumn> =
                columns.map(|values| SortColumn { values, options: None }).collect();
            let order = lexsort_to_indices(&columns, None).expect("sorts");
            let expected = take_record_batch(&batch, &order).expect("takes");
            let found = in_order(vec![batch.slice(0, 200), batch.slice(200, 300)]).expect("orders");
            assert_eq!(found, [expected], "seed {seed}");
        }
    }
}
