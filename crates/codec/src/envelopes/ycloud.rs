//! YCloud: `{id, type, apiVersion, createTime, …}` around one message, account or number. Messages
//! are the Cloud API's with names of their own for ids, parties and times; a message alone is
//! taken too, where it has a mark of which way it went.
//!
//! Sender: the digits of the business's number. A message that was sent is a message row beside
//! its status, of which the earliest counts; the event's own id is of one delivery only and means
//! nothing. What the platform's own agent writes comes as echoes: they are on standby. Handovers
//! from that agent name the number by its `phone_number_id` alone, which then is a sender of its
//! own.
//!
//! It cannot carry: what people write while that agent holds the thread, as messages on standby,
//! and the roles of a handover. Groups, templates, flows, calls, payments, contacts and preferences
//! are ignored, as is what is of another channel; messages in groups and their statuses are not.

use turnwise_model::{Direction, Origin, Status};

use super::{Change, Delivery, Message, Price, category, code, number, person};
use super::{pricing_model, pricing_type, time_at_first};
use crate::body::body;
use crate::json::Value;
use crate::meant::{self, Id, Time};
use crate::payload::Around;
use crate::peer::{Peer, is_group_id};
use crate::reason::{Reason, ignored, ignored_name};
use crate::record::{Record, Scope};
use crate::rows::AccountFacts;
use crate::webhook::account::event_name;

/// How far an echo got; it has no body.
const ECHO_UPDATED: &str = "whatsapp.echo_message.updated";
/// How the id of a group begins.
const GROUP: &str = "Y2FwaV9ncm91cDp";

/// Decodes one event, or one message alone.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let named = meant::word(value.get("type")).or_else(|| meant::word(value.get("eventType")));
    let kind = named.unwrap_or_default();
    let origin = match kind.as_str() {
        "whatsapp.smb.message.echoes" | "whatsapp.smb.message.created" => Origin::App,
        "whatsapp.echo_message.created" | ECHO_UPDATED => Origin::Standby,
        "whatsapp.smb.history" => Origin::History,
        _ => Origin::Live,
    };
    let object = |key: &str| value.get(key).filter(|inner| inner.is_object());
    let (received, sent) = (object("whatsappInboundMessage"), object("whatsappMessage"));
    if let Some(message) = received {
        inbound(record, value, message, origin);
    }
    if let Some(message) = sent {
        if kind == ECHO_UPDATED {
            status(record, value, message, origin);
        } else {
            outbound(record, value, message, origin);
        }
    }
    if received.is_some() || sent.is_some() {
        return;
    }
    if let Some(message) = object("whatsappGroupMessage") {
        return status(record, value, message, origin);
    }
    if is_message(value) {
        return alone(record, value);
    }
    let time = |own: Option<Value<'_>>| around.time_or(own.or_else(|| value.get("createTime")));
    if let Some(agent) = object("whatsappMetaBusinessAgent") {
        return of_agent(record, time(agent.get("timestamp")), value, agent, &kind);
    }
    if let Some(account) = object("whatsappBusinessAccount") {
        return of_account(record, time(None), value, account, &kind);
    }
    if let Some(of_number) = object("whatsappPhoneNumber") {
        return about_number(record, time(None), value, of_number, &kind);
    }
    other(record, value, &kind);
}

/// Whether an object is a message without an event around it.
pub(crate) fn is_message(value: Value<'_>) -> bool {
    let has = |key: &str| value.get(key).is_some();
    has("wabaId") && (has("from") || has("fromUserId")) && has("to")
}

/// Only a status in a group has a scope, only what was sent has a time of creation and a status
/// that a send may have, and only a person has a user id; the person's profile may be in any.
/// Without a mark either number may be the person's.
fn alone(record: &mut Record<'_>, value: Value<'_>) {
    let has = |key: &str| value.get(key).is_some();
    let status_of_send = meant::word(value.get("status"))
        .is_some_and(|name| ["accepted", "sent", "delivered", "read", "failed"].contains(&&*name));
    let sent = has("createTime") || status_of_send;
    if has("statusScope") {
        status(record, value, value, Origin::Live);
    } else if has("fromUserId") || has("customerProfile") && !sent {
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
    whose(message, number(sender))
}

/// Whose a message or handover is: an account with a number that stands in it is none, unless that
/// is the sender's own.
fn whose<'a>(message: Value<'a>, sender: Id<'a>) -> Scope<'a> {
    Scope { waba_id: meant::id(message.get("wabaId")), sender }.without_account_in(message)
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
            has_referral: meant::has_keys(get("referral")),
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

fn scope_of_sent<'a>(message: Value<'a>) -> Scope<'a> {
    let Scope { waba_id, sender } = scope(message, message.get("from"));
    Scope { waba_id, sender: sender.or_else(|| meant::id(message.get("phoneNumberId"))) }
}

/// Whether it was sent to a group.
fn to_group(message: Value<'_>) -> bool {
    let begins = |to: &str| to.starts_with(GROUP) || is_group_id(to);
    message.get("groupId").is_some()
        || meant::word(message.get("recipientType")).as_deref() == Some("group")
        || meant::id(message.get("to")).some().is_some_and(|to| begins(&to))
}

/// Whom it was sent to. A group is no peer; of its members only the status of one names one.
fn recipient(message: Value<'_>) -> Peer<'_> {
    let get = |key: &str| message.get(key);
    let to = if to_group(message) {
        if meant::word(get("statusScope")).as_deref() != Some("member") {
            return Peer::default();
        }
        let group = meant::id(get("groupId"));
        get("to").filter(|to| {
            let to = meant::id(Some(*to));
            to != group && !to.some().is_some_and(|to| to.starts_with(GROUP))
        })
    } else {
        get("to")
    };
    person(to)
        .user(get("toUserId"))
        .user(get("recipientUserId"))
        .recipient(get("recipient").filter(|_| !to_group(message)))
}

/// What was sent, as a message row and a status.
fn outbound<'a>(record: &mut Record<'_>, event: Value<'a>, message: Value<'a>, origin: Origin) {
    let get = |key: &str| message.get(key);
    let told = meant::word(get("status"));
    // Other origins have no status row that would tell of it.
    if told.as_deref() != Some("failed") || !told_by_status(origin) {
        super::message(record, &scope_of_sent(message), event, |record| {
            let mut places = [
                ("createTime", get("createTime")),
                ("sendTime", get("sendTime")),
                ("createTime", event.get("createTime")),
            ];
            if origin != Origin::Live {
                places.swap(0, 1);
            }
            Ok(Message {
                id: id(message),
                time: time_at_first(record, &places)?,
                peer: recipient(message),
                direction: Direction::Outbound,
                origin,
                in_group: to_group(message),
                has_referral: false,
                body: body(message),
                change: None,
            })
        });
    }
    if told.is_some() && told_by_status(origin) {
        status(record, event, message, origin);
    }
}

/// Whether statuses of messages of this origin are rows.
fn told_by_status(origin: Origin) -> bool {
    matches!(origin, Origin::Live | Origin::Standby)
}

/// The status of what was sent.
fn status<'a>(record: &mut Record<'_>, event: Value<'a>, message: Value<'a>, origin: Origin) {
    let get = |key: &str| message.get(key);
    super::status(record, &scope_of_sent(message), event, |record| {
        let Some(name) = meant::word(get("status")) else {
            let found = message.get_or_null("status").map(Value::kind);
            return Err(record.fail(Reason::WrongType, "status", "string", found));
        };
        let status = Status::from_name(&name).unwrap_or(Status::Other);
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
            peer: recipient(message),
            origin,
            in_group: to_group(message),
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

/// The platform's own agent handed a thread over.
fn of_agent(record: &mut Record<'_>, time: Time, event: Value<'_>, agent: Value<'_>, kind: &str) {
    let sender = meant::id(agent.get("phoneNumberId"));
    let scope = whose(agent, sender);
    if kind != "whatsapp.meta_business_agent.handover.updated" {
        return record.ignored(Some(&scope), ignored::OTHER, event.raw().len());
    }
    let state = meant::word(agent.get("controlState"));
    let named = state.as_deref().and_then(|state| state.strip_prefix("app_"));
    let facts = AccountFacts {
        field: "messaging_handovers",
        event: named.filter(|name| name.starts_with("control_")).map_or("other", event_name),
        ..AccountFacts::default()
    };
    let peer = person(agent.get("consumerPhoneNumber"));
    super::account(record, &scope, event, time, &peer, facts);
}

fn of_account(
    record: &mut Record<'_>,
    time: Time,
    event: Value<'_>,
    account: Value<'_>,
    kind: &str,
) {
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
    super::account(record, &scope, event, time, &Peer::default(), facts);
}

fn about_number(
    record: &mut Record<'_>,
    time: Time,
    event: Value<'_>,
    of_number: Value<'_>,
    kind: &str,
) {
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
        "whatsapp.phone_number.business_username_updated" => {
            let name = ignored_name("business_username_updates");
            return record.ignored(Some(&scope), name, event.raw().len());
        }
        _ => return record.ignored(Some(&scope), ignored::OTHER, event.raw().len()),
    };
    let facts = AccountFacts { field, event: name, ..AccountFacts::default() };
    super::account(record, &scope, event, time, &Peer::default(), facts);
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
        "group.lifecycle_update" => "group_lifecycle_update",
        "group.participants_update" => "group_participants_update",
        "group.settings_update" => "group_settings_update",
        "group.status_update" => "group_status_update",
        rest if rest.starts_with("call.") => "calls",
        _ => ignored::OTHER,
    };
    record.ignored(None, ignored_name(name), bytes);
}

#[cfg(test)]
mod tests;
