//! The straight way of messages and statuses with plain ids; see [`crate::straight`].

use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Millis, Origin};
use turnwise_model::{PricingModel, PricingType, Status as StatusCode};

use super::Head;
use super::fields::{MESSAGE, Message, SENDER, STATUS, Status, WABA_ID};
use super::rows::{code, millis};
use super::wire::Wire;
use crate::body::{has_text, text_length};
use crate::meant;
use crate::record::Record;
use crate::rows::{MessageRow, PlainOwner, StatusRow, TextColumns};
use crate::straight::{Hashing, PlainIds, is_digits_or_empty, is_plain, is_plain_or_empty};
use crate::utf8;

/// Writes the row of an item and gives the number of its unknown fields, or does nothing.
#[inline(always)]
pub(super) fn item<'a>(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    head: &Head<'a>,
    bytes: &'a [u8],
) -> Option<u64> {
    let mut wire = Wire::new(bytes);
    let mut unknown_fields = 0;
    if wire.takes(MESSAGE) {
        let mut fields = Message::default();
        fields.read(Wire::new(wire.bytes().ok()?), &mut unknown_fields).ok()?;
        message(record, hashing, (head, wire), &fields)?;
    } else if wire.takes(STATUS) {
        let mut fields = Status::default();
        fields.read(Wire::new(wire.bytes().ok()?), &mut unknown_fields).ok()?;
        status(record, hashing, (head, wire), &fields)?;
    } else {
        return None;
    }
    Some(unknown_fields)
}

/// Who an item is of: what it says behind its event, else the record's.
#[inline(always)]
fn owner<'a>(
    record: &mut Record<'_>,
    head: &Head<'a>,
    mut wire: Wire<'a>,
) -> Option<(PlainOwner, &'a [u8])> {
    if let (Some(owner), []) = (head.owner, wire.rest()) {
        return Some((owner, head.sender));
    }
    let own = |bytes: Option<&'a [u8]>, all| bytes.filter(|own| !own.is_empty()).unwrap_or(all);
    let waba_id = own(wire.bytes_of(WABA_ID).ok()?, head.waba_id);
    let sender = own(wire.bytes_of(SENDER).ok()?, head.sender);
    let owner = record.rows.strings.plain_owner(waba_id, sender)?;
    wire.rest().is_empty().then_some((owner, sender))
}

/// What is said of an event's owner: by the record, and behind the event.
type Owner<'a> = (&'a Head<'a>, Wire<'a>);

/// The ids of an event, if all are plain and the record may have one more: the owner's are only
/// then kept, so that a record has no more of them than items.
#[inline(always)]
fn plain_ids<'a>(
    record: &mut Record<'_>,
    (head, wire): Owner<'a>,
    message: &'a [u8],
    phone: &'a [u8],
    user: &'a [u8],
) -> Option<PlainIds<'a>> {
    let plain = is_plain(message) && is_digits_or_empty(phone) && is_plain_or_empty(user);
    if !plain || !record.has_room(1) {
        return None;
    }
    let (owner, sender) = owner(record, head, wire)?;
    Some(PlainIds { owner, sender, phone, user, message })
}

/// A known origin that is no history, and a time in range.
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
    owner: Owner<'_>,
    fields: &Message<'_>,
) -> Option<()> {
    let mut ids = plain_ids(record, owner, fields.id, fields.phone, fields.user)?;
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
        (ids.phone, ids.user) = (b"", b"");
    }
    if !fields.text.is_none_or(utf8::is_utf8) {
        return None;
    }
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
    owner: Owner<'_>,
    fields: &Status<'_>,
) -> Option<()> {
    let ids = plain_ids(record, owner, fields.id, fields.phone, fields.user)?;
    let (origin, time) = origin_and_time(record, fields.origin, fields.time)?;
    let status = code(fields.status, StatusCode::from_code, StatusCode::Other)?;
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
