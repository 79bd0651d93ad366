//! How long a driver waits before it tries again: full jitter under a doubling cap, so that
//! workers that met at one log entry do not meet at the next.

/// The first cap.
const BACKOFF_MS: u64 = 100;
/// The last cap; well below the time a group gives a worker to let a partition go.
const BACKOFF_MS_MAX: u64 = 5_000;

/// Milliseconds to wait before the attempt after `attempt` (from 1); `dice` is any random number.
#[must_use]
pub fn backoff_ms(attempt: u32, dice: u64) -> i64 {
    let cap = BACKOFF_MS.saturating_mul(1 << attempt.min(16)).min(BACKOFF_MS_MAX);
    i64::try_from(dice % (cap + 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_stays_under_a_growing_cap() {
        assert_eq!(backoff_ms(1, 200), 200);
        assert_eq!(backoff_ms(1, 201), 0);
        for attempt in 0..100 {
            assert!((0..=5_000).contains(&backoff_ms(attempt, u64::MAX)));
            assert!((0..=5_000).contains(&backoff_ms(attempt, 4_999)));
        }
    }
}
