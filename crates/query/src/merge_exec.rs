//! Files whose rows are each in one order, as one stream in that order.
//!
//! ```text
//! file ─ scan, small batches ─┐
//! file ─ scan, small batches ─┼─ MergeExec ─▶ one partition, scattered by whoever reads it
//! file ─ scan, small batches ─┘
//! ```
//!
//! The merge is the query engine's, but within an operator of ours: its planner takes merges out
//! that stand below a repartition, and sorts. A file that is scattered alone has a batch of each
//! partition waiting; merged ones have that together, so that many can be read side by side.
//!
//! What open files hold is reserved from the pool for as long as they are read: the compressed
//! bytes of a row group, and about as much again in pages and dictionaries. Of 256 Ki messages of
//! 40 bytes that is 20 MiB, of statuses of 25 bytes 13 MiB, of a smaller file twice its size. The
//! batches that the merge picks rows from it reserves itself.

use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::Schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_datafusion_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, OrderingRequirements, Partitioning, PhysicalExpr,
    PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::{Boundedness, CardinalityEffect, EmissionType};
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions, apply_expression_roots,
};
use futures::{StreamExt, stream};
use turnwise_lake::FileInfo;

use crate::plans::with_children;

/// Rows of a batch of a file that is merged with others.
pub(crate) const MERGED_BATCH_ROWS: usize = 1_024;
/// Rows of a row group of a sorted file, as the lake writes it.
const ROW_GROUP_ROWS: u64 = 256 << 10;

/// Bytes that a sorted file holds while it is read, about.
pub(crate) fn open_bytes(file: &FileInfo) -> u64 {
    let rows = file.num_records.unwrap_or_default().max(1);
    2 * file.size.saturating_mul(rows.min(ROW_GROUP_ROWS)) / rows
}

/// The ascending order of a column, absent values first.
pub(crate) fn ascending(column: &str, schema: &Schema) -> Result<LexOrdering> {
    let options = SortOptions { descending: false, nulls_first: true };
    LexOrdering::new([PhysicalSortExpr::new(col(column, schema)?, options)])
        .ok_or_else(|| internal_datafusion_err!("the order of a column is none"))
}

/// The operator.
#[derive(Debug)]
pub(crate) struct MergeExec {
    /// Each partition a file.
    input: Arc<dyn ExecutionPlan>,
    order: LexOrdering,
    /// What its files hold.
    bytes: usize,
    properties: Arc<PlanProperties>,
}

impl MergeExec {
    /// Merges partitions that are each in the ascending order of a column, absent values first, and
    /// hold so many bytes together.
    ///
    /// # Errors
    /// An input that has no such column.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, column: &str, bytes: usize) -> Result<Self> {
        let order = ascending(column, &input.schema())?;
        Ok(Self::of(input, order, bytes))
    }

    fn of(input: Arc<dyn ExecutionPlan>, order: LexOrdering, bytes: usize) -> Self {
        let mut known = EquivalenceProperties::new(input.schema());
        known.add_ordering(order.clone());
        let properties = PlanProperties::new(
            known,
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { input, order, bytes, properties: Arc::new(properties) }
    }
}

impl DisplayAs for MergeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.input.output_partitioning().partition_count();
        write!(f, "MergeExec: [{}], files={files}", self.order)
    }
}

impl ExecutionPlan for MergeExec {
    fn name(&self) -> &'static str {
        "MergeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![Some(OrderingRequirements::from(self.order.clone()))]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::of(children.swap_remove(0), self.order.clone(), self.bytes)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        with_children(self, children)
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.order.iter().map(|by| &by.expr), visit)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let held = MemoryConsumer::new("MergeExec[files]").register(context.memory_pool());
        held.try_grow(self.bytes)?;
        let merge = SortPreservingMergeExec::new(self.order.clone(), Arc::clone(&self.input));
        let rows = merge.execute(partition, context)?;
        // The reservation goes with the stream.
        let rows = stream::unfold((rows, held), |(mut rows, held)| async move {
            rows.next().await.map(|batch| (batch, (rows, held)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn child_stats_requests(&self, _: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(None)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let unknown = || Arc::new(Statistics::new_unknown(&self.schema()));
        Ok(inputs.first().cloned().unwrap_or_else(unknown))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    fn rows(names: &[Option<&str>]) -> Vec<RecordBatch> {
        let names: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
        vec![RecordBatch::try_from_iter_with_nullable([("sender", names, true)]).expect("rows")]
    }

    #[tokio::test]
    async fn files_are_merged_and_hold_what_they_said_until_they_are_read() {
        let partitions =
            [rows(&[None, Some("b"), Some("d")]), rows(&[Some("a"), Some("b"), Some("c")])];
        let schema = partitions[0][0].schema();
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 20));
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::clone(&pool)).build_arc();
        let runtime = runtime.expect("runtime");
        let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime).task_ctx();
        let merge = |bytes| {
            let rows = MemorySourceConfig::try_new_exec(&partitions, Arc::clone(&schema), None);
            MergeExec::new(rows.expect("a source"), "sender", bytes).expect("a column")
        };
        let mut found: Vec<Option<String>> = Vec::new();
        let mut merged = merge(1_000).execute(0, Arc::clone(&context)).expect("room");
        while let Some(batch) = merged.next().await {
            assert!(pool.reserved() >= 1_000);
            let batch = batch.expect("rows");
            found.extend(
                batch.column(0).as_string::<i32>().iter().map(|name| name.map(str::to_owned)),
            );
        }
        drop(merged);
        assert_eq!(pool.reserved(), 0);
        let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, [None, Some("a"), Some("b"), Some("b"), Some("c"), Some("d")]);
        assert!(merge(2 << 20).execute(0, context).is_err());
        assert!(merge(0).execute(0, SessionContext::new().task_ctx()).is_ok());
    }

    #[test]
    fn open_file_holds_a_row_group_twice() {
        let file = |rows, size| FileInfo {
            path: "1f.sorted-by-sender.parquet".to_owned(),
            url: "file:///lake/events/1f.sorted-by-sender.parquet".parse().expect("url"),
            size,
            partition_values: std::collections::BTreeMap::new(),
            num_records: rows,
            stats_json: None,
            modification_time: 0,
        };
        assert_eq!(open_bytes(&file(Some(1_000), 40_000)), 80_000);
        assert_eq!(open_bytes(&file(Some(8 * ROW_GROUP_ROWS), 80 << 20)), 20 << 20);
        assert_eq!(open_bytes(&file(None, 1 << 30)), 2 << 30);
    }
}
