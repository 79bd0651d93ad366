//! Dead letters as `list` and `show` name them.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::{Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use turnwise_codec::Reason;
use turnwise_lake::Lake;
use turnwise_model::{Offset, PartitionId, SourceName};

use super::lookup::{Look, in_partition};
use super::place::Place;

/// Which letters to read.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// Only those with this reason.
    pub(crate) reason: Option<Reason>,
    /// Only those of this record.
    pub(crate) place: Option<Place>,
    /// At most so many, the oldest records of each partition first.
    pub(crate) limit: usize,
}

/// One dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Its record.
    pub(crate) place: Place,
    /// The item in it.
    pub(crate) item: i32,
    /// Why.
    pub(crate) reason: String,
    /// Path, expected and found type.
    pub(crate) detail: Option<String>,
    /// Bytes of what could not be read.
    pub(crate) bytes: Option<i64>,
    /// Whether rows of it are in the lake by now.
    pub(crate) is_requeued: bool,
}

/// The letters that pass the filter.
pub(crate) fn read(lake: &Lake, filter: &Filter) -> anyhow::Result<Vec<Letter>> {
    let look = Look::new(lake)?;
    let mut conditions = vec!["true".to_owned()];
    if let Some(reason) = filter.reason {
        conditions.push(format!("reason = '{}'", reason.name()));
    }
    if let Some(place) = &filter.place {
        conditions.push(in_partition(&place.source_partition()));
        conditions.push(format!("\"offset\" = {}", place.offset.0));
    }
    let statement = format!(
        "SELECT source, partition, \"offset\", item, reason, detail, record_bytes \
         FROM dead_letters WHERE {} \
         ORDER BY source, partition, \"offset\", item LIMIT {}",
        conditions.join(" AND "),
        filter.limit
    );
    let mut letters = Vec::new();
    for batch in look.answer(&statement)? {
        let text = |name: &str, row| {
            let values = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            values.is_valid(row).then(|| values.value(row).to_owned())
        };
        let partitions = batch["partition"].as_primitive::<Int32Type>();
        let offsets = batch["offset"].as_primitive::<Int64Type>();
        let items = batch["item"].as_primitive::<Int32Type>();
        let sizes = batch["record_bytes"].as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let place = Place {
                source: SourceName(text("source", row).unwrap_or_default()),
                partition: PartitionId(partitions.value(row)),
                offset: Offset(offsets.value(row)),
            };
            letters.push(Letter {
                is_requeued: look.is_requeued(&place, items.value(row)),
                place,
                item: items.value(row),
                reason: text("reason", row).unwrap_or_default(),
                detail: text("detail", row),
                bytes: sizes.is_valid(row).then(|| sizes.value(row)),
            });
        }
    }
    Ok(letters)
}

/// The letters as columns.
pub(crate) fn batch(letters: &[Letter]) -> anyhow::Result<RecordBatch> {
    let texts = |of: &dyn Fn(&Letter) -> Option<String>| -> ArrayRef {
        Arc::new(letters.iter().map(of).collect::<StringArray>())
    };
    let bytes: Int64Array = letters.iter().map(|letter| letter.bytes).collect();
    let items: Int32Array = letters.iter().map(|letter| Some(letter.item)).collect();
    let state =
        |letter: &Letter| Some(if letter.is_requeued { "requeued" } else { "dead" }.to_owned());
    Ok(RecordBatch::try_from_iter([
        ("position", texts(&|letter| Some(letter.place.to_string()))),
        ("item", Arc::new(items) as ArrayRef),
        ("reason", texts(&|letter| Some(letter.reason.clone()))),
        ("detail", texts(&|letter| letter.detail.clone())),
        ("bytes", Arc::new(bytes) as ArrayRef),
        ("state", texts(&state)),
    ])?)
}
