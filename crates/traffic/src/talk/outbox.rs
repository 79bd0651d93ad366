//! Planned events in buckets by record time.

use crate::event::Event;
use crate::plan::Plan;

/// Buckets of planned events over the days of a plan.
pub(crate) struct Outbox {
    start_ms: i64,
    end_ms: i64,
    width_ms: i64,
    buckets: Vec<Vec<Event>>,
    waiting: usize,
    sequence: u64,
}

impl Outbox {
    pub(crate) fn new(plan: &Plan) -> Self {
        let (start_ms, end_ms, width_ms) = (plan.start().0, plan.end.0, plan.bucket_ms());
        let count = (end_ms - start_ms + width_ms - 1) / width_ms;
        let buckets = vec![Vec::new(); usize::try_from(count).unwrap_or(0)];
        Self { start_ms, end_ms, width_ms, buckets, waiting: 0, sequence: 0 }
    }

    /// Keeps an event until its bucket runs. Its record time is inside the plan.
    pub(crate) fn put(&mut self, mut event: Event) {
        event.sequence = self.sequence;
        self.sequence += 1;
        let place = (event.record_ms - self.start_ms) / self.width_ms;
        if let Some(bucket) = usize::try_from(place).ok().and_then(|p| self.buckets.get_mut(p)) {
            bucket.push(event);
            self.waiting += 1;
        }
    }

    /// As `put`, but nothing where its record would come after the plan's end.
    pub(crate) fn put_within(&mut self, event: Event) {
        if event.record_ms < self.end_ms {
            self.put(event);
        }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// When a bucket begins; none after the last.
    pub(crate) fn start_of(&self, bucket: usize) -> Option<i64> {
        let place = i64::try_from(bucket).ok()?;
        (bucket < self.buckets.len()).then_some(self.start_ms + place * self.width_ms)
    }

    pub(crate) fn take(&mut self, bucket: usize) -> Vec<Event> {
        let events = self.buckets.get_mut(bucket).map(std::mem::take).unwrap_or_default();
        self.waiting -= events.len();
        events
    }
}
