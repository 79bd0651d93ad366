//! What goes into the machine and what comes out.

use std::collections::BTreeMap;

use turnwise_model::{EventBatch, Millis, Offset, OffsetRange, SourcePartition};

/// One stretch of reading a partition, from a `Seek` to the next. Never used twice by a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// One content to commit: the same id is the same rows and ranges, so staged files can be reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub u64);

/// One question to the decoder for what it holds, answered in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CutId(pub u64);

/// Up to when a partition was read: its last record's time, or the clock's at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadTo {
    /// The partition.
    pub partition: SourcePartition,
    /// Every record before this time was read.
    pub time: Millis,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The group gave this partition to the worker. Answered by a `Seek`.
    Assigned {
        /// The partition.
        partition: SourcePartition,
        /// The next offset as the lake has it; `None` where it knows none.
        stored: Option<Offset>,
        /// Where reading begins where the lake knows no offset.
        first: Offset,
    },
    /// The group wants the partition back. Reading it has stopped; what was read is committed
    /// first, then the machine wishes `Released`. When the driver's time for that is up, it says `Lost`.
    Revoked {
        /// The partition.
        partition: SourcePartition,
    },
    /// The partition is gone: what was read of it is dropped.
    Lost {
        /// The partition.
        partition: SourcePartition,
    },
    /// The decoder read on from `from` up to `to`; with `from == to`, it found the end.
    Read {
        /// The partition.
        partition: SourcePartition,
        /// The epoch of the `Seek` under which this was fetched.
        epoch: Epoch,
        /// Where this read began: the offset sought to, or the last read's `to`.
        from: Offset,
        /// The next offset to read; control records and compacted gaps lie inside.
        to: Offset,
        /// Rows that the decoder made of it; may be 0.
        rows: usize,
        /// Bytes that those rows hold in memory.
        bytes: usize,
        /// The last record's time, or the clock's where the partition's end was found.
        read_to: Option<Millis>,
    },
    /// What the decoder held when it was asked.
    Cut {
        /// The question.
        cut: CutId,
        /// Its rows; the decoder is empty now.
        batches: Vec<EventBatch>,
    },
    /// The commit is in the lake for certain.
    Committed {
        /// The commit.
        id: CommitId,
    },
    /// Anything but a clear success: refused, conflict, wrong `from`, past the deadline, no reply.
    Ambiguous {
        /// The commit.
        id: CommitId,
    },
    /// The answer to `ReadOffsets`, read from the newest version after the question was asked.
    Offsets {
        /// The commit that is in question.
        id: CommitId,
        /// The next offset of each partition; absent where the lake knows none.
        stored: BTreeMap<SourcePartition, Offset>,
    },
    /// Time passed.
    Tick,
    /// Shut down: reading has stopped; commit what was read, then `Drained`.
    Drain,
}

/// What the driver shall do, in this order.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Take what the decoder holds and answer with `Input::Cut`.
    Cut {
        /// To be repeated in the answer.
        cut: CutId,
    },
    /// Read the partition from this offset, under this epoch.
    Seek {
        /// The partition.
        partition: SourcePartition,
        /// The tag of the reads that follow.
        epoch: Epoch,
        /// The next offset to read.
        offset: Offset,
    },
    /// Try this commit once; after the first attempt wait [`crate::backoff_ms`] before it.
    Commit {
        /// Same id, same content.
        id: CommitId,
        /// Counts from 1.
        attempt: u32,
        /// The offsets it adds, each to be checked against the lake.
        ranges: Vec<OffsetRange>,
        /// Its rows; a kind and date may come more than once.
        batches: Vec<EventBatch>,
        /// Up to when each assigned partition was read, for the commit's info.
        read_to: Vec<ReadTo>,
        /// Past this moment no log entry may name its files.
        deadline_ms: i64,
    },
    /// Read the newest version's offsets of these partitions; try until it works.
    ReadOffsets {
        /// To be repeated in the answer.
        id: CommitId,
        /// Which.
        partitions: Vec<SourcePartition>,
    },
    /// Tell Kafka its own offsets, for lag tools. They decide nothing.
    StoreOffsets(
        /// Next offsets that the lake holds.
        Vec<(SourcePartition, Offset)>,
    ),
    /// Nothing read of a revoked partition is left to commit: let it go.
    Released {
        /// The partition.
        partition: SourcePartition,
    },
    /// The buffer is full: stop fetching.
    Pause,
    /// Fetch again.
    Resume,
    /// Everything read is committed or dropped: exit.
    Drained,
}
