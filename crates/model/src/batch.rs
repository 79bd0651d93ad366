//! What travels from the codec through ingest into the lake: columns of one kind and date,
//! and how far each partition was read.

use arrow_array::RecordBatch;

use crate::codes::EventKind;
use crate::ids::{Offset, PartitionId};
use crate::position::SourceName;
use crate::time::Day;

/// Rows of one kind and date, in the columns of [`crate::schema::file_schema`].
#[derive(Clone, Debug)]
pub struct EventBatch {
    /// Partition value `kind`.
    pub kind: EventKind,
    /// Partition value `date`.
    pub date: Day,
    /// The rows.
    pub rows: RecordBatch,
}

/// One partition of one input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePartition {
    /// The input.
    pub source: SourceName,
    /// Its partition.
    pub partition: PartitionId,
}

/// A range of offsets `[from, to)` of one partition that a commit adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetRange {
    /// What was read.
    pub partition: SourcePartition,
    /// Where reading began; `None` where the lake knew no offset of this partition.
    pub from: Option<Offset>,
    /// The next offset to read.
    pub to: Offset,
}
