//! Made-up events in the envelopes of providers, for tests.
//!
//! [`carried`] reduces an event to what its format can carry, by the registry of formats; the
//! encoders write all that is left, or answer `None`.

mod cloud;
mod plain;
mod rich;

use serde_json::{Value, json};
use turnwise_codec::encode::{Event, Message, Status, Text, What};
use turnwise_codec::{Aspect, Format};
use turnwise_model::{Direction, MessageKind, Millis, Origin, Status as StatusCode};

/// Writes one event.
pub type Encoder = fn(&Event) -> Option<Vec<u8>>;

pub const ENCODERS: &[(Format, Encoder)] = &[
    (Format::Twilio, plain::twilio),
    (Format::TwilioEvents, plain::twilio_events),
    (Format::GupshupV2, plain::gupshup_v2),
    (Format::Infobip, plain::infobip),
    (Format::Vonage, plain::vonage),
    (Format::EightXEight, plain::eight_x_eight),
    (Format::Bird, rich::bird),
    (Format::MessageBird, rich::messagebird),
    (Format::YCloud, rich::ycloud),
    (Format::Dialog360, cloud::dialog360),
    (Format::GupshupV3, cloud::gupshup_v3),
    (Format::Kapso, cloud::kapso),
    (Format::Turn, cloud::turn),
    (Format::Salesforce, cloud::salesforce),
];

/// The event without what this format cannot carry; `None` where nothing of it is left.
pub fn carried(format: Format, event: &Event) -> Option<Event> {
    let carries = |aspect| format.carries(aspect);
    let mut event = event.clone();
    if !carries(Aspect::Account) {
        event.waba_id.clear();
    }
    if !carries(Aspect::UserIds) {
        event.peer.user_id.clear();
    }
    if !carries(Aspect::Times) {
        event.time = Some(Millis(crate::common::NOW));
    }
    match &mut event.what {
        What::Message(message) => {
            let way = match (message.origin, message.direction) {
                (Origin::Live, Direction::Inbound) => carries(Aspect::Inbound),
                (Origin::Live, Direction::Outbound) => carries(Aspect::Outbound),
                (Origin::App, _) => carries(Aspect::PhoneApp),
                (Origin::History, _) => carries(Aspect::History),
                (Origin::Standby, _) => false,
            };
            if !way || message.in_group || message.change.is_some() {
                return None;
            }
            message.is_reply &= carries(Aspect::Replies);
            message.has_referral &= carries(Aspect::Referrals);
            message.voice &= carries(Aspect::Voice);
        }
        What::Status(status) => {
            if !carries(Aspect::Statuses) || status.in_group || status.origin != Origin::Live {
                return None;
            }
            if !carries(Aspect::Prices) {
                status.category = None;
                status.conversation_origin = None;
                status.pricing_type = None;
                status.pricing_model = None;
            }
            // No error is what zero means to providers.
            status.error_code = status.error_code.filter(|code| *code != 0);
        }
        What::Account(_) | What::Ignored(_) => return None,
    }
    Some(event)
}

fn time(event: &Event) -> Millis {
    event.time.expect("made-up events have times")
}

fn iso(event: &Event) -> String {
    time(event).rfc3339()
}

/// A number with its `+`, else a user id, else nothing.
fn party(event: &Event) -> Option<String> {
    let person = &event.peer;
    match (person.phone.as_str(), person.user_id.as_str()) {
        ("", "") => None,
        ("", user) => Some(user.to_owned()),
        (phone, _) => Some(format!("+{phone}")),
    }
}

/// The user id, unless it stands in the party's place already.
fn user(event: &Event) -> Option<&str> {
    let person = &event.peer;
    (!person.phone.is_empty() && !person.user_id.is_empty()).then_some(person.user_id.as_str())
}

/// A text that is there, or `Some(None)` where there is none; lengths alone are in no envelope.
fn text(message: &Message) -> Option<Option<&str>> {
    match &message.text {
        Text::None => Some(None),
        Text::Chars(_) => None,
        Text::Body(text) => Some(Some(text)),
    }
}

/// A word of Twilio and those who took its words; there is none for `played`.
fn word(status: StatusCode) -> Option<&'static str> {
    Some(match status {
        StatusCode::Sent => "sent",
        StatusCode::Delivered => "delivered",
        StatusCode::Read => "read",
        StatusCode::Failed => "failed",
        StatusCode::Other => "queued",
        StatusCode::Played => return None,
    })
}

fn status(event: &Event) -> Option<&Status> {
    match &event.what {
        What::Status(status) => Some(status),
        _ => None,
    }
}

/// An object without the keys that are null.
fn compact(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(_, inner)| !inner.is_null())
                .map(|(key, inner)| (key, compact(inner)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(compact).collect()),
        other => other,
    }
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    Some(compact(value).to_string().into_bytes())
}

/// Media by a file's type.
fn media_type(kind: MessageKind) -> Option<&'static str> {
    Some(match kind {
        MessageKind::Image => "image/jpeg",
        MessageKind::Audio => "audio/ogg; codecs=opus",
        MessageKind::Video => "video/mp4",
        MessageKind::Document => "application/pdf",
        MessageKind::Sticker => "image/webp",
        _ => return None,
    })
}

fn reply(message: &Message, key: &str) -> Value {
    if message.is_reply { json!({ key: "another" }) } else { Value::Null }
}
