//! The frame of our aggregate functions: a state per group, updated row by row, shipped as a list.

use std::any::type_name;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err, resources_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use turnwise_model::conversation::state_type;

/// Counting rows between asking for the memory of a state and changing it.
const ROWS_AHEAD: usize = 16;
/// Rows that follow each other in one group, on average, from which on they are taken in together.
const RUN_MIN: usize = 8;

/// The state of one group.
pub(super) trait State: Default + Send + Sync + 'static {
    /// The name in SQL of the function that merges states.
    const MERGE: &'static str;

    /// Takes another state in.
    fn merge(&mut self, state: &[i64]);
    /// Puts the state at the end of a list, as integers in canonical order.
    fn append_state(&self, state: &mut Vec<i64>);
    /// About how many numbers the state has.
    fn state_len(&self) -> usize {
        self.size() / size_of::<i64>()
    }
    /// Puts what [`Self::merge_partial`] takes in at the end of a list: what one part of a plan hands
    /// to the next, in whatever form is quickest.
    fn append_partial(&self, partial: &mut Vec<i64>) {
        self.append_state(partial);
    }
    /// Takes in what another part of the plan made.
    fn merge_partial(&mut self, partial: &[i64]) {
        self.merge(partial);
    }
    /// Heap bytes.
    fn size(&self) -> usize;
}

/// An aggregate function: how rows go into the states of their groups.
pub(super) trait Rows: Send + Sync + 'static {
    /// The function's name in SQL.
    const NAME: &'static str;
    /// What it makes.
    type State: State;
    /// The typed columns of one batch of arguments.
    type Columns<'a>;

    /// Argument types.
    fn arguments() -> Vec<DataType>;
    /// Looks at a batch's arguments once.
    fn columns(values: &[ArrayRef]) -> Result<Self::Columns<'_>>;
    /// Takes one row in.
    fn update(state: &mut Self::State, columns: &Self::Columns<'_>, row: usize);
    /// Takes in neighbouring rows.
    fn update_run(
        state: &mut Self::State,
        columns: &Self::Columns<'_>,
        rows: impl Iterator<Item = usize>,
    ) {
        rows.for_each(|row| Self::update(state, columns, row));
    }
    /// Has the processor fetch what taking in a row will touch, if that is worth while.
    #[inline]
    fn fetch(_state: &Self::State, _columns: &Self::Columns<'_>, _row: usize) {}
}

/// [`Rows`] as an aggregate function.
pub(super) struct StateUdaf<R> {
    signature: Signature,
    rows: PhantomData<fn() -> R>,
}

impl<R: Rows> StateUdaf<R> {
    pub fn udaf() -> Arc<AggregateUDF> {
        let signature = Signature::exact(R::arguments(), Volatility::Immutable);
        Arc::new(AggregateUDF::from(Self { signature, rows: PhantomData }))
    }
}

impl<R> Debug for StateUdaf<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(type_name::<R>())
    }
}

impl<R> PartialEq for StateUdaf<R> {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl<R> Eq for StateUdaf<R> {}

impl<R> Hash for StateUdaf<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        type_name::<R>().hash(state);
    }
}

impl<R: Rows> AggregateUDFImpl for StateUdaf<R> {
    fn name(&self) -> &str {
        R::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(state_type())
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::List(Arc::new(empty_states(1))))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        refuse_distinct(&args)?;
        Ok(Box::new(OneGroup(Groups::<R>::default())))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[state]", args.name), state_type(), false))])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        refuse_distinct(&args)?;
        Ok(Box::new(Groups::<R>::default()))
    }
}

/// The states of all groups.
struct Groups<R: Rows> {
    states: Vec<R::State>,
    /// Heap bytes of the states. There are many, and the size is asked for after each batch.
    bytes: usize,
}

impl<R: Rows> Default for Groups<R> {
    fn default() -> Self {
        Self { states: Vec::new(), bytes: 0 }
    }
}

impl<R: Rows> Groups<R> {
    /// Changes a group's state.
    #[inline]
    fn change(&mut self, group: usize, change: impl FnOnce(&mut R::State)) {
        let state = &mut self.states[group];
        let before = state.size();
        change(state);
        self.bytes = (self.bytes + state.size()).saturating_sub(before);
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<R::State> {
        let taken = emit_to.take_needed(&mut self.states);
        self.bytes = self.states.iter().map(State::size).sum();
        taken
    }
}

impl<R: Rows> GroupsAccumulator for Groups<R> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.states.resize_with(total_num_groups, R::State::default);
        let columns = R::columns(values)?;
        let kept = counting_rows(opt_filter);
        if in_runs(group_indices) {
            each_run(group_indices, |group, rows| {
                self.change(group, |state| match &kept {
                    Some(kept) => {
                        let (first, kept) = (rows.start, kept.slice(rows.start, rows.len()));
                        let rows = kept.set_indices().map(|row| first + row);
                        R::update_run(state, &columns, rows);
                    }
                    None => R::update_run(state, &columns, rows),
                });
            });
            return Ok(());
        }
        each_row(group_indices.len(), kept.as_ref(), |row, ahead| {
            if let Some(ahead) = ahead {
                R::fetch(&self.states[group_indices[ahead]], &columns, ahead);
            }
            self.change(group_indices[row], |state| R::update(state, &columns, row));
            Ok(())
        })
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(states(&self.take(emit_to))?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        // About what is in memory, and a length beside it.
        let len = |state: &R::State| state.size() / size_of::<i64>() + 1;
        Ok(vec![Arc::new(lists(&self.take(emit_to), len, R::State::append_partial)?)])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.states.resize_with(total_num_groups, R::State::default);
        let lists = Lists::new(&values[0])?;
        for (row, group) in group_indices.iter().enumerate() {
            self.change(*group, |state| state.merge_partial(lists.value(row)));
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |values| values.len());
        let mut one_each = Self::default();
        let groups: Vec<usize> = (0..rows).collect();
        one_each.update_batch(values, &groups, opt_filter, rows)?;
        one_each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.states.capacity() * size_of::<R::State>() + self.bytes
    }
}

impl<R: Rows> Sole for Groups<R> {
    fn settle(&mut self) {
        self.states.resize_with(1, R::State::default);
    }

    fn look(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(states(&self.states)?))
    }
}

/// What can be one group and be asked again and again, as windows do.
pub(super) trait Sole: GroupsAccumulator + Sync {
    /// Makes the one group if no row has.
    fn settle(&mut self);
    /// The result of the group, which stays as it is.
    fn look(&mut self) -> Result<ArrayRef>;
}

/// All rows as one group, for plans without grouping and for windows.
pub(super) struct OneGroup<G>(pub G);

impl<G> Debug for OneGroup<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OneGroup({})", type_name::<G>())
    }
}

impl<G: Sole> Accumulator for OneGroup<G> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        self.0.update_batch(values, &vec![0; rows], None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.settle();
        ScalarValue::try_from_array(&self.0.look()?, 0)
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.settle();
        let state = self.0.state(EmitTo::All)?;
        state.iter().map(|array| ScalarValue::try_from_array(array, 0)).collect()
    }

    fn merge_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        self.0.merge_batch(values, &vec![0; rows], 1)
    }
}

/// The rows that a filter lets count; none where there is no filter.
pub(super) fn counting_rows(filter: Option<&BooleanArray>) -> Option<BooleanBuffer> {
    filter.map(|filter| match filter.nulls() {
        Some(valid) => filter.values() & valid.inner(),
        None => filter.values().clone(),
    })
}

/// Whether rows mostly follow others of their group, as those of sorted files do.
fn in_runs(groups: &[usize]) -> bool {
    let ends = groups.windows(2).filter(|pair| pair[0] != pair[1]).count();
    (ends + 1) * RUN_MIN <= groups.len()
}

/// Calls with the group of each run of rows, and the rows.
fn each_run(groups: &[usize], mut each: impl FnMut(usize, Range<usize>)) {
    let mut from = 0;
    for run in groups.chunk_by(|one, next| one == next) {
        let to = from + run.len();
        each(run[0], from..to);
        from = to;
    }
}

/// Calls for the kept rows, or for all, each beside one that will come soon, if one will.
#[inline]
pub(super) fn each_row(
    rows: usize,
    kept: Option<&BooleanBuffer>,
    mut each: impl FnMut(usize, Option<usize>) -> Result<()>,
) -> Result<()> {
    match kept {
        Some(kept) => {
            let mut ahead = kept.set_indices().skip(ROWS_AHEAD);
            kept.set_indices().try_for_each(|row| each(row, ahead.next()))
        }
        None => {
            (0..rows).try_for_each(|row| each(row, Some(row + ROWS_AHEAD).filter(|at| *at < rows)))
        }
    }
}

/// Refuses `DISTINCT`, which these functions would not heed.
pub(super) fn refuse_distinct(args: &AccumulatorArgs<'_>) -> Result<()> {
    if args.is_distinct {
        return plan_err!("{} takes no DISTINCT: ask a subquery with SELECT DISTINCT", args.name);
    }
    Ok(())
}

/// States as a list column.
fn states<S: State>(states: &[S]) -> Result<ListArray> {
    lists(states, S::state_len, S::append_state)
}

/// What is appended for each state, about so many numbers, as a list column.
fn lists<S>(
    states: &[S],
    len: impl Fn(&S) -> usize,
    append: impl Fn(&S, &mut Vec<i64>),
) -> Result<ListArray> {
    let mut values = Vec::with_capacity(states.iter().map(len).sum());
    let mut offsets = Vec::with_capacity(states.len() + 1);
    offsets.push(0);
    for state in states {
        append(state, &mut values);
        let Ok(end) = i32::try_from(values.len()) else {
            return resources_err!("{} groups have states longer than a column", states.len());
        };
        offsets.push(end);
    }
    // Of some states there is far less than what they are made of.
    values.shrink_to_fit();
    Ok(list_column(offsets, values))
}

/// So many states of nothing as a list column.
pub(crate) fn empty_states(rows: usize) -> ListArray {
    list_column(vec![0; rows + 1], Vec::new())
}

fn list_column(offsets: Vec<i32>, values: Vec<i64>) -> ListArray {
    let element = Arc::new(Field::new("element", DataType::Int64, false));
    let values = Arc::new(Int64Array::from(values));
    ListArray::new(element, OffsetBuffer::new(offsets.into()), values, None)
}

/// A list column of 64-bit integers, null rows as empty lists.
pub(crate) struct Lists<'a> {
    list: &'a ListArray,
    values: &'a [i64],
}

impl<'a> Lists<'a> {
    pub fn new(array: &'a ArrayRef) -> Result<Self> {
        let Some(list) = array.as_list_opt::<i32>() else {
            return exec_err!("expected a list of 64-bit integers, found {}", array.data_type());
        };
        let Some(values) = list.values().as_primitive_opt::<Int64Type>() else {
            return exec_err!("expected a list of 64-bit integers, found {}", array.data_type());
        };
        Ok(Self { list, values: values.values() })
    }

    pub fn value(&self, row: usize) -> &'a [i64] {
        if self.list.is_null(row) {
            return &[];
        }
        let offsets = self.list.value_offsets();
        let bound = |at: usize| usize::try_from(offsets[at]).unwrap_or_default();
        &self.values[bound(row)..bound(row + 1)]
    }
}
