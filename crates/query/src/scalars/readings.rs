//! Numbers read off one state: quantiles, totals, estimates, entropies.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use turnwise_kernels::{entropy, histogram, samples};
use turnwise_model::conversation::state_type;

use super::function;
use crate::aggregates::Lists;

/// Hours of a day.
const HOURS: i64 = 24;

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let state = || vec![state_type()];
    vec![
        function(
            "hist_quantile",
            vec![state_type(), DataType::Int64, DataType::Int64],
            DataType::Float64,
            quantile,
        ),
        function("hist_total", state(), DataType::Int64, |a| longs(a, histogram::total)),
        function("peer_estimate", state(), DataType::Int64, |a| longs(a, samples::peer_estimate)),
        function("entropy_bits", state(), DataType::Float64, |a| doubles(a, entropy::entropy_bits)),
        function("hour_entropy", state(), DataType::Float64, |a| {
            doubles(a, |state| entropy::relative_entropy(state, HOURS))
        }),
    ]
}

/// `hist_quantile(state, p, q)`: the ⌈p n ÷ q⌉-th smallest of n values; null where there are none.
fn quantile(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let states = Lists::new(&arguments[0])?;
    let (p, q) =
        (arguments[1].as_primitive::<Int64Type>(), arguments[2].as_primitive::<Int64Type>());
    let values = (0..arguments[0].len()).map(|row| {
        let given = p.is_valid(row) && q.is_valid(row);
        given.then(|| histogram::quantile(states.value(row), p.value(row), q.value(row))).flatten()
    });
    Ok(Arc::new(values.collect::<Float64Array>()))
}

pub(super) fn longs(arguments: &[ArrayRef], read: impl Fn(&[i64]) -> i64) -> Result<ArrayRef> {
    let states = Lists::new(&arguments[0])?;
    let values = (0..arguments[0].len()).map(|row| read(states.value(row)));
    Ok(Arc::new(values.collect::<Int64Array>()))
}

pub(super) fn doubles(
    arguments: &[ArrayRef],
    read: impl Fn(&[i64]) -> Option<f64>,
) -> Result<ArrayRef> {
    let states = Lists::new(&arguments[0])?;
    let values = (0..arguments[0].len()).map(|row| read(states.value(row)));
    Ok(Arc::new(values.collect::<Float64Array>()))
}
