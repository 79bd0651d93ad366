//! Turnwise's own protobuf record, `proto/turnwise/events/v1/events.proto`.
//!
//! ```text
//! record ─ waba_id, phone_number_id ─┐ of the items that name none
//!        └ items ─▶ fields, borrowed ┴▶ rows
//! ```
//!
//! One pass over the bytes and nothing copied on the way. An item is read to its end before its
//! row is written, so a damaged one is a dead letter and its neighbours are rows. Where the record
//! itself breaks off, what stands before is taken and the rest is one dead letter.

mod fields;
mod rows;
#[cfg(test)]
mod tests;
mod wire;

use crate::frame::{self, FrameError};
use crate::meant::{Id, id_of};
use crate::reason::{Reason, ignored};
use crate::record::{Fail, Record, Scope};
use fields::Item;
use wire::{Fault, Tag, Wire, WireError, length};

const WABA_ID: Tag = length(1);
const SENDER: Tag = length(2);
const ITEM: Tag = length(3);
/// The highest field number of a `Record`.
const KNOWN: u64 = 3;

/// What a record says beside its items.
#[derive(Clone, Copy, Debug, Default)]
struct Head<'a> {
    waba_id: &'a str,
    sender: &'a str,
    unknown_fields: u64,
    /// Where items end: the end of the record, or the field at which it breaks.
    items_end: usize,
    broken: Option<WireError>,
}

/// Decodes a record; gives the number of fields that nobody knows.
pub(crate) fn decode(record: &mut Record<'_>, bytes: &[u8]) -> u64 {
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
    let head = head(bytes, at);
    let mut unknown_fields = head.unknown_fields;
    let items = bytes.get(..head.items_end).unwrap_or_default();
    let mut wire = Wire::new(items, at);
    let mut nth = 0;
    let depth = record.path.depth();
    // The same walk as the head's, which met no error up to here.
    while let Ok(Some(tag)) = wire.tag() {
        if tag != ITEM {
            if wire.skip(tag, 0).is_err() {
                break;
            }
            continue;
        }
        let Ok(inner) = wire.message() else { break };
        record.path.key("items");
        record.path.index(nth);
        unknown_fields += item(record, &head, inner);
        record.path.back_to(depth);
        nth += 1;
    }
    if let Some(error) = head.broken {
        let scope = scope(head.waba_id, head.sender);
        record.dead(Some(&scope), fail(record, error), bytes.len() - head.items_end);
    } else if nth == 0 && head.unknown_fields > 0 {
        let detail = "record: expected items, found other fields".to_owned();
        record.dead(None, Fail { reason: Reason::UnknownShape, detail }, bytes.len());
    }
    unknown_fields
}

/// Whether bytes that are no JSON are a record: fields of ours and nothing else, to the end.
#[must_use]
pub fn looks_like_one(bytes: &[u8]) -> bool {
    let Ok(at) = frame::of_protobuf(bytes) else { return bytes.first() == Some(&frame::MAGIC) };
    let mut wire = Wire::new(bytes, at);
    let mut items = 0;
    loop {
        match wire.tag() {
            Ok(Some(WABA_ID | SENDER)) if wire.bytes().is_ok() => {}
            Ok(Some(ITEM)) if wire.bytes().is_ok() => items += 1,
            Ok(None) => return items > 0,
            _ => return false,
        }
    }
}

/// Reads what surrounds the items, wherever it stands.
fn head(bytes: &[u8], at: usize) -> Head<'_> {
    let mut head = Head { items_end: bytes.len(), ..Head::default() };
    let mut wire = Wire::new(bytes, at);
    loop {
        let before = wire.at();
        match head.field(&mut wire) {
            Ok(true) => {}
            Ok(false) => return head,
            Err(error) => {
                head.items_end = before;
                head.broken = Some(error);
                return head;
            }
        }
    }
}

impl<'a> Head<'a> {
    /// Reads one field; `false` at the end.
    fn field(&mut self, wire: &mut Wire<'a>) -> Result<bool, WireError> {
        match wire.tag()? {
            None => return Ok(false),
            Some(WABA_ID) => self.waba_id = fields::string(wire)?,
            Some(SENDER) => self.sender = fields::string(wire)?,
            Some(ITEM) => drop(wire.bytes()?),
            Some(tag) => {
                wire.skip(tag, KNOWN)?;
                self.unknown_fields += 1;
            }
        }
        Ok(true)
    }
}

fn scope<'a>(waba_id: &'a str, sender: &'a str) -> Scope<'a> {
    let id = |text: &'a str| if text.is_empty() { Id::None } else { id_of(text.into()) };
    Scope { waba_id: id(waba_id), sender: id(sender) }
}

/// Decodes one item; gives the number of its unknown fields.
fn item(record: &mut Record<'_>, head: &Head<'_>, wire: Wire<'_>) -> u64 {
    let bytes = wire.rest();
    match Item::read(wire) {
        Ok(item) => {
            let or = |own, all| if str::is_empty(own) { all } else { own };
            let scope = scope(or(item.waba_id, head.waba_id), or(item.sender, head.sender));
            rows::item(record, &scope, &item, bytes);
            item.unknown_fields
        }
        Err(error) => {
            let scope = scope(head.waba_id, head.sender);
            record.dead(Some(&scope), fail(record, error), bytes.len());
            0
        }
    }
}

fn fail(record: &Record<'_>, error: WireError) -> Fail {
    let (reason, expected, found) = match error.fault {
        Fault::Truncated => (Reason::InvalidProtobuf, "protobuf", "the end of its message"),
        Fault::LongVarint => (Reason::InvalidProtobuf, "protobuf", "a varint that is too long"),
        Fault::Group => (Reason::InvalidProtobuf, "protobuf without groups", "a group"),
        Fault::Tag => (Reason::InvalidProtobuf, "protobuf", "no tag of a field"),
        Fault::Type => (Reason::WrongType, "the field's wire type", "another one"),
        Fault::Utf8 => (Reason::InvalidUtf8, "UTF-8", "other bytes"),
    };
    let detail = record.path.detail("", expected, found);
    Fail { reason, detail: format!("{detail} at byte {}", error.at) }
}

/// What an item without an event is called: told by a newer writer, or nothing.
const fn name_of_none(unknown_fields: u64) -> &'static str {
    if unknown_fields > 0 { ignored::OTHER } else { ignored::EMPTY }
}
