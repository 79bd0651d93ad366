use turnwise_model::{EventKind, InteractiveType, MessageKind, Status};

use crate::Format;
use crate::testing::{columns, kinds, message, only, phone, told_alike, user};

fn received(kind: &str, content: &str) -> String {
    format!(
        r#"{{"namespace":"ChatApps","eventType":"inbound_message_received","description":"x","payload":{{"umid":"u1","subAccountId":"sub-1","timestamp":"2026-11-08T00:02:27Z","user":{{"msisdn":"+16505551234","channelUserId":"16505551234","name":"A B"}},"recipient":{{"channel":"whatsapp","channelId":"ch-1"}},"type":"{kind}","content":{{{content}}},"replyToUmid":"u0"}}}}"#
    )
}

#[test]
fn received_message_is_the_subaccounts() {
    let row = only(Format::EightXEight, &received("Text", r#""text":"Hello""#));
    assert_eq!(
        columns(&row, "sender direction message_kind chars is_reply time"),
        "sub-1 0 0 5 1 1794096147000000"
    );
    assert_eq!(row.get("peer_phone"), phone("sub-1", "16505551234"));
    assert_eq!(row.get("message"), message("sub-1", "u1"));
    for (kind, content, expected) in [
        ("Image", r#""url":"x""#, format!("{} - -", MessageKind::Image.code())),
        ("Audio", r#""url":"x""#, format!("{} - -", MessageKind::Audio.code())),
        ("Document", r#""url":"x","text":"ab""#, format!("{} - 2", MessageKind::Document.code())),
        (
            "Interactive",
            r#""interactive":{"type":"button_reply","button_reply":{"id":"1","title":"FAQ"}}"#,
            format!("6 {} 3", InteractiveType::ButtonReply.code()),
        ),
        (
            "Interactive",
            r#""interactive":{"type":"listReply","listReply":{"id":"1","title":"Row"}}"#,
            format!("6 {} 3", InteractiveType::ListReply.code()),
        ),
        (
            "Interactive",
            r#""interactive":{"type":"nfmReply","nfmReply":{"responseJson":"{}"}}"#,
            format!("6 {} -", InteractiveType::NfmReply.code()),
        ),
        (
            "Interactive",
            r#""interactive":{"type":"callPermissionReply","callPermissionReply":{}}"#,
            format!("6 {} -", InteractiveType::CallPermissionReply.code()),
        ),
        ("Location", r#""location":{}"#, format!("{} - -", MessageKind::Location.code())),
        ("Hologram", r#""x":1"#, format!("{} - -", MessageKind::Unknown.code())),
    ] {
        let row = only(Format::EightXEight, &received(kind, content));
        assert_eq!(columns(&row, "message_kind interactive_type chars"), expected);
    }
}

#[test]
fn statuses_are_the_subaccounts_too() {
    for (state, status) in [
        ("queued", Status::Other),
        ("sent", Status::Sent),
        ("delivered", Status::Delivered),
        ("read", Status::Read),
        ("undelivered", Status::Failed),
    ] {
        let record = format!(
            r#"{{"namespace":"ChatApps","eventType":"outbound_message_status_changed","payload":{{"umid":"u2","subAccountId":"sub-1","channel":"whatsApp","user":{{"msisdn":"+16505551234"}},"status":{{"state":"{state}","timestamp":"2026-11-08T00:02:27.00Z","errorCode":1022,"errorMessage":"x"}}}}}}"#
        );
        let row = only(Format::EightXEight, &record);
        assert_eq!((row.kind, row.get("status")), (EventKind::Status, &*status.code().to_string()));
        assert_eq!(columns(&row, "sender error_code time"), "sub-1 1022 1794096147000000");
        assert_eq!(row.get("message"), message("sub-1", "u2"));
    }
}

#[test]
fn other_events_are_ignored_or_about_the_number() {
    let sms = received("Text", r#""text":"secret""#).replace("\"ChatApps\"", "\"SMS\"");
    assert_eq!(only(Format::EightXEight, &sms).get("reason"), "other_channel");
    let viber = received("Text", r#""text":"secret""#).replace("\"whatsapp\"", "\"viber\"");
    assert_eq!(only(Format::EightXEight, &viber).get("reason"), "other_channel");
    let about = |kind: &str| {
        format!(
            r#"{{"eventId":"1","timestamp":"2026-11-08T00:02:27Z","provider":"WhatsApp","businessAccountId":"9","eventType":"{kind}","eventDetails":{{"displayPhoneNumber":"15550783881","meta":{{"event":"FLAGGED"}}}}}}"#
        )
    };
    let row = only(Format::EightXEight, &about("phone_number_quality_update"));
    assert_eq!(columns(&row, "waba_id sender event time"), "9 - FLAGGED 1794096147000000");
    let row = only(Format::EightXEight, &about("template_status_update"));
    assert_eq!(row.get("reason"), "message_template_status_update");
}

fn receipt(state: &str, rest: &str) -> String {
    format!(
        r#"{{"version":9,"namespace":"ChatApps","eventType":"outbound_message_status_changed","payload":{{"umid":"u2","subAccountId":"sub-1","channel":"whatsapp","user":{{"msisdn":"+16505551234","channelUserId":"US.7"}},"status":{{"state":"{state}","timestamp":"2026-11-08T00:02:27.00Z","errorCode":1022}},{rest}}}}}"#
    )
}

#[test]
fn message_of_the_phone_app_is_the_businesss() {
    let row = only(
        Format::EightXEight,
        r#"{"version":9,"namespace":"ChatApps","eventType":"external_app_message","payload":{"umid":"u3","subAccountId":"sub-1","timestamp":"2026-11-08T00:02:27.00Z","channel":"whatsapp","user":{"msisdn":"+16505551234","channelUserId":"US.7"},"type":"Text","content":{"text":"Hello"}}}"#,
    );
    assert_eq!(
        columns(&row, "sender direction origin message_kind chars time"),
        "sub-1 1 1 0 5 1794096147000000"
    );
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone("sub-1", "16505551234"), &*user("sub-1", "US.7"))
    );
}

#[test]
fn receipt_has_the_platforms_category_and_code() {
    let row = only(
        Format::EightXEight,
        &receipt(
            "undelivered",
            r#""whatsapp":{"pricingCategory":"utility","providerErrorCode":"131026"}"#,
        ),
    );
    assert_eq!(columns(&row, "status category pricing_type error_code"), "4 2 - 131026");
    let row = only(Format::EightXEight, &receipt("undelivered", r#""whatsapp":{}"#));
    assert_eq!(columns(&row, "category error_code"), "- 1022");
}

#[test]
fn what_was_sent_stands_beside_its_receipt() {
    let sent = r#""outboundContent":{"contentType":"Text","body":{"text":"Hello"}}"#;
    let rows = told_alike(Format::EightXEight, &receipt("queued", sent));
    assert_eq!(kinds(&rows), ["message", "status"]);
    assert_eq!(
        columns(&rows[0], "sender direction origin message_kind chars time"),
        "sub-1 1 0 0 5 1794096147000000"
    );
    assert_eq!(rows[0].get("message"), rows[1].get("message"));
    let row = only(Format::EightXEight, &receipt("failed", sent));
    assert_eq!(row.kind, EventKind::Status);
}

#[test]
fn the_platforms_own_event_is_read_by_the_name_of_its_field() {
    let event = |kind: &str, raw: &str| {
        format!(
            r#"{{"eventId":"e1","timestamp":"2026-11-08T00:02:30Z","provider":"WhatsApp","businessAccountId":"9","accountId":"a1","eventType":"{kind}","eventDetails":{{"rawEvent":{raw}}}}}"#
        )
    };
    let metadata = r#""messaging_product":"whatsapp","metadata":{"phone_number_id":"100"}"#;
    let update = format!(
        r#"{{{metadata},"user_id_update":[{{"wa_id":"16505551234","user_id":{{"previous":"US.7","current":"US.8"}},"timestamp":"1794096147"}}]}}"#
    );
    let row = only(Format::EightXEight, &event("user_id_update", &update));
    assert_eq!(
        columns(&row, "waba_id sender field event time"),
        "9 100 user_id_update user_changed_user_id 1794096147000000"
    );
    assert_eq!(
        (row.get("peer_user"), row.get("peer_user_previous")),
        (&*user("100", "US.8"), &*user("100", "US.7"))
    );
    let change = format!(r#"{{"field":"user_id_update","value":{update}}}"#);
    let row = only(Format::EightXEight, &event("user_id_update", &change));
    assert_eq!(columns(&row, "sender field"), "100 user_id_update");
    let preferences = format!(r#"{{{metadata},"user_preferences":[{{"value":"stop"}}]}}"#);
    let contacts = format!(r#"{{{metadata},"contacts":[{{"wa_id":"16505551234"}}]}}"#);
    for (kind, raw, name) in
        [("user_preferences", preferences, "user_preferences"), ("contacts", contacts, "other")]
    {
        let row = only(Format::EightXEight, &event(kind, &raw));
        assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, name));
    }
}

#[test]
fn the_platforms_own_event_has_account_and_time_of_what_is_around_it() {
    let event = |kind: &str, raw: &str| {
        format!(
            r#"{{"eventId":"e1","timestamp":"2026-11-08T00:02:30Z","provider":"WhatsApp","businessAccountId":"9","eventType":"{kind}","eventDetails":{{"rawEvent":{raw}}}}}"#
        )
    };
    let name = "phone_number_quality_update";
    let value = r#"{"display_phone_number":"15550783881","event":"FLAGGED"}"#;
    let change = format!(r#"{{"field":"{name}","value":{value}}}"#);
    let entry = format!(r#"{{"changes":[{change}]}}"#);
    for raw in [value, &change, &entry, &format!(r#"{{"entry":[{entry}]}}"#)] {
        let row = only(Format::EightXEight, &event(name, raw));
        assert_eq!(columns(&row, "waba_id event time"), "9 FLAGGED 1794096150000000", "{raw}");
    }
    // What it says itself counts.
    let own = format!(r#"{{"entry":[{{"id":"8","time":1794096147,"changes":[{change}]}}]}}"#);
    let row = only(Format::EightXEight, &event(name, &own));
    assert_eq!(columns(&row, "waba_id event time"), "8 FLAGGED 1794096147000000");
    for kind in ["template_status_update", "template_quality_update"] {
        let raw = r#"{"event":"APPROVED","message_template_id":1}"#;
        let row = only(Format::EightXEight, &event(kind, raw));
        assert_eq!(columns(&row, "waba_id reason"), format!("9 message_{kind}"));
    }
}

#[test]
fn events_of_others_in_the_same_words_are_dead_letters() {
    let row = only(Format::EightXEight, r#"{"eventType":"inbound","payload":{"x":1}}"#);
    assert_eq!((row.kind, row.get("reason")), (EventKind::DeadLetter, "unknown_shape"));
    let own = r#"{"namespace":"ChatApps","eventType":"new_event","payload":{"subAccountId":"s"}}"#;
    assert_eq!(columns(&only(Format::EightXEight, own), "sender reason"), "s other");
}
