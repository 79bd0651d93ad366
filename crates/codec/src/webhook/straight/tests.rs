use turnwise_model::SourceName;

use super::*;
use crate::json::Cursor;
use crate::testing;
use crate::{Decoder, Format};

/// Whether the way takes each of the texts, one after another.
fn taken(texts: &[String]) -> Vec<bool> {
    let mut scratch = Scratch::default();
    testing::taken(texts, |record, hashing, unknown, bytes| {
        decode(record, hashing, &mut scratch, unknown, bytes)
    })
}

fn around(list: &str, item: &str) -> String {
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"9","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550783881","phone_number_id":"100"}},"{list}":[{item}]}},"field":"messages"}}]}}]}}"#
    )
}

const TEXT: &str = r#"{"from":"16505551234","id":"wamid.A","timestamp":"1794096147","type":"text","text":{"body":"Hi"}}"#;
const STATUS: &str = r#"{"id":"wamid.A","status":"sent","timestamp":"1794096147","recipient_id":"16505551234","errors":[{"code":131047}]}"#;

#[test]
fn usual_webhooks_are_taken_however_they_are_written() {
    let message = around("messages", TEXT);
    let texts = [
        message.clone(),
        message.replace("wamid.A", "wamid.Longer").replace("Hi", "h\u{e9}"),
        message.replace("Hi", "a\\nb \\ud83d\\ude00"),
        message.replace(':', " :\n").replace(',', " , "),
        message.replace(r#""type":"text","#, "").replace("}}]}", r#"},"type":"text"}]}"#),
        message.replace(r#""1794096147""#, "1794096147"),
        message.replace(r#""from""#, r#""new":[{"a":null}],"from""#),
        around("statuses", STATUS),
        around("message_echoes", &TEXT.replace("from", "to")),
        message.replace(r#""from""#, r#""referral":{"source_id":"7"},"from""#),
        message.replace("\"9\"", "\"16505551235\""),
    ];
    assert_eq!(taken(&texts), [true; 11]);
}

const HANDOVER: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"9","changes":[{"field":"messaging_handovers","value":{"messaging_product":"whatsapp","sender":{"phone_number":"16505551234"},"recipient":{"phone_number_id":"100","display_phone_number":"1"},"type":"control_passed","timestamp":"1794096147","control_passed":{"previous_owner_role":"ai_agent","new_owner_role":"customer_service"}}}]}]}"#;

#[test]
fn handovers_are_taken_unless_they_are_unusual() {
    let texts = [
        HANDOVER.to_owned(),
        HANDOVER.replace(r#""phone_number":"16505551234""#, r#""user_id":"US.7""#),
        HANDOVER.replace("control_passed", "control_taken"),
        HANDOVER.replace(r#""previous_owner_role":"ai_agent","#, ""),
        HANDOVER.replace("ai_agent", "AI_AGENT"),
        HANDOVER.replace("_owner_role", "_owner_app_role").replace("ai_agent", "META_AI"),
        HANDOVER
            .replace(r#""sender":{"phone_number":"16505551234"}"#, r#""contacts":[{"wa_id":"1"}]"#),
        HANDOVER.replace(r#""recipient""#, r#""metadata":{"phone_number_id":"200"},"recipient""#),
    ];
    assert_eq!(taken(&texts), [true; 8]);
    let texts = [
        HANDOVER.replace("ai_agent", "martian"),
        HANDOVER.replace(r#""previous_owner_role":"ai_agent""#, r#""previous_owner":{}"#),
        HANDOVER.replace("control_passed", "control_lost"),
        HANDOVER.replace(r#""type":"control_passed""#, r#""type":"control_taken""#),
        HANDOVER.replace(r#""type":"control_passed","#, ""),
        HANDOVER.replace(r#""timestamp":"1794096147","#, ""),
        HANDOVER.replace("1794096147", "1"),
        HANDOVER.replace(r#""phone_number":"1"#, r#""phone_number":"+1"#),
        HANDOVER.replace(r#""phone_number""#, r#""wa_id""#),
        HANDOVER.replace(r#""phone_number_id":"100","#, ""),
        HANDOVER.replace(r#""type""#, &format!(r#""messages":[{TEXT}],"type""#)),
        HANDOVER.replace("messaging_handovers", "messages"),
        HANDOVER.replace(r#""new_owner_role""#, r#""recipient":{},"new_owner_role""#),
        HANDOVER.replace("\"9\"", "\"16505551234\""),
    ];
    assert_eq!(taken(&texts), [false; 14]);
}

#[test]
fn what_is_unusual_is_left_alone() {
    let message = around("messages", TEXT);
    let status = around("statuses", STATUS);
    let without_items =
        r#"{"value":{"metadata":{"phone_number_id":"100"},"messages":[]},"field":"messages"}"#;
    let texts = [
        message.replace(r#""from""#, r#""from":"1","from""#),
        message.replace(r#""from""#, r#""fr\u006fm""#),
        message.replace(r#""from""#, r#""group_id":"g","from""#),
        message.replace(r#""id":"wamid.A","#, ""),
        message.replace("1794096147", "1"),
        message.replace("{\"object\"", "{\"gs_app_id\":\"x\",\"object\""),
        status.replace("\"status\"", "\"code\":1,\"status\""),
        status.replace("\"code\"", "\"no\""),
        status.replace("\"status\"", "\"message\":{},\"status\""),
        status.replace("\"statuses\"", "\"message\":{},\"statuses\""),
        message.replace(r#""messages":["#, r#""contacts":[{"group_id":"g"}],"messages":["#),
        message.replace(r#""from""#, r#""referral":{},"from""#),
        message.replace(r#""messages":["#, r#""user_id_update":[],"messages":["#),
        // An account that may be a person's.
        message.replace("\"9\"", "\"16505551234\""),
        message.replace("\"9\"", "\"+16505551234\""),
        message.replace("\"9\"", "\"9@lid\""),
        status.replace("\"9\"", "\"16505551234\""),
        status.replace("\"recipient_id\"", "\"recipient_participant_id\""),
        around("message_echoes", &TEXT.replace("from", "to")).replace("\"9\"", "\"16505551234\""),
        message
            .replace(r#""messages":["#, r#""contacts":[{"wa_id":"1650555"}],"messages":["#)
            .replace("\"9\"", "\"1650555\""),
        message
            .replace("\"from\"", r#""new":[{"a":"+49016505551234"}],"from""#)
            .replace("\"9\"", "\"4916505551234\""),
        message
            .replace("\"from\"", r#""context":{"from":"4916505551234"},"from""#)
            .replace("\"9\"", "\"4916505551234\""),
        status.replace("\"100\"", "\"16505551234\""),
        message.replace("\"100\"", "\"100@lid\""),
        around(
            "message_echoes",
            &TEXT.replace("\"from\":\"16505551234\"", "\"to\":\"15550783881\""),
        ),
        format!("[{message}]"),
        message[..message.len() - 1].to_owned(),
        format!("{message}x"),
        around("messages", ""),
        message.replace(r#""changes":["#, &format!(r#""changes":[{without_items},"#)),
        message.replace(r#""messages":"#, r#""user_actions":[],"messages":"#),
        status.replace(r#""errors""#, r#""conversation":{"pricing":{}},"errors""#),
    ];
    assert_eq!(taken(&texts), [false; 32]);
}

#[test]
fn texts_of_a_known_layout_are_found_whatever_their_values_are() {
    let mut scratch = Scratch::default();
    let text = around("messages", TEXT);
    let texts = [text.clone()];
    let taken = testing::taken(&texts, |record, hashing, unknown, bytes| {
        decode(record, hashing, &mut scratch, unknown, bytes)
    });
    assert_eq!(taken, [true]);
    let mut is_known = |text: &str| scratch.layouts.find(text.as_bytes()).is_some();
    for value in ["", "Hi", "\\\"", "\u{4e2d}", &"long ".repeat(100)] {
        assert!(is_known(&text.replace("Hi", value)), "{value}");
    }
    for other in [
        text.replace("\"text\":", "\"test\":"),
        text.replace("\"type\":\"text\"", "\"type\":\"image\""),
        text.replace("whatsapp_business_account", "page"),
        text.replace("Hi", "\\x"),
        text.replace("Hi", "\u{1}"),
        text.replace(r#""Hi""#, "7"),
        format!("{text} "),
        text[..text.len() - 1].to_owned(),
    ] {
        assert!(!is_known(&other), "{other}");
    }
}

#[test]
fn changes_are_known_in_any_company() {
    let mut scratch = Scratch::default();
    let change = |text: &str| {
        let from = text.find(r#"{"value""#).expect("a change");
        text[from..text.len() - "]}]}".len()].to_owned()
    };
    let message = change(&around("messages", TEXT));
    let status = change(&around("statuses", STATUS));
    let webhook = |changes: &[&String]| {
        let changes: Vec<&str> = changes.iter().map(|change| change.as_str()).collect();
        format!(r#"{{"entry":[{{"changes":[{}],"id":"9"}}]}}"#, changes.join(" , "))
    };
    let other = message.replace("wamid.A", "wamid.B").replace("Hi", "h\u{e9}");
    let texts = [
        webhook(&[&message, &status]),
        webhook(&[&status, &other, &status]),
        webhook(&[&other, &other]),
        webhook(&[&other, &other.replace("wamid.B", "")]),
    ];
    let taken = testing::taken(&texts, |record, hashing, unknown, bytes| {
        decode(record, hashing, &mut scratch, unknown, bytes)
    });
    assert_eq!(taken, [true, true, true, false]);
    let mut is_known = |change: &str| {
        let mut trace = Trace::default();
        let mark = Cursor::new(change.as_bytes(), &mut trace).mark_next();
        scratch.read.layouts.find_part(change.as_bytes(), mark).is_some()
    };
    assert!(is_known(&message) && is_known(&status) && is_known(&other));
    assert!(!is_known(&message.replace("\"text\"", "\"image\"")));
}

#[test]
fn refused_webhooks_leave_nothing_behind() {
    let change = |sender: &str, list: &str| {
        format!(
            r#"{{"value":{{"metadata":{{"phone_number_id":"{sender}"}},{list}}},"field":"messages"}}"#
        )
    };
    let webhook = |changes: &[String]| {
        format!(r#"{{"entry":[{{"changes":[{}],"id":"9"}}]}}"#, changes.join(","))
    };
    let messages = format!(r#""messages":[{TEXT}]"#);
    let early = messages.replace("1794096147", "1");
    let senders = || (0..500).map(|nth| change(&format!("of {nth}"), &messages));
    let records = [
        webhook(&senders().chain([change("100", &early)]).collect::<Vec<_>>()),
        webhook(&senders().chain([change(" 100", &messages)]).collect::<Vec<_>>()),
        webhook(&senders().chain([change("100", &messages)]).collect::<Vec<_>>()),
        webhook(&[change("100", &messages), change("200", &early)]),
        webhook(&[change("100", &messages), change(" 200", &messages)]),
    ];
    for record in records {
        let held = |mut decoder: Decoder| {
            let source = SourceName("test/1".to_owned());
            let context = testing::context(&source);
            let counts = decoder.decode(Format::CloudApi, &context, Some(record.as_bytes()));
            (counts, decoder.bytes())
        };
        let (of_straight, of_meaning) =
            (held(Decoder::new(testing::keys())), held(Decoder::by_meaning(testing::keys())));
        assert_eq!(of_straight, of_meaning, "{record}");
    }
    // What is refused last has the owners before it checked, and none is kept.
    let refused = [("200", &early), (" 200", &messages)]
        .map(|(sender, list)| webhook(&[change("100", &messages), change(sender, list)]));
    let mut kept = Vec::new();
    let taken = testing::taken(&refused, |record, hashing, unknown, bytes| {
        let before = record.rows.bytes();
        let taken = decode(record, hashing, &mut Scratch::default(), unknown, bytes);
        kept.push(record.rows.bytes() - before);
        taken
    });
    assert_eq!((taken, kept), (vec![false; 2], vec![0; 2]));
}

#[test]
fn memory_of_a_huge_webhook_is_given_back_with_it() {
    let many = |count| vec![TEXT; count].join(",");
    let names: Vec<String> = (0..200_000).map(|nth| format!(r#""new{nth}":1"#)).collect();
    let unknown = TEXT.replace(r#""from""#, &format!(r#"{},"from""#, names.join(",")));
    let mut scratch = Scratch::default();
    for (text, is_taken) in [
        (around("messages", &many(ITEMS_MAX)), true),
        (around("messages", &many(20 * ITEMS_MAX)), false),
        (around("messages", &many(20 * ITEMS_MAX))[1..].to_owned(), false),
        (around("messages", &unknown), false),
    ] {
        let taken = testing::taken(&[text], |record, hashing, unknown, bytes| {
            decode(record, hashing, &mut scratch, unknown, bytes)
        });
        assert_eq!(taken, [is_taken]);
        let Scratch { trace, read, .. } = &scratch;
        assert!(read.lists.messages.capacity() <= 2 * ITEMS_MAX);
        assert!(trace.values.capacity() <= 64 << 10 && trace.unknown.capacity() <= 64 << 10);
        assert!(read.lists.messages.is_empty() && trace.values.is_empty());
    }
}
