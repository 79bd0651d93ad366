//! The straight way of messages and statuses with plain ids; see [`crate::straight`].

use std::borrow::Cow;

use turnwise_kernels::scan::is_utf8;
use turnwise_model::{Direction, Millis, Origin, Status as StatusCode};

use super::fields::{MESSAGE, Message, SENDER, STATUS, Status, WABA_ID, text};
use super::rows::{self, code, millis};
use super::wire::Wire;
use super::{ITEM, names};
use crate::RecordCounts;
use crate::body::{Text, has_text, text_length};
use crate::numbers::{may_be_dialled, spelled};
use crate::record::Place;
use crate::rows::{PlainOwner, Rows, Strings, TextColumns};
use crate::straight::{Hashing, PlainIds, may_be_same};
use crate::straight::{is_digits_or_empty, is_plain, is_plain_or_empty};

/// A record on the straight way: as little of it as a row needs, so that it stays in registers.
pub(crate) struct Straight<'r, 'd> {
    pub(crate) rows: &'r mut Rows,
    pub(crate) hashing: Hashing<'d>,
    pub(crate) place: Place,
    pub(crate) counts: RecordCounts,
}

/// What is left of a record whose straight way ends at an item.
#[derive(Clone, Copy)]
pub(crate) struct Rest<'a> {
    pub(super) of: Of<'a>,
    /// The item, how many stand before it, and what stands behind it.
    pub(super) inner: &'a [u8],
    pub(super) nth: usize,
    pub(super) wire: Wire<'a>,
    /// Fields before it that nobody knows.
    pub(super) unknown_fields: u64,
}

/// Who the items of a record are of that say nothing else.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) waba_id: &'a [u8],
    pub(super) sender: &'a [u8],
    /// Both, where it is known that they are plain.
    pub(super) owner: Option<PlainOwner>,
}

impl<'a> Of<'a> {
    /// Reads the head of a record that is laid out as nearly all are: plain ids or none, then
    /// items, and nothing else to the end. Gives the first item, too, and leaves the cursor behind it.
    #[inline(always)]
    pub(super) fn usual(wire: &mut Wire<'a>, strings: &mut Strings) -> Option<(Self, &'a [u8])> {
        let (waba_id, sender) = match wire.pair_of(0x0A, 0x12) {
            Some([waba_id, sender]) => (&waba_id[..], &sender[..]),
            None => (wire.usual_bytes(0x0A), wire.usual_bytes(0x12)),
        };
        let owner = strings.plain_owner(waba_id, sender);
        if owner.is_none() && !(waba_id.is_empty() && sender.is_empty()) {
            return None;
        }
        let first = next(wire)?;
        let is_usual = wire.rest().is_empty() || are_items(*wire) && !name(first, *wire, waba_id);
        is_usual.then_some((Self { waba_id, sender, owner }, first))
    }
}

/// The next item of a record.
#[inline(always)]
pub(super) fn next<'a>(wire: &mut Wire<'a>) -> Option<&'a [u8]> {
    if wire.takes(ITEM) { wire.bytes().ok() } else { None }
}

/// Whether an item or one behind it names somebody by the number of an account: then that may be no
/// account of any of them.
#[inline(never)]
fn name(first: &[u8], behind: Wire<'_>, waba_id: &[u8]) -> bool {
    let is_persons = |number: Cow<'_, str>| {
        may_be_dialled(number.as_bytes()) && (names(first, &number) || super::name(behind, &number))
    };
    spelled(text(waba_id)).any(is_persons)
}

/// Whether nothing follows but items.
#[inline(never)]
fn are_items(mut wire: Wire<'_>) -> bool {
    // One that breaks off behind its tag leaves nothing, too.
    while wire.takes(ITEM) {
        if wire.bytes().is_err() {
            return false;
        }
    }
    wire.rest().is_empty()
}

impl Straight<'_, '_> {
    /// Decodes a record that is laid out as nearly all are and gives the number of fields that nobody
    /// knows; of one with an item that is otherwise, what is left from there on; of any other it writes
    /// nothing.
    #[inline(always)]
    pub(super) fn record<'a>(&mut self, mut wire: Wire<'a>) -> Result<u64, Option<Rest<'a>>> {
        let (of, mut inner) = Of::usual(&mut wire, &mut self.rows.strings).ok_or(None)?;
        let (mut nth, mut unknown_fields) = (0, 0);
        loop {
            match self.item(&of, inner) {
                Some(unknown) => unknown_fields += unknown,
                None => return Err(Some(Rest { of, inner, nth, wire, unknown_fields })),
            }
            match next(&mut wire) {
                Some(next) => inner = next,
                None => return Ok(unknown_fields),
            }
            nth += 1;
        }
    }

    /// Writes the row of an item and gives the number of its unknown fields, or writes nothing.
    #[inline(always)]
    pub(super) fn item<'a>(&mut self, of: &Of<'a>, bytes: &'a [u8]) -> Option<u64> {
        let mut wire = Wire::new(bytes);
        if wire.takes(STATUS) {
            let mut inner = Wire::new(wire.bytes().ok()?);
            let fields = Status::usual(&mut inner);
            if !inner.rest().is_empty() {
                return self.apart(|long| long.long_status((*of, wire), fields, inner));
            }
            self.status((*of, wire), &fields)?;
        } else if wire.takes(MESSAGE) {
            let mut inner = Wire::new(wire.bytes().ok()?);
            let fields = Message::usual(&mut inner);
            if !inner.rest().is_empty() {
                return self.apart(|long| long.long_message((*of, wire), fields, inner));
            }
            self.message((*of, wire), &fields)?;
        } else {
            return None;
        }
        Some(0)
    }

    /// Goes on with a copy, so that nobody else has the address of this one.
    #[inline(always)]
    fn apart<T>(&mut self, go: impl FnOnce(&mut Straight<'_, '_>) -> T) -> T {
        let Self { hashing, place, counts, .. } = *self;
        let mut copy = Straight { rows: &mut *self.rows, hashing, place, counts };
        let done = go(&mut copy);
        (self.place, self.counts) = (copy.place, copy.counts);
        done
    }

    /// The same of a status with more than the usual fields. Apart, so that of the others the compiler
    /// knows what they do not have.
    #[inline(never)]
    fn long_status<'a>(
        &mut self,
        of: Owner<'a>,
        mut fields: Status<'a>,
        rest: Wire<'a>,
    ) -> Option<u64> {
        let mut unknown_fields = 0;
        fields.read(rest, &mut unknown_fields).ok()?;
        self.status(of, &fields)?;
        Some(unknown_fields)
    }

    #[inline(never)]
    fn long_message<'a>(
        &mut self,
        of: Owner<'a>,
        mut fields: Message<'a>,
        rest: Wire<'a>,
    ) -> Option<u64> {
        let mut unknown_fields = 0;
        fields.read(rest, &mut unknown_fields).ok()?;
        self.message(of, &fields)?;
        Some(unknown_fields)
    }
}

/// What is said of an event's owner: by the record, and behind the event.
type Owner<'a> = (Of<'a>, Wire<'a>);

#[inline(never)]
fn own<'a>(
    strings: &mut Strings,
    waba_id: &'a [u8],
    sender: &'a [u8],
    mut wire: Wire<'a>,
    phone: &[u8],
) -> Option<(PlainOwner, &'a [u8])> {
    let own = |bytes: Option<&'a [u8]>, all| bytes.filter(|own| !own.is_empty()).unwrap_or(all);
    let waba_id = own(wire.bytes_of(WABA_ID).ok()?, waba_id);
    let sender = own(wire.bytes_of(SENDER).ok()?, sender);
    if may_be_same(phone, waba_id) || may_be_same(phone, sender) {
        return None;
    }
    let owner = strings.plain_owner(waba_id, sender)?;
    wire.rest().is_empty().then_some((owner, sender))
}

impl Straight<'_, '_> {
    /// Who an item is of: what it says behind its event, else the record's. Asked when all else is
    /// known to be plain: ids are only kept then, so that a record has no more of them than items.
    /// An account or a number that the person has is left to meaning.
    #[inline(always)]
    fn owner<'a>(&mut self, (of, wire): Owner<'a>, phone: &[u8]) -> Option<(PlainOwner, &'a [u8])> {
        match of.owner {
            Some(owner) if wire.rest().is_empty() => {
                let is_persons = may_be_same(phone, of.waba_id) | may_be_same(phone, of.sender);
                (!is_persons).then_some((owner, of.sender))
            }
            _ if self.place.has_room(1) => {
                own(&mut self.rows.strings, of.waba_id, of.sender, wire, phone)
            }
            _ => None,
        }
    }

    /// A known origin that is no history, and a time in range.
    #[inline(always)]
    fn origin_and_time(&self, origin: i32, time: i64) -> Option<(Origin, Millis)> {
        let origin =
            if origin == 0 { Origin::Live } else { Origin::from_code(origin.checked_sub(1)?)? };
        let time = millis(time).filter(|time| self.place.is_in_range(*time))?;
        (origin != Origin::History).then_some((origin, time))
    }

    #[inline(always)]
    fn message(&mut self, of: Owner<'_>, fields: &Message<'_>) -> Option<()> {
        let Message { id, mut phone, mut user, .. } = *fields;
        if !(is_plain(id) && is_digits_or_empty(phone) && is_plain_or_empty(user)) {
            return None;
        }
        let (origin, time) = self.origin_and_time(fields.origin, fields.time)?;
        let direction = match fields.direction {
            1 => Direction::Inbound,
            2 => Direction::Outbound,
            _ => return None,
        };
        if fields.change.is_some() {
            return None;
        }
        if fields.in_group && direction == Direction::Outbound {
            (phone, user) = (b"", b"");
        }
        if !fields.text.is_none_or(is_utf8) {
            return None;
        }
        let (owner, sender) = self.owner(of, fields.phone)?;
        let ids = PlainIds { owner, sender, phone, user, message: id };
        let item = self.place.begin()?;
        let kind = rows::kind(fields);
        let text = match (fields.text, fields.chars) {
            (Some(text), _) if has_text(kind) => {
                TextColumns::Text(self.rows.shapes.push_bytes(text))
            }
            (None, Some(chars)) if has_text(kind) => match text_length(i64::from(chars)) {
                Text::Chars(chars) => TextColumns::Chars(chars),
                _ => TextColumns::None,
            },
            _ => TextColumns::None,
        };
        let common = self.place.plain_common(self.hashing, &ids, time, item);
        let row = rows::message_row(fields, common, (origin, direction), kind, ids.country(), text);
        self.counts.messages += 1;
        self.rows.live_message(row, owner.bytes + self.place.source_bytes);
        Some(())
    }

    #[inline(always)]
    fn status(&mut self, of: Owner<'_>, fields: &Status<'_>) -> Option<()> {
        let Status { id, phone, user, .. } = *fields;
        if !(is_plain(id) && is_digits_or_empty(phone) && is_plain_or_empty(user)) {
            return None;
        }
        let (origin, time) = self.origin_and_time(fields.origin, fields.time)?;
        let status = code(fields.status, StatusCode::from_code, StatusCode::Other)?;
        let (owner, sender) = self.owner(of, phone)?;
        let ids = PlainIds { owner, sender, phone, user, message: id };
        let item = self.place.begin()?;
        let common = self.place.plain_common(self.hashing, &ids, time, item);
        let row = rows::status_row(fields, common, origin, status);
        self.counts.statuses += 1;
        self.rows.live_status(row, owner.bytes + self.place.source_bytes);
        Some(())
    }
}
