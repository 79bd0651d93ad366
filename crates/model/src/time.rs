//! Time as Turnwise counts it: whole milliseconds since 1970 (UTC), and UTC days.

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

/// Days since 1970-01-01 (UTC), as Arrow's `Date32` counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// One UTC day.
pub const DAY_MS: i64 = 86_400_000;
/// One hour.
pub const HOUR_MS: i64 = 3_600_000;
/// One minute.
pub const MINUTE_MS: i64 = 60_000;
/// A gap of more than this between two messages of a sender and a peer starts a new conversation.
pub const CONVERSATION_GAP_MS: i64 = 30 * MINUTE_MS;
/// A window holds the conversations that start in this many days before its end.
pub const WINDOW_DAYS: i32 = 7;
/// The days of verdicts a flag is replayed from.
pub const FLAG_DAYS: i32 = 28;
/// How long tokens, skeletons and text buckets are kept, and how far back late rows derive again.
pub const TOKEN_RETENTION_DAYS: i32 = 35;
/// Times before this (2016-01-01T00:00:00Z) are refused: WhatsApp had no business traffic.
pub const EARLIEST: Millis = Millis(1_451_606_400_000);
/// How far after the record's own time (or the moment reading began) a time may lie.
pub const FUTURE_SLACK_MS: i64 = HOUR_MS;
/// A number of this or more is milliseconds, a smaller one seconds.
pub const MILLISECONDS_FROM: i64 = 100_000_000_000;

impl Millis {
    /// The UTC day this instant lies on.
    #[must_use]
    #[inline]
    pub fn day(self) -> Day {
        Day(i32::try_from(self.0.div_euclid(DAY_MS)).unwrap_or(i32::MAX))
    }

    /// The same instant in microseconds, as the tables store it.
    #[must_use]
    #[inline]
    pub fn micros(self) -> i64 {
        self.0.saturating_mul(1_000)
    }

    /// A stored microsecond value as milliseconds.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.div_euclid(1_000))
    }

    /// The first midnight strictly after this instant.
    #[must_use]
    pub fn next_midnight(self) -> Self {
        Day(self.day().0 + 1).start()
    }

    /// The first midnight at or after this instant.
    #[must_use]
    pub fn midnight_at_or_after(self) -> Self {
        if self.0.rem_euclid(DAY_MS) == 0 { self } else { self.next_midnight() }
    }

    /// RFC 3339 in UTC with milliseconds, e.g. `2026-11-08T00:02:27.127Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let day = self.day();
        let within = self.0 - day.start().0;
        let (hours, minutes) = (within / HOUR_MS, within % HOUR_MS / MINUTE_MS);
        let (seconds, millis) = (within % MINUTE_MS / 1_000, within % 1_000);
        format!("{}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z", day.iso())
    }
}

impl Day {
    /// The day's first instant.
    #[must_use]
    pub fn start(self) -> Millis {
        Millis(i64::from(self.0) * DAY_MS)
    }

    /// The first instant of the next day.
    #[must_use]
    pub fn end(self) -> Millis {
        Millis((i64::from(self.0) + 1) * DAY_MS)
    }

    /// `YYYY-MM-DD`. Proleptic Gregorian, by the algorithm of Howard Hinnant's `civil_from_days`.
    #[must_use]
    pub fn iso(self) -> String {
        let z = i64::from(self.0) + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Reads `YYYY-MM-DD`; `None` where it is no such date.
    #[must_use]
    pub fn parse_iso(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let year: i64 = parts.next().filter(|part| part.len() == 4)?.parse().ok()?;
        let month: i64 = parts.next().filter(|part| part.len() == 2)?.parse().ok()?;
        let day: i64 = parts.next().filter(|part| part.len() == 2)?.parse().ok()?;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let month_index = (month + 9) % 12;
        let day_of_year = (153 * month_index + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let parsed = Self(i32::try_from(era * 146_097 + day_of_era - 719_468).ok()?);
        (parsed.iso() == text).then_some(parsed)
    }
}

/// The rows that decide the conversations starting on a day: `[start, end)`.
///
/// DESIGN law 3: [D − 24 h − gap, end of D + 24 h]. A run with a message before a day begins
/// that goes on after the day ends is cut at the day's end, so no longer look is needed.
#[must_use]
pub fn range_of_day(day: Day) -> (Millis, Millis) {
    (Millis(day.start().0 - DAY_MS - CONVERSATION_GAP_MS), Millis(day.end().0 + DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_prints_and_reads_back() {
        for (number, text) in
            [(0, "1970-01-01"), (16_801, "2016-01-01"), (20_781, "2026-11-24"), (-1, "1969-12-31")]
        {
            assert_eq!(Day(number).iso(), text);
            assert_eq!(Day::parse_iso(text), Some(Day(number)));
        }
        assert_eq!(Day::parse_iso("2026-02-30"), None);
        assert_eq!(Day::parse_iso("2026-2-3"), None);
    }

    #[test]
    fn instant_prints_as_rfc3339() {
        assert_eq!(Millis(1_794_096_147_127).rfc3339(), "2026-11-08T00:02:27.127Z");
    }

    #[test]
    fn midnights() {
        let midnight = Day(20_000).start();
        assert_eq!(midnight.next_midnight(), Day(20_001).start());
        assert_eq!(midnight.midnight_at_or_after(), midnight);
        assert_eq!(Millis(midnight.0 + 1).midnight_at_or_after(), Day(20_001).start());
    }
}
