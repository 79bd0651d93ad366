//! Infobip: received messages and reports in `results`, and events that stand alone.
//!
//! Sender: the digits of `to` in a received message (`destination` in the newer form), of `from` or
//! `sender` in a report. Received is what says when and by which channel; a report says how far a
//! message got, and may hold what was sent, too. Many reports name no sender: those are dead
//! letters. So are those that only say when a message was seen, unless they name a `sender`: whose
//! number stands in `from` and whose in `to` is told in two ways. A message that a person deleted
//! is a dead letter always: the one party that must be named is the person, in `to`. So is what was
//! written to a group, which `to` names: its id or address is no sender. Events that stand alone
//! name a number without saying whose, so they are rows without a sender.
//!
//! Others have lists of results as well: a result has Infobip's id beside what Infobip alone writes
//! there. All else in the list is a dead letter without a sender.
//!
//! It cannot carry: the business account, categories and models of prices, texts of a business,
//! echoes of the phone app, history and standby. `PENDING` is `sent` once the message is on its
//! way, else `other`. Payments and changes of templates are ignored, as is what is of another
//! channel; rows of SMS name none, but count its parts.

use turnwise_model::{Direction, InteractiveType, MessageKind, Origin, Status};

use super::{Delivery, Message, Price, code, is_whatsapp, number, person, time_at_first, twilio};
use crate::body::Body;
use crate::elements;
use crate::json::Value;
use crate::meant::{self, Id};
use crate::payload::Around;
use crate::peer::Peer;
use crate::reason::{Reason, ignored, ignored_name};
use crate::record::{Record, Scope};
use crate::rows::AccountFacts;

/// Decodes one delivery of results, or one event that stands alone.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let Some(results) = value.get("results") else {
        let is_bare = ["integrationType", "messageId"].iter().all(|key| value.get(key).is_some());
        return if is_bare { one(record, value) } else { alone(record, around, value) };
    };
    record.path.key("results");
    elements::each(record, results, one);
    record.path.pop();
}

/// Whether an object is a result: Infobip's id beside what Infobip alone writes there.
pub(crate) fn is_result(value: Value<'_>) -> bool {
    let has = |key: &str| value.get(key).is_some();
    let marks = ["integrationType", "channel", "event", "seenAt", "deletedAt"];
    has("messageId") && (marks.into_iter().any(has) || is_sms(value) || has_outcome(value))
}

fn one<'a>(record: &mut Record<'_>, value: Value<'a>) {
    let bytes = value.raw().len();
    let either = |one: &str, other: &str| value.get(one).or_else(|| value.get(other));
    if !value.is_object() {
        let fail = record.fail(Reason::WrongType, "", "object", Some(value.kind()));
        return record.dead(None, fail, bytes);
    }
    let named = [value.get("integrationType"), value.get("channel")];
    let is_named = named.iter().any(Option::is_some);
    if named.into_iter().any(|channel| !is_whatsapp(channel)) || !is_named && is_sms(value) {
        return record.ignored(None, ignored::OTHER_CHANNEL, bytes);
    }
    let unknown = |record: &mut Record<'_>| {
        super::unknown(record, &super::nobody(), value, "a message or report");
    };
    if !is_result(value) {
        return unknown(record);
    }
    let (from, to) = (either("from", "sender"), either("to", "destination"));
    let scope = |sender: Id<'a>| Scope { waba_id: Id::None, sender };
    let content = value.get("content").and_then(|content| content.items().next());
    let message = value.get("message").or(content).filter(|message| message.is_object());
    let any = |keys: &[&str]| keys.iter().any(|key| value.get(key).is_some());
    let is_received = is_named && any(&["receivedAt"]) && !any(&["status", "sentAt", "doneAt"]);
    if let Some(message) = message.filter(|_| is_received) {
        // A group is no sender.
        let to_group = meant::word(value.get("type")).as_deref() == Some("wa_group");
        let business = to.filter(|_| !to_group);
        return received(record, &scope(number(business)), value, message, from);
    }
    if any(&["deletedAt"]) {
        // Whichever of its parties the business is, nothing tells.
        let fail = record.fail(Reason::NoSender, "", "a phone_number_id above", None);
        return record.dead(None, fail, bytes);
    }
    let has_outcome = has_outcome(value);
    if !has_outcome && !any(&["seenAt"]) {
        return unknown(record);
    }
    // Who is who, where it was only seen, nothing but the newer form tells.
    let is_told = has_outcome || any(&["doneAt"]);
    let business = if is_told { from } else { value.get("sender") };
    super::status(record, &scope(number(business)), value, |record| {
        let places = ["seenAt", "doneAt", "sentAt"].map(|key| (key, value.get(key)));
        Ok(Delivery {
            id: meant::id(value.get("messageId")),
            time: time_at_first(record, &places)?,
            peer: person(to),
            origin: Origin::Live,
            in_group: false,
            status: status(value),
            price: Price::default(),
            error_code: code(value.at(&["error", "id"])),
        })
    });
}

/// Whether a row that names no channel is of SMS.
fn is_sms(value: Value<'_>) -> bool {
    ["smsCount", "mccMnc", "cleanText"].iter().any(|key| value.get(key).is_some())
}

/// Whether a row says how far a message got, in Infobip's words. Others have a status, too.
fn has_outcome(value: Value<'_>) -> bool {
    let names = |name| ["status", "error"].into_iter().any(|key| value.at(&[key, name]).is_some());
    names("groupName") || names("groupId")
}

fn status(value: Value<'_>) -> Status {
    if value.get("seenAt").is_some() {
        return Status::Read;
    }
    let word = |key| meant::word(value.at(&["status", key])).unwrap_or_default();
    match word("groupName").as_str() {
        "delivered" => Status::Delivered,
        "undeliverable" | "expired" | "rejected" => Status::Failed,
        "pending" if word("name") == "pending_enroute" => Status::Sent,
        _ => Status::Other,
    }
}

fn received<'a>(
    record: &mut Record<'_>,
    scope: &Scope<'a>,
    value: Value<'a>,
    message: Value<'a>,
    from: Option<Value<'a>>,
) {
    super::message(record, scope, value, |record| {
        Ok(Message {
            id: meant::id(value.get("messageId")),
            time: time_at_first(record, &[("receivedAt", value.get("receivedAt"))])?,
            peer: person(from)
                .user(value.at(&["contact", "userId"]))
                .phone_or_user(value.at(&["contact", "phoneNumber"])),
            direction: Direction::Inbound,
            origin: Origin::Live,
            in_group: message.get("group").is_some()
                || message.at(&["context", "groupId"]).is_some()
                || value.get("groupId").is_some(),
            has_referral: meant::has_keys(message.get("referral"))
                || meant::has_keys(value.get("referral")),
            body: body(message),
            change: None,
        })
    });
}

fn body(message: Value<'_>) -> Body<'_> {
    let name = meant::word(message.get("type")).unwrap_or_default();
    let text = |keys: &[&str]| keys.iter().find_map(|key| message.get(key));
    let body = match name.as_str() {
        "voice" => Body { voice: Some(true), ..Body::new(MessageKind::Audio) },
        "audio" => Body { voice: Some(false), ..Body::new(MessageKind::Audio) },
        "contact" => Body::new(MessageKind::Contacts),
        "button" => Body::new(MessageKind::Button).text(text(&["text"])),
        "interactive_button_reply" | "button_reply" => {
            Body::interactive(InteractiveType::ButtonReply).text(text(&["title", "text"]))
        }
        "interactive_list_reply" | "list_reply" => {
            Body::interactive(InteractiveType::ListReply).text(text(&["title", "text"]))
        }
        "interactive_flow_reply" | "interactive_address_reply" | "flow_response" => {
            Body::interactive(InteractiveType::NfmReply)
        }
        "payment_response" => Body::interactive(InteractiveType::Other),
        "file" => Body::new(MessageKind::Document).text(text(&["caption"])),
        "interactive_call_permission_reply" => {
            Body::interactive(InteractiveType::CallPermissionReply)
        }
        name if name.starts_with("interactive_") => Body::interactive(InteractiveType::Other),
        name => match MessageKind::from_name(name).unwrap_or(MessageKind::Unknown) {
            MessageKind::Text => Body::new(MessageKind::Text).text(text(&["text", "body"])),
            MessageKind::Interactive => Body::interactive(InteractiveType::Other),
            kind if twilio::is_media(kind) => Body::new(kind).text(text(&["caption"])),
            kind => Body::new(kind),
        },
    };
    body.reply_to(message.at(&["context", "id"]))
}

/// Whether an object is an event that stands alone. Many others have a content.
pub(crate) fn is_event(value: Value<'_>) -> bool {
    let kind = meant::word(value.at(&["content", "type"]));
    let is_known = kind.is_some_and(|kind| kind == PAYMENT || IDENTITIES.contains(&&*kind));
    is_known && value.get("createdAt").is_some()
        || value.get("messageTemplateId").is_some() && value.get("change").is_some()
}

/// What the events of changed identities are.
const IDENTITIES: [&str; 2] = ["user_identity_changed", "customer_identity_changed"];
/// What the events of payments are.
const PAYMENT: &str = "payment";

fn alone(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let bytes = value.raw().len();
    match meant::word(value.at(&["content", "type"])).as_deref() {
        Some(kind) if IDENTITIES.contains(&kind) => {
            let facts = AccountFacts {
                field: "messages",
                event: "customer_identity_changed",
                ..AccountFacts::default()
            };
            let time = around.time_or(value.get("createdAt"));
            super::account(record, &super::nobody(), value, time, &Peer::default(), facts);
        }
        Some(PAYMENT) => record.ignored(None, ignored_name(PAYMENT), bytes),
        _ if value.get("messageTemplateId").is_some() => {
            record.ignored(None, ignored_name("message_template_status_update"), bytes);
        }
        _ => super::unknown(record, &super::nobody(), value, "results"),
    }
}

#[cfg(test)]
mod tests;
