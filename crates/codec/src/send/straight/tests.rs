use super::*;
use crate::testing;

/// Whether the way takes each of the texts, one after another, and again with its layout known.
fn taken(texts: &[String]) -> Vec<bool> {
    let mut scratch = Scratch::default();
    let mut take = || {
        testing::taken(texts, |record, hashing, unknown, bytes| {
            decode(record, hashing, &mut scratch, unknown, bytes)
        })
    };
    let first = take();
    assert_eq!(take(), first);
    first
}

fn record(request: &str) -> String {
    format!(
        r#"{{"time":"2026-11-08T00:02:27.127Z","waba_id":"9","phone_number_id":"100","status":200,"request":{request},"response":{{"contacts":[{{"input":"+1650","wa_id":"16505551234","user_id":"US.7"}}],"messages":[{{"id":"wamid.A"}}]}}}}"#
    )
}

const TEXT: &str = r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"+16505551234","type":"text","text":{"body":"Hi"}}"#;
const READ: &str = r#"{"status":"read","message_id":"wamid.A"}"#;

#[test]
fn usual_sends_are_taken_however_they_are_written() {
    let text = record(TEXT);
    let texts = [
        text.clone(),
        text.replace("Hi", "h\u{e9}"),
        text.replace("Hi", "a\\nb \\ud83d\\ude00"),
        text.replace("\":", "\" :\n").replace(',', " , "),
        text.replace(r#""2026-11-08T00:02:27.127Z""#, "1794096147"),
        text.replace(".127Z", ".127999+00:00"),
        text.replace("200", "\"201\""),
        text.replace(r#""status":200,"#, ""),
        text.replace(r#""to":"+16505551234""#, r#""recipient":"US.7","new":[{"a":null}]"#),
        text.replace(r#""contacts":[{"#, r#""contacts":[{"a":1},{"#),
        text.replace(r#""to""#, r#""context":{"message_id":"wamid.B"},"to""#),
        record(r#"{"to":"1","type":"template","template":{"name":"n","components":[]}}"#),
        record(
            r#"{"to":"1","type":"interactive","interactive":{"type":"button","body":{"text":"Hi"},"action":{"buttons":[]}}}"#,
        ),
        record(r#"{"to":"1","type":"image","image":{"link":"x","caption":"Hi"}}"#),
        record(READ),
        record(&READ.replace(":\"read\"", ":\"read\",\"typing_indicator\":{\"type\":\"text\"}")),
        text.replace("+16505551234", &format!("+{:0>1023}", 7)),
    ];
    assert_eq!(taken(&texts), [true; 17]);
}

#[test]
fn what_is_unusual_is_left_alone() {
    let text = record(TEXT);
    let texts = [
        text.replace("200", "400"),
        text.replace(r#""status":200"#, r#""status":null"#),
        text.replace(r#""contacts""#, r#""error":null,"contacts""#),
        text.replace(r#""contacts""#, r#""errors":[],"contacts""#),
        record(r#"{"status":"read"}"#),
        record(r#"{"to":"1","action":"connect"}"#),
        text.replace("wamid.A", ""),
        text.replace("\"100\"", "\"\""),
        text.replace("\"100\"", "\"100@lid\""),
        text.replace("\"9\"", "\"9@lid\""),
        text.replace("\"9\"", "\"16505551234\""),
        record(r#"{"to":"1650555","status":"read","message_id":"wamid.A"}"#)
            .replace("\"9\"", "\"1650555\""),
        text.replace(r#""time""#, r#""time":1,"time""#),
        text.replace("\"100\"", "\"16505551234\""),
        text.replace("\"9\"", "\"16505559999\"").replace("Hi", "+16505559999"),
        text.replace(r#""to""#, r#""category":"utility","to""#),
        text.replace(r#""to""#, r#""entry":[],"to""#),
        text.replace("00:02", "0:02"),
        text.replace("2026-11-08", "2026-11-09"),
        text.replace(r#""waba_id""#, r#""entry":null,"waba_id""#),
        text.replace(r#""waba_id""#, r#""messaging_product":"whatsapp","waba_id""#),
        text.replace("individual", "group"),
        text.replace("+16505551234", "1@g.us"),
        text.replace("+16505551234", "++1650"),
        text.replace(r#""to""#, r#""recipient":"+1650","to""#),
        text.replace(r#""body":"Hi""#, r#""chars":7"#),
        text.replace(r#""type":"text""#, r#""type":"image""#),
        format!("[{text}]"),
        text[..text.len() - 1].to_owned(),
        format!("{text}x"),
        TEXT.to_owned(),
        text.replace("+16505551234", &format!("+{:0>1024}", 7)),
    ];
    assert_eq!(taken(&texts), [false; 32]);
}
