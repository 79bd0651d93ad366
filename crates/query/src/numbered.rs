//! A rule of the planner: where files are sorted by the column that rows are grouped by, its values
//! are numbered where they are read, rows are grouped by number, and groups named at the end.
//!
//! ```text
//! AggregateExec  by sender              NamesExec  sender
//!   FilterExec                            AggregateExec  by sender (a number)
//!     DataSourceExec  sorted by sender      FilterExec
//!                                             NumbersExec  sender
//!                                               DataSourceExec  sender as views
//! ```
//!
//! In such files equal values follow each other, so a value is looked up once a run of rows where
//! each row's text would be copied by the scan, copied by the filter, hashed, looked up and compared.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, SchemaRef, UInt32Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, exec_err, resources_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputOrderMode,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;

use crate::lake_table;
use crate::plans::{is_dealing, with_children};

/// See the module.
#[derive(Debug)]
pub(crate) struct NumberedGroups;

impl PhysicalOptimizerRule for NumberedGroups {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let numbered = plan.transform_up(|plan| {
            let numbered = plan.downcast_ref::<AggregateExec>().map(numbered).transpose()?;
            Ok(match numbered.flatten() {
                Some(numbered) => Transformed::yes(numbered),
                None => Transformed::no(plan),
            })
        });
        numbered.map(|numbered| numbered.data)
    }

    fn name(&self) -> &'static str {
        "numbered_groups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The aggregate by numbers, where its groups are of one column that sorted files have and that
/// nothing else asks for.
fn numbered(aggregate: &AggregateExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let reads_rows = matches!(aggregate.mode(), AggregateMode::Partial | AggregateMode::Single);
    let groups = aggregate.group_expr();
    let is_plain = reads_rows
        && groups.is_single()
        && aggregate.limit_options().is_none()
        && matches!(aggregate.input_order_mode(), InputOrderMode::Linear);
    let [(expr, name)] = groups.expr() else { return Ok(None) };
    let Some(column) = expr.downcast_ref::<Column>().filter(|_| is_plain) else { return Ok(None) };
    let at = column.index();
    let filters = aggregate.filter_expr().iter().flatten().map(Arc::clone);
    let asked = aggregate.aggr_expr().iter().flat_map(|function| {
        let orders = function.order_bys().iter().map(|order| Arc::clone(&order.expr));
        function.expressions().into_iter().chain(orders)
    });
    if asked.chain(filters).any(|expr| mentions(&expr, at)) {
        return Ok(None);
    }
    let names = Arc::new(Names::default());
    let Some(input) = with_numbers(aggregate.input(), at, &names)? else { return Ok(None) };
    let schema = input.schema();
    let by_number = AggregateExec::try_new(
        *aggregate.mode(),
        PhysicalGroupBy::new_single(vec![(Arc::new(column.clone()), name.clone())]),
        aggregate.aggr_expr().to_vec(),
        aggregate.filter_expr().to_vec(),
        input,
        schema,
    )?;
    Ok(Some(Arc::new(NamesExec::new(Arc::new(by_number), names, aggregate.schema()))))
}

/// The same plan with numbers in the place of the texts of an output column; none where that is no
/// column of sorted files, or something in between looks at it.
fn with_numbers(
    plan: &Arc<dyn ExecutionPlan>,
    at: usize,
    names: &Arc<Names>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let (input, own) = if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let told = projection.expr();
        let Some(own) = told[at].expr.downcast_ref::<Column>() else { return Ok(None) };
        let own = own.index();
        if told.iter().filter(|told| mentions(&told.expr, own)).count() > 1 {
            return Ok(None);
        }
        (projection.input(), own)
    } else if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let told = filter.projection().as_deref();
        let own = told.map_or(at, |told| told[at]);
        let is_twice =
            told.is_some_and(|told| told.iter().filter(|told| **told == own).count() > 1);
        if is_twice || mentions(filter.predicate(), own) {
            return Ok(None);
        }
        (filter.input(), own)
    } else if plan.is::<CooperativeExec>() || is_dealing(plan) {
        let children = plan.children();
        let [input] = children.as_slice() else { return Ok(None) };
        (*input, at)
    } else {
        let scan = lake_table::sorted_as_views(plan, at);
        return Ok(scan.map(|scan| Arc::new(NumbersExec::new(scan, at, Arc::clone(names))) as _));
    };
    let Some(input) = with_numbers(input, own, names)? else { return Ok(None) };
    // A projection that gets another input keeps the types that it told of the first.
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let told = projection.expr().to_vec();
        return Ok(Some(Arc::new(ProjectionExec::try_new(told, input)?)));
    }
    with_children(Arc::clone(plan), vec![input]).map(Some)
}

fn mentions(expr: &Arc<dyn PhysicalExpr>, column: usize) -> bool {
    collect_columns(expr).iter().any(|found| found.index() == column)
}

/// The values of a column and their numbers, of all partitions of a plan.
#[derive(Debug, Default)]
struct Names(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    numbers: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

impl Names {
    /// The number of a value, which is kept if it is new.
    fn number(&self, name: &str) -> Result<(Arc<str>, u32)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, number)) = known.numbers.get_key_value(name) {
            return Ok((Arc::clone(name), *number));
        }
        let Ok(number) = u32::try_from(known.names.len()) else {
            return resources_err!("more groups than can be numbered");
        };
        let name: Arc<str> = name.into();
        known.names.push(Arc::clone(&name));
        known.numbers.insert(Arc::clone(&name), number);
        Ok((name, number))
    }

    fn names(&self, numbers: &ArrayRef) -> Result<StringArray> {
        let Some(numbers) = numbers.as_primitive_opt::<UInt32Type>() else {
            return exec_err!("expected numbers of groups, found {}", numbers.data_type());
        };
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |number: u32| known.names.get(number as usize).map(AsRef::as_ref);
        Ok(numbers.iter().map(|number: Option<u32>| number.and_then(name)).collect())
    }
}

/// What one partition knows of the numbers.
struct Numbering {
    names: Arc<Names>,
    known: HashMap<Arc<str>, u32>,
    reservation: MemoryReservation,
}

/// About what a value takes beside its bytes: in two maps and a list, which grow by doubling.
const BYTES_A_NAME: usize = 6 * size_of::<(Arc<str>, u32)>();

impl Numbering {
    /// The numbers of a column of texts.
    fn numbers(&mut self, texts: &ArrayRef) -> Result<UInt32Array> {
        let Some(texts) = texts.as_string_view_opt() else {
            return exec_err!("expected views of texts, found {}", texts.data_type());
        };
        let views = texts.views();
        let mut numbers = Vec::with_capacity(texts.len());
        // Equal views of one batch are equal texts.
        let mut last = None;
        for (row, view) in views.iter().enumerate() {
            let number = match last {
                Some((same, number)) if same == view => number,
                _ if texts.is_null(row) => 0,
                _ => {
                    let number = self.number(texts.value(row))?;
                    last = Some((view, number));
                    number
                }
            };
            numbers.push(number);
        }
        Ok(UInt32Array::new(numbers.into(), texts.nulls().cloned()))
    }

    fn number(&mut self, name: &str) -> Result<u32> {
        if let Some(number) = self.known.get(name) {
            return Ok(*number);
        }
        self.reservation.try_grow(name.len() + BYTES_A_NAME)?;
        let (name, number) = self.names.number(name)?;
        self.known.insert(name, number);
        Ok(number)
    }
}

/// Puts numbers in the place of a column of texts.
#[derive(Debug)]
struct NumbersExec {
    input: Arc<dyn ExecutionPlan>,
    at: usize,
    names: Arc<Names>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl NumbersExec {
    fn new(input: Arc<dyn ExecutionPlan>, at: usize, names: Arc<Names>) -> Self {
        let schema = lake_table::with_type(&input.schema(), at, DataType::UInt32);
        let (properties, metrics) = (properties(&input, schema), ExecutionPlanMetricsSet::new());
        Self { input, at, names, properties, metrics }
    }
}

/// Puts texts in the place of the numbers of the first column.
#[derive(Debug)]
struct NamesExec {
    input: Arc<dyn ExecutionPlan>,
    names: Arc<Names>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl NamesExec {
    fn new(input: Arc<dyn ExecutionPlan>, names: Arc<Names>, schema: SchemaRef) -> Self {
        let (properties, metrics) = (properties(&input, schema), ExecutionPlanMetricsSet::new());
        Self { input, names, properties, metrics }
    }
}

/// What holds of a plan whose rows are those of the input in another form.
fn properties(input: &Arc<dyn ExecutionPlan>, schema: SchemaRef) -> Arc<PlanProperties> {
    let partitions = input.output_partitioning().partition_count();
    Arc::new(PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(partitions),
        input.pipeline_behavior(),
        input.boundedness(),
    ))
}

/// The batches of an input with one column replaced.
fn replaced(
    input: SendableRecordBatchStream,
    schema: SchemaRef,
    at: usize,
    metrics: BaselineMetrics,
    mut column: impl FnMut(&ArrayRef) -> Result<ArrayRef> + Send + 'static,
) -> SendableRecordBatchStream {
    let of = Arc::clone(&schema);
    let batches = input.map(move |batch| {
        let batch = batch?;
        let _timer = metrics.elapsed_compute().timer();
        let mut columns = batch.columns().to_vec();
        columns[at] = column(&columns[at])?;
        Ok(RecordBatch::try_new(Arc::clone(&of), columns)?.record_output(&metrics))
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

impl DisplayAs for NumbersExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NumbersExec: {}", self.schema().field(self.at).name())
    }
}

impl DisplayAs for NamesExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamesExec: {}", self.schema().field(0).name())
    }
}

impl ExecutionPlan for NumbersExec {
    fn name(&self) -> &'static str {
        "NumbersExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.input));
        Ok(Arc::new(Self::new(input, self.at, Arc::clone(&self.names))))
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
        let consumer = MemoryConsumer::new(format!("NumbersExec[{partition}]"));
        let reservation = consumer.register(context.memory_pool());
        let names = Arc::clone(&self.names);
        let mut numbering = Numbering { names, known: HashMap::new(), reservation };
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let input = self.input.execute(partition, context)?;
        Ok(replaced(input, self.schema(), self.at, metrics, move |texts| {
            Ok(Arc::new(numbering.numbers(texts)?))
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

impl ExecutionPlan for NamesExec {
    fn name(&self) -> &'static str {
        "NamesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.input));
        Ok(Arc::new(Self::new(input, Arc::clone(&self.names), self.schema())))
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
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let input = self.input.execute(partition, context)?;
        let names = Arc::clone(&self.names);
        Ok(replaced(input, self.schema(), 0, metrics, move |numbers| {
            Ok(Arc::new(names.names(numbers)?))
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
