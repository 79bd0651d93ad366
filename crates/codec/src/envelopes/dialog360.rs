//! 360dialog: webhooks of the Cloud API as they are, and partner events `{id, event, data}` around
//! what partners get instead, of which `history` is a value of the webhook field of that name.
//!
//! It carries what the Cloud API does. Partner events about clients and channels are ignored.

use crate::json::Value;
use crate::meant;
use crate::record::Record;
use crate::webhook;

/// Decodes one webhook or partner event.
pub(super) fn decode(record: &mut Record<'_>, value: Value<'_>) {
    match value.get("data") {
        Some(data) if data.is_object() && value.get("event").is_some() => {
            let field = meant::word(value.get("event"));
            record.path.key("data");
            webhook::named(record, meant::id(data.get("id")), field.as_deref(), data);
            record.path.pop();
        }
        _ => webhook::decode(record, value),
    }
}

#[cfg(test)]
mod tests;
