//! Aggregates that need every value: exact quantiles and exact numbers of distinct values.
//!
//! Only when results are asked for are the values of each group brought together, by the ordering
//! kernel: linear, whatever the number of groups. As a state, a group is three lists: its values,
//! and how often each of the small ones came that are counted, low bytes and the bits above (see
//! `values.rs` and `places.rs`); merging adds all.

use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, LargeListArray, PrimitiveArray,
    new_empty_array,
};
use arrow::buffer::{BooleanBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, UInt8Type, UInt32Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{
    AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs,
};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, GroupsAccumulator, Signature,
    Volatility,
};

use super::frame::{OneGroup, Sole, counting_rows, each_row, refuse_distinct};
use super::places::{Places, whole};
use super::values::{Grouped, Values};

/// What is told of the values of each group.
pub(super) trait Exact: Clone + Debug + Send + Sync + 'static {
    /// The function's name in SQL.
    const NAME: &'static str;
    /// Whether a value that follows an equal one of its group changes nothing.
    const IS_DISTINCT: bool;

    /// The types of the arguments, as this function reads them, or why it cannot.
    fn coerce(found: &[DataType]) -> Result<Vec<DataType>>;
    /// The type of the result.
    fn result_type() -> DataType;
    /// Reads the arguments behind the value, which are constant.
    fn new(constants: &[ScalarValue]) -> Result<Self>;
    /// The result of no values; null where there is none.
    fn of_nothing() -> Result<ScalarValue> {
        ScalarValue::try_from(&Self::result_type())
    }
    /// One result a group; may put a group's values in another order.
    fn results(&self, groups: &mut Grouped) -> Result<ArrayRef>;
}

/// The type that values are read in: whole numbers, or lists of them where each counts.
pub(super) fn value_type(name: &str, found: &DataType) -> Result<DataType> {
    let item = |found: &DataType| match found {
        DataType::UInt64 => Ok(DataType::UInt64),
        whole if whole.is_integer() => Ok(DataType::Int64),
        DataType::Null => Ok(DataType::Int64),
        other => plan_err!("{name} takes whole numbers, not {other}"),
    };
    match found {
        DataType::List(field) | DataType::LargeList(field) => {
            let read = item(field.data_type())?;
            let field = Field::new(field.name(), read, field.is_nullable());
            Ok(DataType::List(Arc::new(field)))
        }
        single => item(single),
    }
}

fn list_type(element: DataType) -> DataType {
    DataType::LargeList(Arc::new(Field::new("element", element, false)))
}

/// The aggregate function of an [`Exact`].
///
/// The optimizer takes constant arguments into the function: as arguments they would be written out
/// for each row of each batch. A plan that is sent elsewhere by the names of its functions must be
/// sent before, or with them.
pub(super) struct ExactUdaf<E> {
    signature: Signature,
    /// Arguments behind the value that the function was given, and is not called with.
    given: Option<Vec<ScalarValue>>,
    exact: std::marker::PhantomData<fn() -> E>,
}

impl<E: Exact> ExactUdaf<E> {
    pub fn udaf() -> Arc<AggregateUDF> {
        Self::with(None)
    }

    fn with(given: Option<Vec<ScalarValue>>) -> Arc<AggregateUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::from(Self { signature, given, exact: std::marker::PhantomData }))
    }

    fn groups(&self, args: &AccumulatorArgs<'_>) -> Result<ExactGroups<E>> {
        refuse_distinct(args)?;
        let exact = match &self.given {
            Some(given) => E::new(given)?,
            None => {
                let constants = (1..args.exprs.len()).map(|at| constant(args, at));
                E::new(&constants.collect::<Result<Vec<_>>>()?)?
            }
        };
        Ok(ExactGroups::new(exact))
    }
}

impl<E: Exact> Debug for ExactUdaf<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(E::NAME)
    }
}

impl<E> PartialEq for ExactUdaf<E> {
    fn eq(&self, other: &Self) -> bool {
        self.given == other.given
    }
}

impl<E> Eq for ExactUdaf<E> {}

impl<E: Exact> Hash for ExactUdaf<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        E::NAME.hash(state);
        self.given.hash(state);
    }
}

impl<E: Exact> AggregateUDFImpl for ExactUdaf<E> {
    fn name(&self) -> &str {
        E::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, found: &[DataType]) -> Result<Vec<DataType>> {
        let Some(given) = &self.given else { return E::coerce(found) };
        let all: Vec<DataType> =
            found.iter().cloned().chain(given.iter().map(ScalarValue::data_type)).collect();
        let mut coerced = E::coerce(&all)?;
        coerced.truncate(found.len());
        Ok(coerced)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(E::result_type())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup(self.groups(&args)?)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |part: &str, element| {
            Arc::new(Field::new(format!("{}[{part}]", args.name), list_type(element), false))
        };
        Ok(vec![
            field("values", DataType::Int64),
            field("counts", DataType::UInt8),
            field("counts_high", DataType::UInt32),
        ])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.groups(&args)?))
    }

    fn is_nullable(&self) -> bool {
        E::of_nothing().is_ok_and(|nothing| nothing.is_null())
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        E::of_nothing()
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        if self.given.is_some() {
            return None;
        }
        Some(Box::new(|mut call, _| {
            let constants = call.params.args.iter().skip(1).map(|argument| match argument {
                Expr::Literal(value, _) => Some(value.clone()),
                _ => None,
            });
            let constants = constants.collect::<Option<Vec<_>>>().unwrap_or_default();
            // With DISTINCT and one argument it would become another call.
            if !constants.is_empty() && !call.params.distinct {
                call.params.args.truncate(1);
                call.func = Self::with(Some(constants));
            }
            Ok(Expr::AggregateFunction(call))
        }))
    }
}

/// All groups of an aggregate.
struct ExactGroups<E> {
    exact: E,
    values: Values,
}

impl<E: Exact> ExactGroups<E> {
    fn new(exact: E) -> Self {
        Self { exact, values: Values::default() }
    }

    fn push(&mut self, group: usize, value: i64) {
        if E::IS_DISTINCT {
            self.values.push_distinct(group, value);
        } else {
            self.values.push(group, value);
        }
    }

    /// Takes in the values of all rows, or of those that count.
    fn update(
        &mut self,
        values: &ArrayRef,
        group_indices: &[usize],
        counts: Option<&BooleanArray>,
    ) -> Result<()> {
        let kept = kept_rows(values, counts);
        if let Some(numbers) = values.as_primitive_opt::<Int64Type>() {
            each_row(values.len(), kept.as_ref(), |row, ahead| {
                // What is distinct is not counted.
                if !E::IS_DISTINCT
                    && let Some(ahead) = ahead
                {
                    self.values.fetch(group_indices[ahead], numbers.value(ahead));
                }
                self.push(group_indices[row], numbers.value(row));
                Ok(())
            })
        } else if let Some(numbers) = values.as_primitive_opt::<UInt64Type>() {
            each_row(values.len(), kept.as_ref(), |row, _| {
                self.push(group_indices[row], exact_bits::<E>(numbers.value(row))?);
                Ok(())
            })
        } else if let Some(lists) = values.as_list_opt::<i32>() {
            let offsets = lists.value_offsets();
            let nulls = lists.values().nulls();
            let (signed, unsigned) = (
                lists.values().as_primitive_opt::<Int64Type>(),
                lists.values().as_primitive_opt::<UInt64Type>(),
            );
            each_row(values.len(), kept.as_ref(), |row, _| {
                let items = offsets[row] as usize..offsets[row + 1] as usize;
                for at in items.filter(|at| nulls.is_none_or(|nulls| nulls.is_valid(*at))) {
                    let value = match (signed, unsigned) {
                        (Some(items), _) => items.value(at),
                        (_, Some(items)) => exact_bits::<E>(items.value(at))?,
                        _ => return no_whole_numbers::<E>(values),
                    };
                    self.push(group_indices[row], value);
                }
                Ok(())
            })
        } else {
            no_whole_numbers::<E>(values)
        }
    }

    fn settle(&mut self) -> Result<()> {
        self.values.check(E::NAME)?;
        if !E::IS_DISTINCT {
            self.values.settle();
        }
        Ok(())
    }
}

/// The rows with a value that counts; none where all are.
fn kept_rows(values: &ArrayRef, counts: Option<&BooleanArray>) -> Option<BooleanBuffer> {
    let valid = values.nulls().map(|nulls| nulls.inner());
    match (valid, counting_rows(counts)) {
        (Some(valid), Some(counting)) => Some(valid & &counting),
        (valid, counting) => counting.or(valid.cloned()),
    }
}

fn no_whole_numbers<E: Exact>(found: &ArrayRef) -> Result<()> {
    exec_err!("{} takes whole numbers, found {}", E::NAME, found.data_type())
}

/// Unsigned numbers as signed ones: of distinct values only the bits matter.
fn exact_bits<E: Exact>(value: u64) -> Result<i64> {
    if E::IS_DISTINCT {
        return Ok(value.cast_signed());
    }
    match i64::try_from(value) {
        Ok(value) => Ok(value),
        Err(_) => exec_err!("{} takes numbers below 2^63", E::NAME),
    }
}

impl<E: Exact> GroupsAccumulator for ExactGroups<E> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.values.set_groups(total_num_groups);
        self.update(&values[0], group_indices, opt_filter)?;
        self.settle()
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut groups = self.values.take(emit_to);
        self.exact.results(&mut groups)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let Grouped { values, counted } = self.values.take(emit_to);
        let (starts, values) = values.into_parts();
        let starts = starts.iter().map(|start| i64::from(*start)).collect();
        let [low, high] = columns(&counted);
        Ok(vec![lists::<Int64Type>(starts, values), low, high])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.values.set_groups(total_num_groups);
        let list = |at: usize| values[at].as_list_opt::<i64>();
        let (Some(lists), Some(low), Some(high)) = (list(0), list(1), list(2)) else {
            return exec_err!("{} merges lists, found {}", E::NAME, values[0].data_type());
        };
        for (row, group) in group_indices.iter().enumerate() {
            let high = items_of::<UInt32Type>(high, row);
            let counted = items_of::<UInt8Type>(low, row).iter().enumerate();
            let counted = counted
                .map(|(at, low)| (at, whole(*low, high.get(at).copied().unwrap_or_default())));
            for (at, count) in counted.filter(|(_, count)| *count > 0) {
                self.values.add_counted(*group, at, count);
            }
            items_of::<Int64Type>(lists, row)
                .iter()
                .for_each(|value| self.values.push(*group, *value));
        }
        self.settle()
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values[0].len();
        let mut one_each = Self::new(self.exact.clone());
        let groups: Vec<usize> = (0..rows).collect();
        one_each.update_batch(values, &groups, opt_filter, rows)?;
        one_each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.values.size()
    }
}

/// Two columns of lists: the low bytes of counts and the bits above.
fn columns(counted: &[Places]) -> [ArrayRef; 2] {
    let places = counted.iter().map(|places| places.low().len()).sum();
    let (mut low, mut high) = (Vec::with_capacity(places), Vec::new());
    let mut ends = [vec![0], vec![0]];
    for places in counted {
        let used = places.used();
        low.extend_from_slice(used.0);
        high.extend_from_slice(used.1);
        ends[0].push(low.len() as i64);
        ends[1].push(high.len() as i64);
    }
    let [low_ends, high_ends] = ends.map(ScalarBuffer::from);
    [lists::<UInt8Type>(low_ends, low), lists::<UInt32Type>(high_ends, high)]
}

/// A column of lists that end where the next begins.
fn lists<T: ArrowPrimitiveType>(starts: ScalarBuffer<i64>, values: Vec<T::Native>) -> ArrayRef {
    let values = Arc::new(PrimitiveArray::<T>::new(values.into(), None));
    let field = Arc::new(Field::new("element", T::DATA_TYPE, false));
    Arc::new(LargeListArray::new(field, OffsetBuffer::new(starts), values, None))
}

/// The numbers of a row, none of a null one.
fn items_of<T: ArrowPrimitiveType>(lists: &LargeListArray, row: usize) -> &[T::Native] {
    if lists.is_null(row) {
        return &[];
    }
    let offsets = lists.value_offsets();
    let items = lists.values().as_primitive::<T>().values();
    &items[offsets[row] as usize..offsets[row + 1] as usize]
}

impl<E: Exact> Sole for ExactGroups<E> {
    fn settle(&mut self) {
        self.values.set_groups(1);
    }

    fn look(&mut self) -> Result<ArrayRef> {
        let mut groups = self.values.take(EmitTo::All);
        let result = self.exact.results(&mut groups);
        self.values.put_back(groups);
        result
    }
}

/// The value of an argument that must be constant.
fn constant(args: &AccumulatorArgs<'_>, at: usize) -> Result<ScalarValue> {
    let empty = arrow::array::RecordBatch::try_new_with_options(
        Arc::new(args.schema.clone()),
        args.schema.fields().iter().map(|field| new_empty_array(field.data_type())).collect(),
        &arrow::array::RecordBatchOptions::new().with_row_count(Some(0)),
    )?;
    match args.exprs[at].evaluate(&empty)? {
        datafusion::logical_expr::ColumnarValue::Scalar(value) => Ok(value),
        datafusion::logical_expr::ColumnarValue::Array(_) => {
            plan_err!("argument {} of {} must be constant", at + 1, args.name)
        }
    }
}
