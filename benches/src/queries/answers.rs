//! An answer as a table of tab-separated text, a line a number, null as nothing.

use anyhow::{Context, Result};
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::oracle::Query;

/// The columns of an answer, in order.
const fn columns(query: Query) -> &'static [&'static str] {
    match query {
        Query::A => &[
            "number_id",
            "conversations",
            "turns_mean",
            "turns_p50",
            "turns_p95",
            "peers",
            "messages",
            "outbound",
            "latency_p50",
            "latency_p95",
            "share_template",
            "share_button",
            "share_voice",
        ],
        Query::B => &[
            "number_id",
            "open_ended",
            "in_chars_mean",
            "in_chars_p50",
            "in_chars_p95",
            "out_chars_mean",
            "out_chars_p50",
            "out_chars_p95",
        ],
        Query::C => &["number_id", "peers", "bytes_p50", "bytes_p95", "bytes_p99", "entropy"],
    }
}

pub(super) fn table(query: Query, batches: &[RecordBatch]) -> Result<String> {
    let names = columns(query);
    let mut text = names.join("\t");
    text.push('\n');
    for batch in batches {
        let arrays = names.iter().map(|name| column(batch, name)).collect::<Result<Vec<_>>>()?;
        let options = FormatOptions::default();
        let cells = arrays
            .iter()
            .map(|array| ArrayFormatter::try_new(array.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            for (nth, cell) in cells.iter().enumerate() {
                if nth > 0 {
                    text.push('\t');
                }
                if arrays[nth].is_valid(row) {
                    text.push_str(&cell.value(row).to_string());
                }
            }
            text.push('\n');
        }
    }
    Ok(text)
}

/// A column, decimals as doubles.
fn column(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    let array = batch.column_by_name(name).with_context(|| format!("find {name}"))?;
    if matches!(array.data_type(), DataType::Float32 | DataType::Decimal128(..)) {
        return Ok(cast(array, &DataType::Float64)?);
    }
    Ok(array.clone())
}
