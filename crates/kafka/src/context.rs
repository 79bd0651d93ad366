//! What librdkafka calls back: rebalances, errors, statistics and its log, kept for the driver.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError as ClientError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use crate::error::ErrorKind;
use crate::native::Wake;

/// One change of the assignment, in the order in which they came.
#[derive(Debug)]
pub(crate) enum Change {
    Assigned(Vec<(String, i32)>),
    Revoked(Vec<(String, i32)>),
    Lost(Vec<(String, i32)>),
    Error { kind: ErrorKind, fatal: bool, reason: String },
    CommitFailed(String),
}

/// The callbacks' side of a consumer.
#[derive(Debug, Default)]
pub(crate) struct Context {
    changes: Mutex<Vec<Change>>,
    /// End of the readable log by partition, from the client's statistics.
    ends: Mutex<HashMap<(String, i32), i64>>,
    /// The consumer is going away: it answers once, and nobody takes changes any more.
    closing: AtomicBool,
    /// A change of the assignment waits for the driver's `assign` or `unassign`.
    is_unanswered: AtomicBool,
    has_events: AtomicBool,
    waiting: Mutex<bool>,
    wake: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    pub fn take(&self) -> Vec<Change> {
        std::mem::take(&mut *lock(&self.changes))
    }

    pub fn end(&self, topic: &str, partition: i32) -> Option<i64> {
        lock(&self.ends).get(&(topic.to_owned(), partition)).copied()
    }

    /// The main queue is no longer empty.
    pub fn has_events(&self) {
        self.has_events.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether the main queue was no longer empty at some moment since the last question.
    pub fn take_has_events(&self) -> bool {
        self.has_events.swap(false, Ordering::AcqRel)
    }

    /// Waits until a queue is no longer empty.
    pub fn wait(&self, timeout: Duration) {
        let woken = lock(&self.waiting);
        let waited = self.wake.wait_timeout_while(woken, timeout, |woken| !*woken);
        let (mut woken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *woken = false;
    }

    /// From here on changes of the assignment are not kept.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Whether the client waits for an answer.
    pub fn is_unanswered(&self) -> bool {
        self.is_unanswered.load(Ordering::SeqCst)
    }

    /// The driver has answered the last change; the client tells one at a time.
    pub fn answered(&self) {
        self.is_unanswered.store(false, Ordering::SeqCst);
    }

    fn push(&self, change: Change) {
        lock(&self.changes).push(change);
    }
}

fn named(list: &TopicPartitionList) -> Vec<(String, i32)> {
    let elements = list.elements();
    elements.iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
}

impl Wake for Context {
    fn wake(&self) {
        *lock(&self.waiting) = true;
        self.wake.notify_all();
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => tracing::error!(target: "kafka", facility, "{message}"),
            RDKafkaLogLevel::Warning => tracing::warn!(target: "kafka", facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "kafka", facility, "{message}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "kafka", facility, "{message}"),
        }
    }

    fn stats(&self, statistics: Statistics) {
        let mut ends = lock(&self.ends);
        for topic in statistics.topics.values() {
            for partition in topic.partitions.values().filter(|p| p.ls_offset >= 0) {
                ends.insert((topic.topic.clone(), partition.partition), partition.ls_offset);
            }
        }
    }

    fn error(&self, error: ClientError, reason: &str) {
        let code = error.rdkafka_error_code();
        self.push(Change::Error {
            kind: code.map_or(ErrorKind::Other, ErrorKind::of),
            fatal: code == Some(RDKafkaErrorCode::Fatal),
            reason: reason.to_owned(),
        });
    }
}

impl ConsumerContext for Context {
    /// Notes the change; the driver answers it with `assign` or `unassign` on its own thread.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        self.is_unanswered.store(true, Ordering::SeqCst);
        if self.closing.load(Ordering::SeqCst) {
            return;
        }
        let partitions = named(list);
        self.push(match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned(partitions),
            _ if consumer.assignment_lost() => Change::Lost(partitions),
            _ => Change::Revoked(partitions),
        });
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            self.push(Change::CommitFailed(error.to_string()));
        }
    }
}
