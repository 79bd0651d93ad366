//! Rows as they are decoded, before they are batches.
//!
//! ```text
//! messages ─┐ by date, column by column ─┐ strings that ─┐ finish: a record batch
//! statuses ─┘ as they come               │ many rows     │ for each (kind, date)
//! accounts ─┐ by date, as rows ──────────┘ share are ────┘
//! letters  ─┘                              kept once
//! texts ── a few thousand at a time ─▶ shapes, texts dropped
//! ```
//!
//! Rows of a batch stand in order of arrival.

mod alike;
mod arrays;
mod blocks;
mod column;
mod columns;
mod dated;
mod kinds;
mod strings;

use turnwise_model::{Category, Day, Direction, EventKind, InteractiveType, Keys, MessageKind};
use turnwise_model::{EventBatch, Millis, Offset, Origin, PartitionId, PricingModel, PricingType};
use turnwise_model::{Pseudonym, Status};

use crate::peer::PeerColumns;
use crate::shapes::Shapes;
use alike::Alike;
use blocks::Blocks;
use dated::{Dated, List as _};
use kinds::{MessageBlock, StatusBlock};
pub(crate) use strings::{PlainOwner, StringId, Strings};

/// What every row has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common {
    pub(crate) waba_id: Option<StringId>,
    pub(crate) sender: Option<StringId>,
    pub(crate) peer_phone: Option<Pseudonym>,
    pub(crate) peer_user: Option<Pseudonym>,
    pub(crate) time: Millis,
    pub(crate) message: Option<Pseudonym>,
    pub(crate) source: StringId,
    pub(crate) partition: PartitionId,
    pub(crate) offset: Offset,
    pub(crate) item: i32,
}

/// What is known of a message's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextColumns {
    /// There is none.
    None,
    /// Its length alone.
    Chars(i32),
    /// The text with this number in [`Shapes`].
    Text(u32),
}

/// A row of kind message or history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageRow {
    pub(crate) common: Common,
    pub(crate) origin: Origin,
    pub(crate) in_group: bool,
    pub(crate) direction: Direction,
    pub(crate) kind: MessageKind,
    pub(crate) interactive: Option<InteractiveType>,
    pub(crate) voice: Option<bool>,
    pub(crate) country: Option<[u8; 2]>,
    pub(crate) is_reply: bool,
    pub(crate) has_referral: bool,
    pub(crate) text: TextColumns,
}

/// A row of kind status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusRow {
    pub(crate) common: Common,
    pub(crate) origin: Origin,
    pub(crate) in_group: bool,
    pub(crate) status: Status,
    pub(crate) category: Option<Category>,
    pub(crate) conversation_origin: Option<Category>,
    pub(crate) pricing_type: Option<PricingType>,
    pub(crate) pricing_model: Option<PricingModel>,
    pub(crate) error_code: Option<i64>,
}

/// What a row of kind account tells beside its common columns. Names are our own constants.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AccountFacts {
    pub(crate) field: &'static str,
    pub(crate) event: &'static str,
    pub(crate) error_code: Option<i64>,
    pub(crate) role_previous: Option<&'static str>,
    pub(crate) role_new: Option<&'static str>,
    pub(crate) user_previous: Option<Pseudonym>,
    pub(crate) phone_previous: Option<Pseudonym>,
}

/// A row of kind account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountRow {
    pub(crate) common: Common,
    pub(crate) facts: AccountFacts,
}

/// A row of kind dead letter, ignored or gap.
#[derive(Clone, Debug)]
pub(crate) struct LetterRow {
    pub(crate) common: Common,
    pub(crate) reason: &'static str,
    pub(crate) detail: Option<Box<str>>,
    pub(crate) record_bytes: Option<i64>,
    pub(crate) offset_end: Option<Offset>,
}

/// The rows of a batch being built. `finish` empties it; what it allocated is used again.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) strings: Strings,
    pub(crate) shapes: Shapes,
    messages: Dated<Blocks<MessageBlock>>,
    history: Dated<Blocks<MessageBlock>>,
    statuses: Dated<Blocks<StatusBlock>>,
    accounts: Dated<Vec<AccountRow>>,
    dead_letters: Dated<Vec<LetterRow>>,
    ignored: Dated<Vec<LetterRow>>,
    gaps: Dated<Vec<LetterRow>>,
    alike: Alike,
    /// Bytes of strings that the columns will repeat in each row.
    string_bytes: usize,
}

impl Common {
    /// The same row about this peer.
    pub(crate) fn with_peer(mut self, peer: PeerColumns) -> Self {
        self.peer_phone = peer.phone;
        self.peer_user = peer.user;
        self
    }
}

impl Rows {
    /// Texts have shapes only with keys.
    pub(crate) fn new(keys: Option<Keys>) -> Self {
        Self {
            strings: Strings::default(),
            shapes: Shapes::new(keys),
            messages: Dated::of_kind(EventKind::Message),
            history: Dated::of_kind(EventKind::History),
            statuses: Dated::of_kind(EventKind::Status),
            accounts: Dated::of_kind(EventKind::Account),
            dead_letters: Dated::of_kind(EventKind::DeadLetter),
            ignored: Dated::of_kind(EventKind::Ignored),
            gaps: Dated::of_kind(EventKind::Gap),
            alike: Alike::default(),
            string_bytes: 0,
        }
    }

    fn note_strings(&mut self, common: &Common) {
        let ids = [common.waba_id, common.sender, Some(common.source)].into_iter().flatten();
        self.string_bytes += ids.map(|id| self.strings.get(id).len()).sum::<usize>();
    }

    /// A row of kind message or history, under the partition value `date`.
    pub(crate) fn message(&mut self, date: Day, row: MessageRow) {
        self.note_strings(&row.common);
        let rows = match row.origin {
            Origin::History => &mut self.history,
            _ => &mut self.messages,
        };
        rows.of(date).put(row);
    }

    pub(crate) fn status(&mut self, row: StatusRow) {
        self.note_strings(&row.common);
        self.statuses.of(row.common.time.day()).put(row);
    }

    /// The same as [`Rows::message`] of a message that is no history, so that its date is that of its
    /// time, and whose strings have so many bytes. Written where it is made: a row that is moved is
    /// written twice.
    #[inline(always)]
    pub(crate) fn live_message(&mut self, row: MessageRow, string_bytes: usize) {
        self.string_bytes += string_bytes;
        self.messages.of_time(row.common.time).put(row);
    }

    /// The same as [`Rows::status`] where the strings have so many bytes.
    #[inline(always)]
    pub(crate) fn live_status(&mut self, row: StatusRow, string_bytes: usize) {
        self.string_bytes += string_bytes;
        self.statuses.of_time(row.common.time).put(row);
    }

    pub(crate) fn account(&mut self, row: AccountRow) {
        self.note_strings(&row.common);
        self.accounts.of(row.common.time.day()).put(row);
    }

    /// A row of `kind`, one of dead letter, ignored and gap, under the partition value `date`.
    pub(crate) fn letter(&mut self, (kind, date): (EventKind, Day), row: LetterRow) {
        self.note_strings(&row.common);
        self.string_bytes += 2 * row.detail.as_ref().map_or(0, |detail| detail.len());
        let rows = match kind {
            EventKind::Ignored => &mut self.ignored,
            EventKind::Gap => &mut self.gaps,
            _ => &mut self.dead_letters,
        };
        rows.of(date).put(row);
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.rows()
            + self.history.rows()
            + self.statuses.rows()
            + self.accounts.rows()
            + self.dead_letters.rows()
            + self.ignored.rows()
            + self.gaps.rows()
    }

    /// Bytes held now and by the columns to come, about; lists may have room for more rows.
    pub(crate) fn bytes(&self) -> usize {
        self.messages.bytes()
            + self.history.bytes()
            + self.statuses.bytes()
            + self.accounts.bytes()
            + self.dead_letters.bytes()
            + self.ignored.bytes()
            + self.gaps.bytes()
            + self.string_bytes
            + self.strings.bytes()
            + self.shapes.bytes()
    }

    /// The rows as columns, sorted by kind and date, in order of arrival within; then empty.
    pub(crate) fn finish(&mut self) -> Vec<EventBatch> {
        let shapes = self.shapes.finish();
        let batches = columns::batches(self, &shapes);
        self.shapes.reuse(shapes);
        self.strings.clear();
        self.string_bytes = 0;
        batches
    }
}
