//! Keeps the lake fit: compaction, checkpoints, vacuum, log cleaning. Every step is safe if two
//! processes do it at once; what failed is tried again at the next turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use metrics::counter;
use turnwise_lake::{Cause, CompactOutcome, CompactPlan, FileFilter, LakeError, Partition, Table};
use turnwise_model::Day;
use turnwise_model::schema::column;

use crate::clock;
use crate::roles::Shared;
use crate::writer;

/// How often the log is looked at.
const TURN: Duration = Duration::from_secs(30);
/// Every so many turns files and log entries that nothing needs are removed.
const SWEEP_TURNS: u64 = 60;
/// Files below this are small.
const SMALL_BYTES: u64 = 32 << 20;
/// Small files of one kind and date that are worth one rewrite.
const SMALL_FILES_MIN: usize = 24;
/// Bytes that one rewrite reads.
const REWRITE_BYTES_MAX: u64 = 256 << 20;
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
    if turn % SWEEP_TURNS == SWEEP_TURNS - 1 {
        told("vacuum", table.vacuum(clock::now().0));
        told("clean log", table.clean_log(clock::now().0));
    }
}

/// Kinds and dates that have many small files.
fn crowded(table: &Table) -> Result<Vec<Partition>, LakeError> {
    let mut small: BTreeMap<(String, String), usize> = BTreeMap::new();
    for file in table.snapshot(None)?.files(&FileFilter::all())? {
        let value = |name: &str| file.partition_values.get(name).cloned().flatten();
        if let (Some(kind), Some(date)) = (value(column::KIND), value(column::DATE))
            && file.size < SMALL_BYTES
        {
            *small.entry((kind, date)).or_default() += 1;
        }
    }
    let crowded: BTreeSet<_> = small
        .into_iter()
        .filter(|(_, files)| *files >= SMALL_FILES_MIN)
        .map(|(key, _)| key)
        .collect();
    Ok(crowded
        .into_iter()
        .filter_map(|(kind, date)| {
            let date = Day::parse_iso(&date)?;
            Some(Partition::from([
                (column::KIND.to_owned(), kind.as_str().into()),
                (column::DATE.to_owned(), date.into()),
            ]))
        })
        .collect())
}

/// Rows of one kind and date in the order that readers profit from: sender, peer, time.
fn in_order(batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Cause> {
    let Some(first) = batches.first() else { return Ok(batches) };
    let all = concat_batches(&first.schema(), &batches)?;
    let keys: Vec<SortColumn> = [
        column::SENDER,
        column::PEER_PHONE,
        column::PEER_USER,
        column::TIME,
        column::SOURCE,
        column::PARTITION,
        column::OFFSET,
        column::ITEM,
    ]
    .into_iter()
    .filter_map(|name| all.column_by_name(name).cloned())
    .map(|values| SortColumn { values, options: None })
    .collect();
    let order = lexsort_to_indices(&keys, None)?;
    Ok(vec![take_record_batch(&all, &order)?])
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
