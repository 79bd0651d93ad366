//! Webhooks inside what brought them: requests as gateways and work flows write them down, messages
//! of queues, and the events of AWS End User Messaging Social, which hold one entry.
//!
//! ```text
//! {"headers":{…},"body":{"entry":[…]}}              a value ────────────┐
//! {"headers":{…},"body":"{\"entry\":[…]}"}          a text ──▶ payload ─┼▶ once more, by content
//! {"headers":{…},"body":{"response":"[{…}]"}}       reports ─▶ payload ─┤  of Gupshup's gateway
//! {"isBase64Encoded":true,"body":"eyJl…"}           base64 ──▶ payload ─┘
//! {"whatsAppWebhookEntry":"{\"id\":…}"}             an entry ▶ webhook
//! ```
//!
//! Queues and topics write their messages in two spellings each: as they hand them to a function,
//! and as their own clients get them.
//!
//! This is looked for only where nothing but content tells the format, and behind the keys that one
//! format has and no other. A value is opened if it is known itself, so that events of others stay
//! dead letters; under keys that most of those have, too, it must be a whole webhook, [`holds`].
//! Who has messages of its own and keeps beside them what they were made of is no wrapper; messages
//! that are nobody's give way to a whole webhook, and to nothing else. What somebody wrote may begin
//! with a brace, too, and must never become an event: so a text is opened only where requests,
//! queues and topics have theirs, beside keys that those alone write, [`of_text`]. Wrappers lie in
//! each other, `limits::WRAPPERS_MAX` of them. The time that a wrapper tells is that of what has
//! none of its own.

use turnwise_model::Millis;
use turnwise_model::limits::WRAPPERS_MAX;

use crate::json::{Kind, Value};
use crate::meant::{self, Time};
use crate::numbers::People;
use crate::payload::{self, Around, Scratch};
use crate::reason::Reason;
use crate::record::{Fail, Record};
use crate::webhook::{self, Outer};
use crate::{Format, cloudevents, detect, elements, envelopes};

/// One of the things that a wrapper holds.
struct Inside<'a> {
    key: &'static str,
    held: Value<'a>,
    how: How,
}

/// How it is written.
#[derive(Clone, Copy)]
enum How {
    Value,
    Text,
    Base64,
    /// A message of a topic, whose data is base64.
    Pushed,
    /// One entry of a webhook, as a value or a text.
    Entry,
    /// A form that somebody parsed, which holds reports of Gupshup's gateway as a text.
    Reports,
    /// Records that a stream delivered by HTTP, each its data in base64.
    Delivery,
}

/// The key of an entry.
const ENTRY: &str = "whatsAppWebhookEntry";

/// Keys under which wrappers hold what they hold.
const KEYS: [&str; 25] = [
    ENTRY,
    BODY,
    "body_params",
    "payload",
    "data",
    "json",
    "detail",
    "event",
    "webhook",
    "request",
    "raw",
    "raw_payload",
    "metaData",
    "Message",
    "Body",
    "Data",
    "Sns",
    "kinesis",
    "Records",
    RECORDS,
    "Messages",
    "receivedMessages",
    "record",
    VALUE,
    PUSHED,
];

/// Where a request holds its body.
const BODY: &str = "body";

/// Where streams and topics hold their records.
const RECORDS: &str = "records";

/// Where a subscription holds its message.
const PUSHED: &str = "message";

/// Where a topic that was written down holds a record's value. A change has one, too.
const VALUE: &str = "value";

/// Keys that only what was written down of a request has.
const OF_REQUESTS: [&str; 7] = [
    "multiValueHeaders",
    "httpMethod",
    "requestContext",
    "rawPath",
    "query_params",
    "queryStringParameters",
    "isBase64Encoded",
];

/// Whether a value is a wrapper, with so many around it.
pub(crate) fn is_one(value: Value<'_>, depth: usize) -> bool {
    KEYS.into_iter().any(|key| under(value, key, depth).is_some())
}

/// What a value holds at a key, if it is a wrapper.
fn under<'a>(value: Value<'a>, key: &'static str, depth: usize) -> Option<Inside<'a>> {
    if depth >= WRAPPERS_MAX {
        return None;
    }
    let held = value.get(key)?;
    let how = match held.kind() {
        _ if key == ENTRY => How::Entry,
        // The message is one more wrapper.
        _ if key == PUSHED && depth + 1 < WRAPPERS_MAX && is_pushed(value, held) => How::Pushed,
        _ if key == RECORDS && is_delivery(value, held) => How::Delivery,
        _ if key == BODY
            && is_request(value)
            && envelopes::posted_reports_of_gupshup(held).is_some() =>
        {
            How::Reports
        }
        Kind::Object | Kind::Array if holds(value, key, held, depth + 1) => How::Value,
        Kind::String => of_text(value, key, held)?,
        _ => return None,
    };
    Some(Inside { key, held, how })
}

/// Whether a wrapper holds something known as a value at a key. Many others have some of the keys:
/// there it must be a whole webhook, or what stands beside it tells whose it is.
fn holds(wrapper: Value<'_>, key: &str, held: Value<'_>, depth: usize) -> bool {
    let has = |key: &str| wrapper.get(key).is_some();
    let is_any_known = || held.items().any(|one| is_known(one, depth));
    match key {
        VALUE if has("topic") && has("offset") => is_any_known(),
        PUSHED if has("subscription") || has("ackId") => is_any_known(),
        VALUE | PUSHED => is_whole(held),
        "raw" | "raw_payload" | "metaData" if has_messages(wrapper) => {
            is_whole(held) && !has_own(wrapper)
        }
        "request" => (is_whole(held) || under(held, BODY, depth).is_some()) && !has_own(wrapper),
        RECORDS => {
            let is_record = |one: Value<'_>| is_whole(one) || is_one(one, depth);
            held.items().any(is_record) && !has_own(wrapper)
        }
        _ => is_any_known(),
    }
}

/// Whether an object is a webhook with the envelope around it.
fn is_whole(value: Value<'_>) -> bool {
    value.get("entry").is_some_and(|entry| entry.items().any(Value::is_object))
}

/// Whether an object has messages of its own and says whose they are. It may keep beside them what
/// they were made of.
fn has_own(value: Value<'_>) -> bool {
    let has = |path: &[&str]| value.at(path).is_some();
    let names_number = has(&["metadata", "phone_number_id"])
        || has(&["phone_number_id"])
        || has(&["recipient", "phone_number_id"]);
    names_number && has_messages(value)
}

/// Whether an object has messages of its own, be they anybody's.
fn has_messages(value: Value<'_>) -> bool {
    let holds = |key: &str| value.get(key).is_some_and(|list| list.items().any(Value::is_object));
    let lists = ["messages", "statuses", "message_echoes", "history", "standby"];
    lists.into_iter().any(holds) || is_message(value) || value.get(PUSHED).is_some_and(is_message)
}

/// Whether an object is a message or status that names somebody.
fn is_message(value: Value<'_>) -> bool {
    let parties = ["from", "from_user_id", "to", "to_user_id", "recipient_id", "recipient_user_id"];
    webhook::is_item(value) && parties.iter().any(|key| value.get(key).is_some())
}

/// Whether a topic pushed a message to the subscription beside it. Then the message needs no time,
/// which [`of_text`] asks of one that stands alone.
fn is_pushed(wrapper: Value<'_>, message: Value<'_>) -> bool {
    let subscription = wrapper.get("subscription").and_then(Value::string);
    let has = |key: &str| message.get(key).is_some();
    subscription.is_some_and(|name| name.starts_with("projects/"))
        && (has("messageId") || has("message_id"))
        && message.get(DATA).is_some_and(|data| data.kind() == Kind::String)
}

/// Whether a stream delivered records by HTTP: they have their data and nothing else, and the
/// request has nothing but its id and time beside them.
fn is_delivery(wrapper: Value<'_>, records: Value<'_>) -> bool {
    let is = |key: &str, kind: Kind| wrapper.get(key).is_some_and(|value| value.kind() == kind);
    let is_record = |one: Value<'_>| {
        one.has_one_key() && one.get(DATA).is_some_and(|data| data.kind() == Kind::String)
    };
    is("requestId", Kind::String)
        && is("timestamp", Kind::Number)
        && wrapper.members().count() == 3
        && records.kind() == Kind::Array
        && records.items().all(is_record)
}

/// Where a message of a topic, or a record that was delivered, holds what was published.
const DATA: &str = "data";

/// Whether an object is what was written down of a request.
fn is_request(wrapper: Value<'_>) -> bool {
    wrapper.get("headers").is_some_and(Value::is_object)
        || OF_REQUESTS.into_iter().any(|key| wrapper.get(key).is_some())
}

/// How the text at a key is written, if it is a payload: the body of a request, or what a queue or
/// a topic brought. The same keys hold what people wrote in the events of others.
fn of_text(wrapper: Value<'_>, key: &str, held: Value<'_>) -> Option<How> {
    let has = |key: &str| wrapper.get(key).is_some();
    let is_record = || {
        let source = wrapper.get("eventSource").and_then(Value::string);
        has("receiptHandle") || source.is_some_and(|source| source.starts_with("aws:"))
    };
    let is_encoded = || meant::boolean(wrapper.get("isBase64Encoded")) == Some(true);
    let is_text = match key {
        BODY if is_encoded() => return Some(How::Base64),
        BODY => is_request(wrapper) || is_record(),
        "Body" => has("ReceiptHandle"),
        "Message" => has("TopicArn"),
        DATA => {
            let of_subscription = has("publishTime") && (has("messageId") || has("message_id"));
            let of_stream = has("sequenceNumber") && has("partitionKey");
            let of_delivery = has("recordId") && has("approximateArrivalTimestamp");
            let is_encoded = of_subscription || of_stream || of_delivery;
            return is_encoded.then_some(How::Base64);
        }
        "Data" => {
            let of_stream = has("SequenceNumber") && has("PartitionKey");
            return of_stream.then_some(How::Base64);
        }
        _ => false,
    };
    (is_text && is_payload(held)).then_some(How::Text)
}

/// Whether an object is of a format, or holds one that is.
fn is_known(value: Value<'_>, depth: usize) -> bool {
    let has = |key: &str| value.get(key).is_some();
    value.is_object()
        && (has("entry")
            || has("changes")
            || value.at(&["metadata", "phone_number_id"]).is_some()
            || is_change(value)
            || detect::by_content(value) != Format::CloudApi
            || is_one(value, depth))
}

/// Whether an object is one change of a webhook. Others have a field and a value, too.
fn is_change(value: Value<'_>) -> bool {
    let named = || meant::word(value.get("field")).is_some_and(|name| webhook::is_field(&name));
    let inner = value.get("value").filter(|inner| inner.is_object());
    inner.is_some_and(|inner| inner.at(&["metadata", "phone_number_id"]).is_some() || named())
}

/// Whether a text may be a payload.
fn is_payload(text: Value<'_>) -> bool {
    is_json(text) || detect::is_form(text.raw().as_bytes())
}

/// Whether a value is a text that is JSON, to go by how it begins.
pub(crate) fn is_json(value: Value<'_>) -> bool {
    value.kind() == Kind::String && value.raw().trim_start().starts_with(['{', '['])
}

/// Decodes all that a wrapper holds, in the order of [`KEYS`].
pub(crate) fn decode(
    record: &mut Record<'_>,
    around: &Around<'_>,
    wrapper: Value<'_>,
    scratches: &mut [Scratch],
) {
    let depth = around.wrappers;
    let around = around.wrapped(time(record, wrapper));
    for inside in KEYS.into_iter().filter_map(|key| under(wrapper, key, depth)) {
        one(record, &around, wrapper, inside, scratches);
    }
}

fn one(
    record: &mut Record<'_>,
    around: &Around<'_>,
    wrapper: Value<'_>,
    Inside { key, held, how }: Inside<'_>,
    scratches: &mut [Scratch],
) {
    let before = record.counts.total();
    record.path.key(key);
    let done = match how {
        How::Value => {
            payload::json(record, around, Format::Auto, held, scratches);
            Ok(())
        }
        How::Text => payload::text(record, around, Format::Auto, held, scratches),
        How::Base64 => cloudevents::encoded(record, around, Format::Auto, held, scratches),
        How::Pushed => pushed(record, around, held, scratches),
        How::Entry => entry(record, around, wrapper, held, scratches),
        How::Reports => match envelopes::posted_reports_of_gupshup(held) {
            Some(reports) => payload::of_reports(record, around, reports, scratches),
            None => Ok(()),
        },
        How::Delivery => {
            delivered(record, around, held, scratches);
            Ok(())
        }
    };
    record.path.pop();
    payload::end(record, before, held.raw().len(), done);
}

/// The time that a wrapper tells, if it is one that an event may have.
fn time(record: &Record<'_>, wrapper: Value<'_>) -> Option<Millis> {
    // Of an event bus. Elsewhere nobody knows what such a time is of.
    const OF_BUS: &[&str] = &["time"];
    let places: [&[&str]; 9] = [
        &["requestContext", "requestTimeEpoch"],
        &["requestContext", "timeEpoch"],
        &["Timestamp"],
        &["attributes", "SentTimestamp"],
        &["Attributes", "SentTimestamp"],
        &["publishTime"],
        &["approximateArrivalTimestamp"],
        &["ApproximateArrivalTimestamp"],
        &["message_timestamp"],
    ];
    let is_of_bus = ["detail", "detail-type"].into_iter().all(|key| wrapper.get(key).is_some());
    let mut places = places.into_iter().chain(is_of_bus.then_some(OF_BUS));
    places.find_map(|place| match meant::time(wrapper.at(place)) {
        Time::Some(time) => Some(time).filter(|time| record.place.is_in_range(*time)),
        Time::None | Time::Unreadable(_) => None,
    })
}

/// A message that was pushed, and tells its own time, if any.
fn pushed(
    record: &mut Record<'_>,
    around: &Around<'_>,
    message: Value<'_>,
    scratches: &mut [Scratch],
) -> Result<(), Fail> {
    let around = around.wrapped(time(record, message));
    let Some(data) = message.get(DATA) else { return Ok(()) };
    record.path.key(DATA);
    let done = cloudevents::encoded(record, &around, Format::Auto, data, scratches);
    record.path.pop();
    done
}

/// Records that were delivered.
fn delivered(
    record: &mut Record<'_>,
    around: &Around<'_>,
    records: Value<'_>,
    scratches: &mut [Scratch],
) {
    elements::each(record, records, |record, one| {
        let before = record.counts.total();
        let Some(data) = one.get(DATA) else { return };
        record.path.key(DATA);
        let done = cloudevents::encoded(record, around, Format::Auto, data, scratches);
        record.path.pop();
        payload::end(record, before, one.raw().len(), done);
    });
}

/// An entry, as a value or a text.
fn entry(
    record: &mut Record<'_>,
    around: &Around<'_>,
    wrapper: Value<'_>,
    held: Value<'_>,
    scratches: &mut [Scratch],
) -> Result<(), Fail> {
    let time = around.time_or(None);
    match held.kind() {
        Kind::Object => {
            entry_of(record, time, wrapper, held);
            Ok(())
        }
        Kind::String => payload::parsed(record, around, held, scratches, |record, root| {
            entry_of(record, time, wrapper, root);
        }),
        kind => Err(record.fail(Reason::WrongType, "", "an entry", Some(kind))),
    }
}

/// An entry, whose account and number stand beside it, should it name none. The number of somebody
/// in it is not the account's.
fn entry_of<'a>(record: &mut Record<'_>, entry_time: Time, wrapper: Value<'a>, entry: Value<'a>) {
    let first = |list, key| {
        let one = wrapper.at(&["context", list])?.items().next()?;
        if one.is_object() { one.get(key) } else { Some(one) }
    };
    let sender = meant::id(first("MetaPhoneNumberIds", "metaPhoneNumberId"))
        .of_owner()
        .unless_number(|number| People::of(entry).have(number));
    let waba_id = meant::id(first("MetaWabaIds", "wabaId"));
    webhook::decode_of(record, Outer { waba_id, entry_time, sender: &sender }, entry);
}

#[cfg(test)]
mod tests;
