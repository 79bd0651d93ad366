//! Carries the machine's wishes about the lake out: commits and questions for offsets.
//!
//! ```text
//!  Commit ──► stage (once an id) ──► Table::commit ──┬─ in for certain ──► Committed
//!                                                    └─ all else ────────► Ambiguous
//!  ReadOffsets ──► refresh ──► Offsets
//! ```
//!
//! It blocks, so it may live on a thread of its own. Law 2 is the machine's: nothing here judges
//! what became of a commit, beyond what the table says for certain.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use turnwise_ingest::{CommitId, Input, ReadTo, Wish, backoff_ms};
use turnwise_lake::{
    Cause, CommitOutcome, Encoding, Lake, LakeError, Partition, Staged, Table, Txn,
};
use turnwise_model::schema::{self, column};
use turnwise_model::{
    Day, EventBatch, EventKind, Offset, OffsetRange, SourceName, SourcePartition,
};

use crate::clock;

/// The name of the table that everything is read into.
pub(crate) const EVENTS: &str = "events";
/// The key of the commit's info that says up to when each partition was read.
pub(crate) const READ_TO: &str = "readTo";
/// The key of the commit's info that names the ingest.
const INGEST: &str = "ingest";
/// Looks at the offsets before the machine is asked again, so that a shutdown is seen.
const LOOKS: u32 = 5;

/// Opens `events`, made where it is missing.
pub(crate) fn events_table(lake: &Lake) -> Result<Table, LakeError> {
    lake.table(EVENTS, schema::events(), &[column::KIND, column::DATE])
}

/// Writes for one machine.
#[derive(Debug)]
pub(crate) struct EventWriter {
    table: Arc<Table>,
    ingest_name: String,
    /// What was staged for the commit in question.
    staged: Option<(CommitId, Staged)>,
    failure: Option<LakeError>,
}

impl EventWriter {
    /// Over the table `events`, under this ingest's name.
    pub(crate) fn new(table: Arc<Table>, ingest_name: &str) -> Self {
        Self { table, ingest_name: ingest_name.to_owned(), staged: None, failure: None }
    }

    /// The stored offset of a partition, as of the table's last refresh.
    pub(crate) fn stored(&self, partition: &SourcePartition) -> Option<Offset> {
        self.table.transaction(&self.app(partition)).map(Offset)
    }

    /// Whether the lake has an offset of any partition of this input.
    pub(crate) fn knows(&self, source: &SourceName) -> bool {
        let prefix = format!("{}/{}/", self.ingest_name, source.0);
        self.table.transactions().keys().any(|app| app.starts_with(&prefix))
    }

    /// Why the last commit or look did not succeed, once.
    pub(crate) fn take_failure(&mut self) -> Option<LakeError> {
        self.failure.take()
    }

    /// Carries `Commit` and `ReadOffsets` out and returns the answer; other wishes are not for
    /// the lake. Waits before a repeated attempt.
    pub(crate) fn carry_out(&mut self, wish: Wish) -> Option<Input> {
        match wish {
            Wish::Commit { id, attempt, ranges, batches, read_to, deadline_ms } => {
                if attempt > 1 {
                    pause(attempt - 1);
                }
                let outcome = self.commit(id, &ranges, batches, &read_to, deadline_ms);
                Some(match outcome {
                    Ok(CommitOutcome::Committed { .. } | CommitOutcome::AlreadyIn) => {
                        self.staged = None;
                        self.failure = None;
                        Input::Committed { id }
                    }
                    Ok(outcome @ (CommitOutcome::Lost { .. } | CommitOutcome::Expired)) => {
                        tracing::warn!(?outcome, attempt, "commit refused");
                        Input::Ambiguous { id }
                    }
                    Err(error) => {
                        tracing::warn!(error = %chain(&error), attempt, "commit not confirmed");
                        self.failure = Some(error);
                        Input::Ambiguous { id }
                    }
                })
            }
            Wish::ReadOffsets { id, partitions } => Some(self.offsets(id, partitions)),
            _ => None,
        }
    }

    fn app(&self, partition: &SourcePartition) -> String {
        partition.source.transaction_app(&self.ingest_name, partition.partition)
    }

    fn commit(
        &mut self,
        id: CommitId,
        ranges: &[OffsetRange],
        batches: Vec<EventBatch>,
        read_to: &[ReadTo],
        deadline_ms: i64,
    ) -> Result<CommitOutcome, LakeError> {
        if clock::now().0 > deadline_ms {
            return Ok(CommitOutcome::Expired);
        }
        if self.staged.as_ref().is_none_or(|(staged, _)| *staged != id) {
            let parts = parts(batches)?;
            let staged = self.table.stage(parts, Encoding::Light, clock::now().0)?;
            self.staged = Some((id, staged));
        }
        let Some((_, staged)) = &self.staged else { return Ok(CommitOutcome::Expired) };
        let txns: Vec<Txn> = ranges
            .iter()
            .map(|range| Txn {
                app: self.app(&range.partition),
                expected: range.from.map(|offset| offset.0),
                to: range.to.0,
            })
            .collect();
        let now_ms = clock::now().0;
        if now_ms > deadline_ms {
            return Ok(CommitOutcome::Expired);
        }
        self.table.commit(staged, &txns, &self.info(read_to), now_ms)
    }

    /// What the commit says of itself: who read, and up to when each partition.
    fn info(&self, read_to: &[ReadTo]) -> BTreeMap<String, String> {
        let mut info = BTreeMap::from([(INGEST.to_owned(), self.ingest_name.clone())]);
        if !read_to.is_empty() {
            let times: serde_json::Map<String, serde_json::Value> = read_to
                .iter()
                .map(|read| (self.app(&read.partition), read.time.0.into()))
                .collect();
            info.insert(READ_TO.to_owned(), serde_json::Value::Object(times).to_string());
        }
        info
    }

    fn offsets(&mut self, id: CommitId, partitions: Vec<SourcePartition>) -> Input {
        for look in 1..=LOOKS {
            match self.table.refresh() {
                Ok(_) => {
                    let stored = partitions
                        .into_iter()
                        .filter_map(|partition| Some((partition.clone(), self.stored(&partition)?)))
                        .collect();
                    return Input::Offsets { id, stored };
                }
                Err(error) => {
                    tracing::warn!(error = %chain(&error), look, "offsets not read");
                    self.failure = Some(error);
                    pause(look);
                }
            }
        }
        // The machine asks again.
        Input::Ambiguous { id }
    }
}

/// What a commit of requeued items says of itself.
pub(crate) fn requeue_info() -> BTreeMap<String, String> {
    BTreeMap::from([(INGEST.to_owned(), "requeue".to_owned())])
}

/// One part for each kind and date: a data file each.
pub(crate) fn parts(
    batches: Vec<EventBatch>,
) -> Result<Vec<(Partition, arrow::record_batch::RecordBatch)>, LakeError> {
    let mut by_file: BTreeMap<(EventKind, Day), Vec<_>> = BTreeMap::new();
    for batch in batches {
        by_file.entry((batch.kind, batch.date)).or_default().push(batch.rows);
    }
    by_file
        .into_iter()
        .map(|((kind, date), mut rows)| {
            let merged = match rows.len() {
                1 => rows.swap_remove(0),
                _ => {
                    let schema: SchemaRef = rows[0].schema();
                    concat_batches(&schema, &rows).map_err(|source| LakeError::Data {
                        operation: "merge rows",
                        source: Cause::from(source),
                    })?
                }
            };
            let partition = Partition::from([
                (column::KIND.to_owned(), kind.name().into()),
                (column::DATE.to_owned(), date.into()),
            ]);
            Ok((partition, merged))
        })
        .collect()
}

fn pause(attempt: u32) {
    let wait_ms = u64::try_from(backoff_ms(attempt, clock::dice())).unwrap_or_default();
    std::thread::sleep(Duration::from_millis(wait_ms));
}

/// An error with all its causes, for one line of log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
