//! The stream as a whole: the same from the same plan, in order, readable, bounded, of the size
//! and with the faults that were asked for.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use turnwise_model::time::HOUR_MS;
use turnwise_traffic::{Plan, Rates, Record, Topic, Traffic};

/// What the records of a plan hold.
#[derive(Default)]
struct Seen {
    records: u64,
    malformed: u64,
    messages: HashSet<String>,
    message_copies: u64,
    statuses: u64,
    history: u64,
    standby: u64,
    user_id_only: u64,
    inbound: u64,
    failed: u64,
    reads: u64,
    bundled: u64,
    fields: HashSet<String>,
    kinds: HashSet<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

fn seconds(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).expect("a timestamp")
}

impl Seen {
    fn record(&mut self, record: &Record, plan: &Plan) {
        self.records += 1;
        assert!(record.time < plan.end && record.time >= plan.start());
        if record.malformed {
            self.malformed += 1;
            return;
        }
        let value: Value = serde_json::from_slice(&record.value).expect("readable");
        match record.topic {
            Topic::Sends => self.send(&value),
            Topic::Webhooks => self.webhook(&value, record, plan),
        }
    }

    fn message(&mut self, id: String) {
        assert!(id.starts_with("wamid."));
        self.message_copies += 1;
        self.messages.insert(id);
    }

    fn send(&mut self, value: &Value) {
        assert_eq!(value["status"], 200);
        if value["request"]["status"] == "read" {
            self.reads += 1;
            return;
        }
        self.kinds.insert(format!("send {}", text(&value["request"]["type"])));
        assert!(value["request"]["to"].is_string() != value["request"]["recipient"].is_string());
        self.message(text(&value["response"]["messages"][0]["id"]));
    }

    fn webhook(&mut self, value: &Value, record: &Record, plan: &Plan) {
        let changes: usize =
            items(value, "entry").map(|entry| items(entry, "changes").count()).sum();
        assert!(changes >= 1);
        self.bundled += u64::from(changes > 1);
        for change in items(value, "entry").flat_map(|entry| items(entry, "changes")) {
            self.fields.insert(text(&change["field"]));
            let value = &change["value"];
            for message in items(value, "messages") {
                self.inbound += 1;
                self.user_id_only += u64::from(message["from"].is_null());
                let at = seconds(&message["timestamp"]) * 1_000;
                assert!(at <= record.time.0 && at >= plan.start().0 - 1_000);
                self.kinds.insert(text(&message["type"]));
                self.message(text(&message["id"]));
            }
            for echo in items(value, "message_echoes") {
                self.message(text(&echo["id"]));
            }
            for copy in
                ["messages", "message_echoes"].iter().flat_map(|k| items(&value["standby"], k))
            {
                self.standby += 1;
                self.message(text(&copy["id"]));
            }
            for status in items(value, "statuses") {
                self.statuses += 1;
                self.failed += u64::from(status["status"] == "failed");
                assert!(seconds(&status["timestamp"]) * 1_000 <= record.time.0);
            }
            self.history += items(value, "history").count() as u64;
        }
    }
}

fn seen(plan: &Plan) -> Seen {
    let mut seen = Seen::default();
    for record in Traffic::new(plan.clone()) {
        seen.record(&record, plan);
    }
    seen
}

#[test]
fn same_plan_gives_the_same_bytes_however_it_is_taken() {
    let plan = Plan::new(11, 6_000);
    let whole: Vec<Record> = Traffic::new(plan.clone()).collect();
    let mut pieces = Vec::new();
    let mut traffic = Traffic::new(plan.clone());
    for size in [1, 7, 500, usize::MAX] {
        pieces.extend(traffic.by_ref().take(size));
    }
    assert!(whole == pieces);
    let other: Vec<Record> = Traffic::new(Plan { seed: 12, ..plan }).take(100).collect();
    assert!(whole[..100] != other[..]);
}

#[test]
fn records_come_in_order_of_their_times() {
    let mut before = i64::MIN;
    for record in Traffic::new(Plan::new(5, 30_000)) {
        assert!(record.time.0 >= before);
        before = record.time.0;
    }
}

#[test]
fn messages_are_as_many_as_planned() {
    for (messages, senders) in [(1_000, None), (40_000, None), (3_000, Some(400)), (5, Some(3))] {
        let plan = Plan { senders, ..Plan::new(messages + 1, messages) };
        let seen = seen(&plan);
        let found = seen.messages.len() as f64;
        let off = (found - messages as f64).abs();
        assert!(off <= messages as f64 * 0.01, "{found} for {messages}");
    }
}

#[test]
fn faults_come_at_their_rates() {
    let plan = Plan::new(2, 120_000);
    let seen = seen(&plan);
    let near = |part: u64, whole: u64, rate: f64, name: &str| {
        let share = part as f64 / whole as f64;
        assert!(share > rate * 0.6 && share < rate * 1.5, "{name}: {share} for {rate}");
    };
    near(seen.malformed, seen.records, plan.rates.malformed, "malformed");
    near(seen.user_id_only, seen.inbound, plan.rates.user_id_only, "user id only");
    let copies = seen.message_copies - seen.messages.len() as u64;
    near(copies, seen.message_copies, plan.rates.duplicates * 0.75, "duplicates");
    assert!(seen.failed > 100 && seen.statuses > 100_000 && seen.reads > 1_000);
    assert!(seen.history > 10 && seen.standby > 50 && seen.bundled > 1_000);
    for field in [
        "messages",
        "smb_message_echoes",
        "standby",
        "messaging_handovers",
        "history",
        "account_update",
        "account_alerts",
        "phone_number_quality_update",
        "user_preferences",
        "smb_app_state_sync",
        "message_template_status_update",
    ] {
        assert!(seen.fields.contains(field), "{field}");
    }
    for kind in [
        "text",
        "image",
        "audio",
        "document",
        "sticker",
        "location",
        "interactive",
        "button",
        "reaction",
        "send text",
        "send template",
        "send interactive",
    ] {
        assert!(seen.kinds.contains(kind), "{kind}");
    }
}

#[test]
fn without_faults_each_message_comes_once_and_nothing_is_malformed() {
    let plan = Plan { rates: Rates::none(), ..Plan::new(3, 20_000) };
    let seen = seen(&plan);
    assert_eq!(seen.message_copies, 20_000);
    assert_eq!((seen.malformed, seen.bundled, seen.failed, seen.history), (0, 0, 0, 0));
}

#[test]
fn every_sender_of_the_default_plan_has_sixty_peers_in_the_last_week() {
    let plan = Plan { rates: Rates { malformed: 0.0, ..Rates::default() }, ..Plan::default() };
    let mut peers: HashMap<String, HashSet<String>> = HashMap::new();
    let week = plan.end.0 - 168 * HOUR_MS;
    let senders = plan.sender_count() as usize;
    for record in Traffic::new(plan).filter(|r| r.topic == Topic::Webhooks && r.time.0 >= week) {
        let value: Value = serde_json::from_slice(&record.value).expect("readable");
        for change in items(&value, "entry").flat_map(|entry| items(entry, "changes")) {
            let value = &change["value"];
            let sender = peers.entry(text(&value["metadata"]["phone_number_id"])).or_default();
            for message in items(value, "messages") {
                sender.insert(text(&message["from"]) + &text(&message["from_user_id"]));
            }
        }
    }
    peers.remove("");
    assert_eq!(peers.len(), senders);
    let fewest = peers.iter().map(|(sender, of)| (of.len(), sender)).min();
    assert!(fewest.is_some_and(|(count, _)| count >= 60), "{fewest:?}");
}

#[test]
fn memory_is_bounded_whatever_the_size() {
    let mut held = [0, 0];
    for (place, messages) in [200_000, 800_000].into_iter().enumerate() {
        let mut traffic = Traffic::new(Plan::new(1, messages));
        while traffic.next().is_some() {
            held[place] = held[place].max(traffic.held());
        }
        assert_eq!(traffic.messages_planned(), messages);
        assert_eq!(traffic.held(), 0);
        assert!(held[place] < 150_000, "{held:?}");
    }
}
