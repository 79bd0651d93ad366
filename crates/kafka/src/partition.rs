//! A partition of a topic, and where reading it starts.

use std::fmt;

use turnwise_model::{Millis, Offset, PartitionId, SourceName};

/// One partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The topic's id in its URL-safe base64 form, where the broker tells one. A topic that was
    /// deleted and made again has another.
    pub topic_id: Option<String>,
    /// The partition.
    pub partition: PartitionId,
}

/// Where to start reading an assigned partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOffset {
    /// At this offset: the next one that the lake does not have.
    Offset(Offset),
    /// At the first record that the broker still has.
    Earliest,
    /// After the last record.
    Latest,
    /// At the first record of this time or later; after the last record if there is none.
    Time(Millis),
}

impl TopicPartition {
    /// The input's name in the lake: cluster, and topic id or else the topic's name.
    #[must_use]
    pub fn source_name(&self, cluster_id: &str) -> SourceName {
        let topic = self.topic_id.as_deref().unwrap_or(&self.topic);
        SourceName(format!("{cluster_id}/{topic}"))
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.topic, self.partition.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_named_by_topic_id_and_else_by_name() {
        let mut partition = TopicPartition {
            topic: "webhooks".into(),
            topic_id: Some("a-b_c".into()),
            partition: PartitionId(3),
        };
        assert_eq!(partition.source_name("cluster").0, "cluster/a-b_c");
        partition.topic_id = None;
        assert_eq!(partition.source_name("cluster").0, "cluster/webhooks");
        assert_eq!(partition.to_string(), "webhooks[3]");
    }
}
