use turnwise_model::EventKind;

use crate::Format;
use crate::testing::{columns, decode, kinds, only, phone, told_alike};

const META: &str = r#""messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"100"}"#;

#[test]
fn webhooks_are_as_the_cloud_apis() {
    let webhook = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"9","changes":[{{"field":"messages","value":{{{META},"statuses":[{{"id":"w","status":"read","timestamp":"1794096147","recipient_id":"1650"}}]}}}}]}}]}}"#
    );
    assert_eq!(decode(Format::Dialog360, &webhook), decode(Format::CloudApi, &webhook));
}

#[test]
fn history_of_a_partner_is_a_value_of_that_field() {
    let text = r#"{"from":"16505551234","id":"w","timestamp":"1739230955","type":"text","text":{"body":"hi"},"history_context":{"status":"READ"}}"#;
    let event = format!(
        r#"{{"id":"e1","event":"history","data":{{"id":"9",{META},"history":[{{"metadata":{{"phase":0}},"threads":[{{"id":"16505551234","messages":[{text}]}}]}},{{"errors":[{{"code":2593109}}]}}]}}}}"#
    );
    let rows = told_alike(Format::Dialog360, &event);
    assert_eq!(kinds(&rows), ["history", "account"]);
    assert_eq!(columns(&rows[0], "waba_id sender direction origin chars"), "9 100 0 3 2");
    assert_eq!(rows[0].get("peer_phone"), phone("100", "16505551234"));
    assert_eq!(columns(&rows[1], "field error_code"), "history 2593109");
}

#[test]
fn other_partner_events_are_ignored() {
    for (event, name) in [("client_created", "other"), ("smb_app_state_sync", "smb_app_state_sync")]
    {
        let event = format!(r#"{{"id":"e1","event":"{event}","data":{{"id":"9","name":"A B"}}}}"#);
        let rows = told_alike(Format::Dialog360, &event);
        assert_eq!((rows[0].kind, rows[0].get("reason")), (EventKind::Ignored, name));
    }
}

#[test]
fn violations_and_restrictions_are_account_rows() {
    for (event, name) in
        [("account_violation", "ACCOUNT_VIOLATION"), ("account_restriction", "ACCOUNT_RESTRICTION")]
    {
        let event = format!(
            r#"{{"id":"e1","event":"{event}","data":{{"phone_number":"+1 555 078 3881","violation_type":"SCAM"}}}}"#
        );
        let row = only(Format::Dialog360, &event);
        assert_eq!(
            columns(&row, "waba_id sender field event peer_phone"),
            format!("- 15550783881 account_update {name} -")
        );
    }
}

#[test]
fn events_of_others_are_no_partner_events() {
    let message = r#"{"id":"wamid.SECRETID","from":"16505551234","to":"15550783881","timestamp":1794096147,"type":"text","text":"secret"}"#;
    for event in ["message.created", "message:in:new", "messages", "message", "typing", "x"] {
        let event = format!(r#"{{"id":"e1","event":"{event}","data":{message}}}"#);
        let (counts, rows) = decode(Format::Auto, &event);
        assert_eq!((counts.dead_letters, counts.total()), (1, 1), "{event}");
        assert_eq!(columns(&rows[0], "reason waba_id sender"), "unknown_shape - -", "{event}");
    }
    // What an id beside no value of the Cloud API is, nobody knows, whatever a setting says.
    for (event, data) in [
        ("message.created", message),
        ("messages", message),
        ("calls", r#"{"id":"wacid.SECRETID","from":"16505551234"}"#),
        ("client_created", r#"{"id":"16505551234","messaging_product":"whatsapp"}"#),
    ] {
        let event = format!(r#"{{"id":"e1","event":"{event}","data":{data}}}"#);
        let (_, rows) = decode(Format::Dialog360, &event);
        assert_eq!(columns(&rows[0], "waba_id sender"), "- -", "{event}");
        assert!(!format!("{rows:?}").contains("SECRETID"), "{event}");
    }
    for name in ["channel_running", "waba_updated", "template_messaging_enabled"] {
        let event = format!(r#"{{"id":"e1","event":"{name}","data":{{"id":"c1"}}}}"#);
        let rows = told_alike(Format::Dialog360, &event);
        assert_eq!(columns(&rows[0], "reason waba_id"), "other -", "{name}");
    }
}

#[test]
fn webhook_in_an_event_is_the_cloud_apis() {
    let webhook = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"9","changes":[{{"field":"messages","value":{{{META},"statuses":[{{"id":"w","status":"read","timestamp":"1794096147","recipient_id":"1650"}}]}}}}]}}]}}"#
    );
    let event = format!(r#"{{"id":"e1","event":"message","data":{webhook}}}"#);
    assert_eq!(told_alike(Format::Dialog360, &event), decode(Format::CloudApi, &webhook).1);
}
