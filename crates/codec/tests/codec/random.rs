//! Whatever bytes arrive, they become rows, and what stands beside them is as without them.
//! A failing case is printed by proptest with the seed that runs it again.

use proptest::prelude::*;
use turnwise_codec::{FORMATS, Format, Headers};
use turnwise_model::{EventBatch, EventKind};

use crate::common::{decoder, put, put_with};

const WEBHOOK: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"9","time":1794096000,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"100"},"contacts":[{"wa_id":"16505551234","user_id":"US.7"}],"messages":[{"from":"16505551234","id":"wamid.SECRETID","timestamp":"1794096147","type":"text","text":{"body":"Quicksilver \u00e9 \ud83d\ude00"},"context":{"id":"wamid.B"}},{"from":"16505551234","id":"wamid.C","timestamp":1794096148,"type":"system","system":{"type":"user_changed_number","wa_id":"16505559999"}}],"statuses":[{"id":"wamid.D","status":"delivered","timestamp":"1794096149","recipient_id":"16505551234","pricing":{"category":"utility"}}]}},{"field":"history","value":{"metadata":{"phone_number_id":"100"},"history":[{"threads":[{"id":"16505551234","messages":[{"from":"16505551234","id":"w","timestamp":"1739230955","type":"text","text":{"body":"Quicksilver"}}]}]},{"errors":[{"code":2593109}]}]}},{"field":"standby","value":{"metadata":{"phone_number_id":"100"},"standby":{"message_echoes":[{"id":"e","timestamp":"1794096147","message":{"to":"16505551234","type":"text","text":{"body":"Quicksilver"}}}]}}},{"field":"calls","value":{}}]}]}"#;
const SEND: &str = r#"{"time":"2026-11-08T00:02:27.127Z","waba_id":"9","phone_number_id":"100","status":200,"request":{"to":"16505551234","type":"text","text":{"body":"Quicksilver"}},"response":{"messages":[{"id":"wamid.E"}]}}"#;

const FORM: &str = "SmsMessageSid=SMSECRETID&MessageSid=SMSECRETID&AccountSid=AC1&From=whatsapp%3A%2B16505551234&To=whatsapp%3A%2B15550783881&Body=Quicksilver+%F0%9F%98%80&ProfileName=Quicksilver&WaId=16505551234&NumMedia=0&MessageType=text&ApiVersion=2010-04-01";

const HEADERS: &[&str] =
    &["ce_specversion", "ce_type", "CE_time", "ce_dataschema", "Content-Type", "x"];
const HEADER_VALUES: &[&str] = &[
    "1.0",
    "com.twilio.messaging.inbound-message.received",
    "2026-11-08T00:02:27.127Z",
    "https://events-schemas.twilio.com/X/1",
    "application/cloudevents+json; charset=UTF-8",
    "application/x-www-form-urlencoded",
    "application/json",
];

/// What no row may show of the records above.
const SECRETS: [&str; 4] = ["16505551234", "Quicksilver", "SECRETID", "US.7"];

fn count(batches: &[EventBatch], kind: EventKind) -> u64 {
    batches
        .iter()
        .filter(|batch| batch.kind == kind)
        .map(|batch| batch.rows.num_rows() as u64)
        .sum()
}

/// One record becomes at least one row, counts are those of the rows, and no row shows content.
fn check(format: Format, record: &[u8]) {
    check_with(format, &[], record);
}

fn check_with(format: Format, headers: Headers<'_>, record: &[u8]) {
    let mut decoder = decoder();
    let counts = put_with(&mut decoder, 1, format, headers, record);
    assert!(counts.total() > 0);
    assert_eq!(decoder.rows() as u64, counts.total());
    let batches = decoder.finish();
    assert_eq!(count(&batches, EventKind::Message), counts.messages);
    assert_eq!(count(&batches, EventKind::Status), counts.statuses);
    assert_eq!(count(&batches, EventKind::History), counts.history);
    assert_eq!(count(&batches, EventKind::Account), counts.account_events);
    assert_eq!(count(&batches, EventKind::Ignored), counts.ignored);
    assert_eq!(count(&batches, EventKind::DeadLetter), counts.dead_letters);
    assert!(
        batches
            .windows(2)
            .all(|two| (two[0].kind.code(), two[0].date) < (two[1].kind.code(), two[1].date))
    );
    for note in decoder.take_dead_letters() {
        assert!(SECRETS.iter().all(|secret| !note.detail.contains(secret)), "{}", note.detail);
    }
    assert_eq!(decoder.rows(), 0);
}

fn any_format() -> impl Strategy<Value = Format> {
    (0..FORMATS.len()).prop_map(|at| FORMATS[at].format)
}

/// A record of each shape: webhook, send record, form.
fn any_record() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(WEBHOOK), Just(SEND), Just(FORM)].prop_map(|record| record.as_bytes().to_vec())
}

fn any_header() -> impl Strategy<Value = (Vec<u8>, Option<Vec<u8>>)> {
    let random = || prop::collection::vec(any::<u8>(), 0..30);
    let name = prop_oneof![
        9 => prop::sample::select(HEADERS).prop_map(|name| name.as_bytes().to_vec()),
        1 => random(),
    ];
    let value = prop_oneof![
        5 => prop::sample::select(HEADER_VALUES).prop_map(|value| value.as_bytes().to_vec()),
        1 => random(),
    ];
    (name, prop::option::weighted(0.9, value))
}

#[test]
fn headers_beyond_the_limits_are_taken_for_absent() {
    // Nothing but a header tells that this is a form, and one of another channel.
    const FORM: &[u8] = b"MessageStatus=read&From=%2B15550783881";
    let is_form = |headers: Headers<'_>| {
        let counts = put_with(&mut decoder(), 1, Format::Auto, headers, FORM);
        assert_eq!(counts.total(), 1);
        counts.ignored == 1
    };
    let told = (&b"content-type"[..], Some(&b"application/x-www-form-urlencoded"[..]));
    assert!(is_form(&[told]));
    assert!(!is_form(&[]));
    let mut many = vec![(&b"x"[..], None); 255];
    many.push(told);
    assert!(is_form(&many));
    many.insert(0, (b"x", None));
    assert!(!is_form(&many));
    let long = [told.1.unwrap_or_default(), &[b';'; 4_096]].concat();
    assert!(!is_form(&[(told.0, Some(&long))]));
}

#[test]
fn valid_records_have_the_rows_that_are_expected_and_show_nothing() {
    let mut decoder = decoder();
    let counts = put(&mut decoder, 1, Format::Auto, WEBHOOK.as_bytes());
    assert_eq!((counts.messages, counts.statuses, counts.history), (3, 1, 1));
    assert_eq!((counts.account_events, counts.ignored, counts.dead_letters), (2, 1, 0));
    put(&mut decoder, 2, Format::Auto, SEND.as_bytes());
    let debug = format!("{decoder:?} {:?}", decoder.finish());
    assert!(SECRETS.iter().all(|secret| !debug.contains(secret)));
}

#[test]
fn decoder_is_as_new_after_finish() {
    let mut used = decoder();
    for _ in 0..3 {
        put(&mut used, 1, Format::Auto, WEBHOOK.as_bytes());
        put(&mut used, 2, Format::Auto, b"{");
        let (mut new, mine) = (decoder(), used.finish());
        put(&mut new, 1, Format::Auto, WEBHOOK.as_bytes());
        put(&mut new, 2, Format::Auto, b"{");
        for (one, other) in mine.iter().zip(&new.finish()) {
            assert_eq!((one.kind, one.date, &one.rows), (other.kind, other.date, &other.rows));
        }
        assert_eq!((used.rows(), used.bytes()), (0, 0));
    }
}

#[test]
fn too_many_items_and_bytes_are_one_dead_letter() {
    let mut decoder = decoder();
    let objects = format!("[{}{{}}]", r#"{"x":1},"#.repeat(100_050));
    let counts = put(&mut decoder, 1, Format::CloudApi, objects.as_bytes());
    assert_eq!(counts.dead_letters, 100_001);
    assert_eq!(decoder.take_dead_letters().len(), 1_000);
    assert_eq!(decoder.dead_letters_not_shown(), 99_001);
    let counts = put(&mut decoder, 2, Format::Auto, &vec![b' '; (8 << 20) + 1]);
    assert_eq!(counts.dead_letters, 1);
    assert_eq!(decoder.take_dead_letters()[0].reason.name(), "record_too_large");
    for (record, reason) in [
        (&b""[..], "empty"),
        (b" \n", "empty"),
        (b"\xff", "invalid_utf8"),
        (b"{", "invalid_json"),
        (&[b'['; 100][..], "nested_too_deep"),
    ] {
        put(&mut decoder, 3, Format::Auto, record);
        assert_eq!(decoder.take_dead_letters()[0].reason.name(), reason);
    }
}

#[test]
fn elements_that_are_no_objects_are_one_dead_letter() {
    let ones = format!("[{}1]", "1,".repeat(100_050));
    assert_eq!(put(&mut decoder(), 1, Format::CloudApi, ones.as_bytes()).dead_letters, 1);
}

#[test]
fn of_elements_that_are_no_events_the_first_stands_for_all() {
    let good = WEBHOOK;
    for (format, before, after) in [
        (Format::CloudApi, r#"{"entry":["#, "]}"),
        (Format::CloudApi, r#"{"id":"9","changes":["#, "]}"),
        (Format::Auto, r#"{"metadata":{"phone_number_id":"1"},"messages":["#, "]}"),
        (Format::Auto, r#"{"metadata":{"phone_number_id":"1"},"statuses":["#, "]}"),
        (Format::Turn, r#"{"messages":["#, "]}"),
        (Format::Auto, r#"{"results":[{},"#, "]}"),
        (Format::Kapso, r#"{"data":["#, "]}"),
        (Format::CloudEvents, r#"{"specversion":"1.0","type":"x","data":["#, "]}"),
        (Format::Twilio, "[", "]"),
    ] {
        let few = format!("{before}7,{{}}{after}");
        let expected = put(&mut decoder(), 1, format, few.as_bytes()).total();
        assert!((1..=2).contains(&expected), "{few}");
        let many = format!(r#"{before}7,{{}},null,"",{{ }},[7],true,"x",{{}}{after}"#);
        assert_eq!(put(&mut decoder(), 1, format, many.as_bytes()).total(), expected, "{many}");
    }
    // What is an event stays, wherever it stands among them.
    let list = format!(r#"[7,{{}},{good},7,{{}},{good}]"#);
    let counts = put(&mut decoder(), 1, Format::Auto, list.as_bytes());
    let once = put(&mut decoder(), 1, Format::Auto, good.as_bytes());
    assert_eq!(counts.dead_letters, 1 + 2 * once.dead_letters);
    assert_eq!((counts.ignored, counts.messages), (1 + 2 * once.ignored, 2 * once.messages));
}

proptest! {
    #[test]
    fn arbitrary_bytes_become_rows(bytes in prop::collection::vec(any::<u8>(), 0..400), format in any_format()) {
        check(format, &bytes);
    }

    #[test]
    fn cut_and_mutated_records_become_rows(
        record in any_record(),
        format in any_format(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "(null|true|-1|\"\"|\"x\"|1e400|\\[\\]|\\{\\}|[\\[\\]{}:,\"0-9]{0,3})"), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = record;
        for (at, length, with) in edits {
            let from = at.index(bytes.len() + 1);
            let to = (from + length).min(bytes.len());
            bytes.splice(from..to, with.into_bytes());
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        check(format, &bytes);
    }

    #[test]
    fn any_headers_lead_to_rows(
        record in any_record(),
        format in any_format(),
        headers in prop::collection::vec(any_header(), 0..6),
    ) {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_slice(), value.as_deref())).collect();
        check_with(format, &headers, &record);
    }

    #[test]
    fn every_value_may_be_of_any_type(at in any::<prop::sample::Index>(), with in 0_usize..9, send in any::<bool>(), format in any_format()) {
        let mut tree: serde_json::Value = serde_json::from_str(if send { SEND } else { WEBHOOK }).expect("JSON");
        let values = ["null", "true", "\"x\"", "7", "-1e300", "[]", "{}", "[[{}]]", "{\"a\":[1]}"];
        let mut paths = Vec::new();
        walk(&tree, &mut String::new(), &mut paths);
        let path = &paths[at.index(paths.len())];
        *tree.pointer_mut(path).expect("a path of the tree") = serde_json::from_str(values[with]).expect("JSON");
        let bytes = tree.to_string();
        check(Format::Auto, bytes.as_bytes());
        check(format, bytes.as_bytes());
    }

    #[test]
    fn bad_record_leaves_its_neighbours_alone(
        bad in prop::collection::vec(any::<u8>(), 0..200),
        format in any_format(),
    ) {
        let mut with = decoder();
        put(&mut with, 1, Format::Auto, WEBHOOK.as_bytes());
        put(&mut with, 2, format, &bad);
        put(&mut with, 3, Format::Auto, SEND.as_bytes());
        let mut without = decoder();
        put(&mut without, 1, Format::Auto, WEBHOOK.as_bytes());
        put(&mut without, 3, Format::Auto, SEND.as_bytes());
        let kept = |batches: Vec<EventBatch>| -> Vec<_> {
            batches
                .into_iter()
                .filter(|batch| !matches!(batch.kind, EventKind::DeadLetter | EventKind::Ignored))
                .map(|batch| (batch.kind, batch.date, batch.rows))
                .collect()
        };
        prop_assert_eq!(kept(with.finish()), kept(without.finish()));
    }
}

/// The pointers of all values of a tree.
fn walk(value: &serde_json::Value, at: &mut String, paths: &mut Vec<String>) {
    paths.push(at.clone());
    let length = at.len();
    match value {
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                walk(item, at, paths);
                at.truncate(length);
            }
        }
        serde_json::Value::Object(map) => {
            for (key, item) in map {
                at.push_str(&format!("/{key}"));
                walk(item, at, paths);
                at.truncate(length);
            }
        }
        _ => {}
    }
}
