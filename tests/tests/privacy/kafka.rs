//! All roles on a real broker, with every line that the Kafka client can write.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use turnwise_kafka::Producer;
use turnwise_model::Millis;
use turnwise_tests::canary::Search;
use turnwise_tests::input::Input as Topics;
use turnwise_tests::lake::LogWatch;
use turnwise_tests::place::{Place, Wanted, wait_until};
use turnwise_tests::process::Process;

use super::{TRACE, assert_clean, input};

/// 2026-11-08T12:00:00Z, somewhat after the records' messages.
const NOW: Millis = Millis(1_794_139_200_000);
/// One line in so many is produced: enough for another way in.
const STEP: usize = 9;
const WITHIN: Duration = Duration::from_secs(60);

#[test]
fn no_canary_comes_out_of_the_roles_beside_a_real_broker() {
    let topics = Topics {
        seed: 0,
        records: 0,
        within: Duration::ZERO,
        topics: [String::new(), String::new()],
        partitions: 2,
    };
    let wanted = Wanted { properties: "\"debug\" = \"all\"", ..Wanted::default() };
    let Some(place) = Place::new("privacy", topics, wanted) else { return };
    let mut input = input();
    let phone = input.canaries.phone();
    let lines: Vec<&Vec<u8>> = input.lines.iter().step_by(STEP).collect();
    let producer = Producer::new(&place.brokers).expect("producer");
    for (partition, line) in [0, 1].into_iter().cycle().zip(&lines) {
        for topic in &place.input.topics {
            let sent = producer.send(topic, Some(partition), phone.as_bytes(), line, Some(NOW));
            sent.expect("sent");
        }
    }
    producer.flush(WITHIN).expect("flushed");
    let spill = place.path("spill");
    std::fs::create_dir_all(&spill).expect("folder");
    let variables = [("RUST_BACKTRACE", "full"), ("TMPDIR", spill.to_str().expect("path"))];
    let mut process = [place.run("up", &TRACE, "up", &variables)];
    let wanted = i64::try_from(2 * lines.len()).expect("few");
    let mut log = LogWatch::new(&place.events());
    wait_until("end of the topics", &mut process, || {
        log.look()?;
        Ok(log.reached() >= wanted)
    })
    .expect("everything is read");
    let mut search = Search::new(input.canaries.all());
    for page in ["/metrics", "/readyz", "/livez"] {
        let text = page_of(&process[0], page);
        assert!(page != "/metrics" || text.contains("turnwise_ingest_rows_total"), "{text}");
        search.text(page, text.as_bytes());
    }
    let (status, _) = process[0].terminate(WITHIN).expect("ends");
    let said = process[0].output();
    assert!(status.success(), "{status}");
    let from_client = said.lines().filter(|line| line.contains("\"target\":\"kafka\"")).count();
    assert!(from_client > 100 && said.contains("FETCH"), "{from_client} lines of the client");
    search.text("standard error", said.as_bytes());
    assert!(search.folder(place.lake()) > 10, "files of the lake");
    search.folder(&spill);
    println!("{from_client} lines of the client, searched {:?}", search.searched());
    assert_clean(&search);
}

/// What the process answers at a path of its own port.
fn page_of(process: &Process, path: &str) -> String {
    let said = process.output();
    let line = said.lines().find(|line| line.contains("metrics and probes")).expect("a port");
    let line: serde_json::Value = serde_json::from_str(line).expect("a line for machines");
    let address = line["fields"]["http"].as_str().expect("an address");
    let mut stream = TcpStream::connect(address).expect("connected");
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}
