//! Aggregates that need every value: exact quantiles and exact numbers of distinct values.
//!
//! Values are kept in one list for all groups, each beside its group's number, so that taking them
//! in is an append. Only when results are asked for are they brought together, by the ordering
//! kernel: linear, whatever the number of groups. As a state, the values of a group are one list;
//! merging appends it.

use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, LargeListArray, new_empty_array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err, resources_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use turnwise_kernels::ordering::{Ordered, Orderer};

use super::frame::{OneGroup, Sole, refuse_distinct};

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
    /// Reads the arguments that are constant.
    fn new(args: &AccumulatorArgs<'_>) -> Result<Self>;
    /// One result a group; may put a group's values in another order.
    fn results(&self, groups: &mut Ordered<i64>) -> Result<ArrayRef>;
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

fn state_type() -> DataType {
    DataType::LargeList(Arc::new(Field::new("element", DataType::Int64, false)))
}

/// The aggregate function of an [`Exact`].
pub(super) struct ExactUdaf<E> {
    signature: Signature,
    exact: std::marker::PhantomData<fn() -> E>,
}

impl<E: Exact> ExactUdaf<E> {
    pub fn udaf() -> Arc<AggregateUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::from(Self { signature, exact: std::marker::PhantomData }))
    }
}

impl<E: Exact> Debug for ExactUdaf<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(E::NAME)
    }
}

impl<E> PartialEq for ExactUdaf<E> {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl<E> Eq for ExactUdaf<E> {}

impl<E: Exact> Hash for ExactUdaf<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        E::NAME.hash(state);
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
        E::coerce(found)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(E::result_type())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(&args)?;
        Ok(Box::new(OneGroup(Values::new(E::new(&args)?))))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[values]", args.name), state_type(), false))])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        refuse_distinct(&args)?;
        Ok(Box::new(Values::new(E::new(&args)?)))
    }
}

/// The values of all groups.
struct Values<E> {
    exact: E,
    groups: Vec<u32>,
    values: Vec<i64>,
    count: usize,
}

impl<E: Exact> Values<E> {
    fn new(exact: E) -> Self {
        Self { exact, groups: Vec::new(), values: Vec::new(), count: 0 }
    }

    fn push(&mut self, group: usize, value: i64) {
        let group = group as u32;
        let again = E::IS_DISTINCT
            && self.values.last() == Some(&value)
            && self.groups.last() == Some(&group);
        if !again {
            self.groups.push(group);
            self.values.push(value);
        }
    }

    fn extend(&mut self, group: usize, values: &[i64]) {
        self.groups.extend(std::iter::repeat_n(group as u32, values.len()));
        self.values.extend_from_slice(values);
    }

    /// Rows and groups are counted in 32 bits.
    fn check(&self, groups: usize) -> Result<()> {
        if u32::try_from(self.values.len().max(groups)).is_err() {
            return resources_err!("{} holds more values than it can count", E::NAME);
        }
        Ok(())
    }

    /// The values of the first groups, which are forgotten; others move down.
    fn take(&mut self, emit_to: EmitTo) -> Ordered<i64> {
        let (mut groups, mut values) =
            (std::mem::take(&mut self.groups), std::mem::take(&mut self.values));
        let count = match emit_to {
            EmitTo::All => std::mem::take(&mut self.count),
            EmitTo::First(first) => {
                self.count -= first;
                let mut kept = 0;
                for at in 0..groups.len() {
                    if groups[at] as usize >= first {
                        self.groups.push(groups[at] - first as u32);
                        self.values.push(values[at]);
                    } else {
                        (groups[kept], values[kept]) = (groups[at], values[at]);
                        kept += 1;
                    }
                }
                groups.truncate(kept);
                values.truncate(kept);
                first
            }
        };
        let mut ordered = Ordered::default();
        Orderer::default().group(&groups, count, &values, &mut ordered);
        ordered
    }

    /// Takes in the values of all rows, or of those that count.
    fn update(
        &mut self,
        values: &ArrayRef,
        group_indices: &[usize],
        counts: Option<&BooleanArray>,
    ) -> Result<()> {
        let all = counts.is_none() && values.null_count() == 0;
        let is_kept = |row: &usize| {
            values.is_valid(*row) && counts.is_none_or(|c| c.is_valid(*row) && c.value(*row))
        };
        let rows = (0..values.len()).filter(is_kept);
        if let Some(numbers) = values.as_primitive_opt::<Int64Type>() {
            if all && !E::IS_DISTINCT {
                self.groups.extend(group_indices.iter().map(|group| *group as u32));
                self.values.extend_from_slice(numbers.values());
            } else {
                rows.for_each(|row| self.push(group_indices[row], numbers.value(row)));
            }
        } else if let Some(numbers) = values.as_primitive_opt::<UInt64Type>() {
            for row in rows {
                self.push(group_indices[row], self.exact_bits(numbers.value(row))?);
            }
        } else if let Some(lists) = values.as_list_opt::<i32>() {
            let offsets = lists.value_offsets();
            if let Some(items) = lists.values().as_primitive_opt::<UInt64Type>() {
                for row in rows {
                    let (from, to) = (offsets[row] as usize, offsets[row + 1] as usize);
                    for at in (from..to).filter(|at| items.is_valid(*at)) {
                        self.push(group_indices[row], self.exact_bits(items.value(at))?);
                    }
                }
                return Ok(());
            }
            let Some(items) = lists.values().as_primitive_opt::<Int64Type>() else {
                return exec_err!("{} takes whole numbers, found {}", E::NAME, values.data_type());
            };
            if all && items.null_count() == 0 {
                // The lists lie one behind the other.
                let ends = offsets.windows(2).map(|ends| (ends[1] - ends[0]) as usize);
                for (group, length) in group_indices.iter().zip(ends) {
                    self.groups.resize(self.groups.len() + length, *group as u32);
                }
                let (from, to) = (offsets[0] as usize, offsets[values.len()] as usize);
                self.values.extend_from_slice(&items.values()[from..to]);
            } else {
                for row in rows {
                    let (from, to) = (offsets[row] as usize, offsets[row + 1] as usize);
                    for at in (from..to).filter(|at| items.is_valid(*at)) {
                        self.push(group_indices[row], items.value(at));
                    }
                }
            }
        } else {
            return exec_err!("{} takes whole numbers, found {}", E::NAME, values.data_type());
        }
        Ok(())
    }

    /// Unsigned numbers as signed ones: of distinct values only the bits matter.
    fn exact_bits(&self, value: u64) -> Result<i64> {
        if E::IS_DISTINCT {
            return Ok(value.cast_signed());
        }
        match i64::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) => exec_err!("{} takes numbers below 2^63", E::NAME),
        }
    }
}

impl<E: Exact> GroupsAccumulator for Values<E> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.count = total_num_groups;
        self.check(total_num_groups)?;
        self.update(&values[0], group_indices, opt_filter)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.check(self.count)?;
        let mut ordered = self.take(emit_to);
        self.exact.results(&mut ordered)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.check(self.count)?;
        let (starts, values) = self.take(emit_to).into_parts();
        let offsets: ScalarBuffer<i64> = starts.iter().map(|start| i64::from(*start)).collect();
        let DataType::LargeList(field) = state_type() else { unreachable!("a list") };
        let values = Arc::new(Int64Array::from(values));
        Ok(vec![Arc::new(LargeListArray::new(field, OffsetBuffer::new(offsets), values, None))])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.count = total_num_groups;
        let Some(lists) = values[0].as_list_opt::<i64>() else {
            return exec_err!("{} merges lists, found {}", E::NAME, values[0].data_type());
        };
        let items = lists.values().as_primitive::<Int64Type>().values();
        let offsets = lists.value_offsets();
        for (row, group) in group_indices.iter().enumerate().filter(|(row, _)| lists.is_valid(*row))
        {
            self.extend(*group, &items[offsets[row] as usize..offsets[row + 1] as usize]);
        }
        self.check(total_num_groups)
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
        // What bringing the values together will take too.
        self.groups.capacity() * size_of::<u32>()
            + (self.values.capacity() + self.values.len()) * size_of::<i64>()
            + 2 * self.count * size_of::<u32>()
    }
}

impl<E: Exact> Sole for Values<E> {
    fn settle(&mut self) {
        self.count = 1;
    }

    fn look(&mut self) -> Result<ArrayRef> {
        self.check(self.count)?;
        let mut ordered = self.take(EmitTo::All);
        let result = self.exact.results(&mut ordered);
        (_, self.values) = ordered.into_parts();
        self.groups = vec![0; self.values.len()];
        self.settle();
        result
    }
}

/// The value of an argument that must be constant.
pub(super) fn constant(args: &AccumulatorArgs<'_>, at: usize) -> Result<ScalarValue> {
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
