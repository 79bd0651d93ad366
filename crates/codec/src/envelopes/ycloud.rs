//! YCloud: `{id, type, apiVersion, createTime, …}` around one message, account or number. Messages
//! are the Cloud API's with names of their own for ids, parties and times; a message alone is
//! taken too, where it has a mark of which way it went.
//!
//! Sender: the digits of the business's number. A message that was sent is a message row beside
//! its status, of which the earliest counts; the event's own id is of one delivery only and means
//! nothing.
//!
//! It cannot carry: standby and handovers. Templates, flows, calls, payments, contacts and
//! preferences are ignored, as is what is of another channel.

use turnwise_model::{Direction, Origin, Status};

use super::{Change, Delivery, Message, Price, category, code, number, person, pricing_model};
use super::{pricing_type, time_at_first};
use crate::body::body;
use crate::json::Value;
use crate::meant::{self, Id};
use crate::peer::Peer;
use crate::reason::{Reason, ignored, ignored_name};
use crate::record::{Record, Scope};
use crate::rows::AccountFacts;
use crate::webhook::account::event_name;

/// Decodes one event, or one message alone.
pub(super) fn decode(record: &mut Record<'_>, value: Value<'_>) {
    let named = meant::word(value.get("type")).or_else(|| meant::word(value.get("eventType")));
    let kind = named.unwrap_or_default();
    let origin = match kind.as_str() {
        "whatsapp.smb.message.echoes" | "whatsapp.smb.message.created" => Origin::App,
        "whatsapp.smb.history" => Origin::History,
        _ => Origin::Live,
    };
    let object = |key: &str| value.get(key).filter(|inner| inner.is_object());
    let (received, sent) = (object("whatsappInboundMessage"), object("whatsappMessage"));
    if let Some(message) = received {
        inbound(record, value, message, origin);
    }
    if let Some(message) = sent {
        outbound(record, value, message, origin);
    }
    if received.is_some() || sent.is_some() {
        return;
    }
    if is_message(value) {
        return alone(record, value);
    }
    if let Some(account) = object("whatsappBusinessAccount") {
        return of_account(record, value, account, &kind);
    }
    if let Some(of_number) = object("whatsappPhoneNumber") {
        return about_number(record, value, of_number, &kind);
    }
    other(record, value, &kind);
}

/// Whether an object is a message without an event around it.
pub(crate) fn is_message(value: Value<'_>) -> bool {
    let has = |key: &str| value.get(key).is_some();
    has("wabaId") && (has("from") || has("fromUserId")) && has("to")
}

/// Only what was sent has a status and a time of creation, and only a person has a user id; the
/// person's profile may be in either. Without a mark either number may be the person's.
fn alone(record: &mut Record<'_>, value: Value<'_>) {
    let has = |key: &str| value.get(key).is_some();
    let sent = has("status") || has("createTime");
    if has("fromUserId") || has("customerProfile") && !sent {
        inbound(record, value, value, Origin::Live);
    } else if sent {
        outbound(record, value, value, Origin::Live);
    } else {
        let found = Some(value.kind());
        let fail = record.fail(Reason::NoDirection, "", "a mark of who wrote it", found);
        record.dead(Some(&scope(value, None)), fail, value.raw().len());
    }
}

fn scope<'a>(message: Value<'a>, sender: Option<Value<'a>>) -> Scope<'a> {
    Scope { waba_id: meant::id(message.get("wabaId")), sender: number(sender) }
}

fn id(message: Value<'_>) -> Id<'_> {
    meant::id(message.get("wamid")).or_else(|| meant::id(message.get("id")))
}

fn inbound<'a>(record: &mut Record<'_>, event: Value<'a>, message: Value<'a>, origin: Origin) {
    let get = |key: &str| message.get(key);
    super::message(record, &scope(message, get("to")), event, |record| {
        Ok(Message {
            id: id(message),
            time: time_at_first(
                record,
                &[("sendTime", get("sendTime")), ("createTime", event.get("createTime"))],
            )?,
            peer: person(get("from")).user(get("fromUserId")),
            direction: Direction::Inbound,
            origin,
            in_group: get("groupId").is_some(),
            has_referral: get("referral").is_some_and(Value::is_object),
            body: body(message),
            change: get("system").map(change),
        })
    });
}

/// What a system message tells of another number or user id.
fn change(system: Value<'_>) -> Change<'_> {
    let now = Peer::default()
        .phone_or_user(system.get("new_wa_id"))
        .phone_or_user(system.get("wa_id"))
        .user(system.get("user_id"));
    let before =
        Peer::default().phone_or_user(system.get("customer")).user(system.get("previous_user_id"));
    Change { event: meant::word(system.get("type")), now, before }
}

fn outbound<'a>(record: &mut Record<'_>, event: Value<'a>, message: Value<'a>, origin: Origin) {
    let get = |key: &str| message.get(key);
    let scope = scope(message, get("from"));
    let peer = || {
        person(get("to"))
            .user(get("toUserId"))
            .user(get("recipientUserId"))
            .recipient(get("recipient"))
    };
    let name = meant::word(get("status"));
    let status = name.as_deref().map(|name| Status::from_name(name).unwrap_or(Status::Other));
    let created = [
        ("createTime", get("createTime")),
        ("sendTime", get("sendTime")),
        ("createTime", event.get("createTime")),
    ];
    // Other origins have no status row that would tell of it.
    if status != Some(Status::Failed) || origin != Origin::Live {
        super::message(record, &scope, event, |record| {
            let mut places = created;
            if origin != Origin::Live {
                places.swap(0, 1);
            }
            Ok(Message {
                id: id(message),
                time: time_at_first(record, &places)?,
                peer: peer(),
                direction: Direction::Outbound,
                origin,
                in_group: get("groupId").is_some(),
                has_referral: false,
                body: body(message),
                change: None,
            })
        });
    }
    let Some(status) = status.filter(|_| origin == Origin::Live) else { return };
    super::status(record, &scope, event, |record| {
        let own = match status {
            Status::Sent => "sendTime",
            Status::Delivered => "deliverTime",
            Status::Read => "readTime",
            _ => "updateTime",
        };
        let places = [
            (own, get(own)),
            ("updateTime", get("updateTime")),
            ("createTime", event.get("createTime")),
            ("createTime", get("createTime")),
        ];
        Ok(Delivery {
            id: id(message),
            time: time_at_first(record, &places)?,
            peer: peer(),
            origin: Origin::Live,
            in_group: false,
            status,
            price: Price {
                category: category(get("pricingCategory")),
                conversation: category(message.at(&["conversation", "originType"]))
                    .or_else(|| category(message.at(&["conversation", "origin", "type"]))),
                kind: pricing_type(get("pricingType")),
                model: pricing_model(get("pricingModel")),
            },
            error_code: code(message.at(&["whatsappApiError", "code"]))
                .or_else(|| code(get("errorCode"))),
        })
    });
}

fn of_account(record: &mut Record<'_>, event: Value<'_>, account: Value<'_>, kind: &str) {
    let scope = Scope { waba_id: meant::id(account.get("id")), sender: Id::None };
    let name = match kind {
        "whatsapp.business_account.updated" => {
            let named = account.get("updateEvent").and_then(Value::string);
            named.map_or("other", |name| event_name(&name))
        }
        "whatsapp.business_account.deleted" => event_name("account_deleted"),
        _ => {
            let name = ignored_name("account_review_update");
            return record.ignored(Some(&scope), name, event.raw().len());
        }
    };
    let facts = AccountFacts { field: "account_update", event: name, ..AccountFacts::default() };
    super::account(record, &scope, event, event.get("createTime"), &Peer::default(), facts);
}

fn about_number(record: &mut Record<'_>, event: Value<'_>, of_number: Value<'_>, kind: &str) {
    let scope = scope(of_number, of_number.get("phoneNumber"));
    let named = |key| of_number.get(key).and_then(Value::string);
    let (field, name) = match kind {
        "whatsapp.phone_number.quality_updated" => {
            match (named("qualityUpdateEvent"), named("updateEvent")) {
                (None, Some(name)) => ("account_update", event_name(&name)),
                (name, _) => {
                    let name = name.map_or("other", |name| event_name(&name));
                    ("phone_number_quality_update", name)
                }
            }
        }
        "whatsapp.phone_number.name_updated" => {
            let name = ignored_name("phone_number_name_update");
            return record.ignored(Some(&scope), name, event.raw().len());
        }
        _ => return record.ignored(Some(&scope), ignored::OTHER, event.raw().len()),
    };
    let facts = AccountFacts { field, event: name, ..AccountFacts::default() };
    super::account(record, &scope, event, event.get("createTime"), &Peer::default(), facts);
}

/// Events that hold no evidence, by the names that the webhook fields have for them.
fn other(record: &mut Record<'_>, value: Value<'_>, kind: &str) {
    let bytes = value.raw().len();
    let Some(rest) = kind.strip_prefix("whatsapp.") else {
        return match kind.split('.').next() {
            Some("sms" | "email" | "voice" | "messenger" | "instagram") => {
                record.ignored(None, ignored::OTHER_CHANNEL, bytes);
            }
            Some("contact") => record.ignored(None, ignored_name("contact"), bytes),
            _ if value.get("apiVersion").is_some() => record.ignored(None, ignored::OTHER, bytes),
            _ => super::unknown(record, &super::nobody(), value, "an event of YCloud"),
        };
    };
    let name = match rest {
        "template.reviewed" => "message_template_status_update",
        "template.quality_updated" => "message_template_quality_update",
        "template.category_updated" => "template_category_update",
        "flow.status_change" => "flows",
        "payment.updated" => "payment",
        "smb.app.state.sync" => "smb_app_state_sync",
        "user.preferences" => "user_preferences",
        rest if rest.starts_with("call.") => "calls",
        _ => ignored::OTHER,
    };
    record.ignored(None, ignored_name(name), bytes);
}

#[cfg(test)]
mod tests;
