use turnwise_model::{EventKind, InteractiveType, MessageKind, Status};

use crate::Format;
use crate::testing::{Row, columns, kinds, message, only, phone, told_alike};

fn received(kind: &str, body: &str) -> String {
    format!(
        r#"{{"eventCategoryType":"EngagementEvents.OttMobileOriginated","eid":"1","mid":"2","senderType":"WhatsApp","messageType":"{kind}","channelId":"ch-1","messageId":"wamid.A","timestampUTC":1794096147000,"mobileNumber":"16505551234","contactId":"c1","messageBody":{{{body}}}}}"#
    )
}

fn row(kind: &str, body: &str) -> Row {
    only(Format::Salesforce, &received(kind, body))
}

#[test]
fn received_message_has_the_cloud_apis_body() {
    let row = row("text", r#""text":{"body":"Hello"}"#);
    assert_eq!(
        columns(&row, "sender direction message_kind chars time"),
        "ch-1 0 0 5 1794096147000000"
    );
    assert_eq!(row.get("peer_phone"), phone("ch-1", "16505551234"));
    assert_eq!(row.get("message"), message("ch-1", "wamid.A"));
    let row = self::row("button", r#""button":{"text":"Yes","payload":"y"},"context":{"id":"w"}"#);
    assert_eq!(
        columns(&row, "message_kind chars is_reply"),
        format!("{} 3 1", MessageKind::Button.code())
    );
    let row = self::row(
        "interactive",
        r#""interactive":{"type":"list_reply","list_reply":{"title":"Row"}}"#,
    );
    assert_eq!(
        columns(&row, "interactive_type chars"),
        format!("{} 3", InteractiveType::ListReply.code())
    );
}

#[test]
fn receipts_go_by_the_key_of_the_send() {
    for (kind, status) in [
        ("OttSent", Status::Sent),
        ("OttDelivered", Status::Delivered),
        ("OttRead", Status::Read),
        ("OttFailed", Status::Failed),
    ] {
        let record = format!(
            r#"[{{"EventType":"EngagementEvents.{kind}","MID":"2","EID":"1","SenderType":"WhatsApp","SenderID":"ch-1","MessageKey":"k1","TimeStamp":1794096147,"Reason":"131026"}}]"#
        );
        let rows = told_alike(Format::Salesforce, &record);
        assert_eq!(kinds(&rows), ["status"]);
        assert_eq!(rows[0].get("status"), status.code().to_string());
        assert_eq!(
            columns(&rows[0], "sender peer_phone error_code time"),
            "ch-1 - 131026 1794096147000000"
        );
        assert_eq!(rows[0].get("message"), message("ch-1", "k1"));
    }
}

#[test]
fn other_events_are_ignored() {
    for kind in ["EngagementEvents.EmailOpen", "TransactionalSendEvents.SmsSent"] {
        let row = only(
            Format::Salesforce,
            &format!(r#"{{"eventCategoryType":"{kind}","timestampUTC":1}}"#),
        );
        assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "other_channel"));
    }
    let line = received("text", r#""text":{"body":"secret"}"#).replace("WhatsApp", "LINE");
    assert_eq!(only(Format::Salesforce, &line).get("reason"), "other_channel");
}
