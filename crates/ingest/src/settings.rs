//! What can be set of the machine; the defaults are the limits of the model.

use turnwise_model::{limits, time::MINUTE_MS};

/// Bounds of a batch, of the buffer and of the attempts at a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Age at which what was read is committed.
    pub commit_age_ms: i64,
    /// Bytes that commit at once.
    pub commit_bytes: usize,
    /// Rows that commit at once.
    pub commit_rows: usize,
    /// Bytes held, open and in flight, above which reading pauses; it goes on below half of it.
    pub buffer_bytes_max: usize,
    /// Age of a staged file at which it is not committed any more but read again.
    pub commit_deadline_ms: i64,
    /// Attempts at one commit before its partitions are read again.
    pub commit_attempts_max: u32,
    /// With nothing to read, how often a commit says up to when each partition was read.
    pub idle_commit_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            commit_age_ms: limits::COMMIT_AGE_MS,
            commit_bytes: limits::COMMIT_BYTES,
            commit_rows: limits::COMMIT_ROWS,
            buffer_bytes_max: limits::INGEST_BUFFER_BYTES_MAX,
            commit_deadline_ms: limits::COMMIT_DEADLINE_MS,
            commit_attempts_max: limits::COMMIT_ATTEMPTS_MAX,
            idle_commit_ms: MINUTE_MS,
        }
    }
}
