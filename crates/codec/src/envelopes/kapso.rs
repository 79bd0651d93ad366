//! Kapso: one message of the Cloud API in `message`, with Kapso's marks in `message.kapso`, at the
//! root or in `data`, or a batch of such in `data`. In version 1 the message is Kapso's own. What
//! Kapso forwards unchanged is a webhook of the Cloud API.
//!
//! Sender: `phone_number_id`, here or in the conversation. The message's `direction` and `origin`
//! are Kapso's marks; all statuses so far come with it, and repeats of them count once. A send that
//! failed is its statuses alone.
//!
//! It cannot carry: the business account, standby, handovers, and of account events all but another
//! user id of a person; in version 1 also replies, types of interactive messages, texts but those
//! of text messages, times of statuses (that of the last change stands for it), and who wrote in a
//! group. Events about preferences, conversations, workflows (a handoff among them, which names no
//! number) and the project are ignored.

use turnwise_model::{Direction, MessageKind, Origin, Status};

use super::{Delivery, Message, Price, time_at_first};
use crate::body::{Body, body_named};
use crate::elements;
use crate::json::{Kind, Value};
use crate::meant::{self, Id};
use crate::numbers::mean_one;
use crate::payload::Around;
use crate::peer::{Peer, says_group};
use crate::reason::{Reason, ignored_name};
use crate::record::{Record, Scope};
use crate::rows::AccountFacts;
use crate::webhook::Foreign;
use crate::webhook::contacts::{Company, Contacts};

/// Lists of the Cloud API, which are in none of Kapso's events.
pub(crate) const LISTS: [&str; 3] = ["messages", "statuses", "message_echoes"];

/// Decodes one event or batch.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let data = value.get("data").filter(|data| matches!(data.kind(), Kind::Array | Kind::Object));
    let Some(batch) = data else { return one(record, around, value) };
    record.path.key("data");
    elements::each(record, batch, |record, element| one(record, around, element));
    record.path.pop();
}

fn one(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let places: [&[&str]; 3] = [
        &["phone_number_id"],
        &["conversation", "phone_number_id"],
        &["whatsapp_config", "phone_number_id"],
    ];
    let sender = places
        .into_iter()
        .fold(Id::None, |found, path| found.or_else(|| meant::id(value.at(path))));
    // Some write the chat there.
    let person = meant::id(value.at(&["conversation", "phone_number"])).some();
    let is_persons = |number: &str| person.as_deref().is_some_and(|one| mean_one(one, number));
    let sender = sender.unless_number(is_persons);
    let scope = Scope { waba_id: Id::None, sender };
    let Some(message) = value.get("message").filter(|message| message.is_object()) else {
        return of_no_message(record, around, &scope, value);
    };
    let origin = match meant::word(mark(message, "origin")).as_deref() {
        Some("business_app") => Origin::App,
        Some("history_sync") => Origin::History,
        _ => Origin::Live,
    };
    let person = |key| value.at(&["conversation", key]);
    let peer = Peer::default()
        .phone_or_user(person("phone_number"))
        .user(person("business_scoped_user_id"));
    let in_group = is_of_group(message)
        || value.get("conversation").is_some_and(|it| says_group(it, &["phone_number"]));
    record.path.key("message");
    let of = (scope.clone(), peer, in_group);
    match meant::word(mark(message, "direction")).as_deref() {
        Some("inbound") => directed(record, of, (Direction::Inbound, origin), message),
        Some("outbound") => directed(record, of, (Direction::Outbound, origin), message),
        _ => {
            let fail = record.fail(Reason::NoDirection, "direction", "inbound or outbound", None);
            record.dead(Some(&scope), fail, message.raw().len());
        }
    }
    record.path.pop();
}

/// Events about people, conversations, workflows and the project.
fn of_no_message(
    record: &mut Record<'_>,
    around: &Around<'_>,
    scope: &Scope<'_>,
    value: Value<'_>,
) {
    let object = |key: &str| value.get(key).filter(|value| value.is_object());
    if let (Some(contact), Some(previous)) = (object("contact"), object("previous")) {
        return identity(record, around, scope, value, [contact, previous]);
    }
    let keys = ["conversation", "event", "phone_number_id", "whatsapp_config"];
    let event = meant::word(value.get("event")).unwrap_or_default();
    let has = |key: &str| value.get(key).is_some();
    // What holds messages is no event about something else.
    let is_event = keys.into_iter().any(has) && !LISTS.into_iter().any(has);
    let name = match is_event {
        _ if object("marketing_preference").is_some() => "user_preferences",
        true if event.starts_with("workflow.") => "workflow",
        true => "conversation",
        false => return super::unknown(record, scope, value, "an event of Kapso"),
    };
    record.ignored(Some(scope), ignored_name(name), value.raw().len());
}

fn of_contact(contact: Value<'_>) -> Peer<'_> {
    Peer::default().phone_or_user(contact.get("wa_id")).user(contact.get("business_scoped_user_id"))
}

/// A person has another user id.
fn identity(
    record: &mut Record<'_>,
    around: &Around<'_>,
    scope: &Scope<'_>,
    event: Value<'_>,
    [contact, previous]: [Value<'_>; 2],
) {
    let facts = AccountFacts {
        field: "user_id_update",
        event: "user_changed_user_id",
        ..AccountFacts::default()
    };
    let people = [&of_contact(contact), &of_contact(previous)];
    let time = around.time_or(contact.get("updated_at"));
    super::renamed(record, scope, event, time, people, facts);
}

/// A mark of Kapso's, which version 1 writes among the message's own keys.
fn mark<'a>(message: Value<'a>, key: &str) -> Option<Value<'a>> {
    message.at(&["kapso", key]).or_else(|| message.get(key))
}

/// A message and its statuses.
fn directed<'a>(
    record: &mut Record<'_>,
    (scope, peer, in_group): (Scope<'a>, Peer<'a>, bool),
    (direction, origin): (Direction, Origin),
    message: Value<'a>,
) {
    let is_failure =
        |status: Value<'_>| meant::word(status.get("status")).as_deref() == Some("failed");
    let statuses = || mark(message, "statuses").into_iter().flat_map(Value::items);
    let last = meant::word(mark(message, "status")).filter(|_| direction == Direction::Outbound);
    // Other origins have no status that would tell of it.
    let failed = origin == Origin::Live && last.as_deref() == Some("failed");
    let first = message.get("kapso").is_none() && message.get("message_type").is_some();
    let own = message.get("phone_number").filter(|_| first);
    // A group is nobody, and what was sent to it is of none of its people alone.
    let peer = match direction {
        Direction::Outbound if in_group => Peer::default(),
        _ => Peer::default().phone_or_user(own).or(peer),
    };
    let contacts = Contacts::default();
    let foreign = Foreign {
        scope,
        contacts,
        peer,
        display: None,
        company: Company::Alone,
        is_of_group: in_group,
    };
    if !failed && first {
        of_first_version(record, &foreign, (direction, origin, in_group), message);
    } else if !failed {
        foreign.message(record, direction, origin, message);
    }
    for status in statuses() {
        foreign.status(record, status);
    }
    let last = last.as_deref().and_then(Status::from_name).filter(|_| origin == Origin::Live);
    let untold =
        if failed { !statuses().any(is_failure) } else { first && statuses().next().is_none() };
    if let Some(status) = last.filter(|_| untold) {
        super::status(record, &foreign.scope, message, |record| {
            Ok(Delivery {
                id: id(message),
                time: time_at_first(
                    record,
                    &[
                        ("updated_at", message.get("updated_at")),
                        ("timestamp", message.get("timestamp")),
                        ("created_at", message.get("created_at")),
                    ],
                )?,
                peer: if in_group {
                    Peer::default()
                } else {
                    Peer::default().phone_or_user(message.get("to")).or(foreign.peer.clone())
                },
                origin,
                in_group,
                status,
                price: Price::default(),
                error_code: mark(message, "errors")
                    .and_then(|errors| errors.items().find_map(meant::error_code)),
            })
        });
    }
}

/// Whether a message is of a group.
fn is_of_group(message: Value<'_>) -> bool {
    says_group(message, &["to", "phone_number"]) || meant::id(message.get("group_id")) != Id::None
}

fn id(message: Value<'_>) -> Id<'_> {
    meant::id(message.get("whatsapp_message_id")).or_else(|| meant::id(message.get("id")))
}

/// A message of version 1, whose text is its `content`. That of other kinds is a description.
fn of_first_version<'a>(
    record: &mut Record<'_>,
    foreign: &Foreign<'a>,
    (direction, origin, in_group): (Direction, Origin, bool),
    message: Value<'a>,
) {
    super::message(record, &foreign.scope, message, |record| {
        let name = meant::word(message.get("message_type")).unwrap_or_default();
        let body = body_named(&name, message);
        let body = match body.kind {
            MessageKind::Text => Body::new(MessageKind::Text).text(message.get("content")),
            _ => Body { voice: body.voice.filter(|voice| *voice), ..body },
        };
        Ok(Message {
            id: id(message),
            time: time_at_first(
                record,
                &[
                    ("timestamp", message.get("timestamp")),
                    ("created_at", message.get("created_at")),
                ],
            )?,
            peer: foreign.peer.clone(),
            direction,
            origin,
            in_group,
            has_referral: meant::has_keys(message.get("referral")),
            body,
            change: None,
        })
    });
}

#[cfg(test)]
mod tests;
