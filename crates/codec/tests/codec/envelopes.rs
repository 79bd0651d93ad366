//! The same events in each provider's envelope become the same rows, as far as it carries them,
//! and none of what is in them is shown.

use base64::Engine as _;
use proptest::prelude::*;
use turnwise_codec::encode::{self, Event, Text, What};
use turnwise_codec::{Aspect, Format};

use crate::common::{Batch, rows_of};
use crate::encoders::{ENCODERS, carried};

/// Rows without the columns that this format cannot carry.
fn rows(format: Format, decoded_as: Format, record: &[u8]) -> Vec<Batch> {
    let (counts, mut batches) = rows_of(decoded_as, record);
    assert_eq!(counts.dead_letters + counts.ignored, 0, "{}", String::from_utf8_lossy(record));
    for (_, _, rows) in &mut batches {
        let unknown = if format.carries(Aspect::Voice) { "" } else { "voice" };
        if let Ok(at) = rows.schema().index_of(unknown) {
            rows.remove_column(at);
        }
    }
    batches
}

/// What is written of an event, with what is to come of it.
fn written(
    format: Format,
    encoder: crate::encoders::Encoder,
    event: &Event,
) -> Option<(Vec<u8>, Event)> {
    let event = carried(format, event)?;
    Some((encoder(&event)?, event))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn events_in_each_envelope_become_the_same_rows(event in crate::common::event()) {
        for (format, encoder) in ENCODERS {
            let Some((bytes, event)) = written(*format, *encoder, &event) else { continue };
            let expected = rows(*format, Format::Protobuf, &encode::protobuf(&[event]));
            let found = rows(*format, *format, &bytes);
            prop_assert_eq!(&found, &expected, "{} {}", format, String::from_utf8_lossy(&bytes));
            prop_assert_eq!(&rows(*format, Format::Auto, &bytes), &expected, "{} {}", format, String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn events_around_payloads_change_no_row(event in crate::common::event(), as_text in any::<bool>()) {
        for (format, encoder) in ENCODERS {
            let Some((bytes, _)) = written(*format, *encoder, &event) else { continue };
            if *format == Format::TwilioEvents {
                continue;
            }
            let expected = rows(*format, *format, &bytes);
            let text = String::from_utf8(bytes.clone()).expect("text");
            let is_json = text.starts_with('{') || text.starts_with('[');
            let mut around = serde_json::json!({"specversion": "1.0", "id": "1", "source": "/x", "type": "y"});
            if as_text {
                around["data"] = if is_json { serde_json::from_str(&text).expect("JSON") } else { text.into() };
            } else {
                around["data_base64"] = base64::engine::general_purpose::STANDARD.encode(&bytes).into();
            }
            // An item without an id goes by its own bytes; these all have one.
            let found = rows(*format, Format::CloudEvents, around.to_string().as_bytes());
            prop_assert_eq!(found, expected, "{}", around);
        }
    }

    #[test]
    fn requests_around_payloads_change_no_row(event in crate::common::event(), as_text in any::<bool>(), in_base64 in any::<bool>()) {
        for (format, encoder) in ENCODERS {
            let Some((bytes, _)) = written(*format, *encoder, &event) else { continue };
            let expected = rows(*format, *format, &bytes);
            let text = String::from_utf8(bytes.clone()).expect("text");
            let value = serde_json::from_slice::<serde_json::Value>(&bytes).ok().filter(|_| !as_text);
            let body = match value {
                _ if in_base64 => base64::engine::general_purpose::STANDARD.encode(&bytes).into(),
                Some(value) => value,
                None => text.into(),
            };
            let around = serde_json::json!({"headers": {"x": "y"}, "isBase64Encoded": in_base64, "body": body});
            let found = rows(*format, Format::Auto, around.to_string().as_bytes());
            prop_assert_eq!(found, expected, "{}", around);
        }
    }

    #[test]
    fn broken_payloads_become_rows_and_their_letters_show_nothing(
        event in crate::common::event(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..9, "(null|true|-1|\"\"|\"x\"|\\[\\]|\\{\\}|[\\[\\]{}:,\"&=%0-9]{0,3})"), 0..5),
    ) {
        for (format, encoder) in ENCODERS {
            let Some((mut bytes, _)) = written(*format, *encoder, &secret(event.clone())) else { continue };
            for (at, length, with) in &edits {
                let from = at.index(bytes.len() + 1);
                let to = (from + length).min(bytes.len());
                bytes.splice(from..to, with.bytes());
            }
            for decoded_as in [*format, Format::Auto] {
                let mut decoder = crate::common::decoder();
                let counts = crate::common::put(&mut decoder, 1, decoded_as, &bytes);
                prop_assert!(counts.total() > 0);
                let mut shown = format!("{:?}", decoder.take_dead_letters());
                if edits.is_empty() {
                    // An edit may glue a person's number to the business's, as nothing else does.
                    shown += &format!("{:?}", decoder.finish());
                }
                for secret in SECRETS {
                    prop_assert!(!shown.contains(secret), "{format}: {shown}");
                }
            }
        }
    }
}

/// What no row may show of [`secret`] events.
const SECRETS: [&str; 4] = ["917055512345", "SECRETUSER", "Quicksilver", "SECRETID"];

/// The event with contents that can be looked for.
fn secret(mut event: Event) -> Event {
    if !event.peer.phone.is_empty() {
        event.peer.phone = "4917055512345".to_owned();
    }
    if !event.peer.user_id.is_empty() {
        event.peer.user_id = "US.SECRETUSER".to_owned();
    }
    match &mut event.what {
        What::Message(message) => {
            message.id = "wamid.SECRETID".to_owned();
            if let Text::Body(text) = &mut message.text {
                *text = "Quicksilver and more?".to_owned();
            }
        }
        What::Status(status) => status.message_id = "wamid.SECRETID".to_owned(),
        What::Account(_) | What::Ignored(_) => {}
    }
    event
}

#[test]
fn every_format_has_an_encoder_or_is_around_others() {
    for info in turnwise_codec::FORMATS {
        let known = ENCODERS.iter().any(|(format, _)| *format == info.format);
        let elsewhere =
            [Format::Auto, Format::CloudApi, Format::Send, Format::Protobuf, Format::CloudEvents];
        assert!(known || elsewhere.contains(&info.format), "{}", info.name);
    }
}
