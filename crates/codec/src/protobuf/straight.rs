//! The straight way of messages and statuses with plain ids; see [`crate::straight`].

use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Millis, Origin};
use turnwise_model::{PricingModel, PricingType, Status as StatusCode};

use super::fields::{Event, Item, Message, Status};
use super::rows::{code, millis};
use crate::body::{has_text, text_length};
use crate::meant;
use crate::record::Record;
use crate::rows::{MessageCells, StatusCells, TextColumns, small, small_or_none};
use crate::straight::{Hashing, PlainIds, is_digits_or_empty, is_plain, is_plain_or_empty};
use crate::utf8;

/// Writes the row of an item and answers `true`, or does nothing.
#[inline]
pub(super) fn item(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    [waba_id, sender]: [&[u8]; 2],
    item: &Item<'_>,
) -> bool {
    if !is_plain_or_empty(waba_id) || !is_plain(sender) {
        return false;
    }
    let written = match &item.event {
        Event::Message(fields) => message(record, hashing, [waba_id, sender], fields),
        Event::Status(fields) => status(record, hashing, [waba_id, sender], fields),
        _ => None,
    };
    written.is_some()
}

fn plain_ids<'a>(
    [waba_id, sender]: [&'a [u8]; 2],
    message: &'a [u8],
    phone: &'a [u8],
    user: &'a [u8],
) -> Option<PlainIds<'a>> {
    let plain = is_plain(message) && is_digits_or_empty(phone) && is_plain_or_empty(user);
    plain.then_some(PlainIds { waba_id, sender, phone, user, message })
}

/// A known origin that is no history, and a time in range.
fn origin_and_time(record: &Record<'_>, origin: i32, time: i64) -> Option<(Origin, Millis)> {
    let origin =
        if origin == 0 { Origin::Live } else { Origin::from_code(origin.checked_sub(1)?)? };
    let time = millis(time).filter(|time| record.is_in_range(*time))?;
    (origin != Origin::History).then_some((origin, time))
}

fn message(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    owner: [&[u8]; 2],
    fields: &Message<'_>,
) -> Option<()> {
    let mut ids = plain_ids(owner, fields.id, fields.phone, fields.user)?;
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
    let message = MessageCells {
        origin,
        in_group: fields.in_group,
        direction,
        kind,
        interactive,
        voice: (kind == MessageKind::Audio).then_some(fields.voice),
        country: None,
        is_reply: fields.is_reply,
        has_referral: fields.has_referral,
        text,
    };
    record.plain_message(hashing, &ids, time, item, message);
    Some(())
}

fn status(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    owner: [&[u8]; 2],
    fields: &Status<'_>,
) -> Option<()> {
    let ids = plain_ids(owner, fields.id, fields.phone, fields.user)?;
    let (origin, time) = origin_and_time(record, fields.origin, fields.time)?;
    let status = code(fields.status, StatusCode::from_code, StatusCode::Other)?;
    let item = record.begin_known()?;
    let category = |number| {
        let category = code(number, Category::from_code, Category::Other);
        small_or_none(category.map(|category| category.code()))
    };
    let pricing_type = code(fields.pricing_type, PricingType::from_code, PricingType::Other);
    let pricing_model = code(fields.pricing_model, PricingModel::from_code, PricingModel::Other);
    let status = StatusCells {
        origin,
        in_group: fields.in_group,
        status: small(status.code()),
        category: category(fields.category),
        conversation_origin: category(fields.conversation_origin),
        pricing_type: small_or_none(pricing_type.map(|kind| kind.code())),
        pricing_model: small_or_none(pricing_model.map(|model| model.code())),
        error_code: StatusCells::error_code(
            fields.error_code.filter(|code| meant::is_error_code(*code)),
        ),
    };
    record.plain_status(hashing, &ids, time, item, &status);
    Some(())
}
