use turnwise_model::{EventKind, MessageKind};

use crate::Format;
use crate::json::Tape;
use crate::testing::{Row, columns, decode, keys, kinds};

fn record(request: &str, rest: &str) -> String {
    format!(
        r#"{{"time":"2026-11-08T00:02:27.127Z","waba_id":"9","phone_number_id":"100","request":{request}{rest}}}"#
    )
}

const OK: &str = r#","status":200,"response":{"contacts":[{"input":"+1650","wa_id":"16505551234","user_id":"US.7"}],"messages":[{"id":"wamid.A"}]}"#;

fn only(format: Format, text: &str) -> Row {
    let (_, mut rows) = decode(format, text);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

#[test]
fn accepted_send_is_an_outbound_live_message() {
    let request = r#"{"to":"49170","recipient":"US.8","type":"text","text":{"body":"Hello, how are you?"},"context":{"message_id":"wamid.B"}}"#;
    for format in [Format::Send, Format::Auto] {
        let row = only(format, &record(request, OK));
        assert_eq!(row.kind, EventKind::Message);
        assert_eq!(row.date, "2026-11-08");
        assert_eq!(row.get("time"), "1794096147127000");
        assert_eq!((row.get("waba_id"), row.get("sender")), ("9", "100"));
        assert_eq!((row.get("origin"), row.get("direction"), row.get("is_reply")), ("0", "1", "1"));
        assert_eq!(row.get("message"), keys().message("100", "wamid.A").0.to_string());
        assert_eq!(row.get("peer_phone"), keys().peer_phone("100", "16505551234").0.to_string());
        assert_eq!(row.get("peer_user"), keys().peer_user("100", "US.7").0.to_string());
        assert_eq!((row.get("peer_country"), row.get("chars")), ("US", "19"));
        assert_eq!(row.get("pricing_regime"), "2");
    }
}

#[test]
fn length_stands_for_a_text() {
    let row =
        only(Format::Send, &record(r#"{"to":"1650","type":"text","text":{"chars":123}}"#, OK));
    assert_eq!((row.get("chars"), row.get("words"), row.get("text_bucket")), ("123", "", ""));
}

#[test]
fn send_without_answer_has_its_own_pseudonym() {
    let text = record(r#"{"recipient":"DE.5","type":"hologram"}"#, r#","status":"201""#);
    let row = only(Format::Auto, &text);
    assert_eq!(row.get("message"), keys().item("100", text.as_bytes()).0.to_string());
    assert_eq!(row.get("message_kind"), MessageKind::Unknown.code().to_string());
    assert_eq!((row.get("peer_country"), row.get("peer_phone")), ("DE", ""));
    assert_eq!(row.get("peer_user"), keys().peer_user("100", "DE.5").0.to_string());
}

#[test]
fn failed_sends_and_other_requests_are_ignored() {
    let text = r#"{"to":"1650","type":"text","text":{"body":"x"}}"#;
    let read = r#"{"status":"read","message_id":"wamid.A"}"#;
    let call = |action: &str| {
        let request = format!(
            r#"{{"messaging_product":"whatsapp","to":"1650","action":"{action}","session":{{"sdp":"x"}}}}"#
        );
        record(&request, r#","status":200,"response":{"calls":[{"id":"wacid.A"}]}"#)
    };
    let typing = r#"{"status":"read","message_id":"wamid.A","typing_indicator":{"type":"text"}}"#;
    for (record, name) in [
        (record(text, r#","status":400,"response":{"error":{"code":1}}"#), "send_failed"),
        (record(text, r#","status":"500""#), "send_failed"),
        (record(text, r#","response":{"error":{"code":1}}"#), "send_failed"),
        (record(read, OK), "mark_as_read"),
        (record(typing, OK), "typing"),
        (record(r#"{"status":"read"}"#, r#","status":200"#), "mark_as_read"),
        (
            record(text, r#","response":{"meta":{"version":"x"},"errors":[{"code":1006}]}"#),
            "send_failed",
        ),
        (call("connect"), "calls"),
        (call("terminate").replace(r#""status":200"#, r#""status":400"#), "calls"),
        (
            r#"{"messaging_product":"whatsapp","to":"1650","action":"accept","session":{}}"#
                .to_owned(),
            "calls",
        ),
        (
            r#"{"messaging_product":"whatsapp","status":"read","message_id":"w"}"#.to_owned(),
            "mark_as_read",
        ),
    ] {
        let row = only(Format::Auto, &record);
        assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, name), "{record}");
    }
}

#[test]
fn request_of_http_is_no_send() {
    let sent = r#"{"messaging_product":"whatsapp","to":"1650","type":"text","text":{"body":"x"}}"#;
    // What is sent is in the body, so nobody says from which number.
    let logged = record(&format!(r#"{{"method":"POST","body":{sent}}}"#), OK);
    let row = only(Format::Auto, &logged);
    assert_eq!((row.kind, row.get("reason")), (EventKind::DeadLetter, "no_sender"));
    let other = record(r#"{"method":"POST","body":{"x":"secret"}}"#, OK);
    assert_eq!(only(Format::Auto, &other).get("reason"), "unknown_shape");
    // A body beside what is sent is one more key.
    let send = sent.replacen('{', r#"{"body":{"entry":[]},"#, 1);
    assert_eq!(only(Format::Auto, &record(&send, OK)).kind, EventKind::Message);
}

#[test]
fn webhook_in_a_request_is_no_send() {
    let row = only(Format::Send, &record(r#"{"object":"x","entry":[{"id":"9"}]}"#, OK));
    assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "other"));
    let sent = r#"{"to":"1650","type":"text","text":{"body":"x"}}"#;
    for (request, expected) in [
        (sent.to_owned(), true),
        (r#"{"object":"x","entry":[{}]}"#.to_owned(), false),
        (r#"{"object":"x","entry":{"id":"9"}}"#.to_owned(), false),
        (r#"{"object":"x","entry":[7,{}]}"#.to_owned(), false),
        (r#"{"field":"messages","changes":[{}]}"#.to_owned(), false),
        (sent.replacen('{', r#"{"entry":"x","changes":7,"#, 1), true),
        (sent.replacen('{', r#"{"entry":[],"changes":["x"],"#, 1), true),
        (r#"{"messaging_product":"whatsapp","metadata":{},"messages":[]}"#.to_owned(), false),
        (r#"{"method":"POST","url":"/x"}"#.to_owned(), false),
        (sent.replacen('{', r#"{"headers":{},"metadata":{},"#, 1), true),
    ] {
        let text = record(&request, OK);
        let mut tape = Tape::default();
        let told = super::is_send(tape.parse(&text).expect("JSON"));
        assert_eq!(told, expected, "{request}");
    }
}

#[test]
fn request_for_no_message_is_ignored() {
    for request in [
        r#"{"messaging_product":"whatsapp","block_users":[{"user":"1650"}]}"#,
        r#"{"pin":"123456"}"#,
        r#"{"subject":"x"}"#,
        r#"{"blocking":"wait","contacts":["+16505551234"],"force_check":true}"#,
        r#"{"contacts":[]}"#,
        r#"{"messaging_product":"whatsapp","file":"@x","type":"image/jpeg"}"#,
        r#"{"messaging_product":"whatsapp","type":"application/pdf"}"#,
        r#"{"messaging_product":"whatsapp","file":"@x"}"#,
        r#"{"type":"unsupported","file":"@x"}"#,
        r#"{"messages":[]}"#,
        "{}",
    ] {
        // Whatever became of it, and whether or not anything tells that.
        for rest in [OK, r#","status":400"#, ""] {
            let row = only(Format::Send, &record(request, rest));
            assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "other"), "{request}");
        }
    }
}

#[test]
fn request_for_a_message_says_what_or_to_whom() {
    let card = r#"[{"name":{"formatted_name":"A"}}]"#;
    for request in [
        r#"{"to":"16505551234","type":"image/jpeg"}"#,
        r#"{"to":"16505551234","contacts":["+16505551234"]}"#,
        &format!(r#"{{"contacts":{card}}}"#),
        &format!(r#"{{"type":"contacts","contacts":{card}}}"#),
        r#"{"type":"document","document":{"id":"1"},"file":"@x"}"#,
        r#"{"to":"16505551234","messages":[{"type":"text"}]}"#,
    ] {
        let row = only(Format::Auto, &record(request, OK));
        assert_eq!(row.kind, EventKind::Message, "{request}");
    }
}

#[test]
fn several_requests_in_one_have_no_answers() {
    let sent = r#"{"to":"1650","type":"text","text":{"body":"secret"}}"#;
    for request in [
        r#"{"batch":[{"method":"POST"}]}"#.to_owned(),
        format!(r#"{{"messages":[{sent}]}}"#),
        format!(r#"{{"messaging_product":"whatsapp","messages":[{sent},{sent}]}}"#),
        format!(r#"{{"messages":[{sent}],"contacts":[{{"wa_id":"1650"}}]}}"#),
    ] {
        for format in [Format::Send, Format::Auto] {
            let row = only(format, &record(&request, OK));
            assert_eq!(
                columns(&row, "reason detail"),
                "unknown_shape request: expected one send, found object",
                "{request}"
            );
        }
        let row = only(Format::Send, &record(&request, r#","status":400"#));
        assert_eq!(row.get("reason"), "send_failed", "{request}");
    }
}

#[test]
fn text_with_a_category_is_a_template() {
    let text = r#"{"to":"1650","type":"text","text":{"body":"x"},"category":"utility"}"#;
    let kind = |kind: MessageKind| kind.code().to_string();
    let row = only(Format::Auto, &record(text, OK));
    assert_eq!(row.get("message_kind"), kind(MessageKind::Template));
    assert_eq!((row.get("chars"), row.get("bytes")), ("", ""));
    let other = only(Format::Auto, &record(&text.replace("utility", "x"), OK));
    assert_eq!(other.get("message_kind"), kind(MessageKind::Text));
}

#[test]
fn send_without_what_it_needs_is_a_dead_letter() {
    let text =
        r#"{"messaging_product":"whatsapp","to":"1650","type":"text","text":{"body":"secret"}}"#;
    for (record, reason, detail) in [
        (text.to_owned(), "no_sender", "record: expected a phone_number_id above, found nothing"),
        (
            format!(r#"{{"request":{text},"status":200,"phone_number_id":1}}"#),
            "no_time",
            "time: expected time, found nothing",
        ),
        (
            format!(r#"{{"request":{text},"phone_number_id":1}}"#),
            "wrong_type",
            "status: expected HTTP status, found nothing",
        ),
        (
            format!(r#"{{"request":{text},"status":200,"phone_number_id":1,"time":false}}"#),
            "wrong_type",
            "time: expected time, found boolean",
        ),
        (
            format!(r#"{{"request":{text},"status":200,"phone_number_id":1,"time":5}}"#),
            "time_out_of_range",
            "",
        ),
        (
            r#"{"request":[1],"status":200}"#.to_owned(),
            "wrong_type",
            "request: expected object, found array",
        ),
    ] {
        let row = only(Format::Auto, &record);
        assert_eq!((row.kind, row.get("reason")), (EventKind::DeadLetter, reason), "{record}");
        assert!(detail.is_empty() || row.get("detail") == detail, "{row:?}");
        assert!(!row.get("detail").contains("secret"));
    }
    let (_, rows) = decode(Format::Send, "[1]");
    assert_eq!(rows[0].get("detail"), "[0]: expected object, found number");
}

#[test]
fn template_of_a_server_on_premises_is_one() {
    let request = r#"{"to":"16505551234","type":"hsm","hsm":{"namespace":"n","element_name":"e"}}"#;
    let row = only(Format::Auto, &record(request, OK));
    assert_eq!(row.get("message_kind"), MessageKind::Template.code().to_string());
    // No errors are no failure.
    let ok = r#","response":{"messages":[{"id":"w"}],"errors":[]}"#;
    assert_eq!(only(Format::Auto, &record(request, ok)).kind, EventKind::Message);
}

#[test]
fn status_without_a_time_is_no_mark() {
    let status = r#"{"messaging_product":"whatsapp","id":"w","status":"sent","recipient_id":"1"}"#;
    assert_ne!(only(Format::Auto, status).get("reason"), "mark_as_read");
}

#[test]
fn group_is_no_peer() {
    let request = r#"{"to":"g1","recipient_type":"group","type":"text","text":{"body":"x"}}"#;
    let row = only(Format::Send, &record(request, OK));
    assert_eq!((row.get("in_group"), row.get("peer_phone"), row.get("peer_user")), ("1", "", ""));
}

#[test]
fn list_of_sends_is_taken_whole() {
    let one = record(r#"{"to":"1650","type":"text","text":{"body":"x"}}"#, OK);
    let list = format!("[{one},{{}},{one}]");
    assert_eq!(kinds(&decode(Format::Send, &list).1), ["message", "dead_letter", "message"]);
    assert_eq!(kinds(&decode(Format::Auto, &list).1), ["message", "ignored", "message"]);
}
