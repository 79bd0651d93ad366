//! `exact_quantile(value, fraction)`, `exact_quantiles(value, fractions)`: percentiles of whole
//! numbers with linear interpolation; `exact_summary(value, fractions)`: those beside the number of
//! values and their mean. Where the value is a list each of its items counts. Nulls are left out; of
//! no values each answer is null and the number 0.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Float64Type};
use datafusion::common::{Result, ScalarValue, plan_err, resources_err};
use turnwise_kernels::quantile::quantiles;
use turnwise_model::limits::QUANTILE_FRACTIONS_MAX;

use super::exact::{Exact, value_type};
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

    fn new(constants: &[ScalarValue]) -> Result<Self> {
        match constants {
            [ScalarValue::Float64(Some(fraction))] => Ok(Self(checked(*fraction)?)),
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
        with_fractions(Self::NAME, found)
    }

    fn result_type() -> DataType {
        DataType::List(item())
    }

    fn new(constants: &[ScalarValue]) -> Result<Self> {
        Ok(Self(fractions(Self::NAME, constants)?))
    }

    fn results(&self, groups: &mut Grouped) -> Result<ArrayRef> {
        Ok(Arc::new(quantile_lists(&self.0, groups, |_, _| {})?))
    }
}

/// `exact_summary(value, fractions)`: how many values, their mean, and a list of quantiles in the
/// order of the fractions.
#[derive(Clone, Debug)]
pub(super) struct ExactSummary(Vec<f64>);

fn summary() -> Fields {
    let field = |name, data_type, nullable| Field::new(name, data_type, nullable);
    Fields::from(vec![
        field("count", DataType::Int64, false),
        field("mean", DataType::Float64, true),
        field("quantiles", DataType::List(item()), true),
    ])
}

impl Exact for ExactSummary {
    const NAME: &'static str = "exact_summary";
    const IS_DISTINCT: bool = false;

    fn coerce(found: &[DataType]) -> Result<Vec<DataType>> {
        with_fractions(Self::NAME, found)
    }

    fn result_type() -> DataType {
        DataType::Struct(summary())
    }

    fn new(constants: &[ScalarValue]) -> Result<Self> {
        Ok(Self(fractions(Self::NAME, constants)?))
    }

    fn of_nothing() -> Result<ScalarValue> {
        let nothing = summaries(vec![0], vec![None], ListArray::new_null(item(), 1));
        Ok(ScalarValue::Struct(Arc::new(nothing)))
    }

    fn results(&self, groups: &mut Grouped) -> Result<ArrayRef> {
        let (mut counts, mut means) = (Vec::new(), Vec::new());
        let quantiles = quantile_lists(&self.0, groups, |counted, values| {
            let small = (0..).zip(counted).map(|(value, count)| value * i128::from(*count));
            let others = values.iter().map(|value| i128::from(*value));
            let sum: i128 = small.chain(others).sum();
            let counted: usize = counted.iter().map(|count| *count as usize).sum();
            let count = counted + values.len();
            counts.push(count as i64);
            means.push((count > 0).then(|| sum as f64 / count as f64));
        })?;
        Ok(Arc::new(summaries(counts, means, quantiles)))
    }
}

fn summaries(counts: Vec<i64>, means: Vec<Option<f64>>, quantiles: ListArray) -> StructArray {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(counts)),
        Arc::new(Float64Array::from(means)),
        Arc::new(quantiles),
    ];
    StructArray::new(summary(), columns, None)
}

fn with_fractions(name: &str, found: &[DataType]) -> Result<Vec<DataType>> {
    match found {
        [value, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..)] => {
            Ok(vec![value_type(name, value)?, DataType::List(item())])
        }
        _ => plan_err!("{name} takes a value and a list of fractions"),
    }
}

/// The fractions of a constant list.
fn fractions(name: &str, constants: &[ScalarValue]) -> Result<Vec<f64>> {
    let [ScalarValue::List(list)] = constants else {
        return plan_err!("{name} takes a list of fractions from 0 to 1");
    };
    let fractions = list.values().as_primitive_opt::<Float64Type>();
    let Some(fractions) = fractions.filter(|f| f.null_count() == 0 && list.is_valid(0)) else {
        return plan_err!("{name} takes a list of fractions from 0 to 1");
    };
    if fractions.len() > QUANTILE_FRACTIONS_MAX {
        let (found, max) = (fractions.len(), QUANTILE_FRACTIONS_MAX);
        return plan_err!("{name} takes up to {max} fractions, found {found}");
    }
    fractions.values().iter().map(|fraction| checked(*fraction)).collect()
}

/// The quantiles of each group, null where it has no value. Tells `each` a group's values before.
fn quantile_lists(
    fractions: &[f64],
    groups: &mut Grouped,
    mut each: impl FnMut(&[u32], &[i64]),
) -> Result<ListArray> {
    let count = groups.counted.len();
    if i32::try_from(count.saturating_mul(fractions.len())).is_err() {
        return resources_err!("{count} groups have more quantiles than a column holds");
    }
    let (mut found, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    each_group(groups, |counted, values| {
        each(counted, values);
        let before = found.len();
        quantiles(counted, values, fractions, &mut found);
        lengths.push(found.len() - before);
        valid.push(!values.is_empty() || counted.iter().any(|count| *count > 0));
    });
    let offsets = OffsetBuffer::from_lengths(lengths);
    let values = Arc::new(Float64Array::from(found));
    Ok(ListArray::new(item(), offsets, values, Some(NullBuffer::from(valid))))
}

/// Calls with the counted values and the others of each group.
fn each_group(groups: &mut Grouped, mut each: impl FnMut(&[u32], &mut [i64])) {
    let mut counts = Vec::new();
    for (values, counted) in groups.values.groups_mut().zip(&groups.counted) {
        counts.clear();
        counts.extend(counted.counts());
        each(&counts, values);
    }
}

fn checked(fraction: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&fraction) {
        Ok(fraction)
    } else {
        plan_err!("a fraction lies from 0 to 1, found {fraction}")
    }
}
