//! Dead letters as the lake has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{Array as _, ArrayRef, AsArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::{Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use turnwise_codec::Reason;
use turnwise_lake::Lake;
use turnwise_model::{Offset, PartitionId, SourceName};
use turnwise_query::{Catalog, Engine, EngineSettings};

use super::place::Place;
use crate::{sql, writer};

/// The views whose rows may stand beside a dead item of the same record.
const SIBLINGS: [&str; 4] = ["messages_raw", "statuses_raw", "account_events", "ignored"];

/// Which letters to read.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// Only those with this reason.
    pub(crate) reason: Option<Reason>,
    /// Only those of these records; all where there are none.
    pub(crate) places: Vec<Place>,
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
pub(crate) async fn read(lake: &Lake, filter: &Filter) -> anyhow::Result<Vec<Letter>> {
    let table = lake.existing_table(writer::EVENTS)?.context("there is no table of events")?;
    let requeued = table.transactions();
    let mut conditions = vec!["true".to_owned()];
    if let Some(reason) = filter.reason {
        conditions.push(format!("reason = '{}'", reason.name()));
    }
    if !filter.places.is_empty() {
        conditions.push(format!("({})", any_of(&filter.places)));
    }
    let statement = format!(
        "SELECT source, partition, \"offset\", item, reason, detail, record_bytes \
         FROM dead_letters WHERE {} \
         ORDER BY source, partition, \"offset\", item LIMIT {}",
        conditions.join(" AND "),
        filter.limit
    );
    let mut letters = Vec::new();
    for batch in answer(lake, &statement).await? {
        let text = |name: &str, row| {
            let values = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            values.is_valid(row).then(|| values.value(row).to_owned())
        };
        let sizes = batch["record_bytes"].as_primitive::<Int64Type>();
        for (row, (place, item)) in places(&batch).into_iter().enumerate() {
            letters.push(Letter {
                is_requeued: requeued.contains_key(&place.requeue_app(item)),
                place,
                item,
                reason: text("reason", row).unwrap_or_default(),
                detail: text("detail", row),
                bytes: sizes.is_valid(row).then(|| sizes.value(row)),
            });
        }
    }
    Ok(letters)
}

/// The items of these records that are rows of another kind.
pub(crate) async fn siblings(
    lake: &Lake,
    of: &[Place],
) -> anyhow::Result<BTreeMap<Place, BTreeSet<i32>>> {
    let parts = SIBLINGS.map(|view| {
        let condition = any_of(of);
        format!("SELECT source, partition, \"offset\", item FROM {view} WHERE {condition}")
    });
    let mut found: BTreeMap<Place, BTreeSet<i32>> = BTreeMap::new();
    for batch in answer(lake, &parts.join(" UNION ALL ")).await? {
        for (place, item) in places(&batch) {
            found.entry(place).or_default().insert(item);
        }
    }
    Ok(found)
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

/// A condition that holds for the rows of these records. Positions come from the command line or
/// the lake: quoted as literals.
fn any_of(places: &[Place]) -> String {
    let mut offsets: BTreeMap<(&SourceName, PartitionId), Vec<String>> = BTreeMap::new();
    for place in places {
        let of_partition = offsets.entry((&place.source, place.partition)).or_default();
        of_partition.push(place.offset.0.to_string());
    }
    let parts = offsets.into_iter().map(|((source, partition), offsets)| {
        let source = source.0.replace('\'', "''");
        let offsets = offsets.join(", ");
        format!(
            "(source = '{source}' AND partition = {} AND \"offset\" IN ({offsets}))",
            partition.0
        )
    });
    parts.collect::<Vec<_>>().join(" OR ")
}

fn places(batch: &RecordBatch) -> Vec<(Place, i32)> {
    let sources = batch["source"].as_string::<i32>();
    let partitions = batch["partition"].as_primitive::<Int32Type>();
    let offsets = batch["offset"].as_primitive::<Int64Type>();
    let items = batch["item"].as_primitive::<Int32Type>();
    let place = |row| Place {
        source: SourceName(sources.value(row).to_owned()),
        partition: PartitionId(partitions.value(row)),
        offset: Offset(offsets.value(row)),
    };
    (0..batch.num_rows()).map(|row| (place(row), items.value(row))).collect()
}

async fn answer(lake: &Lake, statement: &str) -> anyhow::Result<Vec<RecordBatch>> {
    let files = sql::catalog_files(lake)?;
    let engine = Engine::new(&EngineSettings::default(), lake)?;
    let catalog = Catalog::new(&engine, &files).await?;
    Ok(catalog.answer(statement).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_become_one_condition_a_partition_and_quotes_stay_inside() {
        let place = |text: &str| text.parse::<Place>().expect("a place");
        let found = any_of(&[place("a/b:0:1"), place("a/b:0:7"), place("o'x:2:3")]);
        assert_eq!(
            found,
            "(source = 'a/b' AND partition = 0 AND \"offset\" IN (1, 7)) OR \
             (source = 'o''x' AND partition = 2 AND \"offset\" IN (3))"
        );
    }
}
