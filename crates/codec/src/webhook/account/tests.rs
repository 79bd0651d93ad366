use crate::testing::{columns, kinds};
use crate::webhook::tests::{only, phone, rows, run, user};

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
fn changed_user_id_has_the_number_of_the_contact_that_has_it() {
    let told = |contact: &str| {
        let update = r#"{"user_id":{"previous":"US.6","current":"US.7"}}"#;
        let value = format!(r#""contacts":[{contact}],"user_id_update":[{update}]"#);
        columns(&only("user_id_update", &value), "peer_phone peer_user")
    };
    let both = format!("{} {}", phone("16505551234"), user("US.7"));
    assert_eq!(told(r#"{"wa_id":"16505551234","user_id":"US.7"}"#), both);
    // Who had the former one may be another by now, and the business is nobody.
    for contact in [
        r#"{"wa_id":"16505551234","user_id":"US.6"}"#,
        r#"{"wa_id":"15550783881","user_id":"US.7"}"#,
    ] {
        assert_eq!(told(contact), format!("- {}", user("US.7")), "{contact}");
    }
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

#[test]
fn roles_are_found_wherever_a_handover_names_them() {
    let handover = |sides: &str| {
        let value = format!(
            r#""sender":{{"phone_number":"16505551234"}},"type":"control_passed","timestamp":"1794096147","control_passed":{{{sides}}}"#
        );
        columns(&only("messaging_handovers", &value), "role_previous role_new")
    };
    for (sides, roles) in [
        (
            r#""previous_owner_role":"ai_agent","new_owner_role":"escalation""#,
            "ai_agent escalation",
        ),
        (
            r#""previous_owner_app_role":"META_AI","new_owner_app_role":"Marketing""#,
            "ai_agent marketing",
        ),
        (
            r#""previous_owner":{"app_role":"meta_business_agent"},"new_owner":{"app_role":"ctwa"}"#,
            "ai_agent ctwa",
        ),
        (r#""previous_owner":{"role":"utility"},"new_owner":{"app_id":"7"}"#, "utility -"),
        (r#""previous_owner_role":"martian","previous_owner_app_role":"meta_ai""#, "ai_agent -"),
        (r#""previous_owner_role":"ctwa","previous_owner_app_role":"martian""#, "ctwa -"),
        (r#""previous_owner_role":"ctwa","previous_owner_app_role":"meta_ai""#, "ctwa -"),
        (r#""previous_owner":{"app_role":"martian"},"new_owner_role":null"#, "other -"),
        (r#""previous_owner":"ai_agent","new_owner_role":7"#, "- -"),
    ] {
        assert_eq!(handover(sides), roles, "{sides}");
    }
}

#[test]
fn peer_of_a_handover_without_a_sender_is_the_only_contact() {
    let value = |around: &str| {
        let value = format!(
            r#"{around}"type":"control_taken","timestamp":"1794096147","control_taken":{{"new_owner_role":"ai_agent"}}"#
        );
        columns(&only("messaging_handovers", &value), "peer_phone peer_user")
    };
    let one = r#"{"wa_id":"16505551234","user_id":"US.7"}"#;
    let both = format!("{} {}", phone("16505551234"), user("US.7"));
    assert_eq!(value(&format!(r#""contacts":[{one}],"#)), both);
    assert_eq!(value(&format!(r#""contacts":[{one}],"sender":{{}},"#)), both);
    assert_eq!(value(&format!(r#""contacts":[{one},{one}],"#)), "- -");
    let sender = r#""sender":{"user_id":"US.8"},"#;
    assert_eq!(value(&format!(r#""contacts":[{one}],{sender}"#)), format!("- {}", user("US.8")));
    assert_eq!(value(r#""contacts":[{"wa_id":"15550783881"}],"#), "- -");
}

#[test]
fn account_is_the_one_that_an_update_names_inside() {
    for (event, info, waba_id) in [
        ("PARTNER_ADDED", r#"{"waba_id":"102290","owner_business_id":"250"}"#, "102290"),
        ("partner_app_installed", r#"{"waba_id":102290}"#, "102290"),
        ("PARTNER_REMOVED", r#"{"owner_business_id":"250"}"#, "9"),
        ("PARTNER_REMOVED", "null", "9"),
        ("MM_LITE_TERMS_SIGNED", r#"{"waba_id":"102290"}"#, "102290"),
        ("AD_ACCOUNT_LINKED", r#"{"waba_id":"102290","ad_account_id":"7"}"#, "102290"),
        ("ACCOUNT_VIOLATION", r#"{"waba_id":"102290"}"#, "102290"),
    ] {
        let row = only("account_update", &format!(r#""event":"{event}","waba_info":{info}"#));
        assert_eq!(row.get("waba_id"), waba_id, "{event} {info}");
    }
}

#[test]
fn facts_and_what_is_no_evidence_are_told_without_a_field() {
    for (value, expected) in [
        (
            r#""display_phone_number":"15550783881","event":"FLAGGED","current_limit":"TIER_10K""#,
            "account phone_number_quality_update FLAGGED -",
        ),
        (
            r#""display_phone_number":"15550783881","event":"ONBOARDING""#,
            "account phone_number_quality_update ONBOARDING -",
        ),
        (r#""current_limit":"TIER_1K""#, "account phone_number_quality_update other -"),
        (
            r#""message_template_id":7,"event":"FLAGGED""#,
            "ignored - - message_template_status_update",
        ),
        (
            r#""message_template_id":7,"previous_category":"UTILITY","new_category":"MARKETING""#,
            "ignored - - template_category_update",
        ),
        (
            r#""message_template_id":7,"new_quality_score":"GREEN""#,
            "ignored - - message_template_quality_update",
        ),
        (r#""event":"FLOW_STATUS_CHANGE","flow_id":"7""#, "ignored - - flows"),
        (
            r#""display_phone_number":"15550783881","decision":"APPROVED""#,
            "ignored - - phone_number_name_update",
        ),
        (r#""decision":"APPROVED""#, "ignored - - account_review_update"),
        (r#""max_daily_conversation_per_phone":1000"#, "ignored - - business_capability_update"),
        (
            r#""display_phone_number":"15550783881","event":"PIN_CHANGED","requester":"8""#,
            "ignored - - security",
        ),
        (r#""event":"SOLUTION_UPDATED","solution_id":"7""#, "ignored - - partner_solutions"),
        (
            r#""provider_name":"p","configuration_name":"c","status":"Active""#,
            "ignored - - payment_configuration_update",
        ),
        (r#""solution":"7","provider_name":"p""#, "dead_letter - - unknown_shape"),
    ] {
        let (_, rows) =
            run(&format!(r#"{{"entry":[{{"id":"9","changes":[{{"value":{{{value}}}}}]}}]}}"#));
        assert_eq!(rows.len(), 1, "{value}");
        let told = columns(&rows[0], "field event reason");
        assert_eq!(format!("{} {told}", rows[0].kind.name()), expected, "{value}");
        // A name that nobody knows is not guessed away.
        let named = &only("new_field", value);
        if named.kind.name() == "ignored" {
            assert_eq!(named.get("reason"), "other", "{value}");
        }
    }
}

#[test]
fn handover_that_stands_alone_is_one() {
    let handover = r#"{"messaging_product":"whatsapp","recipient":{"phone_number_id":"100"},"sender":{"phone_number":"16505551234"},"timestamp":"1794096147","type":"control_passed","control_passed":{"new_owner_role":"escalation"}}"#;
    let told = |text: &str| {
        let (_, rows) = run(text);
        assert_eq!(kinds(&rows), ["account"], "{text}");
        assert_eq!(columns(&rows[0], "sender event role_new"), "100 control_passed escalation");
        rows[0].clone()
    };
    let row = told(handover);
    assert_eq!(
        (row.get("peer_phone"), row.get("time")),
        (&*phone("16505551234"), "1794096147000000")
    );
    let without_time = told(&handover.replace(r#""timestamp":"1794096147","#, ""));
    assert_eq!(without_time.get("peer_phone"), phone("16505551234"));
    let of_nobody = told(&handover.replace(r#""sender":{"phone_number":"16505551234"},"#, ""));
    assert_eq!(of_nobody.get("peer_phone"), "");
    // Others have events of such names, too.
    let (_, rows) = run(r#"{"id":"1","event":"account_created","account":{"name":"x"}}"#);
    assert_eq!(kinds(&rows), ["dead_letter"]);
}

#[test]
fn person_of_a_handover_may_be_named_inside() {
    let told = |around: &str, inside: &str| {
        let value = format!(
            r#"{around}"type":"control_passed","timestamp":"1794096147","control_passed":{{"new_owner_role":"escalation","recipient":{inside}}}"#
        );
        columns(&only("messaging_handovers", &value), "peer_phone peer_user")
    };
    let person = r#"{"wa_id":"16505551234","user_id":"US.7"}"#;
    let both = format!("{} {}", phone("16505551234"), user("US.7"));
    assert_eq!(told("", person), both);
    assert_eq!(told(r#""sender":{},"#, person), both);
    assert_eq!(told("", r#"{"user_id":"US.7"}"#), format!("- {}", user("US.7")));
    // Who stands outside goes before; the business is nobody's peer.
    let sender = r#""sender":{"user_id":"US.8"},"#;
    assert_eq!(told(sender, person), format!("- {}", user("US.8")));
    assert_eq!(told("", r#"{"wa_id":"15550783881"}"#), "- -");
    assert_eq!(told("", r#"{"phone_number_id":"100","id":"100"}"#), "- -");
    let contacts = format!(r#""contacts":[{person}],"#);
    assert_eq!(told(&contacts, "null"), both);
}
