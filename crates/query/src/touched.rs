//! What new rows touch: days to derive again, and the windows that hold those days.

use std::collections::BTreeSet;

use turnwise_model::Day;
use turnwise_model::time::{FLAG_DAYS, TOKEN_RETENTION_DAYS, WINDOW_DAYS};

/// The days whose conversations rows of these dates may decide (law 3): a row decides the day
/// before its own, its own, the next, and from its last half hour the one after that. Days older
/// than the retention of tokens are left as they are.
#[must_use]
pub fn days_of_dates(dates: &BTreeSet<Day>, today: Day) -> BTreeSet<Day> {
    let oldest = today.0 - TOKEN_RETENTION_DAYS;
    let around = dates.iter().flat_map(|date| date.0 - 1..=date.0 + 2);
    around.filter(|day| *day >= oldest && *day <= today.0).map(Day).collect()
}

/// The ends of the windows that hold these days, up to the next midnight, no older than the
/// verdicts that a flag is replayed from.
#[must_use]
pub fn ends_of_days(days: &BTreeSet<Day>, today: Day) -> BTreeSet<Day> {
    let ends = days.iter().flat_map(|day| day.0 + 1..=day.0 + WINDOW_DAYS);
    ends.filter(|end| *end > today.0 + 1 - FLAG_DAYS && *end <= today.0 + 1).map(Day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(days: impl IntoIterator<Item = i32>) -> BTreeSet<Day> {
        days.into_iter().map(Day).collect()
    }

    #[test]
    fn late_row_derives_its_days_again() {
        assert_eq!(days_of_dates(&set([100]), Day(120)), set(99..=102));
        assert_eq!(days_of_dates(&set([120]), Day(120)), set(119..=120));
        assert_eq!(days_of_dates(&set([86]), Day(120)), set(85..=88));
        assert!(days_of_dates(&set([80]), Day(120)).is_empty());
    }

    #[test]
    fn day_is_in_the_seven_windows_after_it() {
        assert_eq!(ends_of_days(&set([100]), Day(120)), set(101..=107));
        assert_eq!(ends_of_days(&set([118]), Day(120)), set(119..=121));
        assert_eq!(ends_of_days(&set([90]), Day(120)), set(94..=97));
    }
}
