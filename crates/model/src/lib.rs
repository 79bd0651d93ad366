//! What every part of Turnwise agrees on: ids and their keyed pseudonyms, times,
//! the codes stored in columns, the Arrow schemas of the tables, the limits, and the
//! names of features and verdicts.
//!
//! Pure data: no clock, no file, no socket. The independent oracle of the tests shares
//! this crate with the program and nothing else.

#![forbid(unsafe_code)]

pub mod batch;
pub mod codes;
pub mod conversation;
pub mod features;
pub mod ids;
pub mod keys;
pub mod limits;
pub mod position;
pub mod schema;
pub mod time;
pub mod verdict;

pub use batch::{EventBatch, OffsetRange, SourcePartition};
pub use codes::{
    Category, Direction, EventKind, InteractiveType, MessageKind, Origin, PricingModel,
    PricingRegime, PricingType, Script, Status,
};
pub use ids::{Offset, PartitionId, Pseudonym};
pub use keys::{Keys, Secret, SecretError};
pub use position::{Position, SourceName};
pub use time::{Day, Millis};
pub use verdict::Verdict;
