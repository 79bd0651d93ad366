//! 360dialog: webhooks of the Cloud API as they are, and partner events `{id, event, data}` around
//! what partners get instead, of which `history` is a value of the webhook field of that name.
//!
//! It carries what the Cloud API does. Partner events about violations and restrictions name the
//! business by its number alone, so its digits stand for their sender. Those about clients and
//! channels are ignored.

use super::number;
use crate::json::Value;
use crate::meant::{self, Id, Time};
use crate::peer::Peer;
use crate::record::{Record, Scope};
use crate::rows::AccountFacts;
use crate::webhook::account::event_name;
use crate::webhook::{self, Outer};

/// Decodes one webhook or partner event.
pub(super) fn decode(record: &mut Record<'_>, value: Value<'_>) {
    let data = value.get("data").filter(|data| data.is_object() && value.get("event").is_some());
    let Some(data) = data else { return webhook::decode(record, value) };
    if data.get("entry").is_some() || data.get("changes").is_some() {
        record.path.key("data");
        webhook::decode(record, data);
        return record.path.pop();
    }
    let field = meant::word(value.get("event"));
    record.path.key("data");
    match field.as_deref() {
        Some(name @ ("account_violation" | "account_restriction")) => {
            let scope = Scope { waba_id: Id::None, sender: number(data.get("phone_number")) };
            let (field, event) = ("account_update", event_name(name));
            let facts = AccountFacts { field, event, ..AccountFacts::default() };
            super::account(record, &scope, data, None, &Peer::default(), facts);
        }
        field => {
            let waba_id = meant::id(data.get("id"));
            let outer = Outer { waba_id, entry_time: Time::None, sender: &Id::None };
            webhook::named(record, outer, field, data);
        }
    }
    record.path.pop();
}

#[cfg(test)]
mod tests;
