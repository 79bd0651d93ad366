//! Kafka, as the rest of Turnwise sees it: the only crate that knows librdkafka.
//!
//! ```text
//!            poll_events                        consume_batch
//!  main queue ──────────▶ RebalanceHandler       partition queue ──────▶ sink(RecordRef)
//!  (rebalances, errors,   assigned → offsets     (one per partition,     position moves on
//!   statistics)           revoked, lost           byte-bounded)
//! ```
//!
//! One thread drives a [`Consumer`]. What must stay true:
//! * Every start position is set explicitly, from the lake; the broker's own committed offsets are
//!   written for lag tools and never read.
//! * A partition's records come from its own queue only, in order, from the position on, and
//!   never after its revocation: reading a partition that is not assigned is an error.
//! * A position that the broker refuses stops that partition and becomes an [`Event`] with the
//!   exact range; nothing is skipped unless the caller seeks.

#![deny(unsafe_code)]

mod error;
mod event;
mod partition;

pub use error::{ErrorKind, KafkaError, Retry};
pub use event::Event;
pub use partition::{StartOffset, TopicPartition};
