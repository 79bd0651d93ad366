//! What surrounds the items of a value: whose they are, and which numbers are the business's own.
//!
//! Some gateways write the chat, and so the person, where the account should be. An address is told
//! by its form ([`Id::of_owner`]); a bare number is an account's, unless somebody in the value, or
//! in another of the same entry, has it.

use std::borrow::Cow;

use super::Outer;
use super::contacts::{Contact, Contacts};
use crate::json::Value;
use crate::meant::{self, Id, Time};
use crate::peer::{is_number, normal_phone, same_phone};
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

/// Where an object names people by their numbers.
type Places = &'static [&'static [&'static str]];

/// The lists of a value or a standby copy, and where what is in them names people. The straight way
/// reads each of these places, or leaves what has it alone.
const LISTS: [(&str, Places); 8] = [
    ("contacts", &[&["wa_id"]]),
    ("messages", OF_MESSAGE),
    ("message", OF_MESSAGE),
    ("message_echoes", OF_MESSAGE),
    ("statuses", OF_STATUS),
    ("calls", &[&["from"], &["to"]]),
    ("user_preferences", &[&["wa_id"]]),
    ("state_sync", &[&["contact", "phone_number"]]),
];
/// The same of a group.
const OF_GROUP: [(&str, Places); 3] = [
    ("added_participants", OF_MEMBER),
    ("removed_participants", OF_MEMBER),
    ("failed_participants", OF_MEMBER),
];
const OF_MEMBER: Places = &[&["wa_id"], &["input"]];
const OF_MESSAGE: Places = &[
    &["from"],
    &["to"],
    &["recipient"],
    &["message", "from"],
    &["message", "to"],
    &["message", "recipient"],
    &["system", "wa_id"],
    &["system", "new_wa_id"],
    &["system", "customer"],
    &["system", "previous_wa_id"],
];
const OF_STATUS: Places = &[
    &["recipient_id"],
    &["recipient_participant_id"],
    &["participant_recipient_id"],
    &["message", "recipient_id"],
    &["from"],
];
const OF_THREAD: Places = &[&["id"], &["context", "wa_id"]];
const OF_USER_ID: Places = &[&["wa_id"]];
const OF_HANDOVER: Places = &[
    &["sender", "phone_number"],
    &["sender", "wa_id"],
    &["sender", "id"],
    &["control_passed", "recipient", "wa_id"],
    &["control_taken", "recipient", "wa_id"],
];

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

impl<'a> Outer<'_, 'a> {
    /// The same without an account that has the number of somebody whom one of these names: each is
    /// asked by `names`, once.
    pub(super) fn without_account_in(
        self,
        mut all: impl Iterator<Item = Value<'a>>,
        names: fn(Value<'_>, &Id<'_>, &str) -> bool,
    ) -> Self {
        let scope = Scope { waba_id: self.waba_id, sender: Id::None };
        let is_persons = |number: &str| all.any(|one| names(one, self.sender, number));
        let waba_id = scope.without_account_of(is_persons).waba_id;
        Self { waba_id, ..self }
    }
}

/// Whether a change names somebody who has this number. One without a value may be one itself.
pub(super) fn change_names(change: Value<'_>, otherwise: &Id<'_>, number: &str) -> bool {
    match change.get("value") {
        Some(values) => values.items().any(|value| value_names(value, otherwise, number)),
        None => item_names(change, otherwise, number),
    }
}

/// The same of a value. The number that it is of itself is nobody else's.
pub(super) fn value_names(value: Value<'_>, otherwise: &Id<'_>, number: &str) -> bool {
    !is_sender(value, otherwise, number) && names(value, number)
}

/// The same of a message or status that stands alone.
pub(super) fn item_names(item: Value<'_>, otherwise: &Id<'_>, number: &str) -> bool {
    let has =
        || names(item, number) || says(item, OF_MESSAGE, number) || says(item, OF_STATUS, number);
    !is_sender(item, otherwise, number) && has()
}

fn is_sender(value: Value<'_>, otherwise: &Id<'_>, number: &str) -> bool {
    matches!(sender(value, otherwise), Id::Some(id) if normal_phone(&id) == number)
}

/// The number that a value is of, by its id.
fn sender<'a>(value: Value<'a>, otherwise: &Id<'a>) -> Id<'a> {
    let places: [&[&str]; 3] =
        [&["metadata", "phone_number_id"], &["phone_number_id"], &["recipient", "phone_number_id"]];
    let read = |place: &[&str]| meant::id(value.at(place)).of_sender();
    let id = places.into_iter().fold(Id::None, |found, place| found.or_else(|| read(place)));
    let is_persons = matches!(&id, Id::Some(id) if is_contacts(value, id));
    if is_persons { otherwise.clone() } else { id.or_else(|| otherwise.clone()) }
}

/// The business's number as it is shown.
fn display(value: Value<'_>) -> Option<Cow<'_, str>> {
    meant::id(value.at(&["metadata", "display_phone_number"])).some()
}

/// Whether what stands for the number's id is the number of a contact, beside another that is
/// shown: some write the chat there. In samples all are one; those of echoes may be the business.
fn is_contacts(value: Value<'_>, id: &str) -> bool {
    let id = normal_phone(id);
    let is_other = |display: Cow<'_, str>| {
        let display = normal_phone(&display);
        is_number(&display) && !same_phone(&display, &id)
    };
    let is_it = |contact: Value<'_>| {
        let number = meant::id(contact.get("wa_id")).some();
        number.is_some_and(|number| normal_phone(&number) == id)
    };
    is_number(&id)
        && display(value).is_some_and(is_other)
        && items(value, "message_echoes").next().is_none()
        && items(value, "contacts").any(is_it)
}

/// Whether a value names somebody who has this number.
fn names(value: Value<'_>, number: &str) -> bool {
    let in_thread =
        |thread: Value<'_>| says(thread, OF_THREAD, number) || lists_name(thread, number);
    let in_group = |group: Value<'_>| have(group, &OF_GROUP, number);
    says(value, OF_HANDOVER, number)
        || lists_name(value, number)
        || items(value, "groups").any(in_group)
        || items(value, "standby").any(|copy| lists_name(copy, number))
        || items(value, "history")
            .any(|chunk| lists_name(chunk, number) || items(chunk, "threads").any(in_thread))
        || items(value, "messaging_handovers").any(|handover| says(handover, OF_HANDOVER, number))
        || items(value, "user_id_update").any(|update| says(update, OF_USER_ID, number))
}

fn lists_name(value: Value<'_>, number: &str) -> bool {
    have(value, &LISTS, number)
}

fn have(value: Value<'_>, lists: &[(&str, Places)], number: &str) -> bool {
    lists.iter().any(|(list, places)| items(value, list).any(|item| says(item, places, number)))
}

fn items<'a>(value: Value<'a>, key: &str) -> impl Iterator<Item = Value<'a>> {
    value.get(key).into_iter().flat_map(Value::items)
}

/// Whether one of these places of an object holds this number, or one that means the same.
fn says(object: Value<'_>, places: &[&[&str]], number: &str) -> bool {
    places.iter().any(|place| {
        let named = meant::id(object.at(place)).some();
        named.is_some_and(|named| same_phone(&named, number))
    })
}

#[cfg(test)]
mod tests;
