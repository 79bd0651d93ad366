//! The straight way of messages and statuses with plain ids; see [`crate::straight`].

use turnwise_kernels::scan::is_utf8;
use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Millis, Origin};
use turnwise_model::{PricingModel, PricingType, Status as StatusCode};

use super::ITEM;
use super::fields::{MESSAGE, Message, SENDER, STATUS, Status, WABA_ID};
use super::rows::{code, millis};
use super::wire::Wire;
use crate::body::{has_text, text_length};
use crate::meant;
use crate::record::Record;
use crate::rows::{MessageRow, PlainOwner, StatusRow, Strings, TextColumns};
use crate::straight::{Hashing, PlainIds, is_digits_or_empty, is_plain, is_plain_or_empty};

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
        let (waba_id, sender) = (wire.usual_bytes(0x0A), wire.usual_bytes(0x12));
        let owner = strings.plain_owner(waba_id, sender);
        if owner.is_none() && !(waba_id.is_empty() && sender.is_empty()) {
            return None;
        }
        let first = next(wire)?;
        let is_usual = wire.rest().is_empty() || are_items(*wire);
        is_usual.then_some((Self { waba_id, sender, owner }, first))
    }
}

/// The next item of a record.
#[inline(always)]
pub(super) fn next<'a>(wire: &mut Wire<'a>) -> Option<&'a [u8]> {
    if wire.takes(ITEM) { wire.bytes().ok() } else { None }
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

/// Writes the row of an item and gives the number of its unknown fields, or does nothing.
#[inline(always)]
pub(super) fn item<'a>(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    of: &Of<'a>,
    bytes: &'a [u8],
) -> Option<u64> {
    let mut wire = Wire::new(bytes);
    let mut unknown_fields = 0;
    if wire.takes(STATUS) {
        let mut inner = Wire::new(wire.bytes().ok()?);
        let mut fields = Status::usual(&mut inner);
        if !inner.rest().is_empty() {
            fields = rest_of_status(fields, inner, &mut unknown_fields)?;
        }
        status(record, hashing, (of, wire), &fields)?;
    } else if wire.takes(MESSAGE) {
        let mut inner = Wire::new(wire.bytes().ok()?);
        let mut fields = Message::usual(&mut inner);
        if !inner.rest().is_empty() {
            fields = rest_of_message(fields, inner, &mut unknown_fields)?;
        }
        message(record, hashing, (of, wire), &fields)?;
    } else {
        return None;
    }
    Some(unknown_fields)
}

#[inline(never)]
fn rest_of_status<'a>(
    mut fields: Status<'a>,
    rest: Wire<'a>,
    unknown_fields: &mut u64,
) -> Option<Status<'a>> {
    fields.read(rest, unknown_fields).ok()?;
    Some(fields)
}

#[inline(never)]
fn rest_of_message<'a>(
    mut fields: Message<'a>,
    rest: Wire<'a>,
    unknown_fields: &mut u64,
) -> Option<Message<'a>> {
    fields.read(rest, unknown_fields).ok()?;
    Some(fields)
}

/// What is said of an event's owner: by the record, and behind the event.
type Owner<'o, 'a> = (&'o Of<'a>, Wire<'a>);

/// Who an item is of: what it says behind its event, else the record's. Asked when all else is
/// known to be plain: ids are only kept then, so that a record has no more of them than items.
#[inline(always)]
fn owner<'a>(record: &mut Record<'_>, (of, wire): Owner<'_, 'a>) -> Option<(PlainOwner, &'a [u8])> {
    match of.owner {
        Some(owner) if wire.rest().is_empty() => Some((owner, of.sender)),
        _ => own(record, of, wire),
    }
}

#[inline(never)]
fn own<'a>(
    record: &mut Record<'_>,
    of: &Of<'a>,
    mut wire: Wire<'a>,
) -> Option<(PlainOwner, &'a [u8])> {
    if !record.has_room(1) {
        return None;
    }
    let own = |bytes: Option<&'a [u8]>, all| bytes.filter(|own| !own.is_empty()).unwrap_or(all);
    let waba_id = own(wire.bytes_of(WABA_ID).ok()?, of.waba_id);
    let sender = own(wire.bytes_of(SENDER).ok()?, of.sender);
    let owner = record.rows.strings.plain_owner(waba_id, sender)?;
    wire.rest().is_empty().then_some((owner, sender))
}

/// A known origin that is no history, and a time in range.
#[inline(always)]
fn origin_and_time(record: &Record<'_>, origin: i32, time: i64) -> Option<(Origin, Millis)> {
    let origin =
        if origin == 0 { Origin::Live } else { Origin::from_code(origin.checked_sub(1)?)? };
    let time = millis(time).filter(|time| record.is_in_range(*time))?;
    (origin != Origin::History).then_some((origin, time))
}

#[inline(always)]
fn message(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    of: Owner<'_, '_>,
    fields: &Message<'_>,
) -> Option<()> {
    let Message { id, mut phone, mut user, .. } = *fields;
    if !(is_plain(id) && is_digits_or_empty(phone) && is_plain_or_empty(user)) {
        return None;
    }
    let (origin, time) = origin_and_time(record, fields.origin, fields.time)?;
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
    let (owner, sender) = owner(record, of)?;
    let ids = PlainIds { owner, sender, phone, user, message: id };
    let item = record.begin_known()?;
    let unknown = MessageKind::Unknown;
    let kind = code(fields.kind, MessageKind::from_code, unknown).unwrap_or(unknown);
    let interactive = (kind == MessageKind::Interactive).then(|| {
        let other = InteractiveType::Other;
        code(fields.interactive, InteractiveType::from_code, other).unwrap_or(other)
    });
    let text = match (fields.text, fields.chars) {
        (Some(text), _) if has_text(kind) => TextColumns::Text(record.rows.shapes.push_bytes(text)),
        (None, Some(chars)) if has_text(kind) => record.text(text_length(i64::from(chars))),
        _ => TextColumns::None,
    };
    let row = MessageRow {
        common: record.plain_common(hashing, &ids, time, item),
        origin,
        in_group: fields.in_group,
        direction,
        kind,
        interactive,
        voice: (kind == MessageKind::Audio).then_some(fields.voice),
        country: ids.country(),
        is_reply: fields.is_reply,
        has_referral: fields.has_referral,
        text,
    };
    record.plain_message(ids.owner, row);
    Some(())
}

#[inline(always)]
fn status(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    of: Owner<'_, '_>,
    fields: &Status<'_>,
) -> Option<()> {
    let Status { id, phone, user, .. } = *fields;
    if !(is_plain(id) && is_digits_or_empty(phone) && is_plain_or_empty(user)) {
        return None;
    }
    let (origin, time) = origin_and_time(record, fields.origin, fields.time)?;
    let status = code(fields.status, StatusCode::from_code, StatusCode::Other)?;
    let (owner, sender) = owner(record, of)?;
    let ids = PlainIds { owner, sender, phone, user, message: id };
    let item = record.begin_known()?;
    let category = |number| code(number, Category::from_code, Category::Other);
    let row = StatusRow {
        common: record.plain_common(hashing, &ids, time, item),
        origin,
        in_group: fields.in_group,
        status,
        category: category(fields.category),
        conversation_origin: category(fields.conversation_origin),
        pricing_type: code(fields.pricing_type, PricingType::from_code, PricingType::Other),
        pricing_model: code(fields.pricing_model, PricingModel::from_code, PricingModel::Other),
        error_code: fields.error_code.filter(|code| meant::is_error_code(*code)),
    };
    record.plain_status(ids.owner, row);
    Some(())
}
