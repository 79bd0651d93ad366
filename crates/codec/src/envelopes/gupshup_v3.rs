//! Gupshup's events of version 3: webhooks of the Cloud API with `gs_app_id`, and `gs_id` in
//! statuses.
//!
//! It carries what the Cloud API does. Its own events (`enqueued`, some failures) have neither
//! metadata nor account: their sender is the app, and so another than the number's. Times may be
//! milliseconds, numbers masked (then no peer), booleans strings. Statuses that set the callback
//! are ignored, as are billing events: the price stands in the statuses.

use crate::json::Value;
use crate::meant::{self, Id};
use crate::payload::Around;
use crate::record::Record;
use crate::webhook::{self, Outer};

/// Decodes one webhook.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let sender = &meant::id(value.get("gs_app_id"));
    let outer = Outer { waba_id: Id::None, entry_time: around.time_or(None), sender };
    webhook::decode_of(record, outer, value);
}

#[cfg(test)]
mod tests;
