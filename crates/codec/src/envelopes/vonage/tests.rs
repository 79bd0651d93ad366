use turnwise_model::{EventKind, InteractiveType, MessageKind, Status};

use crate::Format;
use crate::testing::{Row, columns, message, only, phone, user};

const BUSINESS: &str = "447700900000";

fn received(kind: &str, rest: &str) -> String {
    format!(
        r#"{{"channel":"whatsapp","context_status":"none","from":"16505551234","to":"447700900000","message_uuid":"u1","message_type":"{kind}","profile":{{"name":"A B"}},"timestamp":"2026-11-08T00:02:27Z",{rest}}}"#
    )
}

fn row(kind: &str, rest: &str) -> Row {
    only(Format::Vonage, &received(kind, rest))
}

#[test]
fn received_message_is_the_numbers() {
    let row = row("text", r#""text":"Hello","whatsapp":{"user_id":"US.7"}"#);
    assert_eq!(
        columns(&row, "sender direction message_kind chars time"),
        "447700900000 0 0 5 1794096147000000"
    );
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone(BUSINESS, "16505551234"), &*user(BUSINESS, "US.7"))
    );
    assert_eq!(row.get("message"), message(BUSINESS, "u1"));
}

#[test]
fn kinds_are_vonages() {
    let kind = |kind: MessageKind| kind.code().to_string();
    let tap = |it: InteractiveType| format!("6 {}", it.code());
    for (name, rest, expected, marks) in [
        (
            "image",
            r#""image":{"url":"x","caption":"abc"}"#,
            kind(MessageKind::Image) + " -",
            "3 0 0",
        ),
        ("audio", r#""audio":{"url":"x"}"#, kind(MessageKind::Audio) + " -", "- 0 0"),
        (
            "file",
            r#""file":{"url":"x","caption":"ab"}"#,
            kind(MessageKind::Document) + " -",
            "2 0 0",
        ),
        ("sticker", r#""sticker":{"url":"x"}"#, kind(MessageKind::Sticker) + " -", "- 0 0"),
        (
            "location",
            r#""location":{"lat":1,"long":2}"#,
            kind(MessageKind::Location) + " -",
            "- 0 0",
        ),
        (
            "reply",
            r#""reply":{"id":"1","title":"Yes"}"#,
            tap(InteractiveType::ButtonReply),
            "3 0 0",
        ),
        (
            "reply",
            r#""reply":{"id":"1","title":"Row","description":"d"}"#,
            tap(InteractiveType::ListReply),
            "3 0 0",
        ),
        (
            "button",
            r#""button":{"payload":"p","text":"Okay"},"context":{"message_uuid":"u0","message_from":"1"}"#,
            kind(MessageKind::Button) + " -",
            "4 1 0",
        ),
        (
            "order",
            r#""order":{"catalog_id":"1"},"whatsapp":{"referral":{"source_id":"1"}}"#,
            kind(MessageKind::Order) + " -",
            "- 0 1",
        ),
        (
            "reaction",
            r#""reaction":{"action":"react","emoji":"x"}"#,
            kind(MessageKind::Reaction) + " -",
            "- 0 0",
        ),
        ("unsupported", r#""x":1"#, kind(MessageKind::Unsupported) + " -", "- 0 0"),
        ("custom", r#""custom":{}"#, kind(MessageKind::Unknown) + " -", "- 0 0"),
    ] {
        let row = row(name, rest);
        assert_eq!(columns(&row, "message_kind interactive_type"), expected, "{name}");
        assert_eq!(columns(&row, "chars is_reply has_referral"), marks, "{name}");
    }
}

#[test]
fn statuses_have_prices_and_errors() {
    for (word, status) in [
        ("submitted", Status::Sent),
        ("delivered", Status::Delivered),
        ("read", Status::Read),
        ("rejected", Status::Failed),
        ("undeliverable", Status::Failed),
        ("hologram", Status::Other),
    ] {
        let record = format!(
            r#"{{"message_uuid":"u1","to":"16505551234","from":"447700900000","timestamp":"2026-11-08T00:02:27.000Z","status":"{word}","channel":"whatsapp","error":{{"type":"x","title":1340,"detail":"secret"}},"usage":{{"price":"0.03","currency":"EUR"}},"whatsapp":{{"waba_id":"9","conversation":{{"id":"c","origin":{{"type":"utility"}}}},"pricing":{{"type":"regular","pricing_model":"PMP","category":"utility"}}}}}}"#
        );
        let row = only(Format::Vonage, &record);
        assert_eq!((row.kind, row.get("status")), (EventKind::Status, &*status.code().to_string()));
        assert_eq!(
            columns(
                &row,
                "waba_id sender error_code category conversation_origin pricing_type pricing_model"
            ),
            "9 447700900000 1340 2 2 0 1"
        );
        assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"));
    }
}

#[test]
fn old_version_and_other_channels() {
    let old = r#"{"message_uuid":"u1","from":{"type":"whatsapp","number":"16505551234"},"to":{"type":"whatsapp","number":"447700900000"},"timestamp":"2026-11-08T00:02:27Z","direction":"inbound","message":{"content":{"type":"text","text":"Hello"}}}"#;
    let row = only(Format::Vonage, old);
    assert_eq!(columns(&row, "sender message_kind chars"), "447700900000 0 5");
    let sms = received("text", r#""text":"secret""#)
        .replace("\"channel\":\"whatsapp\"", "\"channel\":\"sms\"");
    assert_eq!(only(Format::Vonage, &sms).get("reason"), "other_channel");
    let bare = r#"{"message_uuid":"u1","from":"1650","to":"447","channel":"sms","message_type":"text","text":"secret","timestamp":"2026-11-08T00:02:27Z"}"#;
    assert_eq!(only(Format::Vonage, bare).get("reason"), "other_channel");
    assert_eq!(only(Format::Vonage, r#"{"message_uuid":"u1"}"#).get("reason"), "unknown_shape");
}

#[test]
fn requests_and_logs_of_sends_are_of_nobody() {
    let sent = |rest: &str| {
        format!(
            r#"{{"message_uuid":"u1","from":"447700900000","to":"16505551234","channel":"whatsapp","message_type":"text","text":"secret"{rest}}}"#
        )
    };
    const TIME: &str = r#","timestamp":"2026-11-08T00:02:27Z""#;
    for rest in [
        String::new(),
        TIME.to_owned(),
        format!(r#"{TIME},"context":{{"message_uuid":"u0"}},"client_ref":"x""#),
        format!(r#"{TIME},"direction":"outbound","profile":{{"name":"A B"}}"#),
        r#","profile":{"name":"A B"}"#.to_owned(),
    ] {
        let row = only(Format::Vonage, &sent(&rest));
        assert_eq!(columns(&row, "reason sender waba_id"), "unknown_shape - -", "{rest}");
    }
    // Either mark is enough.
    for mark in [r#""profile":{"name":"A B"}"#, r#""context_status":"none""#] {
        let received = sent(&format!("{TIME},{mark}"))
            .replace(r#""from":"447700900000","to":"16505551234""#, r#""from":"1650","to":"447""#);
        assert_eq!(
            columns(&only(Format::Vonage, &received), "sender direction"),
            "447 0",
            "{mark}"
        );
    }
}

#[test]
fn direction_that_is_told_two_ways_is_none() {
    for rest in [
        r#""status":"received","message_type":"text","text":"secret""#,
        r#""status":"submitted","message_type":"text""#,
        r#""status":"delivered","message":{"content":{"type":"text","text":"secret"}}"#,
        r#""status":"read","profile":{"name":"A B"},"text":"secret""#,
        r#""status":"read","direction":"inbound""#,
        r#""status":"received""#,
    ] {
        let record = format!(
            r#"{{"message_uuid":"u1","channel":"whatsapp","from":"16505551234","to":"447700900000","timestamp":"2026-11-08T00:02:27Z",{rest}}}"#
        );
        let row = only(Format::Vonage, &record);
        assert_eq!(columns(&row, "reason sender waba_id"), "unknown_shape - -", "{rest}");
    }
    let profile = r#"{"message_uuid":"u1","channel":"whatsapp","from":"447700900000","to":"16505551234","timestamp":"2026-11-08T00:02:27Z","status":"read","profile":{"name":"A B"}}"#;
    assert_eq!(only(Format::Vonage, profile).get("sender"), BUSINESS);
}

#[test]
fn direction_of_a_status_wins_over_empty_texts() {
    let status = |rest: &str| {
        format!(
            r#"{{"message_uuid":"u1","channel":"whatsapp","from":"447700900000","to":"16505551234","timestamp":"2026-11-08T00:02:27Z","status":"delivered",{rest}}}"#
        )
    };
    for rest in [
        r#""direction":"outbound","message_type":"text""#,
        r#""direction":"outbound","message_type":"text","text":"secret""#,
        r#""text":"""#,
        r#""message_type":"","message":{},"text":"""#,
    ] {
        let row = only(Format::Vonage, &status(rest));
        assert_eq!(columns(&row, "sender status"), format!("{BUSINESS} 1"), "{rest}");
        assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"), "{rest}");
    }
}

#[test]
fn number_of_a_person_is_no_account() {
    let account = |id: &str| format!(r#""text":"x","whatsapp":{{"waba_id":"{id}"}}"#);
    assert_eq!(columns(&row("text", &account("9")), "sender waba_id"), "447700900000 9");
    for id in ["16505551234", "+1 650 555 1234"] {
        let record = received("text", &account(id));
        let dead = record.replace("2026-11-08T00:02:27Z", "soon");
        let status = format!(
            r#"{{"message_uuid":"u1","from":"447700900000","to":"16505551234","channel":"whatsapp","status":"read","timestamp":"2026-11-08T00:02:27Z","whatsapp":{{"waba_id":"{id}"}}}}"#
        );
        for record in [record, dead, status] {
            let row = only(Format::Vonage, &record);
            assert_eq!(columns(&row, "sender waba_id"), "447700900000 -", "{record}");
        }
    }
}

#[test]
fn empty_referral_is_none() {
    let row = row("text", r#""text":"x","referral":{},"whatsapp":{"referral":{}}"#);
    assert_eq!(row.get("has_referral"), "0");
}

fn failed(error: &str) -> Row {
    let record = format!(
        r#"{{"message_uuid":"u1","to":"16505551234","from":"447700900000","timestamp":"2026-11-08T00:02:27Z","status":"rejected","channel":"whatsapp","error":{error}}}"#
    );
    only(Format::Vonage, &record)
}

#[test]
fn code_of_an_error_is_its_title_or_behind_its_type() {
    const TYPE: &str = "https://vonage.example/errors#1360";
    for (error, code) in [
        (r#"{"error":{"title":1340,"detail":"secret"}}"#.to_owned(), "1340"),
        (format!(r#"{{"error":{{"type":"{TYPE}","title":"Too late"}}}}"#), "1360"),
        (format!(r#"{{"type":"{TYPE}","title":"Too late"}}"#), "1360"),
        (r#"{"type":"x#4917055512345","title":"x"}"#.to_owned(), ""),
        (r#"{"type":"x","title":"x"}"#.to_owned(), ""),
    ] {
        assert_eq!(failed(&error).get("error_code"), code, "{error}");
    }
}

#[test]
fn status_tells_both_ids_of_its_recipient() {
    for to in ["US.ENT.3", "US.7", "16505551234"] {
        let record = format!(
            r#"{{"message_uuid":"u1","to":"{to}","from":"447700900000","channel":"whatsapp","status":"delivered","timestamp":"2026-11-08T00:02:27Z","profile":{{"name":"A B","username":"ab"}},"whatsapp":{{"recipient":{{"user_id":"US.7","parent_user_id":"US.ENT.3","wa_id":"16505551234"}}}}}}"#
        );
        let row = only(Format::Vonage, &record);
        assert_eq!(
            (row.get("peer_phone"), row.get("peer_user")),
            (&*phone(BUSINESS, "16505551234"), &*user(BUSINESS, "US.7")),
            "{to}"
        );
    }
}
