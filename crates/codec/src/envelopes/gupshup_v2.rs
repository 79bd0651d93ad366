//! Gupshup's events of version 2: `{app, timestamp, version, type, payload}`; and the callbacks of
//! its enterprise gateway, `{waNumber, mobile, …}` for what is received, as a form or JSON, and
//! `{externalId, eventType, eventTs, …}` for what became of a send, as JSON or as the field
//! `response` of a form, also of one that somebody parsed: as a list, or as a text in the body of a
//! request; or in older words `{externalId, deliveredTS, status, phoneNo, …}`.
//!
//! Sender: the name of the app, which every event has; the business's number is in few. A name that
//! may be a user id ([`Id::of_sender`]) is nobody's, and a dead letter. Statuses go by `gsId`,
//! Gupshup's own id of the message, since its first status has no other. The gateway names no app:
//! its sender is the digits of `waNumber`, in reports of `srcAddr`, in older ones of `mask`, which
//! mostly is a name and no number: what is no number there is nobody's, and a dead letter.
//!
//! It cannot carry: the business account, whether audio is a voice note, texts of a business,
//! echoes of the phone app, history and standby; of the gateway also interactive types, prices, and
//! captions where what was received holds its media as a text. Masked numbers are no peers.
//! Billing, opt-in and template events are ignored.

use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Origin, Status};

use super::{Delivery, Message, Price, category, code, is_whatsapp, number, person};
use super::{pricing_model, pricing_type, time_at_first, twilio};
use crate::body::Body;
use crate::json::{Kind, Value};
use crate::meant::{self, Id};
use crate::payload::Around;
use crate::peer::Peer;
use crate::reason::{ignored, ignored_name};
use crate::record::{Record, Scope};
use crate::rows::AccountFacts;
use crate::webhook::account::event_name;

/// Events of messages that are about none.
const OF_NO_MESSAGE: [&str; 2] = ["mismatch", "referral"];

/// Decodes one event.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let sender = meant::id(value.get("app")).or_else(|| meant::id(value.get("phone")));
    let scope = Scope { waba_id: Id::None, sender };
    let kind = meant::word(value.get("type")).unwrap_or_default();
    let Some(payload) = value.get("payload").filter(|payload| payload.is_object()) else {
        if is_of_gateway(value) {
            return of_gateway(record, value);
        }
        return super::unknown(record, &scope, value, "an event of Gupshup");
    };
    match kind.as_str() {
        "message" => message(record, &scope, value, payload),
        "message-event" => status(record, &scope, value, payload),
        "account-event" => account(record, around, &scope, value, payload),
        other => {
            let name = ignored_name(&other.replace('-', "_"));
            record.ignored(Some(&scope), name, value.raw().len());
        }
    }
}

fn message<'a>(record: &mut Record<'_>, scope: &Scope<'a>, event: Value<'a>, payload: Value<'a>) {
    super::message(record, scope, event, |record| {
        let sender = |key| payload.at(&["sender", key]);
        Ok(Message {
            id: meant::id(payload.get("id")),
            time: time_at_first(
                record,
                &[
                    ("payload.timestamp", payload.get("timestamp")),
                    ("timestamp", event.get("timestamp")),
                ],
            )?,
            peer: person(payload.get("source"))
                .phone_or_user(sender("phone"))
                .user(sender("userId")),
            direction: Direction::Inbound,
            origin: Origin::Live,
            in_group: payload.get("groupId").is_some(),
            has_referral: meant::has_keys(payload.get("referral"))
                || meant::has_keys(payload.at(&["context", "referral"])),
            body: body(payload),
            change: None,
        })
    });
}

fn body(payload: Value<'_>) -> Body<'_> {
    let inner = payload.get("payload").filter(|inner| inner.is_object()).unwrap_or(payload);
    let text = |keys: &[&str]| keys.iter().find_map(|key| inner.get(key));
    let name = meant::word(payload.get("type")).unwrap_or_else(|| {
        let text = inner.get("text").filter(|text| text.kind() == Kind::String);
        text.map(|_| "text".to_owned()).unwrap_or_default()
    });
    let body = match name.as_str() {
        "text" => Body::new(MessageKind::Text).text(text(&["text"])),
        "file" => Body::new(MessageKind::Document).text(text(&["caption"])),
        "contact" => Body::new(MessageKind::Contacts),
        "quick_reply" => Body::new(MessageKind::Button).text(text(&["text", "title"])),
        "button_reply" => {
            Body::interactive(InteractiveType::ButtonReply).text(text(&["title", "reply"]))
        }
        "list_reply" => {
            Body::interactive(InteractiveType::ListReply).text(text(&["title", "reply"]))
        }
        "nfm_reply" | "flow_reply" => Body::interactive(InteractiveType::NfmReply),
        name => match MessageKind::from_name(name).unwrap_or(MessageKind::Unknown) {
            MessageKind::Button => Body::new(MessageKind::Button).text(text(&["text", "title"])),
            kind if twilio::is_media(kind) => Body::new(kind).text(text(&["caption"])),
            kind => Body::new(kind),
        },
    };
    body.reply_to(payload.at(&["context", "id"])).reply_to(payload.at(&["context", "gsId"]))
}

/// A part of an event, in its payload or in the payload of that.
fn part<'a>(payload: Value<'a>, path: &[&str]) -> Option<Value<'a>> {
    payload.at(path).or_else(|| payload.get("payload")?.at(path))
}

fn status<'a>(record: &mut Record<'_>, scope: &Scope<'a>, event: Value<'a>, payload: Value<'a>) {
    let none = ["gsId", "id"].into_iter().all(|key| payload.get(key).is_none());
    if none && meant::word(payload.get("type")).is_some_and(|name| OF_NO_MESSAGE.contains(&&*name))
    {
        return record.ignored(Some(scope), ignored::OTHER, event.raw().len());
    }
    super::status(record, scope, event, |record| {
        let id = meant::id(payload.get("gsId")).or_else(|| meant::id(payload.get("id")));
        let time = time_at_first(
            record,
            &[("payload.ts", part(payload, &["ts"])), ("timestamp", event.get("timestamp"))],
        )?;
        let name = meant::word(payload.get("type")).unwrap_or_default();
        let priced = |key| part(payload, &["pricing", key]);
        Ok(Delivery {
            id,
            time,
            peer: person(payload.get("destination")).user(payload.get("userId")),
            origin: Origin::Live,
            in_group: false,
            status: Status::from_name(&name).unwrap_or(Status::Other),
            price: Price {
                category: conversation(priced("category")),
                conversation: conversation(part(payload, &["conversation", "type"])),
                kind: pricing_type(priced("type")),
                model: pricing_model(priced("policy")),
            },
            error_code: code(part(payload, &["code"])),
        })
    });
}

/// A category, or how a conversation was opened when those were billed.
fn conversation(value: Option<Value<'_>>) -> Option<Category> {
    match meant::word(value).as_deref() {
        Some("uic") => Some(Category::UserInitiated),
        Some("bic") => Some(Category::BusinessInitiated),
        Some("fep") => Some(Category::ReferralConversion),
        _ => category(value),
    }
}

/// Whether an object is a callback of the enterprise gateway.
pub(crate) fn is_of_gateway(value: Value<'_>) -> bool {
    let has = |key: &str| value.get(key).is_some();
    has("waNumber") && has("mobile") || is_report(value)
}

/// Whether it tells what became of a send.
fn is_report(value: Value<'_>) -> bool {
    let has = |key: &str| value.get(key).is_some();
    has("externalId") && (has("eventTs") && has("destAddr") || has("deliveredTS") && has("phoneNo"))
}

/// The reports in a form of the gateway, a text of JSON.
pub(crate) fn reports(form: Value<'_>) -> Option<Value<'_>> {
    let text = form.get("response").filter(|text| text.kind() == Kind::String)?;
    text.raw().trim_start().starts_with(['[', '{']).then_some(text)
}

/// The same of a form that somebody parsed, whose list was read already. Others have a response,
/// too: so nothing else may stand beside it, and it must hold the keys of a report.
pub(crate) fn lone_reports(form: Value<'_>) -> Option<Value<'_>> {
    form.get("response").filter(|held| form.has_one_key() && held.items().any(is_report))
}

/// The same where the list is a text yet. People write texts: this is asked of nothing but the body
/// of a request, which is what was posted.
pub(crate) fn posted_reports(body: Value<'_>) -> Option<Value<'_>> {
    let held = reports(body).filter(|_| body.has_one_key())?;
    // Of a text as it was sent, so a key's quotes are escaped once; in what a report quotes, twice.
    let names = |key: &str| held.raw().contains(key);
    let are_reports =
        names(r#"\"externalId\""#) && (names(r#"\"eventTs\""#) || names(r#"\"deliveredTS\""#));
    are_reports.then_some(held)
}

fn of_gateway(record: &mut Record<'_>, value: Value<'_>) {
    let get = |key: &str| value.get(key);
    if !is_whatsapp(get("channel")) {
        return record.ignored(None, ignored::OTHER_CHANNEL, value.raw().len());
    }
    let scope = |business| Scope { waba_id: Id::None, sender: digits(number(business)) };
    if get("waNumber").is_some() {
        return super::message(record, &scope(get("waNumber")), value, |record| {
            let name = meant::word(get("type")).unwrap_or_default();
            let body = match MessageKind::from_name(&name).unwrap_or(MessageKind::Unknown) {
                MessageKind::Text => Body::new(MessageKind::Text).text(get("text")),
                MessageKind::Interactive => Body::interactive(InteractiveType::Other),
                _ if name == "voice" => Body { voice: Some(true), ..Body::new(MessageKind::Audio) },
                kind => Body::new(kind),
            };
            let caption = value.at(&[name.as_str(), "caption"]);
            let body = if twilio::is_media(body.kind) { body.text(caption) } else { body };
            Ok(Message {
                id: meant::id(get("messageId")),
                time: time_at_first(record, &[("timestamp", get("timestamp"))])?,
                peer: person(get("mobile")),
                direction: Direction::Inbound,
                origin: Origin::Live,
                in_group: false,
                has_referral: meant::has_keys(get("referral")),
                body,
                change: None,
            })
        });
    }
    let source = match get("srcAddr") {
        None if get("deliveredTS").is_some() => get("mask"),
        source => source,
    };
    super::status(record, &scope(source), value, |record| {
        let name = meant::word(get("eventType").or_else(|| get("status"))).unwrap_or_default();
        let status = match name.as_str() {
            "success" => Status::Delivered,
            "failure" => Status::Failed,
            name => Status::from_name(name).unwrap_or(Status::Other),
        };
        let times = ["eventTs", "deliveredTS"].map(|key| (key, get(key)));
        Ok(Delivery {
            id: meant::id(get("externalId")),
            time: time_at_first(record, &times)?,
            peer: person(get("destAddr").or_else(|| get("phoneNo"))),
            origin: Origin::Live,
            in_group: false,
            status,
            price: Price::default(),
            error_code: code(get("errorCode").or_else(|| get("errCode"))),
        })
    });
}

/// A number, if it is one.
fn digits(number: Id<'_>) -> Id<'_> {
    match number {
        Id::Some(text) if !text.bytes().all(|byte| byte.is_ascii_digit()) => Id::None,
        other => other,
    }
}

/// Violations, bans and tiers; what else is told of an account is ignored.
fn account(
    record: &mut Record<'_>,
    around: &Around<'_>,
    scope: &Scope<'_>,
    event: Value<'_>,
    payload: Value<'_>,
) {
    let named = ["event", "status", "newStatus"].into_iter().find_map(|key| {
        let text = part(payload, &[key])?.string()?;
        Some(event_name(&text))
    });
    let field = match meant::word(payload.get("type")).as_deref() {
        Some("status-event") => "account_update",
        Some("tier-event") => "phone_number_quality_update",
        _ => {
            return record.ignored(Some(scope), ignored_name("account_event"), event.raw().len());
        }
    };
    let facts = AccountFacts { field, event: named.unwrap_or("other"), ..AccountFacts::default() };
    let time = around.time_or(event.get("timestamp"));
    super::account(record, scope, event, time, &Peer::default(), facts);
}

#[cfg(test)]
mod tests;
