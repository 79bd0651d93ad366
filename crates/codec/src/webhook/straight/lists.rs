//! What is read of a text of webhooks before rows are written: which values matter, and for what.

use super::handover::Handover;
use super::items::{Message, StatusItem};
use crate::json::Nth;
use crate::straight::contact::Contact;

/// Changes and what is in them, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    pub(super) changes: Vec<Change>,
    pub(super) contacts: Vec<Contact>,
    pub(super) messages: Vec<Message>,
    pub(super) echoes: Vec<Message>,
    pub(super) statuses: Vec<StatusItem>,
    /// How many of the changes are handovers.
    handovers: usize,
}

/// A change: its owner, and how many of each list are its.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) waba_id: Nth,
    pub(super) sender: Nth,
    /// The business's number as it is shown.
    pub(super) display: Nth,
    pub(super) counts: Counts,
    /// It is one, and has no items then; every other change has.
    pub(super) handover: Option<Handover>,
}

/// Lengths of the lists, or of parts of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) contacts: usize,
    pub(super) messages: usize,
    pub(super) echoes: usize,
    pub(super) statuses: usize,
}

/// A change with what is in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole<'l> {
    pub(super) change: &'l Change,
    pub(super) contacts: &'l [Contact],
    pub(super) messages: &'l [Message],
    pub(super) echoes: &'l [Message],
    pub(super) statuses: &'l [StatusItem],
}

/// Items of one text that this way takes, and changes.
pub(super) const ITEMS_MAX: usize = 1_000;

/// Entries of each list that memory is kept for between records: more are of a record that is not
/// taken here anyway.
const ENTRIES_KEPT_MAX: usize = 2 * ITEMS_MAX;

impl Counts {
    /// What came behind `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            contacts: self.contacts - before.contacts,
            messages: self.messages - before.messages,
            echoes: self.echoes - before.echoes,
            statuses: self.statuses - before.statuses,
        }
    }

    /// Whether there are no items.
    pub(super) fn are_none(self) -> bool {
        self.messages + self.echoes + self.statuses == 0
    }
}

impl Change {
    /// See [`Nth::moved`].
    fn moved(&self, by: isize) -> Self {
        let (waba_id, sender) = (self.waba_id.moved(by), self.sender.moved(by));
        let display = self.display.moved(by);
        let handover = self.handover.map(|handover| handover.moved(by));
        Self { waba_id, sender, display, handover, ..*self }
    }
}

impl Lists {
    pub(super) fn clear(&mut self) {
        let Self { changes, contacts, messages, echoes, statuses, handovers } = self;
        *handovers = 0;
        changes.clear();
        changes.shrink_to(ENTRIES_KEPT_MAX);
        contacts.clear();
        contacts.shrink_to(ENTRIES_KEPT_MAX);
        for messages in [messages, echoes] {
            messages.clear();
            messages.shrink_to(ENTRIES_KEPT_MAX);
        }
        statuses.clear();
        statuses.shrink_to(ENTRIES_KEPT_MAX);
    }

    pub(super) fn items(&self) -> usize {
        self.messages.len() + self.echoes.len() + self.statuses.len() + self.handovers
    }

    /// Entries of all lists.
    pub(super) fn entries(&self) -> usize {
        self.items() + self.contacts.len() + self.changes.len()
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            contacts: self.contacts.len(),
            messages: self.messages.len(),
            echoes: self.echoes.len(),
            statuses: self.statuses.len(),
        }
    }

    /// Each change, with what is in it.
    #[inline(always)]
    pub(super) fn each(&self) -> impl Iterator<Item = Whole<'_>> + Clone {
        let (mut contacts, mut messages) = (&self.contacts[..], &self.messages[..]);
        let (mut echoes, mut statuses) = (&self.echoes[..], &self.statuses[..]);
        self.changes.iter().map(move |change| Whole {
            change,
            contacts: first(&mut contacts, change.counts.contacts),
            messages: first(&mut messages, change.counts.messages),
            echoes: first(&mut echoes, change.counts.echoes),
            statuses: first(&mut statuses, change.counts.statuses),
        })
    }

    /// Adds a change whose items were added before.
    pub(super) fn end_change(&mut self, change: Change) {
        self.handovers += usize::from(change.handover.is_some());
        self.changes.push(change);
    }

    /// Adds a change whose values have so many more before them than it says.
    pub(super) fn add(&mut self, whole: &Whole<'_>, by: isize) {
        self.end_change(whole.change.moved(by));
        self.contacts.extend(whole.contacts.iter().map(|contact| contact.moved(by)));
        self.messages.extend(whole.messages.iter().map(|message| message.moved(by)));
        self.echoes.extend(whole.echoes.iter().map(|message| message.moved(by)));
        self.statuses.extend(whole.statuses.iter().map(|status| status.moved(by)));
    }
}

/// Takes the first `count` of a list.
#[inline(always)]
fn first<'a, T>(list: &mut &'a [T], count: usize) -> &'a [T] {
    let (first, rest) = list.split_at(count.min(list.len()));
    *list = rest;
    first
}
