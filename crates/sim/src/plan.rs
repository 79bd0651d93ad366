//! What kind of world a seed makes: sizes, limits and how often what goes wrong.

use turnwise_ingest::Settings;

use crate::batch::ROW_BYTES;
use crate::chance::Chance;

/// Milliseconds between two steps of a decoder, at least.
pub(crate) const DECODE_MS_MIN: i64 = 2;
/// Milliseconds from the decoder to the machine, at most.
pub(crate) const CHANNEL_MS_MAX: i64 = 6;
/// Fetches that wait to be decoded, at most.
pub(crate) const FETCHED_MAX: usize = 3;
/// Records of a fetch, at most.
pub(crate) const FETCH_RECORDS_MAX: usize = 4;
/// Milliseconds between two ticks.
pub(crate) const TICK_MS: i64 = 200;

/// Bytes above the machine's maximum that can be on their way when it says `Pause`.
pub(crate) const BUFFER_SLACK: usize = {
    let fetches = (CHANNEL_MS_MAX / DECODE_MS_MIN) as usize + FETCHED_MAX + 2;
    fetches * FETCH_RECORDS_MAX * 3 * ROW_BYTES
};

/// A seed's world.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) workers: usize,
    pub(crate) partitions: usize,
    /// When faults end and the input stops growing.
    pub(crate) heal_ms: i64,
    pub(crate) append_ms_max: i64,
    pub(crate) session_ms: i64,
    pub(crate) revoke_ms: i64,
    pub(crate) timeout_ms: i64,
    /// Milliseconds between two planned faults, at most.
    pub(crate) fault_ms_max: i64,
    /// One call in so many.
    pub(crate) lost_reply: u32,
    pub(crate) refused: u32,
    pub(crate) slow_put: u32,
    /// One step of a commit in so many.
    pub(crate) crash: u32,
    pub(crate) pause: u32,
    /// One fetch in so many.
    pub(crate) slip: u32,
    /// When the store answers nothing.
    pub(crate) outages: Vec<(i64, i64)>,
}

impl Plan {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let deadline_ms = chance.between(1_500, 4_000);
        let buffer = chance.between(1_000, 6_000);
        let settings = Settings {
            commit_age_ms: chance.between(50, 800),
            commit_bytes: size(chance.between(200, buffer)),
            commit_rows: size(chance.between(10, 200)),
            buffer_bytes_max: size(buffer),
            commit_deadline_ms: deadline_ms,
            commit_attempts_max: u32::try_from(chance.between(2, 8)).unwrap_or(2),
            idle_commit_ms: chance.between(800, 3_000),
        };
        let heal_ms = chance.between(6_000, 24_000);
        let mut rate = |low: i64, high: i64| {
            // Some worlds know a fault not at all.
            if chance.one_in(4) { 0 } else { u32::try_from(chance.between(low, high)).unwrap_or(0) }
        };
        let (lost_reply, refused, slow_put) = (rate(3, 30), rate(5, 60), rate(5, 40));
        let (crash, pause, slip) = (rate(30, 300), rate(20, 200), rate(40, 400));
        let outages = (0..chance.between(0, 2))
            .map(|_| {
                let begin = chance.between(0, heal_ms);
                let long = chance.one_in(3);
                let length = chance.between(200, if long { 3 * deadline_ms } else { 1_500 });
                (begin, begin + length)
            })
            .collect();
        Self {
            settings,
            workers: size(chance.between(1, 4)),
            partitions: size(chance.between(1, 6)),
            heal_ms,
            append_ms_max: chance.between(60, 600),
            session_ms: chance.between(300, 2_000),
            revoke_ms: chance.between(200, 3_000),
            timeout_ms: chance.between(50, 1_500),
            fault_ms_max: chance.between(400, 4_000),
            lost_reply,
            refused,
            slow_put,
            crash,
            pause,
            slip,
            outages,
        }
    }

    pub(crate) fn deadline_ms(&self) -> i64 {
        self.settings.commit_deadline_ms
    }

    /// Age at which a file that no entry names is removed (law 8).
    pub(crate) fn orphan_ms(&self) -> i64 {
        4 * self.deadline_ms()
    }

    /// How long ago a request may have been signed. Stores refuse older ones; without that, a
    /// worker stopped between check and put could name a file that was removed meanwhile.
    pub(crate) fn signature_ms(&self) -> i64 {
        self.deadline_ms() * 3 / 2
    }
}

fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}
