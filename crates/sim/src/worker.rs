//! A worker: the real machine, its decoder, and what its driver remembers.

use std::collections::BTreeMap;

use turnwise_ingest::{CommitId, Machine, Settings};

use crate::batch::Row;
use crate::decoder::Decoder;
use crate::event::Event;
use crate::lake::Range;

/// How the driver stands to a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The lake is being asked where reading begins.
    Pending,
    /// The machine has it.
    Active,
    /// It is stopped and will be given back.
    Revoking,
}

/// The commit being tried.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) id: CommitId,
    pub(crate) attempt: u32,
    pub(crate) ranges: Vec<Range>,
    pub(crate) rows: Vec<Row>,
    pub(crate) read_to: Vec<(usize, i64)>,
    pub(crate) deadline_ms: i64,
}

/// One worker process. A restart makes another incarnation of it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) incarnation: u32,
    pub(crate) alive: bool,
    /// The group counts it in.
    pub(crate) member: bool,
    pub(crate) machine: Machine,
    pub(crate) decoder: Decoder,
    /// By partition: the token of the assignment and its state.
    pub(crate) holds: BTreeMap<usize, (u64, Hold)>,
    pub(crate) task: Option<Task>,
    /// The file staged last, and for which commit.
    pub(crate) staged: Option<(CommitId, usize)>,
    /// Its clock less the world's.
    pub(crate) clock_ms: i64,
    /// When the decoder's channel delivers next at the earliest.
    pub(crate) channel_ms: i64,
    /// The pause it is in.
    pub(crate) pause: Option<u64>,
    /// What waits for its waking, by sequence.
    pub(crate) backlog: Vec<(u64, Event)>,
    pub(crate) draining: bool,
}

impl Worker {
    pub(crate) fn new(incarnation: u32, settings: Settings, clock_ms: i64) -> Self {
        Self {
            incarnation,
            alive: true,
            member: true,
            machine: Machine::new(settings),
            decoder: Decoder::default(),
            holds: BTreeMap::new(),
            task: None,
            staged: None,
            clock_ms,
            channel_ms: 0,
            pause: None,
            backlog: Vec::new(),
            draining: false,
        }
    }
}
