//! The straight way of messages and statuses with plain ids; see [`crate::straight`].

use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Millis, Origin};
use turnwise_model::{PricingModel, PricingType, Status as StatusCode};

use super::fields::{Message, Status};
use super::rows::{code, millis};
use super::wire::{Tag, Wire, length, varint};
use crate::body::{has_text, text_length};
use crate::meant;
use crate::record::Record;
use crate::rows::{MessageCells, StatusCells, TextColumns};
use crate::straight::{Hashing, PlainIds, is_digits_or_empty, is_plain, is_plain_or_empty};
use crate::utf8;

/// Fields in the order in which writers write them: each is looked for once, so that nothing is
/// dispatched. Whatever else stands there is left to those who read any order.
struct Ordered<'a> {
    wire: Wire<'a>,
}

impl<'a> Ordered<'a> {
    /// Whether the next field has this tag of one byte.
    #[inline]
    fn takes(&mut self, tag: Tag) -> bool {
        match self.wire.rest() {
            [byte, rest @ ..] if Tag::from(*byte) == tag => {
                self.wire = Wire::new(rest);
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn bytes(&mut self, tag: Tag) -> Option<&'a [u8]> {
        if self.takes(tag) { self.wire.bytes().ok() } else { Some(b"") }
    }

    #[inline]
    fn long(&mut self, tag: Tag) -> Option<i64> {
        if self.takes(tag) { Some(self.wire.varint().ok()?.cast_signed()) } else { Some(0) }
    }

    /// Numbers of 32 bits are cut to them, as the protocol has it.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "what the protocol says")]
    fn int(&mut self, tag: Tag) -> Option<i32> {
        Some(self.long(tag)? as i32)
    }

    #[inline]
    fn boolean(&mut self, tag: Tag) -> Option<bool> {
        Some(self.long(tag)? != 0)
    }

    fn at_end(&self) -> bool {
        self.wire.rest().is_empty()
    }
}

/// Writes the rows of a record that holds one item, all fields in order, and answers `true`; or
/// does nothing.
#[inline]
pub(super) fn record(record: &mut Record<'_>, hashing: Hashing<'_>, bytes: &[u8]) -> bool {
    let mut all = Ordered { wire: Wire::new(bytes) };
    let (Some(waba_id), Some(sender)) = (all.bytes(length(1)), all.bytes(length(2))) else {
        return false;
    };
    if !all.takes(length(3)) {
        return false;
    }
    match all.wire.bytes() {
        Ok(inner) if all.at_end() => item(record, hashing, [waba_id, sender], inner),
        _ => false,
    }
}

/// Writes the row of an item and answers `true`, or does nothing.
#[inline]
pub(super) fn item(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    [waba_id, sender]: [&[u8]; 2],
    item: &[u8],
) -> bool {
    if !is_plain_or_empty(waba_id) || !is_plain(sender) {
        return false;
    }
    let mut fields = Ordered { wire: Wire::new(item) };
    let is_message = fields.takes(length(1));
    if !is_message && !fields.takes(length(2)) {
        return false;
    }
    // An item that names its own account or number has more fields.
    let Some(inner) = fields.wire.bytes().ok().filter(|_| fields.at_end()) else { return false };
    let owner = [waba_id, sender];
    let written = if is_message {
        read_message(inner).and_then(|fields| message(record, hashing, owner, &fields))
    } else {
        read_status(inner).and_then(|fields| status(record, hashing, owner, &fields))
    };
    written.is_some()
}

#[inline]
fn read_message(bytes: &[u8]) -> Option<Message<'_>> {
    let mut fields = Ordered { wire: Wire::new(bytes) };
    let message = Message {
        id: fields.bytes(length(1))?,
        time: fields.long(varint(2))?,
        direction: fields.int(varint(3))?,
        origin: fields.int(varint(4))?,
        kind: fields.int(varint(5))?,
        interactive: fields.int(varint(6))?,
        phone: fields.bytes(length(7))?,
        user: fields.bytes(length(8))?,
        text: if fields.takes(length(9)) { Some(fields.wire.bytes().ok()?) } else { None },
        chars: if fields.takes(varint(10)) {
            Some(fields.wire.varint().ok()? as u32)
        } else {
            None
        },
        voice: fields.boolean(varint(11))?,
        in_group: fields.boolean(varint(12))?,
        is_reply: fields.boolean(varint(13))?,
        has_referral: fields.boolean(varint(14))?,
        change: None,
    };
    // Of text and length the last one written stands, which is for others to sort out.
    let one = message.text.is_none() || message.chars.is_none();
    (one && fields.at_end()).then_some(message)
}

#[inline]
fn read_status(bytes: &[u8]) -> Option<Status<'_>> {
    let mut fields = Ordered { wire: Wire::new(bytes) };
    let status = Status {
        id: fields.bytes(length(1))?,
        time: fields.long(varint(2))?,
        origin: fields.int(varint(3))?,
        status: fields.int(varint(4))?,
        phone: fields.bytes(length(5))?,
        user: fields.bytes(length(6))?,
        in_group: fields.boolean(varint(7))?,
        category: fields.int(varint(8))?,
        conversation_origin: fields.int(varint(9))?,
        pricing_type: fields.int(varint(10))?,
        pricing_model: fields.int(varint(11))?,
        error_code: if fields.takes(varint(12)) {
            Some(fields.wire.varint().ok()?.cast_signed())
        } else {
            None
        },
    };
    fields.at_end().then_some(status)
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
    let origin = if origin == 0 { Origin::Live } else { Origin::from_code(origin - 1)? };
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
    let category = |number| code(number, Category::from_code, Category::Other);
    let status = StatusCells {
        origin,
        in_group: fields.in_group,
        status,
        category: category(fields.category),
        conversation_origin: category(fields.conversation_origin),
        pricing_type: code(fields.pricing_type, PricingType::from_code, PricingType::Other),
        pricing_model: code(fields.pricing_model, PricingModel::from_code, PricingModel::Other),
        error_code: fields.error_code.filter(|code| meant::is_error_code(*code)),
    };
    record.plain_status(hashing, &ids, time, item, &status);
    Some(())
}
