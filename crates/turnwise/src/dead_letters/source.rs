//! Single records read again from their topics, outside of any consumer group.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use turnwise_kafka::{Consumer, ConsumerConfig, StartOffset, TopicPartition};
use turnwise_model::Millis;

use super::place::Place;
use crate::config::KafkaConfig;

/// How long the broker may take to hand a record over.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes that the client fetches ahead: one record is wanted.
const BUFFER_BYTES: usize = 1 << 20;

/// A record as it is in its topic.
pub(crate) struct Found {
    /// The topic.
    pub(crate) topic: String,
    /// The record's time, where it has one.
    pub(crate) time: Option<Millis>,
    /// Names and values of its headers, in order.
    pub(crate) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Its value; none in a tombstone.
    pub(crate) value: Option<Vec<u8>>,
}

/// The configured topics, for a look at single records.
pub(crate) struct Source {
    consumer: Consumer,
    topics: Vec<String>,
}

impl Source {
    /// Connects.
    pub(crate) fn new(kafka: &KafkaConfig) -> anyhow::Result<Self> {
        let topics = kafka.topics();
        let consumer = Consumer::apart(&ConsumerConfig {
            brokers: kafka.brokers.join(","),
            group: kafka.group.clone(),
            member: None,
            topics: topics.clone(),
            properties: kafka.properties.clone(),
            topic_ids: kafka.topic_ids,
            partition_buffer_bytes: BUFFER_BYTES,
        })
        .context("connect to Kafka")?;
        Ok(Self { consumer, topics })
    }

    /// The record at a place; `None` where the broker no longer has it.
    pub(crate) fn record(&mut self, place: &Place) -> anyhow::Result<Option<Found>> {
        let partition = self.partition(place)?;
        let start = StartOffset::Offset(place.offset);
        self.consumer.assign(&[(partition.clone(), start)]).context("take the partition on")?;
        let found = self.wait_for(&partition, place);
        self.consumer.unassign(std::slice::from_ref(&partition)).context("give it back")?;
        found
    }

    fn partition(&self, place: &Place) -> anyhow::Result<TopicPartition> {
        let cluster = self.consumer.cluster_id();
        let of = |topic: &String| self.consumer.partition(topic, place.partition.0);
        let found = self.topics.iter().map(of).find(|p| p.source_name(cluster) == place.source);
        found.with_context(|| {
            format!("{place} is of no configured topic: another cluster, a topic that was deleted and made again, or a file")
        })
    }

    fn wait_for(
        &mut self,
        partition: &TopicPartition,
        place: &Place,
    ) -> anyhow::Result<Option<Found>> {
        let deadline = Instant::now() + ANSWER_WITHIN;
        while Instant::now() < deadline {
            let mut found = None;
            let (end, event) = self.consumer.read(partition, 1, &mut |record| {
                if record.offset == place.offset {
                    found = Some(Found {
                        topic: partition.topic.clone(),
                        time: record.time,
                        headers: record
                            .headers()
                            .into_iter()
                            .map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)))
                            .collect(),
                        value: record.value.map(<[u8]>::to_vec),
                    });
                }
            })?;
            // Compacted away, cut off by retention, or behind the end of the log.
            if found.is_some() || end.position > place.offset || end.at_end || event.is_some() {
                return Ok(found);
            }
            self.consumer.poll(Duration::ZERO);
            self.consumer.wait(PAUSE);
        }
        bail!("read {place}: the broker did not answer in {} s", ANSWER_WITHIN.as_secs())
    }
}
