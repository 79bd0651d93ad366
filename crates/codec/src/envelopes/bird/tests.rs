use turnwise_model::{EventKind, InteractiveType, MessageKind, Status};

use crate::Format;
use crate::testing::{Row, columns, decode, kinds, message, only, phone, told_alike, user};

fn event(kind: &str, payload: &str) -> String {
    format!(
        r#"{{"service":"channels","event":"whatsapp.{kind}","payload":{{"id":"b1","channelId":"ch-1",{payload}}}}}"#
    )
}

const PERSON: &str = r#""sender":{"contact":{"id":"c1","identifierKey":"phonenumber","identifierValue":"+16505551234","annotations":{"name":"A B"}}},"receiver":{"connector":{"id":"k1","identifierValue":"+15550783881"}}"#;
const TIMES: &str = r#""lastStatusAt":"2026-11-08T00:02:29.000Z","createdAt":"2026-11-08T00:02:28.000Z","updatedAt":"2026-11-08T00:02:29.000Z""#;

fn received(body: &str) -> Row {
    only(
        Format::Bird,
        &event(
            "inbound",
            &format!(
                r#"{PERSON},"body":{{{body}}},"meta":{{"extraInformation":{{"timestamp":"1794096147","whatsappbsuid":"US.7"}}}},"parts":[{{"platformReference":"wamid.A"}}],"status":"delivered","direction":"incoming",{TIMES}"#
            ),
        ),
    )
}

#[test]
fn received_message_is_the_channels() {
    let row = received(r#""type":"text","text":{"text":"Hello"}"#);
    assert_eq!(
        columns(&row, "sender direction message_kind chars time"),
        "ch-1 0 0 5 1794096147000000"
    );
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone("ch-1", "16505551234"), &*user("ch-1", "US.7"))
    );
    assert_eq!(row.get("message"), message("ch-1", "b1"));
}

#[test]
fn files_are_told_by_their_media_type_and_taps_by_their_actions() {
    let kind = |kind: MessageKind| kind.code().to_string();
    let file = |media: &str| {
        format!(
            r#""type":"file","file":{{"text":"ab","files":[{{"contentType":"{media}","mediaUrl":"x"}}]}}"#
        )
    };
    for (body, expected, chars) in [
        (file("audio/ogg"), kind(MessageKind::Audio) + " -", "2"),
        (file("video/mp4"), kind(MessageKind::Video) + " -", "2"),
        (file("application/pdf"), kind(MessageKind::Document) + " -", "2"),
        (r#""type":"image","image":{"images":[{"contentType":"image/webp"}]}"#.to_owned(), kind(MessageKind::Sticker) + " -", "-"),
        (r#""type":"image","image":{"text":"abc","images":[{"contentType":"image/jpeg"}]}"#.to_owned(), kind(MessageKind::Image) + " -", "3"),
        (r#""type":"text","text":{"text":"Yes","actions":[{"type":"postback","postback":{"payload":"y"}}]}"#.to_owned(), format!("6 {}", InteractiveType::ButtonReply.code()), "3"),
        (r#""type":"location","location":{}"#.to_owned(), kind(MessageKind::Location) + " -", "-"),
        (r#""type":"hologram""#.to_owned(), kind(MessageKind::Unknown) + " -", "-"),
    ] {
        let row = received(&body);
        assert_eq!(columns(&row, "message_kind interactive_type"), expected, "{body}");
        assert_eq!(columns(&row, "chars"), chars, "{body}");
    }
}

#[test]
fn sent_message_stands_beside_its_status() {
    let sent = |status: &str| {
        event(
            "outbound",
            &format!(
                r#""sender":{{"connector":{{"id":"k1","identifierValue":"+15550783881"}}}},"receiver":{{"contacts":[{{"id":"c1","identifierKey":"whatsappbsuid","identifierValue":"US.7","identifiers":[{{"identifierKey":"phonenumber","identifierValue":"+16505551234"}}]}}]}},"body":{{"type":"text","text":{{"text":"Hello","actions":[{{"type":"reply"}}]}}}},"replyTo":{{"id":"b0","type":"message"}},"status":"{status}","failure":{{"code":1,"source":{{"code":131026}}}},"direction":"outgoing",{TIMES}"#
            ),
        )
    };
    for (word, status, rows) in [
        ("accepted", Status::Other, &["message", "status"][..]),
        ("sent", Status::Sent, &["message", "status"]),
        ("delivered", Status::Delivered, &["message", "status"]),
        ("delivery_failed", Status::Failed, &["status"]),
        ("rejected", Status::Failed, &["status"]),
    ] {
        let found = told_alike(Format::Bird, &sent(word));
        assert_eq!(kinds(&found), rows, "{word}");
        let last = found.last().expect("a status");
        assert_eq!(last.get("status"), status.code().to_string());
        assert_eq!(columns(last, "sender time error_code"), "ch-1 1794096149000000 131026");
        assert_eq!(last.get("peer_user"), user("ch-1", "US.7"));
        assert_eq!(last.get("peer_phone"), phone("ch-1", "16505551234"));
    }
    let rows = told_alike(Format::Bird, &sent("sent"));
    assert_eq!(
        columns(&rows[0], "direction message_kind interactive_type chars is_reply time"),
        "1 6 4 5 1 1794096148000000"
    );
}

#[test]
fn interactions_are_statuses_where_they_are_read() {
    let read = |kind: &str| {
        format!(
            r#"{{"service":"channels","event":"whatsapp.interaction","payload":{{"id":"i1","type":"{kind}","messageId":"b1","channelId":"ch-1","createdAt":"2026-11-08T00:02:27.000Z"}}}}"#
        )
    };
    let row = only(Format::Bird, &read("read"));
    assert_eq!(
        (row.kind, row.get("status"), row.get("message")),
        (EventKind::Status, "2", &*message("ch-1", "b1"))
    );
    assert_eq!(only(Format::Bird, &read("clicked")).get("reason"), "interaction");
    let sms = event("inbound", "\"x\":1").replace("whatsapp.", "sms.");
    assert_eq!(only(Format::Bird, &sms).get("reason"), "other_channel");
}

#[test]
fn newer_events_are_the_numbers() {
    let event = |kind: &str, rest: &str| {
        format!(
            r#"{{"type":"whatsapp.{kind}","timestamp":"2026-11-08T00:02:27Z","data":{{"whatsapp_id":"wam_1",{rest}}}}}"#
        )
    };
    let row = only(
        Format::Bird,
        &event(
            "received",
            r#""from":{"phone_number":"+16505551234","display_name":"A B"},"to":{"phone_number":"+15550783881"},"text":{"body":"Hello"}"#,
        ),
    );
    assert_eq!(columns(&row, "sender direction chars time"), "15550783881 0 5 1794096147000000");
    assert_eq!(row.get("peer_phone"), phone("15550783881", "16505551234"));
    let row = only(
        Format::Bird,
        &event(
            "delivered",
            r#""from":{"phone_number":"+15550783881"},"to":{"phone_number":"+16505551234"}"#,
        ),
    );
    assert_eq!(columns(&row, "sender status"), "15550783881 1");
    assert_eq!(only(Format::Bird, &event("x", r#""y":1"#)).get("reason"), "other");
    let of_other = event("x", r#""messages":[{"secret":1}]"#);
    assert_eq!(only(Format::Bird, &of_other).get("reason"), "unknown_shape");
}

#[test]
fn newer_events_of_other_channels_are_ignored() {
    for kind in [
        "sms.received",
        "email.delivered",
        "email_mailbox.created",
        "email_suppression.created",
        "sms_suppression.created",
        "verify.completed",
        "voice_call.ended",
        "domain.verified",
    ] {
        let event = format!(
            r#"{{"type":"{kind}","timestamp":"2026-11-08T00:02:27Z","data":{{"from":"+16505551234","text":"secret"}}}}"#
        );
        assert_eq!(only(Format::Bird, &event).get("reason"), "other_channel", "{kind}");
    }
}

#[test]
fn events_about_who_may_be_written_to_are_ignored() {
    for kind in [
        "whatsapp_suppression.created",
        "whatsapp_suppression.deleted",
        "preference.granted",
        "preference.revoked",
        "preference.deleted",
    ] {
        let event = format!(
            r#"{{"type":"{kind}","timestamp":"2026-11-08T00:02:27Z","data":{{"id":"x","phone_number":"+16505551234"}}}}"#
        );
        let row = only(Format::Bird, &event);
        assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "other"), "{kind}");
        assert_eq!(row.get("sender"), "", "{kind}");
    }
}

#[test]
fn events_of_others_in_the_same_words_are_dead_letters() {
    let rows = |event: &str| {
        let (_, rows) = decode(Format::Auto, event);
        rows.iter().map(|row| row.get("reason").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        rows(r#"{"event":"whatsapp.message","data":{"key":{"id":"x"}}}"#),
        ["unknown_shape"]
    );
    let old = r#"{"service":"channels","event":"whatsapp.new","payload":{"channelId":"1"}}"#;
    assert_eq!(rows(old), ["other"]);
    assert_eq!(rows(r#"{"service":"channels","event":"whatsapp.new"}"#), ["other"]);
}

#[test]
fn message_of_a_channel_may_stand_alone() {
    let message = |direction: &str, part: &str| {
        format!(
            r#"{{"id":"b1","channelId":"ch-1",{PERSON},"body":{{"type":"text","text":{{"text":"Hello"}}}},"parts":[{{"platformReference":"{part}"}}],"direction":"{direction}","status":"delivered",{TIMES}}}"#
        )
    };
    let row = only(Format::Bird, &message("incoming", "wamid.A"));
    assert_eq!(columns(&row, "sender direction chars"), "ch-1 0 5");
    assert_eq!(row.get("peer_phone"), phone("ch-1", "16505551234"));
    let rows = told_alike(Format::Bird, &message("outgoing", "wamid.A"));
    assert_eq!(kinds(&rows), ["message", "status"]);
    assert_eq!(columns(&rows[0], "direction"), "1");
    let row = only(Format::Bird, &message("sideways", "wamid.A"));
    assert_eq!(columns(&row, "reason sender"), "no_direction ch-1");
    for format in [Format::Bird, Format::Auto] {
        let (_, rows) = decode(format, &message("incoming", "SM1"));
        assert_eq!(rows[0].get("reason"), "unknown_shape");
    }
}

#[test]
fn events_about_conversations_are_ignored() {
    let created = r#"{"service":"conversations","event":"conversation.created","payload":{"id":"c1","status":"active"}}"#;
    let row = only(Format::Bird, created);
    assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "conversation"));
}

#[test]
fn user_id_is_the_one_of_a_portfolio() {
    let row = only(
        Format::Bird,
        &event(
            "inbound",
            &format!(
                r#""sender":{{"contact":{{"id":"c1","identifierKey":"phonenumber","identifierValue":"+16505551234","identifiers":[{{"identifierKey":"whatsappusername","identifierValue":"ab"}},{{"identifierKey":"whatsapp_42","identifierValue":"US.7"}}]}}}},"body":{{"type":"text","text":{{"text":"Hello"}}}},{TIMES}"#
            ),
        ),
    );
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone("ch-1", "16505551234"), &*user("ch-1", "US.7"))
    );
}
