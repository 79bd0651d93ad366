//! Turnwise's own record of a send.

use turnwise_model::{Direction, InteractiveType, MessageKind, Origin};

use super::json::Json;
use super::{Event, Message, Text, What};

/// The record of sends: one object for one, an array for more.
///
/// Carries outbound live messages with a time, and of what is ignored `mark_as_read`, `typing` and
/// `send_failed`. A group's message has no peer. Cannot carry referrals, identity changes, or
/// inbound messages' kinds of reply.
#[must_use]
pub fn send(events: &[Event]) -> Option<Vec<u8>> {
    let mut json = Json::default();
    match events {
        [] => return None,
        [event] => one(&mut json, event)?,
        events => {
            let mut all = Some(());
            json.array(|json| all = events.iter().try_for_each(|event| one(json, event)));
            all?;
        }
    }
    Some(json.into_bytes())
}

fn one(json: &mut Json, event: &Event) -> Option<()> {
    let carried = match &event.what {
        What::Message(message) => {
            message.direction == Direction::Outbound
                && message.origin == Origin::Live
                && !message.has_referral
                && message.change.is_none()
                && event.time.is_some()
                && (!message.in_group || event.peer == super::Person::default())
                && (event.peer.phone.is_empty() || !event.peer.phone.contains('.'))
        }
        What::Ignored(name) => matches!(*name, "mark_as_read" | "typing" | "send_failed"),
        _ => false,
    };
    if !carried {
        return None;
    }
    json.object(|json| {
        if let Some(time) = event.time {
            json.field("time", &time.rfc3339());
        }
        json.field_if_any("waba_id", &event.waba_id);
        json.field_if_any("phone_number_id", &event.phone_number_id);
        let failed = event.what == What::Ignored("send_failed");
        json.key("status").number(if failed { 400 } else { 200 });
        json.object_field("request", |json| request(json, event));
        if let What::Message(message) = &event.what {
            json.object_field("response", |json| response(json, event, message));
        }
    });
    Some(())
}

fn request(json: &mut Json, event: &Event) {
    json.field("messaging_product", "whatsapp");
    match &event.what {
        What::Message(message) => {
            json.field("recipient_type", if message.in_group { "group" } else { "individual" });
            if !message.in_group {
                json.field_if_any("to", &event.peer.phone);
                json.field_if_any("recipient", &event.peer.user_id);
            }
            if message.is_reply {
                json.object_field("context", |json| json.field("message_id", "wamid.before"));
            }
            body(json, message);
        }
        What::Ignored("mark_as_read") => {
            json.field("status", "read");
            json.field("message_id", "wamid.read");
        }
        What::Ignored("typing") => {
            json.object_field("typing_indicator", |json| json.field("type", "text"));
        }
        _ => json.field("type", "text"),
    }
}

fn response(json: &mut Json, event: &Event, message: &Message) {
    json.field("messaging_product", "whatsapp");
    if !message.in_group {
        json.list_of_one("contacts", |json| {
            json.field_if_any("wa_id", &event.peer.phone);
            json.field_if_any("user_id", &event.peer.user_id);
        });
    }
    if !message.id.is_empty() {
        json.list_of_one("messages", |json| {
            json.field("id", &message.id);
            json.field("message_status", "accepted");
        });
    }
}

/// `type` and the body that it names, as requests, webhooks and echoes have them.
pub(super) fn body(json: &mut Json, message: &Message) {
    let name = message.kind.name();
    json.field("type", name);
    json.object_field(name, |json| match message.kind {
        MessageKind::Text => content(json, "body", &message.text),
        MessageKind::Audio => {
            json.key("voice").boolean(message.voice);
            content(json, "caption", &message.text);
        }
        MessageKind::Image | MessageKind::Video | MessageKind::Document | MessageKind::Sticker => {
            json.field("id", "1");
            content(json, "caption", &message.text);
        }
        MessageKind::Button => content(json, "text", &message.text),
        MessageKind::Interactive => interactive(json, message),
        MessageKind::System => {
            if let Some(change) = &message.change {
                json.field("type", change.event);
                json.field_if_any("wa_id", &change.now.phone);
                json.field_if_any("user_id", &change.now.user_id);
            }
        }
        _ => {}
    });
}

fn interactive(json: &mut Json, message: &Message) {
    let kind = message.interactive.unwrap_or(InteractiveType::Other);
    json.field("type", kind.name());
    match kind {
        InteractiveType::ButtonReply | InteractiveType::ListReply => {
            json.object_field(kind.name(), |json| content(json, "title", &message.text));
        }
        _ => json.object_field("body", |json| content(json, "text", &message.text)),
    }
}

fn content(json: &mut Json, key: &str, text: &Text) {
    match text {
        Text::None => {}
        Text::Chars(chars) => json.key("chars").number(i64::from(*chars)),
        Text::Body(text) => json.field(key, text),
    }
}
