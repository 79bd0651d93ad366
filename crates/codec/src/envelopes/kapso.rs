//! Kapso: one message of the Cloud API in `message`, with Kapso's marks in `message.kapso`, or a
//! batch of such in `data`. What Kapso forwards unchanged is a webhook of the Cloud API.
//!
//! Sender: `phone_number_id`, here or in the conversation. The message's `direction` and `origin`
//! are Kapso's marks; all statuses so far come with it, and repeats of them count once.
//!
//! It cannot carry: the business account, standby, handovers and account events. Events about
//! conversations, workflows and the project are ignored.

use turnwise_model::{Direction, Origin};

use crate::json::{Kind, Value};
use crate::meant::{self, Id};
use crate::peer::Peer;
use crate::reason::{Reason, ignored_name};
use crate::record::{Record, Scope};
use crate::webhook::Foreign;
use crate::webhook::contacts::Contacts;

/// Decodes one event or batch.
pub(super) fn decode(record: &mut Record<'_>, value: Value<'_>) {
    let Some(batch) = value.get("data").filter(|data| data.kind() == Kind::Array) else {
        return one(record, value.get("data").unwrap_or(value));
    };
    record.path.key("data");
    for (at, element) in batch.items().enumerate() {
        record.path.index(at);
        one(record, element);
        record.path.pop();
    }
    record.path.pop();
}

fn one(record: &mut Record<'_>, value: Value<'_>) {
    let places: [&[&str]; 3] = [
        &["phone_number_id"],
        &["conversation", "phone_number_id"],
        &["whatsapp_config", "phone_number_id"],
    ];
    let sender = places
        .into_iter()
        .fold(Id::None, |found, path| found.or_else(|| meant::id(value.at(path))));
    let scope = Scope { waba_id: Id::None, sender };
    let Some(message) = value.get("message").filter(|message| message.is_object()) else {
        let known = value.get("conversation").is_some() || value.get("event").is_some();
        if known || value.get("phone_number_id").is_some() {
            let name = ignored_name("conversation");
            return record.ignored(Some(&scope), name, value.raw().len());
        }
        return super::unknown(record, &scope, value, "an event of Kapso");
    };
    let mark = |key| message.at(&["kapso", key]).or_else(|| message.get(key));
    let origin = match meant::word(mark("origin")).as_deref() {
        Some("business_app") => Origin::App,
        Some("history_sync") => Origin::History,
        _ => Origin::Live,
    };
    let person = |key| value.at(&["conversation", key]);
    let foreign = Foreign {
        scope: scope.clone(),
        contacts: Contacts::default(),
        peer: Peer::default()
            .phone_or_user(person("phone_number"))
            .user(person("business_scoped_user_id")),
    };
    record.path.key("message");
    match meant::word(mark("direction")).as_deref() {
        Some("inbound") => foreign.message(record, Direction::Inbound, origin, message),
        Some("outbound") => foreign.message(record, Direction::Outbound, origin, message),
        _ => {
            let fail = record.fail(Reason::NoDirection, "direction", "inbound or outbound", None);
            record.dead(Some(&scope), fail, message.raw().len());
        }
    }
    for status in mark("statuses").into_iter().flat_map(Value::items) {
        foreign.status(record, status);
    }
    record.path.pop();
}

#[cfg(test)]
mod tests;
