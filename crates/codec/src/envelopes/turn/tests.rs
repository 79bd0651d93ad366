use crate::Format;
use crate::testing::{columns, kinds, phone, told_alike};

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
