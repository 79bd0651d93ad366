//! Administrative requests: topics, their partitions and their oldest records.

use std::time::Duration;

use futures::executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::error::KafkaError;

/// How long a request may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Asks a cluster to change topics.
pub struct Admin {
    native: AdminClient<DefaultClientContext>,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Admin")
    }
}

impl Admin {
    /// For a cluster.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn new(brokers: &str) -> Result<Self, KafkaError> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers);
        Ok(Self { native: config.create().map_err(KafkaError::create)? })
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// The cluster refuses or does not answer.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), KafkaError> {
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        let answer = block_on(self.native.create_topics([&new], &Self::options()));
        Self::outcome("create topic", answer)
    }

    /// Makes a topic whose records stay, however old their times say they are.
    ///
    /// # Errors
    /// The cluster refuses or does not answer.
    pub fn create_lasting_topic(&self, topic: &str, partitions: i32) -> Result<(), KafkaError> {
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        let new = new.set("retention.ms", "-1");
        let answer = block_on(self.native.create_topics([&new], &Self::options()));
        Self::outcome("create topic", answer)
    }

    /// Deletes a topic.
    ///
    /// # Errors
    /// The cluster refuses or does not answer.
    pub fn delete_topic(&self, topic: &str) -> Result<(), KafkaError> {
        let answer = block_on(self.native.delete_topics(&[topic], &Self::options()));
        Self::outcome("delete topic", answer)
    }

    /// Gives a topic more partitions.
    ///
    /// # Errors
    /// The cluster refuses or does not answer.
    pub fn add_partitions(&self, topic: &str, partitions: usize) -> Result<(), KafkaError> {
        let new = NewPartitions::new(topic, partitions);
        let answer = block_on(self.native.create_partitions([&new], &Self::options()));
        Self::outcome("add partitions", answer)
    }

    /// Deletes the records of a partition before an offset, as retention does.
    ///
    /// # Errors
    /// The cluster refuses or does not answer.
    pub fn delete_records(
        &self,
        topic: &str,
        partition: i32,
        before: i64,
    ) -> Result<(), KafkaError> {
        let operation = "delete records";
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(before))
            .map_err(KafkaError::client(operation))?;
        block_on(self.native.delete_records(&list, &Self::options()))
            .map(drop)
            .map_err(KafkaError::client(operation))
    }

    fn options() -> AdminOptions {
        AdminOptions::new().operation_timeout(Some(WITHIN)).request_timeout(Some(WITHIN))
    }

    fn outcome(
        operation: &'static str,
        answer: rdkafka::error::KafkaResult<Vec<rdkafka::admin::TopicResult>>,
    ) -> Result<(), KafkaError> {
        let results = answer.map_err(KafkaError::client(operation))?;
        for result in results {
            result.map_err(|(item, code)| KafkaError::Refused { operation, item, code })?;
        }
        Ok(())
    }
}
