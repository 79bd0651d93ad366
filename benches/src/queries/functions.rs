//! A function that only the comparison needs: signed peers, which the product's tables have.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::{DataType, UInt64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// `signed(u64)`: the same 64 bits.
pub(super) fn signed() -> ScalarUDF {
    let function = |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let unsigned = arrays[0].as_primitive::<UInt64Type>();
        let values = unsigned.values().inner().clone();
        let signed = Int64Array::new(values.into(), unsigned.nulls().cloned());
        Ok(ColumnarValue::Array(Arc::new(signed)))
    };
    let (from, to) = (vec![DataType::UInt64], DataType::Int64);
    create_udf("signed", from, to, Volatility::Immutable, Arc::new(function))
}
