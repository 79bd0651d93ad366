//! What happened in a run, to see that the faults in fact occurred.

use turnwise_ingest::Counters;

/// Counts of a run or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events handled.
    pub events: u64,
    /// Rows in the lake at the end.
    pub rows: u64,
    /// Entries of the log.
    pub entries: u64,
    /// Puts that met another's entry.
    pub conflicts: u64,
    /// Puts that landed after their worker had given up on them or had died.
    pub late_puts: u64,
    /// Replies lost after the put was applied.
    pub lost_replies: u64,
    /// Commits refused by the check of offsets.
    pub offsets_refused: u64,
    /// Commits refused by the check of the deadline.
    pub deadline_refused: u64,
    /// Puts that the store refused because they were signed too long ago.
    pub expired_puts: u64,
    /// Files removed that no entry names.
    pub vacuumed: u64,
    /// Workers killed.
    pub crashes: u64,
    /// Workers paused.
    pub pauses: u64,
    /// Members whose partitions moved without their knowing.
    pub expelled: u64,
    /// Partitions given back after a commit.
    pub released: u64,
    /// Partitions lost, or not committed in time to be given back.
    pub lost: u64,
    /// Workers drained.
    pub drained: u64,
    /// Deliveries that repeated or skipped records.
    pub slips: u64,
    /// `fenced` of the machines.
    pub fenced: u64,
    /// `deadline_drops` of the machines.
    pub deadline_drops: u64,
    /// `attempt_drops` of the machines.
    pub attempt_drops: u64,
    /// `stale_reads` of the machines.
    pub stale_reads: u64,
    /// `pauses` of the machines.
    pub buffer_pauses: u64,
}

impl Tally {
    pub(crate) fn machine(&mut self, counters: Counters) {
        self.fenced += counters.fenced;
        self.deadline_drops += counters.deadline_drops;
        self.attempt_drops += counters.attempt_drops;
        self.stale_reads += counters.stale_reads;
        self.buffer_pauses += counters.pauses;
    }

    /// Every count by its name.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 22] {
        [
            ("events", self.events),
            ("rows", self.rows),
            ("entries", self.entries),
            ("conflicts", self.conflicts),
            ("late_puts", self.late_puts),
            ("lost_replies", self.lost_replies),
            ("offsets_refused", self.offsets_refused),
            ("deadline_refused", self.deadline_refused),
            ("expired_puts", self.expired_puts),
            ("vacuumed", self.vacuumed),
            ("crashes", self.crashes),
            ("pauses", self.pauses),
            ("expelled", self.expelled),
            ("released", self.released),
            ("lost", self.lost),
            ("drained", self.drained),
            ("slips", self.slips),
            ("fenced", self.fenced),
            ("deadline_drops", self.deadline_drops),
            ("attempt_drops", self.attempt_drops),
            ("stale_reads", self.stale_reads),
            ("buffer_pauses", self.buffer_pauses),
        ]
    }
}
