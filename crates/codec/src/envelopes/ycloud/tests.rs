use turnwise_model::{EventKind, InteractiveType, MessageKind};

use crate::Format;
use crate::testing::{columns, decode, kinds, message, only, phone, told_alike, user};

const BUSINESS: &str = "15550783881";

fn event(kind: &str, rest: &str) -> String {
    format!(
        r#"{{"id":"evt_1","type":"whatsapp.{kind}","apiVersion":"v2","createTime":"2026-11-08T00:02:30.000Z",{rest}}}"#
    )
}

fn inbound(rest: &str) -> String {
    format!(
        r#""whatsappInboundMessage":{{"id":"y1","wamid":"wamid.A","wabaId":"9","from":"+16505551234","fromUserId":"US.7","to":"+15550783881","sendTime":"2026-11-08T00:02:27.000Z","customerProfile":{{"name":"A B"}},{rest}}}"#
    )
}

fn outbound(rest: &str) -> String {
    format!(
        r#""whatsappMessage":{{"id":"y2","wamid":"wamid.B","wabaId":"9","from":"+15550783881","to":"+16505551234","createTime":"2026-11-08T00:02:27.000Z",{rest}}}"#
    )
}

#[test]
fn received_message_is_the_numbers_and_goes_by_its_wamid() {
    let row = only(
        Format::YCloud,
        &event(
            "inbound_message.received",
            &inbound(
                r#""type":"text","text":{"body":"Hello"},"context":{"id":"wamid.Z"},"referral":{"source_type":"ad"}"#,
            ),
        ),
    );
    assert_eq!(
        columns(&row, "waba_id sender direction message_kind chars is_reply has_referral time"),
        "9 15550783881 0 0 5 1 1 1794096147000000"
    );
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone(BUSINESS, "16505551234"), &*user(BUSINESS, "US.7"))
    );
    assert_eq!(row.get("message"), message(BUSINESS, "wamid.A"));
    let tap = only(
        Format::YCloud,
        &event(
            "inbound_message.received",
            &inbound(
                r#""type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"1","title":"Row"}}"#,
            ),
        ),
    );
    assert_eq!(
        columns(&tap, "message_kind interactive_type chars"),
        format!("6 {} 3", InteractiveType::ListReply.code())
    );
    let voice = only(
        Format::YCloud,
        &event("inbound_message.received", &inbound(r#""type":"audio","audio":{"voice":true}"#)),
    );
    assert_eq!(columns(&voice, "message_kind voice"), format!("{} 1", MessageKind::Audio.code()));
}

#[test]
fn system_message_gives_an_account_row_too() {
    let rows = told_alike(
        Format::YCloud,
        &event(
            "inbound_message.received",
            &inbound(
                r#""type":"system","system":{"type":"user_changed_user_id","user_id":"US.8","previous_user_id":"US.7"}"#,
            ),
        ),
    );
    assert_eq!(kinds(&rows), ["message", "account"]);
    assert_eq!(columns(&rows[1], "item field event"), "0 messages user_changed_user_id");
    assert_eq!(
        (rows[1].get("peer_user"), rows[1].get("peer_user_previous")),
        (&*user(BUSINESS, "US.8"), &*user(BUSINESS, "US.7"))
    );
}

#[test]
fn sent_message_stands_beside_its_status_and_price() {
    let message_ = outbound(
        r#""type":"template","template":{"name":"n"},"status":"delivered","sendTime":"2026-11-08T00:02:28.000Z","deliverTime":"2026-11-08T00:02:29.000Z","updateTime":"2026-11-08T00:02:30.000Z","pricingCategory":"marketing","pricingModel":"PMP","pricingType":"regular","totalPrice":0.05,"conversation":{"originType":"marketing"}"#,
    );
    let rows = told_alike(Format::YCloud, &event("message.updated", &message_));
    assert_eq!(kinds(&rows), ["message", "status"]);
    assert_eq!(
        columns(&rows[0], "direction message_kind time"),
        format!("1 {} 1794096147000000", MessageKind::Template.code())
    );
    assert_eq!(
        columns(
            &rows[1],
            "sender status category conversation_origin pricing_type pricing_model time"
        ),
        "15550783881 1 0 0 0 1 1794096149000000"
    );
    let failed = outbound(
        r#""type":"text","text":{"body":"x"},"status":"failed","errorCode":"131026","whatsappApiError":{"code":"131047"}"#,
    );
    let row = only(Format::YCloud, &event("message.updated", &failed));
    assert_eq!(
        (row.kind, columns(&row, "status error_code time")),
        (EventKind::Status, "4 131047 1794096150000000".to_owned())
    );
    let accepted = outbound(r#""type":"text","text":{"body":"x"},"status":"accepted""#);
    let rows = told_alike(Format::YCloud, &event("message.updated", &accepted));
    assert_eq!((kinds(&rows).len(), rows[1].get("status")), (2, "5"));
}

#[test]
fn phone_app_and_history_have_their_origins() {
    let sent = outbound(
        r#""type":"text","text":{"body":"x"},"sendTime":"2026-11-08T00:02:28.000Z","status":"sent""#,
    );
    let echo = only(Format::YCloud, &event("smb.message.echoes", &sent));
    assert_eq!(columns(&echo, "origin direction time"), "1 1 1794096148000000");
    for sent in [&sent, &sent.replace("\"sent\"", "\"failed\"")] {
        let old = only(Format::YCloud, &event("smb.history", sent));
        assert_eq!(
            (old.kind, columns(&old, "origin direction")),
            (EventKind::History, "3 1".to_owned())
        );
    }
    let old = only(
        Format::YCloud,
        &event("smb.history", &inbound(r#""type":"text","text":{"body":"x"}"#)),
    );
    assert_eq!(columns(&old, "origin direction"), "3 0");
}

#[test]
fn message_alone_is_taken_with_times_of_another_spelling() {
    let bare = r#"{"id":"y1","wabaId":"9","from":15550783881,"to":"16505551234","type":null,"status":null,"text":{"body":"body"},"createTime":"2022-06-01 12:00:00+00:00","recipientUserId":"US.7"}"#;
    let row = only(Format::YCloud, bare);
    assert_eq!(
        columns(&row, "sender direction message_kind time"),
        "15550783881 1 0 1654084800000000"
    );
    assert_eq!(row.get("peer_user"), user(BUSINESS, "US.7"));
}

#[test]
fn accounts_and_numbers_are_account_rows_and_the_rest_is_ignored() {
    let row = only(
        Format::YCloud,
        &event(
            "business_account.updated",
            r#""whatsappBusinessAccount":{"id":"9","updateEvent":"ACCOUNT_VIOLATION","violationType":"SCAM"}"#,
        ),
    );
    assert_eq!(
        columns(&row, "waba_id sender field event time"),
        "9 - account_update ACCOUNT_VIOLATION 1794096150000000"
    );
    for (named, field, name) in [
        ("qualityUpdateEvent", "phone_number_quality_update", "DOWNGRADE"),
        ("updateEvent", "account_update", "ACCOUNT_OFFBOARDED"),
    ] {
        let number = format!(
            r#""whatsappPhoneNumber":{{"wabaId":"9","phoneNumber":"+15550783881","{named}":"{name}"}}"#
        );
        let row = only(Format::YCloud, &event("phone_number.quality_updated", &number));
        assert_eq!(columns(&row, "sender field event"), format!("15550783881 {field} {name}"));
    }
    let flow = r#"{"eventType":"whatsapp.flow.status_change","eventId":"evt_1","apiVersion":"v2","createTime":"2026-11-08T00:02:30.000Z","flowChanges":{"flowId":"1"}}"#;
    assert_eq!(only(Format::YCloud, flow).get("reason"), "flows");
    for (kind, name) in [
        ("template.reviewed", "message_template_status_update"),
        ("user.preferences", "user_preferences"),
        ("call.connect", "calls"),
        ("smb.app.state.sync", "smb_app_state_sync"),
        ("group.lifecycle_update", "group_lifecycle_update"),
        ("group.participants_update", "group_participants_update"),
        ("group.settings_update", "group_settings_update"),
        ("group.status_update", "group_status_update"),
        ("group.hologram", "other"),
        ("hologram", "other"),
    ] {
        let row = only(Format::YCloud, &event(kind, r#""x":1"#));
        assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, name));
    }
    let (_, rows) =
        decode(Format::YCloud, r#"{"id":"id","expireTime":"2022-06-01 12:00:00+00:00"}"#);
    assert_eq!(rows[0].get("reason"), "unknown_shape");
    let (_, rows) = decode(Format::YCloud, r#"{"type":"sms.inbound.received","apiVersion":"v2"}"#);
    assert_eq!(rows[0].get("reason"), "other_channel");
}

#[test]
fn message_alone_is_never_taken_for_the_other_way() {
    let bare = |rest: &str| {
        format!(
            r#"{{"id":"y1","wamid":"wamid.A","wabaId":"9","to":"+15550783881","sendTime":"2026-11-08T00:02:27.000Z","type":"text","text":{{"body":"Hello"}}{rest}}}"#
        )
    };
    const FROM: &str = r#","from":"+16505551234""#;
    for (mark, peer_phone) in [
        (format!(r#"{FROM},"customerProfile":{{"name":"A B"}}"#), &*phone(BUSINESS, "16505551234")),
        (format!(r#"{FROM},"fromUserId":"US.7""#), &*phone(BUSINESS, "16505551234")),
        (r#","fromUserId":"US.7""#.to_owned(), ""),
    ] {
        let row = only(Format::YCloud, &bare(&mark));
        assert_eq!(columns(&row, "sender direction chars"), "15550783881 0 5", "{mark}");
        assert_eq!(row.get("peer_phone"), peer_phone);
    }
    let row = only(Format::YCloud, &bare(FROM));
    assert_eq!(
        columns(&row, "waba_id sender reason detail"),
        "9 - no_direction record: expected a mark of who wrote it, found object"
    );
    for status in ["received", "new", ""] {
        let row = only(Format::YCloud, &bare(&format!(r#"{FROM},"status":"{status}""#)));
        assert_eq!(columns(&row, "sender reason"), "- no_direction", "{status}");
    }
    for status in ["accepted", "sent", "delivered", "read", "Failed"] {
        let sent = format!(
            r#"{{"id":"y1","wabaId":"9","from":"+15550783881","to":"+16505551234","sendTime":"2026-11-08T00:02:27.000Z","updateTime":"2026-11-08T00:02:27.000Z","type":"text","text":{{"body":"x"}},"status":"{status}"}}"#
        );
        let rows = told_alike(Format::YCloud, &sent);
        assert!(rows.iter().all(|row| row.get("sender") == BUSINESS), "{status}");
    }
    // What was sent has the profile of whom it was sent to.
    let sent = r#"{"id":"y2","wabaId":"9","from":"+15550783881","to":"+16505551234","createTime":"2026-11-08T00:02:27.000Z","type":"text","text":{"body":"Hello"},"customerProfile":{"name":"A B"}}"#;
    let row = only(Format::YCloud, sent);
    assert_eq!(columns(&row, "sender direction"), "15550783881 1");
    assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"));
}

#[test]
fn what_the_platforms_own_agent_writes_is_on_standby() {
    let sent = outbound(
        r#""type":"text","text":{"body":"Good morning"},"status":"sent","sendTime":"2026-11-08T00:02:28.000Z","recipientUserId":"US.7""#,
    );
    let rows = told_alike(Format::YCloud, &event("echo_message.created", &sent));
    assert_eq!(kinds(&rows), ["message", "status"]);
    assert_eq!(
        columns(&rows[0], "sender origin direction chars time"),
        "15550783881 2 1 12 1794096148000000"
    );
    assert_eq!(columns(&rows[1], "sender origin status"), "15550783881 2 0");
    let delivered = outbound(
        r#""status":"delivered","updateTime":"2026-11-08T00:02:29.000Z","deliverTime":"2026-11-08T00:02:29.000Z""#,
    );
    let row = only(Format::YCloud, &event("echo_message.updated", &delivered));
    assert_eq!(row.kind, EventKind::Status);
    assert_eq!(columns(&row, "origin status time"), "2 1 1794096149000000");
    assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"));
    let failed = sent.replace("\"sent\"", "\"failed\"");
    let row = only(Format::YCloud, &event("echo_message.created", &failed));
    assert_eq!((row.kind, row.get("status")), (EventKind::Status, "4"));
    let bare = event("echo_message.updated", &outbound(r#""x":1"#));
    assert_eq!(only(Format::YCloud, &bare).get("reason"), "wrong_type");
}

#[test]
fn handover_of_the_platforms_own_agent_is_an_account_row() {
    let handover = |state: &str| {
        let agent = format!(
            r#""whatsappMetaBusinessAgent":{{"agentId":"a","metaAgentId":"m","wabaId":"9","phoneNumberId":"100","consumerPhoneNumber":"+16505551234","controlState":"{state}","actor":"x","reason":"y","timestamp":1794096147000}}"#
        );
        only(Format::YCloud, &event("meta_business_agent.handover.updated", &agent))
    };
    let row = handover("APP_CONTROL_TAKEN");
    assert_eq!(
        columns(&row, "waba_id sender field event role_new time"),
        "9 100 messaging_handovers control_taken - 1794096147000000"
    );
    assert_eq!(row.get("peer_phone"), phone("100", "16505551234"));
    assert_eq!(handover("APP_CONTROL_PASSED").get("event"), "control_passed");
    for odd in ["APP_UPGRADE", "UPGRADE", "hologram"] {
        assert_eq!(handover(odd).get("event"), "other", "{odd}");
    }
    let other = event("meta_business_agent.x", r#""whatsappMetaBusinessAgent":{"wabaId":"9"}"#);
    assert_eq!(columns(&only(Format::YCloud, &other), "waba_id reason"), "9 other");
}

#[test]
fn status_in_a_group_is_a_members_or_nobodys() {
    const ID: &str = "Y2FwaV9ncm91cDpBQkM";
    let status = |rest: &str| {
        let message = format!(
            r#""whatsappGroupMessage":{{"id":"y3","wamid":"wamid.C","wabaId":"9","phoneNumberId":"100","from":"+15550783881","groupId":"{ID}","status":"delivered","deliverTime":"2026-11-08T00:02:29.000Z","pricingCategory":"group_utility",{rest}}}"#
        );
        only(Format::YCloud, &event("group.message.updated", &message))
    };
    let row = status(r#""statusScope":"member","to":"+16505551234""#);
    assert_eq!(
        columns(&row, "waba_id sender in_group origin status category time"),
        "9 15550783881 1 0 1 8 1794096149000000"
    );
    assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"));
    assert_eq!(row.get("message"), message(BUSINESS, "wamid.C"));
    let row = status(r#""statusScope":"member","recipientUserId":"US.7""#);
    assert_eq!(row.get("peer_user"), user(BUSINESS, "US.7"));
    for (scope, to) in [("group", ID), ("group", "+16505551234"), ("member", ID), ("", ID)] {
        let row = status(&format!(r#""statusScope":"{scope}","to":"{to}""#));
        assert_eq!(columns(&row, "in_group peer_phone peer_user peer_country"), "1 - - -");
    }
    // Without the number, its id stands for the sender.
    let nameless = r#""whatsappGroupMessage":{"wamid":"wamid.C","phoneNumberId":"100","groupId":"g","status":"read","readTime":"2026-11-08T00:02:29.000Z"}"#;
    let row = only(Format::YCloud, &event("group.message.updated", nameless));
    assert_eq!(columns(&row, "sender in_group status"), "100 1 2");
}

#[test]
fn message_to_a_group_and_its_status_have_no_peer() {
    for group in [
        r#""groupId":"g1","to":"g1""#,
        r#""recipientType":"group","to":"g1""#,
        r#""to":"Y2FwaV9ncm91cDpBQkM=""#,
    ] {
        let sent = format!(
            r#""whatsappMessage":{{"wamid":"wamid.B","wabaId":"9","from":"+15550783881","createTime":"2026-11-08T00:02:27.000Z","type":"text","text":{{"body":"x"}},"status":"sent",{group}}}"#
        );
        let rows = told_alike(Format::YCloud, &event("message.updated", &sent));
        assert_eq!(kinds(&rows), ["message", "status"]);
        for row in &rows {
            assert_eq!(columns(row, "in_group peer_phone peer_user"), "1 - -", "{group}");
        }
    }
}

#[test]
fn number_of_a_person_is_no_account_and_an_empty_referral_none() {
    let of_person = |text: String| text.replace(r#""wabaId":"9""#, r#""wabaId":"16505551234""#);
    let rest = r#""type":"text","text":{"body":"x"},"referral":{}"#;
    let received = event("inbound_message.received", &of_person(inbound(rest)));
    let row = only(Format::YCloud, &received);
    assert_eq!(columns(&row, "sender waba_id has_referral"), "15550783881 - 0");
    let dead = received.replace("2026-11-08T00", "soon");
    assert_eq!(columns(&only(Format::YCloud, &dead), "sender waba_id"), "15550783881 -");
    let sent = event("message.updated", &of_person(outbound(rest)));
    assert_eq!(columns(&only(Format::YCloud, &sent), "sender waba_id"), "15550783881 -");
}
