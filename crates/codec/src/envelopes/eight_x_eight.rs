//! 8x8's messaging apps: `{namespace, eventType, payload}`.
//!
//! Sender: the subaccount, since statuses name neither number nor channel; so all numbers of a
//! subaccount are one sender. A message's `umid` takes the wamid's place. A receipt that holds
//! what was sent, as that of the queue does from version 9 on, is a message row beside its status,
//! of which the earliest counts.
//!
//! It cannot carry: the business account of messages, of prices more than the category, whether
//! audio is a voice note, history and standby. What is of another channel is ignored, as are
//! changes of templates. Some events hold the platform's own value in `rawEvent`, which is read as
//! that of the webhook field they are named after: its sender is the `phone_number_id`, and the
//! event's account and time are those of what names none.

use turnwise_model::{Direction, InteractiveType, MessageKind, Origin, Status};

use super::{Delivery, Message, Price, category, code, is_whatsapp, person, time_at_first, twilio};
use crate::body::{Body, body_named};
use crate::json::Value;
use crate::meant::{self, Id};
use crate::payload::Around;
use crate::peer::Peer;
use crate::reason::{ignored, ignored_name};
use crate::record::{Record, Scope};
use crate::rows::AccountFacts;
use crate::webhook::account::event_name;
use crate::webhook::{self, Outer};

/// Decodes one event.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let kind = meant::word(value.get("eventType")).unwrap_or_default();
    let Some(payload) = value.get("payload").filter(|payload| payload.is_object()) else {
        return of_account(record, around, value, &kind);
    };
    let channel = |path: &[&str]| payload.at(path);
    let sms = meant::word(value.get("namespace")).as_deref() == Some("sms");
    if sms
        || !is_whatsapp(channel(&["recipient", "channel"]))
        || !is_whatsapp(channel(&["channel"]))
    {
        return record.ignored(None, ignored::OTHER_CHANNEL, value.raw().len());
    }
    let sender = meant::id(payload.get("subAccountId"))
        .or_else(|| meant::id(channel(&["recipient", "channelId"])));
    let scope = Scope { waba_id: Id::None, sender };
    match kind.as_str() {
        "inbound_message_received" => {
            message(record, &scope, value, payload, Direction::Inbound, Origin::Live);
        }
        "external_app_message" => {
            message(record, &scope, value, payload, Direction::Outbound, Origin::App);
        }
        "outbound_message_status_changed" => status(record, &scope, value, payload),
        // Words like these are others' as well.
        _ if value.get("namespace").is_none() => {
            super::unknown(record, &scope, value, "an event of 8x8");
        }
        _ => record.ignored(Some(&scope), ignored::OTHER, value.raw().len()),
    }
}

fn peer<'a>(payload: Value<'a>) -> Peer<'a> {
    person(payload.at(&["user", "msisdn"])).phone_or_user(payload.at(&["user", "channelUserId"]))
}

fn message<'a>(
    record: &mut Record<'_>,
    scope: &Scope<'a>,
    event: Value<'a>,
    payload: Value<'a>,
    direction: Direction,
    origin: Origin,
) {
    super::message(record, scope, event, |record| {
        Ok(Message {
            id: meant::id(payload.get("umid")),
            time: time_at_first(record, &[("payload.timestamp", payload.get("timestamp"))])?,
            peer: peer(payload),
            direction,
            origin,
            in_group: false,
            has_referral: meant::has_keys(payload.at(&["content", "referral"]))
                || meant::has_keys(payload.get("referral")),
            body: body(payload.get("type"), payload.get("content"))
                .reply_to(payload.get("replyToUmid")),
            change: None,
        })
    });
}

fn body<'a>(kind: Option<Value<'a>>, content: Option<Value<'a>>) -> Body<'a> {
    let text = content.and_then(|content| content.get("text"));
    let name = meant::word(kind).unwrap_or_default();
    match name.as_str() {
        "interactive" | "button" => match content {
            Some(content) if content.get(&name).is_some() => tapped(&name, content),
            Some(_) if name == "button" => Body::new(MessageKind::Button).text(text),
            _ => Body::interactive(InteractiveType::Other),
        },
        "file" => Body::new(MessageKind::Document).text(text),
        "contact" => Body::new(MessageKind::Contacts),
        name => match MessageKind::from_name(name).unwrap_or(MessageKind::Unknown) {
            kind if kind == MessageKind::Text || twilio::is_media(kind) => {
                Body::new(kind).text(text)
            }
            kind => Body::new(kind),
        },
    }
}

/// Replies as some versions write them; others have the platform's names.
const REPLIES: [(&str, InteractiveType); 4] = [
    ("buttonReply", InteractiveType::ButtonReply),
    ("listReply", InteractiveType::ListReply),
    ("nfmReply", InteractiveType::NfmReply),
    ("callPermissionReply", InteractiveType::CallPermissionReply),
];

fn tapped<'a>(name: &str, content: Value<'a>) -> Body<'a> {
    let kind = meant::word(content.at(&["interactive", "type"])).unwrap_or_default();
    match REPLIES.iter().find(|(key, _)| key.eq_ignore_ascii_case(&kind)) {
        Some((key, kind)) => {
            Body::interactive(*kind).text(content.at(&["interactive", key, "title"]))
        }
        None => body_named(name, content),
    }
}

fn status<'a>(record: &mut Record<'_>, scope: &Scope<'a>, event: Value<'a>, payload: Value<'a>) {
    let told = |key| payload.at(&["status", key]);
    let id = || meant::id(payload.get("umid"));
    let time = [("payload.status.timestamp", told("timestamp"))];
    let status = twilio::status(&meant::word(told("state")).unwrap_or_default());
    let sent = payload.get("outboundContent").filter(|sent| sent.is_object());
    if let Some(sent) = sent.filter(|_| status != Status::Failed) {
        super::message(record, scope, event, |record| {
            Ok(Message {
                id: id(),
                time: time_at_first(record, &time)?,
                peer: peer(payload),
                direction: Direction::Outbound,
                origin: Origin::Live,
                in_group: false,
                has_referral: false,
                body: body(sent.get("contentType"), sent.get("body")),
                change: None,
            })
        });
    }
    super::status(record, scope, event, |record| {
        let of_platform = |key| payload.at(&["whatsapp", key]);
        Ok(Delivery {
            id: id(),
            time: time_at_first(record, &time)?,
            peer: peer(payload),
            origin: Origin::Live,
            in_group: false,
            status,
            price: Price { category: category(of_platform("pricingCategory")), ..Price::default() },
            error_code: code(of_platform("providerErrorCode")).or_else(|| code(told("errorCode"))),
        })
    });
}

/// A value of the platform's, or more of its webhook.
fn of_platform<'a>(record: &mut Record<'_>, outer: Outer<'_, 'a>, raw: Value<'a>, kind: &str) {
    record.path.key("eventDetails");
    record.path.key("rawEvent");
    if ["entry", "changes", "value"].iter().any(|key| raw.get(key).is_some()) {
        webhook::decode_of(record, outer, raw);
    } else {
        webhook::named(record, outer, Some(kind), raw);
    }
    record.path.pop();
    record.path.pop();
}

/// Events with `eventDetails`: about numbers, templates and people.
fn of_account(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>, kind: &str) {
    let scope = Scope { waba_id: meant::id(value.get("businessAccountId")), sender: Id::None };
    let scope = scope.without_account_in(value);
    let Some(details) = value.get("eventDetails") else {
        return super::unknown(record, &scope, value, "an event of 8x8");
    };
    // Of these the platform's names are others.
    let kind = match kind {
        "template_status_update" => "message_template_status_update",
        "template_quality_update" => "message_template_quality_update",
        other => other,
    };
    let time = around.time_or(value.get("timestamp"));
    if let Some(raw) = details.get("rawEvent").filter(|raw| raw.is_object()) {
        let outer = Outer { waba_id: scope.waba_id, entry_time: time, sender: &Id::None };
        return of_platform(record, outer, raw, kind);
    }
    match kind {
        "phone_number_quality_update" => {
            let event = value.at(&["eventDetails", "meta", "event"]).and_then(Value::string);
            let facts = AccountFacts {
                field: "phone_number_quality_update",
                event: event.map_or("other", |name| event_name(&name)),
                ..AccountFacts::default()
            };
            super::account(record, &scope, value, time, &Peer::default(), facts);
        }
        name => record.ignored(Some(&scope), ignored_name(name), value.raw().len()),
    }
}

#[cfg(test)]
mod tests;
