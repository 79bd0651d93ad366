//! What can go wrong with Kafka, in the terms that a caller decides by.

use std::fmt;

use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};

use crate::partition::TopicPartition;

/// When an operation that failed may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never: the same call fails the same way.
    Never,
    /// After a pause.
    Later,
    /// The client is lost: make a new one.
    Fatal,
}

/// A closed set of the kinds of failures, for alerts and metric labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The broker refused our credentials, or TLS could not be set up.
    Authentication,
    /// The broker knows us and forbids the operation.
    Authorization,
    /// No broker can be reached.
    Unreachable,
    /// A topic or partition does not exist.
    UnknownTopic,
    /// Another process has our member name.
    Fenced,
    /// The poll thread did not poll for so long that the group gave us up.
    PollTooLate,
    /// A record or batch could not be decoded by the client.
    Unreadable,
    /// The broker did not answer in time.
    Timeout,
    /// Anything else.
    Other,
}

/// A failed operation. `Display` says what was tried; the cause is in `source`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KafkaError {
    /// A setting that may not be given.
    #[error("set Kafka property {key}: {reason}")]
    Property {
        /// The property's name.
        key: String,
        /// Why not.
        reason: String,
    },
    /// The client could not be made.
    #[error("create Kafka client: {reason}")]
    Create {
        /// The client's own words, without values of secret settings.
        reason: String,
    },
    /// No answer from the cluster.
    #[error("connect to Kafka at {brokers}: {reason}")]
    Connect {
        /// The bootstrap addresses.
        brokers: String,
        /// What kind of failure the client saw last.
        kind: ErrorKind,
        /// In words.
        reason: String,
    },
    /// A topic that should be read does not exist.
    #[error("find topic {topic}: the cluster has no such topic")]
    TopicMissing {
        /// Its name.
        topic: String,
    },
    /// A partition that is not assigned to this consumer (any more).
    #[error("read partition {partition}: it is not assigned to this consumer")]
    NotAssigned {
        /// Which.
        partition: TopicPartition,
    },
    /// An operation of the client failed.
    #[error("{operation}")]
    Client {
        /// Verb and object.
        operation: &'static str,
        /// The client's error.
        #[source]
        source: ClientError,
    },
    /// An administrative request was refused for one topic or partition.
    #[error("{operation} {item}: {code}")]
    Refused {
        /// Verb and object.
        operation: &'static str,
        /// The topic or partition.
        item: String,
        /// The broker's answer.
        code: Code,
    },
    /// The producer's buffer is full: poll and try again.
    #[error("send record: the producer's buffer is full")]
    QueueFull,
}

impl KafkaError {
    pub(crate) fn client(operation: &'static str) -> impl FnOnce(ClientError) -> Self {
        move |source| Self::Client { operation, source }
    }

    /// Making a client failed: keep the client's words, but no value of a secret setting.
    pub(crate) fn create(source: ClientError) -> Self {
        match source {
            ClientError::ClientConfig(_, description, key, _) => {
                let secret = ["password", "secret", "pem", "token", "jaas", "key"];
                let reason = if secret.iter().any(|word| key.contains(word)) {
                    "the client refuses its value".to_owned()
                } else {
                    description
                };
                Self::Property { key, reason }
            }
            ClientError::ClientCreation(reason) => Self::Create { reason },
            other => Self::Client { operation: "create Kafka client", source: other },
        }
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect { kind, .. } => *kind,
            Self::TopicMissing { .. } => ErrorKind::UnknownTopic,
            Self::Refused { code, .. } => ErrorKind::of(*code),
            Self::Client { source, .. } => {
                source.rdkafka_error_code().map_or(ErrorKind::Other, ErrorKind::of)
            }
            _ => ErrorKind::Other,
        }
    }

    /// Whether to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Property { .. } | Self::Create { .. } | Self::NotAssigned { .. } => Retry::Never,
            Self::Client { source: ClientError::MessageConsumptionFatal(_), .. } => Retry::Fatal,
            Self::Client { source, .. }
                if source
                    .rdkafka_error_code()
                    .is_some_and(|code| matches!(code, Code::Fatal | Code::FencedInstanceId)) =>
            {
                Retry::Fatal
            }
            _ => Retry::Later,
        }
    }
}

impl ErrorKind {
    /// Sorts the client's codes.
    #[must_use]
    pub(crate) fn of(code: Code) -> Self {
        match code {
            Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL => {
                Self::Authentication
            }
            Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed => Self::Authorization,
            Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve => {
                Self::Unreachable
            }
            Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => {
                Self::UnknownTopic
            }
            Code::FencedInstanceId => Self::Fenced,
            Code::PollExceeded => Self::PollTooLate,
            Code::BadMessage
            | Code::BadCompression
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::MessageSizeTooLarge
            | Code::InvalidRecord
            | Code::NotImplemented => Self::Unreadable,
            Code::OperationTimedOut | Code::RequestTimedOut | Code::TimedOutQueue => Self::Timeout,
            _ => Self::Other,
        }
    }

    /// The name as metrics and logs show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Unreachable => "unreachable",
            Self::UnknownTopic => "unknown_topic",
            Self::Fenced => "fenced",
            Self::PollTooLate => "poll_too_late",
            Self::Unreadable => "unreadable",
            Self::Timeout => "timeout",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_settings_are_not_repeated_in_errors() {
        let mut config = rdkafka::ClientConfig::new();
        config.set("ssl.key.pem", "hunter2");
        let error = config.create::<rdkafka::producer::BaseProducer>().err();
        let text = error.map(|error| format!("{:?}", KafkaError::create(error)));
        assert!(text.is_none_or(|text| !text.contains("hunter2")));
    }

    #[test]
    fn fatal_errors_ask_for_a_new_client() {
        let fatal = KafkaError::Client {
            operation: "poll",
            source: ClientError::MessageConsumptionFatal(Code::FencedInstanceId),
        };
        assert_eq!(fatal.retry(), Retry::Fatal);
        assert_eq!(fatal.kind(), ErrorKind::Fenced);
    }
}
