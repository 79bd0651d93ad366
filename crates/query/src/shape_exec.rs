//! The operator that reads texts: shape columns in the place of a column of texts.
//!
//! Of the shape only what is asked for is computed, and where it is told which rows matter, only in
//! those; but bytes, for which no text need be read. No text leaves the operator. Texts are read
//! some at a time, so that no batch of long ones is copied whole; what is copied is reserved from
//! the pool.
//!
//! Nothing that might write its input to disk may stand beneath it (law 1): the planner may not
//! deal out what comes in, and rows that do not count are left out by the operator itself.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::length::length;
use arrow::compute::{cast, concat, not, nullif, prep_null_mask_filter};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::common::cast::as_boolean_array;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, Statistics, exec_err, internal_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::filter::batch_filter;
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterDescription, FilterDescription, FilterPushdownPhase,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions, apply_expression_roots,
};
use futures::StreamExt;
use turnwise_kernels::shape::{ShapeFields, ShapeNumbers, Texts, shape_numbers};
use turnwise_model::codes::text_bits;
use turnwise_model::schema::column;
use turnwise_model::{Keys, Script, limits};

use crate::plans::with_children;

/// A column of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A column of the input.
    Own(usize),
    /// A number of the shape.
    Number(Number),
    /// The name of the script.
    Script,
    /// One of [`text_bits`].
    Bit(i32),
}

/// A number of the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Chars,
    Bytes,
    Words,
    Lines,
    Bucket,
}

/// What a text's shape tells analysts, by the names that the view `messages` has.
pub(crate) const TOLD: [(&str, Told); 14] = [
    (column::CHARS, Told::Number(Number::Chars)),
    (column::BYTES, Told::Number(Number::Bytes)),
    (column::WORDS, Told::Number(Number::Words)),
    (column::LINES, Told::Number(Number::Lines)),
    (column::SCRIPT, Told::Script),
    ("question", Told::Bit(text_bits::QUESTION)),
    ("opener", Told::Bit(text_bits::OPENER)),
    ("greeting", Told::Bit(text_bits::GREETING)),
    ("digits", Told::Bit(text_bits::DIGITS)),
    ("open_ended", Told::Bit(text_bits::OPEN_ENDED)),
    ("markdown", Told::Bit(text_bits::MARKDOWN)),
    ("list", Told::Bit(text_bits::LIST)),
    ("code", Told::Bit(text_bits::CODE)),
    ("url", Told::Bit(text_bits::URL)),
];

/// What it tells our own functions alone.
pub(crate) const BUCKET: (&str, Told) = (column::TEXT_BUCKET, Told::Number(Number::Bucket));

impl Told {
    /// The column's field, where it is no column of the input.
    pub(crate) fn field(self, name: &str) -> Field {
        let data_type = match self {
            Self::Bit(_) => DataType::Boolean,
            Self::Script => DataType::Utf8,
            Self::Own(_) | Self::Number(_) => DataType::Int32,
        };
        Field::new(name, data_type, true)
    }

    /// The column of the input that it is.
    pub(crate) const fn own(&self) -> Option<usize> {
        match self {
            Self::Own(at) => Some(*at),
            _ => None,
        }
    }

    fn ask(self, fields: &mut ShapeFields) {
        match self {
            Self::Own(_) | Self::Number(Number::Bytes) => {}
            Self::Number(Number::Chars) => fields.chars = true,
            Self::Number(Number::Words) => fields.words = true,
            Self::Number(Number::Lines) => fields.lines = true,
            Self::Number(Number::Bucket) => fields.text_bucket = true,
            Self::Script => fields.script = true,
            Self::Bit(bit) => fields.text_bits |= bit,
        }
    }

    fn of(self, batch: &RecordBatch, numbers: &ShapeNumbers) -> ArrayRef {
        match self {
            Self::Own(at) => Arc::clone(batch.column(at)),
            Self::Number(Number::Chars) => Arc::new(numbers.chars.clone()),
            Self::Number(Number::Bytes) => Arc::new(numbers.bytes.clone()),
            Self::Number(Number::Words) => Arc::new(numbers.words.clone()),
            Self::Number(Number::Lines) => Arc::new(numbers.lines.clone()),
            Self::Number(Number::Bucket) => Arc::new(numbers.text_bucket.clone()),
            Self::Script => Arc::new(names_of(&numbers.script)),
            Self::Bit(bit) => {
                let all = numbers.text_bits.values();
                let values = BooleanBuffer::collect_bool(all.len(), |row| all[row] & bit != 0);
                Arc::new(BooleanArray::new(values, numbers.text_bits.nulls().cloned()))
            }
        }
    }
}

fn names_of(scripts: &Int32Array) -> StringArray {
    scripts.iter().map(|code| code.and_then(Script::from_code).map(Script::name)).collect()
}

/// The operator.
#[derive(Debug)]
pub(crate) struct ShapeExec {
    input: Arc<dyn ExecutionPlan>,
    /// The column of texts in the input.
    text: usize,
    told: Vec<Told>,
    /// Which rows count, by columns of the input; all if none.
    counted: Option<Arc<dyn PhysicalExpr>>,
    /// Which rows' texts matter, by columns of the input; all if none.
    wanted: Option<Arc<dyn PhysicalExpr>>,
    fields: ShapeFields,
    keys: Arc<Keys>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ShapeExec {
    /// Tells these columns, of an input that has texts in column `text`.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        text: usize,
        told: Vec<Told>,
        schema: SchemaRef,
        keys: Arc<Keys>,
    ) -> Self {
        let mut fields = ShapeFields::default();
        told.iter().for_each(|told| told.ask(&mut fields));
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            datafusion::physical_expr::Partitioning::UnknownPartitioning(partitions),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        let (properties, metrics) = (Arc::new(properties), ExecutionPlanMetricsSet::new());
        let (counted, wanted) = (None, None);
        Self { input, text, told, counted, wanted, fields, keys, properties, metrics }
    }

    /// Leaves out rows of the input in which a condition on it does not hold.
    #[must_use]
    pub(crate) fn counting(mut self, counted: Option<Arc<dyn PhysicalExpr>>) -> Self {
        self.counted = counted;
        self
    }

    /// Whether an expression over the output asks for more of a text than its length in bytes.
    pub(crate) fn reads_text(&self, expr: &Arc<dyn PhysicalExpr>) -> bool {
        let reads = |told: &Told| !matches!(told, Told::Own(_) | Told::Number(Number::Bytes));
        collect_columns(expr).iter().any(|column| self.told.get(column.index()).is_none_or(reads))
    }

    /// Whether an expression over the output is one over the input.
    pub(crate) fn is_of_input(&self, expr: &Arc<dyn PhysicalExpr>) -> bool {
        let is_own = |told: &Told| told.own().is_some();
        collect_columns(expr).iter().all(|column| self.told.get(column.index()).is_some_and(is_own))
    }

    /// The same operator with texts read only where a condition on the output holds, which
    /// [is one on the input](Self::is_of_input); elsewhere what they tell is null, but their bytes.
    ///
    /// # Errors
    /// A condition on what is no column of the input.
    pub(crate) fn only_where(&self, condition: &Arc<dyn PhysicalExpr>) -> Result<Self> {
        let fields = self.input.schema();
        let wanted = Arc::clone(condition).transform_down(|expr| {
            let Some(column) = expr.downcast_ref::<Column>() else {
                return Ok(Transformed::no(expr));
            };
            match self.told.get(column.index()) {
                Some(Told::Own(at)) => {
                    Ok(Transformed::yes(Arc::new(Column::new(fields.field(*at).name(), *at)) as _))
                }
                _ => internal_err!("{column} is no column of the input"),
            }
        })?;
        let mut narrowed = self.with_input(Arc::clone(&self.input));
        narrowed.wanted = Some(wanted.data);
        Ok(narrowed)
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        let keys = Arc::clone(&self.keys);
        let same = Self::new(input, self.text, self.told.clone(), self.schema(), keys);
        Self { counted: self.counted.clone(), wanted: self.wanted.clone(), ..same }
    }
}

impl DisplayAs for ShapeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema: &Schema = &self.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|c| c.name().as_str()).collect();
        write!(f, "ShapeExec: columns=[{}]", columns.join(", "))?;
        if let Some(counted) = &self.counted {
            write!(f, ", rows where {counted}")?;
        }
        match &self.wanted {
            Some(wanted) => write!(f, ", read where {wanted}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for ShapeExec {
    fn name(&self) -> &'static str {
        "ShapeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// Batches that are dealt out to partitions may go to disk on the way.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    /// The scan may leave out what it knows not to count.
    fn gather_filters_for_pushdown(
        &self,
        phase: FilterPushdownPhase,
        of_parents: Vec<Arc<dyn PhysicalExpr>>,
        _: &ConfigOptions,
    ) -> Result<FilterDescription> {
        let is_static = matches!(phase, FilterPushdownPhase::Pre);
        let own = self.counted.iter().filter(|_| is_static).cloned().collect();
        let child = ChildFilterDescription::all_unsupported(&of_parents).with_self_filters(own);
        Ok(FilterDescription::new().with_child(child))
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.input));
        Ok(Arc::new(self.with_input(input)))
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
        apply_expression_roots(self.counted.iter().chain(&self.wanted), visit)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let bytes_read = MetricBuilder::new(&self.metrics).counter("text_bytes", partition);
        let (text, told, fields) = (self.text, self.told.clone(), self.fields);
        let (counted, wanted) = (self.counted.clone(), self.wanted.clone());
        let (schema, keys) = (self.schema(), Arc::clone(&self.keys));
        let copied = MemoryConsumer::new(format!("ShapeExec[{partition}]"));
        let copied = copied.register(context.memory_pool());
        let batches = self.input.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            let _timer = metrics.elapsed_compute().timer();
            let batch = match &counted {
                Some(counted) => batch_filter(&batch, counted)?,
                None => batch,
            };
            let all = batch.column(text);
            let texts = match &wanted {
                Some(wanted) => &only_wanted(all, wanted, &batch)?,
                None => all,
            };
            let lengths = lengths(all)?;
            let mut numbers = match lengths.as_deref().filter(|lengths| !lengths.is_empty()) {
                Some(lengths) => numbers_by_pieces(texts, lengths, &keys, fields, &copied)?,
                None => shape_numbers(plain(texts)?, &keys, fields),
            };
            // Of no text it is 0.
            bytes_read.add(numbers.bytes.values().iter().map(|bytes| *bytes as usize).sum());
            if wanted.is_some() && told.contains(&Told::Number(Number::Bytes)) {
                numbers.bytes = bytes_of(all, lengths.as_deref())?;
            }
            let columns = told.iter().map(|told| told.of(&batch, &numbers)).collect();
            Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?.record_output(&metrics))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    /// As many rows as come in, or no more where some do not count.
    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        for (found, told) in statistics.column_statistics.iter_mut().zip(&self.told) {
            if let (Told::Own(at), Some(input)) = (told, inputs.first())
                && let Some(known) = input.column_statistics.get(*at)
            {
                found.clone_from(known);
            }
        }
        if let Some(input) = inputs.first() {
            statistics.num_rows = input.num_rows;
        }
        let is_whole = self.counted.is_none();
        Ok(Arc::new(if is_whole { statistics } else { statistics.to_inexact() }))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        match self.counted {
            Some(_) => CardinalityEffect::LowerEqual,
            None => CardinalityEffect::Equal,
        }
    }
}

/// Whether a column of this type holds texts.
pub(crate) const fn is_text(data_type: &DataType) -> bool {
    use DataType::{Binary, BinaryView, LargeBinary, LargeUtf8, Utf8, Utf8View};
    matches!(data_type, Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView)
}

/// Texts of the rows in which a condition holds, the others null.
fn only_wanted(
    texts: &ArrayRef,
    wanted: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
) -> Result<ArrayRef> {
    let wanted = wanted.evaluate(batch)?.into_array(batch.num_rows())?;
    let wanted = as_boolean_array(&wanted)?;
    let unwanted = match wanted.null_count() {
        0 => not(wanted)?,
        _ => not(&prep_null_mask_filter(wanted))?,
    };
    Ok(nullif(texts, &unwanted)?)
}

/// Bytes of each text (0 of none) where they may have to be read some at a time.
fn lengths(texts: &ArrayRef) -> Result<Option<Vec<usize>>> {
    fn each<'a, T: AsRef<[u8]> + ?Sized + 'a>(
        texts: impl Iterator<Item = Option<&'a T>>,
    ) -> Option<Vec<usize>> {
        Some(texts.map(|text| text.map_or(0, |text| text.as_ref().len())).collect())
    }
    Ok(match texts.data_type() {
        DataType::Utf8 | DataType::Binary => None,
        DataType::LargeUtf8 => each(texts.as_string::<i64>().iter()),
        DataType::Utf8View => each(texts.as_string_view().iter()),
        DataType::LargeBinary => each(texts.as_binary::<i64>().iter()),
        DataType::BinaryView => each(texts.as_binary_view().iter()),
        other => return exec_err!("a column of texts is {other}"),
    })
}

/// Bytes of each text, of lengths where they are told.
fn bytes_of(texts: &ArrayRef, lengths: Option<&[usize]>) -> Result<Int32Array> {
    let Some(lengths) = lengths else {
        return Ok(length(texts)?.as_primitive::<Int32Type>().clone());
    };
    let bytes = lengths.iter().map(|length| i32::try_from(*length).unwrap_or(i32::MAX));
    Ok(Int32Array::new(bytes.collect(), texts.nulls().cloned()))
}

/// The numbers of all texts, read some at a time by their lengths; what is copied is reserved.
fn numbers_by_pieces(
    texts: &ArrayRef,
    lengths: &[usize],
    keys: &Keys,
    fields: ShapeFields,
    copied: &MemoryReservation,
) -> Result<ShapeNumbers> {
    let (mut pieces, mut from) = (Vec::new(), 0);
    while from < texts.len() {
        let (mut to, mut bytes) = (from, 0_usize);
        for length in &lengths[from..] {
            let more = bytes.saturating_add(*length);
            if to > from && more > limits::BARE_TEXT_BYTES_MAX {
                break;
            }
            (to, bytes) = (to + 1, more);
        }
        copied.try_resize(bytes.saturating_add((to - from) * size_of::<i32>()))?;
        pieces.push(shape_numbers(plain(&texts.slice(from, to - from))?, keys, fields));
        from = to;
    }
    copied.free();
    joined(&pieces)
}

/// The numbers of pieces, one behind the other.
fn joined(pieces: &[ShapeNumbers]) -> Result<ShapeNumbers> {
    let column = |of: fn(&ShapeNumbers) -> &Int32Array| -> Result<Int32Array> {
        let columns: Vec<&dyn Array> = pieces.iter().map(|piece| of(piece) as _).collect();
        Ok(concat(&columns)?.as_primitive::<Int32Type>().clone())
    };
    Ok(ShapeNumbers {
        bytes: column(|piece| &piece.bytes)?,
        chars: column(|piece| &piece.chars)?,
        words: column(|piece| &piece.words)?,
        lines: column(|piece| &piece.lines)?,
        script: column(|piece| &piece.script)?,
        text_bits: column(|piece| &piece.text_bits)?,
        text_bucket: column(|piece| &piece.text_bucket)?,
    })
}

/// Texts as the kernel reads them.
fn plain(texts: &ArrayRef) -> Result<Texts> {
    use DataType::{LargeUtf8, Utf8, Utf8View};
    Ok(match texts.data_type() {
        Utf8 | LargeUtf8 | Utf8View => cast(texts, &Utf8)?.as_string::<i32>().into(),
        _ => cast(texts, &DataType::Binary)?.as_binary::<i32>().into(),
    })
}
