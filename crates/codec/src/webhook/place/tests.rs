use turnwise_model::EventKind;

use crate::Format;
use crate::testing::{Row, columns, decode, decode_by_meaning, kinds};
use crate::webhook::tests::run;

const METADATA: &str =
    r#""metadata":{"display_phone_number":"+55 49 98888-0000","phone_number_id":"100"}"#;
const TEXT: &str = r#"{"from":"5549977776666","id":"3EB0A","timestamp":"1794096147","type":"text","text":{"body":"oi"}}"#;

/// Rows of a webhook with this account and value.
fn rows(waba_id: &str, field: &str, value: &str) -> Vec<Row> {
    let text = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":{waba_id},"changes":[{{"value":{{"messaging_product":"whatsapp",{METADATA},{value}}},"field":"{field}"}}]}}]}}"#
    );
    run(&text).1
}

fn accounts(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.get("waba_id")).collect()
}

#[test]
fn chat_is_no_account() {
    let value = format!(
        r#""contacts":[{{"wa_id":"5549977776666"}}],"messages":[{TEXT}],"statuses":[{{"id":"w","status":"read","timestamp":1794096147,"recipient_id":"5549977776666"}}]"#
    );
    for chat in [
        r#""5549977776666@s.whatsapp.net""#,
        r#""554997777666\u0036\u0040c.us""#,
        r#""whatsapp:+5549977776666""#,
        r#""005549977776666""#,
        r#""5549977776666.0""#,
        r#""\u202a+55\u202f49 97777/6666""#,
        r#""123456789@lid""#,
        r#""5549977776666-1629319634@g.us""#,
        r#""BR.4711""#,
        r#""5549977776666""#,
        r#""+55 49 97777-6666""#,
        "5549977776666",
        r#""554977776666""#,
    ] {
        let rows = rows(chat, "messages", &value);
        assert_eq!(kinds(&rows), ["message", "status"], "{chat}");
        assert_eq!(accounts(&rows), ["", ""], "{chat}");
        assert!(rows.iter().all(|row| row.get("sender") == "100"), "{chat}");
    }
    // Others keep theirs, and so does who writes the business's number for it.
    for account in ["900000000000038", "5549977776667", "+55 49 98888-0000", "<WABA_ID>"] {
        let rows = rows(&format!("\"{account}\""), "messages", &value);
        assert_eq!(accounts(&rows), [account, account], "{account}");
    }
}

#[test]
fn number_of_anybody_in_a_value_is_no_account_of_what_is_in_it() {
    let at = |list: &str, item: &str| format!(r#""{list}":[{item}]"#);
    let read = |who: &str| format!(r#"{{"id":"w","status":"read","timestamp":1794096147{who}}}"#);
    let echo = TEXT.replace("\"from\"", "\"to\"");
    let own = TEXT.replace("5549977776666", "5549988880000\",\"to\":\"5549977776666");
    let nested = r#"{"id":"w","timestamp":1794096147,"message":{"to":"5549977776666","type":"text","text":{"body":"x"}}}"#;
    let of_person = r#","recipient_id":"5549977776666""#;
    let late = TEXT.replace("1794096147", "1");
    let nobody = read("");
    for (field, value) in [
        ("messages", at("messages", TEXT)),
        ("messages", at("messages", &late)),
        ("messages", at("messages", &own)),
        ("messages", format!(r#""message":{TEXT}"#)),
        ("messages", at("statuses", &read(of_person))),
        ("messages", at("statuses", &format!("{},{nobody}", read(of_person)))),
        ("messages", format!(r#"{},{}"#, at("contacts", r#"{"wa_id":"5549977776666"}"#), at("statuses", &nobody))),
        ("messages", at("statuses", &read(r#","message":{"recipient_id":"5549977776666"}"#))),
        (
            "messages",
            at("statuses", &read(r#","recipient_type":"group","recipient_participant_id":"5549977776666""#)),
        ),
        ("smb_message_echoes", at("message_echoes", &echo)),
        ("standby", format!(r#""standby":{{{}}}"#, at("message_echoes", nested))),
        ("standby", format!(r#""standby":[{{{}}}]"#, at("statuses", &read(of_person)))),
        ("history", format!(r#""history":[{{"threads":[{{"id":"5549977776666",{}}}]}}]"#, at("messages", &own))),
        ("history", format!(r#""history":[{{{}}}]"#, at("messages", TEXT))),
        (
            "messaging_handovers",
            r#""sender":{"phone_number":"5549977776666"},"type":"control_taken","timestamp":"1794096147","control_taken":{"new_owner_role":"ai_agent"}"#.to_owned(),
        ),
        (
            "user_id_update",
            r#""user_id_update":[{"wa_id":"5549977776666","user_id":{"current":"BR.2"}}]"#.to_owned(),
        ),
        ("smb_message_echoes", at("message_echoes", &echo.replace("\"to\"", "\"recipient\""))),
        (
            "messages",
            at("messages", r#"{"id":"w","timestamp":"1794096147","type":"system","system":{"type":"user_changed_number","wa_id":"5549977776666"}}"#),
        ),
        ("calls", at("calls", r#"{"id":"c","from":"5549977776666"}"#)),
        ("user_preferences", at("user_preferences", r#"{"wa_id":"5549977776666"}"#)),
        (
            "smb_app_state_sync",
            at("state_sync", r#"{"type":"contact","contact":{"phone_number":"5549977776666"}}"#),
        ),
        (
            "group_participants_update",
            at("groups", r#"{"added_participants":[{"wa_id":"5549977776666"}]}"#),
        ),
    ] {
        let with = rows("\"5549977776666\"", field, &value);
        assert!(!with.is_empty() && with.iter().all(|row| row.get("waba_id").is_empty()), "{value}");
        let without = rows("null", field, &value);
        assert_eq!(with, without, "{value}");
        let other = rows("\"9\"", field, &value);
        assert!(other.iter().all(|row| row.get("waba_id") == "9"), "{value}");
    }
}

#[test]
fn value_without_a_field_is_told_by_what_is_in_it() {
    let told = |value: &str| {
        let text =
            format!(r#"{{"entry":[{{"id":"9","changes":[{{"value":{{{METADATA},{value}}}}}]}}]}}"#);
        run(&text).1.iter().map(|row| columns(row, "reason origin direction")).collect::<Vec<_>>()
    };
    // What was written on the phone is past where a history stands beside it.
    let echo = TEXT.replace("\"from\"", "\"to\"");
    let threads = format!(r#"[{{"threads":[{{"id":"5549977776666","messages":[{TEXT}]}}]}}]"#);
    let history = format!(r#""message_echoes":[{echo}],"history":{threads}"#);
    assert_eq!(told(&history), ["- 3 1", "- 3 0"]);
    assert_eq!(told(&format!(r#""message_echoes":[{echo}]"#)), ["- 1 1"]);
    // The errors of a flow are figures.
    let flow = r#""flow_id":"1","event":"ENDPOINT_ERROR_RATE","errors":[{"error_type":"x"}]"#;
    assert_eq!(told(flow), ["flows - -"]);
}

#[test]
fn chat_is_no_account_of_what_stands_alone_nor_of_letters() {
    let alone = |account: &str| {
        let around = format!(r#"{{"waba_id":"{account}","phone_number_id":"100","from""#);
        run(&TEXT.replace("{\"from\"", &around)).1.remove(0)
    };
    assert_eq!(alone("900000000000038").get("waba_id"), "900000000000038");
    for chat in ["5549977776666", "5549977776666@c.us"] {
        let row = alone(chat);
        assert_eq!((row.kind, row.get("waba_id")), (EventKind::Message, ""), "{chat}");
    }
    for entry in [
        r#"{"id":"5549977776666@c.us"}"#,
        r#"{"id":"5549977776666@c.us","changes":[{"field":"messages","value":7}]}"#,
        r#"{"id":"5549977776666@c.us","changes":[{"field":"calls"}]}"#,
        r#"{"id":"5549977776666@c.us","changes":[{"value":{"x":1}}]}"#,
    ] {
        let (_, rows) = run(&format!(r#"{{"entry":[{entry}]}}"#));
        assert_eq!(accounts(&rows), [""], "{entry}");
    }
}

#[test]
fn number_of_anybody_in_an_entry_is_no_account_of_anything_in_it() {
    let value = format!(r#"{{{METADATA},"messages":[{TEXT}]}}"#);
    let other = format!(
        r#"{{{METADATA},"statuses":[{{"id":"w","status":"read","timestamp":1794096147}}]}}"#
    );
    for changes in [
        format!(r#"{{"field":"messages","value":{value}}},{{"field":"messages","value":{other}}}"#),
        format!(r#"{{"field":"messages","value":{other}}},{{"field":"messages","value":{value}}}"#),
        format!(r#"{{"field":"messages","value":{value}}},{{"field":"calls"}}"#),
        format!(r#"{{"field":"messages","value":{value}}},{{"field":"messages","value":7}}"#),
        format!(r#"{{"field":"messages","value":[{value}]}}"#),
        r#"{"field":"messages","from":"5549977776666"}"#.to_owned(),
    ] {
        let (_, rows) =
            run(&format!(r#"{{"entry":[{{"id":"5549977776666","changes":[{changes}]}}]}}"#));
        assert!(rows.iter().all(|row| row.get("waba_id").is_empty()), "{changes} {rows:?}");
        let (_, rows) = run(&format!(r#"{{"entry":[{{"id":"9","changes":[{changes}]}}]}}"#));
        assert!(rows.iter().all(|row| row.get("waba_id") == "9"), "{changes} {rows:?}");
    }
}

#[test]
fn contact_is_no_number_of_the_business_that_shows_another() {
    let told = |display: &str, id: &str| {
        let contact = r#""contacts":[{"wa_id":"5549977776666"}]"#;
        let value = format!(r#"{contact},"messages":[{TEXT}]"#);
        let (_, rows) = run(&format!(
            r#"{{"entry":[{{"id":"9","changes":[{{"field":"messages","value":{{"metadata":{{"display_phone_number":"{display}","phone_number_id":"{id}"}},{value}}}}}]}}]}}"#
        ));
        columns(&rows[0], "reason sender")
    };
    assert_eq!(told("+55 49 98888-0000", "5549977776666"), "no_sender -");
    assert_eq!(told("+55 49 98888-0000", "+55 49 97777-6666"), "no_sender -");
    // A sample has one number for all; others have another for their id.
    assert_eq!(told("5549977776666", "5549977776666"), "- 5549977776666");
    assert_eq!(told("+55 49 98888-0000", "5549977776667"), "- 5549977776667");
}

#[test]
fn number_that_a_person_has_is_none_of_the_business() {
    let told = |metadata: &str, value: &str| {
        let (_, rows) = run(&format!(
            r#"{{"entry":[{{"id":"9","changes":[{{"value":{{"metadata":{{{metadata}}},{value}}}}}]}}]}}"#
        ));
        rows.iter().map(|row| row.get("sender").to_owned()).collect::<Vec<_>>()
    };
    let id = |id: &str| format!(r#""phone_number_id":"{id}""#);
    let shown = |id: &str| {
        format!(r#""display_phone_number":"+55 49 98888-0000","phone_number_id":"{id}""#)
    };
    let (number, echo) = ("5549977776666", TEXT.replace("\"from\"", "\"to\""));
    let bare = TEXT.replace("\"from\":\"5549977776666\",", "");
    for value in [
        format!(r#""contacts":[{{"wa_id":"{number}"}}],"messages":[{TEXT}]"#),
        format!(r#""messages":[{}]"#, TEXT.replace("\"id\"", "\"to\":\"5549988880000\",\"id\"")),
        format!(
            r#""messages":[{}]"#,
            TEXT.replace("5549977776666", "5549988880000\",\"to\":\"5549977776666")
        ),
        format!(r#""contacts":[{{"user_id":"BR.1"}}],"messages":[{TEXT}]"#),
        format!(
            r#""contacts":[{{"wa_id":"{number}"}}],"message_echoes":[{}]"#,
            echo.replace("\"to\":\"5549977776666\"", "\"to_user_id\":\"BR.1\"")
        ),
        format!(r#""message":{TEXT}"#),
        format!(r#""message_echoes":[{echo}]"#),
        format!(r#""standby":{{"messages":[{TEXT}]}}"#),
        format!(r#""standby":[{{"contacts":[{{"wa_id":"{number}"}}],"messages":[{bare}]}}]"#),
        format!(r#""history":[{{"threads":[{{"id":"{number}","messages":[{bare}]}}]}}]"#),
        format!(
            r#""history":[{{"threads":[{{"context":{{"wa_id":"{number}"}},"messages":[{bare}]}}]}}]"#
        ),
        format!(
            r#""statuses":[{{"id":"w","status":"read","timestamp":1794096147,"recipient_participant_id":"{number}"}}]"#
        ),
        format!(r#""user_id_update":[{{"wa_id":"{number}","user_id":{{"current":"BR.2"}}}}]"#),
        format!(
            r#""sender":{{"phone_number":"{number}"}},"type":"control_taken","timestamp":"1794096147","control_taken":{{"new_owner_role":"ai_agent"}}"#
        ),
    ] {
        for of_person in [number, "+55 49 97777-6666", "whatsapp:+5549977776666", "005549977776666"]
        {
            let rows = told(&shown(of_person), &value);
            assert!(!rows.is_empty() && rows.iter().all(String::is_empty), "{of_person} {value}");
        }
        let rows = told(&shown("5549977776667"), &value);
        assert!(rows.iter().all(|sender| sender == "5549977776667"), "{value} {rows:?}");
    }
    let contact = format!(r#""contacts":[{{"wa_id":"{number}"}}],"messages":[{TEXT}]"#);
    assert_eq!(told(&id(number), &contact), [""]);
    let second = shown(number) + r#"},"recipient":{"phone_number_id":"100""#;
    assert_eq!(told(&second, &contact), ["100"]);
    // The business may be its own contact, and name itself where it wrote to somebody.
    let own = r#""display_phone_number":"049 97777-6666","phone_number_id":"5549977776666""#;
    assert_eq!(told(own, &contact), [number]);
    let sent = TEXT.replace("\"id\"", "\"to\":\"4915112345678\",\"id\"");
    assert_eq!(told(&id(number), &format!(r#""messages":[{sent}]"#)), [number]);
    // Where no number is shown, either may be the person's whom the other names.
    for (value, rows) in [
        (r#""statuses":[{"id":"w","status":"read","timestamp":1794096147,"recipient_id":"5549977776666"},{"id":"v","status":"read","timestamp":1794096147,"recipient_id":"34600111222"}]"#.to_owned(), 2),
        (format!(r#""contacts":[{{"wa_id":"34600111222"}},{{"wa_id":"{number}"}}],"messages":[{TEXT}]"#), 1),
        (format!(r#""contacts":[{{"wa_id":"{number}"}}],"messages":[{sent}]"#), 1),
        (format!(r#""messages":[{}]"#, TEXT.replace("\"id\"", "\"to_user_id\":\"DE.abc123\",\"id\"")), 1),
    ] {
        assert_eq!(told(&id(number), &value), vec![number; rows], "{value}");
    }
}

#[test]
fn chat_is_no_number_of_the_business() {
    let value = |id: &str| {
        let value = format!(r#"{{{METADATA},"messages":[{TEXT}]}}"#);
        let (_, rows) = run(&value.replace("\"100\"", &format!("\"{id}\"")));
        columns(&rows[0], "reason sender")
    };
    assert_eq!(value("100"), "- 100");
    for chat in ["5549977776666@s.whatsapp.net", "77@lid", "BR.4711"] {
        assert_eq!(value(chat), "no_sender -", "{chat}");
    }
}

#[test]
fn chat_is_no_account_of_a_send() {
    let row = |account: &str, sender: &str, to: &str| {
        let text = format!(
            r#"{{"time":1794096147,"waba_id":"{account}","phone_number_id":"{sender}","status":200,"request":{{"messaging_product":"whatsapp",{to},"type":"text","text":{{"body":"oi"}}}},"response":{{"contacts":[{{"wa_id":"5549977776666"}}],"messages":[{{"id":"w"}}]}}}}"#
        );
        let (_, mut rows) = decode(Format::Send, &text);
        assert_eq!(rows, decode_by_meaning(Format::Send, &text).1, "{text}");
        rows.remove(0)
    };
    let account = |account: &str, to: &str| row(account, "100", to).get("waba_id").to_owned();
    let to = r#""to":"+5549955554444""#;
    assert_eq!(account("9", to), "9");
    for chat in ["5549977776666", "5549955554444", "+55 49 95555-4444", "7@lid", "BR.1"] {
        assert_eq!(account(chat, to), "", "{chat}");
    }
    assert_eq!(account("5549955554444", r#""recipient":"5549955554444""#), "");
    assert_eq!(account("5549955554444", r#""recipient":"BR.1""#), "5549955554444");
    // Marks say whom they are for, too.
    let mark = r#""status":"read","message_id":"w","to":"5549955554444""#;
    assert_eq!(columns(&row("5549955554444", "100", mark), "reason waba_id"), "mark_as_read -");
    // The business's own number is nobody else's, be it like somebody's, and nobody sends to
    // themselves.
    assert_eq!(row("9", "554955554444", to).get("sender"), "554955554444");
    assert_eq!(account("100", to), "100");
    for (own, to) in [
        ("5549955554444", to),
        ("5549977776666", r#""to":"+5549955553333""#),
        ("5549977776666", r#""recipient":"BR.1""#),
    ] {
        let own = row(own, own, to);
        assert_eq!(columns(&own, "reason waba_id sender"), "no_sender - -");
    }
    assert_eq!(account("554955554444", to), "");
    assert_eq!(row("9", "7@lid", to).get("reason"), "no_sender");
}
