use turnwise_model::{EventKind, InteractiveType, MessageKind, Status};

use crate::Format;
use crate::testing::{columns, decode, kinds, message, only, phone, told_alike};

fn event(kind: &str, message: &str) -> String {
    format!(
        r#"{{"type":"{kind}","contact":{{"id":"c1","msisdn":16505551234,"displayName":"A B"}},"conversation":{{"id":"v1","lastUsedChannelId":"ch-1"}},"message":{{"id":"m1","conversationId":"v1","channelId":"ch-1","platform":"whatsapp","createdDatetime":"2026-11-08T00:02:27.0123Z","updatedDatetime":"2026-11-08T00:02:29Z",{message}}}}}"#
    )
}

#[test]
fn received_message_is_the_channels() {
    let row = only(
        Format::MessageBird,
        &event(
            "message.created",
            r#""direction":"received","status":"received","type":"text","content":{"text":"Hello"},"from":"+16505551234","to":"+1555""#,
        ),
    );
    assert_eq!(
        columns(&row, "sender direction message_kind chars time"),
        "ch-1 0 0 5 1794096147012000"
    );
    assert_eq!(row.get("peer_phone"), phone("ch-1", "16505551234"));
    assert_eq!(row.get("message"), message("ch-1", "m1"));
    for (content, expected) in [
        (
            r#""type":"file","content":{"file":{"caption":"abc"}}"#,
            format!("{} - 3", MessageKind::Document.code()),
        ),
        (
            r#""type":"image","content":{"image":{"caption":"ab"}}"#,
            format!("{} - 2", MessageKind::Image.code()),
        ),
        (
            r#""type":"interactive","content":{"interactive":{"type":"button_reply","reply":{"id":"1","text":"Yes"}}}"#,
            format!("6 {} 3", InteractiveType::ButtonReply.code()),
        ),
        (r#""type":"location","content":{}"#, format!("{} - -", MessageKind::Location.code())),
    ] {
        let row = only(
            Format::MessageBird,
            &event("message.created", &format!(r#""direction":"received",{content}"#)),
        );
        assert_eq!(columns(&row, "message_kind interactive_type chars"), expected);
    }
}

#[test]
fn reply_names_what_it_answers() {
    const NOTHING: &str = "00000000-0000-0000-0000-000000000000";
    const ANSWERED: &str = "4a968dd6-0d3c-4a7e-9c5f-1a2b3c4d5e6f";
    let tap = r#""type":"interactive","content":{"interactive":{"type":"button_reply","reply":{"id":"yes","text":"Yes"}}}"#;
    let text = r#""type":"text","content":{"text":"Hello"}"#;
    let of_whatsapp =
        r#""type":"whatsappText","content":{"whatsappText":{"text":{"body":"Hello"}}}"#;
    for content in [tap, text, of_whatsapp] {
        for (more, is_reply) in [
            (String::new(), "0"),
            (format!(r#","replyTo":{{"id":"{ANSWERED}"}}"#), "1"),
            (format!(r#","replyTo":{{"id":"{NOTHING}"}}"#), "0"),
            (format!(r#","metadata":{{"replyTo":{{"id":"{ANSWERED}"}}}}"#), "1"),
            (format!(r#","metadata":{{"replyTo":{{"id":"{NOTHING}"}}}}"#), "0"),
        ] {
            for way in ["received", "sent"] {
                let record =
                    event("message.created", &format!(r#""direction":"{way}",{content}{more}"#));
                let row = only(Format::MessageBird, &record);
                assert_eq!(row.get("is_reply"), is_reply, "{record}");
            }
        }
    }
}

#[test]
fn referral_is_one_of_what_was_received() {
    let led = r#""referral":{"whatsapp":{"headline":"secret","source":{"type":"post","url":"u","id":"1"}}}"#;
    for (way, referral, has_referral) in [
        ("received", led, "1"),
        ("received", r#""referral":{}"#, "0"),
        ("received", r#""referral":null"#, "0"),
        ("sent", led, "0"),
    ] {
        let record = event(
            "message.created",
            &format!(
                r#""direction":"{way}","type":"text","content":{{"text":"Hello"}},{referral}"#
            ),
        );
        let row = only(Format::MessageBird, &record);
        assert_eq!(row.get("has_referral"), has_referral, "{record}");
    }
}

#[test]
fn message_may_stand_alone() {
    let alone = |rest: &str| {
        format!(
            r#"{{"id":"m1","conversationId":"v1","platform":"whatsapp","channelId":"ch-1","from":"+16505551234","to":"+15550783881","type":"text","content":{{"text":"Hello"}},"createdDatetime":"2026-11-08T00:02:27Z"{rest}}}"#
        )
    };
    let row = only(Format::MessageBird, &alone(r#","direction":"received","status":"received""#));
    assert_eq!(columns(&row, "sender direction chars time"), "ch-1 0 5 1794096147000000");
    assert_eq!(row.get("peer_phone"), phone("ch-1", "16505551234"));
    assert_eq!(row.get("message"), message("ch-1", "m1"));
    let sent = alone(r#","direction":"sent","status":"delivered""#);
    let rows = told_alike(Format::MessageBird, &sent);
    assert_eq!(kinds(&rows), ["message", "status"]);
    assert_eq!(columns(&rows[0], "sender direction"), "ch-1 1");
    assert_eq!(rows[1].get("peer_phone"), phone("ch-1", "15550783881"));
    let sms = alone(r#","direction":"received""#).replace("whatsapp", "sms");
    assert_eq!(only(Format::MessageBird, &sms).get("reason"), "other_channel");
    assert_eq!(
        columns(&only(Format::MessageBird, &alone("")), "reason detail"),
        "no_direction direction: expected sent or received, found nothing"
    );
    // Others have conversations and channels, too.
    let other = alone(r#","direction":"received""#).replace("createdDatetime", "created_at");
    let (_, rows) = decode(Format::MessageBird, &other);
    assert_eq!(columns(&rows[0], "reason sender"), "unknown_shape -");
    let (_, rows) = decode(Format::Auto, &other);
    assert_eq!((kinds(&rows), rows[0].get("sender")), (vec!["dead_letter"], ""));
}

#[test]
fn sent_message_stands_beside_its_status() {
    for (word, status) in [
        ("pending", Status::Other),
        ("sent", Status::Sent),
        ("delivered", Status::Delivered),
        ("read", Status::Read),
    ] {
        let rows = told_alike(
            Format::MessageBird,
            &event(
                "message.updated",
                &format!(
                    r#""direction":"sent","status":"{word}","type":"hsm","content":{{"hsm":{{}}}},"to":"16505551234""#
                ),
            ),
        );
        assert_eq!(kinds(&rows), ["message", "status"]);
        assert_eq!(
            columns(&rows[0], "direction message_kind"),
            format!("1 {}", MessageKind::Template.code())
        );
        assert_eq!(rows[1].get("status"), status.code().to_string());
        assert_eq!(columns(&rows[1], "sender time"), "ch-1 1794096149000000");
    }
    let row = only(
        Format::MessageBird,
        &event(
            "message.updated",
            r#""direction":"sent","status":"rejected","type":"text","content":{"text":"x"},"error":{"code":301}"#,
        ),
    );
    assert_eq!(
        (row.kind, row.get("status"), row.get("error_code")),
        (EventKind::Status, "4", "301")
    );
}

#[test]
fn other_events_are_ignored_and_no_direction_is_none() {
    let row = only(
        Format::MessageBird,
        r#"{"type":"conversation.created","contact":{"msisdn":1650},"conversation":{"id":"v1"}}"#,
    );
    assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "conversation"));
    let sms = event("message.created", r#""direction":"received","type":"text""#)
        .replace("whatsapp", "sms");
    assert_eq!(only(Format::MessageBird, &sms).get("reason"), "other_channel");
    let row = only(
        Format::MessageBird,
        &event("message.created", r#""type":"text","content":{"text":"secret"}"#),
    );
    assert_eq!(
        columns(&row, "reason detail"),
        "no_direction message.direction: expected sent or received, found nothing"
    );
}

#[test]
fn types_of_whatsapp_alone_are_the_platforms() {
    for (content, expected) in [
        (
            r#""type":"whatsappText","content":{"whatsappText":{"text":{"body":"Hello"},"context":{"id":"m0"}}}"#,
            format!("{} - 5 1", MessageKind::Text.code()),
        ),
        (
            r#""type":"whatsappSticker","content":{"whatsappSticker":{"link":"x"}}"#,
            format!("{} - - 0", MessageKind::Sticker.code()),
        ),
        (
            r#""type":"whatsappOrder","content":{"whatsappOrder":{"text":"secret"}}"#,
            format!("{} - - 0", MessageKind::Order.code()),
        ),
        (
            r#""type":"whatsappHologram","content":{}"#,
            format!("{} - - 0", MessageKind::Unknown.code()),
        ),
    ] {
        let row = only(
            Format::MessageBird,
            &event("message.created", &format!(r#""direction":"received",{content}"#)),
        );
        let names = "message_kind interactive_type chars is_reply";
        assert_eq!(columns(&row, names), expected, "{content}");
    }
}
