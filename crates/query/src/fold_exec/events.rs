//! The fold of rows of `events`, one partition of senders at a time.
//!
//! Inputs that come by sender are read side by side and folded sender by sender: one sender's rows
//! are held. Before, the rows of all other inputs that decide the go's days and are of its share
//! of the senders are held together; days and shares bound that memory, all of which is reserved
//! from the pool. Rows of other shares are dropped as they are read, rows out of the days' range as
//! they arrive.

use std::fmt;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use datafusion::common::hash_utils::create_hashes;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder,
};
use datafusion::physical_plan::repartition::REPARTITION_RANDOM_STATE;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use futures::StreamExt;
use tokio::sync::mpsc::Sender;
use turnwise_kernels::fold::{Collector, Folder, Input};
use turnwise_model::conversation;
use turnwise_model::{Day, EventKind, Millis};

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
    pub share: u32,
    pub of: u32,
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
        if self.of > 1 {
            write!(f, " share {}/{}", self.share + 1, self.of)?;
        }
        let by_sender = self.inputs.iter().filter(|rows| rows.by_sender).count();
        if by_sender > 0 { write!(f, " ({by_sender} inputs by sender)") } else { Ok(()) }
    }
}

/// `in_share(sender, share, of)`: whether a sender's rows are of that share.
pub(crate) fn in_share() -> ScalarUDF {
    let types = vec![DataType::Utf8, DataType::UInt32, DataType::UInt32];
    create_udf("in_share", types, DataType::Boolean, Volatility::Immutable, Arc::new(is_in_share))
}

fn is_in_share(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let [senders, ColumnarValue::Scalar(share), ColumnarValue::Scalar(of)] = arguments else {
        return internal_err!("a share and their number are constants");
    };
    let (ScalarValue::UInt32(Some(share)), ScalarValue::UInt32(Some(of))) = (share, of) else {
        return internal_err!("a share and their number are numbers");
    };
    let senders = ColumnarValue::values_to_arrays(std::slice::from_ref(senders))?;
    let mut hashes = vec![0; senders[0].len()];
    create_hashes([&senders[0]], REPARTITION_RANDOM_STATE.random_state(), &mut hashes)?;
    // The remainder of the whole hash decides the partition.
    let is_in = |hash: &u64| (hash >> 32) % u64::from(*of).max(1) == u64::from(*share);
    let found = BooleanBuffer::collect_bool(hashes.len(), |row| is_in(&hashes[row]));
    Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(found, None))))
}

/// What one partition folds.
pub(super) struct Events {
    pub goes: Vec<Go>,
    /// Of all goes, one after the other.
    pub inputs: Vec<Arc<dyn ExecutionPlan>>,
    pub last: Option<Millis>,
}

impl Events {
    pub fn stream(
        self,
        partition: usize,
        context: Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> SendableRecordBatchStream {
        let mut builder =
            RecordBatchReceiverStreamBuilder::new(conversation::schema(), BATCHES_WAITING);
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
                let mut collector = Collector::new(go.days.clone());
                if let Some(last) = self.last {
                    collector = collector.until(last);
                }
                if work.fold(collector, streams.collect::<Result<_>>()?).await?.is_break() {
                    // Nobody reads any more: the query was cancelled.
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
        streams: Vec<(Rows, SendableRecordBatchStream)>,
    ) -> Result<ControlFlow<()>> {
        let mut by_sender = Vec::new();
        for (rows, mut stream) in streams {
            if rows.by_sender {
                by_sender.push(BySender { kind: rows.kind, stream, input: None, row: 0 });
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
        let mut folder = Some(Box::new(collector.into_folder()));
        let mut before: Option<String> = None;
        while let Some(mut now) = folder.take() {
            let Some(sender) = self.push_next(&mut now, &mut by_sender).await? else {
                let mut last = Vec::new();
                now.finish(&mut emit_to(&mut last))?;
                return self.send(last).await;
            };
            if before.as_ref().is_some_and(|before| *before >= sender) {
                return exec_err!("rows that are said to be sorted by sender are not");
            }
            self.reservation.try_resize(now.size())?;
            let (now, batches) = self.fold_sender(now, sender.clone()).await?;
            if self.send(batches).await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            (folder, before) = (Some(now), Some(sender));
            tokio::task::consume_budget().await;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Pushes all rows of the next sender that come by sender, and names it.
    async fn push_next(
        &self,
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
                input.next_sender().await?;
            }
        }
        Ok(Some(sender))
    }

    async fn fold_sender(
        &self,
        mut folder: Box<Folder>,
        sender: String,
    ) -> Result<(Box<Folder>, Vec<RecordBatch>)> {
        let compute = self.baseline.elapsed_compute().clone();
        let is_long = folder.rows_of(&sender) > ROWS_AT_ONCE;
        let fold = move || {
            let timer = compute.timer();
            let mut batches = Vec::new();
            folder.fold(&sender, &mut emit_to(&mut batches))?;
            timer.done();
            Ok((folder, batches))
        };
        if !is_long {
            return fold();
        }
        let folded = SpawnedTask::spawn_blocking(fold).await;
        folded.map_err(|source| DataFusionError::ExecutionJoin(Box::new(source)))?
    }

    async fn send(&self, batches: Vec<RecordBatch>) -> Result<ControlFlow<()>> {
        for batch in batches {
            self.baseline.record_output(batch.num_rows());
            if self.out.send(Ok(batch)).await.is_err() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn emit_to(batches: &mut Vec<RecordBatch>) -> impl FnMut(RecordBatch) -> Result<()> {
    |batch| {
        batches.push(batch);
        Ok(())
    }
}

/// An input whose rows come in the order of their senders.
struct BySender {
    kind: EventKind,
    stream: SendableRecordBatchStream,
    input: Option<Input>,
    row: usize,
}

impl BySender {
    /// Goes to the next row that has a sender, if it is not at one.
    async fn next_sender(&mut self) -> Result<()> {
        loop {
            if let Some(input) = &self.input {
                while self.row < input.len() && input.sender(self.row).is_none() {
                    self.row += 1;
                }
                if self.row < input.len() {
                    return Ok(());
                }
            }
            self.row = 0;
            match self.stream.next().await {
                Some(batch) => self.input = Input::new(self.kind, &batch?),
                None => {
                    self.input = None;
                    return Ok(());
                }
            }
        }
    }

    /// The sender of the row it is at; `None` at the end.
    fn sender(&self) -> Option<&str> {
        self.input.as_ref()?.sender(self.row)
    }

    /// Pushes the rows of that sender, as far as they are here. Returns how many.
    fn push(&mut self, folder: &mut Folder) -> usize {
        let Some(input) = &self.input else { return 0 };
        let end = input.run_end(self.row);
        folder.push(input, self.row..end);
        end - std::mem::replace(&mut self.row, end)
    }
}
