//! The address of a record: input, partition, offset, as people write it.

use std::fmt;
use std::str::FromStr;

use turnwise_model::{Offset, PartitionId, SourceName, SourcePartition};

/// A record of an input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The input.
    pub(crate) source: SourceName,
    /// Its partition.
    pub(crate) partition: PartitionId,
    /// The record in it.
    pub(crate) offset: Offset,
}

/// How the names of all transactions of requeued items begin.
pub(crate) const REQUEUE: &str = "requeue/";

impl Place {
    /// A record of a partition.
    pub(crate) fn of(partition: &SourcePartition, offset: Offset) -> Self {
        Self { source: partition.source.clone(), partition: partition.partition, offset }
    }

    /// The partition that the record is in.
    pub(crate) fn source_partition(&self) -> SourcePartition {
        SourcePartition { source: self.source.clone(), partition: self.partition }
    }

    /// The transaction under which one item of the record is requeued.
    pub(crate) fn requeue_app(&self, item: i32) -> String {
        format!("{}{item}", self.requeue_prefix())
    }

    /// The transaction under which what lies behind the record's last known item is added.
    pub(crate) fn rest_app(&self, last_known: i32) -> String {
        format!("{}after/{last_known}", self.requeue_prefix())
    }

    /// How the names of all these transactions of the record begin.
    pub(crate) fn requeue_prefix(&self) -> String {
        format!("{REQUEUE}{}/{}/{}/", self.source.0, self.partition.0, self.offset.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.0, self.partition.0, self.offset.0)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "expected SOURCE:PARTITION:OFFSET as `dead-letters list` prints it".to_owned();
        let mut parts = text.rsplitn(3, ':');
        let offset = parts.next().and_then(|part| part.parse().ok()).ok_or_else(wrong)?;
        let partition = parts.next().and_then(|part| part.parse().ok()).ok_or_else(wrong)?;
        let source = parts.next().filter(|source| !source.is_empty()).ok_or_else(wrong)?;
        Ok(Self {
            source: SourceName(source.to_owned()),
            partition: PartitionId(partition),
            offset: Offset(offset),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_reads_what_it_prints() {
        let place: Place = "cluster/topic:3:42".parse().expect("a place");
        assert_eq!(place.source.0, "cluster/topic");
        assert_eq!((place.partition, place.offset), (PartitionId(3), Offset(42)));
        assert_eq!(place.to_string(), "cluster/topic:3:42");
        assert_eq!(place.requeue_app(1), "requeue/cluster/topic/3/42/1");
        assert_eq!(place.rest_app(1), "requeue/cluster/topic/3/42/after/1");
        assert_eq!(Place::of(&place.source_partition(), place.offset), place);
        for wrong in ["", "a", "a:1", "a:b:1", ":1:2", "a:1:x"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
