//! Turn: `{contacts, messages, statuses}` of the Cloud API with Turn's marks in `_vnd`, or one
//! message of that kind alone.
//!
//! Sender: `phone_number_id`, where metadata names it. Turn's own events do not; what it sent names
//! the business's number in `from`, whose digits then stand for the sender. What was received and
//! statuses name none: those are dead letters, so a gateway should add `metadata`.
//!
//! It carries what those three lists of the Cloud API do, and what was sent through Turn where
//! `_vnd` calls a message outbound, or the business's number that is shown wrote it. It cannot
//! carry: the business account, echoes of the phone app, history, standby and account events.

use turnwise_model::{Direction, Origin};

use super::number;
use crate::elements;
use crate::json::Value;
use crate::meant::{self, Id};
use crate::payload::Around;
use crate::peer::{Peer, same_phone};
use crate::reason::Reason;
use crate::record::{Record, Scope};
use crate::webhook::contacts::{Company, Contacts};
use crate::webhook::{self, Foreign, few};

/// Decodes one delivery.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    if value.get("entry").is_some() {
        return webhook::decode(record, around, value);
    }
    let display = meant::id(value.at(&["metadata", "display_phone_number"])).some();
    let sender = meant::id(value.at(&["metadata", "phone_number_id"]))
        .or_else(|| meant::id(value.get("phone_number_id")))
        .unless_number(|number| display.is_some() && webhook::is_persons(value, number));
    let scope = Scope { waba_id: meant::id(value.get("waba_id")), sender };
    let scope = scope.without_account_in(value);
    let contacts = Contacts::read(value.get("contacts"));
    let [messages, statuses] = ["messages", "statuses"].map(|key| few(value, key));
    let foreign = |own: usize| Foreign {
        scope: scope.clone(),
        contacts: contacts.clone(),
        peer: Peer::default(),
        display: display.clone(),
        company: Company::of(own, messages + statuses),
        is_of_group: false,
    };
    if value.get("messages").is_none() && value.get("statuses").is_none() {
        let foreign = foreign(1);
        let is_status = value.get("status").is_some() && value.get("type").is_none();
        return match value.get("_vnd") {
            Some(_) if is_status => foreign.status(record, value),
            Some(_) => message(record, &foreign, value),
            None => super::unknown(record, &scope, value, "messages or statuses"),
        };
    }
    let of_messages = foreign(messages);
    each(record, &scope, value, "messages", |record, one| message(record, &of_messages, one));
    let of_statuses = foreign(statuses);
    each(record, &scope, value, "statuses", |record, status| of_statuses.status(record, status));
}

fn message<'a>(record: &mut Record<'_>, foreign: &Foreign<'a>, value: Value<'a>) {
    let mark = meant::word(value.at(&["_vnd", "v1", "direction"]));
    if mark.as_deref() != Some("outbound") {
        return foreign.message(record, Direction::Inbound, Origin::Live, value);
    }
    let Scope { waba_id, sender } = foreign.scope.clone();
    let scope = Scope { waba_id, sender: sender.or_else(|| business(value)) };
    let foreign = Foreign {
        scope,
        contacts: foreign.contacts.clone(),
        peer: foreign.peer.clone(),
        display: foreign.display.clone(),
        company: foreign.company,
        is_of_group: foreign.is_of_group,
    };
    foreign.message(record, Direction::Outbound, Origin::Live, value);
}

/// The number that Turn sent a message from, unless it is the person's whose chat it is in.
fn business(sent: Value<'_>) -> Id<'_> {
    let from = number(sent.get("from"));
    let of_person = |place| match (&from, number(place)) {
        (Id::Some(from), Id::Some(person)) => same_phone(from, &person),
        _ => false,
    };
    let owner = sent.at(&["_vnd", "v1", "chat", "owner"]);
    if sent.get("to").is_none() || of_person(owner) || of_person(sent.get("to")) {
        return Id::None;
    }
    from
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
    elements::each(record, list, |record, element| {
        if element.is_object() {
            then(record, element);
        } else {
            let fail = record.fail(Reason::WrongType, "", "object", Some(element.kind()));
            record.dead(Some(scope), fail, element.raw().len());
        }
    });
    record.path.pop();
}

#[cfg(test)]
mod tests;
