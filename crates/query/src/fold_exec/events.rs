//! The fold of rows of `events`, one partition of senders at a time.
//!
//! A go holds all rows that decide its days and are of its share of the senders in memory,
//! reserved from the pool; days and shares bound that memory. Rows of other shares are dropped as they
//! are read, rows out of the days' range as they arrive.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use datafusion::common::hash_utils::create_hashes;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::repartition::REPARTITION_RANDOM_STATE;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use futures::StreamExt;
use turnwise_kernels::fold::Folder;
use turnwise_model::conversation;
use turnwise_model::{Day, EventKind, Millis};

/// The kinds of rows that decide conversations, in the order of a go's inputs.
pub(crate) const FOLD_KINDS: [EventKind; 3] =
    [EventKind::Message, EventKind::Status, EventKind::Account];

/// Batches that wait between the fold and whoever reads it.
const BATCHES_WAITING: usize = 2;

/// What is folded at a time: some days, and of their senders one of so many shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Go {
    pub days: RangeInclusive<Day>,
    pub share: u32,
    pub of: u32,
}

impl fmt::Display for Go {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.days.start().iso(), self.days.end().iso())?;
        if self.of > 1 { write!(f, " share {}/{}", self.share + 1, self.of) } else { Ok(()) }
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
        let sender = builder.tx();
        let Self { goes, inputs, last } = self;
        let consumer = MemoryConsumer::new(format!("fold[{partition}]"));
        let reservation = consumer.register(context.memory_pool());
        let rows_in = MetricBuilder::new(metrics).counter("rows_folded", partition);
        let baseline = BaselineMetrics::new(metrics, partition);
        builder.spawn(async move {
            for (nth, go) in goes.into_iter().enumerate() {
                let mut folder = Folder::new(go.days.clone());
                if let Some(last) = last {
                    folder = folder.until(last);
                }
                for (kind, input) in FOLD_KINDS.into_iter().zip(&inputs[3 * nth..]) {
                    let mut rows = input.execute(partition, Arc::clone(&context))?;
                    while let Some(batch) = rows.next().await {
                        let timer = baseline.elapsed_compute().timer();
                        let batch = batch?;
                        rows_in.add(batch.num_rows());
                        folder.push(kind, &batch);
                        timer.done();
                        reservation.try_resize(folder.size())?;
                    }
                }
                let sender = sender.clone();
                let baseline = baseline.clone();
                SpawnedTask::spawn_blocking(move || {
                    let timer = baseline.elapsed_compute().timer();
                    let folded = folder.fold(&mut |batch: RecordBatch| {
                        baseline.record_output(batch.num_rows());
                        sender.blocking_send(Ok(batch)).map_err(|_| ())
                    });
                    timer.done();
                    folded
                })
                .await
                .map_err(|source| DataFusionError::ExecutionJoin(Box::new(source)))?
                // Nobody reads any more: the query was cancelled.
                .unwrap_or_default();
                reservation.free();
            }
            Ok(())
        });
        builder.build()
    }
}
