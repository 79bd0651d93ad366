use turnwise_model::SourceName;
use turnwise_model::limits::STRAIGHT_CONTACTS_MAX;

use super::steps;
use crate::testing::{self, decode};
use crate::{Decoder, Format};

/// Values of a list, each with its number.
fn list(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().join(",")
}

fn keys(count: usize) -> String {
    list(count, |nth| format!(r#""new{nth}":1"#))
}

fn contacts(count: usize) -> String {
    let contacts = list(count, |nth| format!(r#"{{"wa_id":"49{nth:010}","user_id":"US.{nth}"}}"#));
    format!(r#""contacts":[{contacts}]"#)
}

fn messages(count: usize) -> String {
    let one = |nth| {
        format!(
            r#"{{"from":"48{:010}","id":"{nth}","timestamp":"1794096147","type":"location","location":{{}}}}"#,
            1_000_000 + nth
        )
    };
    format!(r#""messages":[{}]"#, list(count, one))
}

fn statuses(count: usize) -> String {
    let one = |nth| {
        format!(
            r#"{{"recipient_id":"48{:010}","id":"{nth}","timestamp":"1794096147","status":"read"}}"#,
            1_000_000 + nth
        )
    };
    format!(r#""statuses":[{}]"#, list(count, one))
}

fn change(field: &str, value: &str) -> String {
    format!(r#"{{"value":{{"metadata":{{"phone_number_id":"100"}},{value}}},"field":"{field}"}}"#)
}

fn entry(around: &str, changes: &str) -> String {
    format!(r#"{{"entry":[{{{around}"changes":[{changes}]}}]}}"#)
}

/// Records that hold two things of which each could be looked at for each of the other, so many of
/// both.
fn record(name: &str, count: usize) -> String {
    let (all_keys, all_contacts, all_messages) = (keys(count), contacts(count), messages(count));
    let of = |field: &str, value: &str| entry("", &change(field, value));
    match name {
        "contacts and messages" => of("messages", &format!("{all_contacts},{all_messages}")),
        "contacts and statuses" => of("messages", &format!("{all_contacts},{}", statuses(count))),
        "contacts and a history" => of(
            "history",
            &format!(r#"{all_contacts},"history":[{{"threads":[{{"id":"49",{all_messages}}}]}}]"#),
        ),
        "contacts and copies" => {
            let copies = list(count, |_| format!("{{{}}}", messages(1)));
            of("standby", &format!(r#"{all_contacts},"standby":[{copies}]"#))
        }
        "a contact of many keys and messages" => {
            of("messages", &format!(r#""contacts":[{{{all_keys}}}],{all_messages}"#))
        }
        "an entry of many keys and changes" => {
            let changes = list(count, |_| change("messages", &messages(1)));
            entry(&format!("{all_keys},"), &changes)
        }
        "an entry of a long id and changes" => {
            let changes = list(count, |_| change("messages", &messages(1)));
            entry(&format!(r#""id":"{}","#, "\\u0039".repeat(count)), &changes)
        }
        "an entry of a long field and changes without one" => {
            let field = format!(r#""field":"{}","#, "\\u0020".repeat(count));
            entry(&field, &list(count, |_| r#"{"a":0}"#.to_owned()))
        }
        "an entry of a long time and errors" => {
            let errors = list(count, |nth| format!(r#"{{"code":{nth}}}"#));
            let time = format!(r#""time":"{}","#, "\\u0020".repeat(count));
            entry(&time, &change("messages", &format!(r#""errors":[{errors}]"#)))
        }
        "a thread of many keys and messages" => of(
            "history",
            &format!(r#""history":[{{"threads":[{{{all_keys},"id":"49",{all_messages}}}]}}]"#),
        ),
        "a value of many keys and messages" => {
            of("messages", &format!("{all_keys},{all_messages}"))
        }
        "Turn's contacts and messages" => {
            let mark = r#""_vnd":{},"from""#;
            let marked = all_messages.replace(r#""from""#, mark);
            format!(r#"{{"metadata":{{"phone_number_id":"100"}},{all_contacts},{marked}}}"#)
        }
        "escaped keys" => {
            let keys = list(count, |nth| format!(r#""\u006ew{nth}":1"#));
            of("messages", &format!("{keys},{}", messages(1)))
        }
        "events in a list" => {
            let data = format!("{{{}}}", messages(1)).replace('"', "\\\"");
            let event = format!(r#"{{"specversion":"1.0","type":"x","data":"{data}"}}"#);
            format!("[{}]", list(count, |_| event.clone()))
        }
        "records of a queue" => {
            let body = format!("{{{}}}", messages(1)).replace('"', "\\\"");
            let record = format!(r#"{{"receiptHandle":"x","body":"{body}"}}"#);
            format!(r#"{{"Records":[{}]}}"#, list(count, |_| record.clone()))
        }
        "requests of many keys in a list" => {
            let request = r#"{"headers":{},"body":{"headers":{},"body":{"x":1}}}"#;
            format!(r#"[{{{all_keys}}},{}]"#, list(count, |_| request.to_owned()))
        }
        "results" => {
            let result =
                r#"{"messageId":"1","to":"1","sender":"2","seenAt":"2026-11-08T00:00:00Z"}"#;
            format!(r#"{{{all_keys},"results":[{}]}}"#, list(count, |_| result.to_owned()))
        }
        "identifiers" => {
            let identifier = r#"{"identifierKey":"x","identifierValue":"1"}"#;
            format!(
                r#"{{"event":"whatsapp.inbound","payload":{{"channelId":"1","sender":{{"contact":{{{all_keys},"identifiers":[{}]}}}}}}}}"#,
                list(count, |_| identifier.to_owned())
            )
        }
        "Kapso's statuses" => {
            let one = statuses(count);
            format!(
                r#"{{{all_keys},"phone_number_id":"1","message":{{"kapso":{{"direction":"inbound",{one}}}}}}}"#
            )
        }
        other => panic!("no such record: {other}"),
    }
}

#[test]
fn twice_the_record_is_twice_the_work() {
    for name in [
        "contacts and messages",
        "contacts and statuses",
        "contacts and a history",
        "contacts and copies",
        "a contact of many keys and messages",
        "an entry of many keys and changes",
        "an entry of a long id and changes",
        "an entry of a long field and changes without one",
        "an entry of a long time and errors",
        "a thread of many keys and messages",
        "a value of many keys and messages",
        "Turn's contacts and messages",
        "escaped keys",
        "events in a list",
        "records of a queue",
        "requests of many keys in a list",
        "results",
        "identifiers",
        "Kapso's statuses",
    ] {
        let [once, twice] = [300, 600].map(|count| {
            let record = record(name, count);
            let taken = steps(|| {
                let (counts, _) = decode(Format::Auto, &record);
                assert!(counts.total() > 0, "{name}");
            });
            (taken, record.len())
        });
        println!("{name}: {once:?} and {twice:?} steps and bytes");
        assert!(twice.0 <= 2 * once.0 + once.0 / 4, "{name}: {once:?} and {twice:?}");
    }
}

#[test]
fn webhooks_of_many_contacts_are_counted_as_read_the_long_way() {
    let mut decoder = Decoder::new(testing::keys());
    let source = SourceName("test/1".to_owned());
    let context = testing::context(&source);
    for (count, long) in [(1, 0), (STRAIGHT_CONTACTS_MAX, 0), (STRAIGHT_CONTACTS_MAX + 1, 1)] {
        let record = record("contacts and messages", count);
        let counts = decoder.decode(Format::CloudApi, &context, Some(record.as_bytes()));
        assert_eq!(counts.messages, count as u64);
        assert_eq!(decoder.read_the_long_way(), long);
    }
}
