//! What the machine counts, for metrics.

/// What happened so far, for metrics. Each only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commits known to be in the lake.
    pub commits: u64,
    /// Attempts at commits.
    pub attempts: u64,
    /// Outcomes that were not a clear success.
    pub ambiguous: u64,
    /// Partitions that stood elsewhere in the lake, or were read out of order, and are read again from there.
    pub fenced: u64,
    /// Commits dropped and read again because their files grew too old.
    pub deadline_drops: u64,
    /// Commits dropped and read again after the last attempt.
    pub attempt_drops: u64,
    /// Reads dropped because they belong to an epoch that is over.
    pub stale_reads: u64,
    /// Times that reading paused on a full buffer.
    pub pauses: u64,
}
