//! What was made of something, and keeps that.

use super::*;

#[test]
fn original_of_what_has_no_messages_is_opened() {
    let (counts, plain) = decode(Format::CloudApi, WEBHOOK);
    let value = WEBHOOK.find(r#"{"metadata""#).expect("a value");
    let value = &WEBHOOK[value..WEBHOOK.len() - "}]}]}".len()];
    for original in [
        WEBHOOK,
        &format!("[{WEBHOOK}]"),
        &format!(r#"{{"headers":{{}},"body":{WEBHOOK}}}"#),
        &format!(r#"{{"headers":{{}},"body":{}}}"#, text(WEBHOOK)),
        &format!(r#"{{"request":{WEBHOOK}}}"#),
        &format!(r#"{{"event":"x","data":{WEBHOOK}}}"#),
        value,
        &format!("[{value}]"),
    ] {
        for key in ["raw", "raw_payload", "metaData"] {
            for beside in [
                r#""id":"1","#,
                r#""id":"1","type":"webhook","timestamp":"1794096147","#,
                r#""message":"CANARY","messages":[],"#,
                r#""phone_number_id":"100","message":{"text":"CANARY"},"#,
            ] {
                let wrapper = format!(r#"{{{beside}"{key}":{original}}}"#);
                let (told, rows) = run(&wrapper);
                assert_eq!((told.messages, told.total()), (1, counts.total()), "{wrapper}");
                for name in ["sender", "message", "peer_phone", "chars"] {
                    assert_eq!(rows[0].get(name), plain[0].get(name), "{wrapper}");
                }
            }
        }
    }
    let (_, rows) = run(r#"{"id":"1","raw":{"text":"CANARY"}}"#);
    assert_eq!(columns(&rows[0], "reason"), "unknown_shape");
}

#[test]
fn messages_beside_an_original_give_way_to_a_whole_webhook_alone() {
    let value = WEBHOOK.find(r#"{"metadata""#).expect("a value");
    let value = &WEBHOOK[value..WEBHOOK.len() - "}]}]}".len()];
    let item = r#"{"from":"16505551234","id":"w","timestamp":"1794096147","type":"text"}"#;
    for own in [format!(r#""messages":[{item}]"#), format!(r#""message":{item}"#)] {
        for (original, messages) in [
            (WEBHOOK.to_owned(), 1),
            (value.to_owned(), 0),
            (format!("[{value}]"), 0),
            (format!(r#"{{"headers":{{}},"body":{WEBHOOK}}}"#), 0),
        ] {
            let (counts, _) = run(&format!(r#"{{{own},"raw":{original}}}"#));
            assert_eq!((counts.messages, counts.total()), (messages, 1), "{own} {original}");
            // With a sender, they are somebody's.
            let named = format!(r#"{{"phone_number_id":"100",{own},"raw":{original}}}"#);
            let (counts, rows) = run(&named);
            assert_eq!((counts.messages, counts.total()), (1, 1), "{named}");
            assert_eq!(columns(&rows[0], "sender chars"), "100 -", "{named}");
        }
    }
}
