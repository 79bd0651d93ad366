//! Rows as Arrow batches, made on a thread of their own beside the one that writes them.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context, Result};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringBuilder, UInt8Array, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::Texts;
use crate::data::{Row, kind, write_text};

/// Rows of a batch.
const BATCH_ROWS: usize = 64 * 1024;
/// Batches made and not yet written.
const BATCHES_AHEAD: usize = 4;
/// Bytes of a text, about.
const TEXT_BYTES: usize = 128;

/// The columns' names.
pub mod column {
    /// The business number.
    pub const NUMBER: &str = "number_id";
    /// The peer.
    pub const PEER: &str = "peer_id";
    /// Time in milliseconds since 1970.
    pub const TIME: &str = "ts_ms";
    /// 0 in, 1 out.
    pub const DIRECTION: &str = "direction";
    /// Kind of message, see [`crate::data::kind`].
    pub const KIND: &str = "kind";
    /// Category of its price.
    pub const CATEGORY: &str = "category";
    /// Its text; null where the kind is no text.
    pub const TEXT: &str = "text";
}

/// The columns of the data set.
#[must_use]
pub fn schema(texts: Texts) -> SchemaRef {
    let mut fields = vec![
        Field::new(column::NUMBER, DataType::UInt64, false),
        Field::new(column::PEER, DataType::UInt64, false),
        Field::new(column::TIME, DataType::Int64, false),
        Field::new(column::DIRECTION, DataType::UInt8, false),
        Field::new(column::KIND, DataType::UInt8, false),
        Field::new(column::CATEGORY, DataType::UInt8, false),
    ];
    if texts == Texts::Written {
        fields.push(Field::new(column::TEXT, DataType::Utf8, true));
    }
    Arc::new(Schema::new(fields))
}

fn batch(rows: &[Row], texts: Texts) -> Result<RecordBatch> {
    let small = |value: fn(&Row) -> u8| -> ArrayRef {
        Arc::new(rows.iter().map(value).collect::<UInt8Array>())
    };
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.number).collect::<UInt64Array>()),
        Arc::new(rows.iter().map(|row| row.peer).collect::<UInt64Array>()),
        Arc::new(rows.iter().map(|row| row.ts_ms).collect::<Int64Array>()),
        small(|row| row.direction),
        small(|row| row.kind),
        small(|row| row.category),
    ];
    if texts == Texts::Written {
        columns.push(Arc::new(text_column(rows)));
    }
    RecordBatch::try_new(schema(texts), columns).context("make batch")
}

fn text_column(rows: &[Row]) -> arrow::array::StringArray {
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * TEXT_BYTES);
    let mut text = String::new();
    for row in rows {
        if row.kind == kind::TEXT {
            text.clear();
            write_text(row, &mut text);
            builder.append_value(&text);
        } else {
            builder.append_null();
        }
    }
    builder.finish()
}

/// Gives all rows, batch by batch and in order, to `take`.
pub(super) fn each_batch(
    rows: &[Row],
    texts: Texts,
    mut take: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BATCHES_AHEAD);
        scope.spawn(move || {
            for chunk in rows.chunks(BATCH_ROWS) {
                // Nobody takes them any more where writing has failed.
                if sender.send(batch(chunk, texts)).is_err() {
                    return;
                }
            }
        });
        receiver.into_iter().try_for_each(|batch| take(batch?))
    })
}
