use turnwise_model::{EventKind, MessageKind};

use crate::Format;
use crate::testing::{columns, decode, kinds, message, only, phone, told_alike, user};

fn event(message: &str) -> String {
    format!(
        r#"{{"message":{{"id":"wamid.A","timestamp":"1794096147","type":"text","text":{{"body":"Hello"}},{message}}},"conversation":{{"id":"c1","phone_number":"+16505551234","business_scoped_user_id":"US.7","phone_number_id":"100"}},"is_new_conversation":true,"phone_number_id":"100"}}"#
    )
}

const RECEIVED: &str = r#""from":"16505551234","kapso":{"direction":"inbound","status":"received","origin":"cloud_api"}"#;

#[test]
fn received_message_is_the_cloud_apis() {
    let row = only(Format::Kapso, &event(RECEIVED));
    assert_eq!(columns(&row, "sender direction origin chars time"), "100 0 0 5 1794096147000000");
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone("100", "16505551234"), &*user("100", "US.7"))
    );
    let nameless = event(r#""kapso":{"direction":"inbound"}"#);
    assert_eq!(only(Format::Kapso, &nameless).get("peer_user"), user("100", "US.7"));
}

#[test]
fn sent_message_brings_all_its_statuses() {
    let sent = event(
        r#""to":"16505551234","kapso":{"direction":"outbound","status":"delivered","statuses":[{"id":"wamid.A","status":"sent","timestamp":"1794096148","recipient_id":"16505551234","pricing":{"category":"service"}},{"id":"wamid.A","status":"delivered","timestamp":"1794096149","recipient_id":"16505551234"}]}"#,
    );
    let rows = told_alike(Format::Kapso, &sent);
    assert_eq!(kinds(&rows), ["message", "status", "status"]);
    assert_eq!(columns(&rows[0], "direction chars"), "1 5");
    assert_eq!(columns(&rows[1], "sender status category"), "100 0 5");
    assert!(rows.iter().all(|row| row.get("message") == message("100", "wamid.A")));
    let app = event(r#""to":"1650","kapso":{"direction":"outbound","origin":"business_app"}"#);
    assert_eq!(only(Format::Kapso, &app).get("origin"), "1");
    let old = event(r#""to":"1650","kapso":{"direction":"outbound","origin":"history_sync"}"#);
    assert_eq!(only(Format::Kapso, &old).kind, EventKind::History);
}

#[test]
fn batch_is_taken_whole_and_a_bad_one_leaves_its_neighbours() {
    let good = event(RECEIVED);
    let bad = event(r#""from":"1650","kapso":{"x":"secret"}"#);
    let other = r#"{"conversation":{"id":"c1"},"phone_number_id":"100"}"#;
    let batch = format!(
        r#"{{"type":"whatsapp.message.received","batch":true,"data":[{good},{bad},{other},7],"batch_info":{{"size":4}}}}"#
    );
    let rows = told_alike(Format::Kapso, &batch);
    assert_eq!(kinds(&rows), ["message", "dead_letter", "ignored", "dead_letter"]);
    assert_eq!(
        columns(&rows[1], "reason detail"),
        "no_direction data[1].message.direction: expected inbound or outbound, found nothing"
    );
    assert_eq!(rows[2].get("reason"), "conversation");
}

#[test]
fn events_of_the_project_are_ignored() {
    for (event, sender, name) in [
        (
            r#"{"phone_number_id":"100","project":{"id":"p1"},"customer":{"id":"c1"}}"#,
            "100",
            "conversation",
        ),
        (
            r#"{"event":"workflow.execution.failed","workflow":{"id":"w1"},"error":"x"}"#,
            "",
            "workflow",
        ),
        (r#"{"event":"workflow.execution.handoff","workflow":{"id":"w1"}}"#, "", "workflow"),
        (r#"{"event":"project.updated","project":{"id":"p1"}}"#, "", "conversation"),
    ] {
        let row = only(Format::Kapso, event);
        assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, name), "{event}");
        assert_eq!(row.get("sender"), sender);
    }
}

#[test]
fn lists_of_the_platform_are_no_event_about_a_conversation() {
    let value = r#"{"phone_number_id":"100","conversation":{"id":"c"},"messages":[{"from":"16505551234","id":"wamid.A","timestamp":"1794096147","type":"text","text":{"body":"hi"}}]}"#;
    let (_, rows) = decode(Format::Auto, value);
    assert_eq!(kinds(&rows), ["message"]);
    assert_eq!(columns(&rows[0], "sender direction chars"), "100 0 2");
    assert_eq!(rows[0].get("message"), message("100", "wamid.A"));
    let (_, rows) = decode(Format::Kapso, value);
    assert_eq!(columns(&rows[0], "reason sender"), "unknown_shape 100");
}

#[test]
fn event_around_one_message_is_the_message() {
    let inner = event(RECEIVED);
    let alone = only(Format::Kapso, &inner);
    for key in ["event", "type"] {
        let around = format!(r#"{{"{key}":"whatsapp.message.received","data":{inner}}}"#);
        assert_eq!(only(Format::Kapso, &around), alone, "{key}");
    }
    let bad = event(r#""from":"1650","kapso":{"x":1}"#);
    let around = format!(r#"{{"event":"whatsapp.message.received","data":{bad}}}"#);
    assert_eq!(
        columns(&only(Format::Kapso, &around), "reason detail"),
        "no_direction data.message.direction: expected inbound or outbound, found nothing"
    );
    let ended = r#"{"event":"whatsapp.conversation.ended","data":{"conversation":{"id":"c1"},"phone_number_id":"100"}}"#;
    assert_eq!(columns(&only(Format::Kapso, ended), "sender reason"), "100 conversation");
}

#[test]
fn send_that_failed_is_its_status_alone() {
    let failed = |statuses: &str| {
        event(&format!(
            r#""to":"16505551234","kapso":{{"direction":"outbound","status":"failed"{statuses}}}"#
        ))
    };
    let told = failed(
        r#","statuses":[{"id":"wamid.A","status":"failed","timestamp":"1794096148","recipient_id":"16505551234","errors":[{"code":131047}]}]"#,
    );
    let row = only(Format::Kapso, &told);
    assert_eq!(
        (row.kind, columns(&row, "status error_code time")),
        (EventKind::Status, "4 131047 1794096148000000".to_owned())
    );
    for statuses in ["", r#","statuses":[]"#] {
        let row = only(Format::Kapso, &failed(statuses));
        assert_eq!(
            (row.kind, columns(&row, "sender status error_code time")),
            (EventKind::Status, "100 4 - 1794096147000000".to_owned())
        );
        assert_eq!(row.get("message"), message("100", "wamid.A"));
        assert_eq!(row.get("peer_phone"), phone("100", "16505551234"));
    }
    let app = failed("").replace(r#""status":"#, r#""origin":"business_app","status":"#);
    assert_eq!(only(Format::Kapso, &app).kind, EventKind::Message);
}

#[test]
fn send_to_a_group_that_failed_is_nobodys() {
    for to in [
        r#""to":"16505551234","recipient_type":"group""#,
        r#""to":"16505551234","group_id":"g1""#,
        r#""to":"120363@g.us""#,
    ] {
        let kapso = r#""kapso":{"direction":"outbound","status":"failed"}"#;
        let row = only(Format::Kapso, &event(&format!("{to},{kapso}")));
        assert_eq!(
            columns(&row, "sender status in_group peer_phone peer_user"),
            "100 4 1 - -",
            "{to}"
        );
    }
}

#[test]
fn message_of_version_1_has_names_of_its_own() {
    let first = |kind: &str, rest: &str| {
        format!(
            r#"{{"type":"whatsapp.message.received","message":{{"id":"m1","message_type":"{kind}","content":"Good day","phone_number":"+16505551234","whatsapp_message_id":"wamid.A","created_at":"2026-11-08T00:02:27Z",{rest}}},"conversation":{{"id":"c1","phone_number":"+16505551234"}},"whatsapp_config":{{"id":"w1","phone_number_id":"100"}}}}"#
        )
    };
    let row = only(Format::Kapso, &first("text", r#""direction":"inbound","status":"received""#));
    assert_eq!(
        columns(&row, "sender direction origin message_kind chars time"),
        "100 0 0 0 8 1794096147000000"
    );
    assert_eq!(row.get("message"), message("100", "wamid.A"));
    assert_eq!(row.get("peer_phone"), phone("100", "16505551234"));
    let row = only(Format::Kapso, &first("audio", r#""direction":"inbound""#));
    assert_eq!(
        columns(&row, "message_kind voice chars"),
        format!("{} - -", MessageKind::Audio.code())
    );
    let sent = first(
        "text",
        r#""direction":"outbound","status":"delivered","updated_at":"2026-11-08T00:02:29Z""#,
    );
    let rows = told_alike(Format::Kapso, &sent);
    assert_eq!(kinds(&rows), ["message", "status"]);
    assert_eq!(columns(&rows[1], "status time"), "1 1794096149000000");
    let failed = sent.replace("delivered", "failed");
    let row = only(Format::Kapso, &failed);
    assert_eq!((row.kind, row.get("status")), (EventKind::Status, "4"));
    let none = first("text", r#""status":"received""#);
    assert_eq!(only(Format::Kapso, &none).get("reason"), "no_direction");
}

fn changed(contact: &str, previous: &str) -> String {
    format!(
        r#"{{"contact":{{"id":"k1",{contact}"updated_at":"2026-11-08T00:02:27Z"}},"previous":{{{previous}}},"phone_number_id":"100"}}"#
    )
}

#[test]
fn another_user_id_of_a_person_is_an_account_row() {
    let both = r#""wa_id":"16505551234","business_scoped_user_id":"US.8","#;
    let event = changed(both, r#""business_scoped_user_id":"US.7""#);
    let around = format!(r#"{{"event":"whatsapp.contact.identity_changed","data":{event}}}"#);
    for event in [&event, &around] {
        let row = only(Format::Kapso, event);
        assert_eq!(
            columns(&row, "sender field event time peer_phone_previous"),
            "100 user_id_update user_changed_user_id 1794096147000000 -",
            "{event}"
        );
        assert_eq!(
            (row.get("peer_phone"), row.get("peer_user"), row.get("peer_user_previous")),
            (&*phone("100", "16505551234"), &*user("100", "US.8"), &*user("100", "US.7"))
        );
    }
    for (contact, previous) in [
        (both, r#""business_scoped_user_id":null"#),
        (both, r#""business_scoped_user_id":"US.8""#),
        (r#""wa_id":"16505551234","business_scoped_user_id":null,"#, r#""x":1"#),
    ] {
        let row = only(Format::Kapso, &changed(contact, previous));
        assert_eq!(columns(&row, "event peer_user_previous"), "user_changed_user_id -");
        assert_eq!(row.get("peer_phone"), phone("100", "16505551234"));
    }
}

#[test]
fn batch_may_begin_with_what_is_about_a_contact() {
    let stopped = r#"{"contact":{"wa_id":"16505551234"},"marketing_preference":{"status":"stopped"},"phone_number_id":"100"}"#;
    let row = only(Format::Kapso, stopped);
    assert_eq!(columns(&row, "sender reason"), "100 user_preferences");
    let other = changed(r#""wa_id":"16505551234","#, r#""business_scoped_user_id":"US.7""#);
    let message = event(RECEIVED);
    let batch = format!(r#"{{"batch":true,"data":[{{"x":1}},{stopped},{other},{message}]}}"#);
    let rows = told_alike(Format::Kapso, &batch);
    assert_eq!(kinds(&rows), ["dead_letter", "ignored", "account", "message"]);
}

#[test]
fn group_is_told_in_either_version_by_any_number_of_the_chat() {
    let first = |direction: &str, number: &str, chat: &str| {
        format!(
            r#"{{"message":{{"id":"m1","message_type":"text","content":"Good day","phone_number":"{number}","whatsapp_message_id":"wamid.A","created_at":"2026-11-08T00:02:27Z","direction":"{direction}","status":"sent"}},"conversation":{{"id":"c1","phone_number":"{chat}"}},"whatsapp_config":{{"phone_number_id":"100"}}}}"#
        )
    };
    for (number, chat) in
        [("1@g.us", "1@g.us"), ("16505551234", "1@g.us"), ("1@g.us", "16505551234")]
    {
        for direction in ["outbound", "inbound"] {
            let rows = told_alike(Format::Kapso, &first(direction, number, chat));
            assert!(rows.iter().all(|row| row.get("in_group") == "1"), "{direction} {number}");
            if direction == "outbound" {
                assert_eq!(kinds(&rows), ["message", "status"]);
                assert!(rows.iter().all(|row| row.get("peer_phone").is_empty()));
            }
        }
    }
    let alone = told_alike(Format::Kapso, &first("outbound", "16505551234", "16505551234"));
    assert!(alone.iter().all(|row| row.get("in_group") == "0"));
    let in_chat = event(r#""to":"16505551234","kapso":{"direction":"outbound"}"#)
        .replace("\"+16505551234\"", "\"1@g.us\"");
    assert_eq!(columns(&only(Format::Kapso, &in_chat), "in_group peer_phone peer_user"), "1 - -");
}
