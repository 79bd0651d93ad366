//! The fold of rows of `events`, one partition of senders at a time.
//!
//! Inputs that come by sender are read side by side and folded sender by sender: one sender's rows
//! are held. Before, the rows of all other inputs that decide the go's days and are of its share
//! of the senders are held together; days and shares bound that memory. Rows of other shares are
//! dropped as they are read, rows out of the days' range as they arrive.
//!
//! What a sender's fold takes beside its rows is reserved from the pool before. Reserved once they
//! are there are the rows that a batch adds, the lists of one conversation, and conversations that
//! wait for a batch to fill. Not reserved are the batch of each input that is looked at and the
//! batches that were given out: two, and those of a small sender.

use std::convert::Infallible;
use std::fmt;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Result, exec_err};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder,
};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use futures::StreamExt;
use tokio::sync::mpsc::Sender;
use turnwise_kernels::fold::{Collector, Folder, Input};
use turnwise_model::{Day, EventKind, Millis};

use super::by_sender::BySender;
use super::share::Share;

/// The kinds of rows that decide conversations, in the order of a go's inputs.
pub(crate) const FOLD_KINDS: [EventKind; 3] =
    [EventKind::Message, EventKind::Status, EventKind::Account];

/// Batches that wait between the fold and whoever reads it.
const BATCHES_WAITING: usize = 2;
/// A sender of more rows is folded on a thread that may be kept busy.
const ROWS_AT_ONCE: usize = 1 << 14;

/// What is folded at a time: some days, and of their senders one of so many shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Go {
    pub days: RangeInclusive<Day>,
    pub share: Share,
    /// What its inputs are.
    pub inputs: Vec<Rows>,
}

/// What an input of a go gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Rows of this kind.
    pub kind: EventKind,
    /// Whether each partition is in the order of its senders.
    pub by_sender: bool,
}

impl fmt::Display for Go {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.days.start().iso(), self.days.end().iso())?;
        if self.share.of > 1 {
            let by = if self.share.conditions().is_empty() { "" } else { " by name" };
            write!(f, " share {}/{}{by}", self.share.number + 1, self.share.of)?;
        }
        if let Some(only) = &self.share.only {
            write!(f, " of {} senders", only.len())?;
        }
        let by_sender = self.inputs.iter().filter(|rows| rows.by_sender).count();
        if by_sender > 0 { write!(f, " ({by_sender} inputs by sender)") } else { Ok(()) }
    }
}

/// What one partition folds.
pub(super) struct Events {
    pub goes: Vec<Go>,
    /// Of all goes, one after the other.
    pub inputs: Vec<Arc<dyn ExecutionPlan>>,
    pub last: Option<Millis>,
    /// What is told of conversations.
    pub columns: Vec<usize>,
}

impl Events {
    pub fn stream(
        self,
        partition: usize,
        schema: SchemaRef,
        context: Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(schema, BATCHES_WAITING);
        let consumer = MemoryConsumer::new(format!("fold[{partition}]"));
        let mut work = Work {
            out: builder.tx(),
            reservation: consumer.register(context.memory_pool()),
            rows_in: MetricBuilder::new(metrics).counter("rows_folded", partition),
            baseline: BaselineMetrics::new(metrics, partition),
        };
        builder.spawn(async move {
            let mut inputs = self.inputs.into_iter();
            for go in self.goes {
                let rows = go.inputs.iter().zip(inputs.by_ref());
                let streams = rows.map(|(rows, input)| {
                    Ok((*rows, input.execute(partition, Arc::clone(&context))?))
                });
                let mut collector = Collector::new(go.days.clone()).columns(&self.columns);
                if let Some(last) = self.last {
                    collector = collector.until(last);
                }
                let streams = streams.collect::<Result<_>>()?;
                if work.fold(collector, go.share, streams).await?.is_break() {
                    break;
                }
                work.reservation.free();
            }
            Ok(())
        });
        builder.build()
    }
}

/// Where one partition's conversations go and what they cost.
struct Work {
    out: Sender<Result<RecordBatch>>,
    reservation: MemoryReservation,
    rows_in: Count,
    baseline: BaselineMetrics,
}

impl Work {
    /// Collects what comes in any order, then folds sender by sender.
    async fn fold(
        &mut self,
        mut collector: Collector,
        share: Share,
        streams: Vec<(Rows, SendableRecordBatchStream)>,
    ) -> Result<ControlFlow<()>> {
        let mut by_sender = Vec::new();
        for (rows, mut stream) in streams {
            if rows.by_sender {
                by_sender.push(BySender::new(rows.kind, share.clone(), stream));
                continue;
            }
            while let Some(batch) = stream.next().await {
                let timer = self.baseline.elapsed_compute().timer();
                if let Some(input) = Input::new(rows.kind, &batch?) {
                    self.rows_in.add(input.len());
                    collector.collect(&input);
                }
                timer.done();
                self.reservation.try_resize(collector.size())?;
            }
        }
        self.reservation.try_resize(collector.size_by_sender())?;
        let mut folder = Some(in_background(|| Box::new(collector.into_folder())).await?);
        let mut before: Option<String> = None;
        while let Some(mut now) = folder.take() {
            let Some(sender) = self.push_next(&mut now, &mut by_sender).await? else {
                let mut last = None;
                let Ok(()) = now.finish(&mut |batch| -> Result<(), Infallible> {
                    last = Some(batch);
                    Ok(())
                });
                return self.send(last).await;
            };
            if before.as_ref().is_some_and(|before| *before >= sender) {
                return exec_err!("rows that are said to be sorted by sender are not");
            }
            self.reservation.try_resize(now.size_to_fold(&sender))?;
            folder = self.fold_sender(now, sender.clone()).await?;
            before = Some(sender);
            tokio::task::consume_budget().await;
        }
        // Nobody reads any more: the query was cancelled.
        Ok(ControlFlow::Break(()))
    }

    /// Pushes all rows of the next sender that come by sender, and names it.
    async fn push_next(
        &mut self,
        folder: &mut Folder,
        inputs: &mut [BySender],
    ) -> Result<Option<String>> {
        for input in inputs.iter_mut() {
            input.next_sender().await?;
        }
        let heads = inputs.iter().filter_map(BySender::sender);
        let Some(sender) = heads.chain(folder.next_collected()).min().map(str::to_owned) else {
            return Ok(None);
        };
        for input in inputs {
            while input.sender() == Some(sender.as_str()) {
                let timer = self.baseline.elapsed_compute().timer();
                self.rows_in.add(input.push(folder));
                timer.done();
                self.reservation.try_resize(folder.size())?;
                input.next_sender().await?;
            }
        }
        Ok(Some(sender))
    }

    /// Folds a sender, and sends what gets full. `None` where nobody reads any more.
    async fn fold_sender(
        &self,
        mut folder: Box<Folder>,
        sender: String,
    ) -> Result<Option<Box<Folder>>> {
        if folder.rows_of(&sender) <= ROWS_AT_ONCE {
            let timer = self.baseline.elapsed_compute().timer();
            let mut full = Vec::new();
            let Ok(()) = folder.fold(&sender, &mut |batch| -> Result<(), Infallible> {
                full.push(batch);
                Ok(())
            });
            timer.done();
            return Ok(self.send(full).await?.is_continue().then_some(folder));
        }
        let (out, baseline) = (self.out.clone(), self.baseline.clone());
        let fold = move || {
            let timer = baseline.elapsed_compute().timer();
            let folded = folder.fold(&sender, &mut |batch: RecordBatch| {
                baseline.record_output(batch.num_rows());
                out.blocking_send(Ok(batch)).map_err(drop)
            });
            timer.done();
            folded.is_ok().then_some(folder)
        };
        in_background(fold).await
    }

    async fn send(
        &self,
        batches: impl IntoIterator<Item = RecordBatch>,
    ) -> Result<ControlFlow<()>> {
        for batch in batches {
            self.baseline.record_output(batch.num_rows());
            if self.out.send(Ok(batch)).await.is_err() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Runs what takes long on a thread that may be kept busy.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = SpawnedTask::spawn_blocking(work).await;
    done.map_err(|source| DataFusionError::ExecutionJoin(Box::new(source)))
}
