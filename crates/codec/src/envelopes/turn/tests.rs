use crate::Format;
use crate::testing::{columns, kinds, only, phone, told_alike, user};

fn message(direction: &str, rest: &str) -> String {
    format!(
        r#"{{"id":"wamid.A","timestamp":"1794096147","type":"text","text":{{"body":"Hello"}},"_vnd":{{"v1":{{"direction":"{direction}","author":{{"name":"A B"}}}}}},{rest}}}"#
    )
}

#[test]
fn marks_tell_the_direction_and_metadata_the_sender() {
    let (one, other) = (
        message("inbound", r#""from":"16505551234""#),
        message("outbound", r#""to":"16505551234""#),
    );
    let record = format!(
        r#"{{"metadata":{{"phone_number_id":"100"}},"contacts":[{{"wa_id":"16505551234"}}],"messages":[{one},{other},7],"statuses":[{{"id":"wamid.A","status":"read","timestamp":"1794096147","recipient_id":"16505551234"}}]}}"#
    );
    let rows = told_alike(Format::Turn, &record);
    assert_eq!(kinds(&rows), ["message", "message", "dead_letter", "status"]);
    assert_eq!((rows[0].get("direction"), rows[1].get("direction")), ("0", "1"));
    for row in [&rows[0], &rows[1], &rows[3]] {
        assert_eq!(
            (row.get("sender"), row.get("peer_phone")),
            ("100", &*phone("100", "16505551234"))
        );
    }
    assert_eq!(rows[2].get("detail"), "messages[2]: expected object, found number");
}

#[test]
fn messages_without_a_business_number_are_dead_letters() {
    let one = message("inbound", r#""from":"16505551234""#);
    let rows = told_alike(Format::Turn, &format!(r#"{{"contacts":[],"messages":[{one}]}}"#));
    assert_eq!(columns(&rows[0], "reason sender"), "no_sender -");
    assert!(!rows[0].get("detail").contains("1650"));
}

/// What Turn sent, in the chat of this person.
fn sent(from: &str, owner: &str) -> String {
    format!(
        r#"{{"_vnd":{{"v1":{{"author":{{"id":"a","type":"SYSTEM"}},"chat":{{"owner":"{owner}"}},"direction":"outbound"}}}},"from":"{from}","to":"16505551234","id":"wamid.B","type":"text","text":{{"body":"Hello"}},"timestamp":"1794096147"}}"#
    )
}

#[test]
fn sent_message_names_the_business_itself() {
    let one = sent("15550783881", "+16505551234");
    let row = only(Format::Turn, &one);
    assert_eq!(columns(&row, "sender direction origin chars"), "15550783881 1 0 5");
    assert_eq!(row.get("peer_phone"), phone("15550783881", "16505551234"));
    let listed = told_alike(Format::Turn, &format!(r#"{{"messages":[{one}]}}"#));
    assert_eq!(columns(&listed[0], "sender direction chars"), "15550783881 1 5");
    let named = format!(r#"{{"metadata":{{"phone_number_id":"100"}},"messages":[{one}]}}"#);
    assert_eq!(told_alike(Format::Turn, &named)[0].get("sender"), "100");
}

#[test]
fn person_never_stands_in_the_senders_place() {
    for one in [
        sent("16505551234", ""),
        sent("17185550100", "+17185550100"),
        sent("15550783881", "").replace(r#""to":"16505551234","#, ""),
        sent("16505551234", "").replace("outbound", "inbound"),
    ] {
        let row = only(Format::Turn, &one);
        assert_eq!(columns(&row, "reason sender"), "no_sender -", "{one}");
    }
    let status = r#"{"_vnd":{},"id":"wamid.B","status":"read","timestamp":"1794096147","recipient_id":"16505551234"}"#;
    assert_eq!(columns(&only(Format::Turn, status), "reason sender"), "no_sender -");
}

#[test]
fn only_contact_is_of_no_item_that_names_somebody_else() {
    let contact = r#"{"wa_id":"16505551234","user_id":"US.1"}"#;
    let status =
        |who: &str| format!(r#"{{"id":"wamid.A","status":"read","timestamp":"1794096147"{who}}}"#);
    let users = |messages: &str, statuses: &str| {
        let record = format!(
            r#"{{"_vnd":{{}},"metadata":{{"phone_number_id":"100"}},"contacts":[{contact}],"messages":[{messages}],"statuses":[{statuses}]}}"#
        );
        let rows = told_alike(Format::Turn, &record);
        rows.iter().map(|row| row.get("peer_user").to_owned()).collect::<Vec<_>>()
    };
    let known = user("100", "US.1");
    let (one, other) =
        (message("inbound", r#""from":"16505551234""#), message("inbound", r#""from":"US.2""#));
    assert_eq!(users(&[&*one, &other].join(","), ""), [&*known, &user("100", "US.2")]);
    let nobody = status("");
    assert_eq!(users(&one, &nobody), [&*known, ""]);
    assert_eq!(users("", &nobody), [&*known]);
    assert_eq!(users("", &[&*nobody, &nobody].join(",")), [&*known, &known]);
    let stranger = status(r#","recipient_id":"16505552222""#);
    assert_eq!(users("", &[&*stranger, &nobody].join(",")), ["", &*known]);
    assert_eq!(users("", &stranger), [""]);
}

#[test]
fn what_the_shown_number_wrote_is_outbound() {
    let one = |from: &str| message("", &format!(r#""from":"{from}""#));
    let record = |from: &str| {
        format!(
            r#"{{"metadata":{{"display_phone_number":"+1 555-078-3881","phone_number_id":"100"}},"contacts":[{{"wa_id":"15550783881"}}],"messages":[{}]}}"#,
            one(from)
        )
    };
    for from in ["15550783881", "+1 555 078 3881", "100"] {
        let row = only(Format::Turn, &record(from));
        assert_eq!(columns(&row, "sender direction peer_phone"), "100 1 -", "{from}");
    }
    let row = only(Format::Turn, &record("16505551234"));
    assert_eq!(columns(&row, "direction"), "0");
    assert_eq!(row.get("peer_phone"), phone("100", "16505551234"));
}

#[test]
fn number_of_a_person_is_no_account() {
    let one = message("inbound", r#""from":"16505551234""#);
    for (id, account) in [("9", "9"), ("16505551234", "-"), ("+1 650 555 1234", "-")] {
        let record = format!(
            r#"{{"waba_id":"{id}","metadata":{{"phone_number_id":"100"}},"messages":[{one},7]}}"#
        );
        for row in told_alike(Format::Turn, &record) {
            assert_eq!(columns(&row, "sender waba_id"), format!("100 {account}"), "{id}");
        }
    }
}
