//! What surrounds the items of a value: whose they are, and which numbers are the business's own.
//!
//! Some gateways write the chat, and so the person, where the account or its number should be: such
//! ids are none. See [`crate::numbers`] for the account.

use std::borrow::Cow;

use super::contacts::{Contact, Contacts};
use super::{ONE_MESSAGE, Outer};
use crate::json::Value;
use crate::meant::{self, Id, Time};
use crate::numbers::{self, People, may_be_persons, mean_one};
use crate::peer::{is_number, normal_phone};
use crate::record::Scope;

/// See the module.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) scope: Scope<'a>,
    /// `entry.time`.
    pub(super) entry_time: Time,
    /// The webhook field, where the dictionary knows it.
    pub(super) field: &'static str,
    pub(super) contacts: Contacts<'a>,
    /// Numbers by which the business itself may be named in `from` and `to`: as it is shown, and
    /// what stands for its id.
    pub(super) business: [Option<Cow<'a, str>>; 2],
    /// Whether all that is in it is of a group.
    pub(super) is_of_group: bool,
}

impl<'a> Place<'a> {
    /// What surrounds the items of a value, or a message or status that stands alone.
    pub(super) fn of(outer: Outer<'_, 'a>, field: &'static str, value: Value<'a>) -> Self {
        let Outer { waba_id, entry_time, sender: otherwise } = outer;
        let sender = sender(value, otherwise);
        let business = [display(value), sender.clone().some()];
        let scope = Scope { waba_id, sender };
        let contacts = Contacts::read(value.get("contacts"));
        Self { scope, entry_time, field, contacts, business, is_of_group: false }
    }

    /// Whether a number is the business's own, digit by digit: many people have one that is alike.
    pub(super) fn is_own(&self, number: &str) -> bool {
        let number = normal_phone(number);
        is_number(&number) && self.business.iter().flatten().any(|own| normal_phone(own) == number)
    }

    /// Whether a contact may be the peer of what the business wrote: it is not the business.
    pub(super) fn may_be(&self, contact: &Contact<'_>) -> bool {
        !matches!(&contact.wa_id, Id::Some(number) if self.is_own(number))
    }

    /// Whether what the value calls messages are echoes.
    pub(super) fn has_echoes_alone(&self) -> bool {
        matches!(self.field, "smb_message_echoes" | "message_echoes")
    }

    /// Whether what the business's own number wrote was written to the only contact. So do gateways
    /// that have no other id than the number, which the platform never writes there.
    pub(super) fn is_chat_of_gateway(&self) -> bool {
        let [display, sender] = &self.business;
        let is_id = display.as_deref().is_some_and(|display| {
            let number = normal_phone(display);
            let id = sender.as_deref().map(normal_phone);
            is_number(&number) && id.is_some_and(|id| id == number)
        });
        is_id && self.contacts.only().is_some_and(|contact| self.may_be(contact))
    }
}

impl Outer<'_, '_> {
    /// The same without an account that one of these people has the number of.
    pub(super) fn without_account_of(self, people: &People<'_>) -> Self {
        let waba_id = self.waba_id.unless_dialled(|number| people.have(number));
        Self { waba_id, ..self }
    }
}

/// The number that a value is of, by its id.
fn sender<'a>(value: Value<'a>, otherwise: &Id<'a>) -> Id<'a> {
    let places: [&[&str]; 3] =
        [&["metadata", "phone_number_id"], &["phone_number_id"], &["recipient", "phone_number_id"]];
    let read = |place: &[&str]| match meant::id(value.at(place)).of_sender() {
        Id::Some(id) if is_persons(value, &id) => Id::None,
        id => id,
    };
    let id = places.into_iter().fold(Id::None, |found, place| found.or_else(|| read(place)));
    id.or_else(|| otherwise.clone())
}

/// The business's number as it is shown.
fn display(value: Value<'_>) -> Option<Cow<'_, str>> {
    meant::id(value.at(&["metadata", "display_phone_number"])).some()
}

/// Whether what stands for the number's id is that of a person, whom some write there: it stands
/// where people do, or somebody with that number wrote to nobody else than the business. In samples
/// all have the number that is shown; where none is, others than it may be the people.
pub(crate) fn is_persons(value: Value<'_>, id: &str) -> bool {
    let may_be = |number: &Cow<'_, str>| may_be_persons(number.len());
    let shown = display(value);
    let shown = shown.as_deref().and_then(|shown| numbers::spelled(shown).find(may_be));
    // It may be shown as it is called within its country.
    let is_shown = |id: &str| {
        let last = id.get(id.len().saturating_sub(8)..).unwrap_or(id);
        shown.as_deref().is_some_and(|shown| shown.ends_with(last))
    };
    let id = numbers::spelled(id).find(may_be).filter(|id| !is_shown(id));
    let Some(id) = id else { return false };
    let is_business = |to: &str| shown.as_deref().is_some_and(|shown| mean_one(to, shown));
    // Whether the number stands somewhere, and somebody else.
    let (mut it, mut other, mut wrote) = (false, false, false);
    let mut note = |named: Option<Value<'_>>| {
        if let Id::Some(named) = meant::id(named) {
            let is_it = mean_one(&named, &id);
            it |= is_it;
            other |= !is_it;
        }
    };
    let mut has_other_contact = false;
    for copy in std::iter::once(value).chain(items(value, "standby")) {
        // The contact of an echo may be the business, which shows no other number then.
        let has_echoes = items(copy, "message_echoes").next().is_some();
        for contact in items(copy, "contacts").filter(|_| shown.is_some() || !has_echoes) {
            note(contact.get("wa_id"));
        }
        has_other_contact |= items(copy, "contacts").any(|contact| {
            meant::id(contact.get("wa_id")).some().is_some_and(|named| !mean_one(&named, &id))
        });
        for (list, places) in OF_PEOPLE {
            let items = items(copy, list);
            items.for_each(|item| places.iter().for_each(|place| note(item.at(place))));
        }
    }
    note(value.at(&["sender", "phone_number"]));
    for thread in items(value, "history").flat_map(|chunk| items(chunk, "threads")) {
        note(thread.get("id"));
        note(thread.at(&["context", "wa_id"]));
    }
    for message in std::iter::once(value)
        .chain(items(value, "standby"))
        .flat_map(|copy| items(copy, "messages").chain(items(copy, ONE_MESSAGE)))
    {
        let has = |key: &&str| message.get(key).is_some();
        let to = meant::id(message.get("to")).some();
        let to_it = to.as_deref().is_some_and(|to| mean_one(to, &id));
        let to_other = to.is_some_and(|to| !to_it && !is_business(&to))
            || ["to_user_id", "recipient", "group_id"].iter().any(has);
        let from = meant::id(message.get("from")).some();
        let from_it = from.as_deref().is_some_and(|from| mean_one(from, &id));
        it |= to_it && from.as_deref().is_some_and(is_business);
        wrote |= from_it && !to_other && !has_other_contact;
        other |= to_other || from.is_some() && !from_it;
    }
    (it || wrote) && (shown.is_some() || !other)
}

/// Lists of a value or a standby copy, and where only people stand in them. The straight way reads
/// each of these places, or leaves what has it alone.
const OF_PEOPLE: [(&str, &[&[&str]]); 8] = [
    (
        "statuses",
        &[&["recipient_id"], &["recipient_participant_id"], &["participant_recipient_id"]],
    ),
    ("message_echoes", &[&["to"]]),
    ("messages", OF_SYSTEM),
    (ONE_MESSAGE, OF_SYSTEM),
    ("user_id_update", &[&["wa_id"]]),
    ("user_preferences", &[&["wa_id"]]),
    ("state_sync", &[&["contact", "phone_number"]]),
    ("messaging_handovers", &[&["sender", "phone_number"]]),
];
const OF_SYSTEM: &[&[&str]] = &[
    &["system", "wa_id"],
    &["system", "new_wa_id"],
    &["system", "previous_wa_id"],
    &["system", "customer"],
];

fn items<'a>(value: Value<'a>, key: &str) -> impl Iterator<Item = Value<'a>> {
    value.get(key).into_iter().flat_map(Value::items)
}

#[cfg(test)]
mod tests;
