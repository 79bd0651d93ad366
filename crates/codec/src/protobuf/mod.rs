//! Turnwise's own protobuf record, `proto/turnwise/events/v1/events.proto`.
//!
//! ```text
//! record ─ waba_id, phone_number_id ─┐ of the items that name none
//!        └ items ─▶ fields, borrowed ┴▶ rows
//! ```
//!
//! Nothing is copied on the way. An item is read to its end before its row is written, so a damaged
//! one is a dead letter and its neighbours are rows. Where the record itself breaks off, what stands
//! before is taken and the rest is one dead letter.
//!
//! Nearly all records are laid out in one way: account and number, then items, each an event and
//! little else, fields in the order of their numbers. That is asked for first; what is not so is
//! read in any order.

mod fields;
mod rows;
mod straight;
#[cfg(test)]
mod tests;
mod wire;

use turnwise_kernels::fetch::fetch_behind;
use turnwise_kernels::scan::is_utf8;

use crate::frame::{self, FrameError};
use crate::meant::{Id, id_of};
use crate::reason::{Reason, ignored};
use crate::record::{Fail, Record, Scope};
use fields::{Event, Item};
use straight::Of;
pub(crate) use straight::{Rest, Straight};
use wire::{Fault, Tag, Wire, WireError, length};

const WABA_ID: Tag = length(1);
const SENDER: Tag = length(2);
const ITEM: Tag = length(3);
/// The highest field number of a `Record`.
const KNOWN: u64 = 3;

/// What a record says beside its items.
#[derive(Clone, Copy, Debug, Default)]
struct Head<'a> {
    waba_id: &'a [u8],
    sender: &'a [u8],
    unknown_fields: u64,
    broken: Option<Break<'a>>,
}

/// Where a record breaks off.
#[derive(Clone, Copy, Debug)]
struct Break<'a> {
    error: WireError<'a>,
    /// The record from the broken field on.
    rest: &'a [u8],
}

/// Decodes a record on the straight way, as [`Straight::record`].
#[inline(always)]
pub(crate) fn decode_usual<'a>(
    straight: &mut Straight<'_, '_>,
    bytes: &'a [u8],
) -> Result<u64, Option<Rest<'a>>> {
    // Records of one fetch stand behind each other.
    fetch_behind(bytes);
    let payload = match bytes.first() {
        Some(&frame::MAGIC) => unframed(bytes).ok_or(None)?,
        _ => bytes,
    };
    straight.record(Wire::new(payload))
}

/// Decodes a record; gives the number of fields that nobody knows.
#[inline(never)]
pub(crate) fn decode(record: &mut Record<'_>, bytes: &[u8]) -> u64 {
    match record.on_straight_way(|straight| decode_usual(straight, bytes)) {
        Some(Ok(unknown_fields)) => unknown_fields,
        Some(Err(rest)) => decode_rest(record, bytes, rest),
        None => decode_rest(record, bytes, None),
    }
}

/// Decodes what the straight way has left of a record: all of it, or from an item on.
#[inline(never)]
pub(crate) fn decode_rest(record: &mut Record<'_>, bytes: &[u8], rest: Option<Rest<'_>>) -> u64 {
    let Some(Rest { of, mut inner, mut nth, mut wire, mut unknown_fields }) = rest else {
        return of_any_form(record, bytes);
    };
    let head = Head { waba_id: of.waba_id, sender: of.sender, ..Head::default() };
    // The first item is known not to go the straight way.
    unknown_fields += meant_item(record, bytes, &head, nth, inner);
    while let Some(next) = straight::next(&mut wire) {
        (inner, nth) = (next, nth + 1);
        unknown_fields += item(record, bytes, (&head, &of), nth, inner);
    }
    unknown_fields
}

/// What a frame is about.
#[inline(never)]
fn unframed(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(frame::of_protobuf(bytes).ok()?..)
}

/// Decodes a record of any form.
#[inline(never)]
fn of_any_form(record: &mut Record<'_>, bytes: &[u8]) -> u64 {
    let at = match frame::of_protobuf(bytes) {
        Ok(at) => at,
        Err(error) => {
            let (reason, found) = match error {
                FrameError::Broken => (Reason::InvalidProtobuf, "a broken frame"),
                FrameError::OtherMessage => (Reason::UnknownShape, "another message"),
            };
            let detail = format!("record: expected the schema's first message, found {found}");
            record.dead(None, Fail { reason, detail }, bytes.len());
            return 0;
        }
    };
    of_any_layout(record, bytes, Wire::new(bytes.get(at..).unwrap_or_default()))
}

/// Decodes a record that is laid out in any way.
fn of_any_layout<'a>(record: &mut Record<'_>, bytes: &'a [u8], wire: Wire<'a>) -> u64 {
    let (mut head, items) = Head::of(wire);
    // The number of somebody whom any item names is no account of the others either.
    let [waba_id, sender] = [head.waba_id, head.sender].map(fields::text);
    let own = scope(waba_id, sender).without_account_of(|number| name(items, number));
    if own.waba_id == Id::None {
        head.waba_id = &[];
    }
    let mut unknown_fields = head.unknown_fields;
    let nth = self::items(record, bytes, &head, items, &mut unknown_fields);
    if let Some(broken) = head.broken {
        let scope = scope(fields::text(head.waba_id), fields::text(head.sender));
        let fail = fail(record, bytes, broken.error);
        record.dead(Some(&scope), fail, broken.rest.len());
    } else if nth == 0 && head.unknown_fields > 0 {
        let detail = "record: expected items, found other fields".to_owned();
        record.dead(None, Fail { reason: Reason::UnknownShape, detail }, bytes.len());
    }
    unknown_fields
}

/// Whether an item, before the record breaks off, names somebody by a number.
fn name(mut items: Wire<'_>, number: &str) -> bool {
    while let Ok(Some(tag)) = items.tag() {
        if tag != ITEM {
            if items.skip(tag, 0).is_err() {
                break;
            }
            continue;
        }
        let Ok(inner) = items.bytes() else { break };
        if names(inner, number) {
            return true;
        }
    }
    false
}

/// Whether an item names somebody by a number.
fn names(inner: &[u8], number: &str) -> bool {
    Item::read(Wire::new(inner)).is_ok_and(|item| rows::names(&item, number))
}

/// Decodes the items up to where the record ends or breaks; gives their number.
fn items<'a>(
    record: &mut Record<'_>,
    bytes: &'a [u8],
    head: &Head<'a>,
    mut wire: Wire<'a>,
    unknown_fields: &mut u64,
) -> usize {
    let end = head.broken.map_or(0, |broken| broken.rest.len());
    let mut nth = 0;
    while wire.rest().len() > end {
        // The head's walk met no error up to here.
        let Ok(Some(tag)) = wire.tag() else { break };
        if tag != ITEM {
            if wire.skip(tag, 0).is_err() {
                break;
            }
            continue;
        }
        let Ok(inner) = wire.bytes() else { break };
        let of = Of { waba_id: head.waba_id, sender: head.sender, owner: None };
        *unknown_fields += item(record, bytes, (head, &of), nth, inner);
        nth += 1;
    }
    nth
}

/// Whether bytes are a record: framed and no JSON, or well-formed to the end, with an item, and
/// with a field of ours before any that a newer writer may have. No text has an item: its tag is
/// a control character. Others have records of strings, too: where fields are unknown, an item has
/// to be one.
#[must_use]
pub fn looks_like_one(bytes: &[u8]) -> bool {
    if bytes.first() == Some(&frame::MAGIC) {
        return !frame::holds_json(bytes);
    }
    let mut wire = Wire::new(bytes);
    let (mut is_ours, mut is_newer, mut items) = (false, false, 0);
    loop {
        let read = match wire.tag() {
            Ok(Some(WABA_ID | SENDER)) => wire.bytes().map(drop),
            Ok(Some(ITEM)) => wire.bytes().map(|_| items += 1),
            Ok(Some(tag)) if is_ours => wire.skip(tag, KNOWN).map(|()| is_newer = true),
            Ok(None) => return items > 0 && (!is_newer || has_event(bytes)),
            _ => return false,
        };
        if read.is_err() {
            return false;
        }
        is_ours = true;
    }
}

/// Whether some item of a well-formed record reads as one, and tells what happened.
fn has_event(bytes: &[u8]) -> bool {
    let mut wire = Wire::new(bytes);
    while let Ok(Some(tag)) = wire.tag() {
        if tag == ITEM {
            let item = wire.bytes().and_then(|inner| Item::read(Wire::new(inner)));
            let is_one =
                |item: Item<'_>| !matches!(item.event, Event::None) && item.check().is_ok();
            if item.is_ok_and(is_one) {
                return true;
            }
        } else if wire.skip(tag, 0).is_err() {
            return false;
        }
    }
    false
}

impl Record<'_> {
    /// What becomes of it on the straight way, if that is open.
    fn on_straight_way<T>(&mut self, go: impl FnOnce(&mut Straight<'_, '_>) -> T) -> Option<T> {
        let (place, counts) = (self.place, self.counts);
        let hashing = self.straight?;
        let mut straight = Straight { rows: &mut *self.rows, hashing, place, counts };
        let done = go(&mut straight);
        (self.place, self.counts) = (straight.place, straight.counts);
        Some(done)
    }
}

impl<'a> Head<'a> {
    /// The head of any record, and where its items begin.
    fn of(mut wire: Wire<'a>) -> (Self, Wire<'a>) {
        let mut head = Self::default();
        head.read(&mut wire, false);
        let items = wire;
        // Fields of the head may stand behind items, too, and count for all.
        head.read(&mut wire, true);
        (head, items)
    }

    /// Reads what stands before the first item, or, `past_items`, to the end or to where the
    /// record breaks.
    fn read(&mut self, wire: &mut Wire<'a>, past_items: bool) {
        loop {
            let before = *wire;
            let read = match wire.tag() {
                Ok(None) => return,
                Ok(Some(WABA_ID)) => string(wire).map(|waba_id| self.waba_id = waba_id),
                Ok(Some(SENDER)) => string(wire).map(|sender| self.sender = sender),
                Ok(Some(ITEM)) if !past_items => {
                    *wire = before;
                    return;
                }
                Ok(Some(ITEM)) => wire.bytes().map(drop),
                Ok(Some(tag)) => wire.skip(tag, KNOWN).map(|()| self.unknown_fields += 1),
                Err(error) => Err(error),
            };
            if let Err(error) = read {
                // The second read, if any, begins here and says the same.
                *wire = before;
                self.broken = Some(Break { error, rest: before.rest() });
                return;
            }
        }
    }
}

/// A string, checked; the cursor stands behind its tag.
fn string<'a>(wire: &mut Wire<'a>) -> Result<&'a [u8], WireError<'a>> {
    let bytes = wire.bytes()?;
    if is_utf8(bytes) { Ok(bytes) } else { fields::checked(bytes).map(str::as_bytes) }
}

fn scope<'a>(waba_id: &'a str, sender: &'a str) -> Scope<'a> {
    let id = |text: &'a str| if text.is_empty() { Id::None } else { id_of(text.into()) };
    Scope { waba_id: id(waba_id), sender: id(sender) }
}

/// Decodes one item; gives the number of its unknown fields.
#[inline(never)]
fn item<'a>(
    record: &mut Record<'_>,
    bytes: &'a [u8],
    (head, of): (&Head<'a>, &Of<'a>),
    nth: usize,
    inner: &'a [u8],
) -> u64 {
    let straight = record.on_straight_way(|straight| straight.item(of, inner)).flatten();
    straight.unwrap_or_else(|| meant_item(record, bytes, head, nth, inner))
}

/// The same by what the item says in any form.
#[inline(never)]
fn meant_item<'a>(
    record: &mut Record<'_>,
    bytes: &'a [u8],
    head: &Head<'a>,
    nth: usize,
    inner: &'a [u8],
) -> u64 {
    let depth = record.path.depth();
    record.path.key("items");
    record.path.index(nth);
    let read = Item::read(Wire::new(inner));
    let unknown_fields = match read.and_then(|item| item.check().map(|()| item)) {
        Ok(item) => {
            let [waba_id, sender] = owner(head, &item).map(fields::text);
            rows::item(record, scope(waba_id, sender), &item, inner);
            item.unknown_fields
        }
        Err(error) => {
            let scope = scope(fields::text(head.waba_id), fields::text(head.sender))
                .without_persons(|number| names(inner, number));
            let fail = fail(record, bytes, error);
            record.dead(Some(&scope), fail, inner.len());
            0
        }
    };
    record.path.back_to(depth);
    unknown_fields
}

/// Account and number of an item: its own, else the record's.
fn owner<'a>(head: &Head<'a>, item: &Item<'a>) -> [&'a [u8]; 2] {
    let or = |own, all| if <[u8]>::is_empty(own) { all } else { own };
    [or(item.waba_id, head.waba_id), or(item.sender, head.sender)]
}

fn fail(record: &Record<'_>, bytes: &[u8], error: WireError<'_>) -> Fail {
    let (reason, expected, found) = match error.fault {
        Fault::Truncated => (Reason::InvalidProtobuf, "protobuf", "the end of its message"),
        Fault::LongVarint => (Reason::InvalidProtobuf, "protobuf", "a varint that is too long"),
        Fault::Group => (Reason::InvalidProtobuf, "protobuf without groups", "a group"),
        Fault::Tag => (Reason::InvalidProtobuf, "protobuf", "no tag of a field"),
        Fault::Type => (Reason::WrongType, "the field's wire type", "another one"),
        Fault::Utf8 => (Reason::InvalidUtf8, "UTF-8", "other bytes"),
    };
    let detail = record.path.detail("", expected, found);
    Fail { reason, detail: format!("{detail} at byte {}", error.at(bytes)) }
}

/// What an item without an event is called: told by a newer writer, or nothing.
const fn name_of_none(unknown_fields: u64) -> &'static str {
    if unknown_fields > 0 { ignored::OTHER } else { ignored::EMPTY }
}
