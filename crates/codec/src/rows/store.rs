//! Rows of messages and statuses as columns that grow, one store for each date.
//!
//! Nothing is kept as a struct of a row: what a row says is appended to each column at once, so
//! that `finish` hands the vectors over to Arrow as they are. Small closed lists are bytes until
//! then.

use std::collections::BTreeMap;

use turnwise_model::{Day, Direction, InteractiveType, MessageKind, Millis, Offset, Origin};
use turnwise_model::{PartitionId, PricingRegime, Pseudonym};

use super::{StringId, TextColumns};

/// A null in a column of codes.
pub(super) const NO_CODE: u8 = u8::MAX;
/// A null in a column of error codes, which are never negative beyond `ERROR_CODE_MAX`.
pub(super) const NO_NUMBER: i64 = i64::MIN;
/// No text, or none whose length is known.
pub(super) const NO_TEXT: u32 = u32::MAX;
const NO_CHARS: i32 = -1;

/// The cells of the columns that every row has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells<'a> {
    /// UTF-8, as all ids; empty where unknown.
    pub(crate) waba_id: &'a [u8],
    pub(crate) sender: &'a [u8],
    pub(crate) peer_phone: Option<Pseudonym>,
    pub(crate) peer_user: Option<Pseudonym>,
    pub(crate) time: Millis,
    pub(crate) message: Option<Pseudonym>,
    pub(crate) source: StringId,
    pub(crate) partition: PartitionId,
    pub(crate) offset: Offset,
    pub(crate) item: i32,
}

/// The cells of a message beside those.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageCells {
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

/// The cells of a status beside those.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusCells {
    pub(crate) origin: Origin,
    pub(crate) in_group: bool,
    pub(crate) status: u8,
    pub(crate) category: u8,
    pub(crate) conversation_origin: u8,
    pub(crate) pricing_type: u8,
    pub(crate) pricing_model: u8,
    pub(crate) error_code: i64,
}

/// Strings behind each other; an empty one is null.
#[derive(Debug)]
pub(super) struct TextStore {
    pub(super) values: Vec<u8>,
    /// Where each string begins, and where the last ends.
    pub(super) offsets: Vec<i32>,
}

/// Pseudonyms; any number may be one, so nulls are kept beside.
#[derive(Debug, Default)]
pub(super) struct PseudonymStore {
    pub(super) values: Vec<i64>,
    pub(super) known: Vec<bool>,
}

/// The columns that every row has.
#[derive(Debug, Default)]
pub(super) struct CommonStore {
    pub(super) waba_id: TextStore,
    pub(super) sender: TextStore,
    pub(super) peer_phone: PseudonymStore,
    pub(super) peer_user: PseudonymStore,
    pub(super) time: Vec<i64>,
    pub(super) message: PseudonymStore,
    pub(super) source: Vec<StringId>,
    pub(super) partition: Vec<i32>,
    pub(super) offset: Vec<i64>,
    pub(super) item: Vec<i32>,
}

/// Messages, or history, of one date.
#[derive(Debug, Default)]
pub(super) struct MessageStore {
    pub(super) common: CommonStore,
    pub(super) origin: Vec<u8>,
    pub(super) in_group: Vec<u8>,
    pub(super) direction: Vec<u8>,
    pub(super) kind: Vec<u8>,
    pub(super) interactive: Vec<u8>,
    pub(super) voice: Vec<u8>,
    /// Two letters; zeros are null.
    pub(super) country: Vec<[u8; 2]>,
    pub(super) is_reply: Vec<u8>,
    pub(super) has_referral: Vec<u8>,
    /// Length of a text of which only that is known, else [`NO_CHARS`].
    pub(super) chars: Vec<i32>,
    /// Number of the text in the batch, else [`NO_TEXT`].
    pub(super) text: Vec<u32>,
}

/// Statuses of one date.
#[derive(Debug, Default)]
pub(super) struct StatusStore {
    pub(super) common: CommonStore,
    pub(super) origin: Vec<u8>,
    pub(super) in_group: Vec<u8>,
    pub(super) status: Vec<u8>,
    pub(super) category: Vec<u8>,
    pub(super) conversation_origin: Vec<u8>,
    pub(super) pricing_type: Vec<u8>,
    pub(super) pricing_model: Vec<u8>,
    pub(super) error_code: Vec<i64>,
}

/// The stored code of a value of a closed list; all are far fewer than 255.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "closed lists")]
pub(crate) const fn small(code: i32) -> u8 {
    code as u8
}

/// The same where there may be none.
pub(crate) fn small_or_none(code: Option<i32>) -> u8 {
    code.map_or(NO_CODE, small)
}

/// A store of one date.
pub(super) trait Store: Default {
    fn reserve(&mut self, rows: usize);
    fn common(&self) -> &CommonStore;
}

/// Stores by date. Rows that follow each other are nearly always of one date.
#[derive(Debug)]
pub(super) struct Dated<S> {
    stores: Vec<(Day, S)>,
    places: BTreeMap<Day, usize>,
    /// The store used last.
    last: usize,
    /// Rows of all stores.
    rows: usize,
    /// Rows that the largest store of the batch before had.
    expected_rows: usize,
}

/// Rows that a new store makes room for at most.
const RESERVED_ROWS_MAX: usize = 1 << 16;

impl<S> Default for Dated<S> {
    fn default() -> Self {
        Self { stores: Vec::new(), places: BTreeMap::new(), last: 0, rows: 0, expected_rows: 0 }
    }
}

impl<S: Store> Dated<S> {
    /// The store that takes the next row, of this date.
    #[inline]
    pub(super) fn of(&mut self, date: Day) -> &mut S {
        self.rows += 1;
        if self.stores.get(self.last).is_none_or(|(known, _)| *known != date) {
            self.last = self.place(date);
        }
        &mut self.stores[self.last].1
    }

    #[cold]
    fn place(&mut self, date: Day) -> usize {
        let next = self.stores.len();
        let place = *self.places.entry(date).or_insert(next);
        if place == next {
            let mut store = S::default();
            // Where one date has nearly all rows, it comes first.
            if place == 0 {
                store.reserve(self.expected_rows.min(RESERVED_ROWS_MAX));
            }
            self.stores.push((date, store));
        }
        place
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The stores, sorted by date; then there are none.
    pub(super) fn take(&mut self) -> Vec<(Day, S)> {
        let mut stores = std::mem::take(&mut self.stores);
        let rows = stores.iter().map(|(_, store)| store.common().len()).max();
        *self = Self { expected_rows: rows.unwrap_or(self.expected_rows), ..Self::default() };
        stores.sort_by_key(|(date, _)| *date);
        stores
    }
}

impl Default for TextStore {
    fn default() -> Self {
        Self { values: Vec::new(), offsets: vec![0] }
    }
}

impl TextStore {
    /// Appends bytes that are a string.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) {
        const SHORT: usize = 8;
        // Ids have 15 digits or so: two words that overlap are written faster than a call copies.
        match (text.first_chunk::<SHORT>(), text.last_chunk::<SHORT>()) {
            (Some(first), Some(last)) if text.len() <= 2 * SHORT => {
                let end = self.values.len() + text.len();
                self.values.extend_from_slice(first);
                self.values.truncate(end - SHORT);
                self.values.extend_from_slice(last);
            }
            _ => self.values.extend_from_slice(text),
        }
        // A batch holds far fewer than 2^31 bytes of ids.
        self.offsets.push(i32::try_from(self.values.len()).unwrap_or(i32::MAX));
    }
}

impl PseudonymStore {
    #[inline]
    fn push(&mut self, value: Option<Pseudonym>) {
        self.values.push(value.map_or(0, |pseudonym| pseudonym.0));
        self.known.push(value.is_some());
    }
}

impl CommonStore {
    #[inline]
    fn push(&mut self, cells: &Cells<'_>) {
        self.waba_id.push(cells.waba_id);
        self.sender.push(cells.sender);
        self.peer_phone.push(cells.peer_phone);
        self.peer_user.push(cells.peer_user);
        self.time.push(cells.time.0);
        self.message.push(cells.message);
        self.source.push(cells.source);
        self.partition.push(cells.partition.0);
        self.offset.push(cells.offset.0);
        self.item.push(cells.item);
    }

    fn reserve(&mut self, rows: usize) {
        /// Bytes of an id of an account or number, about.
        const ID_BYTES: usize = 16;
        for texts in [&mut self.waba_id, &mut self.sender] {
            texts.values.reserve(rows * ID_BYTES);
            texts.offsets.reserve(rows);
        }
        for pseudonyms in [&mut self.peer_phone, &mut self.peer_user, &mut self.message] {
            pseudonyms.values.reserve(rows);
            pseudonyms.known.reserve(rows);
        }
        self.time.reserve(rows);
        self.source.reserve(rows);
        self.partition.reserve(rows);
        self.offset.reserve(rows);
        self.item.reserve(rows);
    }

    pub(super) fn len(&self) -> usize {
        self.time.len()
    }

    /// The pricing regime of each row.
    pub(super) fn regimes(&self) -> Vec<i32> {
        self.time.iter().map(|time| PricingRegime::at(Millis(*time)).code()).collect()
    }
}

impl Store for MessageStore {
    fn reserve(&mut self, rows: usize) {
        self.common.reserve(rows);
        for codes in [
            &mut self.origin,
            &mut self.in_group,
            &mut self.direction,
            &mut self.kind,
            &mut self.interactive,
            &mut self.voice,
            &mut self.is_reply,
            &mut self.has_referral,
        ] {
            codes.reserve(rows);
        }
        self.country.reserve(rows);
        self.chars.reserve(rows);
        self.text.reserve(rows);
    }

    fn common(&self) -> &CommonStore {
        &self.common
    }
}

impl Store for StatusStore {
    fn reserve(&mut self, rows: usize) {
        self.common.reserve(rows);
        for codes in [
            &mut self.origin,
            &mut self.in_group,
            &mut self.status,
            &mut self.category,
            &mut self.conversation_origin,
            &mut self.pricing_type,
            &mut self.pricing_model,
        ] {
            codes.reserve(rows);
        }
        self.error_code.reserve(rows);
    }

    fn common(&self) -> &CommonStore {
        &self.common
    }
}

impl MessageStore {
    #[inline]
    pub(super) fn push(&mut self, cells: &Cells<'_>, message: &MessageCells) {
        self.common.push(cells);
        self.origin.push(small(message.origin.code()));
        self.in_group.push(u8::from(message.in_group));
        self.direction.push(small(message.direction.code()));
        self.kind.push(small(message.kind.code()));
        self.interactive.push(small_or_none(message.interactive.map(|kind| kind.code())));
        self.voice.push(message.voice.map_or(NO_CODE, u8::from));
        self.country.push(message.country.unwrap_or_default());
        self.is_reply.push(u8::from(message.is_reply));
        self.has_referral.push(u8::from(message.has_referral));
        let (chars, text) = match message.text {
            TextColumns::None => (NO_CHARS, NO_TEXT),
            TextColumns::Chars(chars) => (chars, NO_TEXT),
            TextColumns::Text(number) => (NO_CHARS, number),
        };
        self.chars.push(chars);
        self.text.push(text);
    }

    /// The length of a text of which only that is known.
    pub(super) fn chars_of(&self, row: usize) -> Option<i32> {
        self.chars.get(row).copied().filter(|chars| *chars != NO_CHARS)
    }
}

impl StatusCells {
    /// The cell of an error's code.
    pub(crate) fn error_code(code: Option<i64>) -> i64 {
        code.unwrap_or(NO_NUMBER)
    }
}

impl StatusStore {
    #[inline]
    pub(super) fn push(&mut self, cells: &Cells<'_>, status: &StatusCells) {
        self.common.push(cells);
        self.origin.push(small(status.origin.code()));
        self.in_group.push(u8::from(status.in_group));
        self.status.push(status.status);
        self.category.push(status.category);
        self.conversation_origin.push(status.conversation_origin);
        self.pricing_type.push(status.pricing_type);
        self.pricing_model.push(status.pricing_model);
        self.error_code.push(status.error_code);
    }
}
