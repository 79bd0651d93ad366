use crate::testing::{columns, kinds};
use crate::webhook::tests::{only, phone, rows, run};

#[test]
fn account_updates_are_told_by_their_event() {
    for event in [
        "ACCOUNT_NEW",
        "PARTNER_NEW",
        "PARTNER_APP_INSTALLED",
        "PARTNER_CLIENT_CERTIFICATION_NEEDED",
        "AD_ACCOUNT_LINKED",
        "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
        "MM_LITE_TERMS_SIGNED",
        "VERIFIED_ACCOUNT",
        "VOLUME_BASED_PRICING_TIER_UPDATE",
    ] {
        let value = format!(r#""event":"{event}","waba_info":{{"waba_id":"9"}}"#);
        let (_, told) = run(&format!(r#"{{"entry":[{{"changes":[{{"value":{{{value}}}}}]}}]}}"#));
        let known = if event.ends_with("_NEW") { "other" } else { event };
        assert_eq!(kinds(&told), ["account"], "{event}");
        assert_eq!(columns(&told[0], "field event"), format!("account_update {known}"));
        assert_eq!(only("account_update", &value).get("event"), known);
    }
    // Templates are flagged too, so this event alone tells nothing.
    let (_, rows) = run(r#"{"entry":[{"changes":[{"value":{"event":"FLAGGED"}}]}]}"#);
    assert_eq!(kinds(&rows), ["dead_letter"]);
}

#[test]
fn changed_identity_has_two_names() {
    for kind in ["customer_identity_changed", "user_identity_changed"] {
        let rows = rows(
            "messages",
            &format!(
                r#""messages":[{{"from":"16505551234","id":"w","timestamp":1794096147,"type":"system","system":{{"type":"{kind}","customer":"16505551234","identity":"x"}}}}]"#
            ),
        );
        assert_eq!(kinds(&rows), ["message", "account"], "{kind}");
        assert_eq!(rows[1].get("event"), "customer_identity_changed");
        assert_eq!(rows[1].get("peer_phone"), phone("16505551234"));
    }
}
