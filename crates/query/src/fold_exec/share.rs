//! Shares of the senders, for folds of more rows than may be held at a time: which sender is of
//! which share says a hash, another part of it than the one that says the partition.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use datafusion::common::hash_utils::create_hashes;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::repartition::REPARTITION_RANDOM_STATE;

/// One of so many shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub number: u32,
    pub of: u32,
}

impl Share {
    /// Which rows are of the share, by their senders.
    pub(super) fn holds(self, senders: &ArrayRef) -> Result<BooleanBuffer> {
        let mut hashes = vec![0; senders.len()];
        create_hashes([senders], REPARTITION_RANDOM_STATE.random_state(), &mut hashes)?;
        // The remainder of the whole hash decides the partition.
        let holds = |hash: u64| (hash >> 32) % u64::from(self.of.max(1)) == u64::from(self.number);
        Ok(BooleanBuffer::collect_bool(hashes.len(), |row| holds(hashes[row])))
    }
}

/// `in_share(sender, number, of)`: whether a sender's rows are of that share.
pub(crate) fn in_share() -> ScalarUDF {
    let types = vec![DataType::Utf8, DataType::UInt32, DataType::UInt32];
    create_udf("in_share", types, DataType::Boolean, Volatility::Immutable, Arc::new(is_in_share))
}

fn is_in_share(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let [senders, ColumnarValue::Scalar(number), ColumnarValue::Scalar(of)] = arguments else {
        return internal_err!("a share and their number are constants");
    };
    let (ScalarValue::UInt32(Some(number)), ScalarValue::UInt32(Some(of))) = (number, of) else {
        return internal_err!("a share and their number are numbers");
    };
    let share = Share { number: *number, of: *of };
    let senders = ColumnarValue::values_to_arrays(std::slice::from_ref(senders))?;
    Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(share.holds(&senders[0])?, None))))
}
