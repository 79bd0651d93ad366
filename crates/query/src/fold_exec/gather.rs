//! The first half of the fold of bare messages: every input partition is read by a task of its own
//! into buckets of its own, and to disk where memory is refused.
//!
//! ```text
//! input 0 ─▶ task: Scatter ─ memory refused ─▶ spill files, one for each group of buckets
//! input 1 ─▶ task: Scatter ─┐
//!                           └─ all ended ─▶ units: a bucket of all tasks, or a group of buckets
//! ```
//!
//! If any task had to spill, what is left in memory is spilled too, so that the second half has
//! the pool for itself and takes in a group of buckets at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Result, exec_err};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SpillFile, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{
    Count, ExecutionPlanMetricsSet, MetricBuilder, SpillMetrics, Time,
};
use datafusion::physical_plan::spill::SpillManager;
use futures::StreamExt;
use turnwise_kernels::fold::bare::{BareBatch, BareRow, Bucket, Scatter};

use crate::bare::BareReader;

/// Rows that a bucket should have, so that folding it stays in the caches of a core.
const BUCKET_ROWS: usize = 64 << 10;
/// Fewest and most buckets.
const BUCKETS: (usize, usize) = (64, 1_024);
/// Groups of buckets that are spilled to one file each.
const SPILL_GROUPS: usize = 64;
/// Heap bytes that folding takes for each row of a bucket, its own left out: its number, its word
/// as it came and in order, and the table of pairs.
const SCRATCH_BYTES: usize = 48;

/// What was gathered, handed out unit by unit.
pub(super) struct Gathered {
    units: Vec<Mutex<Option<Unit>>>,
    next: AtomicUsize,
    buckets: usize,
    spill: SpillManager,
    /// Of the rows in memory, task by task.
    reservations: Vec<MemoryReservation>,
}

/// Rows that hold all of their pairs.
pub(super) enum Unit {
    /// A bucket of each task.
    Held(Vec<Bucket>),
    /// A group of buckets.
    Spilled(Vec<Arc<dyn SpillFile>>),
}

/// What one task read.
struct Part {
    scatter: Scatter,
    spilled: Vec<(usize, Arc<dyn SpillFile>)>,
    reservation: MemoryReservation,
}

/// Reads all partitions of `input`.
pub(super) async fn gather(
    input: Arc<dyn ExecutionPlan>,
    reader: BareReader,
    outputs: usize,
    context: Arc<TaskContext>,
    metrics: ExecutionPlanMetricsSet,
    rows: Option<usize>,
) -> Result<Gathered> {
    let spill_metrics = SpillMetrics::new(&metrics, 0);
    let spill = SpillManager::new(context.runtime_env(), spill_metrics, spilled_schema());
    let wanted = rows.unwrap_or(0) / BUCKET_ROWS;
    let buckets = wanted.next_power_of_two().clamp(BUCKETS.0, BUCKETS.1);
    let partitions = input.properties().output_partitioning().partition_count();
    let mut tasks = Vec::new();
    for partition in 0..partitions {
        let rows = input.execute(partition, Arc::clone(&context))?;
        let consumer = MemoryConsumer::new(format!("FoldExec gather[{partition}]"));
        let task = Task {
            reader: reader.clone(),
            part: Part {
                scatter: Scatter::new(buckets),
                spilled: Vec::new(),
                reservation: consumer.with_can_spill(true).register(context.memory_pool()),
            },
            spill: spill.clone(),
            figures: Figures::new(&metrics, partition),
        };
        tasks.push(SpawnedTask::spawn(task.run(rows)));
    }
    let mut parts = Vec::new();
    for task in tasks {
        let joined = task.join().await;
        parts.push(joined.map_err(|source| DataFusionError::ExecutionJoin(Box::new(source)))??);
    }
    let spare = MemoryConsumer::new("FoldExec scratch").register(context.memory_pool());
    let rows_of = |at: usize| parts.iter().map(|part| part.scatter.buckets()[at].rows()).sum();
    let largest: usize = (0..buckets).map(rows_of).max().unwrap_or(0);
    let scratch = largest * SCRATCH_BYTES * outputs;
    if parts.iter().any(|part| !part.spilled.is_empty()) || spare.try_grow(scratch).is_err() {
        for part in &mut parts {
            part.spill(&spill)?;
        }
    }
    drop(spare);
    Ok(Gathered::new(parts, buckets, spill))
}

impl Gathered {
    fn new(mut parts: Vec<Part>, buckets: usize, spill: SpillManager) -> Self {
        let spilled = parts.iter().any(|part| !part.spilled.is_empty());
        let count = if spilled { SPILL_GROUPS } else { buckets };
        let mut units: Vec<Unit> = (0..count)
            .map(|_| if spilled { Unit::Spilled(Vec::new()) } else { Unit::Held(Vec::new()) })
            .collect();
        for part in &mut parts {
            for (group, file) in part.spilled.drain(..) {
                if let Unit::Spilled(files) = &mut units[group] {
                    files.push(file);
                }
            }
            let held = part.scatter.take().into_iter();
            for (unit, bucket) in units.iter_mut().zip(held) {
                if let Unit::Held(of_unit) = unit {
                    of_unit.push(bucket);
                }
            }
        }
        Self {
            units: units.into_iter().map(|unit| Mutex::new(Some(unit))).collect(),
            next: AtomicUsize::new(0),
            buckets,
            spill,
            reservations: parts.into_iter().map(|part| part.reservation).collect(),
        }
    }

    /// The next unit that nobody has taken.
    pub fn take(&self) -> Option<Unit> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        let unit = self.units.get(at)?;
        unit.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The buckets of a unit, each one's rows in several parts; read from disk if they lie there.
    pub async fn buckets(&self, unit: Unit, held: &MemoryReservation) -> Result<Vec<Vec<Bucket>>> {
        let files = match unit {
            Unit::Held(buckets) => return Ok(vec![buckets]),
            Unit::Spilled(files) => files,
        };
        let mut scatter = Scatter::new(self.buckets);
        for file in files {
            let mut rows = self.spill.read_spill_as_stream_unbuffered(file, None)?;
            while let Some(batch) = rows.next().await {
                for row in restored(&batch?) {
                    scatter.push_row(row);
                }
                held.try_resize(scatter.size())?;
            }
        }
        let buckets = scatter.take().into_iter().filter(|bucket| bucket.rows() > 0);
        Ok(buckets.map(|bucket| vec![bucket]).collect())
    }

    /// Gives back the memory of a bucket of each task.
    pub fn release(&self, buckets: &[Bucket]) {
        for (bucket, reservation) in buckets.iter().zip(&self.reservations) {
            reservation.shrink(bucket.size().min(reservation.size()));
        }
    }
}

/// One task of the first half.
struct Task {
    reader: BareReader,
    part: Part,
    spill: SpillManager,
    figures: Figures,
}

/// What the first half tells of its work.
struct Figures {
    gather_time: Time,
    rows: Count,
    ignored: Count,
}

impl Figures {
    fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let counter = |name| MetricBuilder::new(metrics).counter(name, partition);
        Self {
            gather_time: MetricBuilder::new(metrics).subset_time("gather_time", partition),
            rows: counter("rows_folded"),
            ignored: counter("rows_ignored"),
        }
    }
}

impl Task {
    async fn run(mut self, mut rows: SendableRecordBatchStream) -> Result<Part> {
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            let time = self.figures.gather_time.clone();
            let timer = time.timer();
            self.take_in(&batch)?;
            timer.done();
            let size = self.part.scatter.size() + self.reader.sender.size();
            if size > self.part.reservation.size()
                && self.part.reservation.try_resize(size).is_err()
            {
                self.part.spill(&self.spill)?;
            }
        }
        Ok(self.part)
    }

    fn take_in(&mut self, batch: &RecordBatch) -> Result<()> {
        let read = self.reader.read(batch)?;
        let scattered = self.part.scatter.push(&BareBatch {
            senders: &read.senders,
            peers: &read.peers,
            times_ms: &read.times_ms,
            directions: &read.directions,
            kinds: &read.kinds,
        });
        if scattered.untimely > 0 {
            return exec_err!("a time is thousands of years away: times are milliseconds");
        }
        let ignored = read.incomplete + scattered.undirected;
        self.figures.ignored.add(ignored);
        self.figures.rows.add(batch.num_rows() - ignored);
        Ok(())
    }
}

impl Part {
    /// Writes all rows to disk, a file for each group of buckets.
    fn spill(&mut self, spill: &SpillManager) -> Result<()> {
        let mut buckets = self.scatter.take();
        let per_group = buckets.len() / SPILL_GROUPS;
        // One group after the other, so that no more than one is in memory twice.
        for (group, buckets) in buckets.chunks_mut(per_group).enumerate() {
            let mut batches = Vec::new();
            for bucket in buckets.iter_mut().map(std::mem::take) {
                for rows in bucket.chunks().filter(|rows| !rows.is_empty()) {
                    batches.push(spilled(rows)?);
                }
            }
            let file = spill.spill_record_batch_and_finish(&batches, "FoldExec")?;
            self.spilled.extend(file.map(|file| (group, file)));
        }
        self.reservation.resize(self.scatter.size());
        Ok(())
    }
}

fn spilled_schema() -> SchemaRef {
    let fields = ["sender", "peer", "word"].map(|name| Field::new(name, DataType::UInt64, false));
    Arc::new(Schema::new(fields.to_vec()))
}

fn spilled(rows: &[BareRow]) -> Result<RecordBatch> {
    let column = |pick: fn(&BareRow) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(pick)))
    };
    let columns = vec![column(|row| row.sender), column(|row| row.peer), column(|row| row.word)];
    Ok(RecordBatch::try_new(spilled_schema(), columns)?)
}

fn restored(batch: &RecordBatch) -> impl Iterator<Item = BareRow> {
    let column = |at: usize| batch.column(at).as_primitive::<UInt64Type>().values().iter();
    column(0).zip(column(1)).zip(column(2)).map(|((sender, peer), word)| BareRow {
        sender: *sender,
        peer: *peer,
        word: *word,
    })
}
