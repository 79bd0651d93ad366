//! Where a row came from: the address that makes "nothing disappears" checkable.

use crate::ids::{Offset, PartitionId};

/// The input a record was read from: `cluster id/topic id` for Kafka, `file/content hash` for
/// a file, `stdin/fresh id` for standard input. Part of the ingest offsets' key in the lake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(pub String);

/// The address of an item: source, partition, offset, and index within the record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The input.
    pub source: SourceName,
    /// Partition of the input.
    pub partition: PartitionId,
    /// Record within the partition.
    pub offset: Offset,
    /// Item within the record, from 0 in the order that the codec documents.
    pub item: i32,
}

impl SourceName {
    /// The application id of the Delta transaction that holds this partition's next offset.
    #[must_use]
    pub fn transaction_app(&self, ingest_name: &str, partition: PartitionId) -> String {
        format!("{ingest_name}/{}/{}", self.0, partition.0)
    }
}
