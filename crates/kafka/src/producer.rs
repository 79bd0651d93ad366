//! A producer that keeps order and waits for all replicas.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use turnwise_model::Millis;

use crate::error::KafkaError;

/// How long to wait for room in the producer's buffer before the caller is told.
const ROOM_WITHIN: Duration = Duration::from_millis(50);
/// How often to wait for room: 30 s in all.
const ROOM_TRIES: u32 = 600;

/// How long a question to the cluster may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

#[derive(Default)]
struct Deliveries {
    done: AtomicU64,
    failed: AtomicU64,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let count = if result.is_ok() { &self.done } else { &self.failed };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A producer with a thread of its own that serves deliveries.
pub struct Producer {
    native: ThreadedProducer<Deliveries>,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Producer")
    }
}

impl Producer {
    /// A producer of a cluster.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn new(brokers: &str) -> Result<Self, KafkaError> {
        let mut config = ClientConfig::new();
        for (key, value) in [
            ("bootstrap.servers", brokers),
            ("acks", "all"),
            ("enable.idempotence", "true"),
            ("linger.ms", "5"),
            ("compression.type", "lz4"),
        ] {
            config.set(key, value);
        }
        let native = ThreadedProducer::from_config_and_context(&config, Deliveries::default())
            .map_err(KafkaError::create)?;
        Ok(Self { native })
    }

    /// Sends one record; waits for room in the buffer.
    ///
    /// # Errors
    /// [`KafkaError::QueueFull`] where no room came; records that the client refuses.
    pub fn send(
        &self,
        topic: &str,
        partition: Option<i32>,
        key: &[u8],
        value: &[u8],
        time: Option<Millis>,
    ) -> Result<(), KafkaError> {
        for _ in 0..ROOM_TRIES {
            let mut record = BaseRecord::to(topic).key(key).payload(value);
            record.partition = partition;
            record.timestamp = time.map(|time| time.0);
            match self.native.send(record) {
                Ok(()) => return Ok(()),
                Err((ClientError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    // The wait serves deliveries, which make room.
                    let _ = self.native.flush(ROOM_WITHIN);
                }
                Err((error, _)) => return Err(KafkaError::client("send record")(error)),
            }
        }
        Err(KafkaError::QueueFull)
    }

    /// Waits until every record sent is acknowledged.
    ///
    /// # Errors
    /// Records that are still under way after `within`, or that failed for good.
    pub fn flush(&self, within: Duration) -> Result<(), KafkaError> {
        self.native.flush(within).map_err(KafkaError::client("flush records"))?;
        match self.native.context().failed.load(Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(KafkaError::client("flush records")(ClientError::MessageProduction(
                RDKafkaErrorCode::MessageTimedOut,
            ))),
        }
    }

    /// The cluster's id.
    #[must_use]
    pub fn cluster_id(&self) -> Option<String> {
        self.native.client().fetch_cluster_id(ANSWER_WITHIN)
    }

    /// Records acknowledged.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.native.context().done.load(Ordering::Relaxed)
    }
}
