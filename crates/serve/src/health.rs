//! What the probes ask: which parts can do their work, and which loops still turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use turnwise_model::Millis;

/// Readiness by part and liveness by heartbeat; clones share it.
///
/// Names are parts of the program, a closed set. Times come from the caller, as the probes' own
/// do: milliseconds of the wall clock.
#[derive(Clone, Debug, Default)]
pub struct Health {
    inner: Arc<Mutex<Parts>>,
}

#[derive(Debug, Default)]
struct Parts {
    ready: BTreeMap<&'static str, bool>,
    loops: BTreeMap<&'static str, Beat>,
}

#[derive(Debug)]
struct Beat {
    last: Millis,
    age_max_ms: i64,
}

impl Health {
    /// No parts yet: not ready, alive.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says whether a part can do its work. Name every part with `false` before it starts.
    pub fn set_ready(&self, part: &'static str, ready: bool) {
        self.parts().ready.insert(part, ready);
    }

    /// From `now` on the loop of this part has to beat at least every `age_max_ms`.
    pub fn watch(&self, part: &'static str, age_max_ms: i64, now: Millis) {
        self.parts().loops.insert(part, Beat { last: now, age_max_ms });
    }

    /// The loop of this part turns. Changes nothing where it is not watched.
    pub fn beat(&self, part: &'static str, now: Millis) {
        if let Some(beat) = self.parts().loops.get_mut(part) {
            beat.last = beat.last.max(now);
        }
    }

    /// The loop of this part ended as it should.
    pub fn unwatch(&self, part: &'static str) {
        self.parts().loops.remove(part);
    }

    /// Whether every part is ready, and there is one.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let parts = self.parts();
        !parts.ready.is_empty() && parts.ready.values().all(|ready| *ready)
    }

    /// The parts that are not ready.
    #[must_use]
    pub fn not_ready(&self) -> Vec<&'static str> {
        self.parts().ready.iter().filter(|(_, ready)| !**ready).map(|(part, _)| *part).collect()
    }

    /// The loops that have not beaten for longer than they may.
    #[must_use]
    pub fn stuck(&self, now: Millis) -> Vec<&'static str> {
        let late = |beat: &Beat| now.0.saturating_sub(beat.last.0) > beat.age_max_ms;
        self.parts().loops.iter().filter(|(_, beat)| late(beat)).map(|(part, _)| *part).collect()
    }

    /// Each change is one insertion: a panic elsewhere cannot leave it half done.
    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_needs_every_named_part() {
        let health = Health::new();
        assert!(!health.is_ready());
        health.set_ready("lake", true);
        health.set_ready("grpc", false);
        assert!(!health.is_ready());
        assert_eq!(health.not_ready(), ["grpc"]);
        health.clone().set_ready("grpc", true);
        assert!(health.is_ready() && health.not_ready().is_empty());
    }

    #[test]
    fn a_loop_is_stuck_after_its_age_and_lives_again_with_a_beat() {
        let health = Health::new();
        health.beat("derive", Millis(0));
        assert!(health.stuck(Millis(i64::MAX)).is_empty());
        health.watch("derive", 1_000, Millis(5_000));
        assert!(health.stuck(Millis(6_000)).is_empty());
        assert_eq!(health.stuck(Millis(6_001)), ["derive"]);
        health.beat("derive", Millis(6_001));
        health.beat("derive", Millis(10));
        assert!(health.stuck(Millis(7_001)).is_empty());
        health.unwatch("derive");
        assert!(health.stuck(Millis(i64::MAX)).is_empty());
    }
}
