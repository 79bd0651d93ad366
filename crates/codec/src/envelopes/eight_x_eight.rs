//! 8x8's messaging apps: `{namespace, eventType, payload}`.
//!
//! Sender: the subaccount, since statuses name neither number nor channel; so all numbers of a
//! subaccount are one sender. A message's `umid` takes the wamid's place.
//!
//! It cannot carry: the business account of messages, user ids, prices, whether audio is a voice
//! note, texts of a business, echoes of the phone app, history and standby. What is of another
//! channel is ignored, as are changes of templates.

use turnwise_model::{Direction, InteractiveType, MessageKind, Origin};

use super::{Delivery, Message, Price, code, is_whatsapp, person, time_at_first, twilio};
use crate::body::{Body, body_named};
use crate::json::Value;
use crate::meant::{self, Id};
use crate::peer::Peer;
use crate::reason::{ignored, ignored_name};
use crate::record::{Record, Scope};
use crate::rows::AccountFacts;
use crate::webhook::account::event_name;

/// Decodes one event.
pub(super) fn decode(record: &mut Record<'_>, value: Value<'_>) {
    let kind = meant::word(value.get("eventType")).unwrap_or_default();
    let Some(payload) = value.get("payload").filter(|payload| payload.is_object()) else {
        return of_account(record, value, &kind);
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
        "inbound_message_received" => received(record, &scope, value, payload),
        "outbound_message_status_changed" => status(record, &scope, value, payload),
        _ => record.ignored(Some(&scope), ignored::OTHER, value.raw().len()),
    }
}

fn peer<'a>(payload: Value<'a>) -> Peer<'a> {
    person(payload.at(&["user", "msisdn"])).phone_or_user(payload.at(&["user", "channelUserId"]))
}

fn received<'a>(record: &mut Record<'_>, scope: &Scope<'a>, event: Value<'a>, payload: Value<'a>) {
    super::message(record, scope, event, |record| {
        Ok(Message {
            id: meant::id(payload.get("umid")),
            time: time_at_first(record, &[("payload.timestamp", payload.get("timestamp"))])?,
            peer: peer(payload),
            direction: Direction::Inbound,
            origin: Origin::Live,
            in_group: false,
            has_referral: payload.at(&["content", "referral"]).is_some()
                || payload.get("referral").is_some(),
            body: body(payload),
            change: None,
        })
    });
}

fn body(payload: Value<'_>) -> Body<'_> {
    let content = |key: &str| payload.get("content").and_then(|content| content.get(key));
    let name = meant::word(payload.get("type")).unwrap_or_default();
    let body = match name.as_str() {
        "interactive" | "button" => match payload.get("content") {
            Some(content) if content.get(&name).is_some() => body_named(&name, content),
            Some(content) if name == "button" => {
                Body::new(MessageKind::Button).text(content.get("text"))
            }
            _ => Body::interactive(InteractiveType::Other),
        },
        "file" => Body::new(MessageKind::Document).text(content("text")),
        "contact" => Body::new(MessageKind::Contacts),
        name => match MessageKind::from_name(name).unwrap_or(MessageKind::Unknown) {
            MessageKind::Text => Body::new(MessageKind::Text).text(content("text")),
            kind if twilio::is_media(kind) => Body::new(kind).text(content("text")),
            kind => Body::new(kind),
        },
    };
    body.reply_to(payload.get("replyToUmid"))
}

fn status<'a>(record: &mut Record<'_>, scope: &Scope<'a>, event: Value<'a>, payload: Value<'a>) {
    super::status(record, scope, event, |record| {
        let told = |key| payload.at(&["status", key]);
        Ok(Delivery {
            id: meant::id(payload.get("umid")),
            time: time_at_first(record, &[("payload.status.timestamp", told("timestamp"))])?,
            peer: peer(payload),
            status: twilio::status(&meant::word(told("state")).unwrap_or_default()),
            price: Price::default(),
            error_code: code(told("errorCode")),
        })
    });
}

/// Events with `eventDetails`: about numbers and templates.
fn of_account(record: &mut Record<'_>, value: Value<'_>, kind: &str) {
    let scope = Scope { waba_id: meant::id(value.get("businessAccountId")), sender: Id::None };
    if value.get("eventDetails").is_none() {
        return super::unknown(record, &scope, value, "an event of 8x8");
    }
    let name = match kind {
        "phone_number_quality_update" => {
            let event = value.at(&["eventDetails", "meta", "event"]).and_then(Value::string);
            let facts = AccountFacts {
                field: "phone_number_quality_update",
                event: event.map_or("other", |name| event_name(&name)),
                ..AccountFacts::default()
            };
            let time = value.get("timestamp");
            return super::account(record, &scope, value, time, &Peer::default(), facts);
        }
        "template_status_update" => "message_template_status_update",
        "template_quality_update" => "message_template_quality_update",
        other => other,
    };
    record.ignored(Some(&scope), ignored_name(name), value.raw().len());
}

#[cfg(test)]
mod tests;
