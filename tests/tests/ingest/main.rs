//! The program `turnwise ingest` against a real Kafka: processes are killed between the data
//! files of a commit and its log entry, or told to end under load, and every record is in the
//! lake once.
//!
//! ```text
//! generator ─▶ two topics of 8 partitions ─▶ two processes, killed ─▶ lake
//!     └──────── counted and decoded in one go ──────── equal? ─────────┘
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use turnwise_model::{Keys, Secret};
use turnwise_tests::input::{Counts, Input, PARTITIONS, SENDS, WEBHOOKS};
use turnwise_tests::lake::{Rows, data_files, events_of, log_text, not_in_log};
use turnwise_tests::process::Process;
use xtask::kafka::{Broker, BrokerOptions};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The grace that a machine gives after SIGTERM.
const GRACE: Duration = Duration::from_secs(30);
/// How long joining the group may take.
const JOINED_WITHIN: Duration = Duration::from_secs(60);
/// Pause between two looks at the lake.
const LOOK_PAUSE: Duration = Duration::from_millis(3);

/// A broker of the test's own, a lake, and what the processes are configured with.
struct Place {
    // Before the folder, so that it is gone first.
    broker: Broker,
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Place {
    /// Nothing where no program or no Kafka is given.
    fn new() -> Option<Self> {
        let program = PathBuf::from(std::env::var_os("TURNWISE_BIN")?);
        std::env::var_os("TURNWISE_KAFKA_HOME")?;
        // Generated records are older than what a broker keeps unless told.
        let properties = vec![("log.retention.ms".to_owned(), "-1".to_owned())];
        let broker = Broker::start(BrokerOptions { properties, ..BrokerOptions::default() });
        let broker = broker.expect("start Kafka");
        let place = Self { broker, program, folder: tempfile::tempdir().expect("folder") };
        std::fs::write(place.path("secret"), SECRET).expect("write secret");
        std::fs::write(place.path("turnwise.toml"), place.config()).expect("write configuration");
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> String {
        format!(
            "[kafka]\nbrokers = [\"{}\"]\ngroup = \"turnwise\"\n\
             webhook_topics = [\"{WEBHOOKS}\"]\nsend_topics = [\"{SENDS}\"]\n\
             [kafka.formats]\n\"{WEBHOOKS}\" = \"cloud_api\"\n\"{SENDS}\" = \"send\"\n\
             [kafka.properties]\n\"session.timeout.ms\" = \"6000\"\n\
             \"heartbeat.interval.ms\" = \"500\"\n\
             [lake]\nlocation = \"{}\"\n[secret]\nfile = \"{}\"\n\
             [ingest]\ncommit_age_ms = 300\n\
             [serve]\ngrpc_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n",
            self.broker.bootstrap(),
            self.path("lake").display(),
            self.path("secret").display(),
        )
    }

    fn events(&self) -> PathBuf {
        self.path("lake").join("events")
    }

    fn ingest(&self, name: &str) -> Process {
        let config = self.path("turnwise.toml");
        let arguments = ["ingest", "--config", config.to_str().expect("path")];
        Process::start(&self.program, &arguments, &self.path(name)).expect("start ingest")
    }

    fn keys() -> Keys {
        Keys::expand(&Secret::new(SECRET.as_bytes()).expect("secret"))
    }

    /// Waits until the lake's offsets are the input's ends.
    fn wait_for(&self, ends: &BTreeMap<(bool, i32), i64>, processes: &mut [Process]) {
        let wanted: i64 = ends.values().sum();
        let deadline = Instant::now() + Duration::from_secs(180);
        loop {
            let (rows, offsets) = (rows_in_log(&self.events()), self.offsets());
            let found: i64 = offsets.values().sum();
            if found >= wanted {
                return;
            }
            for process in &mut *processes {
                assert!(!process.has_ended().expect("look"), "ended:\n{}", process.last_lines());
            }
            let logs: Vec<_> = processes.iter().map(Process::last_lines).collect();
            assert!(
                Instant::now() < deadline,
                "{found} of {wanted} offsets, {rows} files named\n{}",
                logs.join("\n--\n")
            );
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    fn offsets(&self) -> BTreeMap<String, i64> {
        // The last word of the log on each application.
        let mut offsets = BTreeMap::new();
        for line in log_text(&self.events()).expect("log").lines() {
            let Ok(action) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let (app, to) = (action["txn"]["appId"].as_str(), action["txn"]["version"].as_i64());
            if let (Some(app), Some(to)) = (app, to) {
                let last = offsets.entry(app.to_owned()).or_insert(to);
                *last = to.max(*last);
            }
        }
        offsets
    }
}

fn rows_in_log(events: &Path) -> usize {
    log_text(events).expect("log").matches("\"add\":").count()
}

/// A number from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Kills one of the processes whenever a data file appears that no log entry names yet.
struct Killer<'a> {
    place: &'a Place,
    processes: Vec<Process>,
    kills: u64,
    /// Files that no log entry named right after a kill, with the kill's number.
    left: BTreeMap<PathBuf, u64>,
}

impl Killer<'_> {
    /// Waits for a new data file, kills who seems to have written it, and starts another.
    fn kill_once(&mut self) {
        let events = self.place.events();
        let known = data_files(&events).expect("files");
        let mut before: Vec<u64> = self.processes.iter().map(Process::bytes_written).collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut looks = 0_u32;
        loop {
            let now = data_files(&events).expect("files");
            if now.difference(&known).next().is_some() {
                break;
            }
            looks += 1;
            if looks.is_multiple_of(20) {
                before = self.processes.iter().map(Process::bytes_written).collect();
            }
            for process in &mut self.processes {
                assert!(!process.has_ended().expect("look"), "ended:\n{}", process.last_lines());
            }
            assert!(
                Instant::now() < deadline,
                "no new data file in a minute after {} kills\n{}",
                self.kills,
                self.last_lines()
            );
            std::thread::sleep(LOOK_PAUSE);
        }
        let written = |at: usize| self.processes[at].bytes_written().saturating_sub(before[at]);
        let victim = (0..self.processes.len()).max_by_key(|at| written(*at)).expect("a process");
        self.processes[victim].kill().expect("kill -9");
        self.kills += 1;
        let files = data_files(&events).expect("files");
        for file in not_in_log(&events, &files).expect("log") {
            self.left.entry(file).or_insert(self.kills);
        }
        let log = format!("ingest-{}.log", self.kills + 1);
        self.processes[victim] = self.place.ingest(&log);
    }

    fn last_lines(&self) -> String {
        let logs: Vec<String> = self.processes.iter().map(Process::last_lines).collect();
        logs.join("\n--\n")
    }

    /// Kills that left files which are in no log entry to this moment.
    fn aimed(&self) -> BTreeSet<u64> {
        let files = data_files(&self.place.events()).expect("files");
        let orphans = not_in_log(&self.place.events(), &files).expect("log");
        orphans.iter().filter_map(|file| self.left.get(file).copied()).collect()
    }
}

/// The two sources' names, told apart by what only webhooks have.
fn sources(rows: &Rows) -> (String, String) {
    let all: BTreeSet<&String> = rows.keys().map(|place| &place.0).collect();
    assert_eq!(all.len(), 2, "two inputs");
    let webhooks = rows.keys().find(|place| place.4 == "status").expect("a status").0.clone();
    let sends = all.into_iter().find(|source| **source != webhooks).expect("sends").clone();
    (webhooks, sends)
}

/// The lake holds what so many records of the input hold: offsets, counts, rows.
fn assert_lake_holds(place: &Place, input: &Input, records: u64) {
    let (rows, offsets) = events_of(&place.path("lake")).expect("each place once");
    let (webhooks, sends) = sources(&rows);
    let name = |is_webhook: bool| if is_webhook { &webhooks } else { &sends };
    let ends: BTreeMap<String, i64> = input
        .ends(records)
        .into_iter()
        .map(|((is_webhook, at), end)| (format!("ingest/{}/{at}", name(is_webhook)), end))
        .collect();
    assert_eq!(offsets, ends, "the offsets in the lake are the ends of the input");

    let mut found = Counts::new();
    for (source, partition, offset, _, kind) in rows.keys() {
        *found.entry((*source == webhooks, *partition, *offset, kind)).or_default() += 1;
    }
    let counted = input.counts(records);
    let wrong = counted.iter().find(|(place, count)| found.get(*place) != Some(count));
    assert!(wrong.is_none(), "counted {wrong:?}, found {:?}", wrong.map(|(at, _)| found.get(at)));
    let wrong = found.iter().find(|(place, _)| !counted.contains_key(*place));
    assert!(wrong.is_none(), "found {wrong:?}, counted none");

    let decoded = input.rows(records, &Place::keys(), &webhooks, &sends).expect("decode");
    assert_eq!(decoded.len(), rows.len(), "as many rows");
    let wrong = decoded.iter().find(|(at, hash)| rows.get(*at) != Some(*hash));
    assert!(wrong.is_none(), "another row at {wrong:?}");
}

#[test]
fn processes_killed_between_data_file_and_log_entry_lose_and_repeat_nothing() {
    let Some(place) = Place::new() else { return };
    let records = setting("TURNWISE_TEST_RECORDS", 20_000);
    let wanted = setting("TURNWISE_TEST_KILLS", 3);
    let within = Duration::from_secs(setting("TURNWISE_TEST_SECONDS", 20));
    let input = Input { seed: 7, records, within };
    let brokers = place.broker.bootstrap();
    input.create_topics(&brokers).expect("topics");
    let (enough, produced) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut killer = Killer {
        place: &place,
        processes: vec![place.ingest("ingest-0.log"), place.ingest("ingest-1.log")],
        kills: 0,
        left: BTreeMap::new(),
    };
    std::thread::scope(|scope| {
        let producer = scope.spawn(|| {
            let sent = input.produce(&brokers, &enough).expect("produce");
            produced.store(sent, Ordering::Release);
        });
        // A failure below must not leave the producer going on for ever.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let begun = Instant::now();
            let mut aimed = 0;
            while aimed < wanted || begun.elapsed() < within.mul_f64(0.8) {
                killer.kill_once();
                let log = rows_in_log(&place.events());
                // The survivor goes on, or the restarted one does.
                let deadline = Instant::now() + Duration::from_secs(60);
                while rows_in_log(&place.events()) <= log {
                    assert!(
                        Instant::now() < deadline,
                        "no commit within a minute of a kill\n{}",
                        killer.last_lines()
                    );
                    std::thread::sleep(Duration::from_millis(50));
                }
                aimed = u64::try_from(killer.aimed().len()).expect("fits");
            }
        }));
        enough.store(true, Ordering::Release);
        producer.join().expect("producer");
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
    let produced = produced.load(Ordering::Acquire);
    assert!(produced >= records);
    place.wait_for(&input.ends(produced), &mut killer.processes);
    for process in &mut killer.processes {
        let (status, _) = process.terminate(GRACE).expect("ends");
        assert!(status.success(), "{status}\n{}", process.last_lines());
    }
    let aimed = killer.aimed().len();
    println!(
        "{produced} records, {PARTITIONS} partitions a topic, {} kills, {aimed} between the data \
         file and the end of the log entry",
        killer.kills
    );
    assert!(u64::try_from(aimed).expect("fits") >= wanted);
    assert_lake_holds(&place, &input, produced);
}

#[test]
fn ingest_told_to_end_under_load_ends_in_time_and_the_next_reads_the_rest() {
    let Some(place) = Place::new() else { return };
    let input = Input { seed: 11, records: 6_000, within: Duration::from_secs(12) };
    let brokers = place.broker.bootstrap();
    input.create_topics(&brokers).expect("topics");
    let enough = AtomicBool::new(true);
    let (produced, mut process) = std::thread::scope(|scope| {
        let producer = scope.spawn(|| input.produce(&brokers, &enough).expect("produce"));
        let mut stops = 0;
        while !producer.is_finished() {
            let named = rows_in_log(&place.events());
            let mut process = place.ingest(&format!("ingest-{stops}.log"));
            process.wait_for_line("reading", JOINED_WITHIN).expect("joins");
            // Under load: it commits, and records keep coming.
            while rows_in_log(&place.events()) <= named && !producer.is_finished() {
                assert!(!process.has_ended().expect("look"), "{}", process.last_lines());
                std::thread::sleep(Duration::from_millis(20));
            }
            let (status, took) = process.terminate(GRACE).expect("ends");
            assert!(status.success(), "{status}\n{}", process.last_lines());
            println!("ended in {took:?}");
            stops += 1;
        }
        assert!(stops >= 1);
        (producer.join().expect("producer"), place.ingest("ingest-last.log"))
    });
    process.wait_for_line("reading", JOINED_WITHIN).expect("joins");
    place.wait_for(&input.ends(produced), std::slice::from_mut(&mut process));
    let (status, _) = process.terminate(GRACE).expect("ends");
    assert!(status.success(), "{status}\n{}", process.last_lines());
    assert_lake_holds(&place, &input, produced);
}
