//! Waiting for what other processes do. All that is seen of them is what they write to files and
//! that they end, and neither wakes anybody: so there is looking again and again, here and nowhere
//! else.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Pause between two looks where nothing hangs on milliseconds.
pub const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Looks until something is found: none if it is not within that time.
///
/// # Errors
/// Whatever `look` returns.
pub fn look_until<T>(
    pause: Duration,
    within: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if begun.elapsed() > within {
            return Ok(None);
        }
        std::thread::sleep(pause);
    }
}
