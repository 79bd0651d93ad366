//! The settings of a consumer: ours, and what the configuration passes through.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

use crate::error::KafkaError;

/// Properties that correctness hangs on: the lake, not Kafka, knows the offsets.
const OURS: [(&str, &str); 6] = [
    ("bootstrap.servers", "[kafka] brokers names them"),
    ("group.id", "[kafka] group names it"),
    ("enable.auto.commit", "offsets are in the lake"),
    ("enable.auto.offset.store", "offsets are in the lake"),
    ("auto.offset.reset", "every start position is set explicitly"),
    ("partition.assignment.strategy", "members give partitions up one by one"),
];

/// How to read topics.
#[derive(Clone, Debug, Default)]
pub struct ConsumerConfig {
    /// Bootstrap addresses.
    pub brokers: String,
    /// Consumer group.
    pub group: String,
    /// Stable member name, so that a restart is no rebalance.
    pub member: Option<String>,
    /// Topics.
    pub topics: Vec<String>,
    /// Passed to librdkafka as they are, except those that Turnwise must own.
    pub properties: BTreeMap<String, String>,
    /// Whether topics are told apart by their ids; mock clusters have none.
    pub topic_ids: bool,
    /// Bytes that the client may fetch ahead for one partition.
    pub partition_buffer_bytes: usize,
}

impl ConsumerConfig {
    /// Refuses properties that Turnwise must own.
    ///
    /// # Errors
    /// [`KafkaError::Property`] with the first such property.
    pub fn check(&self) -> Result<(), KafkaError> {
        match OURS.iter().find(|(key, _)| self.properties.contains_key(*key)) {
            Some((key, reason)) => {
                Err(KafkaError::Property { key: (*key).to_owned(), reason: (*reason).to_owned() })
            }
            None => Ok(()),
        }
    }

    pub(crate) fn client(&self) -> Result<ClientConfig, KafkaError> {
        self.check()?;
        let kbytes = (self.partition_buffer_bytes / 1024).clamp(64, 1 << 20).to_string();
        let mut config = ClientConfig::new();
        for (key, value) in [
            ("client.id", "turnwise"),
            ("enable.partition.eof", "true"),
            ("isolation.level", "read_committed"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("session.timeout.ms", "45000"),
            ("fetch.wait.max.ms", "100"),
            ("fetch.queue.backoff.ms", "20"),
            // Deep queues make it slower per message: they fall out of the processor's cache.
            ("queued.min.messages", "10000"),
            ("queued.max.messages.kbytes", &kbytes),
            ("statistics.interval.ms", "10000"),
            // How soon new partitions and recreated topics are seen.
            ("topic.metadata.refresh.interval.ms", "30000"),
        ] {
            config.set(key, value);
        }
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config.set("group.id", &self.group);
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "error");
        if let Some(member) = &self.member {
            config.set("group.instance.id", member);
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_that_move_offsets_are_refused() {
        let mut config = ConsumerConfig::default();
        config.properties.insert("security.protocol".into(), "SASL_SSL".into());
        assert!(config.check().is_ok());
        config.properties.insert("auto.offset.reset".into(), "latest".into());
        assert!(
            matches!(config.check(), Err(KafkaError::Property { key, .. }) if key == "auto.offset.reset")
        );
    }
}
