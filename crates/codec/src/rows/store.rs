//! Rows of messages and statuses on their way to columns, one store for each date.
//!
//! ```text
//! waba_id, sender   strings behind each other: columns already
//! the rest          one small struct a row, turned into columns a few hundred rows at a time,
//!                   while they are in the nearest cache
//! ```
//!
//! Appending to twenty vectors costs more than the rest of decoding; appending to five does not.

use std::collections::BTreeMap;

use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Millis, Offset, Origin};
use turnwise_model::{Day, PartitionId, PricingModel, PricingType, Pseudonym, Status};

use super::{StringId, TextColumns};

/// A null in a column of codes.
pub(super) const NO_CODE: u8 = u8::MAX;
/// A null in the column of error codes, none of which is so far from zero.
pub(super) const NO_ERROR: i64 = i64::MIN;

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
    pub(crate) status: Status,
    pub(crate) category: Option<Category>,
    pub(crate) conversation_origin: Option<Category>,
    pub(crate) pricing_type: Option<PricingType>,
    pub(crate) pricing_model: Option<PricingModel>,
    pub(crate) error_code: Option<i64>,
}

/// What a row has besides strings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    pub(super) time: i64,
    pub(super) peer_phone: i64,
    pub(super) peer_user: i64,
    pub(super) message: i64,
    pub(super) offset: i64,
    /// Of a status the error's code, else [`NO_ERROR`].
    pub(super) error_code: i64,
    pub(super) item: i32,
    pub(super) partition: i32,
    pub(super) source: StringId,
    pub(super) text: TextColumns,
    pub(super) codes: [u8; 12],
}

/// Which byte of [`Fixed::codes`] is what. Country takes two, zeros where unknown.
pub(super) mod code {
    pub(in super::super) const ORIGIN: usize = 0;
    pub(in super::super) const IN_GROUP: usize = 1;
    /// Which pseudonyms are there: bits of [`super::known`].
    pub(in super::super) const KNOWN: usize = 2;
    pub(in super::super) const DIRECTION: usize = 3;
    pub(in super::super) const KIND: usize = 4;
    pub(in super::super) const INTERACTIVE: usize = 5;
    pub(in super::super) const VOICE: usize = 6;
    pub(in super::super) const COUNTRY: usize = 7;
    pub(in super::super) const IS_REPLY: usize = 9;
    pub(in super::super) const HAS_REFERRAL: usize = 10;
    pub(in super::super) const STATUS: usize = 3;
    pub(in super::super) const CATEGORY: usize = 4;
    pub(in super::super) const CONVERSATION_ORIGIN: usize = 5;
    pub(in super::super) const PRICING_TYPE: usize = 6;
    pub(in super::super) const PRICING_MODEL: usize = 7;
}

/// Which pseudonyms of a row are there.
pub(super) mod known {
    pub(in super::super) const PEER_PHONE: u8 = 1;
    pub(in super::super) const PEER_USER: u8 = 2;
    pub(in super::super) const MESSAGE: u8 = 4;
}

/// Strings behind each other; an empty one is null.
#[derive(Debug)]
pub(super) struct TextStore {
    pub(super) values: Vec<u8>,
    /// Where each string begins, and where the last ends.
    pub(super) offsets: Vec<i32>,
}

/// Messages, history or statuses of one date.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) waba_id: TextStore,
    pub(super) sender: TextStore,
    pub(super) rows: Vec<Fixed>,
}

/// Stores by date. Rows that follow each other are nearly always of one date.
#[derive(Debug, Default)]
pub(super) struct Dated {
    stores: Vec<(Day, Store)>,
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

impl Dated {
    /// The store that takes the next row, of this date.
    #[inline]
    fn of(&mut self, date: Day) -> &mut Store {
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
            let mut store = Store::default();
            // Where one date has nearly all rows, it comes first.
            if place == 0 {
                store.reserve(self.expected_rows.min(RESERVED_ROWS_MAX));
            }
            self.stores.push((date, store));
        }
        place
    }

    /// Appends a message.
    #[inline]
    pub(super) fn message(&mut self, date: Day, cells: &Cells<'_>, message: &MessageCells) {
        let mut codes = [0; 12];
        codes[code::ORIGIN] = small(message.origin.code());
        codes[code::IN_GROUP] = u8::from(message.in_group);
        codes[code::DIRECTION] = small(message.direction.code());
        codes[code::KIND] = small(message.kind.code());
        codes[code::INTERACTIVE] = small_or_none(message.interactive.map(|kind| kind.code()));
        codes[code::VOICE] = message.voice.map_or(NO_CODE, u8::from);
        let country = message.country.unwrap_or_default();
        codes[code::COUNTRY] = country[0];
        codes[code::COUNTRY + 1] = country[1];
        codes[code::IS_REPLY] = u8::from(message.is_reply);
        codes[code::HAS_REFERRAL] = u8::from(message.has_referral);
        self.of(date).push(cells, codes, message.text, NO_ERROR);
    }

    /// Appends a status.
    #[inline]
    pub(super) fn status(&mut self, date: Day, cells: &Cells<'_>, status: &StatusCells) {
        let category = |category: Option<Category>| small_or_none(category.map(Category::code));
        let mut codes = [0; 12];
        codes[code::ORIGIN] = small(status.origin.code());
        codes[code::IN_GROUP] = u8::from(status.in_group);
        codes[code::STATUS] = small(status.status.code());
        codes[code::CATEGORY] = category(status.category);
        codes[code::CONVERSATION_ORIGIN] = category(status.conversation_origin);
        codes[code::PRICING_TYPE] = small_or_none(status.pricing_type.map(PricingType::code));
        codes[code::PRICING_MODEL] = small_or_none(status.pricing_model.map(PricingModel::code));
        let error_code = status.error_code.unwrap_or(NO_ERROR);
        self.of(date).push(cells, codes, TextColumns::None, error_code);
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The stores, sorted by date; then there are none.
    pub(super) fn take(&mut self) -> Vec<(Day, Store)> {
        let mut stores = std::mem::take(&mut self.stores);
        let rows = stores.iter().map(|(_, store)| store.rows.len()).max();
        *self = Self { expected_rows: rows.unwrap_or(self.expected_rows), ..Self::default() };
        stores.sort_by_key(|(date, _)| *date);
        stores
    }
}

impl Store {
    fn reserve(&mut self, rows: usize) {
        /// Bytes of an id of an account or number, about.
        const ID_BYTES: usize = 16;
        for texts in [&mut self.waba_id, &mut self.sender] {
            texts.values.reserve(rows * ID_BYTES);
            texts.offsets.reserve(rows);
        }
        self.rows.reserve(rows);
    }

    #[inline]
    fn push(&mut self, cells: &Cells<'_>, mut codes: [u8; 12], text: TextColumns, error_code: i64) {
        let bit = |pseudonym: Option<Pseudonym>, bit| if pseudonym.is_some() { bit } else { 0 };
        codes[code::KNOWN] = bit(cells.peer_phone, known::PEER_PHONE)
            | bit(cells.peer_user, known::PEER_USER)
            | bit(cells.message, known::MESSAGE);
        let number = |pseudonym: Option<Pseudonym>| pseudonym.map_or(0, |pseudonym| pseudonym.0);
        self.waba_id.push(cells.waba_id);
        self.sender.push(cells.sender);
        self.rows.push(Fixed {
            time: cells.time.0,
            peer_phone: number(cells.peer_phone),
            peer_user: number(cells.peer_user),
            message: number(cells.message),
            offset: cells.offset.0,
            error_code,
            item: cells.item,
            partition: cells.partition.0,
            source: cells.source,
            text,
            codes,
        });
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

/// The stored code of a value of a closed list; all are far fewer than 255.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "closed lists")]
const fn small(code: i32) -> u8 {
    code as u8
}

/// The same where there may be none.
fn small_or_none(code: Option<i32>) -> u8 {
    code.map_or(NO_CODE, small)
}
