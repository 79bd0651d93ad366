use base64::Engine as _;
use turnwise_model::EventKind;

use crate::testing::{columns, decode, decode_with_headers, kinds};
use crate::{Format, Headers};

const WEBHOOK: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"9","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"100"},"messages":[{"from":"16505551234","id":"w","timestamp":"1794096147","type":"text","text":{"body":"hi"}}]}}]}]}"#;
const SEND: &str = r#"{"time":"2026-11-08T00:02:27.127Z","phone_number_id":"100","status":200,"request":{"to":"16505551234","type":"text","text":{"body":"hi"}},"response":{"messages":[{"id":"w"}]}}"#;
const FORM: &str = "MessageSid=SM1&AccountSid=AC1&From=whatsapp%3A%2B16505551234&To=whatsapp%3A%2B15550783881&Body=hi&NumMedia=0&SmsStatus=received";

fn event(data: &str, rest: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"1","source":"/x","type":"y"{rest},{data}}}"#)
}

#[test]
fn data_is_read_however_it_is_written() {
    let (_, plain) = decode(Format::CloudApi, WEBHOOK);
    let text = serde_json::to_string(WEBHOOK).expect("writes");
    let standard = base64::engine::general_purpose::STANDARD.encode(WEBHOOK);
    let bare = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(WEBHOOK);
    let (first, rest) = standard.split_at(76);
    for data in [
        format!(r#""data":{WEBHOOK}"#),
        format!(r#""data":[{WEBHOOK}]"#),
        format!(r#""data":{text}"#),
        format!(r#""data_base64":"{standard}""#),
        format!(r#""data_base64":"{bare}","data":null"#),
        format!(r#""data_base64":"{first}\r\n{rest}\n""#),
    ] {
        for format in [Format::Auto, Format::CloudEvents] {
            let (_, rows) = decode(format, &event(&data, ""));
            assert_eq!(rows, plain, "{data}");
        }
    }
}

#[test]
fn list_of_events_is_taken_whole_and_a_bad_one_leaves_its_neighbours() {
    let good = event(&format!(r#""data":{WEBHOOK}"#), "");
    let send = event(&format!(r#""data":{SEND}"#), "");
    let nested = event(&format!(r#""data":{good}"#), "");
    let bad = [
        event(r#""data_base64":"%%""#, ""),
        event(r#""data":"{""#, ""),
        event(r#""data":7"#, ""),
        event(r#""x":1"#, ""),
        nested,
        "7".to_owned(),
    ]
    .join(",");
    let (_, rows) = decode(Format::CloudEvents, &format!("[{good},{bad},{send}]"));
    let reasons: Vec<&str> = rows.iter().map(|row| row.get("reason")).collect();
    assert_eq!(
        reasons,
        [
            "",
            "invalid_base64",
            "invalid_json",
            "wrong_type",
            "empty",
            "unknown_shape",
            "unknown_shape",
            ""
        ]
    );
    assert_eq!(rows[1].get("detail"), "[1].data_base64: expected base64, found string");
    assert_eq!(rows[2].get("detail"), "[2].data: expected JSON, found an error at byte 1");
    assert_eq!((rows[0].kind, rows[7].kind), (EventKind::Message, EventKind::Message));
    assert_eq!((rows[0].get("direction"), rows[7].get("direction")), ("0", "1"));
}

#[test]
fn attributes_in_headers_leave_the_value_as_it_is() {
    let headers: Headers<'_> = &[
        (b"ce_specversion", Some(b"1.0")),
        (b"ce_id", Some(b"1")),
        (b"ce_source", Some(b"/x")),
        (b"ce_type", Some(b"com.example.webhook")),
        (b"content-type", Some(b"application/json")),
    ];
    for (record, expected) in [(WEBHOOK, Format::CloudApi), (SEND, Format::Send)] {
        let plain = decode(expected, record);
        for format in [Format::Auto, Format::CloudEvents, expected] {
            assert_eq!(decode_with_headers(format, headers, record.as_bytes()), plain);
        }
    }
    let (_, rows) =
        decode_with_headers(Format::Auto, headers, event(r#""data":{}"#, "").as_bytes());
    assert_eq!(
        columns(&rows[0], "reason detail"),
        "unknown_shape record: expected an event, found object"
    );
}

#[test]
fn forms_lie_in_events_too_and_take_their_time() {
    let text = serde_json::to_string(FORM).expect("writes");
    let rest =
        r#","time":"2026-11-08T00:02:27Z","datacontenttype":"application/x-www-form-urlencoded""#;
    let (_, rows) = decode(Format::Auto, &event(&format!(r#""data":{text}"#), rest));
    assert_eq!(kinds(&rows), ["message"]);
    assert_eq!(columns(&rows[0], "sender time chars"), "15550783881 1794096147000000 2");
    let headers: Headers<'_> = &[
        (b"ce_specversion", Some(b"1.0")),
        (b"ce_time", Some(b"2026-11-08T00:02:27Z")),
        (b"content-type", Some(b"application/x-www-form-urlencoded")),
    ];
    assert_eq!(decode_with_headers(Format::Auto, headers, FORM.as_bytes()).1, rows);
    let early = rest.replace("2026", "2015");
    let (_, rows) = decode(Format::Auto, &event(&format!(r#""data":{text}"#), &early));
    assert_eq!(rows[0].get("reason"), "time_out_of_range");
}

#[test]
fn account_events_without_a_time_take_the_events() {
    let update = |time: &str| {
        format!(
            r#"{{"entry":[{{"id":"9"{time},"changes":[{{"field":"account_update","value":{{"event":"DISABLED_UPDATE"}}}}]}}]}}"#
        )
    };
    let violation = r#"{"id":"1","event":"account_violation","data":{"phone_number":"1555"}}"#;
    let offboarded = r#"{"type":"whatsapp.business_account.updated","apiVersion":"v2","whatsappBusinessAccount":{"id":"9"}}"#;
    let renamed =
        r#"{"phone_number_id":"1","contact":{"wa_id":"1650"},"previous":{"wa_id":"1651"}}"#;
    let identity = r#"{"content":{"type":"user_identity_changed"},"createdAt":""}"#;
    let quality = r#"{"eventType":"phone_number_quality_update","eventDetails":{}}"#;
    let status = r#"{"app":"a","type":"account-event","payload":{"type":"status-event"}}"#;
    let of_platform = update("");
    let of_gupshup = of_platform.replacen('{', r#"{"gs_app_id":"a","#, 1);
    let of_others = [violation, offboarded, renamed, identity, quality, status];
    for data in [&*of_platform, &of_gupshup].into_iter().chain(of_others) {
        let around = event(&format!(r#""data":{data}"#), r#","time":"2020-01-01T00:00:00Z""#);
        let (_, rows) = decode(Format::Auto, &around);
        assert_eq!(kinds(&rows), ["account"], "{data}");
        assert_eq!(rows[0].get("time"), "1577836800000000", "{data}");
        let headers: Headers<'_> =
            &[(b"ce_specversion", Some(b"1.0")), (b"ce_time", Some(b"2020-01-01T00:00:00Z"))];
        assert_eq!(decode_with_headers(Format::Auto, headers, data.as_bytes()).1, rows, "{data}");
        let (_, rows) = decode(Format::Auto, &event(&format!(r#""data":{data}"#), ""));
        assert_eq!(rows[0].get("time"), "1794139200000000", "{data}");
    }
    // Their own goes before.
    let own = update(r#","time":1794096147"#);
    let around = event(&format!(r#""data":{own}"#), r#","time":"2020-01-01T00:00:00Z""#);
    assert_eq!(decode(Format::Auto, &around).1[0].get("time"), "1794096147000000");
}

#[test]
fn content_type_that_is_a_time_tells_nothing() {
    let rest = r#","datacontenttype":"2025-10-08T07:17:02.363Z""#;
    let (_, rows) = decode(Format::CloudEvents, &event(&format!(r#""data":{WEBHOOK}"#), rest));
    assert_eq!(kinds(&rows), ["message"]);
}

#[test]
fn evident_json_is_json_whatever_its_content_type_says() {
    let plain = decode(Format::CloudApi, WEBHOOK);
    let (text, base64) = (
        serde_json::to_string(WEBHOOK).expect("writes"),
        base64::engine::general_purpose::STANDARD.encode(WEBHOOK),
    );
    for content in ["application/x-www-form-urlencoded", "application/x-protobuf; x=y"] {
        let told: Headers<'_> = &[(b"content-type", Some(content.as_bytes()))];
        let binary: Headers<'_> = &[told[0], (b"ce_specversion", Some(b"1.0"))];
        for headers in [told, binary] {
            for before in ["", "\n ", "\u{feff}", "\0\0\0\u{12}\u{34}"] {
                let record = format!("{before}{WEBHOOK}");
                let found = decode_with_headers(Format::Auto, headers, record.as_bytes());
                assert_eq!(found, plain, "{content} {before:?}");
            }
        }
        let rest = format!(r#","datacontenttype":"{content}""#);
        for data in [
            format!(r#""data":{WEBHOOK}"#),
            format!(r#""data":{text}"#),
            format!(r#""data_base64":"{base64}""#),
        ] {
            assert_eq!(decode(Format::Auto, &event(&data, &rest)), plain, "{content} {data}");
        }
    }
    // A setting wins, and so does the content type of all else.
    for (format, reason) in [(Format::Protobuf, "invalid_protobuf"), (Format::Twilio, "")] {
        let (_, rows) = decode_with_headers(format, &[], WEBHOOK.as_bytes());
        assert_ne!(rows, plain.1);
        assert!(reason.is_empty() || rows[0].get("reason") == reason, "{rows:?}");
    }
    let protobuf: Headers<'_> = &[(b"content-type", Some(b"application/x-protobuf"))];
    let (_, rows) = decode_with_headers(Format::Auto, protobuf, b"\x0a\x019\x1a\x05x");
    assert_eq!(rows[0].get("reason"), "invalid_protobuf");
}
