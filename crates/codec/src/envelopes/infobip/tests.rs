use turnwise_model::{EventKind, InteractiveType, MessageKind, Status};

use crate::Format;
use crate::testing::{Row, columns, decode, kinds, message, only, phone, told_alike, user};

const BUSINESS: &str = "447860099299";

fn received(content: &str) -> String {
    format!(
        r#"{{"results":[{{"from":"16505551234","to":"447860099299","integrationType":"WHATSAPP","receivedAt":"2026-11-08T00:02:27.000+0000","messageId":"AB1","pairedMessageId":null,"callbackData":null,"message":{{{content}}},"contact":{{"name":"A B","userId":"US.7"}},"price":{{"pricePerMessage":0,"currency":"EUR"}}}}],"messageCount":1,"pendingMessageCount":0}}"#
    )
}

fn row(content: &str) -> Row {
    only(Format::Infobip, &received(content))
}

#[test]
fn received_message_has_a_time_without_colon() {
    let row = row(r#""type":"TEXT","text":"Hello""#);
    assert_eq!(
        columns(&row, "sender direction message_kind chars time"),
        "447860099299 0 0 5 1794096147000000"
    );
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone(BUSINESS, "16505551234"), &*user(BUSINESS, "US.7"))
    );
    assert_eq!(row.get("message"), message(BUSINESS, "AB1"));
}

#[test]
fn kinds_voice_replies_and_referrals() {
    let kind = |kind: MessageKind| kind.code().to_string();
    let tap = |it: InteractiveType| format!("6 {}", it.code());
    for (content, expected, rest) in [
        (r#""type":"VOICE","url":"x""#, kind(MessageKind::Audio) + " -", "1 - 0 0"),
        (r#""type":"AUDIO","url":"x""#, kind(MessageKind::Audio) + " -", "0 - 0 0"),
        (r#""type":"IMAGE","caption":"abc""#, kind(MessageKind::Image) + " -", "- 3 0 0"),
        (r#""type":"STICKER""#, kind(MessageKind::Sticker) + " -", "- - 0 0"),
        (r#""type":"CONTACT""#, kind(MessageKind::Contacts) + " -", "- - 0 0"),
        (r#""type":"ORDER""#, kind(MessageKind::Order) + " -", "- - 0 0"),
        (r#""type":"REACTION","emoji":"x""#, kind(MessageKind::Reaction) + " -", "- - 0 0"),
        (
            r#""type":"BUTTON","text":"Yes","payload":"y","context":{"id":"1","from":"2"}"#,
            kind(MessageKind::Button) + " -",
            "- 3 1 0",
        ),
        (
            r#""type":"INTERACTIVE_BUTTON_REPLY","id":"1","title":"Yes""#,
            tap(InteractiveType::ButtonReply),
            "- 3 0 0",
        ),
        (
            r#""type":"INTERACTIVE_LIST_REPLY","id":"1","title":"Four","description":"d""#,
            tap(InteractiveType::ListReply),
            "- 4 0 0",
        ),
        (
            r#""type":"INTERACTIVE_FLOW_REPLY","response":"{}""#,
            tap(InteractiveType::NfmReply),
            "- - 0 0",
        ),
        (
            r#""type":"INTERACTIVE_PAYMENT_CONFIRMATION","paymentId":"p""#,
            tap(InteractiveType::Other),
            "- - 0 0",
        ),
        (
            r#""type":"TEXT","text":"x","referral":{"sourceId":"1"}"#,
            kind(MessageKind::Text) + " -",
            "- 1 0 1",
        ),
        (r#""type":"INFECTED_CONTENT""#, kind(MessageKind::Unknown) + " -", "- - 0 0"),
        (r#""type":"UNSUPPORTED""#, kind(MessageKind::Unsupported) + " -", "- - 0 0"),
    ] {
        let row = row(content);
        assert_eq!(columns(&row, "message_kind interactive_type"), expected, "{content}");
        assert_eq!(columns(&row, "voice chars is_reply has_referral"), rest, "{content}");
    }
}

#[test]
fn reports_are_statuses_where_they_name_the_sender() {
    let report = |rest: &str| {
        format!(
            r#"{{"results":[{{"messageId":"m1","to":"16505551234","sender":"447860099299","sentAt":"2026-11-08T00:02:20.000+0000","messageCount":1,{rest}}}]}}"#
        )
    };
    let done = |group: &str, name: &str| {
        report(&format!(
            r#""doneAt":"2026-11-08T00:02:27.000+0000","status":{{"groupName":"{group}","name":"{name}"}},"error":{{"id":0,"name":"NO_ERROR"}}"#
        ))
    };
    for (record, status) in [
        (done("DELIVERED", "DELIVERED_TO_HANDSET"), Status::Delivered),
        (done("PENDING", "PENDING_ENROUTE"), Status::Sent),
        (done("PENDING", "PENDING_WAITING_DELIVERY"), Status::Other),
        (done("UNDELIVERABLE", "X"), Status::Failed),
        (done("EXPIRED", "X"), Status::Failed),
        (done("REJECTED", "X"), Status::Failed),
        (report(r#""seenAt":"2026-11-08T00:02:27.000+0000""#), Status::Read),
    ] {
        let row = only(Format::Infobip, &record);
        assert_eq!(
            (row.kind, row.get("status")),
            (EventKind::Status, &*status.code().to_string()),
            "{record}"
        );
        assert_eq!(columns(&row, "sender time error_code"), "447860099299 1794096147000000 -");
        assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"));
    }
    let nobody = done("DELIVERED", "X").replace(r#""sender":"447860099299","#, "");
    assert_eq!(only(Format::Infobip, &nobody).get("reason"), "no_sender");
}

#[test]
fn report_of_what_was_seen_alone_names_no_sender() {
    let seen = |parties: &str| {
        format!(
            r#"{{"results":[{{"messageId":"m1",{parties},"sentAt":"2026-11-08T00:02:20.000+0000","seenAt":"2026-11-08T00:02:27.000+0000"}}]}}"#
        )
    };
    for parties in [
        r#""from":"16505551234","to":"447860099299""#,
        r#""from":"447860099299","to":"16505551234""#,
    ] {
        let row = only(Format::Infobip, &seen(parties));
        assert_eq!(columns(&row, "reason sender peer_phone"), "no_sender - -", "{parties}");
    }
    let row =
        only(Format::Infobip, &seen(r#""sender":"447860099299","destination":"16505551234""#));
    assert_eq!(columns(&row, "sender status"), format!("{BUSINESS} {}", Status::Read.code()));
    assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"));
}

#[test]
fn report_that_holds_what_was_sent_is_of_the_sender() {
    let result = |rest: &str| {
        format!(
            r#"{{"results":[{{"channel":"WHATSAPP","sender":"447860099299","destination":"16505551234","messageId":"m1","content":[{{"type":"TEXT","text":"Hi"}}]{rest}}}]}}"#
        )
    };
    let sent = r#","sentAt":"2026-11-08T00:02:20.000+0000""#;
    let done =
        r#","doneAt":"2026-11-08T00:02:27.000+0000","status":{"groupName":"DELIVERED","name":"X"}"#;
    let received = r#","receivedAt":"2026-11-08T00:02:20.000+0000""#;
    for rest in [done.to_owned(), format!("{sent}{done}"), format!("{received}{done}")] {
        let row = only(Format::Infobip, &result(&rest));
        assert_eq!(
            columns(&row, "sender status"),
            format!("{BUSINESS} {}", Status::Delivered.code()),
            "{rest}"
        );
        assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"));
    }
    // What says neither when it was received nor how far it got is of nobody.
    for rest in ["", sent] {
        let row = only(Format::Infobip, &result(rest));
        assert_eq!(columns(&row, "reason sender"), "unknown_shape -", "{rest}");
    }
}

#[test]
fn content_of_somebody_else_is_no_event() {
    let record = r#"{"content":{"type":"text","text":"secret"},"createdAt":"2026-11-08T00:02:27.000+0000","from":"16505551234"}"#;
    for format in [Format::Infobip, Format::Auto] {
        let (counts, rows) = decode(format, record);
        assert_eq!((counts.dead_letters, counts.total()), (1, 1), "{format}");
        assert_eq!(columns(&rows[0], "reason sender"), "unknown_shape -", "{format}");
    }
}

#[test]
fn newer_form_is_read() {
    let record = r#"{"results":[{"event":"MO","channel":"WHATSAPP","sender":"16505551234","destination":"447860099299","content":[{"type":"TEXT","text":"Hello"}],"receivedAt":"2026-11-08T00:02:27.000+0000","messageId":"AB1"},{"channel":"SMS","sender":"1","destination":"2","content":[{"type":"TEXT","text":"x"}]}]}"#;
    let rows = told_alike(Format::Infobip, record);
    assert_eq!(kinds(&rows), ["message", "ignored"]);
    assert_eq!(columns(&rows[0], "sender direction chars"), "447860099299 0 5");
    assert_eq!(rows[0].get("peer_phone"), phone(BUSINESS, "16505551234"));
    assert_eq!(rows[1].get("reason"), "other_channel");
}

#[test]
fn deletion_names_no_sender() {
    let deleted = |rest: &str| {
        format!(
            r#"{{"results":[{{"messageId":"AB1",{rest},"deletedAt":"2026-11-08T00:02:27.000+0000"}}]}}"#
        )
    };
    for rest in [
        r#""to":"16505551234""#,
        r#""to":"16505551234","bulkId":"b1","sentAt":"2026-11-08T00:02:20.000+0000""#,
        r#""to":"16505551234","status":{"groupName":"DELIVERED","name":"X"}"#,
        r#""channel":"WHATSAPP","to":"16505551234""#,
        r#""from":"447860099299","to":"16505551234""#,
        r#""from":"16505551234","to":"447860099299""#,
        r#""sender":"447860099299","destination":"16505551234""#,
        r#""sender":"16505551234","destination":"447860099299""#,
    ] {
        let row = only(Format::Infobip, &deleted(rest));
        assert_eq!(row.kind, EventKind::DeadLetter, "{rest}");
        assert_eq!(columns(&row, "reason sender"), "no_sender -", "{rest}");
    }
}

#[test]
fn results_of_somebody_else_name_no_sender() {
    for result in [
        r#""id":1,"from":"16505551234","to":"447860099299","status":"received","text":"secret""#,
        r#""id":1,"from":"16505551234","to":"447860099299","status":"received","text":"secret","sentAt":"2026-11-08T00:02:20Z""#,
        r#""id":1,"from":"447860099299","to":"16505551234","deletedAt":"2026-11-08T00:02:20Z""#,
        r#""from":"447860099299","to":"16505551234","receivedAt":"2026-11-08T00:02:20Z","message":{"text":"secret"}"#,
        // An id is what many have.
        r#""messageId":"1","from":"16505551234","to":"447860099299","sentAt":"2026-11-08T00:02:20Z","status":"received""#,
        r#""messageId":"1","from":"16505551234","to":"447860099299","sentAt":"2026-11-08T00:02:20Z","status":{"code":1},"error":{"code":2}"#,
        r#""messageId":"1","from":"447860099299","to":"16505551234","receivedAt":"2026-11-08T00:02:20Z","message":{"text":"secret"}"#,
        r#""messageId":"1","event":"read","from":"16505551234","to":"447860099299","sentAt":"2026-11-08T00:02:20Z","status":"read""#,
        r#""messageId":"1","event":"in","from":"447860099299","to":"16505551234","receivedAt":"2026-11-08T00:02:20Z","message":{"text":"secret"}"#,
    ] {
        let record = format!(r#"{{"count":1,"results":[{{{result}}}]}}"#);
        for format in [Format::Infobip, Format::Auto] {
            let (counts, rows) = decode(format, &record);
            assert_eq!((counts.dead_letters, counts.total()), (1, 1), "{result}");
            assert_eq!(columns(&rows[0], "reason sender"), "unknown_shape -", "{result}");
        }
    }
}

#[test]
fn group_is_no_sender() {
    let record = r#"{"to":"120363012345678901","from":"16505551234","messageId":"AB1","receivedAt":"2026-11-08T00:02:27.000+0000","integrationType":"WHATSAPP","type":"wa_group","message":{"type":"TEXT","text":"secret"}}"#;
    for record in [record.to_owned(), format!(r#"{{"results":[{record}]}}"#)] {
        let row = only(Format::Infobip, &record);
        assert_eq!(columns(&row, "reason sender"), "no_sender -", "{record}");
    }
}

#[test]
fn events_that_stand_alone_name_no_sender() {
    let row = only(
        Format::Infobip,
        r#"{"from":"41793026731","content":{"type":"user_identity_changed","hash":"h","userNumber":"385919998888"},"createdAt":"2026-11-08T00:02:27.000+0000"}"#,
    );
    assert_eq!((row.kind, row.get("sender"), row.get("peer_phone")), (EventKind::Account, "", ""));
    assert_eq!(columns(&row, "event time"), "customer_identity_changed 1794096147000000");
    let row = only(
        Format::Infobip,
        r#"{"from":"41793026731","content":{"type":"payment"},"createdAt":"2026-11-08T00:02:27.000+0000"}"#,
    );
    assert_eq!(row.get("reason"), "payment");
    let row = only(Format::Infobip, r#"{"messageTemplateId":1,"change":{"type":"STATUS_UPDATE"}}"#);
    assert_eq!(row.get("reason"), "message_template_status_update");
}

#[test]
fn bad_results_leave_their_neighbours_alone() {
    let good = received(r#""type":"TEXT","text":"x""#);
    let inner = good
        .trim_start_matches(r#"{"results":["#)
        .split("],\"messageCount\"")
        .next()
        .expect("result");
    let (_, rows) =
        decode(Format::Infobip, &format!(r#"{{"results":[7,{inner},{{"messageId":"secret"}}]}}"#));
    assert_eq!(kinds(&rows), ["dead_letter", "message", "dead_letter"]);
    assert_eq!(rows[0].get("detail"), "results[0]: expected object, found number");
    assert_eq!(rows[2].get("detail"), "results[2]: expected a message or report, found object");
}

#[test]
fn message_in_a_group_has_the_groups_id_in_its_context() {
    let row = row(r#""type":"TEXT","text":"x","context":{"groupId":"g1"}"#);
    assert_eq!(columns(&row, "in_group is_reply"), "1 0");
}

#[test]
fn rows_of_sms_are_of_another_channel() {
    let rows = told_alike(
        Format::Infobip,
        r#"{"results":[{"messageId":"s1","from":"16505551234","to":"447860099299","text":"secret","cleanText":"secret","keyword":"K","receivedAt":"2026-11-08T00:02:27.000+0000","smsCount":1},{"messageId":"s2","to":"16505551234","from":"447860099299","doneAt":"2026-11-08T00:02:27.000+0000","smsCount":1,"mccMnc":"22801","status":{"groupName":"DELIVERED","name":"X"}}]}"#,
    );
    assert_eq!(kinds(&rows), ["ignored", "ignored"]);
    assert!(rows.iter().all(|row| row.get("reason") == "other_channel"));
    let named = r#"{"results":[{"messageId":"m1","to":"16505551234","from":"447860099299","doneAt":"2026-11-08T00:02:27.000+0000","channel":"WHATSAPP","smsCount":1,"status":{"groupName":"DELIVERED","name":"X"}}]}"#;
    assert_eq!(only(Format::Infobip, named).kind, EventKind::Status);
}

#[test]
fn result_alone_is_as_among_others() {
    let alone = received(r#""type":"TEXT","text":"Hello""#);
    let alone = alone.trim_start_matches(r#"{"results":["#);
    let alone = alone.split("],\"messageCount\"").next().expect("result");
    assert_eq!(only(Format::Infobip, alone), row(r#""type":"TEXT","text":"Hello""#));
    let event = r#"{"integrationType":"WHATSAPP","content":{"type":"payment"},"createdAt":"2026-11-08T00:02:27.000+0000"}"#;
    assert_eq!(only(Format::Infobip, event).get("reason"), "payment");
    let other = alone.replace("WHATSAPP", "VIBER");
    assert_eq!(only(Format::Infobip, &other).get("reason"), "other_channel");
}

#[test]
fn answers_and_files_of_the_newer_form_have_names_of_their_own() {
    for (content, expected) in [
        (r#""type":"FLOW_RESPONSE""#, format!("6 {} -", InteractiveType::NfmReply.code())),
        (r#""type":"PAYMENT_RESPONSE""#, format!("6 {} -", InteractiveType::Other.code())),
        (
            r#""type":"FILE","url":"x","caption":"abc""#,
            format!("{} - 3", MessageKind::Document.code()),
        ),
    ] {
        let record = format!(
            r#"{{"results":[{{"event":"MO","channel":"WHATSAPP","sender":"16505551234","destination":"447860099299","content":[{{{content}}}],"receivedAt":"2026-11-08T00:02:27.000+0000","messageId":"AB1"}}]}}"#
        );
        let row = only(Format::Infobip, &record);
        assert_eq!(columns(&row, "message_kind interactive_type chars"), expected, "{content}");
    }
}
