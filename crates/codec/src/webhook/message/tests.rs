mod history;

use crate::testing::{Row, columns, keys, kinds};
use crate::webhook::tests::{TEXT, change, only, phone, rows, run, user};

/// Messages that the business's own number wrote, in every list where they may stand.
#[test]
fn what_the_business_wrote_is_never_received() {
    let own =
        |more: &str, from: &str| TEXT.replace("\"16505551234\"", &format!("\"{from}\"{more}"));
    let contact = r#""contacts":[{"wa_id":"16505551234","user_id":"US.7"}],"#;
    let to = r#","to":"16505551234""#;
    let made = r#","message_creation_type":"x""#;
    for (field, origin) in [("smb_message_echoes", "1"), ("message_echoes", "1"), ("messages", "0")]
    {
        for from in ["15550783881", "+15550783881", "100"] {
            for (contacts, more) in
                [(contact, to), (contact, made), ("", to), ("", made), (contact, ""), ("", "")]
            {
                if field == "messages" && more.is_empty() {
                    continue;
                }
                let list = format!(r#"{contacts}"messages":[{}]"#, own(more, from));
                let row = only(field, &list);
                let peer = if !contacts.is_empty() || more == to {
                    phone("16505551234")
                } else {
                    String::new()
                };
                assert_eq!(columns(&row, "origin direction"), format!("{origin} 1"), "{list}");
                assert_eq!(row.get("peer_phone"), peer, "{field} {list}");
            }
        }
    }
    // In a field of echoes all are; elsewhere what has another number is received, though its end
    // be the same.
    assert_eq!(
        only("smb_message_echoes", &format!(r#""messages":[{TEXT}]"#)).get("direction"),
        "1"
    );
    for from in ["5550783881", "25550783881", "3881", "1550783881"] {
        let row = only("messages", &format!(r#""messages":[{}]"#, own("", from)));
        assert_eq!((row.get("direction"), row.get("peer_phone")), ("0", &*phone(from)));
    }
    let row = only("standby", &format!(r#""standby":{{"messages":[{}]}}"#, own(to, "15550783881")));
    assert_eq!(columns(&row, "origin direction"), "2 1");
    // The only contact may be the business.
    for (field, list) in [("messages", "messages"), ("smb_message_echoes", "message_echoes")] {
        let value = format!(
            r#""contacts":[{{"wa_id":"15550783881"}}],"{list}":[{}]"#,
            own(made, "15550783881")
        );
        assert_eq!(columns(&only(field, &value), "direction peer_phone"), "1 -");
    }
    let alone = own("", "100").replace("{\"from\"", "{\"phone_number_id\":\"100\",\"from\"");
    assert_eq!(columns(&run(&alone).1[0], "direction peer_phone"), "1 -");
    // Placeholders of samples are no numbers.
    let same = change("messages", &format!(r#""messages":[{}]"#, own(to, "PHONE")));
    let (_, rows) = run(&same.replace("+1 555-078-3881", "PHONE"));
    assert_eq!(rows[0].get("direction"), "0");
}

/// Samples have one number for all who take part.
#[test]
fn what_names_the_business_alone_was_received_from_nobody() {
    let own =
        |from: &str, more: &str| TEXT.replace("\"16505551234\"", &format!("\"{from}\"{more}"));
    for from in ["15550783881", "+1 555-078-3881", "100"] {
        for business in ["", r#""contacts":[{"wa_id":"15550783881"}],"#] {
            let row = only("messages", &format!(r#"{business}"messages":[{}]"#, own(from, "")));
            assert_eq!(columns(&row, "origin direction peer_phone peer_user"), "0 0 - -", "{from}");
        }
        let standby = format!(r#""standby":{{"messages":[{}]}}"#, own(from, ""));
        assert_eq!(columns(&only("standby", &standby), "origin direction peer_phone"), "2 0 -");
        // Whom else it names, that is who wrote it.
        let user_id = own(from, r#","from_user_id":"US.7""#);
        let row = only("messages", &format!(r#""messages":[{user_id}]"#));
        assert_eq!(columns(&row, "direction peer_phone"), "0 -");
        assert_eq!(row.get("peer_user"), user("US.7"));
        let contact = r#""contacts":[{"wa_id":"16505551234"}]"#;
        let row = only("messages", &format!(r#"{contact},"messages":[{}]"#, own(from, "")));
        assert_eq!((row.get("direction"), row.get("peer_phone")), ("0", &*phone("16505551234")));
    }
}

#[test]
fn what_metas_own_agent_wrote_is_no_persons() {
    let echo = |made: &str| {
        let own = TEXT.replace("\"16505551234\"", "\"15550783881\",\"to\":\"16505551234\"");
        own.replace("{\"from\"", &format!("{{\"message_creation_type\":{made},\"from\""))
    };
    for (field, list, origin) in [
        ("smb_message_echoes", "message_echoes", "1"),
        ("message_echoes", "message_echoes", "1"),
        ("message_echoes", "messages", "1"),
        ("messages", "messages", "0"),
        ("history", "message_echoes", "3"),
    ] {
        for (made, by_agent) in [
            (r#""created_by_1p_bot""#, true),
            (r#"" Created_By_1P_Bot""#, true),
            (r#""created_by_user""#, false),
            (r#""\u0063reated_by_1p_bot""#, true),
            ("\"\"", false),
            ("7", false),
        ] {
            let row = only(field, &format!(r#""{list}":[{}]"#, echo(made)));
            let expected = if by_agent && origin != "3" { "2" } else { origin };
            assert_eq!(
                columns(&row, "origin direction"),
                format!("{expected} 1"),
                "{field} {made}"
            );
        }
    }
    let made = "{\"message_creation_type\":\"created_by_1p_bot\",\"from\"";
    let row = only("messages", &format!(r#""messages":[{}]"#, TEXT.replace("{\"from\"", made)));
    assert_eq!(columns(&row, "origin direction"), "0 0");
    // Nested, as on standby.
    let nested = r#""message_echoes":[{"id":"w","timestamp":1794096147,"message":{"to":"16505551234","type":"text","text":{"body":"x"},"message_creation_type":"created_by_1p_bot"}}]"#;
    assert_eq!(only("message_echoes", nested).get("origin"), "2");
}

#[test]
fn number_for_an_id_is_the_businesss_however_it_is_spelled() {
    for id in ["15550783881", "+15550783881", "+1 555-078-3881", "(1555) 0783881 "] {
        let told = |field: &str, value: &str| {
            let text = change(field, value).replace(r#"_id":"100""#, &format!(r#"_id":"{id}""#));
            let text = text.replace("+1 555-078-3881\",\"phone", "1\",\"phone");
            run(&text).1.remove(0)
        };
        let own = TEXT.replace("\"16505551234\"", "\"15550783881\",\"to\":\"16505551234\"");
        let row = told("messages", &format!(r#""messages":[{own}]"#));
        assert_eq!(columns(&row, "direction"), "1", "{id}");
        assert_eq!(
            row.get("peer_phone"),
            keys().peer_phone(id.trim(), "16505551234").0.to_string()
        );
        // An echo that names nobody, beside the business as its own contact.
        let echo = TEXT.replace("\"from\":\"16505551234\",", "");
        let value = format!(r#""contacts":[{{"wa_id":"15550783881"}}],"message_echoes":[{echo}]"#);
        let row = told("smb_message_echoes", &value);
        assert_eq!(columns(&row, "direction peer_phone"), "1 -", "{id}");
    }
}

#[test]
fn echo_to_the_business_itself_is_for_the_contact() {
    let contact = r#"{"wa_id":"16505551234","user_id":"US.7"}"#;
    let echo = |to: &str| {
        let own = TEXT.replace("{\"from\"", &format!("{{\"to\":\"{to}\",\"from\""));
        own.replace("wamid.A", &format!("wamid.{to}"))
    };
    for to in ["15550783881", "+1 555 078-3881", "100"] {
        for list in ["message_echoes", "messages"] {
            let value = format!(r#""contacts":[{contact}],"{list}":[{}]"#, echo(to));
            let row = only("smb_message_echoes", &value);
            assert_eq!(columns(&row, "origin direction"), "1 1", "{to} {list}");
            assert_eq!(
                (row.get("peer_phone"), row.get("peer_user")),
                (&*phone("16505551234"), &*user("US.7")),
                "{to} {list}"
            );
        }
    }
    let nobody = only("smb_message_echoes", &format!(r#""message_echoes":[{}]"#, echo("100")));
    assert_eq!(columns(&nobody, "direction peer_phone peer_user"), "1 - -");
    // What has another number, though its end be the same, is somebody.
    let row = only("smb_message_echoes", &format!(r#""message_echoes":[{}]"#, echo("5550783881")));
    assert_eq!(row.get("peer_phone"), phone("5550783881"));
}

#[test]
fn group_is_told_by_the_contact_as_well() {
    let value = |group: &str, list: &str| {
        format!(r#""contacts":[{{"wa_id":"16505551234","group_id":{group}}}],{list}"#)
    };
    let message = format!(r#""messages":[{TEXT}]"#);
    for (group, expected) in [("\"1@g.us\"", "1"), ("\"g1\"", "1"), ("\"\"", "0"), ("null", "0")] {
        let row = only("messages", &value(group, &message));
        assert_eq!(row.get("in_group"), expected, "{group}");
        assert_eq!(row.get("peer_phone"), phone("16505551234"), "{group}");
    }
    let status = r#""statuses":[{"id":"w","status":"read","timestamp":1794096147,"recipient_id":"16505551234"}]"#;
    assert_eq!(only("messages", &value("\"g1\"", status)).get("in_group"), "1");
    // Whom an echo in a group is for, nobody is.
    let echo = TEXT.replace("\"from\"", "\"to\"");
    let echoes = value("\"g1\"", &format!(r#""message_echoes":[{echo}]"#));
    let row = only("smb_message_echoes", &echoes);
    assert_eq!(columns(&row, "in_group peer_phone"), "1 -");
    // Another's contact tells nothing.
    let other = value("\"g1\"", &message).replace("\"16505551234\",\"group", "\"1777\",\"group");
    assert_eq!(only("messages", &other).get("in_group"), "0");
}

#[test]
fn one_message_stands_for_a_list_of_them() {
    let listed = only("messages", &format!(r#""messages":[{TEXT}]"#));
    assert_eq!(only("messages", &format!(r#""message":{TEXT}"#)), listed);
    let milliseconds = TEXT.replace("\"1794096147\"", "1794096147000");
    let contacts = r#""contacts":[{"wa_id":"16505551234","user_id":"US.7"}]"#;
    let value = format!(
        r#"{{"type":"message","message":{milliseconds},{contacts},"metadata":{{"display_phone_number":"15550783881","phone_number_id":"100"}}}}"#
    );
    let (_, found) = run(&value);
    assert_eq!(kinds(&found), ["message"]);
    assert_eq!(columns(&found[0], "sender direction chars time"), "100 0 8 1794096147000000");
    assert_eq!(found[0].get("peer_user"), user("US.7"));
    let (_, found) = run(&format!(r#"{{"phone_number_id":"100","message":{TEXT}}}"#));
    assert_eq!(kinds(&found), ["message"]);
    // The id and time beside it are those of an event around it.
    let around = format!(
        r#"{{"id":"e1","timestamp":"1794096150","type":"message","phone_number_id":"100","message":{TEXT}}}"#
    );
    assert_eq!(run(&around).1, found);
    // An echo on standby has its body alone inside.
    let echo = r#"{"id":"wamid.A","timestamp":"1794096147","phone_number_id":"100","message":{"from":"100","to":"16505551234","type":"text","text":{"body":"hi there"}}}"#;
    let (_, echoed) = run(echo);
    assert_eq!(columns(&echoed[0], "direction chars time"), "1 8 1794096147000000");
    assert_eq!(echoed[0].get("message"), found[0].get("message"));
    // Beside a list, or where it is none, it is something else.
    let status = r#"{"id":"w","status":"read","timestamp":1794096147}"#;
    let value = format!(r#""message":{TEXT},"statuses":[{status}]"#);
    assert_eq!(kinds(&rows("messages", &value)), ["message", "status"]);
    let value = format!(r#""message":{TEXT},"messages":[{TEXT}]"#);
    assert_eq!(kinds(&rows("messages", &value)), ["message"]);
    for other in [r#""message":"secret""#, r#""message":{"x":1}"#] {
        assert_eq!(kinds(&rows("messages", other)), ["ignored"], "{other}");
    }
}

#[test]
fn identity_that_stays_has_no_previous_one() {
    let told = |system: &str| {
        let message = format!(
            r#"{{"from":"16505551234","from_user_id":"US.7","id":"w","timestamp":1794096147,"type":"system","system":{{{system}}}}}"#
        );
        let found = rows("messages", &format!(r#""messages":[{message}]"#));
        columns(&found[1], "peer_phone_previous peer_user_previous")
    };
    let both = r#""type":"user_changed_user_id","wa_id":"16505551234","user_id":"US.8""#;
    assert_eq!(told(both), format!("- {}", user("US.7")));
    let number = r#""type":"user_changed_number","wa_id":"16505559999","user_id":"US.7""#;
    assert_eq!(told(number), format!("{} -", phone("16505551234")));
}

/// Gateways that have no other id than the number write what their session sent as the platform
/// writes what it received, with the person as the contact.
#[test]
fn what_a_gateways_session_sent_is_for_the_contact() {
    let told = |metadata: &str, contacts: &str, from: &str| {
        let value = format!(
            r#"{{"metadata":{{{metadata}}},"contacts":[{contacts}],"messages":[{}],"statuses":[],"errors":[]}}"#,
            TEXT.replace("16505551234", from)
        );
        run(&format!(r#"{{"entry":[{{"changes":[{{"field":"messages","value":{value}}}]}}]}}"#))
            .1
            .remove(0)
    };
    let person = r#"{"wa_id":"16505551234","user_id":"US.7"}"#;
    let peer = |row: &Row, number: &str| {
        let of_contact = keys().peer_phone(number, "16505551234").0.to_string();
        row.get("peer_phone") == of_contact
    };
    for (display, id) in [
        ("15550783881", "15550783881"),
        ("+1 555-078-3881", "15550783881"),
        ("15550783881", "+15550783881"),
    ] {
        let metadata = format!(r#""display_phone_number":"{display}","phone_number_id":"{id}""#);
        let sent = told(&metadata, person, "15550783881");
        assert_eq!(columns(&sent, "origin direction"), "0 1", "{metadata}");
        assert!(peer(&sent, id), "{metadata}");
        let received = told(&metadata, person, "16505551234");
        assert_eq!(columns(&received, "origin direction"), "0 0", "{metadata}");
        assert!(peer(&received, id), "{metadata}");
        // Nobody, the business itself, or one of two: nothing tells whom it is for.
        for contacts in ["", "{}", r#"{"wa_id":"15550783881"}"#, &format!("{person},{person}")] {
            let row = told(&metadata, contacts, "15550783881");
            assert_eq!(columns(&row, "origin direction"), "0 0", "{contacts}");
        }
    }
    // The platform's numbers have ids, and placeholders are no numbers.
    let of_platform = r#""display_phone_number":"15550783881","phone_number_id":"100""#;
    assert_eq!(columns(&told(of_platform, person, "15550783881"), "origin direction"), "0 0");
    let sample = r#""display_phone_number":"PHONE","phone_number_id":"PHONE""#;
    assert_eq!(columns(&told(sample, person, "PHONE"), "origin direction"), "0 0");
}

#[test]
fn empty_ids_tell_no_direction() {
    let history = |thread: &str, message: &str| {
        let threads = format!(
            r#"[{{{thread},"messages":[{{"id":"w","timestamp":"1739230955","type":"text",{message}}}]}}]"#
        );
        let value = format!(
            r#"{{"metadata":{{"phone_number_id":"100"}},"history":[{{"threads":{threads}}}]}}"#
        );
        let whole =
            format!(r#"{{"entry":[{{"changes":[{{"field":"history","value":{value}}}]}}]}}"#);
        let row = run(&whole).1.remove(0);
        format!("{}{}", row.get("direction"), row.get("reason"))
    };
    let of_number = r#""id":"16505551234""#;
    for (thread, message, expected) in [
        (of_number, r#""from":"15550783881","from_user_id":"","to":"16505551234""#, "1"),
        (of_number, r#""from":"15550783881","from_user_id":" ","to":"""#, "1"),
        (of_number, r#""from":"","to_user_id":"","to":"16505551234""#, "1"),
        (of_number, r#""from":"","from_user_id":"US.1","to_user_id":"""#, "0"),
        (of_number, r#""from":"","from_user_id":"","to_user_id":"""#, "no_direction"),
        // Who is known by the user id alone may have this number or not.
        (r#""id":"","context":{"user_id":"US.1"}"#, r#""from":"15550783881""#, "no_direction"),
        (
            r#""id":"","context":{"user_id":"US.1"}"#,
            r#""from":"15550783881","from_user_id":"US.1""#,
            "0",
        ),
        (r#""id":"""#, r#""from":"15550783881""#, "no_direction"),
    ] {
        assert_eq!(history(thread, message), expected, "{thread} {message}");
    }
    // A message that stands alone, and one in the business's name.
    for empty in [r#""to":"""#, r#""to":" ","to_user_id":"""#] {
        let around = format!(r#"{{"phone_number_id":"100",{empty},"from""#);
        let row = run(&TEXT.replace("{\"from\"", &around)).1.remove(0);
        assert_eq!(columns(&row, "direction"), "0", "{empty}");
        assert_eq!(row.get("peer_phone"), phone("16505551234"), "{empty}");
        let own = TEXT.replace("\"16505551234\"", &format!("\"15550783881\",{empty}"));
        let row = only("messages", &format!(r#""messages":[{own}]"#));
        assert_eq!(columns(&row, "direction peer_phone"), "0 -", "{empty}");
    }
}

#[test]
fn referral_without_a_key_is_none() {
    for (referral, expected) in
        [("{}", "0"), ("{ }", "0"), ("null", "0"), ("[]", "0"), (r#"{"source_id":""}"#, "1")]
    {
        let message = TEXT.replace("{\"from\"", &format!(r#"{{"referral":{referral},"from""#));
        let row = only("messages", &format!(r#""messages":[{message}]"#));
        assert_eq!(row.get("has_referral"), expected, "{referral}");
    }
}
