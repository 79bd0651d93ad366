//! Bird's channels: `{service, event, payload}` for messages received, messages sent with their
//! status, and interactions, or one of the messages alone; and the events `whatsapp.…` with `data`
//! that came after them.
//!
//! Sender: `channelId`, which every event of channels has; in the newer events the digits of the
//! business's number. A message's id is Bird's own, since interactions name no other.
//!
//! It cannot carry: the business account, prices, whether audio is a voice note, whether a tapped
//! reply was a button's or a row's, echoes of the phone app, history, standby and account events.
//! All files come alike: their media type tells what they are. An event for a message that was
//! sent is a message row beside its status, of which the earliest counts. Interactions other than
//! `read` are ignored, as are events about conversations, about who may be written to, and what is
//! of another channel.

use turnwise_model::{Direction, InteractiveType, MessageKind, Origin, Status};

use super::{Delivery, Message, Price, code, kind_of_media, number, person, time_at_first};
use crate::body::Body;
use crate::json::Value;
use crate::meant::{self, Id};
use crate::peer::Peer;
use crate::reason::{Reason, ignored, ignored_name};
use crate::record::{Record, Scope};

/// Decodes one event.
pub(super) fn decode(record: &mut Record<'_>, value: Value<'_>) {
    let payload = value.get("payload").or_else(|| value.get("message"));
    let kind = meant::word(value.get("event")).unwrap_or_default();
    let holds = |key: &str| value.get(key).is_some();
    match (payload.filter(|payload| payload.is_object()), kind.split_once('.')) {
        (_, Some(("conversation", _))) => {
            record.ignored(None, ignored_name("conversation"), value.raw().len());
        }
        (Some(payload), Some(("whatsapp", kind))) => channel(record, value, payload, kind),
        (_, Some((_, "inbound" | "outbound" | "interaction"))) => {
            record.ignored(None, ignored::OTHER_CHANNEL, value.raw().len());
        }
        (_, Some(_)) if holds("service") || holds("payload") => {
            record.ignored(None, ignored::OTHER, value.raw().len());
        }
        (_, Some(_)) => super::unknown(record, &super::nobody(), value, "an event of Bird"),
        _ if is_message(value) => alone(record, value),
        _ => newer(record, value),
    }
}

/// Whether an object is a message of a channel of WhatsApp without the event around it.
pub(crate) fn is_message(value: Value<'_>) -> bool {
    let is_wamid = |part: Value<'_>| {
        let reference = part.get("platformReference").and_then(Value::string);
        reference.is_some_and(|reference| reference.starts_with("wamid."))
    };
    value.get("channelId").is_some()
        && value.get("parts").is_some_and(|parts| parts.items().any(is_wamid))
}

fn alone(record: &mut Record<'_>, message: Value<'_>) {
    let scope = scope(message);
    match meant::word(message.get("direction")).as_deref() {
        Some("incoming") => inbound(record, &scope, message, message),
        Some("outgoing") => outbound(record, &scope, message, message),
        _ => {
            let fail = record.fail(Reason::NoDirection, "direction", "incoming or outgoing", None);
            record.dead(Some(&scope), fail, message.raw().len());
        }
    }
}

fn scope(payload: Value<'_>) -> Scope<'_> {
    let connector =
        payload.at(&["receiver", "connector"]).or_else(|| payload.at(&["sender", "connector"]));
    let sender = meant::id(payload.get("channelId"))
        .or_else(|| number(connector.and_then(|it| it.get("identifierValue"))))
        .or_else(|| meant::id(connector.and_then(|it| it.get("id"))));
    Scope { waba_id: Id::None, sender }
}

fn channel<'a>(record: &mut Record<'_>, event: Value<'a>, payload: Value<'a>, kind: &str) {
    let scope = scope(payload);
    match kind {
        "inbound" => inbound(record, &scope, event, payload),
        "outbound" => outbound(record, &scope, event, payload),
        "interaction" if meant::word(payload.get("type")).as_deref() == Some("read") => {
            super::status(record, &scope, event, |record| {
                Ok(Delivery {
                    id: meant::id(payload.get("messageId")),
                    time: time_at_first(record, &times(payload, ["createdAt", "updatedAt"]))?,
                    peer: contact(payload.at(&["receiver", "contact"])),
                    origin: Origin::Live,
                    in_group: false,
                    status: Status::Read,
                    price: Price::default(),
                    error_code: None,
                })
            });
        }
        "interaction" => {
            record.ignored(Some(&scope), ignored_name("interaction"), event.raw().len());
        }
        _ => record.ignored(Some(&scope), ignored::OTHER, event.raw().len()),
    }
}

fn times<'a, const N: usize>(
    payload: Value<'a>,
    keys: [&'static str; N],
) -> [(&'static str, Option<Value<'a>>); N] {
    keys.map(|key| (key, payload.get(key)))
}

/// A person by number, user id, or the list of both.
fn contact<'a>(contact: Option<Value<'a>>) -> Peer<'a> {
    let Some(contact) = contact else { return Peer::default() };
    let named = |peer: Peer<'a>, one: Value<'a>| {
        let value = one.get("identifierValue");
        match meant::word(one.get("identifierKey")).as_deref() {
            Some("phonenumber") | None => peer.phone_or_user(value),
            Some("whatsappbsuid") => peer.user(value),
            // The user id in one portfolio of the business, whose id follows.
            Some(key) if key.starts_with("whatsapp_") => peer.user(value),
            Some(_) => peer,
        }
    };
    let others = contact.get("identifiers").into_iter().flat_map(Value::items);
    others.fold(named(Peer::default(), contact), named)
}

fn id(payload: Value<'_>) -> Id<'_> {
    let part = payload.get("parts").and_then(|parts| parts.items().next());
    meant::id(payload.get("id"))
        .or_else(|| meant::id(part.and_then(|part| part.get("platformReference"))))
}

fn inbound<'a>(record: &mut Record<'_>, scope: &Scope<'a>, event: Value<'a>, payload: Value<'a>) {
    let extra = |key| payload.at(&["meta", "extraInformation", key]);
    super::message(record, scope, event, |record| {
        Ok(Message {
            id: id(payload),
            time: time_at_first(
                record,
                &[("timestamp", extra("timestamp")), ("createdAt", payload.get("createdAt"))],
            )?,
            peer: contact(payload.at(&["sender", "contact"])).user(extra("whatsappbsuid")),
            direction: Direction::Inbound,
            origin: Origin::Live,
            in_group: false,
            has_referral: meant::has_keys(extra("referral"))
                || meant::has_keys(payload.get("referral")),
            body: body(payload, Direction::Inbound),
            change: None,
        })
    });
}

fn outbound<'a>(record: &mut Record<'_>, scope: &Scope<'a>, event: Value<'a>, payload: Value<'a>) {
    let receiver = payload
        .at(&["receiver", "contacts"])
        .and_then(|contacts| contacts.items().next())
        .or_else(|| payload.at(&["receiver", "contact"]));
    let name = meant::word(payload.get("status"));
    let status = match name.as_deref().unwrap_or_default() {
        "sent" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        "sending_failed" | "delivery_failed" | "failed" | "rejected" | "skipped" => Status::Failed,
        _ => Status::Other,
    };
    if status != Status::Failed {
        super::message(record, scope, event, |record| {
            Ok(Message {
                id: id(payload),
                time: time_at_first(record, &times(payload, ["createdAt"]))?,
                peer: contact(receiver),
                direction: Direction::Outbound,
                origin: Origin::Live,
                in_group: false,
                has_referral: false,
                body: body(payload, Direction::Outbound),
                change: None,
            })
        });
    }
    if name.is_none() {
        return;
    }
    super::status(record, scope, event, |record| {
        let failure = |path: &[&str]| code(payload.get("failure").and_then(|it| it.at(path)));
        Ok(Delivery {
            id: id(payload),
            time: time_at_first(
                record,
                &times(payload, ["lastStatusAt", "updatedAt", "createdAt"]),
            )?,
            peer: contact(receiver),
            origin: Origin::Live,
            in_group: false,
            status,
            price: Price::default(),
            error_code: failure(&["source", "code"]).or_else(|| failure(&["code"])),
        })
    });
}

fn body(payload: Value<'_>, direction: Direction) -> Body<'_> {
    let Some(body) = payload.get("body").filter(|body| body.is_object()) else {
        let is_template = payload.get("template").is_some();
        return Body::new(if is_template { MessageKind::Template } else { MessageKind::Unknown });
    };
    let name = meant::word(body.get("type")).unwrap_or_default();
    let inner = body.get(&name);
    let text = inner.and_then(|inner| inner.get("text"));
    let actions = inner.and_then(|inner| inner.get("actions"));
    let taps = actions.is_some_and(|actions| actions.items().next().is_some());
    let file = |list: &str| {
        let file = inner?.get(list)?.items().next()?;
        kind_of_media(file.get("contentType"))
    };
    let read = match name.as_str() {
        "text" | "list" | "section" | "carousel" if direction == Direction::Inbound && taps => {
            Body::interactive(InteractiveType::ButtonReply).text(text)
        }
        "text" if taps => Body::interactive(InteractiveType::Button).text(text),
        "text" | "html" => Body::new(MessageKind::Text).text(text),
        "list" => Body::interactive(InteractiveType::List).text(text),
        "image" | "gif" => Body::new(file("images").unwrap_or(MessageKind::Image)).text(text),
        "file" => Body::new(file("files").unwrap_or(MessageKind::Document)).text(text),
        "carousel" | "section" => Body::interactive(InteractiveType::Other).text(text),
        "contact" => Body::new(MessageKind::Contacts),
        name => Body::new(MessageKind::from_name(name).unwrap_or(MessageKind::Unknown)),
    };
    read.reply_to(payload.at(&["replyTo", "id"]))
}

/// What newer events are of that are about no message: of WhatsApp itself, or of no one channel.
const OF_NO_CHANNEL: [&str; 2] = ["whatsapp_suppression", "preference"];

/// `{type: "whatsapp.received", timestamp, data}` and its like for what is sent.
fn newer<'a>(record: &mut Record<'_>, value: Value<'a>) {
    let kind = meant::word(value.get("type")).unwrap_or_default();
    let of = kind.split_once('.').map_or("whatsapp", |(of, _)| of);
    if of != "whatsapp" && value.get("data").is_some() {
        let of_none = OF_NO_CHANNEL.contains(&of);
        let name = if of_none { ignored::OTHER } else { ignored::OTHER_CHANNEL };
        return record.ignored(None, name, value.raw().len());
    }
    let (Some(kind), Some(data)) = (kind.strip_prefix("whatsapp."), value.get("data")) else {
        return super::unknown(record, &super::nobody(), value, "an event of Bird");
    };
    let party = |key| data.at(&[key, "phone_number"]).or_else(|| data.get(key));
    let person = |key| person(party(key)).user(data.at(&[key, "user_id"]));
    let scope = |sender: Id<'a>| Scope { waba_id: Id::None, sender };
    let time = [("timestamp", value.get("timestamp")), ("created_at", data.get("created_at"))];
    let id = || meant::id(data.get("whatsapp_id")).or_else(|| meant::id(data.get("id")));
    if kind == "received" {
        return super::message(record, &scope(number(party("to"))), value, |record| {
            Ok(Message {
                id: id(),
                time: time_at_first(record, &time)?,
                peer: person("from"),
                direction: Direction::Inbound,
                origin: Origin::Live,
                in_group: false,
                has_referral: meant::has_keys(data.get("referral")),
                body: newer_body(data),
                change: None,
            })
        });
    }
    let status = match kind {
        "sent" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        "failed" | "rejected" => Status::Failed,
        "accepted" => Status::Other,
        // Somebody else's events have names like these, around a webhook.
        _ if ["entry", "changes", "messages"].iter().any(|key| data.get(key).is_some()) => {
            return super::unknown(record, &super::nobody(), value, "an event of Bird");
        }
        _ => return record.ignored(None, ignored::OTHER, value.raw().len()),
    };
    super::status(record, &scope(number(party("from"))), value, |record| {
        Ok(Delivery {
            id: id(),
            time: time_at_first(record, &time)?,
            peer: person("to"),
            origin: Origin::Live,
            in_group: false,
            status,
            price: Price::default(),
            error_code: code(data.at(&["error", "code"])),
        })
    });
}

fn newer_body(data: Value<'_>) -> Body<'_> {
    let has = |key: &str| data.get(key).is_some();
    let body = if let Some(reply) = data.get("interactive_reply") {
        let of_row = reply.get("list").is_some();
        let kind = if of_row { InteractiveType::ListReply } else { InteractiveType::ButtonReply };
        let inner = reply.get("button").or_else(|| reply.get("list"));
        let text = |key| inner.and_then(|inner| inner.get(key));
        Body::interactive(kind).text(text("title").or_else(|| text("text")))
    } else if has("contact_cards") {
        Body::new(MessageKind::Contacts)
    } else {
        let name = [
            "text",
            "image",
            "video",
            "audio",
            "sticker",
            "document",
            "location",
            "reaction",
            "order",
            "unsupported",
        ]
        .into_iter()
        .find(|name| has(name))
        .unwrap_or_default();
        let text = data.at(&[name, "body"]).or_else(|| data.at(&[name, "caption"]));
        Body::new(MessageKind::from_name(name).unwrap_or(MessageKind::Unknown)).text(text)
    };
    body.reply_to(data.at(&["context", "id"]))
}

#[cfg(test)]
mod tests;
