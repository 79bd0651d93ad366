//! `share(hits, n)` and `feature(name, value, n, texts_known)`: the rules every feature shares.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;
use turnwise_model::features::Feature;

use super::function;

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function("share", vec![DataType::Int64, DataType::Int64], DataType::Float64, share),
        function(
            "feature",
            vec![DataType::Utf8, DataType::Float64, DataType::Int64, DataType::Boolean],
            DataType::Float64,
            feature,
        ),
    ]
}

/// `share(hits, n)`: their quotient; null where n is 0.
#[expect(clippy::cast_precision_loss, reason = "the one division; counts below 2^53 are exact")]
fn share(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (hits, n) =
        (arguments[0].as_primitive::<Int64Type>(), arguments[1].as_primitive::<Int64Type>());
    let values = hits.iter().zip(n.iter()).map(|(hits, n)| {
        let n = n.filter(|n| *n != 0)?;
        Some(hits? as f64 / n as f64)
    });
    Ok(Arc::new(values.collect::<Float64Array>()))
}

/// `feature(name, value, n, texts_known)`: the value, or null where the support is below the
/// feature's minimum, or where it needs texts and too few came along.
fn feature(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let names = arguments[0].as_string::<i32>();
    let values = arguments[1].as_primitive::<Float64Type>();
    let support = arguments[2].as_primitive::<Int64Type>();
    let texts_known = arguments[3].as_boolean();
    let Some(name) = names.iter().flatten().next() else {
        return Ok(Arc::new(Float64Array::new_null(values.len())));
    };
    let Some(known) = Feature::from_name(name) else {
        return exec_err!("feature: no feature is named so");
    };
    let result = (0..values.len()).map(|row| {
        let enough = support.is_valid(row) && support.value(row) >= known.support_min;
        let texts = !known.needs_text || (texts_known.is_valid(row) && texts_known.value(row));
        (enough && texts && values.is_valid(row)).then(|| values.value(row))
    });
    Ok(Arc::new(result.collect::<Float64Array>()))
}
