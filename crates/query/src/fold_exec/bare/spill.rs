//! Bare rows on disk: a file for each group of buckets, through the engine's disk manager.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::{SpillFile, TaskContext};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::spill::SpillManager;
use futures::StreamExt;
use turnwise_kernels::fold::bare::{BareRow, Bucket, Scatter};

/// Most groups of an output's buckets.
const GROUPS_MAX: usize = 32;

/// Writes and reads the rows of an output's buckets.
#[derive(Clone)]
pub(super) struct Spill {
    manager: SpillManager,
    buckets: usize,
}

impl Spill {
    /// For outputs of so many buckets each, a power of two; counted as what a partition does.
    pub fn new(
        context: &TaskContext,
        metrics: &ExecutionPlanMetricsSet,
        partition: usize,
        buckets: usize,
    ) -> Self {
        let metrics = SpillMetrics::new(metrics, partition);
        Self { manager: SpillManager::new(context.runtime_env(), metrics, schema()), buckets }
    }

    pub fn groups(&self) -> usize {
        self.buckets.min(GROUPS_MAX)
    }

    /// The buckets of a group.
    pub fn of_group(&self, group: usize) -> std::ops::Range<usize> {
        let each = self.buckets / self.groups();
        group * each..(group + 1) * each
    }

    /// Writes the rows of an output's buckets, which are left empty, group by group, so that no
    /// more than one group is in memory twice.
    pub fn write(&self, buckets: &mut [Bucket]) -> Result<Vec<(usize, Arc<dyn SpillFile>)>> {
        let mut files = Vec::new();
        for group in 0..self.groups() {
            let mut batches = Vec::new();
            for bucket in buckets[self.of_group(group)].iter_mut().map(std::mem::take) {
                for rows in bucket.chunks().filter(|rows| !rows.is_empty()) {
                    batches.push(batch(rows)?);
                }
            }
            let file = self.manager.spill_record_batch_and_finish(&batches, "FoldExec")?;
            files.extend(file.map(|file| (group, file)));
        }
        Ok(files)
    }

    /// Reads the rows of files back into buckets, their memory reserved by `held`.
    pub async fn read(
        &self,
        files: impl Iterator<Item = Arc<dyn SpillFile>>,
        held: &MemoryReservation,
    ) -> Result<Vec<Bucket>> {
        let mut scatter = Scatter::new(1, self.buckets);
        for file in files {
            let mut rows = self.manager.read_spill_as_stream_unbuffered(file, None)?;
            while let Some(batch) = rows.next().await {
                for row in self::rows(&batch?) {
                    scatter.push_row(0, row);
                }
                held.try_resize(scatter.size())?;
            }
        }
        Ok(scatter.take())
    }
}

fn schema() -> SchemaRef {
    let fields = ["sender", "peer", "word"].map(|name| Field::new(name, DataType::UInt64, false));
    Arc::new(Schema::new(fields.to_vec()))
}

fn batch(rows: &[BareRow]) -> Result<RecordBatch> {
    let column = |pick: fn(&BareRow) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(pick)))
    };
    let columns = vec![column(|row| row.sender), column(|row| row.peer), column(|row| row.word)];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

fn rows(batch: &RecordBatch) -> impl Iterator<Item = BareRow> {
    let column = |at: usize| batch.column(at).as_primitive::<UInt64Type>().values().iter();
    let words = column(0).zip(column(1)).zip(column(2));
    words.map(|((sender, peer), word)| BareRow { sender: *sender, peer: *peer, word: *word })
}
