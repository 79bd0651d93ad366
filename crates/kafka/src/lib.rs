//! Kafka, as the rest of Turnwise sees it: the only crate that knows librdkafka.
//!
//! ```text
//!            poll                                read
//!  main queue ──▶ Event: assigned, revoked,       partition queue ──▶ sink(RecordRef)
//!                 lost, errors                    (one a partition, bounded in bytes)
//!                    │
//!                    ▼ the driver answers with `assign` (offsets of the lake) or `unassign`
//! ```
//!
//! One thread drives a [`Consumer`]. What must stay true:
//! * Every start position is set explicitly, from the lake; the broker's own committed offsets are
//!   written for lag tools and never read.
//! * A partition's records come from its own queue only, in order, from the position on, and never
//!   after its revocation: reading a partition that is not assigned is an error.
//! * A position that the broker refuses stops that partition and becomes an [`Event`] with the
//!   exact range; nothing is skipped unless the caller seeks.

#![deny(unsafe_code)]

mod admin;
mod config;
mod consumer;
mod context;
mod error;
mod event;
mod mock;
// Batches and topic ids have no safe wrapper: the reason for the one exception.
#[expect(unsafe_code, reason = "librdkafka's batch call and topic ids, in a folder of its own")]
mod native;
mod partition;
mod producer;
mod record;
mod watch;

pub use admin::Admin;
pub use config::ConsumerConfig;
pub use consumer::{Consumer, ReadEnd};
pub use error::{ErrorKind, KafkaError, Retry};
pub use event::Event;
pub use mock::MockCluster;
pub use partition::{StartOffset, TopicPartition};
pub use producer::Producer;
pub use record::RecordRef;
