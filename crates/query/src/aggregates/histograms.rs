//! `histogram(value)`: counts by bucket.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use turnwise_kernels::counts::Counts;

use super::frame::Rows;

/// `histogram(value)`: counts values in buckets 2 % wide, exact up to 255; nulls are left out.
pub(super) struct Histogram;

impl Rows for Histogram {
    const NAME: &'static str = "histogram";
    type State = Counts;
    type Columns<'a> = &'a Int64Array;

    fn arguments() -> Vec<DataType> {
        vec![DataType::Int64]
    }

    fn columns(values: &[ArrayRef]) -> Result<&Int64Array> {
        Ok(values[0].as_primitive::<Int64Type>())
    }

    fn update(counts: &mut Counts, values: &&Int64Array, row: usize) {
        if values.is_valid(row) {
            counts.add_value(values.value(row));
        }
    }

    fn fetch(counts: &Counts, values: &&Int64Array, row: usize) {
        if values.is_valid(row) {
            counts.fetch_value(values.value(row));
        }
    }
}
