//! Scalar functions: what the states of the aggregate functions say, and names of stored codes.
//!
//! A new one is a file with its function and a line in [`all`].

mod codes;
mod features;
mod measures;
mod readings;
mod regressions;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// Every scalar function, by the name that SQL knows.
#[must_use]
pub fn all() -> Vec<Arc<ScalarUDF>> {
    [readings::all(), regressions::all(), measures::all(), features::all(), codes::all()].concat()
}

/// A function of whole columns.
fn function(
    name: &str,
    arguments: Vec<DataType>,
    returns: DataType,
    columns: fn(&[ArrayRef]) -> Result<ArrayRef>,
) -> Arc<ScalarUDF> {
    let implementation = move |arguments: &[ColumnarValue]| {
        let all_scalar = arguments.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let result = columns(&ColumnarValue::values_to_arrays(arguments)?)?;
        if all_scalar {
            let value = datafusion::common::ScalarValue::try_from_array(&result, 0)?;
            return Ok(ColumnarValue::Scalar(value));
        }
        Ok(ColumnarValue::Array(result))
    };
    let volatility = Volatility::Immutable;
    Arc::new(create_udf(name, arguments, returns, volatility, Arc::new(implementation)))
}
