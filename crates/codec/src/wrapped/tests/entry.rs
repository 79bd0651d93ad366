//! Entries of AWS End User Messaging Social.

use super::*;

#[test]
fn account_and_number_of_an_entry_stand_beside_it() {
    let quality = r#"{"changes":[{"field":"phone_number_quality_update","value":{"event":"FLAGGED"}},{"field":"messages","value":{"statuses":[{"id":"w","status":"read","timestamp":"1794096147"}]}}]}"#;
    for ids in [
        r#""MetaWabaIds":[{"wabaId":"9","arn":"x"}],"MetaPhoneNumberIds":[{"metaPhoneNumberId":"100"}]"#,
        r#""MetaWabaIds":["9","8"],"MetaPhoneNumberIds":["100"]"#,
    ] {
        for entry in [quality.to_owned(), text(quality)] {
            let event = format!(
                r#"{{"context":{{{ids}}},"whatsAppWebhookEntry":{entry},"message_timestamp":"2026-11-08T00:02:27.271279391Z"}}"#
            );
            let (_, rows) = run(&event);
            assert_eq!(kinds(&rows), ["account", "status"], "{event}");
            assert_eq!(columns(&rows[0], "waba_id sender time"), "9 100 1794096147271000");
            assert_eq!(columns(&rows[1], "waba_id sender time"), "9 100 1794096147000000");
        }
    }
    for (entry, reason) in
        [("7", "wrong_type"), ("\"{\"", "invalid_json"), ("\"[1]\"", "unknown_shape")]
    {
        let (_, rows) = run(&format!(r#"{{"whatsAppWebhookEntry":{entry}}}"#));
        assert_eq!(columns(&rows[0], "reason sender"), format!("{reason} -"), "{entry}");
    }
}

#[test]
fn number_beside_an_entry_is_nobodys_in_it() {
    let run_with = |number: &str, value: &str| {
        let entry = format!(r#"{{"id":"9","changes":[{{"field":"messages","value":{value}}}]}}"#);
        let around = format!(r#"{{"MetaPhoneNumberIds":[{{"metaPhoneNumberId":"{number}"}}]}}"#);
        let of =
            |entry: &str| format!(r#"{{"context":{around},"whatsAppWebhookEntry":{entry},"x":1}}"#);
        let (_, rows) = run(&of(&entry));
        assert_eq!(run(&of(&text(&entry))).1[0].get("sender"), rows[0].get("sender"));
        columns(&rows[0], "reason sender")
    };
    let message = r#"{"from":"16505551234","id":"w","timestamp":"1794096147","type":"text"}"#;
    let received = format!(r#"{{"messages":[{message}]}}"#);
    let contact = r#"{"wa_id":"5215512345678","user_id":"US.SECRETUSER"}"#;
    let status = r#"{"id":"w","status":"read","timestamp":"1794096147","recipient_id":"491701234567","recipient_user_id":"DE.A"}"#;
    let delivered = format!(r#"{{"contacts":[{contact}],"statuses":[{status}]}}"#);
    let echo = r#"{"from":"15550783881","to":"16505551234","id":"w","timestamp":"1794096147","type":"text"}"#;
    let echoes = format!(r#"{{"message_echoes":[{echo}]}}"#);
    let answered = message.replace('}', r#","context":{"from":"15550783881","id":"v"}}"#);
    for (value, number, is_persons) in [
        (&received, "100", false),
        (&received, "16505551234", true),
        (&received, "+1 (650) 555-1234", true),
        (&received, "16505551235", false),
        (&received, "16505551234@s.whatsapp.net", true),
        (&received, "US.1349", true),
        (&delivered, "491701234567", true),
        (&delivered, "525512345678", true),
        (&delivered, "DE.A", true),
        (&delivered, "15550783881", false),
        (&echoes, "16505551234", true),
        (&echoes, "100", false),
        // A number that is written there for an id may be anybody's who has it.
        (&echoes, "15550783881", true),
        (&format!(r#"{{"messages":[{answered}]}}"#), "15550783881", true),
        (&format!(r#"{{"standby":{received}}}"#), "16505551234", true),
        (
            &format!(
                r#"{{"history":[{{"threads":[{{"id":"16505551234","messages":[{message}]}}]}}]}}"#
            ),
            "16505551234",
            true,
        ),
    ] {
        let expected = if is_persons { "no_sender -".to_owned() } else { format!("- {number}") };
        assert_eq!(run_with(number, value), expected, "{number} {value}");
    }
    // Who names its number needs no other.
    let named = received.replacen('{', r#"{"metadata":{"phone_number_id":"100"},"#, 1);
    assert_eq!(run_with("16505551234", &named), "- 100");
}
