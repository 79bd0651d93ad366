//! What the consumer does where the broker refuses a position or sends what cannot be decoded.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode as Code;
use turnwise_model::Offset;

use super::{Consumer, State};
use crate::error::ErrorKind;
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
        let (kind, reason) = (error.kind(), format!("{error} {partition}"));
        Some(Event::Error { kind, fatal: false, reason })
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
