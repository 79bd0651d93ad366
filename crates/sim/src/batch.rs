//! Rows as the machine sees them: batches in the columns of ignored records, and back.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, new_null_array,
};
use turnwise_model::schema::{column, file_schema};
use turnwise_model::{Day, EventBatch, EventKind, PartitionId, SourceName, SourcePartition};

/// A row: the partition's index, offset and item.
pub(crate) type Row = (usize, i64, i32);

/// Bytes that a row counts in the machine's buffer.
pub(crate) const ROW_BYTES: usize = 16;

/// The name of a partition by its index; two sources have partitions of the same numbers.
pub(crate) fn name(index: usize) -> SourcePartition {
    let number = i32::try_from(index / 2).unwrap_or(i32::MAX);
    SourcePartition {
        source: SourceName(format!("cluster/topic{}", index % 2)),
        partition: PartitionId(number),
    }
}

/// The index of a name that [`name`] made.
pub(crate) fn index(name: &SourcePartition) -> Option<usize> {
    row_index(&name.source.0, name.partition.0)
}

fn row_index(source: &str, number: i32) -> Option<usize> {
    let topic: usize = source.strip_prefix("cluster/topic")?.parse().ok()?;
    Some(usize::try_from(number).ok()? * 2 + topic)
}

/// Rows as one batch; none for no rows.
pub(crate) fn batches(rows: &[Row]) -> Vec<EventBatch> {
    if rows.is_empty() {
        return Vec::new();
    }
    let names: Vec<(String, i32)> = rows
        .iter()
        .map(|row| {
            let name = name(row.0);
            (name.source.0, name.partition.0)
        })
        .collect();
    let source: StringArray = names.iter().map(|(source, _)| Some(source.as_str())).collect();
    let partition: Int32Array = names.iter().map(|(_, number)| Some(*number)).collect();
    let offset: Int64Array = rows.iter().map(|row| Some(row.1)).collect();
    let item: Int32Array = rows.iter().map(|row| Some(row.2)).collect();
    let schema = file_schema(EventKind::Ignored);
    let columns = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            column::SOURCE => Arc::new(source.clone()) as ArrayRef,
            column::PARTITION => Arc::new(partition.clone()),
            column::OFFSET => Arc::new(offset.clone()),
            column::ITEM => Arc::new(item.clone()),
            _ => new_null_array(field.data_type(), rows.len()),
        })
        .collect();
    RecordBatch::try_new(schema, columns)
        .map(|rows| EventBatch { kind: EventKind::Ignored, date: Day(20_000), rows })
        .into_iter()
        .collect()
}

/// The rows of batches, in order; nothing where a batch is not one of ours.
pub(crate) fn rows(batches: &[EventBatch]) -> Option<Vec<Row>> {
    let mut all = Vec::new();
    for batch in batches {
        let source: &StringArray = typed(batch, column::SOURCE)?;
        let partition: &Int32Array = typed(batch, column::PARTITION)?;
        let offset: &Int64Array = typed(batch, column::OFFSET)?;
        let item: &Int32Array = typed(batch, column::ITEM)?;
        for row in 0..batch.rows.num_rows() {
            let index = row_index(source.value(row), partition.value(row))?;
            all.push((index, offset.value(row), item.value(row)));
        }
    }
    Some(all)
}

fn typed<'a, A: Array + 'static>(batch: &'a EventBatch, name: &str) -> Option<&'a A> {
    batch.rows.column_by_name(name)?.as_any().downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_from_their_batch() {
        let sent = vec![(0, 5, 0), (3, 7, 1), (2, 7, 0)];
        assert_eq!(rows(&batches(&sent)), Some(sent));
        assert!((0..9).all(|number| index(&name(number)) == Some(number)));
    }
}
