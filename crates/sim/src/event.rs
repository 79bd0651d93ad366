//! Events and the heap that orders them by virtual time and sequence.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use turnwise_ingest::{CommitId, CutId, Epoch};

use crate::batch::Row;
use crate::lake::Entry;

/// What happens to the world.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A partition grows.
    Append(usize),
    /// Planned misfortune.
    Fault,
    /// The group shares its partitions out again.
    Rebalance,
    /// Files that no entry names are removed.
    Vacuum,
    /// Faults end.
    Heal,
    /// Has everything been committed since?
    Look,
    /// A dead worker starts again.
    Restart(usize),
    /// A paused one goes on, if this is still its pause.
    Wake(usize, u64),
    /// The group has not heard of a member for a session.
    Session(usize, u32, Option<u64>),
    /// A put arrives at the store.
    Land(Box<Put>),
    /// Something happens inside a worker, or is heard there.
    Own(usize, u32, Own),
}

/// A put on its way.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) worker: usize,
    pub(crate) incarnation: u32,
    pub(crate) attempt: (CommitId, u32),
    pub(crate) version: usize,
    pub(crate) entry: Entry,
}

/// What happens inside a worker. It waits while the worker is paused, and dies with it.
#[derive(Clone, Debug)]
pub(crate) enum Own {
    Tick,
    /// The decoder's next step.
    Decode,
    /// The decoder read on.
    Read {
        partition: usize,
        epoch: Epoch,
        from: i64,
        to: i64,
        rows: usize,
        read_to_ms: Option<i64>,
    },
    /// The decoder's answer.
    Cut(CutId, Vec<Row>),
    /// The decoder has stopped reading a partition that is to be given back.
    Stopped(usize, u64),
    /// The decoder has stopped reading.
    Drain,
    /// The group gives a partition.
    Assign(usize, u64),
    /// Ask the lake where its reading begins.
    Ask(usize, u64),
    /// The lake's answer.
    Assigned(usize, u64, Option<i64>),
    /// The group wants a partition back.
    Revoke(usize, u64),
    /// The time for that is up.
    RevokeOver(usize, u64),
    /// The group says that the membership is over; the worker joins again.
    LostAll,
    /// The time for draining is up.
    Grace,
    /// Steps of a commit.
    Stage(CommitId, u32),
    Check(CommitId, u32),
    Send {
        id: CommitId,
        attempt: u32,
        version: usize,
        signed_ms: i64,
    },
    /// What became of it; `None` for no reply in time, else the version and put if it is in.
    Reply(CommitId, u32, Option<Option<(usize, u64)>>),
    ReadOffsets(CommitId, Vec<usize>),
    /// The answer.
    Offsets(CommitId, Vec<(usize, i64)>),
}

/// The heap. The sequence breaks ties, so what was sent first over one channel comes first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Scheduled>,
    last: u64,
}

#[derive(Debug)]
pub(crate) struct Scheduled {
    pub(crate) key: Reverse<(i64, u64)>,
    pub(crate) event: Event,
}

impl Queue {
    pub(crate) fn push(&mut self, at_ms: i64, event: Event) {
        self.last += 1;
        self.heap.push(Scheduled { key: Reverse((at_ms, self.last)), event });
    }

    /// Puts back what had to wait, under its old sequence.
    pub(crate) fn push_again(&mut self, at_ms: i64, sequence: u64, event: Event) {
        self.heap.push(Scheduled { key: Reverse((at_ms, sequence)), event });
    }

    /// The next event with its time and sequence.
    pub(crate) fn pop(&mut self) -> Option<(i64, u64, Event)> {
        let Scheduled { key: Reverse((at_ms, sequence)), event } = self.heap.pop()?;
        Some((at_ms, sequence, event))
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}
