//! The one place where the binary reads the clock.

use std::sync::atomic::{AtomicI64, Ordering};

use turnwise_model::Millis;

/// The latest instant given out, so that time never goes back when the system's clock is set.
static LATEST: AtomicI64 = AtomicI64::new(i64::MIN);

/// Milliseconds since 1970 (UTC); never less than an earlier answer of this process.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(crate) fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Millis(now.max(LATEST.fetch_max(now, Ordering::Relaxed)))
}

/// A random number, for waiting times and names.
pub(crate) fn dice() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
