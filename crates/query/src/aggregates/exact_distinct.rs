//! `exact_distinct(value)`: how many different whole numbers there are. Where the value is a list
//! each of its items counts. Nulls are left out.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use turnwise_kernels::ordering::Orderer;

use super::exact::{Exact, value_type};
use super::values::Grouped;

/// `exact_distinct(value)`.
#[derive(Clone, Debug)]
pub(super) struct ExactDistinct;

impl Exact for ExactDistinct {
    const NAME: &'static str = "exact_distinct";
    const IS_DISTINCT: bool = true;

    fn coerce(found: &[DataType]) -> Result<Vec<DataType>> {
        match found {
            [value] => Ok(vec![value_type(Self::NAME, value)?]),
            _ => plan_err!("{} takes one value", Self::NAME),
        }
    }

    fn result_type() -> DataType {
        DataType::Int64
    }

    fn new(_: &[ScalarValue]) -> Result<Self> {
        Ok(Self)
    }

    fn of_nothing() -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn results(&self, groups: &mut Grouped) -> Result<ArrayRef> {
        Orderer::default().sort_groups(&mut groups.values);
        let distinct = groups.values.groups().map(|values| {
            let differing = values.windows(2).filter(|pair| pair[0] != pair[1]).count();
            (differing + usize::from(!values.is_empty())) as i64
        });
        Ok(Arc::new(Int64Array::from_iter_values(distinct)))
    }
}
