//! The consumer that one thread drives.

mod refusal;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::Offset as ClientOffset;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, RebalanceProtocol};
use rdkafka::topic_partition_list::TopicPartitionList;
use turnwise_model::{Offset, PartitionId};

use crate::config::ConsumerConfig;
use crate::context::{Change, Context};
use crate::error::{ErrorKind, KafkaError};
use crate::event::Event;
use crate::native::{Item, PartitionQueue, TopicsQuestion};
use crate::partition::{StartOffset, TopicPartition};
use crate::record::RecordRef;
use crate::watch::TopicWatch;

/// How long a question to the cluster may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Events of the main queue that one poll serves.
const EVENTS_MAX: usize = 64;
/// How long leaving the group may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

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
    /// The last read took all that it was allowed to.
    has_more: bool,
    state: State,
}

enum State {
    Reading,
    /// The broker refuses the position; its ends say why. They are asked for at `ask`.
    Refused {
        is_cut: bool,
        ask: Instant,
    },
    /// Reading goes on at the position once a change of the assignment has been answered.
    Waiting,
    /// Nothing is read until a seek.
    Stopped,
}

/// A member of a consumer group.
pub struct Consumer {
    client: Arc<BaseConsumer<Context>>,
    held: BTreeMap<TopicPartition, Held>,
    /// Where topics are told apart by their ids.
    watch: Option<TopicWatch>,
    /// The configured topics that the cluster has.
    topics: Vec<String>,
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
        let (started, mut has_answered) = (Instant::now(), false);
        if let Err(error) = self.client.close_queue() {
            tracing::warn!(target: "kafka", "leave the group: {error}");
        }
        while !self.client.closed() {
            // A cooperative member does not leave before it has answered, and one answer, whatever
            // was asked, gives all back. Another could come behind the end of leaving, and the
            // client never returns from that.
            if !has_answered && self.client.context().is_unanswered() {
                has_answered = true;
                if let Err(error) = self.client.unassign() {
                    tracing::warn!(target: "kafka", "give partitions back: {error}");
                }
            }
            if started.elapsed() > LEAVE_WITHIN {
                // Waiting on would hold the process up; the group gives this member up by itself.
                tracing::warn!(target: "kafka", "the group was not left in time");
                std::mem::forget(Arc::clone(&self.client));
                return;
            }
            self.client.poll(Duration::from_millis(50));
        }
    }
}

impl Consumer {
    /// Connects, finds the topics and joins the group.
    ///
    /// # Errors
    /// Settings that are refused; a cluster that does not answer; a topic that does not exist.
    pub fn new(config: &ConsumerConfig) -> Result<Self, KafkaError> {
        let consumer = Self::apart(config)?;
        let mut missing = config.topics.iter().filter(|topic| !consumer.topics.contains(topic));
        if let Some(topic) = missing.next() {
            return Err(KafkaError::TopicMissing { topic: topic.clone() });
        }
        let topics: Vec<&str> = consumer.topics.iter().map(String::as_str).collect();
        consumer.client.subscribe(&topics).map_err(KafkaError::client("subscribe to topics"))?;
        Ok(consumer)
    }

    /// Connects and finds the topics, but joins no group: for a look at single records. Nobody
    /// assigns anything; [`Consumer::assign`] takes on what is to be read, a whole set at a time.
    /// Topics that do not exist are left out: [`Consumer::topics`] are those that do.
    ///
    /// # Errors
    /// Settings that are refused; a cluster that does not answer.
    pub fn apart(config: &ConsumerConfig) -> Result<Self, KafkaError> {
        let mut client: BaseConsumer<Context> =
            config.client()?.create_with_context(Context::default()).map_err(KafkaError::create)?;
        let context = Arc::clone(client.context());
        client.set_nonempty_callback(move || context.has_events());
        let client = Arc::new(client);
        let connect = |kind, reason: String| KafkaError::Connect {
            brokers: config.brokers.clone(),
            kind,
            reason,
        };
        let metadata = client.fetch_metadata(None, ANSWER_WITHIN).map_err(|error| {
            let code = error.rdkafka_error_code();
            let (kind, reason) = first_error(&client).unwrap_or_else(|| {
                (code.map_or(ErrorKind::Unreachable, ErrorKind::of), error.to_string())
            });
            connect(kind, reason)
        })?;
        let is_there = |topic: &&String| metadata.topics().iter().any(|it| it.name() == *topic);
        let topics: Vec<String> = config.topics.iter().filter(is_there).cloned().collect();
        let cluster_id = client.client().fetch_cluster_id(ANSWER_WITHIN).ok_or_else(|| {
            connect(ErrorKind::Timeout, "the cluster did not tell its id".to_owned())
        })?;
        // Where ids are in use an answer that is late must not make other names of the inputs.
        let watch = if config.topic_ids && !topics.is_empty() {
            let told = TopicsQuestion::ask(&client, &topics)
                .and_then(|question| question.answer(ANSWER_WITHIN)?.ok())
                .and_then(|told| TopicWatch::new(&topics, told));
            let reason = || "the cluster did not tell topic ids".to_owned();
            Some(told.ok_or_else(|| connect(ErrorKind::Timeout, reason()))?)
        } else {
            None
        };
        Ok(Self { client, held: BTreeMap::new(), watch, topics, cluster_id, has_joined: false })
    }

    /// The configured topics that the cluster had when it was asked.
    #[must_use]
    pub fn topics(&self) -> &[String] {
        &self.topics
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
        // Records have queues of their own, and the context keeps errors with their reasons.
        self.client.poll(timeout);
        if self.client.context().take_has_events() {
            for _ in 1..EVENTS_MAX {
                self.client.poll(Duration::ZERO);
            }
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
                Change::Error { fatal: true, reason, .. } => self.fatal(reason),
                Change::Error { kind, fatal, reason } => Event::Error { kind, fatal, reason },
            });
        }
        for event in self.watch.iter_mut().flat_map(|watch| watch.look(&self.client)) {
            if let Event::TopicRecreated { topic, .. } = &event {
                for (_, held) in self.held.iter_mut().filter(|(held, _)| held.topic == *topic) {
                    held.state = State::Stopped;
                }
            }
            events.push(event);
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
        let mut taken = Vec::new();
        for (partition, offset) in &resolved {
            // What is dropped takes its waker off the queue, so it goes first.
            self.held.remove(partition);
            taken.push((partition.clone(), self.hold(partition, *offset)?));
        }
        let done = if self.is_cooperative() {
            self.client.incremental_assign(&list)
        } else {
            self.client.assign(&list)
        };
        done.map_err(KafkaError::client("assign partitions"))?;
        self.client.context().answered();
        self.realign()?;
        self.held.extend(taken);
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
        done.map_err(KafkaError::client("give partitions back"))?;
        self.client.context().answered();
        self.realign()
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
        let (mut records, mut failed) = (0, None);
        match held.state {
            State::Reading => {
                let (position, at_end) = (&mut held.position, &mut held.at_end);
                held.has_more = held.queue.read(max, &mut |item| match item {
                    // Fetched before a seek.
                    Item::Record(record) if record.offset() < *position => true,
                    Item::Record(record) => {
                        *position = Offset(record.offset().0 + 1);
                        *at_end = false;
                        records += 1;
                        sink(RecordRef::new(record));
                        true
                    }
                    Item::End(next) => {
                        *position = next.max(*position);
                        *at_end = true;
                        true
                    }
                    Item::Failed(code, reason) => {
                        let goes_on = !refusal::stops(code);
                        failed = Some((code, reason));
                        goes_on
                    }
                });
            }
            State::Refused { is_cut, ask } if ask <= Instant::now() => {
                let event = self.explain(partition, is_cut);
                return Ok((self.end(partition, 0)?, event));
            }
            State::Waiting if !self.client.context().is_unanswered() => {
                let position = held.position;
                self.restart(partition, position)?;
            }
            State::Refused { .. } | State::Waiting | State::Stopped => {}
        }
        let event = failed.and_then(|(code, reason)| self.failed(partition, code, reason));
        Ok((self.end(partition, records)?, event))
    }

    /// Waits until some partition has records or the group has something to say.
    pub fn wait(&self, timeout: Duration) {
        let has_more = |held: &Held| held.has_more && matches!(held.state, State::Reading);
        if !self.held.values().any(has_more) {
            self.client.context().wait(timeout);
        }
    }

    /// Goes on reading a partition from another offset.
    ///
    /// # Errors
    /// [`KafkaError::NotAssigned`]; a client that refuses.
    pub fn seek(&mut self, partition: &TopicPartition, offset: Offset) -> Result<(), KafkaError> {
        let is_recreated = self.is_recreated(partition);
        let Some(held) = self.held.get_mut(partition) else {
            return Err(KafkaError::NotAssigned { partition: partition.clone() });
        };
        let is_reading = matches!(held.state, State::Reading);
        if is_recreated || (held.position == offset && is_reading) {
            return Ok(());
        }
        self.move_to(partition, offset)
    }

    /// Makes the client fetch from an offset, wherever it stands.
    fn move_to(&mut self, partition: &TopicPartition, offset: Offset) -> Result<(), KafkaError> {
        let Some(held) = self.held.get_mut(partition) else { return Ok(()) };
        let is_reading = matches!(held.state, State::Reading);
        let to = ClientOffset::Offset(offset.0);
        let number = partition.partition.0;
        // The client refuses to seek where it has stopped or has not begun yet.
        if !is_reading || self.client.seek(&partition.topic, number, to, ANSWER_WITHIN).is_err() {
            return self.restart(partition, offset);
        }
        (held.position, held.at_end, held.has_more) = (offset, false, true);
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
        match self.client.context().end(&partition.topic, partition.partition.0) {
            Some(end) => Some((end - held.position.0).max(0)),
            None => held.at_end.then_some(0),
        }
    }

    /// A partition of one of the topics, with the topic's id where ids are in use.
    #[must_use]
    pub fn partition(&self, topic: &str, partition: i32) -> TopicPartition {
        TopicPartition {
            topic: topic.to_owned(),
            topic_id: self.watch.as_ref().and_then(|watch| watch.id(topic)).cloned(),
            partition: PartitionId(partition),
        }
    }

    fn is_recreated(&self, partition: &TopicPartition) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.is_recreated(&partition.topic))
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

    /// Splits a partition's queue off; it must not be assigned yet.
    fn hold(&self, partition: &TopicPartition, position: Offset) -> Result<Held, KafkaError> {
        let queue = PartitionQueue::split(&self.client, &partition.topic, partition.partition.0)
            .ok_or_else(|| KafkaError::NotAssigned { partition: partition.clone() })?;
        let state = if self.is_recreated(partition) { State::Stopped } else { State::Reading };
        Ok(Held { queue, position, at_end: false, has_more: true, state })
    }

    fn end(&self, partition: &TopicPartition, records: usize) -> Result<ReadEnd, KafkaError> {
        let held = self
            .held
            .get(partition)
            .ok_or_else(|| KafkaError::NotAssigned { partition: partition.clone() })?;
        Ok(ReadEnd { position: held.position, records, at_end: held.at_end })
    }
}

/// The first thing that went wrong while nobody answered: that credentials are refused, say.
fn first_error(client: &BaseConsumer<Context>) -> Option<(ErrorKind, String)> {
    for _ in 0..EVENTS_MAX {
        client.poll(Duration::ZERO);
    }
    let mut errors: Vec<(ErrorKind, String)> = client
        .context()
        .take()
        .into_iter()
        .filter_map(|change| match change {
            Change::Error { kind, reason, .. } => Some((kind, reason)),
            _ => None,
        })
        .collect();
    let telling = [ErrorKind::Authentication, ErrorKind::Authorization];
    let at = errors.iter().position(|(kind, _)| telling.contains(kind)).unwrap_or(0);
    (!errors.is_empty()).then(|| errors.swap_remove(at))
}

fn list_of(partitions: &[TopicPartition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition.0);
    }
    list
}
