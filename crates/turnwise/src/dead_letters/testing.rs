//! Records for the tests of this folder.

use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_model::{EventBatch, Keys, Millis, Secret};

use super::place::Place;

/// The time of every record.
pub(crate) const TIME: Millis = Millis(1_794_139_200_000);

pub(crate) fn keys() -> Keys {
    Keys::expand(&Secret::new(&[b'k'; 32]).expect("long enough"))
}

pub(crate) fn place(text: &str) -> Place {
    text.parse().expect("a place")
}

/// A message that can be read.
pub(crate) fn good(id: &str) -> String {
    message(id, r#""timestamp":"1794139000","#)
}

/// The same, a dead letter `no_time`.
pub(crate) fn without_time(id: &str) -> String {
    message(id, "")
}

/// The same, a dead letter `wrong_type`.
pub(crate) fn of_wrong_time(id: &str) -> String {
    message(id, r#""timestamp":{},"#)
}

fn message(id: &str, time: &str) -> String {
    let text = r#""type":"text","text":{"body":"Hello"}"#;
    let message = format!(r#"{{"from":"15550001111","id":"wamid.{id}",{time}{text}}}"#);
    change("messages", &format!(r#""messages":[{message}]"#))
}

pub(crate) fn status(id: &str) -> String {
    let rest = r#""status":"delivered","timestamp":"1794139000","recipient_id":"15550001111""#;
    change("messages", &format!(r#""statuses":[{{"id":"wamid.{id}",{rest}}}]"#))
}

/// A change of a webhook.
pub(crate) fn change(field: &str, content: &str) -> String {
    let number = r#""metadata":{"phone_number_id":"100000000000007"}"#;
    format!(r#"{{"field":"{field}","value":{{{number},{content}}}}}"#)
}

/// A webhook of these changes: an item each.
pub(crate) fn webhook(changes: &[String]) -> Vec<u8> {
    let changes = changes.join(",");
    let text = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"9","changes":[{changes}]}}]}}"#
    );
    text.into_bytes()
}

/// The rows of a record.
pub(crate) fn decoded(place: &Place, record: &[u8]) -> Vec<EventBatch> {
    let mut decoder = Decoder::new(keys());
    let context = RecordContext {
        source: &place.source,
        partition: place.partition,
        offset: place.offset,
        record_time: Some(TIME),
        read_time: TIME,
    };
    decoder.decode(Format::CloudApi, &context, Some(record));
    decoder.finish()
}
