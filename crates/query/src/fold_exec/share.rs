//! Which senders a fold is about.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::hash_utils::create_hashes;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::repartition::REPARTITION_RANDOM_STATE;

/// Senders by name.
pub type Senders = HashSet<String>;

/// One of so many shares of all senders, or of some of them: for folds of more rows than may be
/// held at a time. Which sender is of which share says a hash, another part of it than the one that
/// says the partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub number: u32,
    pub of: u32,
    /// The senders that count; all if none.
    pub only: Option<Arc<Senders>>,
}

impl Share {
    /// Whether it leaves no sender out.
    pub fn is_all(&self) -> bool {
        self.of <= 1 && self.only.is_none()
    }

    /// Which rows are of the share, by their senders.
    pub(super) fn holds(&self, senders: &ArrayRef) -> Result<BooleanBuffer> {
        let named = self.only.as_ref().map(|only| named(only, senders));
        if self.of <= 1 {
            return Ok(named.unwrap_or_else(|| BooleanBuffer::new_set(senders.len())));
        }
        let mut hashes = vec![0; senders.len()];
        create_hashes([senders], REPARTITION_RANDOM_STATE.random_state(), &mut hashes)?;
        // The remainder of the whole hash decides the partition.
        let holds = |hash: u64| (hash >> 32) % u64::from(self.of) == u64::from(self.number);
        let in_share = BooleanBuffer::collect_bool(hashes.len(), |row| holds(hashes[row]));
        Ok(match named {
            Some(named) => &named & &in_share,
            None => in_share,
        })
    }

    /// `in_share(sender)`: whether a sender's rows are of the share.
    pub fn filter(&self) -> ScalarUDF {
        let share = self.clone();
        boolean_of_sender("in_share", move |senders| share.holds(senders))
    }
}

/// `is_named(sender)`: whether the sender is one of these.
pub(crate) fn is_named(senders: Arc<Senders>) -> ScalarUDF {
    boolean_of_sender("is_named", move |names| Ok(named(&senders, names)))
}

/// Which of the names are of these senders.
pub(crate) fn named(senders: &Senders, names: &ArrayRef) -> BooleanBuffer {
    let names = names.as_string::<i32>();
    let is_named = |row| names.is_valid(row) && senders.contains(names.value(row));
    BooleanBuffer::collect_bool(names.len(), is_named)
}

fn boolean_of_sender(
    name: &str,
    says: impl Fn(&ArrayRef) -> Result<BooleanBuffer> + Send + Sync + 'static,
) -> ScalarUDF {
    let says = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(says(&arrays[0])?, None))))
    };
    let types = vec![DataType::Utf8];
    create_udf(name, types, DataType::Boolean, Volatility::Immutable, Arc::new(says))
}
