//! librdkafka's mock cluster: a Kafka-protocol broker inside the process, for the demo and tests.

use rdkafka::mocking::MockCluster as Native;
use rdkafka::producer::DefaultProducerContext;

use crate::error::KafkaError;

/// A cluster that lives as long as this value.
pub struct MockCluster {
    native: Native<'static, DefaultProducerContext>,
}

impl std::fmt::Debug for MockCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MockCluster")
    }
}

impl MockCluster {
    /// One broker on a free loopback port, with these topics and partitions.
    ///
    /// # Errors
    /// A broker or topic that cannot be made.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, KafkaError> {
        let native = Native::new(1).map_err(KafkaError::client("start mock cluster"))?;
        for (topic, partitions) in topics {
            native
                .create_topic(topic, *partitions, 1)
                .map_err(KafkaError::client("create topic of mock cluster"))?;
        }
        Ok(Self { native })
    }

    /// Its bootstrap address.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.native.bootstrap_servers()
    }
}
