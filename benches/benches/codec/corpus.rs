//! The records that all are measured on: generated traffic as webhooks, and the same messages and
//! statuses in our own protobuf.

use serde_json::Value;
use turnwise_codec::encode::{Event, Message, Person, Status, Text, What, protobuf};
use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Millis, Origin};
use turnwise_model::{PricingModel, PricingType, Status as StatusCode};
use turnwise_traffic::{Plan, Rates, Topic, Traffic};

/// Records of one wire format, behind each other as a fetch from a broker holds them.
#[derive(Clone, Default)]
pub struct Corpus {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Corpus {
    fn push(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(from, to)| &self.bytes[*from..*to])
    }

    /// Calls with each record, for parsers that write into it.
    pub fn for_each_mut(&mut self, mut then: impl FnMut(&mut [u8])) {
        let mut rest = &mut self.bytes[..];
        let mut from = 0;
        for end in &self.ends {
            let (record, behind) = rest.split_at_mut(end - from);
            then(record);
            (rest, from) = (behind, *end);
        }
    }
}

/// What is measured.
pub struct Corpora {
    pub webhooks: Corpus,
    pub sends: Corpus,
    pub protobuf: Corpus,
}

/// 2026-11-30, after all that is generated.
pub const NOW: Millis = Millis(1_796_000_000_000);

/// Records of about so many messages, of many senders, as they come.
pub fn generate(messages: u64) -> Corpora {
    let rates = Rates { malformed: 0.0, ..Rates::default() };
    let plan = Plan { rates, ..Plan::new(1_000, messages) };
    let (mut webhooks, mut sends) = (Corpus::default(), Corpus::default());
    let mut records = Corpus::default();
    for record in Traffic::new(plan) {
        let tree: Value = serde_json::from_slice(&record.value).expect("JSON");
        let events = match record.topic {
            Topic::Webhooks => webhook(&tree),
            Topic::Sends => send(&tree).into_iter().collect(),
        };
        if !events.is_empty() {
            records.push(&protobuf(&events));
        }
        match record.topic {
            Topic::Webhooks => webhooks.push(&record.value),
            Topic::Sends => sends.push(&record.value),
        }
    }
    Corpora { webhooks, sends, protobuf: records }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn seconds(value: &Value) -> Option<Millis> {
    text(value).parse::<i64>().ok().map(|seconds| Millis(seconds * 1_000))
}

/// Messages and statuses of a webhook; the little else is left out.
fn webhook(tree: &Value) -> Vec<Event> {
    let mut events = Vec::new();
    for entry in list(tree, "entry") {
        for change in list(entry, "changes") {
            let value = &change["value"];
            let event = |time: &Value, peer, what| Event {
                waba_id: text(&entry["id"]),
                phone_number_id: text(&value["metadata"]["phone_number_id"]),
                time: seconds(time),
                peer,
                what,
            };
            for item in list(value, "messages") {
                let contact = &value["contacts"][0];
                let peer =
                    Person { phone: text(&item["from"]), user_id: text(&contact["user_id"]) };
                let what = What::Message(message(item, Direction::Inbound, Origin::Live));
                events.push(event(&item["timestamp"], peer, what));
            }
            for item in list(value, "message_echoes") {
                let peer = Person { phone: text(&item["to"]), user_id: text(&item["to_user_id"]) };
                let what = What::Message(message(item, Direction::Outbound, Origin::App));
                events.push(event(&item["timestamp"], peer, what));
            }
            for item in list(value, "statuses") {
                let peer = Person {
                    phone: text(&item["recipient_id"]),
                    user_id: text(&item["recipient_user_id"]),
                };
                events.push(event(&item["timestamp"], peer, What::Status(status(item))));
            }
        }
    }
    events
}

fn send(tree: &Value) -> Option<Event> {
    let (request, contact) = (&tree["request"], &tree["response"]["contacts"][0]);
    request.get("type")?;
    let mut message = message(request, Direction::Outbound, Origin::Live);
    message.id = text(&tree["response"]["messages"][0]["id"]);
    Some(Event {
        waba_id: text(&tree["waba_id"]),
        phone_number_id: text(&tree["phone_number_id"]),
        time: Some(NOW),
        peer: Person { phone: text(&contact["wa_id"]), user_id: text(&contact["user_id"]) },
        what: What::Message(message),
    })
}

fn message(item: &Value, direction: Direction, origin: Origin) -> Message {
    let name = text(&item["type"]);
    let kind = MessageKind::from_name(&name).unwrap_or(MessageKind::Unknown);
    let body = &item[name.as_str()];
    let inner = text(&body["type"]);
    let texts = [&body["body"], &body["caption"], &body["text"], &body["body"]["text"]];
    let title = &body[inner.as_str()]["title"];
    let written = texts.into_iter().chain([title]).find_map(Value::as_str);
    Message {
        id: text(&item["id"]),
        origin,
        direction,
        kind,
        interactive: InteractiveType::from_name(&inner),
        text: written.map_or(Text::None, |written| Text::Body(written.to_owned())),
        voice: body["voice"].as_bool().unwrap_or(false),
        in_group: false,
        is_reply: item.get("context").is_some(),
        has_referral: item.get("referral").is_some(),
        change: None,
    }
}

fn status(item: &Value) -> Status {
    let pricing = |key: &str| text(&item["pricing"][key]);
    Status {
        message_id: text(&item["id"]),
        origin: Origin::Live,
        status: StatusCode::from_name(&text(&item["status"])).unwrap_or(StatusCode::Other),
        in_group: false,
        category: Category::from_name(&pricing("category")),
        conversation_origin: Category::from_name(&text(&item["conversation"]["origin"]["type"])),
        pricing_type: PricingType::from_name(&pricing("type")),
        pricing_model: PricingModel::from_name(&pricing("pricing_model")),
        error_code: item["errors"][0]["code"].as_i64(),
    }
}
