//! Functions that only the comparison needs: shape columns of texts, which the product computes
//! while it decodes, and signed peers, which the product's tables have.

use std::sync::Arc;

use anyhow::Context;
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int32Array, Int64Array, StructArray};
use arrow::datatypes::{DataType, Field, Fields, UInt64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use turnwise_kernels::shape::{ShapeColumns, shape};
use turnwise_model::keys::Keys;

use crate::files::keys;

type Picked = fn(ShapeColumns) -> [Int32Array; 2];

pub(super) fn all() -> anyhow::Result<Vec<ScalarUDF>> {
    let keys = Arc::new(keys().context("make keys")?);
    Ok(vec![
        shapes("chars_and_bits", ["chars", "text_bits"], &keys, |all| [all.chars, all.text_bits]),
        shapes("bytes_and_bucket", ["bytes", "text_bucket"], &keys, |all| {
            [all.bytes, all.text_bucket]
        }),
        signed(),
    ])
}

/// A struct of two shape columns of a text; null texts have nulls in it.
fn shapes(name: &str, columns: [&'static str; 2], keys: &Arc<Keys>, pick: Picked) -> ScalarUDF {
    let fields: Fields =
        columns.iter().map(|column| Field::new(*column, DataType::Int32, true)).collect();
    let returns = DataType::Struct(fields.clone());
    let keys = Arc::clone(keys);
    let function = move |arguments: &[ColumnarValue]| {
        let texts = ColumnarValue::values_to_arrays(arguments)?;
        let texts = BinaryArray::from(texts[0].as_string::<i32>().clone());
        let picked = pick(shape(&texts, &keys)).map(|column| Arc::new(column) as ArrayRef);
        let columns = StructArray::try_new(fields.clone(), picked.into(), None)?;
        Ok(ColumnarValue::Array(Arc::new(columns)))
    };
    create_udf(name, vec![DataType::Utf8], returns, Volatility::Immutable, Arc::new(function))
}

/// `signed(u64)`: the same 64 bits.
fn signed() -> ScalarUDF {
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
