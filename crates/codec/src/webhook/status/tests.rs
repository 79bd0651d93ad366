use turnwise_model::EventKind;

use crate::testing::{Row, columns, kinds};
use crate::webhook::tests::{only, phone, run, user};

/// The row of a status with this in it.
fn of(inner: &str) -> Row {
    only("messages", &format!(r#""statuses":[{{"id":"w","timestamp":1794096147,{inner}}}]"#))
}

#[test]
fn categories_are_known_with_hyphens() {
    let row = of(
        r#""status":"sent","pricing":{"category":"authentication-international"},"conversation":{"origin":{"type":"user-initiated"}}"#,
    );
    assert_eq!(columns(&row, "category conversation_origin"), "4 11");
}

#[test]
fn status_of_a_group_names_the_person_and_the_price_in_either_place() {
    let group = r#""status":"delivered","recipient_id":"g","recipient_type":"group""#;
    for name in ["recipient_participant_id", "participant_recipient_id"] {
        let row = of(&format!(r#"{group},"{name}":"16505551234""#));
        assert_eq!((row.get("in_group"), row.get("peer_phone")), ("1", &*phone("16505551234")));
    }
    let inside = r#""conversation":{"id":"c","origin":{"type":"group_service"},"pricing":{"category":"group_marketing","pricing_model":"PMP","type":"regular"}}"#;
    let priced = "category conversation_origin pricing_model pricing_type";
    assert_eq!(columns(&of(&format!("{group},{inside}")), priced), "7 9 1 0");
    let alone = format!(r#""status":"delivered","recipient_id":"16505551234",{inside}"#);
    assert_eq!(columns(&of(&alone), priced), "7 9 1 0");
    let beside = format!(r#"{alone},"pricing":{{"category":"utility"}}"#);
    assert_eq!(columns(&of(&beside), priced), "2 9 1 0");
}

#[test]
fn status_of_a_payment_is_no_step_of_a_delivery() {
    let payment = r#""type":"payment","payment":{"reference_id":"r"}"#;
    for status in ["failed", "captured", "pending"] {
        for payer in ["from", "recipient_id"] {
            let inner = format!(r#""status":"{status}","{payer}":"16505551234",{payment}"#);
            let row = of(&inner);
            assert_eq!((row.kind, row.get("status")), (EventKind::Status, "5"));
            assert_eq!(row.get("peer_phone"), phone("16505551234"));
            let alone =
                format!(r#"{{"id":"w","timestamp":1794096147,"phone_number_id":"100",{inner}}}"#);
            let (_, rows) = run(&alone);
            assert_eq!((rows.len(), rows[0].get("status")), (1, "5"), "{alone}");
        }
    }
}

#[test]
fn what_is_free_in_a_group_is_free_in_the_window() {
    for kind in ["free_customer_service", "free_group_customer_service"] {
        let row = of(&format!(r#""status":"sent","pricing":{{"type":"{kind}"}}"#));
        assert_eq!(row.get("pricing_type"), "1", "{kind}");
    }
}

#[test]
fn person_may_be_named_by_the_message_that_a_status_is_of() {
    let inner = r#""status":"delivered","type":"message","message":{"recipient_id":"16505551234"}"#;
    assert_eq!(of(inner).get("peer_phone"), phone("16505551234"));
    let both = format!(r#"{inner},"recipient_id":"16505559999""#);
    assert_eq!(of(&both).get("peer_phone"), phone("16505559999"));
    let user_id = inner.replace("16505551234", "US.7");
    assert_eq!(of(&user_id).get("peer_user"), user("US.7"));
    assert_eq!(of(r#""status":"delivered","message":"secret""#).get("peer_phone"), "");
}

#[test]
fn status_that_stands_alone_may_have_a_conversation() {
    let inner = r#""phone_number_id":"100","id":"w","status":"sent","timestamp":1794096147,"recipient_id":"16505551234""#;
    let status = format!(
        r#"{{{inner},"conversation":{{"id":"c","origin":{{"type":"service"}}}},"pricing":{{"category":"service"}}}}"#
    );
    let (_, rows) = run(&status);
    assert_eq!(kinds(&rows), ["status"]);
    assert_eq!(columns(&rows[0], "sender status category"), "100 0 5");
    assert_eq!(rows[0].get("peer_phone"), phone("16505551234"));
}

#[test]
fn empty_id_of_a_group_is_none() {
    for (group, expected) in
        [(r#""""#, "0"), (r#"" ""#, "0"), ("null", "0"), (r#""g1""#, "1"), ("7", "1")]
    {
        let inner = format!(r#""status":"read","group_id":{group},"recipient_id":"16505551234""#);
        let row = of(&inner);
        assert_eq!(row.get("in_group"), expected, "{group}");
        let person = if expected == "0" { phone("16505551234") } else { String::new() };
        assert_eq!(row.get("peer_phone"), person, "{group}");
    }
}
