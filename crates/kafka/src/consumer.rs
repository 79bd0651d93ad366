//! The consumer that one thread drives.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::Offset as ClientOffset;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, RebalanceProtocol};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};
use rdkafka::message::{Message, OwnedMessage};
use rdkafka::topic_partition_list::TopicPartitionList;
use turnwise_model::{Millis, Offset, PartitionId};

use crate::config::ConsumerConfig;
use crate::context::{Change, Context};
use crate::error::{ErrorKind, KafkaError};
use crate::event::Event;
use crate::partition::{StartOffset, TopicPartition};
use crate::topic_ids;

/// How long a question to the cluster may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// One record, valid while the sink runs.
#[derive(Debug)]
pub struct RecordRef<'a> {
    /// Its offset.
    pub offset: Offset,
    /// Its time, where it has one.
    pub time: Option<Millis>,
    /// Its value; none in a tombstone.
    pub value: Option<&'a [u8]>,
}

/// Where a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadEnd {
    /// The next offset to read.
    pub position: Offset,
    /// Records given to the sink.
    pub records: usize,
    /// Nothing more was there when the client last heard from the broker.
    pub at_end: bool,
}

struct Held {
    queue: PartitionQueue<Context>,
    position: Offset,
    at_end: bool,
    stopped: bool,
    /// Records that came by the main queue before the partition's own queue was split off.
    strays: VecDeque<OwnedMessage>,
}

/// A member of a consumer group.
pub struct Consumer {
    client: Arc<BaseConsumer<Context>>,
    held: BTreeMap<TopicPartition, Held>,
    topic_ids: BTreeMap<String, String>,
    cluster_id: String,
    has_joined: bool,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("cluster_id", &self.cluster_id).finish_non_exhaustive()
    }
}

impl Drop for Consumer {
    /// Leaves the group. What was read and not committed is read again by others.
    fn drop(&mut self) {
        self.client.context().close();
        self.held.clear();
    }
}

impl Consumer {
    /// Connects, finds the topics and joins the group.
    ///
    /// # Errors
    /// Settings that are refused; a cluster that does not answer; a topic that does not exist.
    pub fn new(config: &ConsumerConfig) -> Result<Self, KafkaError> {
        let client: BaseConsumer<Context> =
            config.client()?.create_with_context(Context::default()).map_err(KafkaError::create)?;
        let connect = |kind, reason: String| KafkaError::Connect {
            brokers: config.brokers.clone(),
            kind,
            reason,
        };
        let metadata = client.fetch_metadata(None, ANSWER_WITHIN).map_err(|error| {
            let kind = error.rdkafka_error_code().map_or(ErrorKind::Unreachable, ErrorKind::of);
            connect(kind, error.to_string())
        })?;
        for topic in &config.topics {
            let found = metadata.topics().iter().any(|known| known.name() == topic);
            if !found {
                return Err(KafkaError::TopicMissing { topic: topic.clone() });
            }
        }
        let cluster_id = client.client().fetch_cluster_id(ANSWER_WITHIN).ok_or_else(|| {
            connect(ErrorKind::Timeout, "the cluster did not tell its id".to_owned())
        })?;
        // Where ids are in use an answer that is late must not make other names of the inputs.
        let topic_ids = if config.topic_ids {
            topic_ids::describe(client.client(), &config.topics, ANSWER_WITHIN).ok_or_else(
                || connect(ErrorKind::Timeout, "the cluster did not tell topic ids".to_owned()),
            )?
        } else {
            BTreeMap::new()
        };
        let topics: Vec<&str> = config.topics.iter().map(String::as_str).collect();
        client.subscribe(&topics).map_err(KafkaError::client("subscribe to topics"))?;
        Ok(Self {
            client: Arc::new(client),
            held: BTreeMap::new(),
            topic_ids,
            cluster_id,
            has_joined: false,
        })
    }

    /// The cluster's id.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Serves the main queue: what happened to the assignment, and errors. Must be called several
    /// times a minute, or the group gives this member up.
    pub fn poll(&mut self, timeout: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        match self.client.poll(timeout) {
            Some(Ok(message)) => {
                let stray = message.detach();
                let key = self.partition(stray.topic(), stray.partition());
                if let Some(held) = self.held.get_mut(&key) {
                    held.strays.push_back(stray);
                }
            }
            Some(Err(error)) => events.extend(self.main_error(&error)),
            None => {}
        }
        for change in self.client.context().take() {
            self.has_joined |= matches!(change, Change::Assigned(_));
            let partitions = |names: Vec<(String, i32)>| -> Vec<TopicPartition> {
                names.iter().map(|(topic, partition)| self.partition(topic, *partition)).collect()
            };
            events.push(match change {
                Change::Assigned(names) => Event::Assigned(partitions(names)),
                Change::Revoked(names) => Event::Revoked(partitions(names)),
                Change::Lost(names) => Event::Lost(partitions(names)),
                Change::CommitFailed(reason) => Event::CommitFailed { reason },
                Change::Error { kind, fatal, reason } => Event::Error { kind, fatal, reason },
            });
        }
        events
    }

    /// Takes partitions on, each from an explicit offset, and says from which.
    ///
    /// # Errors
    /// A cluster that does not answer. Nothing is assigned then: call again.
    pub fn assign(
        &mut self,
        starts: &[(TopicPartition, StartOffset)],
    ) -> Result<Vec<(TopicPartition, Offset)>, KafkaError> {
        let mut resolved = Vec::new();
        let mut list = TopicPartitionList::new();
        for (partition, start) in starts {
            let offset = self.resolve(partition, *start)?;
            let client_offset = ClientOffset::Offset(offset.0);
            list.add_partition_offset(&partition.topic, partition.partition.0, client_offset)
                .map_err(KafkaError::client("set start offset"))?;
            resolved.push((partition.clone(), offset));
        }
        let done = if self.is_cooperative() {
            self.client.incremental_assign(&list)
        } else {
            self.client.assign(&list)
        };
        done.map_err(KafkaError::client("assign partitions"))?;
        for (partition, offset) in &resolved {
            let queue = self.client.split_partition_queue(&partition.topic, partition.partition.0);
            let Some(mut queue) = queue else {
                return Err(KafkaError::NotAssigned { partition: partition.clone() });
            };
            let context = Arc::clone(self.client.context());
            queue.set_nonempty_callback(move || context.notify());
            let strays = VecDeque::new();
            let held = Held { queue, position: *offset, at_end: false, stopped: false, strays };
            self.held.insert(partition.clone(), held);
        }
        Ok(resolved)
    }

    /// Gives partitions back; nothing of them is read any more.
    ///
    /// # Errors
    /// The client refuses.
    pub fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        for partition in partitions {
            self.held.remove(partition);
        }
        let done = if self.is_cooperative() {
            self.client.incremental_unassign(&list_of(partitions))
        } else {
            self.client.unassign()
        };
        done.map_err(KafkaError::client("give partitions back"))
    }

    /// Gives at most `max` records of a partition to `sink`, in order, without waiting.
    ///
    /// # Errors
    /// [`KafkaError::NotAssigned`]; errors of the client that stop nothing.
    pub fn read(
        &mut self,
        partition: &TopicPartition,
        max: usize,
        sink: &mut dyn FnMut(RecordRef<'_>),
    ) -> Result<(ReadEnd, Option<Event>), KafkaError> {
        let Some(held) = self.held.get_mut(partition) else {
            return Err(KafkaError::NotAssigned { partition: partition.clone() });
        };
        let mut records = 0;
        let mut failed = None;
        while records < max && !held.stopped {
            if let Some(stray) = held.strays.pop_front() {
                records += usize::from(give(&stray, &mut held.position, sink));
                continue;
            }
            match held.queue.poll(Duration::ZERO) {
                Some(Ok(message)) => {
                    held.at_end = false;
                    records += usize::from(give(&message, &mut held.position, sink));
                }
                Some(Err(ClientError::PartitionEOF(_))) => held.at_end = true,
                Some(Err(error)) => {
                    failed = Some(error);
                    break;
                }
                None => break,
            }
        }
        let end = ReadEnd { position: held.position, records, at_end: held.at_end };
        let event = failed.and_then(|error| self.partition_error(partition, &error));
        Ok((end, event))
    }

    /// Waits until some partition has records.
    pub fn wait(&self, timeout: Duration) {
        self.client.context().wait(timeout);
    }

    /// Goes on reading a partition from another offset.
    ///
    /// # Errors
    /// [`KafkaError::NotAssigned`]; a client that refuses.
    pub fn seek(&mut self, partition: &TopicPartition, offset: Offset) -> Result<(), KafkaError> {
        let Some(held) = self.held.get_mut(partition) else {
            return Err(KafkaError::NotAssigned { partition: partition.clone() });
        };
        if held.position == offset && !held.stopped {
            return Ok(());
        }
        held.strays.clear();
        let to = ClientOffset::Offset(offset.0);
        self.client
            .seek(&partition.topic, partition.partition.0, to, ANSWER_WITHIN)
            .map_err(KafkaError::client("seek"))?;
        (held.position, held.at_end, held.stopped) = (offset, false, false);
        Ok(())
    }

    /// Tells Kafka how far the lake is, for lag tools. Asynchronous; failures come as events.
    ///
    /// # Errors
    /// The client refuses at once.
    pub fn store_committed(&self, offsets: &[(TopicPartition, Offset)]) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets.iter().filter(|(held, _)| self.held.contains_key(held)) {
            let to = ClientOffset::Offset(offset.0);
            list.add_partition_offset(&partition.topic, partition.partition.0, to)
                .map_err(KafkaError::client("store offsets"))?;
        }
        if list.count() == 0 {
            return Ok(());
        }
        self.client.commit(&list, CommitMode::Async).map_err(KafkaError::client("store offsets"))
    }

    /// Whether the group has answered with an assignment, be it empty.
    #[must_use]
    pub fn has_joined(&self) -> bool {
        self.has_joined
    }

    /// Records between the position and the end of the readable log, where known.
    #[must_use]
    pub fn lag(&self, partition: &TopicPartition) -> Option<i64> {
        let held = self.held.get(partition)?;
        if held.at_end {
            return Some(0);
        }
        let end = self.client.context().end(&partition.topic, partition.partition.0)?;
        Some((end - held.position.0).max(0))
    }

    fn partition(&self, topic: &str, partition: i32) -> TopicPartition {
        TopicPartition {
            topic: topic.to_owned(),
            topic_id: self.topic_ids.get(topic).cloned(),
            partition: PartitionId(partition),
        }
    }

    fn is_cooperative(&self) -> bool {
        matches!(self.client.rebalance_protocol(), RebalanceProtocol::Cooperative)
    }

    fn resolve(
        &self,
        partition: &TopicPartition,
        start: StartOffset,
    ) -> Result<Offset, KafkaError> {
        let (topic, number) = (&partition.topic, partition.partition.0);
        let bounds = || {
            self.client
                .fetch_watermarks(topic, number, ANSWER_WITHIN)
                .map_err(KafkaError::client("ask for the ends of a partition"))
        };
        Ok(Offset(match start {
            StartOffset::Offset(offset) => offset.0,
            StartOffset::Earliest => bounds()?.0,
            StartOffset::Latest => bounds()?.1,
            StartOffset::Time(time) => {
                let mut list = TopicPartitionList::new();
                list.add_partition_offset(topic, number, ClientOffset::Offset(time.0))
                    .map_err(KafkaError::client("ask for the offset of a time"))?;
                let found = self
                    .client
                    .offsets_for_times(list, ANSWER_WITHIN)
                    .map_err(KafkaError::client("ask for the offset of a time"))?;
                match found.find_partition(topic, number).map(|element| element.offset()) {
                    Some(ClientOffset::Offset(offset)) => offset,
                    _ => bounds()?.1,
                }
            }
        }))
    }

    fn main_error(&self, error: &ClientError) -> Option<Event> {
        if matches!(error, ClientError::PartitionEOF(_)) {
            return None;
        }
        let code = error.rdkafka_error_code();
        Some(Event::Error {
            kind: code.map_or(ErrorKind::Other, ErrorKind::of),
            fatal: matches!(error, ClientError::MessageConsumptionFatal(_)),
            reason: error.to_string(),
        })
    }

    /// An error on a partition's own queue. One that concerns its position stops it.
    fn partition_error(
        &mut self,
        partition: &TopicPartition,
        error: &ClientError,
    ) -> Option<Event> {
        let code = error.rdkafka_error_code();
        let position = self.held.get(partition)?.position;
        let event = match code {
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => {
                let bounds = self.client.fetch_watermarks(
                    &partition.topic,
                    partition.partition.0,
                    ANSWER_WITHIN,
                );
                match bounds {
                    Ok((low, _)) if position.0 < low => Event::OffsetsLost {
                        partition: partition.clone(),
                        from: position,
                        to: Offset(low),
                    },
                    Ok((_, high)) => Event::LogTruncated {
                        partition: partition.clone(),
                        position,
                        end: Offset(high),
                    },
                    Err(_) => return self.main_error(error),
                }
            }
            Some(code) if ErrorKind::of(code) == ErrorKind::Unreadable => Event::Unreadable {
                partition: partition.clone(),
                offset: position,
                reason: error.to_string(),
            },
            _ => return self.main_error(error),
        };
        if let Some(held) = self.held.get_mut(partition) {
            held.stopped = true;
        }
        Some(event)
    }
}

/// Gives a message to the sink unless it lies before the position (fetched before a seek).
fn give(
    message: &dyn MessageView,
    position: &mut Offset,
    sink: &mut dyn FnMut(RecordRef<'_>),
) -> bool {
    let record = message.record();
    if record.offset < *position {
        return false;
    }
    *position = Offset(record.offset.0 + 1);
    sink(record);
    true
}

/// Borrowed and owned messages alike.
trait MessageView {
    fn record(&self) -> RecordRef<'_>;
}

impl<M: Message> MessageView for M {
    fn record(&self) -> RecordRef<'_> {
        RecordRef {
            offset: Offset(self.offset()),
            time: self.timestamp().to_millis().map(Millis),
            value: self.payload(),
        }
    }
}

fn list_of(partitions: &[TopicPartition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition.0);
    }
    list
}
