//! The fold of rows of `events`, one partition of senders at a time.
//!
//! A chunk holds all rows that decide its days in memory, reserved from the pool; chunks bound
//! that memory. Rows out of the days' range are dropped as they arrive.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder,
};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use futures::StreamExt;
use turnwise_kernels::fold::Folder;
use turnwise_model::conversation;
use turnwise_model::{Day, EventKind, Millis};

/// The kinds of rows that decide conversations, in the order of a chunk's inputs.
pub(crate) const FOLD_KINDS: [EventKind; 3] =
    [EventKind::Message, EventKind::Status, EventKind::Account];

/// Batches that wait between the fold and whoever reads it.
const BATCHES_WAITING: usize = 2;

/// What one partition folds.
pub(super) struct Events {
    pub chunks: Vec<RangeInclusive<Day>>,
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
        let Self { chunks, inputs, last } = self;
        let consumer = MemoryConsumer::new(format!("fold[{partition}]"));
        let reservation = consumer.register(context.memory_pool());
        let rows_in = MetricBuilder::new(metrics).counter("rows_folded", partition);
        let baseline = BaselineMetrics::new(metrics, partition);
        builder.spawn(async move {
            for (chunk, days) in chunks.into_iter().enumerate() {
                let mut folder = Folder::new(days);
                if let Some(last) = last {
                    folder = folder.until(last);
                }
                for (kind, input) in FOLD_KINDS.into_iter().zip(&inputs[3 * chunk..]) {
                    let mut rows = input.execute(partition, Arc::clone(&context))?;
                    while let Some(batch) = rows.next().await {
                        let timer = baseline.elapsed_compute().timer();
                        take_in(&mut folder, kind, &batch?, &rows_in);
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

fn take_in(folder: &mut Folder, kind: EventKind, batch: &RecordBatch, rows_in: &Count) {
    rows_in.add(batch.num_rows());
    folder.push(kind, batch);
}
