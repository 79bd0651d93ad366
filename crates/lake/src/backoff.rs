//! Full-jitter pauses between attempts at a commit, so that writers that met once do not
//! meet again.

use std::time::Duration;

/// The longest first pause; it doubles with every attempt.
const FIRST_PAUSE_MS: u64 = 10;
/// The longest pause of all.
const PAUSE_MS_MAX: u64 = 1_000;

/// The pause before an attempt (1 is the second): `random` spread over `[0, bound]`.
fn pause_ms(attempt: u32, random: u64) -> u64 {
    let bound = FIRST_PAUSE_MS.saturating_mul(1 << attempt.min(16)).min(PAUSE_MS_MAX);
    random % (bound + 1)
}

/// Sleeps before an attempt.
pub(crate) fn pause(attempt: u32) {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    std::thread::sleep(Duration::from_millis(pause_ms(attempt, random)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        assert!((0..1_000).all(|random| pause_ms(0, random) <= FIRST_PAUSE_MS));
        assert!((0..100).all(|attempt| pause_ms(attempt, u64::MAX) <= PAUSE_MS_MAX));
        assert_eq!(pause_ms(20, PAUSE_MS_MAX), PAUSE_MS_MAX);
    }
}
