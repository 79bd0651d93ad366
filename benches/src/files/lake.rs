//! The rows as a lake: decoded from their webhooks by the product's own decoder and kernels,
//! written by its own encoder in the order of compaction, one file a day.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::record_batch::RecordBatch;
use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_lake::{Encoding, Lake, Partition, Table};
use turnwise_model::keys::{Keys, Secret};
use turnwise_model::schema::{self, SORTED_BY, column};
use turnwise_model::time::DAY_MS;
use turnwise_model::{Day, EventKind, Millis, Offset, PartitionId, SourceName};

use super::webhooks::WebhookWriter;
use crate::data::Row;

/// The keys that the lake's pseudonyms and buckets are made with.
///
/// # Errors
/// None: the secret is long enough.
pub fn keys() -> Result<Keys> {
    let secret = Secret::new(b"a secret for nothing but benches").context("make secret")?;
    Ok(Keys::expand(&secret))
}

/// Writes the rows, which are in order of time, as a lake in a new folder.
///
/// # Errors
/// A disk that is full or cannot be written.
pub fn write_lake(rows: &[Row], path: &Path) -> Result<()> {
    let part = path.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part).context("remove unfinished lake")?;
    }
    fs::create_dir_all(&part).context("create lake")?;
    {
        let location = part.to_str().context("name lake")?;
        let lake = Lake::open(location, &BTreeMap::new()).context("open lake")?;
        let table = lake
            .table("events", schema::events(), &[column::KIND, column::DATE])
            .context("create events")?;
        let mut decoder = Decoder::new(keys()?);
        let days = rows.chunk_by(|one, next| one.ts_ms / DAY_MS == next.ts_ms / DAY_MS);
        let mut offset = 0;
        for of_day in days {
            write_day(of_day, &mut offset, &mut decoder, &table)?;
        }
    }
    fs::rename(&part, path).with_context(|| format!("name {}", path.display()))
}

fn write_day(rows: &[Row], offset: &mut i64, decoder: &mut Decoder, table: &Table) -> Result<()> {
    let mut webhooks = WebhookWriter::default();
    let source = SourceName("bench".to_owned());
    for row in rows {
        let time = Millis(row.ts_ms);
        let context = RecordContext {
            source: &source,
            partition: PartitionId(0),
            offset: Offset(*offset),
            record_time: Some(time),
            read_time: time,
        };
        decoder.decode(Format::CloudApi, &context, Some(webhooks.record(row)));
        *offset += 1;
    }
    let mut parts: BTreeMap<(EventKind, Day), Vec<RecordBatch>> = BTreeMap::new();
    for batch in decoder.finish() {
        parts.entry((batch.kind, batch.date)).or_default().push(batch.rows);
    }
    let parts = parts.into_iter().map(|((kind, date), rows)| {
        let partition = Partition::from([
            (column::KIND.to_owned(), kind.name().into()),
            (column::DATE.to_owned(), date.into()),
        ]);
        Ok((partition, in_order(&rows)?))
    });
    let parts: Vec<(Partition, RecordBatch)> = parts.collect::<Result<_>>()?;
    // The clock has no say in what a lake of the bench holds.
    let now_ms = rows.first().map_or(0, |row| row.ts_ms);
    let staged =
        table.stage(parts, Encoding::Sorted(&SORTED_BY), now_ms).context("write data files")?;
    table.commit(&staged, &[], &BTreeMap::new(), now_ms).context("commit")?;
    Ok(())
}

fn in_order(batches: &[RecordBatch]) -> Result<RecordBatch> {
    let schema = batches.first().context("find rows")?.schema();
    let all = concat_batches(&schema, batches).context("join rows")?;
    let keys: Vec<SortColumn> = SORTED_BY
        .iter()
        .filter_map(|name| all.column_by_name(name).cloned())
        .map(|values| SortColumn { values, options: None })
        .collect();
    let order = lexsort_to_indices(&keys, None).context("order rows")?;
    take_record_batch(&all, &order).context("order rows")
}
