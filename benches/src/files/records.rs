//! Rows as records of Turnwise's own protobuf, one message a record.

use turnwise_codec::encode::{Event, Message, Person, Text, What, protobuf};
use turnwise_model::{Direction, InteractiveType, MessageKind, Millis, Origin};

use super::webhooks::{phone, waba_id, wamid};
use crate::data::{Row, kind, write_text};

/// The record of a row.
#[must_use]
pub fn protobuf_record(row: &Row) -> Vec<u8> {
    let (direction, kind, interactive) = names(row);
    let mut text = String::new();
    if row.kind == kind::TEXT {
        write_text(row, &mut text);
    }
    let message = Message {
        id: wamid(row),
        origin: Origin::Live,
        direction,
        kind,
        interactive,
        text: if row.kind == kind::TEXT { Text::Body(text) } else { Text::None },
        voice: row.kind == kind::VOICE,
        in_group: false,
        is_reply: false,
        has_referral: false,
        change: None,
    };
    protobuf(&[Event {
        waba_id: waba_id(row),
        phone_number_id: row.number.to_string(),
        time: Some(Millis(row.ts_ms)),
        peer: Person { phone: phone(row), user_id: String::new() },
        what: What::Message(message),
    }])
}

fn names(row: &Row) -> (Direction, MessageKind, Option<InteractiveType>) {
    let direction = if row.direction == 0 { Direction::Inbound } else { Direction::Outbound };
    let (kind, interactive) = match row.kind {
        kind::TEXT => (MessageKind::Text, None),
        kind::BUTTON => (MessageKind::Button, None),
        kind::VOICE => (MessageKind::Audio, None),
        kind::IMAGE => (MessageKind::Image, None),
        kind::TEMPLATE => (MessageKind::Template, None),
        kind::INTERACTIVE => (MessageKind::Interactive, Some(InteractiveType::Button)),
        _ => (MessageKind::Sticker, None),
    };
    (direction, kind, interactive)
}
