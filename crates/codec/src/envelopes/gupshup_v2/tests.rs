use turnwise_model::{Category, EventKind, InteractiveType, MessageKind};

use crate::Format;
use crate::testing::{Row, columns, decode, kinds, message, only, phone, told_alike, user};

fn event(kind: &str, payload: &str) -> String {
    format!(
        r#"{{"app":"DemoApp","timestamp":1794096147500,"version":2,"type":"{kind}","payload":{{{payload}}}}}"#
    )
}

fn received(kind: &str, inner: &str) -> Row {
    let payload = format!(
        r#""id":"ABE1","source":"16505551234","type":"{kind}","payload":{{{inner}}},"sender":{{"phone":"16505551234","name":"A B","country_code":"1","dial_code":"6505551234","userId":"US.7"}},"context":{{"id":"gBE","gsId":"g"}}"#
    );
    only(Format::GupshupV2, &event("message", &payload))
}

#[test]
fn received_message_is_the_apps() {
    let row = received("text", r#""text":"Hi""#);
    assert_eq!(
        columns(&row, "sender direction message_kind chars is_reply time"),
        "DemoApp 0 0 2 1 1794096147500000"
    );
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone("DemoApp", "16505551234"), &*user("DemoApp", "US.7"))
    );
    assert_eq!(row.get("message"), message("DemoApp", "ABE1"));
}

#[test]
fn name_of_an_app_may_begin_as_a_user_id() {
    let payload = r#""id":"ABE1","source":"16505551234","type":"text","payload":{"text":"Hi"}"#;
    let of_app = |name: &str| event("message", payload).replace("DemoApp", name);
    for name in ["DE.shop1", "UK.Support24", "DE.support", "DE.my shop 1"] {
        let row = only(Format::GupshupV2, &of_app(name));
        assert_eq!((row.kind, row.get("sender")), (EventKind::Message, name));
    }
    for id in ["US.1349", "US.ENT.A1", "DE.83b1d00077q0259c", "DE.shop20261108001"] {
        let row = only(Format::GupshupV2, &of_app(id));
        assert_eq!(columns(&row, "reason sender"), "no_sender -", "{id}");
    }
}

#[test]
fn kinds_have_names_of_their_own() {
    let kind = |kind: MessageKind| kind.code().to_string();
    let tap = |it: InteractiveType| format!("6 {}", it.code());
    for (name, inner, expected, chars) in [
        (
            "file",
            r#""caption":"abc","contentType":"application/pdf""#,
            kind(MessageKind::Document) + " -",
            "3",
        ),
        ("image", r#""caption":"abcd","url":"x""#, kind(MessageKind::Image) + " -", "4"),
        ("audio", r#""url":"x""#, kind(MessageKind::Audio) + " -", "-"),
        ("contact", r#""contacts":[]"#, kind(MessageKind::Contacts) + " -", "-"),
        ("location", r#""latitude":"1""#, kind(MessageKind::Location) + " -", "-"),
        ("quick_reply", r#""text":"Yes","type":"button""#, kind(MessageKind::Button) + " -", "3"),
        (
            "button_reply",
            r#""title":"First","id":"q","reply":"First 1""#,
            tap(InteractiveType::ButtonReply),
            "5",
        ),
        (
            "list_reply",
            r#""title":"Row","id":"q","reply":"Row 1""#,
            tap(InteractiveType::ListReply),
            "3",
        ),
        ("hologram", "", kind(MessageKind::Unknown) + " -", "-"),
    ] {
        let row = received(name, inner);
        assert_eq!(columns(&row, "message_kind interactive_type"), expected, "{name}");
        assert_eq!(columns(&row, "chars"), chars, "{name}");
    }
    let flat = event(
        "message",
        r#""id":"1","source":"1650","type":"text","text":"Hello","timestamp":"1794096147""#,
    );
    assert_eq!(columns(&only(Format::GupshupV2, &flat), "chars time"), "5 1794096147000000");
}

#[test]
fn masked_numbers_are_no_peers() {
    let payload = r#""id":"1","source":"918x98xx21x4","type":"text","payload":{"text":"x"},"sender":{"phone":"918x98xx21x4"}"#;
    let row = only(Format::GupshupV2, &event("message", payload));
    assert_eq!(columns(&row, "peer_phone peer_user peer_country"), "- - IN");
}

#[test]
fn statuses_go_by_gupshups_own_id() {
    let sent = event(
        "message-event",
        r#""id":"wamid.A","gsId":"g1","type":"sent","destination":"16505551234","payload":{"ts":1794096147},"conversation":{"id":"c","type":"authentication"},"pricing":{"policy":"PMP","category":"authentication","type":"regular"},"userId":"US.7""#,
    );
    let row = only(Format::GupshupV2, &sent);
    assert_eq!(
        columns(&row, "sender status category conversation_origin pricing_type pricing_model time"),
        "DemoApp 0 3 3 0 1 1794096147000000"
    );
    assert_eq!(
        (row.get("message"), row.get("peer_user")),
        (&*message("DemoApp", "g1"), &*user("DemoApp", "US.7"))
    );
    let queued = event(
        "message-event",
        r#""id":"g1","type":"enqueued","destination":"16505551234","payload":{"whatsappMessageId":"wamid.A","type":"session"}"#,
    );
    let row = only(Format::GupshupV2, &queued);
    assert_eq!((row.get("message"), row.get("status")), (&*message("DemoApp", "g1"), "5"));
    let failed = event(
        "message-event",
        r#""id":"wamid.A","gsId":"g1","type":"failed","destination":"1650","payload":{"code":1002,"reason":"x"}"#,
    );
    assert_eq!(columns(&only(Format::GupshupV2, &failed), "status error_code"), "4 1002");
}

#[test]
fn parts_stand_in_the_payload_or_in_its_payload() {
    let sent = event(
        "message-event",
        r#""id":"wamid.A","gsId":"g1","type":"sent","destination":"16505551234","ts":1794096147,"payload":{"conversation":{"id":"c","type":"Marketing"},"pricing":{"policy":"CBP","category":"Marketing"}}"#,
    );
    assert_eq!(
        columns(&only(Format::GupshupV2, &sent), "category conversation_origin pricing_model time"),
        "0 0 0 1794096147000000"
    );
    let tier = r#""type":"tier-event","payload":{"event":"UPGRADE","currentTier":"TIER_250"}"#;
    let row = only(Format::GupshupV2, &event("account-event", tier));
    assert_eq!(columns(&row, "field event"), "phone_number_quality_update UPGRADE");
    let mismatch = r#""type":"mismatch","destination":"1650","payload":{"wa_id":"1650"}"#;
    let row = only(Format::GupshupV2, &event("message-event", mismatch));
    assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "other"));
}

#[test]
fn other_events_are_ignored_or_about_the_account() {
    for (kind, payload, name) in [
        ("billing-event", r#""deductions":{}"#, "billing_event"),
        ("user-event", r#""phone":"1650","type":"opted-in""#, "user_event"),
        ("template-event", "", "template_event"),
        ("hologram", "", "other"),
        ("account-event", r#""type":"pndn-event""#, "account_event"),
    ] {
        let row = only(Format::GupshupV2, &event(kind, payload));
        assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, name));
    }
    let row = only(
        Format::GupshupV2,
        &event("account-event", r#""type":"status-event","status":"ACCOUNT_VIOLATION""#),
    );
    assert_eq!(columns(&row, "sender field event"), "DemoApp account_update ACCOUNT_VIOLATION");
}

#[test]
fn text_without_a_type_is_a_text() {
    let payload = r#""id":"1","source":"16505551234","payload":{"text":"Hello"}"#;
    let row = only(Format::GupshupV2, &event("message", payload));
    assert_eq!(columns(&row, "message_kind chars"), "0 5");
    let nothing = r#""id":"1","source":"16505551234","payload":{"x":1}"#;
    let row = only(Format::GupshupV2, &event("message", nothing));
    assert_eq!(columns(&row, "message_kind chars"), format!("{} -", MessageKind::Unknown.code()));
}

#[test]
fn conversations_of_old_are_told_by_who_opened_them() {
    for (word, category) in [
        ("UIC", Category::UserInitiated),
        ("BIC", Category::BusinessInitiated),
        ("FEP", Category::ReferralConversion),
    ] {
        let sent = format!(
            r#""id":"wamid.A","gsId":"g1","type":"sent","destination":"16505551234","payload":{{"ts":1794096147}},"conversation":{{"id":"c","type":"{word}"}},"pricing":{{"policy":"CBP","category":"{word}"}}"#
        );
        let row = only(Format::GupshupV2, &event("message-event", &sent));
        let code = category.code();
        assert_eq!(
            columns(&row, "category conversation_origin pricing_model"),
            format!("{code} {code} 0")
        );
    }
}

#[test]
fn callbacks_of_the_gateway_name_the_number() {
    let json = r#"{"waNumber":"15550783881","mobile":"16505551234","name":"A B","type":"text","text":"Hello","timestamp":"1794096147000","messageId":"g1","replyId":"g0"}"#;
    let row = only(Format::GupshupV2, json);
    assert_eq!(
        columns(&row, "sender direction message_kind chars time"),
        "15550783881 0 0 5 1794096147000000"
    );
    assert_eq!(row.get("peer_phone"), phone("15550783881", "16505551234"));
    assert_eq!(row.get("message"), message("15550783881", "g1"));
    let form = "waNumber=15550783881&mobile=16505551234&name=A+B&type=text&text=Hello&timestamp=1794096147000&messageId=g1&replyId=g0";
    assert_eq!(only(Format::GupshupV2, form), row);
    let image = json.replace(r#""type":"text""#, r#""type":"image""#);
    assert_eq!(
        columns(&only(Format::GupshupV2, &image), "message_kind chars"),
        format!("{} -", MessageKind::Image.code())
    );
    let media = r#""image":{"id":"m","mime_type":"image/jpeg","caption":"abc"},"type":"image""#;
    let image = json.replace(r#""type":"text""#, media);
    assert_eq!(
        columns(&only(Format::GupshupV2, &image), "message_kind chars"),
        format!("{} 3", MessageKind::Image.code())
    );
    let report = |channel: &str| {
        format!(
            r#"[{{"externalId":"g1","eventType":"DELIVERED","eventTs":1794096147000,"destAddr":"16505551234","srcAddr":"15550783881","cause":"SUCCESS","errorCode":"000","channel":"{channel}"}}]"#
        )
    };
    let row = only(Format::GupshupV2, &report("WHATSAPP"));
    assert_eq!(columns(&row, "sender status error_code time"), "15550783881 1 - 1794096147000000");
    assert_eq!(row.get("peer_phone"), phone("15550783881", "16505551234"));
    assert_eq!(only(Format::GupshupV2, &report("SMS")).get("reason"), "other_channel");
}

#[test]
fn reports_of_the_gateway_come_as_a_form_too() {
    let report = |more: &str| {
        format!(
            r#"{{"externalId":"g1","eventType":"FAILED","eventTs":1794096147000,"destAddr":"16505551234","srcAddr":"15550783881","errCode":"003","channel":"WHATSAPP"{more}}}"#
        )
    };
    let json = format!("[{},{}]", report(""), report(r#","cause":"Ünknown & more""#));
    let rows = told_alike(Format::GupshupV2, &json);
    assert_eq!(kinds(&rows), ["status", "status"]);
    assert_eq!(columns(&rows[0], "sender status error_code"), "15550783881 4 3");
    let escaped = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let text: String = json.bytes().map(escaped).collect();
    for form in [format!("response={text}"), format!("a=1&response={text}&b=2")] {
        assert_eq!(told_alike(Format::GupshupV2, &form), rows, "{form}");
    }
    let broken = only(Format::GupshupV2, "response=%5Bsecret");
    assert_eq!(broken.get("reason"), "invalid_json");
}

#[test]
fn reports_are_read_where_their_form_was_parsed() {
    let new = r#"{"externalId":"g1","eventType":"SENT","eventTs":1794096147000,"destAddr":"16505551234","srcAddr":"15550783881","cause":"say \"hi\"","errorCode":"000","channel":"WHATSAPP"}"#;
    let old = r#"{"externalId":"g2","deliveredTS":1794096147000,"status":"SUCCESS","phoneNo":"16505551234","mask":"15550783881"}"#;
    for reports in [format!("[{new}]"), format!("[{old}]"), format!("[{new},{old}]")] {
        let rows = told_alike(Format::GupshupV2, &reports);
        assert!(rows.iter().all(|row| row.kind == EventKind::Status), "{reports}");
        assert_eq!(columns(&rows[0], "sender time"), "15550783881 1794096147000000");
        let text = serde_json::to_string(&reports).expect("writes");
        let list = format!(r#"{{"response":{reports}}}"#);
        assert_eq!(told_alike(Format::GupshupV2, &list), rows, "{list}");
        // A text is read in the body of a request alone.
        for form in [list, format!(r#"{{"response":{text}}}"#)] {
            let request = format!(
                r#"[{{"headers":{{"a":"b"}},"params":{{}},"query":{{}},"webhookUrl":"u","body":{form}}}]"#
            );
            assert_eq!(decode(Format::Auto, &request).1, rows, "{request}");
        }
    }
}

#[test]
fn response_that_somebody_wrote_is_never_opened() {
    let report = r#"{"externalId":"g1","eventType":"SENT","eventTs":1794096147000,"destAddr":"16505551234","srcAddr":"15550783881"}"#;
    let webhook = r#"{"entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},"messages":[{"from":"16505551234","id":"w","timestamp":"1794096147","type":"text","text":{"body":"secret"}}]}}]}]}"#;
    let text = |text: &str| serde_json::to_string(text).expect("writes");
    let quoted = format!(r#"[{{"text":{}}}]"#, text(report));
    for record in [
        format!(r#"{{"response":{}}}"#, text(webhook)),
        format!(r#"{{"response":{}}}"#, text(&format!("[{webhook}]"))),
        format!(r#"{{"response":{}}}"#, text(&quoted)),
        format!(r#"{{"response":{quoted}}}"#),
        format!(r#"{{"response":{},"id":"1"}}"#, text(&format!("[{report}]"))),
        format!(r#"{{"prompt":"x","response":[{report}]}}"#),
        format!(r#"{{"response":{}}}"#, text(&format!("[{report}]"))),
        format!(r#"{{"data":{{"response":{}}}}}"#, text(&format!("[{report}]"))),
        format!(r#"{{"body":{{"response":{}}}}}"#, text(&format!("[{report}]"))),
        format!(r#"{{"headers":"x","body":{{"response":{}}}}}"#, text(&format!("[{report}]"))),
        format!(r#"{{"headers":{{}},"data":{{"response":{}}}}}"#, text(&format!("[{report}]"))),
        r#"{"response":"externalId, eventTs"}"#.to_owned(),
        r#"{"response":"[]"}"#.to_owned(),
    ] {
        for format in [Format::Auto, Format::GupshupV2] {
            let (counts, rows) = decode(format, &record);
            assert_eq!((counts.dead_letters, counts.total()), (1, 1), "{format} {record}");
            assert_eq!(columns(&rows[0], "reason sender"), "unknown_shape -", "{format} {record}");
        }
    }
}

#[test]
fn reports_in_older_words_need_a_number_for_a_mask() {
    let form = |status: &str, mask: &str| {
        format!(
            "externalId=g1&deliveredTS=1794096147000&status={status}&cause=x&phoneNo=16505551234&errCode=000&mask={mask}"
        )
    };
    for (word, status) in [("SUCCESS", "1"), ("FAILURE", "4"), ("UNKNOWN", "5")] {
        let row = only(Format::GupshupV2, &form(word, "15550783881"));
        assert_eq!(
            columns(&row, "sender status error_code time"),
            format!("15550783881 {status} - 1794096147000000")
        );
        assert_eq!(row.get("peer_phone"), phone("15550783881", "16505551234"));
        assert_eq!(row.get("message"), message("15550783881", "g1"));
    }
    for mask in ["", "DEMO"] {
        let row = only(Format::GupshupV2, &form("SUCCESS", mask));
        assert_eq!(columns(&row, "reason sender"), "no_sender -", "{mask}");
    }
}

#[test]
fn sender_of_the_gateway_is_a_number() {
    for record in [
        r#"[{"externalId":"g1","eventType":"SENT","eventTs":1794096147000,"destAddr":"16505551234","srcAddr":"my bank pin"}]"#,
        r#"{"response":[{"externalId":"g1","eventType":"SENT","eventTs":1794096147000,"destAddr":"16505551234","srcAddr":"my bank pin"}]}"#,
        r#"{"waNumber":"my bank pin","mobile":"16505551234","type":"text","text":"Hello","timestamp":"1794096147000","messageId":"g1"}"#,
    ] {
        let row = only(Format::GupshupV2, record);
        assert_eq!(columns(&row, "reason sender"), "no_sender -", "{record}");
    }
}

#[test]
fn empty_referral_is_none() {
    for (referral, has_referral) in [("{}", "0"), (r#"{"source_type":"ad"}"#, "1")] {
        let payload = format!(
            r#""id":"ABE1","source":"16505551234","type":"text","payload":{{"text":"Hi"}},"referral":{referral}"#
        );
        let row = only(Format::GupshupV2, &event("message", &payload));
        assert_eq!(row.get("has_referral"), has_referral, "{referral}");
    }
}
