//! `histogram(value)` and `histogram_merge(state)`: counts by bucket, or by code.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use turnwise_kernels::counts::Counts;
use turnwise_kernels::histogram;
use turnwise_model::conversation::state_type;

use super::frame::{Lists, MergeState};

/// `histogram(value)`: counts values in buckets 2 % wide, exact up to 255; nulls are left out.
#[derive(Default)]
pub(super) struct Histogram(Counts);

impl MergeState for Histogram {
    const NAME: &'static str = "histogram";
    type Columns<'a> = &'a Int64Array;

    fn arguments() -> Vec<DataType> {
        vec![DataType::Int64]
    }

    fn columns(values: &[ArrayRef]) -> Result<&Int64Array> {
        Ok(values[0].as_primitive::<Int64Type>())
    }

    fn update(&mut self, values: &&Int64Array, row: usize) {
        if values.is_valid(row) {
            self.0.add(histogram::bucket(values.value(row)), 1);
        }
    }

    fn fetch(&self, values: &&Int64Array, row: usize) {
        let value = values.value(row);
        if values.is_valid(row) && value < histogram::NEAR {
            self.0.fetch(histogram::bucket(value));
        }
    }

    fn state_len(&self) -> usize {
        self.0.state_len()
    }

    fn append_state(&self, state: &mut Vec<i64>) {
        self.0.append_state(state);
    }

    fn append_partial(&self, partial: &mut Vec<i64>) {
        self.0.append_packed(partial);
    }

    fn merge(&mut self, partial: &[i64]) {
        self.0.merge_packed(partial);
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// `histogram_merge(state)`: adds the counts of histograms, or of any counts by code.
#[derive(Default)]
pub(super) struct HistogramMerge(Counts);

impl MergeState for HistogramMerge {
    const NAME: &'static str = "histogram_merge";
    type Columns<'a> = Lists<'a>;

    fn arguments() -> Vec<DataType> {
        vec![state_type()]
    }

    fn columns(values: &[ArrayRef]) -> Result<Lists<'_>> {
        Lists::new(&values[0])
    }

    fn update(&mut self, states: &Lists<'_>, row: usize) {
        self.0.merge(states.value(row));
    }

    fn state_len(&self) -> usize {
        self.0.state_len()
    }

    fn append_state(&self, state: &mut Vec<i64>) {
        self.0.append_state(state);
    }

    fn append_partial(&self, partial: &mut Vec<i64>) {
        self.0.append_packed(partial);
    }

    fn merge(&mut self, partial: &[i64]) {
        self.0.merge_packed(partial);
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
