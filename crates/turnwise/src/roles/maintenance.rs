//! Keeps the lake fit: compaction, checkpoints, vacuum, log cleaning, and the end of what is made
//! of texts once it is too old. Every step is safe if two
//! processes do it at once; what failed is tried again at the next turn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{RecordBatch, new_null_array};
use metrics::counter;
use turnwise_lake::{
    Cause, CompactOutcome, CompactPlan, FileFilter, FileInfo, LakeError, Partition, Table,
};
use turnwise_model::schema::{SORTED_BY, column};
use turnwise_model::time::TOKEN_RETENTION_DAYS;
use turnwise_model::{Day, EventKind};

use crate::clock;
use crate::roles::{Shared, layout};
use crate::writer;

/// Columns that may be kept for the retention of tokens and no longer (law 1).
const SHORT_LIVED: [&str; 3] = [column::TOKENS, column::SKELETON, column::TEXT_BUCKET];
/// How often the log is looked at.
const TURN: Duration = Duration::from_secs(30);
/// Every so many turns files and log entries that nothing needs are removed.
const SWEEP_TURNS: u64 = 60;
/// Files below this are small.
const SMALL_BYTES: u64 = 32 << 20;
/// Small files of one kind and date that are worth one rewrite.
const SMALL_FILES_MIN: usize = 24;
/// Bytes that one rewrite reads: some million rows, which are in memory up to three times.
const REWRITE_BYTES_MAX: u64 = 96 << 20;
/// Rows of a rewritten file.
const FILE_ROWS_MAX: usize = 4_000_000;

/// Runs until the process is to end.
///
/// # Errors
/// None: what fails is told and tried again.
pub(crate) fn run(shared: &Shared) -> anyhow::Result<()> {
    let mut turn = 0_u64;
    let mut table = None;
    while !shared.stop.is_set() {
        if table.is_none() {
            table = told("open events", writer::events_table(&shared.lake));
        }
        if let Some(table) = &table {
            keep(table, turn);
        }
        turn += 1;
        let mut waited = Duration::ZERO;
        while waited < TURN && !shared.stop.is_set() {
            std::thread::sleep(Duration::from_millis(200));
            waited += Duration::from_millis(200);
        }
    }
    Ok(())
}

fn keep(table: &Table, turn: u64) {
    if told("refresh", table.refresh()).is_none() {
        return;
    }
    told("checkpoint", table.checkpoint());
    for partition in told("list files", crowded(table)).unwrap_or_default() {
        let plan = CompactPlan {
            partition,
            small_bytes: SMALL_BYTES,
            files_min: SMALL_FILES_MIN,
            input_bytes_max: REWRITE_BYTES_MAX,
            file_rows_max: FILE_ROWS_MAX,
            sorted_by: &SORTED_BY,
            data_change: false,
        };
        let now_ms = clock::now().0;
        let done = table.compact(&plan, &mut in_order, &BTreeMap::new(), now_ms);
        if let Some(CompactOutcome::Done { removed, added, .. }) = told("compact", done) {
            tracing::debug!(removed, added, "compacted");
            counter!("turnwise_lake_compacted_files_total")
                .increment(u64::try_from(removed).unwrap_or_default());
        }
    }
    if turn.is_multiple_of(SWEEP_TURNS) {
        drop_tokens(table);
    }
    if turn % SWEEP_TURNS == SWEEP_TURNS - 1 {
        told("vacuum", table.vacuum(clock::now().0));
        told("clean log", table.clean_log(clock::now().0));
    }
}

/// Rewrites files of messages that are older than the retention of tokens without what is made of
/// their texts.
fn drop_tokens(table: &Table) {
    let oldest = Day(clock::now().day().0 - TOKEN_RETENTION_DAYS);
    for partition in told("list old files", with_tokens(table, oldest)).unwrap_or_default() {
        let plan = CompactPlan {
            partition,
            small_bytes: u64::MAX,
            files_min: 1,
            input_bytes_max: REWRITE_BYTES_MAX,
            file_rows_max: FILE_ROWS_MAX,
            sorted_by: &SORTED_BY,
            data_change: true,
        };
        let now_ms = clock::now().0;
        let done = table.compact(&plan, &mut without_tokens, &BTreeMap::new(), now_ms);
        if let Some(CompactOutcome::Done { removed, .. }) = told("drop tokens", done) {
            counter!("turnwise_lake_token_files_dropped_total")
                .increment(u64::try_from(removed).unwrap_or_default());
        }
    }
}

/// Partitions of messages before a day that still have skeletons, and so tokens.
fn with_tokens(table: &Table, oldest: Day) -> Result<BTreeSet<Partition>, LakeError> {
    let filter = FileFilter::all()
        .partition_in(column::KIND, [EventKind::Message.name(), EventKind::History.name()])
        .partition_between(column::DATE, Day(0), Day(oldest.0 - 1));
    let files = table.snapshot(None)?.files(&filter)?;
    let has_tokens = |file: &&FileInfo| {
        let rows = file.num_records.and_then(|rows| i64::try_from(rows).ok());
        file.null_counts().get(column::SKELETON).copied() != rows
    };
    Ok(files.iter().filter(has_tokens).filter_map(partition).collect())
}

fn without_tokens(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Cause> {
    let cleared = batches.into_iter().map(|batch| {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(|(field, values)| {
            if SHORT_LIVED.contains(&field.name().as_str()) {
                new_null_array(field.data_type(), batch.num_rows())
            } else {
                Arc::clone(values)
            }
        });
        RecordBatch::try_new(Arc::clone(&schema), columns.collect())
    });
    let cleared = cleared.collect::<Result<Vec<_>, _>>()?;
    in_order(cleared)
}

/// Kinds and dates that have many small files.
fn crowded(table: &Table) -> Result<Vec<Partition>, LakeError> {
    let mut small: BTreeMap<Partition, usize> = BTreeMap::new();
    for file in table.snapshot(None)?.files(&FileFilter::all())? {
        if let Some(partition) = partition(&file).filter(|_| file.size < SMALL_BYTES) {
            *small.entry(partition).or_default() += 1;
        }
    }
    let crowded = small.into_iter().filter(|(_, files)| *files >= SMALL_FILES_MIN);
    Ok(crowded.map(|(partition, _)| partition).collect())
}

fn partition(file: &FileInfo) -> Option<Partition> {
    let value = |name: &str| file.partition_values.get(name).cloned().flatten();
    let date = Day::parse_iso(&value(column::DATE)?)?;
    Some(Partition::from([
        (column::KIND.to_owned(), value(column::KIND)?.as_str().into()),
        (column::DATE.to_owned(), date.into()),
    ]))
}

/// Rows of one kind and date in the order that readers profit from.
fn in_order(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Cause> {
    Ok(layout::in_order(&batches)?)
}

/// The value, or nothing where it failed and was told.
fn told<T>(operation: &'static str, result: Result<T, LakeError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            counter!("turnwise_lake_maintenance_failures_total").increment(1);
            tracing::warn!(operation, error = %writer::chain(&error), "maintenance");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, Int64Array, StringArray};

    use super::*;

    #[test]
    fn what_is_made_of_texts_is_dropped_and_rows_are_put_in_order() {
        let batch = RecordBatch::try_from_iter(vec![
            (column::SENDER, Arc::new(StringArray::from(vec!["2", "1"])) as Arc<dyn Array>),
            (column::SKELETON, Arc::new(Int64Array::from(vec![7, 8])) as Arc<dyn Array>),
        ])
        .expect("columns of one length");
        // A column that may be null, as in the table.
        let narrow = batch.schema();
        let fields = narrow.fields().iter().map(|f| f.as_ref().clone().with_nullable(true));
        let schema = arrow::datatypes::Schema::new(fields.collect::<Vec<_>>());
        let batch = batch.with_schema(Arc::new(schema)).expect("wider");
        let cleared = without_tokens(vec![batch]).expect("cleared");
        assert_eq!(cleared[0][column::SKELETON].null_count(), 2);
        let senders: &StringArray = arrow::array::AsArray::as_string(&cleared[0][column::SENDER]);
        assert_eq!(senders.value(0), "1");
    }
}
