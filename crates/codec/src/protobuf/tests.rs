use prost::Message as _;
use turnwise_model::EventKind;

use crate::events::{self, item, message};
use crate::testing::{Row, columns, decode_bytes, decode_with_headers, keys, kinds};
use crate::{Format, Headers, RecordCounts};

mod owners;

const TIME: i64 = 1_794_096_147_000;

fn record(items: Vec<item::Event>) -> events::Record {
    let item = |event| events::Item { event: Some(event), ..events::Item::default() };
    events::Record {
        waba_id: "9".to_owned(),
        phone_number_id: "100".to_owned(),
        items: items.into_iter().map(item).collect(),
    }
}

fn text_message() -> events::Message {
    events::Message {
        id: "wamid.A".to_owned(),
        time_ms: TIME,
        direction: events::Direction::Inbound.into(),
        r#type: events::MessageType::Text.into(),
        peer_phone: "16505551234".to_owned(),
        peer_user_id: "US.7".to_owned(),
        content: Some(message::Content::Text("hi there".to_owned())),
        ..events::Message::default()
    }
}

fn run(bytes: &[u8]) -> (RecordCounts, Vec<Row>) {
    decode_bytes(Format::Protobuf, bytes)
}

fn only(message: events::Message) -> Row {
    let (_, mut rows) = run(&record(vec![item::Event::Message(message)]).encode_to_vec());
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

#[test]
fn message_has_the_columns_that_json_would_give_it() {
    let row = only(text_message());
    assert_eq!((row.kind, row.date.as_str()), (EventKind::Message, "2026-11-08"));
    assert_eq!((row.get("waba_id"), row.get("sender")), ("9", "100"));
    assert_eq!(row.get("peer_phone"), keys().peer_phone("100", "16505551234").0.to_string());
    assert_eq!(row.get("peer_user"), keys().peer_user("100", "US.7").0.to_string());
    assert_eq!(row.get("message"), keys().message("100", "wamid.A").0.to_string());
    assert_eq!((row.get("chars"), row.get("peer_country"), row.get("origin")), ("8", "US", "0"));
    let sent = events::Message {
        direction: events::Direction::Outbound.into(),
        content: Some(message::Content::Chars(123)),
        ..text_message()
    };
    let row = only(sent);
    assert_eq!((row.get("direction"), row.get("chars"), row.get("bytes")), ("1", "123", ""));
}

#[test]
fn numbers_nobody_knows_are_unknown_kinds_and_no_item_is_lost() {
    let row = only(events::Message { r#type: 4_711, ..text_message() });
    assert_eq!((row.get("message_kind"), row.get("chars")), ("19", ""));
    let row = only(events::Message { r#type: 0, ..text_message() });
    assert_eq!(row.get("message_kind"), "19");
    let row = only(events::Message { r#type: 7, interactive_type: 99, ..text_message() });
    assert_eq!((row.get("message_kind"), row.get("interactive_type")), ("6", "14"));
    let row = only(events::Message { origin: 9, ..text_message() });
    assert_eq!(
        (row.get("reason"), row.get("detail")),
        ("wrong_type", "items[0].message.origin: expected a known origin, found another number")
    );
    let row = only(events::Message { direction: 3, ..text_message() });
    assert_eq!(row.get("reason"), "no_direction");
    let row = only(events::Message { direction: i32::MIN, ..text_message() });
    assert_eq!(row.get("reason"), "no_direction");
    let status = events::Status { time_ms: TIME, status: -1, category: 99, ..Default::default() };
    let (_, rows) = run(&record(vec![item::Event::Status(status)]).encode_to_vec());
    assert_eq!((rows[0].get("status"), rows[0].get("category")), ("5", "13"));
}

#[test]
fn item_that_says_nothing_known_is_ignored_by_name() {
    // An item with field 9 and one with none at all.
    let bytes = b"\x0a\x019\x1a\x03\x4a\x01x\x1a\x00";
    let (_, rows) = run(bytes);
    assert_eq!(kinds(&rows), ["ignored", "ignored"]);
    assert_eq!((rows[0].get("reason"), rows[1].get("reason")), ("other", "empty"));
    let ignored = |name: &str| item::Event::Ignored(events::Ignored { name: name.to_owned() });
    let (_, rows) = run(&record(vec![ignored("mark_as_read"), ignored("4917")]).encode_to_vec());
    assert_eq!((rows[0].get("reason"), rows[1].get("reason")), ("mark_as_read", "other"));
}

#[test]
fn damaged_item_leaves_its_neighbours_alone() {
    let good = record(vec![item::Event::Message(text_message())]).items[0].encode_to_vec();
    let damages: [(&[u8], &str); 8] = [
        (b"\x0a\x05x", "items[1]: expected protobuf, found the end of its message at byte "),
        (b"\x0a\x80\x80\x80\x80\x04", "items[1]: expected protobuf, found the end of its message"),
        (b"\x0a\x02\x0b\x0c", "items[1]: expected protobuf without groups, found a group"),
        (b"\x4b\x4c", "items[1]: expected protobuf without groups, found a group"),
        (
            b"\x0a\x0d\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x",
            "items[1]: expected protobuf, found a varint that is too long at byte ",
        ),
        (b"\x0a\x02\x0a\xff", "items[1]: expected protobuf, found the end of its message"),
        (b"\x0a\x03\x0a\x01\xff", "items[1]: expected UTF-8, found other bytes at byte "),
        (b"\x08\x01", "items[1]: expected the field's wire type, found another one at byte "),
    ];
    for (damage, detail) in damages {
        let mut bytes = b"\x0a\x019\x12\x03100".to_vec();
        for item in [&good, damage, &good] {
            bytes.push(0x1a);
            bytes.push(u8::try_from(item.len()).expect("short"));
            bytes.extend_from_slice(item);
        }
        let (counts, rows) = run(&bytes);
        assert_eq!((counts.messages, counts.dead_letters), (2, 1), "{damage:?}");
        assert!(rows[1].get("detail").starts_with(detail), "{}", rows[1].get("detail"));
        assert_eq!((rows[1].get("sender"), rows[2].get("item")), ("100", "2"));
    }
}

#[test]
fn record_that_breaks_off_keeps_what_stands_before() {
    let whole =
        record(vec![item::Event::Message(text_message()), item::Event::Message(text_message())])
            .encode_to_vec();
    let first_end = (whole.len() + b"\x0a\x019\x12\x03100".len()) / 2;
    for cut in 1..whole.len() {
        let (counts, rows) = run(&whole[..cut]);
        assert!(counts.total() > 0 && counts.dead_letters <= 1);
        assert_eq!(counts.messages, u64::from(cut >= first_end), "{cut} {rows:?}");
    }
    let mut long = whole.clone();
    long.extend_from_slice(b"\x1a\xff\xff\xff\xff\x03x");
    let (counts, rows) = run(&long);
    assert_eq!((counts.messages, counts.dead_letters), (2, 1));
    assert_eq!((rows[2].get("reason"), rows[2].get("record_bytes")), ("invalid_protobuf", "7"));
}

#[test]
fn record_that_breaks_off_behind_a_tag_is_broken() {
    let good = record(vec![item::Event::Message(text_message())]).encode_to_vec();
    let (counts, rows) = run(&[&good[..], b"\x1a"].concat());
    assert_eq!((counts.messages, counts.dead_letters), (1, 1));
    assert_eq!((rows[1].get("reason"), rows[1].get("record_bytes")), ("invalid_protobuf", "1"));
}

/// A field of length-delimited bytes.
fn delimited(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![tag];
    prost::encoding::encode_varint(bytes.len() as u64, &mut field);
    field.extend_from_slice(bytes);
    field
}

#[test]
fn a_message_that_breaks_off_within_its_item_is_what_the_generated_types_say() {
    // Ids and fields as of real ones, so that the straight way is taken.
    let origin = events::Origin::Live.into();
    let inner = events::Message { origin, ..text_message() }.encode_to_vec();
    let head = events::Record {
        waba_id: "12345678".to_owned(),
        phone_number_id: "87654321".to_owned(),
        items: Vec::new(),
    };
    let ends: [&[u8]; 6] = [b"", b"\x4a", b"\x4a\x05", b"\x4a\x7f\x50\x07", b"\x3a\x02", b"\x10"];
    for cut in 0..=inner.len() {
        for end in ends {
            let message = [&inner[..cut], end].concat();
            let is_sound = events::Message::decode(&message[..]).is_ok();
            let of_item = delimited(0x1a, &delimited(0x0a, &message));
            let (counts, rows) = run(&[head.encode_to_vec(), of_item].concat());
            if !is_sound {
                let found = (counts.messages, counts.dead_letters);
                assert_eq!(found, (0, 1), "{cut} {end:?} {rows:?}");
                assert_eq!(rows[0].get("reason"), "invalid_protobuf", "{cut} {end:?}");
            }
        }
    }
}

#[test]
fn account_is_no_person_and_no_chat() {
    for id in ["4915112345678@s.whatsapp.net", "77@lid", "DE.4711"] {
        let mut all = record(vec![item::Event::Message(text_message())]);
        all.waba_id = id.to_owned();
        let bytes = all.encode_to_vec();
        let (_, rows) = run(&bytes);
        assert_eq!((rows[0].get("waba_id"), rows[0].get("sender")), ("", "100"), "{id}");
        let (_, broken) = run(&bytes[..bytes.len() - 1]);
        assert_eq!((kinds(&broken), broken[0].get("waba_id")), (vec!["dead_letter"], ""), "{id}");
    }
}

#[test]
fn owner_may_stand_behind_the_items_or_in_them() {
    let (mut one, other) = (text_message(), text_message());
    one.peer_user_id.clear();
    let mut all = record(vec![item::Event::Message(one), item::Event::Message(other)]);
    all.items[1].phone_number_id = "200".to_owned();
    let (head, items) = (
        events::Record { items: Vec::new(), ..all.clone() }.encode_to_vec(),
        events::Record { items: all.items.clone(), ..Default::default() }.encode_to_vec(),
    );
    let (_, before) = run(&all.encode_to_vec());
    let (_, behind) = run(&[items, head].concat());
    assert_eq!(before, behind);
    assert_eq!((before[0].get("sender"), before[1].get("sender")), ("100", "200"));
    assert_ne!(before[0].get("peer_phone"), before[1].get("peer_phone"));
}

#[test]
fn frames_of_schema_registries_are_taken_off() {
    let bytes = record(vec![item::Event::Message(text_message())]).encode_to_vec();
    let plain = run(&bytes);
    for frame in [&b"\x00\x00\x00\x12\x34\x00"[..], b"\x00\x00\x00\x12\x34\x02\x00"] {
        let framed = [frame, &bytes].concat();
        assert_eq!(run(&framed), plain);
        assert_eq!(decode_bytes(Format::Auto, &framed), plain);
    }
    for (frame, reason) in [
        (&b"\x00\x00\x00\x12\x34\x02\x02"[..], "unknown_shape"),
        (b"\x00\x00\x00\x12", "invalid_protobuf"),
    ] {
        let (counts, rows) = run(&[frame, &bytes[..2]].concat());
        assert_eq!((counts.total(), rows[0].get("reason")), (1, reason));
    }
    let json = r#"{"messages":[{"from":"1650","timestamp":"1794096147","type":"text"}],"metadata":{"phone_number_id":"1"}}"#;
    let framed = [b"\x00\x00\x00\x12\x34", json.as_bytes()].concat();
    let plain = decode_bytes(Format::CloudApi, json.as_bytes());
    assert_eq!((plain.0.messages, &decode_bytes(Format::CloudApi, &framed)), (1, &plain));
    assert_eq!(decode_bytes(Format::Auto, &framed), plain);
}

#[test]
fn protobuf_is_told_from_json_by_its_content() {
    let bytes = record(vec![item::Event::Message(text_message())]).encode_to_vec();
    assert_eq!(decode_bytes(Format::Auto, &bytes), run(&bytes));
    let (_, rows) = decode_bytes(Format::Auto, b"\n\x01x\x1a\x05");
    assert_eq!(rows[0].get("reason"), "invalid_json");
    let (_, rows) = run(b"");
    assert_eq!(rows[0].get("reason"), "empty");
    let (_, rows) = run(b"\x0a\x019");
    assert_eq!((rows[0].kind, rows[0].get("reason")), (EventKind::Ignored, "empty"));
    let (_, rows) = run(b"\x52\x019");
    assert_eq!(rows[0].get("reason"), "unknown_shape");
}

/// A newer writer's fields of a record, one of each wire type.
const NEWER: [&[u8]; 4] = [b"\x22\x05trace", b"\x28\x96\x01", b"\x3112345678", b"\xbd\x3e1234"];

#[test]
fn record_of_a_newer_writer_is_told_by_its_content() {
    let record = record(vec![item::Event::Message(text_message())]).encode_to_vec();
    let all = NEWER.concat();
    for newer in NEWER.into_iter().chain([&all[..]]) {
        let bytes = [&record, newer].concat();
        assert!(super::looks_like_one(&bytes), "{newer:?}");
        let (counts, rows) = decode_bytes(Format::Auto, &bytes);
        assert_eq!((counts.messages, counts.total()), (1, 1), "{newer:?}");
        assert_eq!((counts, rows), run(&bytes));
        let framed = [b"\x00\x00\x00\x12\x34\x00", &bytes[..]].concat();
        assert_eq!(decode_bytes(Format::Auto, &framed), run(&bytes));
        // Behind a field of ours, wherever that is.
        let between = [&record[..3], newer, &record[3..]].concat();
        assert_eq!(decode_bytes(Format::Auto, &between), run(&bytes));
        assert!(!super::looks_like_one(&[newer, &record].concat()));
        assert!(!super::looks_like_one(&bytes[..bytes.len() - 1]));
    }
    // A group, a known field of another type, no item.
    for odd in [&b"\x23\x24"[..], b"\x18\x01"] {
        assert!(!super::looks_like_one(&[&record, odd].concat()));
    }
    assert!(!super::looks_like_one(b"\x0a\x019\x22\x01x"));
}

#[test]
fn record_of_somebody_else_is_not_taken_for_ours() {
    // An id, a phone number, a text and a mark, all under the numbers of ours.
    let theirs = b"\x0a\x03abc\x12\x0b16505551234\x1a\x05hello\x20\x01";
    // No event, and one that breaks off.
    let nothing = b"\x0a\x03abc\x12\x0b16505551234\x1a\x03\x2a\x01x\x20\x01";
    let broken = b"\x12\x0b16505551234\x1a\x04\x0a\x05ab\x20\x01";
    for bytes in [&theirs[..], nothing, broken] {
        assert!(!super::looks_like_one(bytes), "{bytes:?}");
        let (_, rows) = decode_bytes(Format::Auto, bytes);
        assert_eq!((rows.len(), rows[0].kind), (1, EventKind::DeadLetter), "{bytes:?}");
        assert_eq!(rows[0].get("sender"), "", "{bytes:?}");
    }
    // One item that is one is enough: others may be of a newer writer's kinds.
    let ours = record(vec![item::Event::Message(text_message())]).encode_to_vec();
    assert!(super::looks_like_one(&[&theirs[..], &ours].concat()));
}

#[test]
fn what_is_framed_and_no_json_is_protobuf() {
    for (body, reason) in [
        (&b"\x00\x1a\x05x"[..], "invalid_protobuf"),
        (b"\x00\x52\x019", "unknown_shape"),
        (b"\x04\x02\x02{", "unknown_shape"),
        (b"x", "unknown_shape"),
        (b"\x01", "invalid_protobuf"),
    ] {
        let (_, rows) = decode_bytes(Format::Auto, &[b"\x00\x00\x00\x12\x34", body].concat());
        assert_eq!(rows[0].get("reason"), reason, "{body:?}");
    }
    let (_, rows) = decode_bytes(Format::Auto, b"\x00\x00\x00\x12\x34 \n{\"x\":}");
    assert_eq!(rows[0].get("reason"), "invalid_json");
}

#[test]
fn record_that_begins_as_json_does_is_protobuf() {
    let told: Headers<'_> = &[(b"content-type", Some(b"application/x-protobuf"))];
    for (length, begin) in [(10, "{x"), (13, "[x"), (32, " {"), (123, "x"), (91, "x")] {
        let waba_id = format!("{begin:x<length$}");
        let message = item::Event::Message(text_message());
        let bytes = events::Record { waba_id, ..record(vec![message]) }.encode_to_vec();
        assert!(crate::frame::holds_json(&bytes), "{length}");
        let expected = run(&bytes);
        assert_eq!(expected.0.messages, 1);
        assert_eq!(decode_with_headers(Format::Auto, told, &bytes), expected, "{length}");
        assert_eq!(decode_bytes(Format::Auto, &bytes), expected, "{length}");
    }
    let json = br#" {"entry":[{"id":"9"}]}"#;
    let (_, rows) = decode_with_headers(Format::Auto, told, json);
    assert_eq!(rows[0].kind, EventKind::Ignored);
}

#[test]
fn texts_are_never_taken_for_protobuf() {
    let form = "MessageSid=SM1&From=whatsapp%3A%2B1650&Body=a+b";
    let json = r#"{"entry":[{"id":"9"}]}"#;
    for text in [form, json, "oops", "7", "\"x\"", "[]"] {
        for before in ["", "\n", "\n\n", "\r\n", " ", "\n\t", "\u{feff}"] {
            for behind in ["", "\n", "\n\n"] {
                let lines = format!("{before}{text}{behind}");
                for text in [lines.clone(), lines.repeat(3), lines.repeat(40)] {
                    // Some editors of old end a text with such a character.
                    for text in [format!("{text}\u{1a}"), text] {
                        assert!(!super::looks_like_one(text.as_bytes()), "{text:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn identity_change_gives_an_account_row_of_the_same_position() {
    let changed = events::Message {
        r#type: events::MessageType::System.into(),
        content: None,
        identity_change: Some(events::IdentityChange {
            event: "user_changed_number".to_owned(),
            new_phone: "16505559999".to_owned(),
            ..Default::default()
        }),
        ..text_message()
    };
    let (_, rows) = run(&record(vec![item::Event::Message(changed)]).encode_to_vec());
    assert_eq!(kinds(&rows), ["message", "account"]);
    assert_eq!(rows[1].get("item"), "0");
    assert_eq!(rows[1].get("peer_phone"), keys().peer_phone("100", "16505559999").0.to_string());
    assert_eq!(rows[1].get("peer_phone_previous"), rows[0].get("peer_phone"));
}

#[test]
fn any_string_that_is_not_utf8_is_refused() {
    const MARK: &[u8] = b"77777";
    let mark = || "77777".to_owned();
    let messages = [
        events::Message { id: mark(), ..text_message() },
        events::Message { peer_phone: mark(), ..text_message() },
        events::Message { peer_user_id: mark(), ..text_message() },
        events::Message { content: Some(message::Content::Text(mark())), ..text_message() },
    ];
    let mut records: Vec<events::Record> =
        messages.map(|message| record(vec![item::Event::Message(message)])).into();
    let usual = record(vec![item::Event::Message(text_message())]);
    records.push(events::Record { waba_id: mark(), ..usual.clone() });
    records.push(events::Record { phone_number_id: mark(), ..usual });
    for record in records {
        let mut bytes = record.encode_to_vec();
        let at = bytes.windows(MARK.len()).position(|part| part == MARK).expect("the mark");
        bytes[at + 2] = 0xff;
        assert!(events::Record::decode(&bytes[..]).is_err());
        let (_, rows) = run(&bytes);
        let reasons: Vec<_> = rows.iter().map(|row| (row.kind, row.get("reason"))).collect();
        assert_eq!(reasons, [(EventKind::DeadLetter, "invalid_utf8")]);
    }
}

#[test]
fn plain_items_past_the_maximum_are_one_dead_letter() {
    let max = turnwise_model::limits::RECORD_ITEMS_MAX;
    for more in [0, 1, 100] {
        let message = item::Event::Message(events::Message { content: None, ..text_message() });
        let (counts, rows) = run(&record(vec![message; max + more]).encode_to_vec());
        assert_eq!(counts.messages, max as u64);
        assert_eq!(counts.dead_letters, u64::from(more > 0));
        assert_eq!(rows.len(), max + usize::from(more > 0));
        let letter = rows.iter().find(|row| row.kind == EventKind::DeadLetter);
        assert_eq!(letter.map(|row| row.get("reason")), (more > 0).then_some("too_many_items"));
    }
}

#[test]
fn unknown_fields_count_once_whichever_way_their_items_go() {
    // A plain item with a field that nobody knows, one of no direction with two, and another plain one.
    let plain = text_message();
    let odd = events::Message { direction: 0, ..text_message() };
    let with = |message: &events::Message, unknown: usize| {
        let mut bytes = message.encode_to_vec();
        // Field 100, a number.
        (0..unknown).for_each(|_| bytes.extend(b"\xa0\x06\x01"));
        let mut item = vec![0x0A];
        prost::encode_length_delimiter(bytes.len(), &mut item).expect("room");
        item.extend(bytes);
        item
    };
    let mut bytes = b"\x0a\x0f123456789012345\x12\x0f223456789012345".to_vec();
    for item in [with(&plain, 1), with(&odd, 2), with(&plain, 0), with(&plain, 4)] {
        bytes.push(0x1A);
        prost::encode_length_delimiter(item.len(), &mut bytes).expect("room");
        bytes.extend(item);
    }
    let mut decoder = crate::Decoder::new(keys());
    let source = turnwise_model::SourceName("test/1".to_owned());
    let context = crate::testing::context(&source);
    let counts = decoder.decode(Format::Protobuf, &context, Some(&bytes));
    assert_eq!((counts.messages, counts.dead_letters), (3, 1));
    let unknown: u64 = decoder.unknown_fields().map(|(_, count)| count).sum();
    assert_eq!(unknown, 7);
    let items: Vec<_> = crate::testing::rows(&mut decoder)
        .iter()
        .map(|row| (row.kind == EventKind::DeadLetter, row.get("item").to_owned()))
        .collect();
    assert!(items.contains(&(true, "1".to_owned())) && items.contains(&(false, "3".to_owned())));
}
