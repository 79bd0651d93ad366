//! The calls of librdkafka that have no safe wrapper, each behind a safe function.

mod queue;
mod topics;

pub(crate) use queue::{Item, PartitionQueue, Record, Wake};
pub(crate) use topics::{Topic, Topics, TopicsQuestion};
