//! Which senders a fold is about.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::hash_utils::create_hashes;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, col, create_udf, lit};
use datafusion::physical_plan::repartition::REPARTITION_RANDOM_STATE;
use turnwise_model::schema::column;

/// Senders by name.
pub type Senders = HashSet<String>;

/// One of so many shares of all senders, or of some of them: for folds of more rows than may be
/// held at a time. Which sender is of which share say their names, or a hash, another part of it
/// than the one that says the partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub number: u32,
    pub of: u32,
    /// The names of its senders; where these may be any, the hash says who is of the share.
    pub between: Between,
    /// The senders that count; all if none.
    pub only: Option<Arc<Senders>>,
}

/// Names in a row: from one on, and before another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Between {
    pub from: Option<Arc<str>>,
    pub before: Option<Arc<str>>,
}

impl Between {
    /// What lies before, between and behind some names, which are in order.
    pub fn all_of(names: Vec<String>) -> Vec<Self> {
        let names: Vec<Arc<str>> = names.into_iter().map(Arc::from).collect();
        let from = [None].into_iter().chain(names.iter().cloned().map(Some));
        let before = names.iter().cloned().map(Some).chain([None]);
        from.zip(before).map(|(from, before)| Self { from, before }).collect()
    }

    fn is_any(&self) -> bool {
        self.from.is_none() && self.before.is_none()
    }

    fn holds(&self, name: &str) -> bool {
        self.from.as_ref().is_none_or(|from| **from <= *name)
            && self.before.as_ref().is_none_or(|before| *name < **before)
    }
}

impl Share {
    /// Whether it leaves no sender out.
    pub fn is_all(&self) -> bool {
        self.of <= 1 && self.only.is_none()
    }

    /// What files may be left out by, and parts of them: more senders than the share's may pass.
    pub fn conditions(&self) -> Vec<Expr> {
        let from = self.between.from.as_ref().map(|from| col(column::SENDER).gt_eq(lit(&**from)));
        let before = self.between.before.as_ref();
        let before = before.map(|before| col(column::SENDER).lt(lit(&**before)));
        from.into_iter().chain(before).collect()
    }

    /// Which rows are of the share, by their senders.
    pub(super) fn holds(&self, senders: &ArrayRef) -> Result<BooleanBuffer> {
        let named = self.only.as_ref().map(|only| named(only, senders));
        let in_share = if self.of <= 1 {
            None
        } else if self.between.is_any() {
            Some(self.holds_by_hash(senders)?)
        } else {
            Some(where_named(senders, |name| self.between.holds(name)))
        };
        Ok(match (named, in_share) {
            (Some(named), Some(in_share)) => &named & &in_share,
            (Some(holds), None) | (None, Some(holds)) => holds,
            (None, None) => BooleanBuffer::new_set(senders.len()),
        })
    }

    fn holds_by_hash(&self, senders: &ArrayRef) -> Result<BooleanBuffer> {
        let mut hashes = vec![0; senders.len()];
        create_hashes([senders], REPARTITION_RANDOM_STATE.random_state(), &mut hashes)?;
        // The remainder of the whole hash decides the partition.
        let holds = |hash: u64| (hash >> 32) % u64::from(self.of) == u64::from(self.number);
        Ok(BooleanBuffer::collect_bool(hashes.len(), |row| holds(hashes[row])))
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
    where_named(names, |name| senders.contains(name))
}

/// Which of the names are there and of a kind.
fn where_named(names: &ArrayRef, is_one: impl Fn(&str) -> bool) -> BooleanBuffer {
    let names = names.as_string::<i32>();
    let holds = |row| names.is_valid(row) && is_one(names.value(row));
    BooleanBuffer::collect_bool(names.len(), holds)
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
