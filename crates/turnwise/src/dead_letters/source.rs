//! Single records read again from their topics, outside of any consumer group.
//!
//! What becomes of one is told apart: it is here, the broker no longer has it, the client cannot
//! decode what the broker has, or its partition cannot be reached now.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use turnwise_kafka::{Consumer, ConsumerConfig, ErrorKind, Event, StartOffset, TopicPartition};
use turnwise_model::{Millis, Offset, SourceName};

use super::place::Place;
use crate::config::KafkaConfig;
use crate::writer::chain;

/// How long the broker may take to hand a record over.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes that the client fetches ahead: one record is wanted.
const BUFFER_BYTES: usize = 1 << 20;
/// How the names of inputs begin that were never a topic.
const NO_TOPICS: [&str; 2] = ["file/", "stdin/"];

/// A record as it is in its topic.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Here it is.
    Record(Found),
    /// The broker no longer has it.
    Gone,
    /// The client cannot decode what the broker has there.
    Unreadable(String),
    /// Nothing of its partition can be had now.
    Unreached(String),
}

/// Where records are read again.
pub(crate) trait Records {
    /// Whether records of an input can be had at all; else why not.
    fn serves(&self, source: &SourceName) -> Result<(), String>;

    /// The record at a place.
    fn record(&mut self, place: &Place) -> Answer;
}

/// The configured topics, for a look at single records.
pub(crate) struct Source {
    consumer: Consumer,
    /// Configured topics that the cluster does not have.
    missing: Vec<String>,
    /// Why the client is lost, if it is.
    lost: Option<String>,
}

impl Source {
    /// Connects. A topic that is missing keeps nobody from the records of the others.
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
        let is_missing = |topic: &String| !consumer.topics().contains(topic);
        let missing = topics.into_iter().filter(is_missing).collect();
        Ok(Self { consumer, missing, lost: None })
    }

    /// The configured topic that is this input.
    fn topic(&self, source: &SourceName) -> Option<&String> {
        let cluster = self.consumer.cluster_id();
        let is_it =
            |topic: &&String| self.consumer.partition(topic, 0).source_name(cluster) == *source;
        self.consumer.topics().iter().find(is_it)
    }

    fn wait_for(&mut self, partition: &TopicPartition, offset: Offset) -> Answer {
        let deadline = Instant::now() + ANSWER_WITHIN;
        let mut trouble = String::new();
        while Instant::now() < deadline {
            let mut found = None;
            let read = self.consumer.read(partition, 1, &mut |record| {
                if record.offset == offset {
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
            });
            let (end, event) = match read {
                Ok(read) => read,
                Err(error) => return Answer::Unreached(chain(&error)),
            };
            if let Some(found) = found {
                return Answer::Record(found);
            }
            match event.map(|event| judged(event, &partition.topic)) {
                Some(Judged::Answer(answer)) => return answer,
                Some(Judged::Trouble(reason)) => trouble = format!(": {reason}"),
                // Compacted away, or behind the end of the log.
                None | Some(Judged::Nothing) if end.position > offset || end.at_end => {
                    return Answer::Gone;
                }
                None | Some(Judged::Nothing) => {}
            }
            for event in self.consumer.poll(Duration::ZERO) {
                if let Event::Error { fatal: true, reason, .. } = event {
                    self.lost = Some(format!("the client is lost: {reason}"));
                    return Answer::Unreached(self.lost.clone().unwrap_or_default());
                }
                match judged(event, &partition.topic) {
                    // What is no answer on a queue of its own may concern another partition.
                    Judged::Answer(Answer::Unreached(reason)) | Judged::Trouble(reason) => {
                        trouble = format!(": {reason}");
                    }
                    Judged::Answer(_) | Judged::Nothing => {}
                }
            }
            self.consumer.wait(PAUSE);
        }
        let within = ANSWER_WITHIN.as_secs();
        Answer::Unreached(format!("the broker did not answer in {within} s{trouble}"))
    }
}

impl Records for Source {
    fn serves(&self, source: &SourceName) -> Result<(), String> {
        if NO_TOPICS.iter().any(|start| source.0.starts_with(start)) {
            return Err("it is a file or standard input and no topic: scan it again".to_owned());
        }
        if let Some(reason) = &self.lost {
            return Err(reason.clone());
        }
        if self.topic(source).is_some() {
            return Ok(());
        }
        let mut reason = "it is no configured topic: another cluster, a topic that was taken out \
                          of the configuration, or one that was deleted and made again"
            .to_owned();
        if !self.missing.is_empty() {
            let missing = self.missing.join(", ");
            reason.push_str(&format!("; configured, and missing in the cluster: {missing}"));
        }
        Err(reason)
    }

    fn record(&mut self, place: &Place) -> Answer {
        if let Err(reason) = self.serves(&place.source) {
            return Answer::Unreached(reason);
        }
        let Some(topic) = self.topic(&place.source).cloned() else {
            return Answer::Unreached("it is no configured topic".to_owned());
        };
        let partition = self.consumer.partition(&topic, place.partition.0);
        let start = StartOffset::Offset(place.offset);
        if let Err(error) = self.consumer.assign(&[(partition.clone(), start)]) {
            return Answer::Unreached(format!("take the partition on: {}", chain(&error)));
        }
        let answer = self.wait_for(&partition, place.offset);
        match self.consumer.unassign(std::slice::from_ref(&partition)) {
            Err(error) if !matches!(answer, Answer::Record(_)) => {
                Answer::Unreached(format!("give the partition back: {}", chain(&error)))
            }
            _ => answer,
        }
    }
}

/// What an event says of the record that is waited for.
#[derive(Debug, PartialEq, Eq)]
enum Judged {
    /// This.
    Answer(Answer),
    /// That something is wrong, which the client may get over.
    Trouble(String),
    /// Nothing.
    Nothing,
}

/// Judges an event while a record of this topic is waited for.
fn judged(event: Event, of: &str) -> Judged {
    match event {
        // Cut off by retention, or with the end of the log.
        Event::OffsetsLost { .. } | Event::LogTruncated { .. } => Judged::Answer(Answer::Gone),
        Event::Unreadable { reason, .. } => {
            let reason = format!("the client cannot decode what the broker has: {reason}");
            Judged::Answer(Answer::Unreadable(reason))
        }
        Event::TopicRecreated { topic, .. } if topic == of => {
            let reason = format!("topic {topic} was deleted and made again");
            Judged::Answer(Answer::Unreached(reason))
        }
        Event::TopicMissing { topic } if topic == of => {
            Judged::Answer(Answer::Unreached(format!("topic {topic} is gone")))
        }
        Event::Error { kind, fatal, reason } => {
            let lasts = [ErrorKind::UnknownTopic, ErrorKind::Authorization];
            if fatal || lasts.contains(&kind) {
                Judged::Answer(Answer::Unreached(reason))
            } else {
                Judged::Trouble(reason)
            }
        }
        _ => Judged::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use turnwise_kafka::{MockCluster, Producer};
    use turnwise_model::PartitionId;

    use super::*;
    use crate::config::Start;

    #[test]
    fn record_is_found_or_gone_or_of_no_topic_that_is_there() {
        let cluster = MockCluster::start(&[("t", 1)]).expect("starts");
        let producer = Producer::new(&cluster.bootstrap()).expect("connects");
        for value in ["one", "two"] {
            let time = Some(Millis(1_794_139_200_000));
            producer.send("t", Some(0), b"k", value.as_bytes(), time).expect("sent");
        }
        producer.flush(ANSWER_WITHIN).expect("delivered");
        let mut source = Source::new(&KafkaConfig {
            brokers: vec![cluster.bootstrap()],
            group: "turnwise".to_owned(),
            member: None,
            webhook_topics: vec!["missing".to_owned(), "t".to_owned()],
            send_topics: Vec::new(),
            formats: BTreeMap::new(),
            start: Start::Earliest,
            topic_ids: false,
            properties: BTreeMap::new(),
        })
        .expect("connects");
        let name = format!("{}/t", source.consumer.cluster_id());
        let place = |source: &str, offset: i64| Place {
            source: SourceName(source.to_owned()),
            partition: PartitionId(0),
            offset: Offset(offset),
        };
        for (offset, value) in [(1, "two"), (0, "one")] {
            let Answer::Record(found) = source.record(&place(&name, offset)) else {
                panic!("record {offset} is there");
            };
            assert_eq!(found.value.as_deref(), Some(value.as_bytes()));
        }
        for offset in [2, 99] {
            assert_eq!(source.record(&place(&name, offset)), Answer::Gone, "{offset}");
        }
        for other in ["file/t", "stdin/t", "another/t"] {
            let answer = source.record(&place(other, 0));
            assert!(matches!(answer, Answer::Unreached(_)), "{other}: {answer:?}");
        }
        // One configured topic that is missing fails nothing but itself.
        let missing = format!("{}/missing", source.consumer.cluster_id());
        let why = source.serves(&SourceName(missing)).expect_err("it is missing");
        assert!(why.ends_with("missing in the cluster: missing"), "{why}");
        assert_eq!(source.serves(&SourceName(name)), Ok(()));
    }

    #[test]
    fn only_what_the_broker_deleted_is_gone() {
        let check = |event, expected| assert_eq!(judged(event, "t"), expected);
        let partition =
            || TopicPartition { topic: "t".to_owned(), topic_id: None, partition: PartitionId(0) };
        let lost = Event::OffsetsLost { partition: partition(), from: Offset(1), to: Offset(9) };
        check(lost, Judged::Answer(Answer::Gone));
        let cut =
            Event::LogTruncated { partition: partition(), position: Offset(9), end: Offset(2) };
        check(cut, Judged::Answer(Answer::Gone));
        let reason = "bad CRC".to_owned();
        let unreadable = Event::Unreadable { partition: partition(), offset: Offset(1), reason };
        let words = "the client cannot decode what the broker has: bad CRC".to_owned();
        check(unreadable, Judged::Answer(Answer::Unreadable(words)));
        let error = |kind| Event::Error { kind, fatal: false, reason: "so".to_owned() };
        check(error(ErrorKind::Unreachable), Judged::Trouble("so".to_owned()));
        let unreached = Judged::Answer(Answer::Unreached("so".to_owned()));
        check(error(ErrorKind::UnknownTopic), unreached);
        let missing = |topic: &str| Event::TopicMissing { topic: topic.to_owned() };
        check(missing("other"), Judged::Nothing);
        let gone = Answer::Unreached("topic t is gone".to_owned());
        check(missing("t"), Judged::Answer(gone));
    }
}
