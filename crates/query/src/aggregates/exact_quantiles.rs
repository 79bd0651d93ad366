//! `exact_quantile(value, fraction)` and `exact_quantiles(value, fractions)`: percentiles of whole
//! numbers with linear interpolation. Where the value is a list each of its items counts. Nulls are
//! left out; of no values the answer is null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use turnwise_kernels::quantile::quantiles;

use super::exact::{Exact, constant, value_type};
use super::values::Grouped;

/// `exact_quantile(value, fraction)`.
#[derive(Clone, Debug)]
pub(super) struct ExactQuantile(f64);

impl Exact for ExactQuantile {
    const NAME: &'static str = "exact_quantile";
    const IS_DISTINCT: bool = false;

    fn coerce(found: &[DataType]) -> Result<Vec<DataType>> {
        match found {
            [value, _] => Ok(vec![value_type(Self::NAME, value)?, DataType::Float64]),
            _ => plan_err!("{} takes a value and a fraction", Self::NAME),
        }
    }

    fn result_type() -> DataType {
        DataType::Float64
    }

    fn new(args: &AccumulatorArgs<'_>) -> Result<Self> {
        let fraction = constant(args, 1)?;
        match fraction {
            ScalarValue::Float64(Some(fraction)) => Ok(Self(checked(fraction)?)),
            _ => plan_err!("{} takes a fraction from 0 to 1", Self::NAME),
        }
    }

    fn results(&self, groups: &mut Grouped) -> Result<ArrayRef> {
        let mut results = Vec::with_capacity(groups.counted.len());
        let mut found = Vec::new();
        each_group(groups, |counted, values| {
            found.clear();
            quantiles(counted, values, &[self.0], &mut found);
            results.push(found.first().copied());
        });
        Ok(Arc::new(Float64Array::from(results)))
    }
}

/// `exact_quantiles(value, fractions)`: a list in the order of the fractions.
#[derive(Clone, Debug)]
pub(super) struct ExactQuantiles(Vec<f64>);

fn item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float64, true))
}

impl Exact for ExactQuantiles {
    const NAME: &'static str = "exact_quantiles";
    const IS_DISTINCT: bool = false;

    fn coerce(found: &[DataType]) -> Result<Vec<DataType>> {
        match found {
            [value, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..)] => {
                Ok(vec![value_type(Self::NAME, value)?, DataType::List(item())])
            }
            _ => plan_err!("{} takes a value and a list of fractions", Self::NAME),
        }
    }

    fn result_type() -> DataType {
        DataType::List(item())
    }

    fn new(args: &AccumulatorArgs<'_>) -> Result<Self> {
        let ScalarValue::List(list) = constant(args, 1)? else {
            return plan_err!("{} takes a list of fractions from 0 to 1", Self::NAME);
        };
        let fractions = list.values().as_primitive_opt::<Float64Type>();
        let Some(fractions) = fractions.filter(|f| f.null_count() == 0 && list.is_valid(0)) else {
            return plan_err!("{} takes a list of fractions from 0 to 1", Self::NAME);
        };
        fractions
            .values()
            .iter()
            .map(|fraction| checked(*fraction))
            .collect::<Result<_>>()
            .map(Self)
    }

    fn results(&self, groups: &mut Grouped) -> Result<ArrayRef> {
        let (mut found, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
        each_group(groups, |counted, values| {
            let before = found.len();
            quantiles(counted, values, &self.0, &mut found);
            lengths.push(found.len() - before);
            valid.push(!values.is_empty() || counted.iter().any(|count| *count > 0));
        });
        let offsets = OffsetBuffer::from_lengths(lengths);
        let values = Arc::new(Float64Array::from(found));
        Ok(Arc::new(ListArray::new(item(), offsets, values, Some(NullBuffer::from(valid)))))
    }
}

/// Calls with the counted values and the others of each group.
fn each_group(groups: &mut Grouped, mut each: impl FnMut(&[u32], &mut [i64])) {
    for (values, counted) in groups.values.groups_mut().zip(&groups.counted) {
        each(counted, values);
    }
}

fn checked(fraction: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&fraction) {
        Ok(fraction)
    } else {
        plan_err!("a fraction lies from 0 to 1, found {fraction}")
    }
}
