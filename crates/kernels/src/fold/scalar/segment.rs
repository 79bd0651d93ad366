//! Where conversations begin and end: runs without a gap over 30 minutes, cut at day ends.

use std::ops::Range;

use turnwise_model::time::{CONVERSATION_GAP_MS, DAY_MS, Day};

use super::resolve::Entry;

/// Calls `each` with the index ranges of the pieces that start on `day`, in order of time.
///
/// `entries` are one peer's, in order, from the rows that decide the day. A run that begins on the
/// day is cut at the end of the next one. A run that has a message before the day before begins
/// was cut at each day's end since, so what it has on this day is a piece of its own. A run that
/// began on the day before is not cut at this day's start: nothing of it starts here.
pub(super) fn pieces(entries: &[Entry], day: Day, each: &mut dyn FnMut(Range<usize>)) {
    let (start, end) = (day.start().0, day.end().0);
    let mut first = 0;
    while first < entries.len() {
        let after = run_end(entries, first);
        let began = entries[first].time_ms;
        let range = if began >= start && began < end {
            first..first + count_before(&entries[first..after], end + DAY_MS)
        } else if began < start - DAY_MS {
            let run = &entries[first..after];
            first + count_before(run, start)..first + count_before(run, end)
        } else {
            first..first
        };
        if !range.is_empty() {
            each(range);
        }
        first = after;
    }
}

fn run_end(entries: &[Entry], first: usize) -> usize {
    let gap = |at: usize| entries[at].time_ms - entries[at - 1].time_ms > CONVERSATION_GAP_MS;
    (first + 1..entries.len()).find(|at| gap(*at)).unwrap_or(entries.len())
}

fn count_before(run: &[Entry], time_ms: i64) -> usize {
    run.partition_point(|entry| entry.time_ms < time_ms)
}
