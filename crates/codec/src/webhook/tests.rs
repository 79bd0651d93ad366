use turnwise_model::EventKind;

use crate::testing::{Row, decode, decode_by_meaning, keys, kinds};
use crate::{Format, RecordCounts};

const META: &str = r#""messaging_product":"whatsapp","metadata":{"display_phone_number":"+1 555-078-3881","phone_number_id":"100"}"#;

pub(super) fn change(field: &str, value: &str) -> String {
    format!(
        r#"{{"entry":[{{"id":"9","time":1794096000,"changes":[{{"field":"{field}","value":{{{META},{value}}}}}]}}]}}"#
    )
}

pub(super) fn run(text: &str) -> (RecordCounts, Vec<Row>) {
    let auto = decode(Format::Auto, text);
    assert_eq!(auto, decode(Format::CloudApi, text));
    assert_eq!(auto, decode_by_meaning(Format::CloudApi, text), "{text}");
    auto
}

pub(super) fn rows(field: &str, value: &str) -> Vec<Row> {
    run(&change(field, value)).1
}

pub(super) fn only(field: &str, value: &str) -> Row {
    let mut rows = rows(field, value);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

pub(super) fn phone(digits: &str) -> String {
    keys().peer_phone("100", digits).0.to_string()
}

pub(super) fn user(id: &str) -> String {
    keys().peer_user("100", id).0.to_string()
}

pub(super) const TEXT: &str = r#"{"from":"16505551234","id":"wamid.A","timestamp":"1794096147","type":"text","text":{"body":"hi there"}}"#;

#[test]
fn message_of_a_peer_is_an_inbound_live_row() {
    let row = only(
        "messages",
        &format!(r#""contacts":[{{"wa_id":"16505551234","user_id":"US.7"}}],"messages":[{TEXT}]"#),
    );
    assert_eq!((row.kind, row.date.as_str()), (EventKind::Message, "2026-11-08"));
    assert_eq!(
        (row.get("waba_id"), row.get("sender"), row.get("offset"), row.get("item")),
        ("9", "100", "7", "0")
    );
    assert_eq!((row.get("origin"), row.get("direction"), row.get("message_kind")), ("0", "0", "0"));
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone("16505551234"), &*user("US.7"))
    );
    assert_eq!((row.get("peer_country"), row.get("chars"), row.get("in_group")), ("US", "8", "0"));
    assert_eq!((row.get("is_reply"), row.get("has_referral"), row.get("voice")), ("0", "0", ""));
}

#[test]
fn one_record_holds_many_and_one_bad_item_leaves_its_neighbours() {
    let bad = TEXT.replace("\"1794096147\"", "true");
    let value = format!(
        r#"{{{META},"messages":[{TEXT},{bad},7,{TEXT}],"statuses":[{{"id":"w","status":"sent","timestamp":1794096147}}]}}"#
    );
    let changes = format!(
        r#"[{{"field":"messages","value":{value}}},{{"field":"messages","value":{value}}}]"#
    );
    let (counts, rows) =
        run(&format!(r#"{{"entry":[{{"id":"9","changes":{changes}}},{{"changes":{changes}}}]}}"#));
    assert_eq!((counts.messages, counts.statuses, counts.dead_letters), (8, 4, 8));
    assert_eq!(
        rows[6].get("detail"),
        "entry[0].changes[1].value.messages[1].timestamp: expected time, found boolean"
    );
    assert_eq!(
        rows[7].get("detail"),
        "entry[0].changes[1].value.messages[2]: expected object, found number"
    );
    assert_eq!((rows[6].get("reason"), rows[6].get("sender")), ("wrong_type", "100"));
}

#[test]
fn types_vary_and_are_understood() {
    for message in [
        TEXT.replace("\"1794096147\"", "1794096147"),
        TEXT.replace("\"1794096147\"", "1794096147000"),
        TEXT.replace("\"16505551234\"", "16505551234"),
        TEXT.replace("\"16505551234\"", "\"+1 650-555-1234\""),
    ] {
        let row = only("messages", &format!(r#""messages":[{message}]"#));
        assert_eq!(
            (row.get("time"), row.get("peer_phone")),
            ("1794096147000000", &*phone("16505551234"))
        );
    }
    let masked = only(
        "messages",
        &format!(r#""messages":[{}]"#, TEXT.replace("16505551234", "9191****873")),
    );
    assert_eq!((masked.get("peer_phone"), masked.get("peer_country")), ("", "IN"));
    let nobody =
        only("messages", &format!(r#""messages":[{}]"#, TEXT.replace("\"16505551234\"", "null")));
    assert_eq!((nobody.kind, nobody.get("peer_phone")), (EventKind::Message, ""));
    let user_only = TEXT.replace("\"from\":\"16505551234\"", "\"from_user_id\":\"CO.5\"");
    let row = only("messages", &format!(r#""messages":[{user_only}]"#));
    assert_eq!((row.get("peer_user"), row.get("peer_country")), (&*user("CO.5"), "CO"));
    let in_from =
        only("messages", &format!(r#""messages":{}"#, TEXT.replace("16505551234", "CO.5")));
    assert_eq!((in_from.get("peer_user"), in_from.get("peer_phone")), (&*user("CO.5"), ""));
    let no_id = TEXT.replace("\"id\":\"wamid.A\",", "");
    let row = only("messages", &format!(r#""messages":[{no_id}]"#));
    assert_eq!(row.get("message"), keys().item("100", no_id.as_bytes()).0.to_string());
    let unknown = only(
        "messages",
        &format!(r#""messages":[{}]"#, TEXT.replace("\"text\",", "\"hologram\",")),
    );
    assert_eq!((unknown.get("message_kind"), unknown.get("chars")), ("19", ""));
}

#[test]
fn statuses_keep_category_price_and_error() {
    let row = only(
        "messages",
        r#""statuses":[{"id":"wamid.A","status":"failed","timestamp":"1794096147","recipient_id":"16505551234","recipient_user_id":"US.7","conversation":{"origin":{"type":"user_initiated"}},"pricing":{"billable":"true","pricing_model":"PMP","type":"regular","category":"new_one"},"errors":[{"code":"131049"}]}]"#,
    );
    assert_eq!(
        (row.kind, row.get("status"), row.get("error_code")),
        (EventKind::Status, "4", "131049")
    );
    assert_eq!((row.get("category"), row.get("conversation_origin")), ("13", "11"));
    assert_eq!((row.get("pricing_type"), row.get("pricing_model")), ("0", "1"));
    assert_eq!(
        (row.get("peer_phone"), row.get("peer_user")),
        (&*phone("16505551234"), &*user("US.7"))
    );
    assert_eq!(row.get("message"), keys().message("100", "wamid.A").0.to_string());
    let other = only(
        "messages",
        r#""statuses":[{"id":"w","status":"enqueued","timestamp":1794096147000}]"#,
    );
    assert_eq!((other.get("status"), other.get("category")), ("5", ""));
    let group = only(
        "messages",
        r#""statuses":[{"id":"w","status":"read","timestamp":1794096147,"recipient_id":"g","recipient_type":"group","recipient_participant_id":"16505551234"}]"#,
    );
    assert_eq!((group.get("in_group"), group.get("peer_phone")), ("1", &*phone("16505551234")));
    let call = only(
        "messages",
        r#""statuses":[{"id":"w","type":"call","status":"RINGING","timestamp":1794096147}]"#,
    );
    assert_eq!((call.kind, call.get("reason")), (EventKind::Ignored, "calls"));
}

#[test]
fn echoes_and_standby_copies_tell_their_origin() {
    let echo =
        TEXT.replace("\"from\":\"16505551234\"", "\"from\":\"15550783881\",\"to\":\"16505551234\"");
    let row = only("smb_message_echoes", &format!(r#""message_echoes":[{echo}]"#));
    assert_eq!(
        (row.get("origin"), row.get("direction"), row.get("peer_phone")),
        ("1", "1", &*phone("16505551234"))
    );
    let nested = r#"{"id":"wamid.E","timestamp":"1794096147","message":{"to":"16505551234","type":"interactive","interactive":{"type":"button","body":{"text":"Shipped"}},"context":{"message_id":"w"}}}"#;
    let status = r#"{"id":"w","status":"read","timestamp":1794096147}"#;
    let value = format!(
        r#""standby":{{"messages":[{TEXT}],"message_echoes":[{nested}],"statuses":[{status}]}}"#
    );
    let rows = rows("standby", &value);
    assert_eq!(kinds(&rows), ["message", "message", "status"]);
    assert!(rows.iter().all(|row| row.get("origin") == "2"));
    assert_eq!(
        (rows[1].get("direction"), rows[1].get("message_kind"), rows[1].get("chars")),
        ("1", "6", "7")
    );
    assert_eq!((rows[1].get("is_reply"), rows[1].get("interactive_type")), ("1", "4"));
    assert_eq!(rows[1].get("peer_phone"), phone("16505551234"));
}

#[test]
fn history_threads_give_direction_and_peer() {
    let text = |from: &str| {
        format!(
            r#"{{"from":"{from}","id":"w{from}","timestamp":"1739230955","type":"media_placeholder"}}"#
        )
    };
    let value = format!(
        r#""history":[{{"threads":[{{"id":"16505551234","messages":[{},{},{}]}},{{"context":{{"user_id":"US.7"}},"messages":[{{"from_user_id":"US.7","id":"w","timestamp":1739230955,"type":"text","text":{{"body":"x"}}}}]}}]}},{{"errors":[{{"code":2593109}}]}}]"#,
        text("15550783881"),
        text("16505551234"),
        text("4917099999999")
    );
    let rows = rows("history", &value);
    assert_eq!(kinds(&rows), ["history", "history", "dead_letter", "history", "account"]);
    assert_eq!((rows[0].get("direction"), rows[1].get("direction")), ("1", "0"));
    assert_eq!(rows[0].get("peer_phone"), phone("16505551234"));
    assert_eq!(
        (rows[0].date.as_str(), rows[0].get("origin"), rows[0].get("message_kind")),
        ("2026-11-08", "3", "17")
    );
    assert_eq!(rows[2].get("reason"), "no_direction");
    assert_eq!((rows[3].get("peer_user"), rows[3].get("direction")), (&*user("US.7"), "0"));
    assert_eq!((rows[4].get("error_code"), rows[4].get("field")), ("2593109", "history"));
}

#[test]
fn system_message_gives_an_account_row_of_the_same_position() {
    let rows = rows(
        "messages",
        r#""messages":[{"from":"16505551234","id":"w","timestamp":1794096147,"type":"system","system":{"type":"user_changed_number","wa_id":"16505559999"}}]"#,
    );
    assert_eq!(kinds(&rows), ["message", "account"]);
    assert_eq!((rows[0].get("item"), rows[1].get("item")), ("0", "0"));
    assert_eq!(rows[1].get("peer_phone"), phone("16505559999"));
    assert_eq!(rows[1].get("peer_phone_previous"), phone("16505551234"));
    assert_eq!((rows[1].get("event"), rows[1].get("field")), ("user_changed_number", "messages"));
}

#[test]
fn account_events_are_told_with_known_names_only() {
    let row = only(
        "messaging_handovers",
        r#""sender":{"phone_number":"16505551234"},"recipient":{"phone_number_id":"100"},"type":"control_passed","timestamp":"1794096147","control_passed":{"previous_owner_role":"ai_agent","new_owner_role":"martian"}"#,
    );
    assert_eq!((row.kind, row.get("event")), (EventKind::Account, "control_passed"));
    assert_eq!((row.get("role_previous"), row.get("role_new")), ("ai_agent", "other"));
    assert_eq!(
        (row.get("peer_phone"), row.get("time")),
        (&*phone("16505551234"), "1794096147000000")
    );
    let row = only(
        "account_update",
        r#""event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"ADULT"}"#,
    );
    assert_eq!((row.get("event"), row.get("time")), ("ACCOUNT_VIOLATION", "1794096000000000"));
    assert_eq!(only("account_update", r#""event":"4917012345""#).get("event"), "other");
    let row = only(
        "user_id_update",
        r#""user_id_update":[{"wa_id":"16505551234","user_id":{"previous":"US.1","current":"US.2"},"timestamp":1794096147}]"#,
    );
    assert_eq!(
        (row.get("peer_user"), row.get("peer_user_previous")),
        (&*user("US.2"), &*user("US.1"))
    );
    let row = only("messages", r#""errors":[{"code":130429}]"#);
    assert_eq!((row.kind, row.get("error_code")), (EventKind::Account, "130429"));
    let with_message = only("messages", &format!(r#""messages":[{TEXT}],"errors":[{{"code":1}}]"#));
    assert_eq!(with_message.kind, EventKind::Message);
    let (_, rows) = run(
        r#"{"entry":[{"id":"9","changes":[{"field":"account_update","value":{"event":"ACCOUNT_DELETED"}}]}]}"#,
    );
    assert_eq!((rows[0].get("time"), rows[0].get("sender")), ("1794139200000000", ""));
}

#[test]
fn fields_that_are_no_evidence_are_ignored_by_name() {
    for (field, name) in [
        ("calls", "calls"),
        ("flows", "flows"),
        ("user_preferences", "user_preferences"),
        ("group_lifecycle_update", "group_lifecycle_update"),
        ("security", "security"),
        ("smb_app_state_sync", "smb_app_state_sync"),
        ("template_category_update", "template_category_update"),
        ("group_participant_update", "group_participants_update"),
        ("group-settings-update", "group_settings_update"),
        ("business_username_updates", "business_username_updates"),
        ("business_username_update", "business_username_updates"),
        ("group_new", "other"),
        ("x4917", "other"),
    ] {
        let row = only(field, r#""x":1"#);
        assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, name));
    }
    for empty in ["{}", r#"{"object":"x","entry":[]}"#, r#"{"entry":null}"#, "[]"] {
        let (_, rows) = run(empty);
        assert_eq!((rows[0].kind, rows[0].get("reason")), (EventKind::Ignored, "empty"));
    }
}

#[test]
fn envelope_with_something_unknown_in_it_is_not_empty() {
    let value = format!(r#"{{{META},"messages":[{TEXT}]}}"#);
    let misspelled = format!(r#"{{"object":"whatsapp_business_account","entries":[{value}]}}"#);
    for full in [&*misspelled, r#"{"object":"x","id":"1"}"#, r#"{"object":"x","n":0}"#] {
        let (_, rows) = run(full);
        assert_eq!((rows[0].kind, rows[0].get("reason")), (EventKind::DeadLetter, "unknown_shape"));
    }
    for empty in [r#"{"object":"x"}"#, r#"{"object":"x","a":{},"b":[],"c":null,"d":" "}"#] {
        let (_, rows) = run(empty);
        assert_eq!((rows[0].kind, rows[0].get("reason")), (EventKind::Ignored, "empty"));
    }
}

#[test]
fn change_that_gave_no_row_is_an_ignored_one() {
    let value = |value: &str| format!(r#"{{"field":"messages","value":{{{META},{value}}}}}"#);
    let clicks = value(
        r#""user_actions":[{"action_type":"marketing_messages_link_click","timestamp":"1794096147"}]"#,
    );
    let text = value(&format!(r#""messages":[{TEXT}]"#));
    let whole = |changes: &[&str]| {
        let (_, rows) = run(&format!(r#"{{"entry":[{{"changes":[{}]}}]}}"#, changes.join(",")));
        let short = |row: &Row| format!("{} {}", row.kind.name(), row.get("reason"));
        rows.iter().map(short).collect::<Vec<_>>()
    };
    assert_eq!(whole(&[&clicks]), ["ignored user_actions"]);
    assert_eq!(whole(&[&clicks, &text]), ["ignored user_actions", "message "]);
    let both = value(&format!(r#""messages":[{TEXT}],"user_actions":[]"#));
    assert_eq!(whole(&[&both]), ["message ", "ignored user_actions"]);
    for (other, reason) in [
        (value(r#""new_list":[{"timestamp":"1794096147"}]"#), "other"),
        (value(r#""contacts":[{"wa_id":"16505551234"}]"#), "other"),
        (value(r#""messages":[]"#), "empty"),
        (value(r#""messages":null"#), "empty"),
        (format!(r#"{{"value":{{{META},"new_list":[{{}}]}}}}"#), "other"),
        (r#"{"field":"messages","value":{}}"#.to_owned(), "empty"),
        (r#"{"field":"messages"}"#.to_owned(), "empty"),
        (r#"{"value":null}"#.to_owned(), "empty"),
        (r#"{"field":"user_id_update","value":{"user_id_update":[]}}"#.to_owned(), "empty"),
        (r#"{"field":"new","value":{"messages":[]}}"#.to_owned(), "other"),
    ] {
        let ignored = format!("ignored {reason}");
        assert_eq!(whole(&[&text, &other, &text]), ["message ", &ignored, "message "], "{other}");
    }
    assert_eq!(whole(&[&text, "{}"]), ["message "]);
}

#[test]
fn entry_without_changes_is_an_ignored_row() {
    let value = format!(r#"{META},"messages":[{TEXT}]"#);
    let text = format!(r#"{{"changes":[{{"field":"messages","value":{{{value}}}}}]}}"#);
    for (other, found) in [
        (r#"{"id":"9","time":1794096147}"#, &["message", "ignored empty"][..]),
        (r#"{"id":"9","messaging":[{"message":{}}]}"#, &["message", "ignored other"]),
        (r#"{"id":"9","changes":[]}"#, &["message"]),
        ("{}", &["message"]),
    ] {
        let (_, rows) = run(&format!(r#"{{"entry":[{text},{other}]}}"#));
        let short = |row: &Row| format!("{} {}", row.kind.name(), row.get("reason"));
        let told: Vec<String> = rows.iter().map(|row| short(row).trim().to_owned()).collect();
        assert_eq!(told, found, "{other}");
    }
}

#[test]
fn field_from_elsewhere_hides_no_messages() {
    let value = format!(r#"{META},"messages":[{TEXT}]"#);
    let (_, told) = run(&format!(
        r#"{{"entry":[{{"field":"security","changes":[{{"value":{{{value}}}}}]}}]}}"#
    ));
    assert_eq!(kinds(&told), ["message"]);
    assert_eq!(kinds(&rows("security", &value)), ["ignored"]);
}

#[test]
fn figures_of_a_flows_alert_are_no_errors() {
    let row = only(
        "flows",
        r#""event":"CLIENT_ERROR_RATE","flow_id":"7","errors":[{"error_type":"X","error_count":2}]"#,
    );
    assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "flows"));
    assert_eq!(kinds(&rows("calls", r#""errors":[{"code":1}]"#)), ["account", "ignored"]);
}

#[test]
fn echoes_of_a_history_are_history() {
    let echo = TEXT.replace("\"from\"", "\"to\"");
    let row = only("history", &format!(r#""message_echoes":[{echo}]"#));
    assert_eq!((row.kind, row.get("origin"), row.get("direction")), (EventKind::History, "3", "1"));
    assert_eq!(row.get("peer_phone"), phone("16505551234"));
}

#[test]
fn field_is_found_where_some_write_it() {
    let text = format!(r#""messages":[{TEXT}]"#);
    for (field, value, expected) in [
        ("account_update", r#""event":"PARTNER_ADDED""#, "account account_update"),
        ("template_category_update", r#""new_category":"X""#, "ignored template_category_update"),
        ("phone_number_name_update", r#""decision":"X""#, "ignored phone_number_name_update"),
        ("user_preferences", r#""user_preferences":[{}]"#, "ignored user_preferences"),
        ("smb_app_state_sync", r#""state_sync":[{}]"#, "ignored smb_app_state_sync"),
        (
            "account_settings_update",
            r#""type":"x","timestamp":1"#,
            "ignored account_settings_update",
        ),
        ("messages", &text, "message "),
        ("history", &text, "history "),
    ] {
        let value = format!("{META},{value}");
        for whole in [
            format!(r#"{{"entry":[{{"field":"{field}","changes":[{{"value":{{{value}}}}}]}}]}}"#),
            format!(r#"{{"entry":[{{"changes":[{{"value":{{"field":"{field}",{value}}}}}]}}]}}"#),
            format!(r#"{{{value},"field":"{field}"}}"#),
        ] {
            let (_, rows) = run(&whole);
            let row = &rows[0];
            let shown = format!("{} {}{}", row.kind.name(), row.get("field"), row.get("reason"));
            assert_eq!((rows.len(), shown.as_str()), (1, expected), "{whole}");
        }
    }
    // What stands nearest tells.
    let text = format!(
        r#"{{"field":"calls","changes":[{{"field":"messages","value":{{{META},{text}}}}}]}}"#
    );
    assert_eq!(kinds(&run(&text).1), ["message"]);
}

#[test]
fn missing_field_is_made_up_for_by_the_value() {
    let envelope = |value: &str| {
        format!(r#"{{"entry":[{{"changes":[{{"field":null,"value":{{{META},{value}}}}}]}}]}}"#)
    };
    assert_eq!(kinds(&run(&envelope(&format!(r#""messages":[{TEXT}]"#))).1), ["message"]);
    assert_eq!(kinds(&run(&envelope(r#""event":"ACCOUNT_DELETED""#)).1), ["account"]);
    assert_eq!(kinds(&run(r#"{"entry":[{"changes":[{"value":{"x":1}}]}]}"#).1), ["dead_letter"]);
}

#[test]
fn unwrapped_payloads_are_taken_where_sender_and_direction_are_known() {
    let value = format!(r#"{{{META},"messages":[{TEXT}]}}"#);
    let change = format!(r#"{{"field":"messages","value":{value}}}"#);
    let own = TEXT.replace("{\"from\"", "{\"phone_number_id\":\"100\",\"from\"");
    for whole in [
        &value,
        &change,
        &format!(r#"{{"changes":[{change}]}}"#),
        &format!("[{value}]"),
        &own,
        &format!("[{own}]"),
    ] {
        let (_, rows) = run(whole);
        assert_eq!(kinds(&rows), ["message"], "{whole}");
        assert_eq!(rows[0].get("peer_phone"), phone("16505551234"));
    }
    let (_, rows) = run(&format!("[{TEXT},{TEXT}]"));
    assert_eq!(kinds(&rows), ["dead_letter", "dead_letter"]);
    assert_eq!(rows[1].get("reason"), "no_sender");
    let both = own.replace("\"type\"", "\"to\":\"1777\",\"type\"");
    assert_eq!(run(&both).1[0].get("reason"), "no_direction");
    // An event beside it does not hide a message.
    let event = own.replacen('{', r#"{"messaging_product":"whatsapp","event":"account_x","#, 1);
    assert_eq!(kinds(&run(&event).1), ["message"]);
    let (_, rows) = run(r#"{"screen_0_name":"x"}"#);
    assert_eq!(rows[0].get("reason"), "unknown_shape");
    let status = r#"{"id":"w","status":"sent","timestamp":1794096147,"recipient_id":"1","metadata":{"phone_number_id":"100"}}"#;
    assert_eq!(kinds(&run(status).1), ["status"]);
}

#[test]
fn times_out_of_range_and_long_ids_are_dead_letters() {
    let long = "9".repeat(1_025);
    for (message, reason) in [
        (TEXT.replace("1794096147", "1"), "time_out_of_range"),
        (TEXT.replace("1794096147", "1794142801"), "time_out_of_range"),
        (TEXT.replace("\"1794096147\"", "null"), "no_time"),
        (TEXT.replace("16505551234", &long), "id_too_long"),
        (TEXT.replace("wamid.A", &long), "id_too_long"),
    ] {
        let row = only("messages", &format!(r#""messages":[{message}]"#));
        assert_eq!((row.kind, row.get("reason")), (EventKind::DeadLetter, reason));
    }
    let edge = TEXT.replace("1794096147", "1794142800");
    assert_eq!(only("messages", &format!(r#""messages":[{edge}]"#)).kind, EventKind::Message);
}

#[test]
fn marks_of_reply_referral_voice_and_group() {
    let row = only(
        "messages",
        r#""messages":[{"from":"16505551234","group_id":"g","id":"w","timestamp":1794096147,"type":"audio","audio":{"voice":"true"},"context":{"from":"1","id":"w"},"referral":{"source_type":"ad"}}]"#,
    );
    assert_eq!(
        (row.get("voice"), row.get("is_reply"), row.get("has_referral"), row.get("in_group")),
        ("1", "1", "1", "1")
    );
    let row = only(
        "messages",
        r#""messages":[{"from":"16505551234","id":"w","timestamp":1794096147,"type":"image","image":{"caption":"abc"},"context":{"forwarded":true}}]"#,
    );
    assert_eq!((row.get("is_reply"), row.get("chars"), row.get("voice")), ("0", "3", ""));
}
