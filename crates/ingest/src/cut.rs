//! Cutting partitions' rows out of batches, by the position columns that every row carries.

use std::collections::BTreeSet;

use arrow::array::{Array, BooleanArray, Int32Array, StringArray};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use turnwise_model::schema::column;
use turnwise_model::{EventBatch, SourcePartition};

/// A batch whose rows do not say where they came from: a mistake of ours, so the worker stops and
/// the lake's offsets stand.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// A position column is missing, of another type, or null.
    #[error("find position column `{0}` of a batch")]
    Position(&'static str),
    /// The filter failed.
    #[error("filter rows of a batch")]
    Filter(#[source] ArrowError),
}

impl CutError {
    /// Whether trying again helps: it never does.
    #[must_use]
    pub fn retry(&self) -> bool {
        false
    }
}

/// The batches without the rows of these partitions, in order; emptied ones vanish.
///
/// # Errors
/// Where a batch has no position columns.
pub fn without(
    batches: Vec<EventBatch>,
    partitions: &BTreeSet<SourcePartition>,
) -> Result<Vec<EventBatch>, CutError> {
    if partitions.is_empty() {
        return Ok(batches);
    }
    let mut kept = Vec::with_capacity(batches.len());
    for batch in batches {
        let mask = rows_to_keep(&batch, partitions)?;
        let rows = match mask.true_count() {
            0 => continue,
            all if all == batch.rows.num_rows() => batch.rows,
            _ => filter_record_batch(&batch.rows, &mask).map_err(CutError::Filter)?,
        };
        kept.push(EventBatch { rows, ..batch });
    }
    Ok(kept)
}

fn rows_to_keep(
    batch: &EventBatch,
    partitions: &BTreeSet<SourcePartition>,
) -> Result<BooleanArray, CutError> {
    let sources: &StringArray = position(batch, column::SOURCE)?;
    let numbers: &Int32Array = position(batch, column::PARTITION)?;
    // A batch has few sources and partitions: compare against the set's members, no lookup by
    // a key that would have to own its name.
    Ok((0..batch.rows.num_rows())
        .map(|row| {
            let (source, number) = (sources.value(row), numbers.value(row));
            Some(!partitions.iter().any(|p| p.partition.0 == number && p.source.0 == source))
        })
        .collect())
}

fn position<'a, A: Array + 'static>(
    batch: &'a EventBatch,
    name: &'static str,
) -> Result<&'a A, CutError> {
    batch
        .rows
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref::<A>())
        .filter(|column| column.null_count() == 0)
        .ok_or(CutError::Position(name))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch};
    use proptest::prelude::*;
    use turnwise_model::{Day, EventKind, PartitionId, SourceName};

    use super::*;

    /// A batch with nothing but positions: (source, partition, offset, item) a row.
    pub(crate) fn batch(rows: &[(u8, i32, i64, i32)]) -> EventBatch {
        let source: StringArray = rows.iter().map(|row| Some(format!("s{}", row.0))).collect();
        let partition: Int32Array = rows.iter().map(|row| Some(row.1)).collect();
        let offset: Int64Array = rows.iter().map(|row| Some(row.2)).collect();
        let item: Int32Array = rows.iter().map(|row| Some(row.3)).collect();
        let rows = RecordBatch::try_from_iter([
            (column::SOURCE, Arc::new(source) as Arc<dyn Array>),
            (column::PARTITION, Arc::new(partition)),
            (column::OFFSET, Arc::new(offset)),
            (column::ITEM, Arc::new(item)),
        ])
        .expect("columns of one length");
        EventBatch { kind: EventKind::Ignored, date: Day(20_000), rows }
    }

    /// The rows of batches, in order.
    pub(crate) fn rows_of(batches: &[EventBatch]) -> Vec<(u8, i32, i64, i32)> {
        let mut rows = Vec::new();
        for batch in batches {
            let source: &StringArray = position(batch, column::SOURCE).expect("source");
            let partition: &Int32Array = position(batch, column::PARTITION).expect("partition");
            let offset: &Int64Array = position(batch, column::OFFSET).expect("offset");
            let item: &Int32Array = position(batch, column::ITEM).expect("item");
            for row in 0..batch.rows.num_rows() {
                let name = source.value(row)[1..].parse().expect("number");
                rows.push((name, partition.value(row), offset.value(row), item.value(row)));
            }
        }
        rows
    }

    pub(crate) fn partition(source: u8, number: i32) -> SourcePartition {
        SourcePartition { source: SourceName(format!("s{source}")), partition: PartitionId(number) }
    }

    #[test]
    fn batch_without_positions_is_an_error_and_not_a_loss() {
        let mut bad = batch(&[(0, 0, 0, 0)]);
        bad.rows = bad.rows.project(&[0, 2, 3]).expect("three columns");
        let error = without(vec![bad], &BTreeSet::from([partition(0, 0)])).expect_err("no column");
        assert_eq!(error.to_string(), "find position column `partition` of a batch");
        assert!(!error.retry());
    }

    proptest! {
        #[test]
        fn cutting_keeps_the_other_rows_in_order(
            batches in prop::collection::vec(
                prop::collection::vec((0_u8..3, 0_i32..3, 0_i64..9, 0_i32..2), 0..12), 0..5),
            cut in prop::collection::btree_set((0_u8..3, 0_i32..3), 0..5),
        ) {
            let expected: Vec<_> = batches
                .iter()
                .flatten()
                .filter(|row| !cut.contains(&(row.0, row.1)))
                .copied()
                .collect();
            let partitions = cut.iter().map(|(source, number)| partition(*source, *number)).collect();
            let kept = without(batches.iter().map(|rows| batch(rows)).collect(), &partitions)
                .expect("positions are there");
            prop_assert_eq!(rows_of(&kept), expected);
        }
    }
}
