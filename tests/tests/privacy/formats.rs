//! The same canaries in every other format: each provider's events and forms, events (CloudEvents)
//! and requests around them, and protobuf.

#[path = "../../../crates/codec/tests/codec/encoders/mod.rs"]
mod encoders;

use serde_json::{Value, json};
use turnwise_codec::Format;
use turnwise_codec::encode::{self, Event, IdentityChange, Message, Person, Status, Text, What};
use turnwise_model::{
    Category, Direction, InteractiveType, MessageKind, Millis, Origin, Status as StatusCode,
};

use super::records::Canaries;
use encoders::{ENCODERS, carried};

/// Somewhat before any clock's now.
const TIME: Millis = Millis(1_794_000_000_000);

/// What is written of some events.
pub struct Written {
    /// Lines that can all be read.
    pub good: Vec<Vec<u8>>,
    /// Parts of them, bytes that are no text in their midst, and what others write alike.
    pub damaged: Vec<Vec<u8>>,
    /// Records of protobuf, each behind its length, whole and cut.
    pub protobuf: Vec<u8>,
}

fn event(c: &mut Canaries, nth: usize, what: What) -> Event {
    let (phone, user_id) = (c.phone(), c.user());
    let peer = match nth % 3 {
        0 => Person { phone, user_id },
        1 => Person { phone, user_id: String::new() },
        _ => Person { phone: String::new(), user_id },
    };
    let (waba_id, phone_number_id) = ("900".to_owned(), "15550001".to_owned());
    Event { waba_id, phone_number_id, time: Some(TIME), peer, what }
}

fn events(c: &mut Canaries) -> Vec<Event> {
    let ways = [
        (Origin::Live, Direction::Inbound),
        (Origin::Live, Direction::Outbound),
        (Origin::App, Direction::Outbound),
        (Origin::History, Direction::Inbound),
    ];
    let kinds = [
        (MessageKind::Text, None),
        (MessageKind::Image, None),
        (MessageKind::Audio, None),
        (MessageKind::Button, None),
        (MessageKind::Interactive, Some(InteractiveType::ButtonReply)),
        (MessageKind::System, None),
    ];
    let mut events = Vec::new();
    for (origin, direction) in ways {
        for (kind, interactive) in kinds {
            let is_system = kind == MessageKind::System && direction == Direction::Inbound;
            let now = Person { phone: c.phone(), user_id: c.user() };
            let text = if kind == MessageKind::System { Text::None } else { Text::Body(c.text()) };
            let message = Message {
                id: c.wamid(),
                origin,
                direction,
                kind,
                interactive,
                text,
                voice: kind == MessageKind::Audio,
                in_group: false,
                is_reply: true,
                has_referral: direction == Direction::Inbound,
                change: is_system.then_some(IdentityChange { event: "user_changed_number", now }),
            };
            events.push(event(c, events.len(), What::Message(message)));
        }
    }
    for status in [StatusCode::Sent, StatusCode::Delivered, StatusCode::Read, StatusCode::Failed] {
        let status = Status {
            message_id: c.wamid(),
            origin: Origin::Live,
            status,
            in_group: false,
            category: Some(Category::Service),
            conversation_origin: None,
            pricing_type: None,
            pricing_model: None,
            error_code: (status == StatusCode::Failed).then_some(131_047),
        };
        events.push(event(c, events.len(), What::Status(status)));
    }
    events
}

/// A payload as a part of JSON: as it is, or a text.
fn part(bytes: &[u8]) -> Value {
    let text = || Value::String(String::from_utf8_lossy(bytes).into_owned());
    serde_json::from_slice(bytes).unwrap_or_else(|_| text())
}

/// An event around a payload, and requests around it as a value and as a text.
fn around(c: &mut Canaries, bytes: &[u8]) -> [Value; 3] {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let headers = json!({"authorization": c.word(), "x-forwarded-for": c.word()});
    [
        json!({"specversion": "1.0", "id": c.word(), "source": format!("/{}", c.word()),
            "type": "x", "subject": c.text(), "data": part(bytes)}),
        json!({"headers": headers, "query": {"q": c.text()}, "body": part(bytes)}),
        json!({"headers": headers, "requestContext": {"identity": {"sourceIp": c.word()}},
            "body": text}),
    ]
}

/// What looks like a provider's event and is not, or is not what it looks like: with a person where
/// the business's number would stand, and texts that are events.
fn alike(c: &mut Canaries) -> Vec<Value> {
    let forged = |c: &mut Canaries| {
        let message = json!({"from": c.phone(), "id": c.wamid(), "timestamp": "1794000000",
            "type": "text", "text": {"body": c.text()}});
        json!({"entry": [{"id": c.word(), "changes": [{"field": "messages", "value":
            {"metadata": {"phone_number_id": c.phone()}, "messages": [message]}}]}]})
        .to_string()
    };
    let stamp = "2026-11-06T21:20:00.000+0000";
    // A text that somebody wrote, as reports of Gupshup's gateway would be.
    let reports = |c: &mut Canaries| {
        json!([{"externalId": c.word(), "eventType": c.word(), "eventTs": 1_794_000_000_000_i64,
            "destAddr": c.phone(), "srcAddr": c.text()}])
    };
    vec![
        json!({"id": c.word(), "event": "message.created", "data": {"id": c.wamid(),
            "from": c.phone(), "text": c.text()}}),
        json!({"id": c.word(), "event": "messages", "data": {"id": c.wamid(), "from": c.phone(),
            "type": "text", "text": c.text()}}),
        json!([{"MessageId": c.word(), "From": c.phone(), "To": "15550001", "Type": "TEXT",
            "Message": forged(c), "Timestamp": 1_794_000_000_000_i64}]),
        json!({"headers": c.text(), "body": forged(c)}),
        json!({"headers": {}, "Body": forged(c), "Message": forged(c), "data": forged(c)}),
        json!({"results": [{"messageId": c.word(), "from": c.phone(), "to": "15550001",
            "sentAt": stamp, "seenAt": stamp}, {"messageId": c.word(), "from": "15550001",
            "to": c.phone(), "sentAt": stamp, "seenAt": stamp}, {"channel": "WHATSAPP",
            "sender": "15550001", "destination": c.phone(), "messageId": c.word(),
            "sentAt": stamp, "doneAt": stamp, "status": {"groupName": "DELIVERED"},
            "content": [{"type": "TEXT", "text": c.text()}]}, {"channel": "WHATSAPP",
            "sender": "15550001", "destination": c.phone(), "sentAt": stamp,
            "content": [{"type": "TEXT", "text": c.text()}]}]}),
        json!({"results": [{"messageId": c.word(), "to": c.phone(), "deletedAt": stamp}]}),
        json!({"results": [{"id": 1, "from": c.phone(), "to": "15550001", "sentAt": stamp,
            "status": "received", "text": c.text()}]}),
        json!({"results": [{"messageId": c.word(), "from": "15550001", "to": c.phone(),
            "receivedAt": stamp, "message": {"text": c.text()}}]}),
        json!({"message_uuid": c.word(), "from": c.phone(), "to": "15550001",
            "channel": "whatsapp", "status": "received", "message_type": "text",
            "text": c.text(), "timestamp": "2026-11-06T21:20:00Z"}),
        json!({"response": forged(c)}),
        json!({"response": reports(c).to_string()}),
        json!({"data": {"response": reports(c).to_string()}}),
        json!({"headers": {}, "body": {"response": reports(c).to_string()}}),
        json!({"response": reports(c)}),
        json!({"externalId": c.word(), "deliveredTS": 1_794_000_000_000_i64, "status": c.word(),
            "phoneNo": c.phone(), "mask": c.text()}),
        json!({"waNumber": c.text(), "mobile": c.phone(), "type": "text", "text": c.text(),
            "timestamp": "1794000000000", "messageId": c.word()}),
        json!({"raw": forged(c), "metaData": forged(c), "request": {"body": forged(c)}}),
        json!({"content": {"type": "text", "text": c.text()}, "createdAt": stamp,
            "from": c.phone()}),
        json!({"message_uuid": c.word(), "from": "15550001", "to": c.phone(),
            "channel": "whatsapp", "message_type": "text", "text": c.text(),
            "timestamp": "2026-11-06T21:20:00Z"}),
        json!({"wabaId": "900", "from": c.phone(), "to": "15550001", "status": "received",
            "sendTime": stamp, "type": "text", "text": {"body": c.text()}}),
        json!({"phone_number_id": "100", "conversation": {"id": c.word()}, "messages":
            [{"from": c.phone(), "id": c.wamid(), "timestamp": "1794000000", "type": "text",
            "text": {"body": c.text()}}]}),
    ]
}

/// Events of all kinds, in all formats that carry them.
pub fn written(c: &mut Canaries) -> Written {
    let events = events(c);
    let mut good = Vec::new();
    for (format, encoder) in ENCODERS {
        let of_format = events.iter().filter_map(|event| encoder(&carried(*format, event)?));
        let of_format: Vec<Vec<u8>> = of_format.collect();
        assert!(!of_format.is_empty(), "{format}");
        for bytes in of_format {
            let wrapped = around(c, &bytes);
            // Events do not lie in events.
            let first = usize::from(*format == Format::TwilioEvents);
            good.extend(wrapped[first..].iter().map(|value| value.to_string().into_bytes()));
            good.push(bytes);
        }
    }
    let mut damaged = Vec::new();
    for (nth, line) in good.iter().enumerate() {
        for cut in [line.len() / 3, line.len() / 2, line.len() - 1 - nth % 7] {
            damaged.push(line[..cut].to_vec());
            damaged.push([&line[..cut], b"\xff", &line[cut + 1..]].concat());
        }
    }
    damaged.extend(alike(c).iter().map(|value| value.to_string().into_bytes()));
    damaged.retain(|line| !line.contains(&b'\n'));
    let mut protobuf = Vec::new();
    for event in &events {
        let record = encode::protobuf(std::slice::from_ref(event));
        for part in [&record[..], &record[..record.len() - 3], &record[..record.len() / 2]] {
            put_length(&mut protobuf, part.len());
            protobuf.extend_from_slice(part);
        }
    }
    Written { good, damaged, protobuf }
}

/// A length as a varint.
fn put_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push((length & 0x7F) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}
