//! 360dialog: webhooks of the Cloud API as they are, and partner events `{id, event, data}` around
//! what partners get instead, of which `history` is a value of the webhook field of that name.
//!
//! It carries what the Cloud API does. Partner events about violations and restrictions name the
//! business by its number alone, so its digits stand for their sender. Those about clients,
//! channels and accounts are ignored. The business account is `data.id` only in a value of the
//! Cloud API: elsewhere that is the id of something else, perhaps a message.

use super::number;
use crate::json::Value;
use crate::meant::{self, Id};
use crate::payload::Around;
use crate::peer::Peer;
use crate::record::{Record, Scope};
use crate::rows::AccountFacts;
use crate::webhook::account::event_name;
use crate::webhook::{self, Outer};

const VIOLATION: &str = "account_violation";
const RESTRICTION: &str = "account_restriction";

/// How events about clients, channels, accounts and what they may send begin.
const OF_PARTNERS: [&str; 4] = ["client_", "channel_", "waba_", "template_messaging_"];

/// Webhook fields of one word. Other such words of the dictionary are other providers'.
const WORDS: [&str; 6] = ["messages", "history", "standby", "calls", "flows", "security"];

/// Whether an event with this name and this data is one of 360dialog's to its partners.
pub(crate) fn is_event(name: Option<Value<'_>>, data: Value<'_>) -> bool {
    let Some(name) = meant::word(name) else { return false };
    let is_field = webhook::is_field(&name) && (name.contains('_') || WORDS.contains(&&*name));
    // A message that others call `messages` is no value of that field.
    matches!(&*name, VIOLATION | RESTRICTION)
        || OF_PARTNERS.iter().any(|begin| name.starts_with(begin))
        || is_field && !webhook::is_item(data)
}

/// Decodes one webhook or partner event.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let data = value.get("data").filter(|data| data.is_object() && value.get("event").is_some());
    let Some(data) = data else { return webhook::decode(record, around, value) };
    if data.get("entry").is_some() || data.get("changes").is_some() {
        record.path.key("data");
        webhook::decode(record, around, data);
        return record.path.pop();
    }
    let field = meant::word(value.get("event"));
    let time = around.time_or(None);
    record.path.key("data");
    match field.as_deref() {
        Some(name @ (VIOLATION | RESTRICTION)) => {
            let scope = Scope { waba_id: Id::None, sender: number(data.get("phone_number")) };
            let (field, event) = ("account_update", event_name(name));
            let facts = AccountFacts { field, event, ..AccountFacts::default() };
            super::account(record, &scope, data, time, &Peer::default(), facts);
        }
        field => {
            let is_value =
                ["messaging_product", "metadata"].iter().all(|key| data.get(key).is_some());
            let waba_id = meant::id(data.get("id").filter(|_| is_value));
            let outer = Outer { waba_id, entry_time: time, sender: &Id::None };
            webhook::named(record, outer, field, data);
        }
    }
    record.path.pop();
}

#[cfg(test)]
mod tests;
