//! The fold of bare messages: the second half, which output partitions do between them.
//!
//! The first stream that is polled starts the first half ([`super::gather`]); all wait for it,
//! then take units of rows until there are none, so that none is idle while another has work. The
//! state of a run is shared by the streams alone once each partition has its own: when the last is
//! dropped, tasks end and memory and files are given back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{SchemaRef, UInt64Type};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, RecordOutput,
};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, TryFutureExt, stream};
use turnwise_kernels::fold::bare::{BareColumns, BareFolder, Bucket};
use turnwise_model::conversation::column;

use super::gather::{Gathered, gather};
use crate::bare::BareReader;

type Gathering = Shared<BoxFuture<'static, Result<Arc<Gathered>, Arc<DataFusionError>>>>;

/// The fold of bare messages.
#[derive(Debug)]
pub(super) struct Bare {
    reader: BareReader,
    run: Mutex<Option<Run>>,
}

/// A run of which some partition has not got its stream yet.
struct Run {
    gathering: Gathering,
    taken: Vec<bool>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Bare {
    pub fn new(reader: BareReader) -> Self {
        Self { reader, run: Mutex::new(None) }
    }

    pub fn reader(&self) -> &BareReader {
        &self.reader
    }

    /// The stream of one of the output partitions.
    pub fn stream(
        &self,
        (partition, partitions): (usize, usize),
        input: &Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        context: &Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<SendableRecordBatchStream> {
        let gathering = self.join((partition, partitions), input, context, metrics)?;
        let consumer = MemoryConsumer::new(format!("FoldExec[{partition}]"));
        let output = Output {
            reader: self.reader.clone(),
            schema: Arc::clone(&schema),
            folder: BareFolder::default(),
            ready: VecDeque::new(),
            waiting: VecDeque::new(),
            reservation: consumer.register(context.memory_pool()),
            rows: MemoryConsumer::new(format!("FoldExec[{partition}] from disk"))
                .register(context.memory_pool()),
            repeats: MetricBuilder::new(metrics).counter("repeats_dropped", partition),
            baseline: BaselineMetrics::new(metrics, partition),
        };
        let folding = async move {
            let gathered = gathering.await.map_err(DataFusionError::Shared)?;
            Ok(stream::try_unfold((gathered, output), |(gathered, mut output)| async move {
                let next = output.next(&gathered).await?;
                Ok(next.map(|batch| (batch, (gathered, output))))
            }))
        };
        let batches = folding.boxed().try_flatten_stream();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    /// The run that this partition belongs to: the one begun by another partition, or a new one.
    fn join(
        &self,
        (partition, partitions): (usize, usize),
        input: &Arc<dyn ExecutionPlan>,
        context: &Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Gathering> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        if run.as_ref().is_none_or(|run| run.taken[partition]) {
            let statistics = StatisticsContext::new();
            let rows = statistics.compute(input.as_ref(), &StatisticsArgs::new());
            let rows = rows.ok().and_then(|found| found.num_rows.get_value().copied());
            let gathered = gather(
                Arc::clone(input),
                self.reader.clone(),
                partitions,
                Arc::clone(context),
                metrics.clone(),
                rows,
            );
            let gathering = gathered.map(|gathered| gathered.map(Arc::new).map_err(Arc::new));
            let gathering = gathering.boxed().shared();
            *run = Some(Run { gathering, taken: vec![false; partitions] });
        }
        let Some(begun) = run.as_mut() else { unreachable!("begun above") };
        begun.taken[partition] = true;
        let gathering = begun.gathering.clone();
        if begun.taken.iter().all(|taken| *taken) {
            *run = None;
        }
        Ok(gathering)
    }
}

/// What one output partition works with.
struct Output {
    reader: BareReader,
    schema: SchemaRef,
    folder: BareFolder,
    ready: VecDeque<RecordBatch>,
    /// Buckets of a unit that are not folded yet.
    waiting: VecDeque<Vec<Bucket>>,
    /// Of working memory and batches.
    reservation: MemoryReservation,
    /// Of rows that were read back from disk.
    rows: MemoryReservation,
    repeats: Count,
    baseline: BaselineMetrics,
}

impl Output {
    async fn next(&mut self, gathered: &Gathered) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch.record_output(&self.baseline)));
            }
            if let Some(buckets) = self.waiting.pop_front() {
                self.fold(&buckets)?;
                gathered.release(&buckets);
                continue;
            }
            let Some(unit) = gathered.take() else {
                self.baseline.done();
                return Ok(None);
            };
            self.waiting = gathered.buckets(unit, &self.rows).await?.into();
        }
    }

    fn fold(&mut self, buckets: &[Bucket]) -> Result<()> {
        let timer = self.baseline.elapsed_compute().timer();
        let Self { reader, schema, folder, ready, .. } = self;
        let chunks = buckets.iter().flat_map(Bucket::chunks);
        let repeats = folder.fold(chunks, &mut |columns: &BareColumns| {
            ready.push_back(batch(columns, schema, reader)?);
            Ok::<_, DataFusionError>(())
        })?;
        self.repeats.add(repeats);
        let batches: usize = self.ready.iter().map(RecordBatch::get_array_memory_size).sum();
        timer.done();
        self.reservation.try_resize(self.folder.size() + batches)
    }
}

fn batch(columns: &BareColumns, schema: &SchemaRef, reader: &BareReader) -> Result<RecordBatch> {
    let column = |name: &str| -> Result<ArrayRef> {
        let Some(values) = columns.column(name) else {
            return datafusion::common::internal_err!("bare messages do not tell {name}");
        };
        let words = || values.as_primitive::<UInt64Type>();
        match name {
            column::SENDER => reader.sender.values(words()),
            column::PEER => reader.peer.values(words()),
            _ => Ok(values),
        }
    };
    let arrays = schema.fields().iter().map(|field| column(field.name()));
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(columns.len()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}
