//! What a consumer tells its driver besides records.

use turnwise_model::Offset;

use crate::error::ErrorKind;
use crate::partition::TopicPartition;

/// Something that happened, from the consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// These partitions are ours: answer with [`crate::Consumer::assign`].
    Assigned(Vec<TopicPartition>),
    /// The group wants these back: commit what was read of them, then answer with
    /// [`crate::Consumer::unassign`].
    Revoked(Vec<TopicPartition>),
    /// Others have these already: drop what was read of them and answer with
    /// [`crate::Consumer::unassign`].
    Lost(Vec<TopicPartition>),
    /// Retention passed the position: the records `[from, to)` are gone. The partition has
    /// stopped; seek to `to` to go on behind the gap.
    OffsetsLost {
        /// Which.
        partition: TopicPartition,
        /// The position: the first offset lost.
        from: Offset,
        /// The first offset that the broker still has.
        to: Offset,
    },
    /// The broker's log ends before the position, or has another history: it was cut. The
    /// partition has stopped, for an operator to look at.
    LogTruncated {
        /// Which.
        partition: TopicPartition,
        /// The position that the lake has reached.
        position: Offset,
        /// The end of the broker's log.
        end: Offset,
    },
    /// The client cannot decode what the broker has at this offset. The partition has stopped;
    /// seek to the same offset to try again, or behind it to skip.
    Unreadable {
        /// Which.
        partition: TopicPartition,
        /// Where.
        offset: Offset,
        /// In words, without content.
        reason: String,
    },
    /// The topic's id is another: it was deleted and made again. Its partitions have stopped for
    /// as long as this consumer lives; a new one reads the new topic as another input.
    TopicRecreated {
        /// Its name.
        topic: String,
        /// The id that this consumer reads.
        was: String,
        /// The id that the cluster has now.
        now: String,
    },
    /// The topic is gone.
    TopicMissing {
        /// Its name.
        topic: String,
    },
    /// The topic has more partitions than when this was last looked at. The group hands them out
    /// by itself; none of their records may be passed over.
    PartitionsAdded {
        /// Its name.
        topic: String,
        /// How many it has now.
        partitions: usize,
    },
    /// Writing next offsets for lag tools failed; the lake has the truth, so nothing is lost.
    CommitFailed {
        /// In words.
        reason: String,
    },
    /// The client reports an error. It goes on by itself unless `fatal`.
    Error {
        /// Of which kind.
        kind: ErrorKind,
        /// Whether the client is lost and a new one is needed.
        fatal: bool,
        /// In words.
        reason: String,
    },
}
