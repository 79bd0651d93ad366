//! The flag: what people see, from the raw verdicts of the last 28 midnights.
//!
//! ```text
//!            two in a row of likely_general_purpose or review
//!   off ───────────────────────────────────────────────────────→ on
//!       ←───────────────────────────────────────────────────────
//!                    three in a row of neither
//! ```
//!
//! Replayed from off each time, so it depends on nothing but those verdicts.

use std::collections::VecDeque;

use turnwise_model::Verdict;

/// Midnights that are replayed.
pub const MIDNIGHTS: usize = 28;
/// Verdicts in a row that switch the flag on.
pub const ON_AFTER: usize = 2;
/// Verdicts in a row that switch it off.
pub const OFF_AFTER: usize = 3;

/// A flag after its replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlagState {
    /// Whether it is on.
    pub on: bool,
    /// Index, among all verdicts given, of the one that switched it to what it is now. `None`
    /// where it never changed.
    pub since_index: Option<usize>,
    /// Midnights among those replayed that had a verdict.
    pub judged: usize,
}

/// Replays the last [`MIDNIGHTS`] verdicts, oldest first, one for each midnight.
///
/// `insufficient`, `attributed_platform_agent`, `incidental_ai` and `task_or_human` are
/// "neither". A missing verdict (`None`: no traffic in the window, or not final yet) ends both
/// rows and changes nothing itself: nobody is flagged or cleared across a hole.
pub fn replay(verdicts: impl IntoIterator<Item = Option<Verdict>>) -> FlagState {
    let mut last = VecDeque::with_capacity(MIDNIGHTS + 1);
    for verdict in verdicts.into_iter().enumerate() {
        last.push_back(verdict);
        if last.len() > MIDNIGHTS {
            last.pop_front();
        }
    }
    let mut state = FlagState::default();
    let (mut raised, mut neither) = (0, 0);
    for (index, verdict) in last {
        let Some(verdict) = verdict else {
            (raised, neither) = (0, 0);
            continue;
        };
        state.judged += 1;
        if matches!(verdict, Verdict::LikelyGeneralPurpose | Verdict::Review) {
            (raised, neither) = (raised + 1, 0);
        } else {
            (raised, neither) = (0, neither + 1);
        }
        let switched = if state.on { neither >= OFF_AFTER } else { raised >= ON_AFTER };
        if switched {
            state.on = !state.on;
            state.since_index = Some(index);
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// l and r flag, t, i and n do not, - is missing.
    fn of(text: &str) -> Vec<Option<Verdict>> {
        text.chars()
            .map(|letter| match letter {
                'l' => Some(Verdict::LikelyGeneralPurpose),
                'r' => Some(Verdict::Review),
                't' => Some(Verdict::TaskOrHuman),
                'i' => Some(Verdict::IncidentalAi),
                'n' => Some(Verdict::Insufficient),
                _ => None,
            })
            .collect()
    }

    fn check(text: &str, on: bool, since_index: Option<usize>) {
        let state = replay(of(text));
        assert_eq!((state.on, state.since_index), (on, since_index), "{text}");
    }

    #[test]
    fn two_in_a_row_switch_on_and_three_of_neither_off() {
        check("", false, None);
        check("l", false, None);
        check("lr", true, Some(1));
        check("ltl", false, None);
        check("rrtt", true, Some(1));
        check("rrttr", true, Some(1));
        check("rrtin", false, Some(4));
        check("rrtttll", true, Some(6));
    }

    #[test]
    fn a_missing_verdict_ends_a_row_and_changes_nothing() {
        check("l-l", false, None);
        check("ll--------", true, Some(1));
        check("lltt-t", true, Some(1));
        assert_eq!(replay(of("l-l")).judged, 2);
    }

    #[test]
    fn only_the_last_28_midnights_count() {
        let old = format!("ll{}", "-".repeat(27));
        check(&old, false, None);
        let kept = format!("tll{}", "-".repeat(26));
        check(&kept, true, Some(2));
    }

    proptest! {
        #[test]
        fn what_came_before_the_28_midnights_does_not_matter(
            before in "[lrtin-]{0,40}", last in "[lrtin-]{28}",
        ) {
            let (alone, with) = (replay(of(&last)), replay(of(&format!("{before}{last}"))));
            prop_assert_eq!(alone.on, with.on);
            prop_assert_eq!(alone.since_index.map(|at| at + before.len()), with.since_index);
        }
    }
}
