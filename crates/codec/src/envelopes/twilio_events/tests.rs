use turnwise_model::{EventKind, MessageKind, Status};

use crate::testing::{columns, decode, kinds, message, phone, told_alike, user};
use crate::{Format, Headers};

fn event(kind: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","type":"com.twilio.messaging.{kind}","source":"AB1","id":"NO1","dataschema":"https://events-schemas.twilio.com/Messaging.X/5","datacontenttype":"2025-10-08T07:17:02.363Z","time":"2026-11-08T00:02:29Z","data":{{"messageSid":"SM1","timestamp":"2026-11-08T00:02:27.000Z","accountSid":"AC1","eventName":"com.twilio.messaging.{kind}",{data}}}}}"#
    )
}

const RECEIVED: &str =
    r#""from":"whatsapp:+16505551234","to":"whatsapp:+15550783881","numMedia":0,"body":"Ahoy!""#;
const SENT: &str =
    r#""from":"whatsapp:+15550783881","to":"whatsapp:+16505551234","messageStatus":"QUEUED""#;

#[test]
fn list_of_events_is_taken_whole() {
    let list = format!(
        "[{},{},{}]",
        event("inbound-message.received", RECEIVED),
        event("message.delivered", SENT),
        event("inbound-message.received", r#""from":"+16505551234","to":"+1555","body":"x""#),
    );
    let (_, rows) = decode(Format::TwilioEvents, &list);
    assert_eq!(kinds(&rows), ["message", "status", "ignored"]);
    assert_eq!(
        columns(&rows[0], "sender direction message_kind chars time"),
        "15550783881 0 0 5 1794096147000000"
    );
    assert_eq!(rows[0].get("peer_phone"), phone("15550783881", "16505551234"));
    assert_eq!(rows[2].get("reason"), "other_channel");
    for format in [Format::Auto, Format::CloudEvents] {
        assert_eq!(decode(format, &list).1, rows);
    }
}

#[test]
fn kind_of_event_counts_and_not_the_status_in_it() {
    for (kind, status) in [
        ("message.queued", Status::Other),
        ("message.sent", Status::Sent),
        ("message.delivered", Status::Delivered),
        ("message.read", Status::Read),
        ("message.failed", Status::Failed),
        ("message.undelivered", Status::Failed),
    ] {
        let rows =
            told_alike(Format::TwilioEvents, &event(kind, &format!(r#"{SENT},"errorCode":63016"#)));
        assert_eq!(kinds(&rows), ["status"]);
        assert_eq!(rows[0].get("status"), status.code().to_string());
        assert_eq!(columns(&rows[0], "sender error_code"), "15550783881 63016");
        assert_eq!(rows[0].get("message"), message("15550783881", "SM1"));
    }
}

#[test]
fn text_that_was_sent_is_a_message_beside_its_status() {
    let data = format!(r#"{SENT},"body":"Your order""#);
    let rows = told_alike(Format::TwilioEvents, &event("message.sent", &data));
    assert_eq!(kinds(&rows), ["message", "status"]);
    assert_eq!(columns(&rows[0], "direction chars item"), "1 10 0");
    assert_eq!((rows[0].get("message"), rows[1].get("item")), (rows[1].get("message"), "1"));
    let rows = told_alike(Format::TwilioEvents, &event("message.failed", &data));
    assert_eq!(kinds(&rows), ["status"]);
}

#[test]
fn media_and_user_ids_are_known_as_far_as_they_are_told() {
    let data = r#""from":"whatsapp:US.12","to":"whatsapp:+15550783881","numMedia":1,"body":"","externalUserId":"US.12","referralCtwaClid":"x""#;
    let rows = told_alike(Format::TwilioEvents, &event("inbound-message.received", data));
    assert_eq!(rows[0].get("message_kind"), MessageKind::Unknown.code().to_string());
    assert_eq!(
        (rows[0].get("peer_user"), rows[0].get("peer_phone")),
        (&*user("15550783881", "US.12"), "")
    );
    assert_eq!(rows[0].get("has_referral"), "1");
}

#[test]
fn data_alone_and_attributes_in_headers_are_the_same() {
    let whole = event("inbound-message.received", RECEIVED);
    let tree: serde_json::Value = serde_json::from_str(&whole).expect("JSON");
    let data = tree["data"].to_string();
    let rows = told_alike(Format::TwilioEvents, &data);
    assert_eq!(kinds(&rows), ["message"]);
    let headers: Headers<'_> = &[
        (b"ce_specversion", Some(b"1.0")),
        (b"ce_type", Some(b"com.twilio.messaging.inbound-message.received")),
    ];
    assert_eq!(crate::testing::decode_with_headers(Format::Auto, headers, data.as_bytes()).1, rows);
}

#[test]
fn event_of_somebody_else_around_the_data_tells_nothing() {
    let whole = event("message.delivered", SENT);
    let expected = told_alike(Format::TwilioEvents, &whole);
    assert_eq!(kinds(&expected), ["status"]);
    let other = whole.replacen("com.twilio.messaging.message.delivered", "bsp.twilio.event", 1);
    let other = other.replace("https://events-schemas.twilio.com/", "https://bsp.example/");
    for format in [Format::Auto, Format::CloudEvents] {
        assert_eq!(decode(format, &other).1, expected, "{format}");
    }
    let tree: serde_json::Value = serde_json::from_str(&whole).expect("JSON");
    let headers: Headers<'_> =
        &[(b"ce_specversion", Some(b"1.0")), (b"ce_type", Some(b"bsp.twilio.event"))];
    let data = tree["data"].to_string();
    assert_eq!(
        crate::testing::decode_with_headers(Format::Auto, headers, data.as_bytes()).1,
        expected
    );
}

#[test]
fn other_events_of_twilio_are_ignored() {
    let rows = told_alike(Format::TwilioEvents, &event("x", r#""body":"secret""#));
    assert_eq!((rows[0].kind, rows[0].get("reason")), (EventKind::Ignored, "other"));
    let (_, rows) = decode(Format::TwilioEvents, r#"{"x":1}"#);
    assert_eq!(rows[0].get("reason"), "unknown_shape");
}

#[test]
fn click_on_an_advertisement_tells_the_channel() {
    let data = r#""from":"+16505551234","to":"+15550783881","numMedia":0,"body":"Hi","referralCtwaClid":"c1""#;
    let rows = told_alike(Format::TwilioEvents, &event("inbound-message.received", data));
    assert_eq!(columns(&rows[0], "sender direction chars has_referral"), "15550783881 0 2 1");
    assert_eq!(rows[0].get("peer_phone"), phone("15550783881", "16505551234"));
    let none = data.replace("c1", "");
    let rows = told_alike(Format::TwilioEvents, &event("inbound-message.received", &none));
    assert_eq!(rows[0].get("reason"), "other_channel");
}
