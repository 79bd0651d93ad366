//! Turn: `{contacts, messages, statuses}` of the Cloud API with Turn's marks in `_vnd`.
//!
//! Sender: `phone_number_id`, where metadata names it. Turn's own events name no business number:
//! those messages and statuses are dead letters, so a gateway should add `metadata`.
//!
//! It carries what those three lists of the Cloud API do, and what was sent through Turn where
//! `_vnd` calls a message outbound. It cannot carry: the business account, echoes of the phone
//! app, history, standby and account events.

use turnwise_model::{Direction, Origin};

use crate::json::{Kind, Value};
use crate::meant;
use crate::peer::Peer;
use crate::reason::Reason;
use crate::record::{Record, Scope};
use crate::webhook::contacts::Contacts;
use crate::webhook::{self, Foreign};

/// Decodes one delivery.
pub(super) fn decode(record: &mut Record<'_>, value: Value<'_>) {
    if value.get("entry").is_some() {
        return webhook::decode(record, value);
    }
    let sender = meant::id(value.at(&["metadata", "phone_number_id"]))
        .or_else(|| meant::id(value.get("phone_number_id")));
    let scope = Scope { waba_id: meant::id(value.get("waba_id")), sender };
    let contacts = Contacts::read(value.get("contacts"));
    let foreign = Foreign { scope: scope.clone(), contacts, peer: Peer::default() };
    if value.get("messages").is_none() && value.get("statuses").is_none() {
        return super::unknown(record, &scope, value, "messages or statuses");
    }
    each(record, &scope, value, "messages", |record, message| {
        let mark = meant::word(message.at(&["_vnd", "v1", "direction"]));
        let direction = match mark.as_deref() {
            Some("outbound") => Direction::Outbound,
            _ => Direction::Inbound,
        };
        foreign.message(record, direction, Origin::Live, message);
    });
    each(record, &scope, value, "statuses", |record, status| {
        foreign.status(record, status);
    });
}

fn each<'a>(
    record: &mut Record<'_>,
    scope: &Scope<'a>,
    value: Value<'a>,
    key: &'static str,
    mut then: impl FnMut(&mut Record<'_>, Value<'a>),
) {
    let Some(list) = value.get(key) else { return };
    record.path.key(key);
    let listed = list.kind() == Kind::Array;
    for (at, element) in list.items().enumerate() {
        if listed {
            record.path.index(at);
        }
        if element.is_object() {
            then(record, element);
        } else {
            let fail = record.fail(Reason::WrongType, "", "object", Some(element.kind()));
            record.dead(Some(scope), fail, element.raw().len());
        }
        if listed {
            record.path.pop();
        }
    }
    record.path.pop();
}

#[cfg(test)]
mod tests;
