//! What surrounds the items of a value: whose they are, and which numbers are the business's own.
//!
//! Some gateways write the chat, and so the person, where the account or its number should be: such
//! ids are none. See [`crate::numbers`] for the account.

use std::borrow::Cow;

use super::Outer;
use super::contacts::{Contact, Contacts};
use crate::json::Value;
use crate::meant::{self, Id, Time};
use crate::numbers::{People, may_be_persons};
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
        let waba_id = self.waba_id.unless_number(|number| people.have(number));
        Self { waba_id, ..self }
    }
}

/// The number that a value is of, by its id.
fn sender<'a>(value: Value<'a>, otherwise: &Id<'a>) -> Id<'a> {
    let places: [&[&str]; 3] =
        [&["metadata", "phone_number_id"], &["phone_number_id"], &["recipient", "phone_number_id"]];
    let read = |place: &[&str]| meant::id(value.at(place)).of_sender();
    let id = places.into_iter().fold(Id::None, |found, place| found.or_else(|| read(place)));
    let is_persons = matches!(&id, Id::Some(id) if is_persons(value, id));
    if is_persons { otherwise.clone() } else { id.or_else(|| otherwise.clone()) }
}

/// The business's number as it is shown.
fn display(value: Value<'_>) -> Option<Cow<'_, str>> {
    meant::id(value.at(&["metadata", "display_phone_number"])).some()
}

/// Whether what stands for the number's id is that of a person, whom some write there. In samples
/// all have the number that is shown; and a business may name itself by its id in `from`, where
/// somebody else is named as well.
fn is_persons(value: Value<'_>, id: &str) -> bool {
    let id = normal_phone(id);
    let shown = display(value);
    let shown = shown.as_deref().map(normal_phone).filter(|shown| is_number(shown));
    if !is_number(&id) || shown.as_deref().is_some_and(|shown| same_phone(shown, &id)) {
        return false;
    }
    let is_it = |named: Option<Value<'_>>| {
        meant::id(named).some().is_some_and(|named| same_phone(&named, &id))
    };
    let any = |list, key| items(value, list).any(|item| is_it(item.get(key)));
    // The contact of an echo may be the business.
    let has_contact =
        || items(value, "message_echoes").next().is_none() && any("contacts", "wa_id");
    let is_alone = |message: Value<'_>| {
        let is_other = |contact: Value<'_>| !is_it(contact.get("wa_id"));
        message.get("to").is_none() && !items(value, "contacts").any(is_other)
    };
    let mut written = items(value, "messages").filter(|message| is_it(message.get("from")));
    let mut threads = items(value, "history").flat_map(|chunk| items(chunk, "threads"));
    any("statuses", "recipient_id")
        || any("user_preferences", "wa_id")
        || threads.any(|thread| is_it(thread.get("id")))
        || shown.is_some() && (has_contact() || may_be_persons(id.len()) && written.any(is_alone))
}

fn items<'a>(value: Value<'a>, key: &str) -> impl Iterator<Item = Value<'a>> {
    value.get(key).into_iter().flat_map(Value::items)
}

#[cfg(test)]
mod tests;
