//! `regression(x, y)` and `regression_merge(state)`: sums of points that a line is laid through.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use turnwise_kernels::regression::Regression;

use super::frame::{Rows, State};

/// `regression_merge(state)`: adds the points of regressions.
impl State for Regression {
    const MERGE: &'static str = "regression_merge";

    fn merge(&mut self, state: &[i64]) {
        self.merge(state);
    }

    fn append_state(&self, state: &mut Vec<i64>) {
        self.append_state(state);
    }

    fn state_len(&self) -> usize {
        self.state_len()
    }

    fn size(&self) -> usize {
        self.size()
    }
}

/// `regression(x, y)`: the points (x, y); those of which one is null are left out.
pub(super) struct Regressions;

impl Rows for Regressions {
    const NAME: &'static str = "regression";
    type State = Regression;
    type Columns<'a> = [&'a Int64Array; 2];

    fn arguments() -> Vec<DataType> {
        vec![DataType::Int64; 2]
    }

    fn columns(values: &[ArrayRef]) -> Result<[&Int64Array; 2]> {
        Ok([0, 1].map(|at: usize| values[at].as_primitive::<Int64Type>()))
    }

    fn update(sums: &mut Regression, [x, y]: &[&Int64Array; 2], row: usize) {
        if x.is_valid(row) && y.is_valid(row) {
            sums.add(x.value(row), y.value(row));
        }
    }
}
