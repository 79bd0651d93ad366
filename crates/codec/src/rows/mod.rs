//! Rows as they are decoded, before they are batches.
//!
//! ```text
//! messages ─┐                         texts ── a few thousand at a time ──▶ shapes, texts dropped
//! statuses ─┴▶ columns that grow, by date ───┐
//! accounts ─┐                                ├─ finish ─▶ a record batch for each (kind, date)
//! letters  ─┴▶ rows; strings are kept once ──┘
//! ```
//!
//! Rows of a batch stand in order of arrival.

mod columns;
mod store;

use turnwise_model::{Category, Day, Direction, EventKind, InteractiveType, Keys, MessageKind};
use turnwise_model::{EventBatch, Millis, Offset, Origin, PartitionId, PricingModel, PricingType};
use turnwise_model::{Pseudonym, Status};

use crate::peer::PeerColumns;
use crate::shapes::Shapes;
pub(crate) use store::{Cells, MessageCells, StatusCells, small, small_or_none};
use store::{Dated, MessageStore, StatusStore};

/// A string that many rows share; see [`Strings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StringId(u32);

/// Strings kept once while a batch is built.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    ids: hashbrown::HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
    bytes: usize,
    /// The last source; records of one follow each other.
    source: Option<StringId>,
}

/// What every row has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common {
    /// Partition value `date`.
    pub(crate) date: Day,
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
    messages: Dated<MessageStore>,
    history: Dated<MessageStore>,
    statuses: Dated<StatusStore>,
    accounts: Vec<AccountRow>,
    dead_letters: Vec<LetterRow>,
    ignored: Vec<LetterRow>,
    gaps: Vec<LetterRow>,
    /// Bytes of strings that the columns will repeat in each row.
    string_bytes: usize,
}

impl Strings {
    /// The id of a text; the same for the same text until [`Strings::clear`].
    pub(crate) fn intern(&mut self, text: &str) -> StringId {
        if let Some(id) = self.ids.get(text) {
            return StringId(*id);
        }
        let id = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.ids.insert(text.into(), id);
        self.texts.push(text.into());
        self.bytes += 2 * text.len() + 64;
        StringId(id)
    }

    /// The same of the name of a record's source.
    pub(crate) fn intern_source(&mut self, name: &str) -> StringId {
        match self.source {
            Some(id) if self.get(id) == name => id,
            _ => {
                let id = self.intern(name);
                self.source = Some(id);
                id
            }
        }
    }

    pub(crate) fn get(&self, id: StringId) -> &str {
        self.texts.get(id.0 as usize).map_or("", |text| text)
    }

    fn clear(&mut self) {
        self.ids.clear();
        self.texts.clear();
        self.bytes = 0;
        self.source = None;
    }
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
            messages: Dated::default(),
            history: Dated::default(),
            statuses: Dated::default(),
            accounts: Vec::new(),
            dead_letters: Vec::new(),
            ignored: Vec::new(),
            gaps: Vec::new(),
            string_bytes: 0,
        }
    }

    fn note_strings(&mut self, common: &Common) {
        let ids = [common.waba_id, common.sender, Some(common.source)];
        let bytes: usize = ids.into_iter().flatten().map(|id| self.strings.get(id).len()).sum();
        self.string_bytes += bytes;
    }

    pub(crate) fn message(&mut self, row: MessageRow) {
        self.note_strings(&row.common);
        let cells = cells(&self.strings, &row.common);
        let message = MessageCells {
            origin: row.origin,
            in_group: row.in_group,
            direction: row.direction,
            kind: row.kind,
            interactive: row.interactive,
            voice: row.voice,
            country: row.country,
            is_reply: row.is_reply,
            has_referral: row.has_referral,
            text: row.text,
        };
        let rows = match row.origin {
            Origin::History => &mut self.history,
            _ => &mut self.messages,
        };
        rows.of(row.common.date).push(&cells, &message);
    }

    pub(crate) fn status(&mut self, row: StatusRow) {
        self.note_strings(&row.common);
        let cells = cells(&self.strings, &row.common);
        let status = StatusCells {
            origin: row.origin,
            in_group: row.in_group,
            status: small(row.status.code()),
            category: small_or_none(row.category.map(|category| category.code())),
            conversation_origin: small_or_none(row.conversation_origin.map(|from| from.code())),
            pricing_type: small_or_none(row.pricing_type.map(|kind| kind.code())),
            pricing_model: small_or_none(row.pricing_model.map(|model| model.code())),
            error_code: StatusCells::error_code(row.error_code),
        };
        self.statuses.of(row.common.date).push(&cells, &status);
    }

    /// The same as [`Rows::message`] of a message that is no history, without a detour.
    #[inline]
    pub(crate) fn message_cells(&mut self, cells: &Cells<'_>, message: &MessageCells) {
        self.string_bytes += cells.waba_id.len() + cells.sender.len();
        self.messages.of(cells.time.day()).push(cells, message);
    }

    /// The same as [`Rows::status`], without a detour.
    #[inline]
    pub(crate) fn status_cells(&mut self, cells: &Cells<'_>, status: &StatusCells) {
        self.string_bytes += cells.waba_id.len() + cells.sender.len();
        self.statuses.of(cells.time.day()).push(cells, status);
    }

    pub(crate) fn account(&mut self, row: AccountRow) {
        self.note_strings(&row.common);
        self.accounts.push(row);
    }

    /// A row of `kind`, one of dead letter, ignored and gap.
    pub(crate) fn letter(&mut self, kind: EventKind, row: LetterRow) {
        self.note_strings(&row.common);
        self.string_bytes += 2 * row.detail.as_ref().map_or(0, |detail| detail.len());
        let rows = match kind {
            EventKind::Ignored => &mut self.ignored,
            EventKind::Gap => &mut self.gaps,
            _ => &mut self.dead_letters,
        };
        rows.push(row);
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.rows()
            + self.history.rows()
            + self.statuses.rows()
            + self.accounts.len()
            + self.dead_letters.len()
            + self.ignored.len()
            + self.gaps.len()
    }

    /// Bytes held now and by the columns to come, about.
    pub(crate) fn bytes(&self) -> usize {
        (self.messages.rows() + self.history.rows()) * size_of::<MessageRow>()
            + self.statuses.rows() * size_of::<StatusRow>()
            + self.accounts.len() * size_of::<AccountRow>()
            + (self.dead_letters.len() + self.ignored.len() + self.gaps.len())
                * size_of::<LetterRow>()
            + self.string_bytes
            + self.strings.bytes
            + self.shapes.bytes()
    }

    /// The rows as columns, sorted by kind and date, in order of arrival within; then empty.
    pub(crate) fn finish(&mut self) -> Vec<EventBatch> {
        let shapes = self.shapes.finish();
        let batches = columns::batches(self, &shapes);
        self.shapes.reuse(shapes);
        self.accounts.clear();
        self.dead_letters.clear();
        self.ignored.clear();
        self.gaps.clear();
        self.strings.clear();
        self.string_bytes = 0;
        batches
    }
}

fn cells<'a>(strings: &'a Strings, common: &Common) -> Cells<'a> {
    Cells {
        waba_id: common.waba_id.map_or("", |id| strings.get(id)).as_bytes(),
        sender: common.sender.map_or("", |id| strings.get(id)).as_bytes(),
        peer_phone: common.peer_phone,
        peer_user: common.peer_user,
        time: common.time,
        message: common.message,
        source: common.source,
        partition: common.partition,
        offset: common.offset,
        item: common.item,
    }
}
