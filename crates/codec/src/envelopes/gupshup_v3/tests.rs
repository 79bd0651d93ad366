use turnwise_model::EventKind;

use crate::Format;
use crate::testing::{columns, kinds, message, only, phone, told_alike};

fn webhook(field: &str, value: &str) -> String {
    format!(
        r#"{{"entry":[{{"changes":[{{"field":"{field}","value":{{"messaging_product":"whatsapp",{value}}}}}],"id":"9"}}],"gs_app_id":"app-1","object":"whatsapp_business_account"}}"#
    )
}

const META: &str = r#""metadata":{"display_phone_number":"9****8","phone_number_id":"100"}"#;

#[test]
fn statuses_with_metadata_are_the_numbers() {
    let row = only(
        Format::GupshupV3,
        &webhook(
            "messages",
            &format!(
                r#"{META},"statuses":[{{"gs_id":"g","id":"wamid.A","recipient_id":"9191****873","status":"sent","timestamp":"1794096147","pricing":{{"billable":"true","category":"marketing","pricing_model":"PMP","type":"regular"}}}}]"#
            ),
        ),
    );
    assert_eq!(
        columns(&row, "waba_id sender status category pricing_model peer_phone"),
        "9 100 0 0 1 -"
    );
    assert_eq!(row.get("message"), message("100", "wamid.A"));
}

#[test]
fn own_statuses_are_the_apps_in_milliseconds() {
    let own = r#""statuses":[{"gs_id":"g","id":"wamid.A","recipient_id":"919100000873","status":"enqueued","timestamp":1794096147000},{"gs_id":"g","id":"wamid.A","status":"failed","timestamp":"1794096147","recipient_id":"919100000873","code":"1005","reason":"x"},{"type":"set-callback"}]"#;
    let rows = told_alike(Format::GupshupV3, &webhook("messages", own));
    assert_eq!(kinds(&rows), ["status", "status", "ignored"]);
    assert_eq!(columns(&rows[0], "sender status time"), "app-1 5 1794096147000000");
    assert_eq!(columns(&rows[1], "sender status error_code"), "app-1 4 1005");
    assert_eq!(rows[0].get("peer_phone"), phone("app-1", "919100000873"));
    assert_eq!(rows[2].get("reason"), "other");
}

#[test]
fn billing_events_are_ignored_by_name() {
    let row = only(
        Format::GupshupV3,
        &webhook("billing-event", r#""billing":{"deductions":{"billable":false}}"#),
    );
    assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "billing_event"));
}
