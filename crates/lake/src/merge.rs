//! Rows of inputs that are each in one order, all in that order.
//!
//! The plain version holds all rows and sorts them. Here each input has one batch in memory, and a
//! heap says which input's next row comes first. Keys of rows are made bytes that compare as the
//! columns do, a batch at a time.
//!
//! Where inputs are in order of the first columns only, the result is, too: the first key decides
//! before the others.

use arrow::compute::interleave_record_batch;
use arrow::row::{RowConverter, Rows as Keys, SortField};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;

use crate::error::{LakeError, Result};

/// Rows of a batch that comes out.
const BATCH_ROWS: usize = 8 * 1024;
const MERGE: &str = "merge rows";

/// Batches of rows of the same columns.
pub(crate) type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// The rows of all inputs, batch by batch.
pub(crate) struct Merge<'a> {
    /// The columns that decide, the first one first; absent values come first.
    by: Vec<usize>,
    converter: RowConverter,
    inputs: Vec<Input<'a>>,
    /// Inputs that have rows left. A heap: none comes before the one at half its place.
    heap: Vec<usize>,
}

struct Input<'a> {
    rest: Batches<'a>,
    batch: RecordBatch,
    keys: Keys,
    /// The row of the batch that comes next.
    row: usize,
}

impl<'a> Merge<'a> {
    /// # Errors
    /// Columns without an order; inputs that cannot be read.
    pub(crate) fn new(schema: &SchemaRef, by: &[&str], inputs: Vec<Batches<'a>>) -> Result<Self> {
        let by: Vec<usize> = by.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let fields = by.iter().map(|at| SortField::new(schema.field(*at).data_type().clone()));
        let converter = RowConverter::new(fields.collect()).map_err(LakeError::data(MERGE))?;
        let inputs = inputs.into_iter().map(|rest| Input {
            rest,
            batch: RecordBatch::new_empty(schema.clone()),
            keys: converter.empty_rows(0, 0),
            row: 0,
        });
        let inputs: Vec<Input<'a>> = inputs.collect();
        let mut merge = Self { by, converter, inputs, heap: Vec::new() };
        for input in 0..merge.inputs.len() {
            if merge.refill(input)? {
                merge.heap.push(input);
            }
        }
        for place in (0..merge.heap.len() / 2).rev() {
            merge.sift_down(place);
        }
        Ok(merge)
    }

    /// Takes an input's next batch; whether it has one.
    fn refill(&mut self, input: usize) -> Result<bool> {
        let input = &mut self.inputs[input];
        let Some(batch) = input.rest.find(|batch| !is_empty(batch)).transpose()? else {
            return Ok(false);
        };
        let columns: Vec<ArrayRef> = self.by.iter().map(|at| batch.column(*at).clone()).collect();
        let keys = self.converter.convert_columns(&columns).map_err(LakeError::data(MERGE))?;
        (input.batch, input.keys, input.row) = (batch, keys, 0);
        Ok(true)
    }

    /// Whether an input's next row comes before another's; of equal ones that of the first input.
    fn is_before(&self, one: usize, other: usize) -> bool {
        let key = |input: usize| self.inputs[input].keys.row(self.inputs[input].row);
        (key(one), one) < (key(other), other)
    }

    /// Brings the input at this place of the heap down behind those that come before it.
    fn sift_down(&mut self, mut place: usize) {
        loop {
            let mut first = place;
            for child in [2 * place + 1, 2 * place + 2] {
                if child < self.heap.len() && self.is_before(self.heap[child], self.heap[first]) {
                    first = child;
                }
            }
            if first == place {
                return;
            }
            self.heap.swap(place, first);
            place = first;
        }
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        // The batches that rows are picked from: each input's, and those that follow them.
        let mut batches: Vec<RecordBatch> =
            self.inputs.iter().map(|input| input.batch.clone()).collect();
        let mut batch_of: Vec<usize> = (0..batches.len()).collect();
        let mut picked = Vec::with_capacity(BATCH_ROWS);
        while let Some(input) = self.heap.first().copied() {
            let from = &mut self.inputs[input];
            picked.push((batch_of[input], from.row));
            from.row += 1;
            if from.row == from.batch.num_rows() {
                if self.refill(input)? {
                    batch_of[input] = batches.len();
                    batches.push(self.inputs[input].batch.clone());
                } else {
                    self.heap.swap_remove(0);
                }
            }
            self.sift_down(0);
            if picked.len() == BATCH_ROWS {
                break;
            }
        }
        if picked.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        interleave_record_batch(&batches, &picked).map(Some).map_err(LakeError::data(MERGE))
    }
}

fn is_empty(batch: &Result<RecordBatch>) -> bool {
    batch.as_ref().is_ok_and(|batch| batch.num_rows() == 0)
}

impl Iterator for Merge<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::compute::concat_batches;
    use arrow_array::{Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    type Row = (Option<String>, Option<i64>);

    fn batch(rows: &[Row], nth: usize) -> RecordBatch {
        let names: StringArray = rows.iter().map(|(name, _)| name.as_deref()).collect();
        let numbers: Int64Array = rows.iter().map(|(_, number)| *number).collect();
        let nths = Int64Array::from(vec![i64::try_from(nth).expect("small"); rows.len()]);
        RecordBatch::try_from_iter_with_nullable([
            ("name", Arc::new(names) as ArrayRef, true),
            ("number", Arc::new(numbers) as ArrayRef, true),
            ("nth", Arc::new(nths) as ArrayRef, true),
        ])
        .expect("columns of one length")
    }

    proptest! {
        #[test]
        fn merged_rows_are_those_of_a_stable_sort(
            inputs in prop::collection::vec(
                prop::collection::vec(
                    (prop::option::of("[a-c]{0,2}"), prop::option::of(-2..3_i64)), 0..40),
                1..7),
            step in 1..9_usize,
        ) {
            let mut all: Vec<(Row, usize)> = Vec::new();
            let mut sorted = inputs;
            for (nth, rows) in sorted.iter_mut().enumerate() {
                rows.sort();
                all.extend(rows.iter().cloned().map(|row| (row, nth)));
            }
            all.sort();
            let schema = batch(&[], 0).schema();
            let batches = sorted.iter().enumerate().map(|(nth, rows)| {
                let batches = rows.chunks(step).map(move |rows| Ok(batch(rows, nth)));
                Box::new(batches) as Batches<'_>
            });
            let merge = Merge::new(&schema, &["name", "number"], batches.collect()).expect("merge");
            let found = merge.collect::<Result<Vec<_>>>().expect("rows");
            let found = concat_batches(&schema, &found).expect("one batch");
            let expected: Vec<_> =
                all.iter().map(|(row, nth)| batch(std::slice::from_ref(row), *nth)).collect();
            prop_assert_eq!(found, concat_batches(&schema, &expected).expect("one batch"));
        }
    }

    #[test]
    fn a_failed_input_ends_the_merge() {
        let schema = batch(&[], 0).schema();
        let rows = [(Some("a".to_owned()), Some(1))];
        let fails = || Err(LakeError::data("read data file")("torn"));
        let failing: Batches<'_> = Box::new([Ok(batch(&rows, 0)), fails()].into_iter());
        let mut merge = Merge::new(&schema, &["name"], vec![failing]).expect("merge");
        assert!(merge.next().expect("an answer").is_err());
    }
}
