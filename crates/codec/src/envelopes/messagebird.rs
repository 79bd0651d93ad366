//! MessageBird's conversations, which Bird's channels replaced: `{type, contact, conversation,
//! message}`, or one of the messages alone.
//!
//! Sender: the channel's id. An event for a message that was sent is a message row beside its
//! status, of which the earliest counts. A reply names the message that it answers in `replyTo`, in
//! that of its `metadata`, where an id of zeros is none, or, if its type is one of WhatsApp alone,
//! in the platform's `context`.
//!
//! It cannot carry: the business account, user ids, prices, whether audio is a voice note, echoes
//! of the phone app, history, standby and account events. Events about conversations are ignored,
//! as is what is of another channel.

use turnwise_model::{Direction, InteractiveType, MessageKind, Origin, Status};

use super::{Delivery, Message, Price, code, is_whatsapp, person, time_at_first, twilio};
use crate::body::Body;
use crate::json::Value;
use crate::meant::{self, Id};
use crate::reason::{Reason, ignored, ignored_name};
use crate::record::{Record, Scope};

/// Decodes one event.
pub(super) fn decode(record: &mut Record<'_>, value: Value<'_>) {
    let held = value.get("message").filter(|message| message.is_object());
    let Some(message) = held.or_else(|| is_message(value).then_some(value)) else {
        if meant::word(value.get("type")).is_some_and(|kind| kind.starts_with("conversation.")) {
            return record.ignored(None, ignored_name("conversation"), value.raw().len());
        }
        return super::unknown(record, &super::nobody(), value, "an event with a message");
    };
    if !is_whatsapp(message.get("platform")) {
        return record.ignored(None, ignored::OTHER_CHANNEL, value.raw().len());
    }
    let sender = meant::id(message.get("channelId"))
        .or_else(|| meant::id(value.at(&["conversation", "lastUsedChannelId"])));
    let scope = Scope { waba_id: Id::None, sender };
    match meant::word(message.get("direction")).as_deref() {
        Some("received") => {
            row(record, &scope, value, message, Direction::Inbound);
        }
        Some("sent") => sent(record, &scope, value, message),
        _ => {
            let key = if held.is_some() { "message.direction" } else { "direction" };
            let found = message.get_or_null("direction").map(Value::kind);
            let fail = record.fail(Reason::NoDirection, key, "sent or received", found);
            record.dead(Some(&scope), fail, value.raw().len());
        }
    }
}

/// Whether an object is a message without the event around it.
pub(crate) fn is_message(value: Value<'_>) -> bool {
    ["conversationId", "channelId", "platform", "createdDatetime"]
        .into_iter()
        .all(|key| value.get(key).is_some())
}

fn row<'a>(
    record: &mut Record<'_>,
    scope: &Scope<'a>,
    event: Value<'a>,
    message: Value<'a>,
    direction: Direction,
) {
    let party = if direction == Direction::Inbound { "from" } else { "to" };
    super::message(record, scope, event, |record| {
        Ok(Message {
            id: meant::id(message.get("id")),
            time: time_at_first(record, &[("createdDatetime", message.get("createdDatetime"))])?,
            peer: person(event.at(&["contact", "msisdn"])).phone_or_user(message.get(party)),
            direction,
            origin: Origin::Live,
            in_group: false,
            has_referral: direction == Direction::Inbound
                && meant::has_keys(message.get("referral")),
            body: body(message, direction)
                .reply_to(answered(message.at(&["replyTo", "id"])))
                .reply_to(answered(message.at(&["metadata", "replyTo", "id"]))),
            change: None,
        })
    });
}

/// The id of a message that is answered, unless it is that of none.
fn answered(id: Option<Value<'_>>) -> Option<Value<'_>> {
    id.filter(|id| meant::word(Some(*id)).as_deref() != Some(NONE))
}

/// The id of no message.
const NONE: &str = "00000000-0000-0000-0000-000000000000";

fn sent<'a>(record: &mut Record<'_>, scope: &Scope<'a>, event: Value<'a>, message: Value<'a>) {
    let name = meant::word(message.get("status"));
    let status = match name.as_deref().unwrap_or_default() {
        "sent" | "transmitted" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        "failed" | "rejected" => Status::Failed,
        _ => Status::Other,
    };
    if status != Status::Failed {
        row(record, scope, event, message, Direction::Outbound);
    }
    if name.is_none() {
        return;
    }
    super::status(record, scope, event, |record| {
        let time = |key: &'static str| (key, message.get(key));
        Ok(Delivery {
            id: meant::id(message.get("id")),
            time: time_at_first(record, &[time("updatedDatetime"), time("createdDatetime")])?,
            peer: person(event.at(&["contact", "msisdn"])).phone_or_user(message.get("to")),
            origin: Origin::Live,
            in_group: false,
            status,
            price: Price::default(),
            error_code: code(message.at(&["error", "code"]))
                .or_else(|| code(event.at(&["error", "code"]))),
        })
    });
}

fn body(message: Value<'_>, direction: Direction) -> Body<'_> {
    let content = |path: &[&str]| message.get("content").and_then(|content| content.at(path));
    let name = meant::word(message.get("type")).unwrap_or_default();
    if let Some(kind) = name.strip_prefix("whatsapp") {
        let key = message.get("type").and_then(Value::string).unwrap_or_default();
        return of_whatsapp(kind, content(&[key.trim()]));
    }
    match name.as_str() {
        "text" => Body::new(MessageKind::Text).text(content(&["text"])),
        "hsm" => Body::new(MessageKind::Template),
        "file" => Body::new(MessageKind::Document).text(content(&["file", "caption"])),
        "contact" | "contacts" => Body::new(MessageKind::Contacts),
        "interactive" => {
            let kind = meant::word(content(&["interactive", "type"])).unwrap_or_default();
            let kind = match (kind.as_str(), direction) {
                ("list_reply" | "list", Direction::Inbound) => InteractiveType::ListReply,
                ("button_reply" | "button", Direction::Inbound) => InteractiveType::ButtonReply,
                (kind, _) => InteractiveType::from_name(kind).unwrap_or(InteractiveType::Other),
            };
            let text = content(&["interactive", "reply", "text"])
                .or_else(|| content(&["interactive", "reply", "title"]))
                .or_else(|| content(&["interactive", "body", "text"]));
            Body::interactive(kind).text(text)
        }
        name => match MessageKind::from_name(name).unwrap_or(MessageKind::Unknown) {
            kind if twilio::is_media(kind) => Body::new(kind).text(content(&[name, "caption"])),
            MessageKind::Button => {
                Body::new(MessageKind::Button).text(content(&["button", "text"]))
            }
            kind => Body::new(kind),
        },
    }
}

/// Types of WhatsApp alone, around what the platform sent.
fn of_whatsapp<'a>(kind: &str, inner: Option<Value<'a>>) -> Body<'a> {
    let inner = |path: &[&str]| inner.and_then(|inner| inner.at(path));
    let body = match MessageKind::from_name(kind).unwrap_or(MessageKind::Unknown) {
        MessageKind::Text => Body::new(MessageKind::Text).text(inner(&["text", "body"])),
        MessageKind::Interactive => Body::interactive(InteractiveType::Other),
        kind => Body::new(kind),
    };
    body.reply_to(inner(&["context", "id"]))
}

#[cfg(test)]
mod tests;
