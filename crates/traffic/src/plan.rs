//! What to generate: size, days and the rates of everything that goes wrong.

use turnwise_model::time::{DAY_MS, HOUR_MS, Millis};

/// The end of generated traffic unless told otherwise: 2026-11-15T00:00:00Z.
const DEFAULT_END: Millis = Millis(20_772 * DAY_MS);
/// Days of traffic unless told otherwise: a window of seven and three before it.
const DEFAULT_DAYS: u32 = 10;
/// The days a plan may cover at most.
const DAYS_MAX: u32 = 400;
/// Messages of a sender, by which the number of senders is chosen.
const MESSAGES_PER_SENDER: u64 = 2_500;
/// Messages planned in one go.
const SLICE_MESSAGES: u64 = 40_000;
/// Events sorted in one go.
const BUCKET_EVENTS: u64 = 512;
/// Buckets of a plan at most (24 bytes each while empty).
const BUCKETS_MAX: u64 = 200_000;

/// What to generate.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The same plan with the same seed gives the same bytes.
    pub seed: u64,
    /// Messages in all: inbound, sent, echoed and standby, each once (repeats, statuses, history
    /// and malformed records come on top).
    pub messages: u64,
    /// Senders; by default one for every 2,500 messages, at least 12, at most 10,000.
    pub senders: Option<u32>,
    /// No record and no message is at or after this instant.
    pub end: Millis,
    /// The days before `end` that traffic covers.
    pub days: u32,
    /// How often things go wrong.
    pub rates: Rates,
}

/// How often things go wrong, as probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// A record is delivered a second time, seconds to hours later.
    pub duplicates: f64,
    /// A webhook comes minutes late, behind newer ones.
    pub disorder: f64,
    /// A webhook comes hours late.
    pub late: f64,
    /// A status comes hours late.
    pub late_statuses: f64,
    /// An API message fails.
    pub failed: f64,
    /// Two webhooks of different numbers share a record.
    pub bundled: f64,
    /// A timestamp is a number instead of a string.
    pub integer_timestamps: f64,
    /// A peer is known by user id only.
    pub user_id_only: f64,
    /// A message of a sender's past comes as history (senders that use the phone app), per message.
    pub history: f64,
    /// A conversation comes as copies while the platform's agent holds the thread.
    pub standby: f64,
    /// A conversation has metadata beside it: handovers, account events, ignored fields.
    pub metadata: f64,
    /// A malformed record follows a good one.
    pub malformed: f64,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            duplicates: 0.010,
            disorder: 0.010,
            late: 0.002,
            late_statuses: 0.005,
            failed: 0.010,
            bundled: 0.030,
            integer_timestamps: 0.020,
            user_id_only: 0.040,
            history: 0.002,
            standby: 0.002,
            metadata: 0.010,
            malformed: 0.001,
        }
    }
}

impl Rates {
    /// Nothing goes wrong: every record once, in order, readable.
    #[must_use]
    pub fn none() -> Self {
        Self {
            duplicates: 0.0,
            disorder: 0.0,
            late: 0.0,
            late_statuses: 0.0,
            failed: 0.0,
            bundled: 0.0,
            integer_timestamps: 0.0,
            user_id_only: 0.0,
            history: 0.0,
            standby: 0.0,
            metadata: 0.0,
            malformed: 0.0,
        }
    }
}

impl Plan {
    /// A plan of that seed and size, all else by default.
    #[must_use]
    pub fn new(seed: u64, messages: u64) -> Self {
        Self {
            seed,
            messages,
            senders: None,
            end: DEFAULT_END,
            days: DEFAULT_DAYS,
            rates: Rates::default(),
        }
    }

    /// The number of senders.
    #[must_use]
    pub fn sender_count(&self) -> u32 {
        let by_size = (self.messages / MESSAGES_PER_SENDER).clamp(12, 10_000);
        self.senders.unwrap_or(u32::try_from(by_size).unwrap_or(10_000)).max(1)
    }

    /// The first instant of the plan.
    #[must_use]
    pub fn start(&self) -> Millis {
        Millis(self.end.0 - i64::from(self.days_covered()) * DAY_MS)
    }

    pub(crate) fn days_covered(&self) -> u32 {
        self.days.clamp(1, DAYS_MAX)
    }

    /// The slices of an hour in which conversations are planned.
    pub(crate) fn slices_per_hour(&self) -> u64 {
        let hours = u64::from(self.days_covered()) * 24;
        (self.messages / hours / SLICE_MESSAGES + 1).min(60)
    }

    /// The width of a bucket of record times, in milliseconds.
    pub(crate) fn bucket_ms(&self) -> i64 {
        let span_ms = i64::from(self.days_covered()) * DAY_MS;
        let buckets = (self.messages.saturating_mul(3) / BUCKET_EVENTS).clamp(240, BUCKETS_MAX);
        (span_ms / i64::try_from(buckets).unwrap_or(240)).clamp(1_000, HOUR_MS)
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new(1, 120_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_plan_ends_in_the_middle_of_november() {
        let plan = Plan::default();
        assert_eq!(plan.end.rfc3339(), "2026-11-15T00:00:00.000Z");
        assert_eq!(plan.start().rfc3339(), "2026-11-05T00:00:00.000Z");
        assert_eq!(plan.sender_count(), 48);
    }

    #[test]
    fn senders_follow_the_size_within_bounds() {
        assert_eq!(Plan::new(1, 0).sender_count(), 12);
        assert_eq!(Plan::new(1, 100_000_000).sender_count(), 10_000);
        assert_eq!(Plan { senders: Some(3), ..Plan::default() }.sender_count(), 3);
    }
}
