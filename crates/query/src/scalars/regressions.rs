//! What a regression's state says of its points, and the logarithm that F24 takes of both.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use turnwise_kernels::{logarithm, regression};
use turnwise_model::conversation::state_type;

use super::function;
use super::readings::{doubles, longs};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let number = |name, columns| function(name, vec![state_type()], DataType::Float64, columns);
    vec![
        function("regression_points", vec![state_type()], DataType::Int64, |a| {
            longs(a, regression::points)
        }),
        number("regression_slope", |a| doubles(a, regression::slope)),
        number("regression_intercept", |a| doubles(a, regression::intercept)),
        number("regression_r", |a| doubles(a, regression::correlation)),
        number("regression_mean_x", |a| doubles(a, regression::mean_x)),
        number("regression_mean_y", |a| doubles(a, regression::mean_y)),
        number("regression_sigma_x", |a| doubles(a, regression::sigma_x)),
        number("regression_sigma_y", |a| doubles(a, regression::sigma_y)),
        function("fixed_ln_1p", vec![DataType::Int64], DataType::Int64, fixed_ln_1p),
    ]
}

/// `fixed_ln_1p(value)`: ln(1 + value) in parts of 2⁻¹⁶, rounded; null of a negative value.
fn fixed_ln_1p(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let values = arguments[0].as_primitive::<Int64Type>().iter();
    Ok(Arc::new(values.map(|value| value.and_then(logarithm::ln_1p)).collect::<Int64Array>()))
}
