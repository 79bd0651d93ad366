//! What surrounds the items of a value: whose they are, and which numbers are the business's own.
//!
//! Some gateways write the chat, and so the person, where the account should be. An address is told
//! by its form ([`Id::of_owner`]); a bare number is an account's, unless somebody in the value has
//! it.

use std::borrow::Cow;

use super::Outer;
use super::contacts::{Contact, Contacts};
use crate::json::Value;
use crate::meant::{self, Id, Time};
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

/// Where an object names people by their numbers.
type Places = &'static [&'static [&'static str]];

/// The lists of a value or a standby copy, and where what is in them names people. The straight way
/// reads each of these places, or leaves what has it alone.
const LISTS: [(&str, Places); 5] = [
    ("contacts", &[&["wa_id"]]),
    ("messages", OF_MESSAGE),
    ("message", OF_MESSAGE),
    ("message_echoes", OF_MESSAGE),
    ("statuses", OF_STATUS),
];
const OF_MESSAGE: Places = &[&["from"], &["to"], &["message", "from"], &["message", "to"]];
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
    /// What surrounds the items of a value.
    pub(super) fn of_value(outer: Outer<'_, 'a>, field: &'static str, value: Value<'a>) -> Self {
        Self::of(outer, field, value, names)
    }

    /// What surrounds a message or status that stands alone.
    pub(super) fn of_item(outer: Outer<'_, 'a>, item: Value<'a>) -> Self {
        Self::of(outer, "messages", item, item_names)
    }

    fn of(
        outer: Outer<'_, 'a>,
        field: &'static str,
        value: Value<'a>,
        names: fn(Value<'_>, &str) -> bool,
    ) -> Self {
        let Outer { waba_id, entry_time, sender: otherwise } = outer;
        let sender = [
            &["metadata", "phone_number_id"][..],
            &["phone_number_id"],
            &["recipient", "phone_number_id"],
        ]
        .into_iter()
        .fold(Id::None, |found, path| found.or_else(|| meant::id(value.at(path)).of_sender()))
        .or_else(|| otherwise.clone());
        let display = meant::id(value.at(&["metadata", "display_phone_number"])).some();
        let business = [display, sender.clone().some()];
        let scope = Scope { waba_id, sender };
        let contacts = Contacts::read(value.get("contacts"));
        let place = Self { scope, entry_time, field, contacts, business, is_of_group: false };
        let is_persons = |number: &str| !place.is_own(number) && names(value, number);
        let scope = place.scope.clone().without_account_of(is_persons);
        Self { scope, ..place }
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

/// Whether a value names somebody who has this number.
fn names(value: Value<'_>, number: &str) -> bool {
    let in_thread =
        |thread: Value<'_>| says(thread, OF_THREAD, number) || lists_name(thread, number);
    says(value, OF_HANDOVER, number)
        || lists_name(value, number)
        || items(value, "standby").any(|copy| lists_name(copy, number))
        || items(value, "history")
            .any(|chunk| lists_name(chunk, number) || items(chunk, "threads").any(in_thread))
        || items(value, "messaging_handovers").any(|handover| says(handover, OF_HANDOVER, number))
        || items(value, "user_id_update").any(|update| says(update, OF_USER_ID, number))
}

fn lists_name(value: Value<'_>, number: &str) -> bool {
    LISTS.iter().any(|(list, places)| items(value, list).any(|item| says(item, places, number)))
}

fn items<'a>(value: Value<'a>, key: &str) -> impl Iterator<Item = Value<'a>> {
    value.get(key).into_iter().flat_map(Value::items)
}

/// The same of a message or status that stands alone.
fn item_names(item: Value<'_>, number: &str) -> bool {
    names(item, number) || says(item, OF_MESSAGE, number) || says(item, OF_STATUS, number)
}

/// Whether one of these places of an object holds this number.
fn says(object: Value<'_>, places: &[&[&str]], number: &str) -> bool {
    places.iter().any(|place| {
        let named = meant::id(object.at(place)).some();
        named.is_some_and(|named| normal_phone(&named) == number)
    })
}

#[cfg(test)]
mod tests;
