//! The fold operator: rows of `events`, scattered by sender, to rows of `conversations`.
//!
//! ```text
//! messages ─┐
//! statuses ─┼─ RepartitionExec hash(sender) ─▶ FoldExec ─▶ conversations
//! account  ─┘        (three inputs for each chunk of days, one chunk after the other)
//! ```
//!
//! A chunk holds all rows that decide its days in memory, reserved from the pool; chunks bound
//! that memory. Rows out of the days' range are dropped as they arrive.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet,
};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;
use turnwise_kernels::fold::Folder;
use turnwise_model::conversation;
use turnwise_model::schema::column;
use turnwise_model::{Day, EventKind, Millis};

/// The kinds of rows that decide conversations, in the order of a chunk's inputs.
pub(crate) const FOLD_KINDS: [EventKind; 3] =
    [EventKind::Message, EventKind::Status, EventKind::Account];

/// Batches that wait between the fold and whoever reads it.
const BATCHES_WAITING: usize = 2;

/// The fold operator.
#[derive(Debug)]
pub struct FoldExec {
    /// The days of each chunk; its inputs are `inputs[3 * chunk..][..3]`.
    chunks: Vec<RangeInclusive<Day>>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    /// Later rows are left out.
    last: Option<Millis>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl FoldExec {
    /// Folds chunks of days, each over its messages, statuses and account rows.
    ///
    /// # Errors
    /// An input without a column `sender`.
    pub fn new(
        chunks: Vec<RangeInclusive<Day>>,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        partitions: usize,
    ) -> Result<Self> {
        let schema = conversation::schema();
        let sender = col(conversation::column::SENDER, &schema)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::Hash(vec![sender], partitions),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        for input in &inputs {
            col(column::SENDER, &input.schema())?;
        }
        Ok(Self {
            chunks,
            inputs,
            last: None,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// Leaves out rows later than this, if there is such a time.
    #[must_use]
    pub fn until(mut self, last: Option<Millis>) -> Self {
        self.last = last;
        self
    }

    fn by_sender(input: &Arc<dyn ExecutionPlan>) -> Distribution {
        let sender: Result<Arc<dyn PhysicalExpr>> = col(column::SENDER, &input.schema());
        sender.map_or(Distribution::SinglePartition, |sender| {
            Distribution::KeyPartitioned(vec![sender])
        })
    }
}

impl DisplayAs for FoldExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FoldExec: days=[")?;
        for (at, days) in self.chunks.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}..={}", days.start().iso(), days.end().iso())?;
        }
        write!(f, "]")
    }
}

impl ExecutionPlan for FoldExec {
    fn name(&self) -> &'static str {
        "FoldExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(self.inputs.iter().map(Self::by_sender).collect())
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partitions = children
            .iter()
            .map(|child| child.properties().output_partitioning().partition_count())
            .max()
            .unwrap_or(1);
        Ok(Arc::new(Self::new(self.chunks.clone(), children, partitions)?.until(self.last)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(
            datafusion::physical_plan::ChildrenPropertiesMode::Recompute,
        );
        self.replace_children(children, options)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut builder =
            RecordBatchReceiverStreamBuilder::new(conversation::schema(), BATCHES_WAITING);
        let sender = builder.tx();
        let chunks = self.chunks.clone();
        let inputs = self.inputs.clone();
        let last = self.last;
        let consumer = MemoryConsumer::new(format!("fold[{partition}]"));
        let reservation = consumer.register(context.memory_pool());
        let rows_in = MetricBuilder::new(&self.metrics).counter("rows_folded", partition);
        let baseline = BaselineMetrics::new(&self.metrics, partition);
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
        Ok(builder.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn schema(&self) -> SchemaRef {
        conversation::schema()
    }
}

fn take_in(folder: &mut Folder, kind: EventKind, batch: &RecordBatch, rows_in: &Count) {
    rows_in.add(batch.num_rows());
    folder.push(kind, batch);
}
