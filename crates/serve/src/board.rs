//! What is served: immutable states, of which the newest few are kept.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;
use turnwise_model::limits::PUBLICATIONS_KEPT;
use turnwise_model::{Day, Millis};
use turnwise_query::answer::SenderAnswer;

/// One sender of a published state.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedSender {
    /// Features, verdict and evidence; publications share what did not change.
    pub answer: Arc<SenderAnswer>,
    /// Whether it is flagged.
    pub flag_on: bool,
    /// The midnight since which the flag is as it is.
    pub flag_since: Option<Millis>,
}

/// One state of all senders.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Version of the table of events that it was derived from.
    pub events_version: u64,
    /// The midnight that begins this day ends the newest window.
    pub window_end: Day,
    /// Every partition was read up to here; `None` where one was not read yet.
    pub read_to: Option<Millis>,
    /// When it was derived.
    pub derived_at: Millis,
    /// When its flags were written.
    pub flagged_at: Millis,
    /// Not every partition was read past the window's end yet.
    pub provisional: bool,
    /// The senders; ordered by sender once published, the newest window of each.
    pub senders: Vec<PublishedSender>,
}

/// What a page token names its state by: the same on every replica that read the same tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateKey {
    /// Version of the table of events.
    pub events_version: u64,
    /// When it was derived.
    pub derived_at: Millis,
    /// When its flags were written.
    pub flagged_at: Millis,
}

impl Published {
    /// What page tokens name this state by.
    #[must_use]
    pub fn key(&self) -> StateKey {
        StateKey {
            events_version: self.events_version,
            derived_at: self.derived_at,
            flagged_at: self.flagged_at,
        }
    }

    /// The sender of that phone number id.
    #[must_use]
    pub fn sender(&self, sender: &str) -> Option<&PublishedSender> {
        let at = self.senders.binary_search_by(|own| own.answer.window.sender.as_str().cmp(sender));
        self.senders.get(at.ok()?)
    }

    fn order(&mut self) {
        self.senders.sort_by(|left, right| {
            let (left, right) = (&left.answer.window, &right.answer.window);
            left.sender.cmp(&right.sender).then(right.end.cmp(&left.end))
        });
        self.senders.dedup_by(|next, kept| next.answer.window.sender == kept.answer.window.sender);
    }
}

/// Where states are published and read; clones share it.
#[derive(Clone, Debug)]
pub struct Board {
    states: Arc<watch::Sender<VecDeque<Arc<Published>>>>,
}

impl Default for Board {
    fn default() -> Self {
        Self { states: Arc::new(watch::Sender::new(VecDeque::new())) }
    }
}

impl Board {
    /// A board with nothing on it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes this the current state. The last few stay for pages; one with the same key is replaced.
    pub fn publish(&self, mut published: Published) {
        published.order();
        crate::telemetry::published(&published);
        let published = Arc::new(published);
        self.states.send_modify(|states| {
            states.retain(|state| state.key() != published.key());
            states.push_back(published);
            while states.len() > PUBLICATIONS_KEPT {
                states.pop_front();
            }
        });
    }

    /// The newest state; `None` before the first.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Published>> {
        self.states.borrow().back().cloned()
    }

    /// The state of that key while it is kept.
    #[must_use]
    pub fn state(&self, key: StateKey) -> Option<Arc<Published>> {
        self.states.borrow().iter().find(|state| state.key() == key).cloned()
    }

    /// Waits until there is a state.
    pub async fn published(&self) {
        let mut states = self.states.subscribe();
        // The sender is our own: it cannot be gone.
        let _ = states.wait_for(|states| !states.is_empty()).await;
    }
}
