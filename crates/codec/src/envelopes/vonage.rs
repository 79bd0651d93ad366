//! Vonage's Messages API, version 1: one object for each message received and each status of a
//! message sent. Version 0.1, with its objects for `from`, `to` and `message`, is read too.
//!
//! Sender: the digits of `to` in what is received, of `from` in a status. A message's
//! `message_uuid` takes the wamid's place. Requests and logs of sends look like what is received,
//! so that is told by a time and by what only Vonage writes of it. What has a status and a message
//! as well tells two directions, unless it calls itself outbound: that and all else is of nobody.
//!
//! It cannot carry: the business account of most messages, whether audio is a voice note, whether a
//! reply was a button's or a row's (one with a description is taken for a row's), texts of a
//! business, echoes of the phone app, history, standby and account events. What is of another
//! channel is ignored.

use turnwise_model::{Direction, InteractiveType, MessageKind, Origin, Status};

use super::{Delivery, Message, Price, category, code, is_code, is_whatsapp, number};
use super::{person, pricing_model, pricing_type, time_at_first, twilio};
use crate::body::Body;
use crate::json::Value;
use crate::meant;
use crate::peer::Peer;
use crate::reason::ignored;
use crate::record::{Record, Scope};

/// Decodes one message or status.
pub(super) fn decode<'a>(record: &mut Record<'_>, value: Value<'a>) {
    let party = |key: &str| {
        let party = value.get(key)?;
        if party.is_object() {
            party.get("number").or_else(|| party.get("id"))
        } else {
            Some(party)
        }
    };
    let channel = |key: &str| value.at(&[key, "type"]);
    let of_whatsapp = is_whatsapp(value.get("channel"))
        && is_whatsapp(channel("from"))
        && is_whatsapp(channel("to"));
    let has = |key: &str| value.get(key).is_some();
    let is_one = ["status", "message_type", "message"].into_iter().any(has);
    if is_one && !of_whatsapp {
        return record.ignored(None, ignored::OTHER_CHANNEL, value.raw().len());
    }
    let is_told = if has("status") { !is_of_message(value) } else { is_received(value) };
    if !is_told {
        return super::unknown(record, &super::nobody(), value, "a message or status of Vonage");
    }
    let waba_id = meant::id(value.at(&["whatsapp", "waba_id"]));
    let scope = |sender| Scope { waba_id: waba_id.clone(), sender }.without_account_in(value);
    let (from, to) = (party("from"), party("to"));
    let id = meant::id(value.get("message_uuid"));
    let user = |key: &str| value.at(&["whatsapp", key]).or_else(|| value.at(&["profile", key]));
    if !has("status") {
        return super::message(record, &scope(number(to)), value, |record| {
            Ok(Message {
                id,
                time: time_at_first(record, &[("timestamp", value.get("timestamp"))])?,
                peer: person(from).user(user("user_id")).user(user("bsuid")),
                direction: Direction::Inbound,
                origin: Origin::Live,
                in_group: false,
                has_referral: meant::has_keys(value.at(&["whatsapp", "referral"]))
                    || meant::has_keys(value.get("referral")),
                body: body(value),
                change: None,
            })
        });
    }
    super::status(record, &scope(number(from)), value, |record| {
        let priced = |key| value.at(&["whatsapp", "pricing", key]);
        let recipient = |key| value.at(&["whatsapp", "recipient", key]);
        Ok(Delivery {
            id,
            time: time_at_first(record, &[("timestamp", value.get("timestamp"))])?,
            // `to` is as the business wrote it: perhaps a parent's user id.
            peer: Peer::default()
                .user(recipient("user_id"))
                .phone_or_user(recipient("wa_id"))
                .or(person(to))
                .user(user("user_id"))
                .user(user("bsuid")),
            origin: Origin::Live,
            in_group: false,
            status: match meant::word(value.get("status")).as_deref() {
                Some("submitted") => Status::Sent,
                Some("delivered") => Status::Delivered,
                Some("read") => Status::Read,
                Some("rejected" | "undeliverable" | "failed") => Status::Failed,
                _ => Status::Other,
            },
            price: Price {
                category: category(priced("category")),
                conversation: category(value.at(&["whatsapp", "conversation", "origin", "type"])),
                kind: pricing_type(priced("type")),
                model: pricing_model(priced("pricing_model")),
            },
            error_code: error_code(value),
        })
    });
}

/// Whether a message without a status was received: it says when, and its writer's profile, what
/// became of its context or, in version 0.1, the direction.
fn is_received(value: Value<'_>) -> bool {
    let has = |key: &str| value.get(key).is_some();
    let direction = meant::word(value.get("direction"));
    (has("message_type") || has("message"))
        && has("timestamp")
        && match direction.as_deref() {
            Some(direction) => direction == "inbound",
            None => has("profile") || has("context_status"),
        }
}

/// Whether something has what no status has: a message, or that it was received. What it says of
/// its direction wins.
fn is_of_message(value: Value<'_>) -> bool {
    match meant::word(value.get("direction")).as_deref() {
        Some("inbound") => true,
        Some("outbound") => false,
        _ => {
            // Some write empty ones for what is not there.
            let holds = |key: &str| {
                let held = value.get(key);
                twilio::has_text(held) || meant::has_keys(held)
            };
            ["message_type", "message", "text"].into_iter().any(holds)
                || meant::word(value.get("status")).as_deref() == Some("received")
        }
    }
}

/// The number in an error's title, else behind the `#` of its type. Some errors are in another.
fn error_code(value: Value<'_>) -> Option<i64> {
    let outer = value.get("error")?;
    let error = outer.get("error").filter(|inner| inner.is_object()).unwrap_or(outer);
    let of_type = || {
        let kind = error.get("type").and_then(Value::string)?;
        let (_, digits) = kind.rsplit_once('#')?;
        digits.parse::<u32>().ok().map(i64::from).filter(|code| is_code(*code))
    };
    code(error.get("title")).or_else(|| code(error.get("code"))).or_else(of_type)
}

fn body(value: Value<'_>) -> Body<'_> {
    let old = value.at(&["message", "content"]);
    let (name, holder) = match old {
        Some(content) => (content.get("type"), content),
        None => (value.get("message_type"), value),
    };
    let name = meant::word(name).unwrap_or_default();
    let inner = holder.get(&name);
    let caption = inner.and_then(|inner| inner.get("caption"));
    let body = match name.as_str() {
        "text" => Body::new(MessageKind::Text).text(inner),
        "file" => Body::new(MessageKind::Document).text(caption),
        "vcard" | "contact" => Body::new(MessageKind::Contacts),
        "reply" => {
            let of_row = inner.is_some_and(|inner| inner.get("description").is_some());
            let kind =
                if of_row { InteractiveType::ListReply } else { InteractiveType::ButtonReply };
            Body::interactive(kind).text(inner.and_then(|inner| inner.get("title")))
        }
        "button" => Body::new(MessageKind::Button).text(inner.and_then(|inner| inner.get("text"))),
        name => match MessageKind::from_name(name).unwrap_or(MessageKind::Unknown) {
            kind if twilio::is_media(kind) => Body::new(kind).text(caption),
            MessageKind::Interactive => Body::interactive(InteractiveType::Other),
            kind => Body::new(kind),
        },
    };
    body.reply_to(value.at(&["context", "message_uuid"]))
        .reply_to(value.at(&["context", "message_id"]))
}

#[cfg(test)]
mod tests;
