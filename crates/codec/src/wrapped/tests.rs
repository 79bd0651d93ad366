mod entry;
mod originals;

use base64::Engine as _;
use turnwise_model::EventKind;

use crate::testing::{Row, columns, decode, decode_by_meaning, kinds};
use crate::{Format, RecordCounts};

const WEBHOOK: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"9","changes":[{"field":"messages","value":{"metadata":{"display_phone_number":"15550783881","phone_number_id":"100"},"contacts":[{"wa_id":"16505551234","user_id":"US.7"}],"messages":[{"from":"16505551234","id":"wamid.A","timestamp":"1794096147","type":"text","text":{"body":"What's \"that\"?"}}]}}]}]}"#;
const FORM: &str = "MessageSid=SM1&AccountSid=AC1&From=whatsapp%3A%2B16505551234&To=whatsapp%3A%2B15550783881&Body=hi&SmsStatus=received";

/// What no row may show.
const SECRETS: [&str; 2] = ["CANARY", "16505551234"];

/// The rows of a record whose content tells its format, by either way.
fn run(record: &str) -> (RecordCounts, Vec<Row>) {
    let told = decode(Format::Auto, record);
    assert_eq!(told, decode_by_meaning(Format::Auto, record), "{record}");
    for secret in SECRETS {
        assert!(!format!("{told:?}").contains(secret), "{record}");
    }
    told
}

/// A JSON string of a text.
fn text(inner: &str) -> String {
    serde_json::to_string(inner).expect("writes")
}

fn base64(inner: &str) -> String {
    text(&base64::engine::general_purpose::STANDARD.encode(inner))
}

#[test]
fn webhooks_are_taken_out_of_what_brought_them() {
    let plain = decode(Format::CloudApi, WEBHOOK);
    assert_eq!(plain.0.messages, 1);
    let change = r#"{"id":"9","changes":["#;
    let entry = &WEBHOOK[WEBHOOK.find(change).expect("an entry")..WEBHOOK.len() - "]}".len()];
    let [webhook, encoded] = [text(WEBHOOK), base64(WEBHOOK)];
    let sns = format!(
        r#"{{"Type":"Notification","MessageId":"m","TopicArn":"arn:x","Message":{webhook},"Timestamp":"2026-11-08T00:02:27Z"}}"#
    );
    for wrapper in [
        // What work flows and gateways write down of a request.
        format!(
            r#"[{{"headers":{{"x":"CANARY"}},"params":{{}},"query":{{"q":"CANARY"}},"body":{WEBHOOK}}}]"#
        ),
        format!(r#"[{{"json":{{"headers":{{"x":"CANARY"}},"body":{WEBHOOK}}}}}]"#),
        format!(r#"{{"query_params":[],"body_params":{WEBHOOK}}}"#),
        format!(
            r#"{{"version":"2.0","headers":{{"x":"CANARY"}},"requestContext":{{}},"body":{webhook},"isBase64Encoded":false}}"#
        ),
        format!(r#"{{"httpMethod":"POST","body":{encoded},"isBase64Encoded":true}}"#),
        format!(r#"{{"event":{{"body":{WEBHOOK},"headers":{{}}}}}}"#),
        // Queues and topics.
        sns.clone(),
        format!(
            r#"{{"Records":[{{"messageId":"m","receiptHandle":"CANARY","body":{webhook},"eventSource":"aws:sqs"}}]}}"#
        ),
        format!(r#"{{"Records":[{{"messageId":"m","receiptHandle":"r","body":{}}}]}}"#, text(&sns)),
        format!(r#"{{"Records":[{{"EventSource":"aws:sns","Sns":{sns}}}]}}"#),
        format!(
            r#"{{"Records":[{{"eventSource":"aws:kinesis","kinesis":{{"partitionKey":"CANARY","sequenceNumber":"1","data":{encoded}}}}}]}}"#
        ),
        format!(
            r#"{{"message":{{"data":{encoded},"messageId":"1","publishTime":"2026-11-08T00:02:27Z"}},"subscription":"projects/x"}}"#
        ),
        format!(r#"{{"version":"0","detail-type":"x","source":"y","detail":{WEBHOOK}}}"#),
        // The same as their own clients get them.
        format!(
            r#"{{"receivedMessages":[{{"ackId":"CANARY","message":{{"data":{encoded},"messageId":"1","publishTime":"2026-11-08T00:02:27Z"}}}}]}}"#
        ),
        format!(
            r#"[{{"ackId":"a","message":{{"data":{encoded},"messageId":"1","publishTime":"2026-11-08T00:02:27Z"}}}}]"#
        ),
        format!(
            r#"{{"message":{{"data":{encoded},"messageId":"1"}},"subscription":"projects/p/subscriptions/s"}}"#
        ),
        format!(
            r#"{{"invocationId":"i","deliveryStreamArn":"a","records":[{{"recordId":"1","approximateArrivalTimestamp":1794096147000,"data":{encoded}}}]}}"#
        ),
        format!(
            r#"{{"Records":[{{"SequenceNumber":"1","ApproximateArrivalTimestamp":1794096147.5,"Data":{encoded},"PartitionKey":"CANARY"}}]}}"#
        ),
        format!(
            r#"{{"requestId":"CANARY","timestamp":1794096147000,"records":[{{"data":{encoded}}}]}}"#
        ),
        // Topics and requests that were written down.
        format!(r#"{{"topic":"x","partition":0,"offset":1,"key":"CANARY","value":{WEBHOOK}}}"#),
        format!(r#"{{"records":[{{"key":"CANARY","value":{WEBHOOK}}}]}}"#),
        format!(
            r#"{{"topic":"x","offset":1,"value":{{"specversion":"1.0","type":"x","data":{WEBHOOK}}}}}"#
        ),
        format!(r#"{{"message":{WEBHOOK}}}"#),
        format!(r#"{{"raw":{WEBHOOK}}}"#),
        format!(r#"{{"id":"1","raw_payload":{WEBHOOK}}}"#),
        format!(r#"{{"request":{{"method":"POST","url":"CANARY","body":{WEBHOOK}}}}}"#),
        format!(r#"{{"request":{{"headers":{{}},"body":{webhook}}},"response":{{"status":200}}}}"#),
        format!(r#"{{"payload_type":"whatsapp_webhook","metaData":{WEBHOOK}}}"#),
        // Providers' words around the platform's webhook.
        format!(r#"{{"event":"message.received","data":{WEBHOOK}}}"#),
        format!(r#"{{"id":"1","event":"message.received","data":{WEBHOOK}}}"#),
        format!(r#"{{"event":"whatsapp.message.received","data":{WEBHOOK}}}"#),
        format!(r#"{{"event":"whatsapp.inbound","payload":{WEBHOOK}}}"#),
        format!(r#"{{"type":"whatsapp.message","data":{WEBHOOK}}}"#),
        format!(r#"{{"eventType":"inbound","payload":{WEBHOOK}}}"#),
        format!(r#"{{"event":"x","data":[{WEBHOOK}]}}"#),
        // Written as a text.
        webhook.clone(),
        // An entry of AWS.
        format!(
            r#"{{"context":{{"MetaWabaIds":[{{"wabaId":"9"}}],"MetaPhoneNumberIds":[{{"metaPhoneNumberId":"100"}}]}},"whatsAppWebhookEntry":{},"aws_account_id":"1"}}"#,
            text(entry)
        ),
        format!(r#"{{"whatsAppWebhookEntry":{entry}}}"#),
        // Around an event and in one.
        format!(r#"{{"specversion":"1.0","type":"x","data":{{"headers":{{}},"body":{webhook}}}}}"#),
        format!(r#"{{"headers":{{}},"body":{{"specversion":"1.0","type":"x","data":{webhook}}}}}"#),
    ] {
        assert_eq!(run(&wrapper), plain, "{wrapper}");
    }
}

#[test]
fn change_alone_is_taken_out_of_what_brought_it() {
    let plain = decode(Format::CloudApi, WEBHOOK);
    let change = r#"{"field":"messages""#;
    let change = &WEBHOOK[WEBHOOK.find(change).expect("a change")..WEBHOOK.len() - "]}]}".len()];
    let without_field = change.replace(r#""field":"messages","#, "");
    for change in [change, &without_field] {
        for wrapper in [
            format!(r#"[{{"headers":{{}},"body":{change}}}]"#),
            format!(r#"{{"event":"x","data":[{change}]}}"#),
            format!(r#"{{"receiptHandle":"r","body":{}}}"#, text(change)),
        ] {
            let (counts, rows) = run(&wrapper);
            assert_eq!(counts, plain.0, "{wrapper}");
            assert_eq!(columns(&rows[0], "sender chars"), columns(&plain.1[0], "sender chars"));
        }
    }
    let account =
        r#"{"headers":{},"body":{"field":"account_update","value":{"event":"DISABLED_UPDATE"}}}"#;
    assert_eq!(columns(&run(account).1[0], "field event"), "account_update DISABLED_UPDATE");
    // Others have fields and values, too.
    for other in [r#""status","value":{"x":"CANARY"}"#, r#""messages","value":"CANARY""#] {
        let (_, rows) = run(&format!(r#"{{"headers":{{}},"body":{{"field":{other}}}}}"#));
        assert_eq!(rows[0].get("reason"), "unknown_shape", "{other}");
    }
}

#[test]
fn all_that_a_wrapper_holds_is_taken() {
    let plain = decode(Format::CloudApi, WEBHOOK);
    let other = WEBHOOK.replace("wamid.A", "wamid.B");
    for wrapper in [
        format!(r#"{{"headers":{{}},"event":{{"x":1}},"body":{WEBHOOK},"payload":{other}}}"#),
        format!(r#"{{"headers":{{}},"payload":{other},"body":{}}}"#, text(WEBHOOK)),
        format!(r#"{{"Records":[{{"eventSource":"aws:sqs","body":{WEBHOOK},"json":{other}}}]}}"#),
    ] {
        let (counts, rows) = run(&wrapper);
        assert_eq!((counts.messages, counts.total()), (2, 2), "{wrapper}");
        assert_eq!(rows[0].get("message"), plain.1[0].get("message"), "{wrapper}");
        assert_ne!(rows[0].get("message"), rows[1].get("message"), "{wrapper}");
    }
    let bad = format!(r#"{{"headers":{{}},"body":"{{","event":{WEBHOOK}}}"#);
    let (_, rows) = run(&bad);
    assert_eq!(kinds(&rows), ["dead_letter", "message"]);
    assert_eq!(rows[0].get("detail"), "body: expected JSON, found an error at byte 1");
}

#[test]
fn who_has_messages_of_its_own_keeps_them() {
    let (_, plain) = decode(Format::CloudApi, WEBHOOK);
    let value = WEBHOOK.find(r#"{"metadata""#).expect("a value");
    let value = &WEBHOOK[value..WEBHOOK.len() - "}}]}]}".len()];
    let item = WEBHOOK.find(r#"{"from""#).expect("a message");
    let item = &WEBHOOK[item..WEBHOOK.len() - "}]}}]}]}".len()];
    let of_number = format!(r#"{item},"phone_number_id":"100""#);
    for kept in [
        r#""raw":{"message_uuid":"u","channel":"CANARY"}"#,
        r#""raw":{"app":"a","type":"message","payload":{"x":"CANARY"}}"#,
        r#""raw":{"entry":"CANARY"}"#,
        r#""metaData":{"request":"CANARY"}"#,
        r#""records":[{"request":"CANARY"}]"#,
        &format!(r#""raw":{WEBHOOK}"#),
        &format!(r#""raw_payload":{WEBHOOK}"#),
        &format!(r#""records":[{{"value":{WEBHOOK}}}]"#),
    ] {
        for own in [value, &of_number] {
            let (counts, rows) = run(&format!("{own},{kept}}}"));
            assert_eq!((counts.messages, counts.total()), (1, 1), "{own} {kept}");
            for name in ["sender", "message", "peer_phone", "chars"] {
                assert_eq!(rows[0].get(name), plain[0].get(name), "{own} {kept}");
            }
        }
        // A message of nobody gives way to a whole webhook.
        let (counts, _) = run(&format!("{item},{kept}}}"));
        assert_eq!(counts.total(), 1, "{kept}");
        assert_eq!(counts.messages == 1, kept.contains("wamid"), "{kept}");
    }
}

#[test]
fn topic_that_was_written_down_may_hold_sends() {
    let send = r#"{"time":"2026-11-08T00:02:27Z","phone_number_id":"100","status":200,"request":{"to":"16505551234","type":"text","text":{"body":"CANARY"}},"response":{"messages":[{"id":"wamid.B"}]}}"#;
    let (_, plain) = decode(Format::Send, send);
    let (_, rows) = run(&format!(r#"{{"topic":"s","partition":0,"offset":1,"value":{send}}}"#));
    assert_eq!(rows, plain);
    // A list of any that are known.
    let dump = |list: &str| format!(r#"{{"topic":"s","partition":0,"offset":1,"value":[{list}]}}"#);
    let (_, rows) = run(&dump(send));
    assert_eq!(rows, plain);
    let value = WEBHOOK.find(r#"{"metadata""#).expect("a value");
    let value = &WEBHOOK[value..WEBHOOK.len() - "}]}]}".len()];
    let (_, rows) = run(&dump(&format!("{send},{WEBHOOK},7,{value}")));
    assert_eq!(kinds(&rows), ["message", "message", "dead_letter", "message"]);
    assert_eq!(rows[2].get("detail"), "value[2]: expected object, found number");
    for unknown in ["", r#"{"text":"CANARY"}"#, r#""CANARY""#, &text(WEBHOOK)] {
        let (_, rows) = run(&dump(unknown));
        assert_eq!(
            columns(&rows[0], "reason detail"),
            "wrong_type value: expected object, found array",
            "{unknown}"
        );
    }
    for other in [
        format!(r#"{{"topic":"s","value":{send}}}"#),
        format!(r#"{{"topic":"s","value":[{send}]}}"#),
        format!(r#"{{"topic":"s","offset":1,"value":{}}}"#, text(send)),
    ] {
        let (counts, _) = run(&other);
        assert_eq!((counts.messages, counts.dead_letters), (0, 1), "{other}");
    }
}

#[test]
fn time_of_a_wrapper_is_that_of_what_has_none() {
    let form = text(FORM);
    for (wrapper, time) in [
        (
            format!(
                r#"{{"headers":{{}},"requestContext":{{"timeEpoch":1794096147000}},"body":{form}}}"#
            ),
            "1794096147000000",
        ),
        (
            format!(
                r#"{{"httpMethod":"POST","requestContext":{{"requestTimeEpoch":1794096147000}},"isBase64Encoded":true,"body":{}}}"#,
                base64(FORM)
            ),
            "1794096147000000",
        ),
        (
            format!(
                r#"{{"receiptHandle":"r","attributes":{{"SentTimestamp":"1794096147000"}},"body":{form}}}"#
            ),
            "1794096147000000",
        ),
        (
            format!(
                r#"{{"Messages":[{{"MessageId":"m","ReceiptHandle":"r","Body":{form},"Attributes":{{"SentTimestamp":"1794096147000"}}}}]}}"#
            ),
            "1794096147000000",
        ),
        (
            r#"{"version":"0","id":"i","detail-type":"t","source":"s","time":"2026-11-08T00:02:27Z","detail":{"MessageSid":"SM1","AccountSid":"AC1","From":"whatsapp:+16505551234","To":"whatsapp:+15550783881","Body":"hi","SmsStatus":"received"}}"#.to_owned(),
            "1794096147000000",
        ),
        (
            format!(
                r#"{{"message":{{"data":{},"messageId":"1","publishTime":"2026-11-08T00:02:27Z"}},"subscription":"projects/p/subscriptions/s"}}"#,
                base64(FORM)
            ),
            "1794096147000000",
        ),
        (
            format!(
                r#"{{"Records":[{{"SequenceNumber":"1","ApproximateArrivalTimestamp":1794096147.5,"Data":{},"PartitionKey":"p"}}]}}"#,
                base64(FORM)
            ),
            "1794096147500000",
        ),
        (
            r#"{"headers":{},"requestContext":{"timeEpoch":1794096147000},"body":{"field":"account_update","value":{"event":"DISABLED_UPDATE"}}}"#.to_owned(),
            "1794096147000000",
        ),
        // No time of an event: that of the record stands for it.
        (
            format!(
                r#"{{"receiptHandle":"r","attributes":{{"SentTimestamp":"5"}},"body":{form}}}"#
            ),
            "1794139200000000",
        ),
        (format!(r#"{{"headers":{{}},"body":{form}}}"#), "1794139200000000"),
        // Nor does anybody know what time this is.
        (
            format!(r#"{{"headers":{{}},"time":"2026-11-08T00:02:27Z","body":{form}}}"#),
            "1794139200000000",
        ),
    ] {
        let (_, rows) = run(&wrapper);
        assert_eq!(rows.len(), 1, "{wrapper}");
        let expected = match rows[0].kind {
            EventKind::Account => format!("- {time}"),
            _ => format!("15550783881 {time}"),
        };
        assert_eq!(columns(&rows[0], "sender time"), expected, "{wrapper}");
    }
}

#[test]
fn what_somebody_wrote_is_never_opened() {
    let webhook = text(WEBHOOK);
    for record in [
        format!(r#"{{"body":{webhook}}}"#),
        format!(r#"{{"id":"x","author":"1","body":{webhook}}}"#),
        format!(r#"{{"event":"message","data":{{"body":{webhook}}}}}"#),
        format!(r#"{{"message":{{"data":{}}}}}"#, base64(WEBHOOK)),
        format!("[{webhook}]"),
        // Keys of requests and queues stand in the events of others, too.
        format!(
            r#"[{{"MessageId":"1","From":"16505551234","To":"15550783881","Type":"TEXT","Message":{webhook},"Timestamp":1662104191973}}]"#
        ),
        r#"{"MessageId":"1","From":"16505551234","Type":"TEXT","Message":"[CANARY","Timestamp":1662104191973}"#.to_owned(),
        format!(r#"{{"headers":"CANARY","body":{webhook}}}"#),
        format!(r#"{{"headers":[{{"name":"Subject","value":"CANARY"}}],"body":{webhook}}}"#),
        format!(r#"{{"headers":{{}},"Body":{webhook},"Message":{webhook},"data":{webhook}}}"#),
        format!(r#"{{"headers":{{}},"event":{webhook},"record":{webhook},"payload":{webhook}}}"#),
        format!(r#"{{"httpMethod":"POST","Body":{webhook},"json":{webhook}}}"#),
        format!(r#"{{"TopicArn":"x","body":{webhook},"Body":{webhook}}}"#),
        format!(r#"{{"receiptHandle":"x","Message":{webhook},"Body":{webhook}}}"#),
        format!(r#"{{"ReceiptHandle":"x","Message":{webhook},"body":{webhook}}}"#),
        format!(r#"{{"query":"CANARY","body":{webhook}}}"#),
        format!(r#"{{"eventSource":"chat","body":{webhook}}}"#),
        format!(r#"{{"aws_account_id":"1","body":{webhook},"Message":{webhook}}}"#),
        format!(r#"{{"detail-type":"x","detail":{webhook}}}"#),
        format!(r#"{{"sequenceNumber":1,"publishTime":"x","body":{webhook}}}"#),
        format!(r#"{{"sequenceNumber":1,"data":{}}}"#, base64(WEBHOOK)),
        format!(r#"{{"publishTime":"x","data":{}}}"#, base64(WEBHOOK)),
        format!(r#"{{"isBase64Encoded":true,"Body":{0},"Message":{0}}}"#, base64(WEBHOOK)),
        format!(
            r#"{{"subscription":"gold","message":{{"data":{},"messageId":"1"}}}}"#,
            base64(WEBHOOK)
        ),
        format!(r#"{{"ackId":"1","message":{{"data":{},"messageId":"1"}}}}"#, base64(WEBHOOK)),
        format!(r#"{{"subscription":"projects/p","message":{webhook}}}"#),
        format!(r#"{{"recordId":"1","data":{}}}"#, base64(WEBHOOK)),
        format!(r#"{{"timestamp":1794096147000,"records":[{{"data":{}}}]}}"#, base64(WEBHOOK)),
        format!(
            r#"{{"requestId":"1","timestamp":1794096147000,"x":1,"records":[{{"data":{}}}]}}"#,
            base64(WEBHOOK)
        ),
        format!(
            r#"{{"requestId":"1","timestamp":1794096147000,"records":[{{"id":1,"data":{}}}]}}"#,
            base64(WEBHOOK)
        ),
        format!(r#"{{"SequenceNumber":"1","Data":{}}}"#, base64(WEBHOOK)),
        format!(r#"{{"request":{{"body":{webhook}}}}}"#),
        format!(r#"{{"headers":{{}},"raw":{webhook},"raw_payload":{webhook}}}"#),
        format!(r#"{{"headers":{{}},"metaData":{webhook},"Data":{webhook}}}"#),
        format!(r#"{{"records":[{webhook}],"receivedMessages":[{webhook}]}}"#),
    ] {
        let (counts, rows) = run(&record);
        assert_eq!((counts.messages, counts.total()), (0, 1), "{record}");
        assert_eq!(rows[0].get("reason"), "unknown_shape", "{record}");
    }
    // The text of a message is one, whatever it looks like.
    let nested = WEBHOOK.replace(r#""What's \"that\"?""#, &webhook);
    let (counts, rows) = run(&format!(r#"{{"headers":{{}},"body":{nested}}}"#));
    assert_eq!((counts.messages, counts.total()), (1, 1));
    assert_eq!(rows[0].get("chars"), WEBHOOK.len().to_string());
}

#[test]
fn events_of_somebody_else_are_dead_letters() {
    for event in [
        r#"{"event":"messages.upsert","instance":"i","data":{"key":{},"message":{"x":"CANARY"}}}"#,
        r#"{"event":"whatsapp.message.received","data":{"message":{"text":"CANARY"}}}"#,
        r#"{"type":"whatsapp.message","data":{"entry":null,"messages":[{"text":"CANARY"}]}}"#,
        r#"{"eventType":"inbound","payload":{"text":"CANARY"}}"#,
        r#"{"headers":{"x":"CANARY"},"body":{"text":"CANARY"}}"#,
        r#"{"headers":{"x":"CANARY"},"body":"{\"text\":\"CANARY\"}"}"#,
    ] {
        let (_, rows) = run(event);
        assert_eq!(rows.len(), 1, "{event}");
        assert_eq!(
            (rows[0].kind, rows[0].get("reason")),
            (EventKind::DeadLetter, "unknown_shape"),
            "{event}"
        );
    }
    let (_, rows) = run(r#"{"headers":{},"body":"{\"text\":"}"#);
    assert_eq!(
        columns(&rows[0], "reason detail"),
        "invalid_json body: expected JSON, found an error at byte 8"
    );
    let (_, rows) = run(r#"{"isBase64Encoded":true,"headers":{},"body":"CANARY %"}"#);
    assert_eq!(columns(&rows[0], "reason"), "invalid_base64");
}

#[test]
fn bad_record_of_a_queue_leaves_its_neighbours() {
    let record = |body: &str| format!(r#"{{"messageId":"m","receiptHandle":"r","body":{body}}}"#);
    let good = record(&text(WEBHOOK));
    let records = [good.clone(), record("\"{\""), "7".to_owned(), record("\"[]\""), good].join(",");
    let (_, rows) = run(&format!(r#"{{"Records":[{records}]}}"#));
    assert_eq!(kinds(&rows), ["message", "dead_letter", "dead_letter", "ignored", "message"]);
    assert_eq!(rows[1].get("detail"), "Records[1].body: expected JSON, found an error at byte 1");
    assert_eq!(rows[2].get("detail"), "Records[2]: expected object, found number");
    assert_eq!(rows[3].get("reason"), "empty");
}

#[test]
fn so_many_wrappers_are_opened_and_no_more() {
    let (mut values, mut texts) = (WEBHOOK.to_owned(), WEBHOOK.to_owned());
    for depth in 1..=6 {
        values = format!(r#"{{"headers":{{}},"body":{values}}}"#);
        texts = format!(r#"{{"headers":{{}},"body":{}}}"#, text(&texts));
        for wrapped in [&values, &texts] {
            let (counts, rows) = run(wrapped);
            let expected = u64::from(depth <= turnwise_model::limits::WRAPPERS_MAX);
            assert_eq!((counts.messages, counts.total()), (expected, 1), "{depth}");
            assert_eq!(rows[0].get("reason").is_empty(), expected == 1, "{rows:?}");
        }
    }
}

#[test]
fn setting_wins_over_what_a_wrapper_holds() {
    let wrapper = format!(r#"{{"headers":{{}},"body":{WEBHOOK}}}"#);
    for format in [Format::CloudApi, Format::Kapso, Format::Bird, Format::Send] {
        let (counts, _) = decode(format, &wrapper);
        assert_eq!((counts.messages, counts.dead_letters), (0, 1), "{format}");
    }
}

#[test]
fn lines_of_one_record_are_records_each() {
    let (_, plain) = decode(Format::CloudApi, WEBHOOK);
    let whole = format!("{WEBHOOK}\n\n{WEBHOOK}\r\n{{\"entry\":\n{{}}\n{WEBHOOK}\n");
    for format in [Format::Auto, Format::CloudApi] {
        let (_, rows) = decode(format, &whole);
        assert_eq!(kinds(&rows), ["message", "message", "dead_letter", "ignored", "message"]);
        let items: Vec<&str> = rows.iter().map(|row| row.get("item")).collect();
        assert_eq!(items, ["0", "1", "2", "3", "4"]);
        assert_eq!(
            columns(&rows[2], "reason detail"),
            "invalid_json [2]: expected JSON, found an error at byte 9"
        );
        assert_eq!(columns(&rows[4], "message chars"), columns(&plain[0], "message chars"));
    }
    for broken in
        [format!("{{\"entry\":\n{WEBHOOK}"), format!("{WEBHOOK}\nx"), format!("{WEBHOOK}{WEBHOOK}")]
    {
        let (_, rows) = run(&broken);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].get("reason"), "invalid_json", "{broken}");
    }
}

#[test]
fn who_has_none_but_empty_lists_is_opened() {
    let plain = decode(Format::CloudApi, WEBHOOK);
    let metadata = r#""metadata":{"phone_number_id":"100"}"#;
    let status = r#"{"id":"w","status":"read","timestamp":"1794096147"}"#;
    for kept in [
        format!(r#""raw":{WEBHOOK}"#),
        format!(r#""raw_payload":{WEBHOOK}"#),
        format!(r#""records":[{{"value":{WEBHOOK}}}]"#),
    ] {
        for lists in [
            r#""contacts":[]"#,
            r#""messages":[]"#,
            r#""messages":null,"statuses":[],"message_echoes":[],"history":[],"standby":[]"#,
        ] {
            assert_eq!(run(&format!("{{{metadata},{lists},{kept}}}")), plain, "{lists} {kept}");
        }
        let (_, rows) = run(&format!(r#"{{{metadata},"statuses":[{status}],{kept}}}"#));
        assert_eq!(kinds(&rows), ["status"], "{kept}");
    }
}
