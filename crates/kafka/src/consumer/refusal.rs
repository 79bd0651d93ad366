//! What the consumer does where the broker refuses a position or sends what cannot be decoded.

use std::time::{Duration, Instant};

use rdkafka::Offset as ClientOffset;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::TopicPartitionList;
use turnwise_model::Offset;

use super::{Consumer, State, list_of};
use crate::error::{ErrorKind, KafkaError};
use crate::event::Event;
use crate::partition::TopicPartition;

/// How long a stopped partition's ends may take to ask for.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
/// How long to wait before they are asked for again.
const ENDS_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Consumer {
    /// A failure on a partition's own queue. One that concerns its position stops it.
    pub(super) fn failed(
        &mut self,
        partition: &TopicPartition,
        code: Code,
        reason: String,
    ) -> Option<Event> {
        let held = self.held.get_mut(partition)?;
        let kind = ErrorKind::of(code);
        if !stops(code) {
            return Some(Event::Error { kind, fatal: false, reason });
        }
        if kind == ErrorKind::Unreadable {
            held.state = State::Stopped;
            let (partition, offset) = (partition.clone(), held.position);
            return Some(Event::Unreadable { partition, offset, reason });
        }
        // The client has one code for all; only its words tell another history of the log.
        self.explain(partition, code == Code::LogTruncation || reason.contains("truncation"))
    }

    /// Says why the broker refuses a position, by the ends of its log. Where it does not tell them,
    /// the partition stays refused and a later read asks again.
    pub(super) fn explain(&mut self, partition: &TopicPartition, is_cut: bool) -> Option<Event> {
        let (topic, number) = (&partition.topic, partition.partition.0);
        let ends = self.client.fetch_watermarks(topic, number, ENDS_WITHIN);
        let held = self.held.get_mut(partition)?;
        let (low, high) = match ends {
            Ok((low, high)) => (Offset(low), Offset(high)),
            Err(error) => {
                held.state = State::Refused { is_cut, ask: Instant::now() + ENDS_AGAIN_AFTER };
                let kind = error.rdkafka_error_code().map_or(ErrorKind::Other, ErrorKind::of);
                let reason = format!("the broker refuses the position of {partition}: {error}");
                return Some(Event::Error { kind, fatal: false, reason });
            }
        };
        held.state = State::Stopped;
        let (partition, position) = (partition.clone(), held.position);
        if position < low {
            return Some(Event::OffsetsLost { partition, from: position, to: low });
        }
        if is_cut || position > high {
            return Some(Event::LogTruncated { partition, position, end: high });
        }
        // The position is there after all: the broker was behind for a moment.
        let error = self.restart(&partition, position).err()?;
        let ask = Instant::now() + ENDS_AGAIN_AFTER;
        if let Some(held) = self.held.get_mut(&partition) {
            held.state = State::Refused { is_cut, ask };
        }
        let (kind, reason) = (error.kind(), format!("{error} {partition}"));
        Some(Event::Error { kind, fatal: false, reason })
    }

    /// Takes a partition off and on again: the client does not seek where it has stopped. The client
    /// would take this for the answer to a change of the assignment, so it waits for that.
    pub(super) fn restart(
        &mut self,
        partition: &TopicPartition,
        offset: Offset,
    ) -> Result<(), KafkaError> {
        if self.client.context().is_unanswered() {
            if let Some(held) = self.held.get_mut(partition) {
                (held.position, held.at_end, held.state) = (offset, false, State::Waiting);
            }
            return Ok(());
        }
        let operation = "start a partition again";
        let mut starts = vec![(partition.clone(), offset)];
        if self.is_cooperative() {
            self.client
                .incremental_unassign(&list_of(std::slice::from_ref(partition)))
                .map_err(KafkaError::client(operation))?;
        } else {
            // Without a group the assignment can only be replaced as a whole.
            let others = self.held.iter().filter(|(other, _)| *other != partition);
            starts.extend(others.map(|(other, held)| (other.clone(), held.position)));
        }
        let mut list = TopicPartitionList::new();
        for (partition, offset) in &starts {
            let to = ClientOffset::Offset(offset.0);
            list.add_partition_offset(&partition.topic, partition.partition.0, to)
                .map_err(KafkaError::client(operation))?;
        }
        // Before the queue is split off again: what is dropped takes its waker off the queue.
        self.held.remove(partition);
        let held = self.hold(partition, offset)?;
        self.held.insert(partition.clone(), held);
        let done = if self.is_cooperative() {
            self.client.incremental_assign(&list)
        } else {
            self.client.assign(&list)
        };
        done.map_err(KafkaError::client(operation))?;
        self.realign()
    }

    /// Puts the client back to our positions after a change of the assignment.
    ///
    /// The client halts every partition while the group shares them out anew, and then goes on
    /// behind the last thing that it handed over. Read in batches, it takes the end of a partition
    /// for such a thing, at the offset of the record that will come next: that record it would
    /// skip. So partitions whose end was seen are moved to where that end was, before anything
    /// more of them is read.
    pub(super) fn realign(&mut self) -> Result<(), KafkaError> {
        let ended: Vec<(TopicPartition, Offset)> = self
            .held
            .iter()
            .filter(|(_, held)| held.at_end && matches!(held.state, State::Reading))
            .map(|(partition, held)| (partition.clone(), held.position))
            .collect();
        ended.into_iter().try_for_each(|(partition, position)| self.move_to(&partition, position))
    }

    /// The client is lost; it knows best why.
    pub(super) fn fatal(&self, reason: String) -> Event {
        match self.client.client().fatal_error() {
            Some((code, reason)) => Event::Error { kind: ErrorKind::of(code), fatal: true, reason },
            None => Event::Error { kind: ErrorKind::Other, fatal: true, reason },
        }
    }
}

/// Whether a failure concerns the position, so that nothing behind it may be read.
pub(super) fn stops(code: Code) -> bool {
    let refused = matches!(
        code,
        Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation | Code::NoOffset
    );
    refused || ErrorKind::of(code) == ErrorKind::Unreadable
}
