//! `turnwise dead-letters` against a real Kafka: letters are listed, shown to no pipe, and those
//! that can be read by now are added once.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use turnwise_kafka::{Admin, Producer};
use turnwise_model::Millis;
use turnwise_tests::lake::Events;
use turnwise_tests::place::wait_until;
use turnwise_tests::process::Process;
use xtask::kafka::{Broker, BrokerOptions};

const TOPIC: &str = "mixed";
const WITHIN: Duration = Duration::from_secs(60);
const TIME: Millis = Millis(1_794_139_200_000);

/// A send record, which no topic of webhooks can hold.
const SEND: &str = r#"{"time":1794139100000,"phone_number_id":"100000000000007","status":200,
 "request":{"messaging_product":"whatsapp","to":"15550001111","type":"text","text":{"body":"Your order is on its way"}},
 "response":{"messages":[{"id":"wamid.one"}]}}"#;
/// Two messages, one of them without a time.
const HALF: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"9","changes":[{"field":"messages",
 "value":{"metadata":{"phone_number_id":"100000000000007"},"messages":[
 {"from":"15550001111","id":"wamid.two","type":"text","text":{"body":"Hello"}},
 {"from":"15550001111","id":"wamid.three","timestamp":"1794139000","type":"text","text":{"body":"Hello"}}]}}]}]}"#;

struct Place {
    broker: Broker,
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Option<Self> {
        let program = PathBuf::from(std::env::var_os("TURNWISE_BIN")?);
        std::env::var_os("TURNWISE_KAFKA_HOME")?;
        let properties = vec![("log.retention.ms".to_owned(), "-1".to_owned())];
        let broker = Broker::start(BrokerOptions { properties, ..BrokerOptions::default() });
        let place = Self {
            broker: broker.expect("start Kafka"),
            program,
            folder: tempfile::tempdir().expect("folder"),
        };
        std::fs::write(place.path("secret"), "0123456789abcdef0123456789abcdef").expect("secret");
        place.configure("as-webhooks.toml", "cloud_api");
        place.configure("as-sends.toml", "send");
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, name: &str, format: &str) {
        let text = format!(
            "[kafka]\nbrokers = [\"{}\"]\nwebhook_topics = [\"{TOPIC}\"]\n\
             [kafka.formats]\n{TOPIC} = \"{format}\"\n[lake]\nlocation = \"{}\"\n[secret]\nfile = \"{}\"\n\
             [ingest]\ncommit_age_ms = 100\n[serve]\nhttp_listen = \"127.0.0.1:0\"\n",
            self.broker.bootstrap(),
            self.path("lake").display(),
            self.path("secret").display(),
        );
        std::fs::write(self.path(name), text).expect("write configuration");
    }

    fn run(&self, arguments: &[&str], config: &str) -> Output {
        let config = self.path(config);
        let command = Command::new(&self.program)
            .arg("dead-letters")
            .args(arguments)
            .arg("--config")
            .arg(&config)
            .output();
        command.expect("run the program")
    }

    fn requeue(&self, config: &str) -> String {
        let output = self.run(&["requeue", "--all"], config);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Adds a file that cannot be read to the lake.
    fn scan(&self) {
        let file = self.path("broken.jsonl");
        std::fs::write(&file, "no JSON either\n").expect("write file");
        let output = Command::new(&self.program)
            .arg("scan")
            .arg(&file)
            .arg("--lake")
            .arg(self.path("lake"))
            .arg("--secret-file")
            .arg(self.path("secret"))
            .output()
            .expect("run the program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn letters(&self) -> serde_json::Value {
        let output = self.run(&["list", "--format", "json"], "as-webhooks.toml");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn messages(&self) -> serde_json::Value {
        let statement = "SELECT \"offset\", item FROM messages_raw ORDER BY 1, 2";
        let output = Command::new(&self.program)
            .args(["sql", statement, "--format", "json", "--lake"])
            .arg(self.path("lake"))
            .output()
            .expect("run the program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

/// Ingests the topic's three records as webhooks.
fn ingest(place: &Place) {
    let brokers = place.broker.bootstrap();
    let admin = Admin::new(&brokers).expect("admin");
    admin.create_topic(TOPIC, 1).expect("topic");
    let producer = Producer::new(&brokers).expect("producer");
    for record in [SEND, HALF, "no JSON at all"] {
        producer.send(TOPIC, Some(0), b"k", record.as_bytes(), Some(TIME)).expect("sent");
    }
    producer.flush(WITHIN).expect("delivered");
    let config = place.path("as-webhooks.toml");
    let arguments = ["ingest", "--config", config.to_str().expect("path")];
    let mut process =
        Process::start(&place.program, &arguments, &[], &place.path("ingest.log")).expect("start");
    let lake = place.path("lake");
    wait_until("offset", std::slice::from_mut(&mut process), || Ok(has_offset(&lake, 3)))
        .expect("read");
    let (status, _) = process.terminate(WITHIN).expect("ends");
    assert!(status.success(), "{status}");
}

fn has_offset(lake: &Path, offset: i64) -> bool {
    Events::open(lake).is_ok_and(|events| events.offsets.values().any(|stored| *stored == offset))
}

#[test]
fn dead_items_that_can_be_read_by_now_are_added_once_and_good_siblings_never_again() {
    let Some(place) = Place::new() else { return };
    ingest(&place);
    let letters = place.letters();
    let found: Vec<(&str, i64)> = letters
        .as_array()
        .expect("an array")
        .iter()
        .map(|letter| {
            (letter["reason"].as_str().expect("reason"), letter["item"].as_i64().expect("item"))
        })
        .collect();
    assert_eq!(found, [("unknown_shape", 0), ("no_time", 0), ("invalid_json", 0)]);
    assert_eq!(place.messages(), serde_json::json!([{"offset": 1, "item": 1}]));

    // Content goes to terminals only, and this is none.
    let position = letters[0]["position"].as_str().expect("position");
    let shown = place.run(&["show", position], "as-webhooks.toml");
    assert_eq!(shown.status.code(), Some(2));
    assert!(shown.stdout.is_empty());

    assert_eq!(
        place.requeue("as-webhooks.toml"),
        "0 requeued, 0 requeued before, 3 still dead, 0 no longer at the broker, \
         0 not reached, 0 refused\n"
    );
    assert_eq!(
        place.requeue("as-sends.toml"),
        "1 requeued, 0 requeued before, 2 still dead, 0 no longer at the broker, \
         0 not reached, 0 refused\n"
    );
    let both = serde_json::json!([{"offset": 0, "item": 0}, {"offset": 1, "item": 1}]);
    assert_eq!(place.messages(), both);
    assert_eq!(
        place.requeue("as-sends.toml"),
        "0 requeued, 1 requeued before, 2 still dead, 0 no longer at the broker, \
         0 not reached, 0 refused\n"
    );
    assert_eq!(place.messages(), both);
    assert_eq!(place.letters()[0]["state"], "requeued");

    // A letter that is of no topic stops nothing; count, reason and status tell of it.
    place.scan();
    let output = place.run(&["requeue", "--all"], "as-sends.toml");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "0 requeued, 1 requeued before, 2 still dead, 0 no longer at the broker, \
         1 not reached, 0 refused\n"
    );
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("1 of file/") && told.contains("scan it again"), "{told}");
}
