//! The fold operator: messages to rows of `conversations`.
//!
//! ```text
//! events:  messages ─┐
//!          statuses ─┼─ RepartitionExec hash(sender) ─▶ FoldExec ─▶ conversations
//!          account  ─┘        (inputs for each go, one go after the other; files that are sorted
//!                              by sender are merged, up to 64 inputs of a file or of some)
//!
//! bare:    messages ─ any partitions ─▶ FoldExec (reads, scatters and folds by turns)
//! ```
//!
//! What is held is reserved from the pool. A fold of `events` holds one sender's rows of sorted
//! files and all rows of others, goes over its files as often as these need to stay below a bound,
//! each time for some days or for a share of the senders, and fails where the pool still refuses;
//! bare rows go to disk by hash of what must meet, and come back part by part. Dropping the streams
//! stops the work.

mod bare;
mod by_sender;
mod events;
mod share;

use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, OrderingRequirements, Partitioning, PhysicalExpr,
    PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::{Boundedness, CardinalityEffect, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, ExecutionPlanProperties,
    InputDistributionRequirements, PlanProperties, ReplaceChildrenOptions,
};
use turnwise_model::Millis;
use turnwise_model::conversation;
use turnwise_model::schema::column;

use crate::bare::BareReader;
use crate::plans::with_children;
pub(crate) use events::{FOLD_KINDS, Go, Rows};
pub use share::Senders;
pub(crate) use share::{Between, Share, is_named, named};

/// The fold operator.
#[derive(Debug)]
pub struct FoldExec {
    form: Form,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// What the inputs are.
#[derive(Debug)]
enum Form {
    /// Rows of `events`; the inputs of all goes one after the other. Rows later than `last` are
    /// left out. Of `conversations` these columns are told.
    Events { goes: Vec<Go>, last: Option<Millis>, columns: Vec<usize> },
    /// One input of bare messages: sender, peer, time, direction, kind.
    Bare(bare::Bare),
}

impl FoldExec {
    /// Folds in goes, each over its inputs, into some columns of `conversations`. The conversations
    /// of one go come by sender.
    ///
    /// # Errors
    /// An input without a column `sender`; a column that `conversations` does not have.
    pub(crate) fn new(
        goes: Vec<Go>,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        columns: &[usize],
    ) -> Result<Self> {
        let schema = Arc::new(conversation::schema().project(columns)?);
        for input in &inputs {
            col(column::SENDER, &input.schema())?;
        }
        let mut order = EquivalenceProperties::new(Arc::clone(&schema));
        let sender = col(conversation::column::SENDER, &schema);
        if let (1, Ok(sender)) = (goes.len(), sender) {
            order.add_ordering([by_sender(sender)]);
        }
        // As many as come in: where the rows are few nobody scatters them.
        let partitions = inputs.iter().map(|input| input.output_partitioning().partition_count());
        let partitioning = by_hash_of_sender(&schema, partitions.max().unwrap_or(1));
        let form = Form::Events { goes, last: None, columns: columns.to_vec() };
        Ok(Self::of(form, inputs, order, partitioning))
    }

    /// Folds bare messages into some columns of `conversations`.
    pub(crate) fn bare(
        messages: Arc<dyn ExecutionPlan>,
        reader: BareReader,
        schema: SchemaRef,
        partitions: usize,
    ) -> Self {
        let form = Form::Bare(bare::Bare::new(reader));
        let partitioning = by_hash_of_sender(&schema, partitions);
        Self::of(form, vec![messages], EquivalenceProperties::new(schema), partitioning)
    }

    fn of(
        form: Form,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        order: EquivalenceProperties,
        partitioning: Partitioning,
    ) -> Self {
        let properties =
            PlanProperties::new(order, partitioning, EmissionType::Final, Boundedness::Bounded);
        let metrics = ExecutionPlanMetricsSet::new();
        Self { form, inputs, properties: Arc::new(properties), metrics }
    }

    /// Leaves out rows of `events` later than this, if there is such a time.
    #[must_use]
    pub fn until(mut self, until: Option<Millis>) -> Self {
        if let Form::Events { last, .. } = &mut self.form {
            *last = until;
        }
        self
    }

    /// What each input of `events` is; none of bare messages.
    fn rows(&self) -> Vec<Rows> {
        match &self.form {
            Form::Events { goes, .. } => goes.iter().flat_map(|go| &go.inputs).copied().collect(),
            Form::Bare(_) => Vec::new(),
        }
    }

    fn scattered_by_sender(input: &Arc<dyn ExecutionPlan>) -> Distribution {
        let sender: Result<Arc<dyn PhysicalExpr>> = col(column::SENDER, &input.schema());
        sender.map_or(Distribution::SinglePartition, |sender| {
            Distribution::KeyPartitioned(vec![sender])
        })
    }
}

/// Without the sender among the columns nobody can ask for it.
fn by_hash_of_sender(schema: &SchemaRef, partitions: usize) -> Partitioning {
    match col(conversation::column::SENDER, schema) {
        Ok(sender) => Partitioning::Hash(vec![sender], partitions),
        Err(_) => Partitioning::UnknownPartitioning(partitions),
    }
}

/// Ascending, absent values first.
fn by_sender(sender: Arc<dyn PhysicalExpr>) -> PhysicalSortExpr {
    PhysicalSortExpr::new(sender, SortOptions { descending: false, nulls_first: true })
}

impl DisplayAs for FoldExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|c| c.name().as_str()).collect();
        let columns = columns.join(", ");
        match &self.form {
            Form::Events { goes, .. } => {
                let goes: Vec<String> = goes.iter().map(Go::to_string).collect();
                write!(f, "FoldExec: goes=[{}], projection=[{columns}]", goes.join(", "))
            }
            Form::Bare(_) => write!(f, "FoldExec: bare, columns=[{columns}]"),
        }
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
        let needed = match &self.form {
            Form::Events { .. } => self.inputs.iter().map(Self::scattered_by_sender).collect(),
            Form::Bare(_) => vec![Distribution::UnspecifiedDistribution],
        };
        InputDistributionRequirements::new(needed)
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let rows = self.rows();
        let sorted = |(at, input): (usize, &Arc<dyn ExecutionPlan>)| {
            let is_sorted = rows.get(at).is_some_and(|rows| rows.by_sender);
            let sender = col(column::SENDER, &input.schema()).ok().filter(|_| is_sorted)?;
            let order = LexOrdering::new([by_sender(sender)])?;
            Some(OrderingRequirements::from(order))
        };
        self.inputs.iter().enumerate().map(sorted).collect()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        match &self.form {
            Form::Events { .. } => vec![true; self.inputs.len()],
            // Pieces of which more is known than of a share of a file stay as they are.
            Form::Bare(_) => vec![!bare::has_own_pieces(&self.inputs[0])],
        }
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(match &self.form {
            Form::Events { goes, last, columns } => {
                Arc::new(Self::new(goes.clone(), children, columns)?.until(*last))
            }
            Form::Bare(bare) => {
                let form = Form::Bare(bare::Bare::new(bare.reader().clone()));
                let partitioning = self.properties.output_partitioning().clone();
                let order = EquivalenceProperties::new(self.schema());
                Arc::new(Self::of(form, children, order, partitioning))
            }
        })
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        with_children(self, children)
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
        match &self.form {
            Form::Events { goes, last, columns } => {
                let events = events::Events {
                    goes: goes.clone(),
                    inputs: self.inputs.clone(),
                    last: *last,
                    columns: columns.clone(),
                };
                Ok(events.stream(partition, self.schema(), context, &self.metrics))
            }
            Form::Bare(bare) => {
                let of = self.properties.output_partitioning().partition_count();
                let place = bare::Place { partition, of };
                let input = &self.inputs[0];
                Ok(bare.stream(place, input, self.schema(), &context, &self.metrics))
            }
        }
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, _: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(None); self.inputs.len()]
    }

    /// A conversation has a message or more, so there are at most as many as rows come in; a row
    /// that another go reads too is counted there as well.
    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        let rows: Option<usize> =
            inputs.iter().map(|input| input.num_rows.get_value().copied()).sum();
        let partitions = match args.partition() {
            Some(_) => self.properties.output_partitioning().partition_count(),
            None => 1,
        };
        statistics.num_rows =
            rows.map_or(Precision::Absent, |rows| Precision::Inexact(rows / partitions.max(1)));
        Ok(Arc::new(statistics))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }
}
