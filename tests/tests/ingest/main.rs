//! The program `turnwise ingest` against a real Kafka: processes are killed between the data
//! files of a commit and its log entry, told to end under load, stopped, starved of disk; and
//! every record is in the lake once.
//!
//! ```text
//! generator ─▶ two topics of 8 partitions ─▶ two processes, killed ─▶ lake
//!     └──────────────── the oracle's decoder ───────────── equal? ─────┘
//! ```
//!
//! The suite runs a small input. At full size, by hand, some 15 minutes:
//!
//! ```text
//! TURNWISE_TEST_RECORDS=1000000 TURNWISE_TEST_SECONDS=660 TURNWISE_TEST_KILLS=20 \
//!   cargo xtask test -- --test ingest processes_killed -- --nocapture
//! ```

mod faults;
mod killer;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use turnwise_tests::input::Input;
use turnwise_tests::lake::LogWatch;
use turnwise_tests::ledger;
use turnwise_tests::place::{Place, Wanted, wait_until};

use killer::Killer;

/// The grace that a machine gives after SIGTERM.
const GRACE: Duration = Duration::from_secs(30);
/// Partitions of each topic.
const PARTITIONS: i32 = 8;

/// Several of these tests at once would starve each other.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn input(seed: u64, records: u64, seconds: u64) -> Input {
    let within = Duration::from_secs(seconds);
    let topics = [String::new(), String::new()];
    Input { seed, records, within, topics, partitions: PARTITIONS }
}

/// A number from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Produces while `meanwhile` runs, and at least the input's records; returns how many.
fn producing(place: &Place, meanwhile: impl FnOnce()) -> u64 {
    let (enough, produced) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let producer = scope.spawn(|| {
            let sent = place.input.produce(&place.brokers, &enough).expect("produce");
            produced.store(sent, Ordering::Release);
        });
        // A failure must not leave the producer going on for ever.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(meanwhile));
        enough.store(true, Ordering::Release);
        producer.join().expect("producer");
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
    produced.load(Ordering::Acquire)
}

/// Ends processes, each with status 0 and within the grace.
fn terminate(processes: &mut [turnwise_tests::process::Process]) {
    for process in processes {
        let (status, took) = process.terminate(GRACE).expect("ends");
        assert!(status.success(), "{status}\n{}", process.last_lines());
        println!("ended in {took:?}");
    }
}

/// The lake is what the oracle makes of the records.
fn assert_lake_holds(place: &Place, records: u64) {
    let begun = Instant::now();
    let compared = ledger::compare(place.lake(), &place.input, records, &place.keys())
        .unwrap_or_else(|wrong| panic!("{wrong:?}"));
    println!("{records} records, {compared:?}, compared in {:?}", begun.elapsed());
    assert!(compared.rows as u64 >= records && compared.senders > 0 && compared.windows > 0);
    let mut log = LogWatch::new(&place.events());
    log.look().expect("log");
    assert_eq!(log.falls(), None, "an offset fell");
}

#[test]
fn processes_killed_between_data_file_and_log_entry_lose_and_repeat_nothing() {
    let _turn = one_at_a_time();
    let input =
        input(7, setting("TURNWISE_TEST_RECORDS", 20_000), setting("TURNWISE_TEST_SECONDS", 20));
    let within = input.within;
    let Some(place) = Place::new("killed", input, Wanted::default()) else { return };
    let wanted = setting("TURNWISE_TEST_KILLS", 3);
    let mut killer = Killer::new(&place);
    let produced = producing(&place, || {
        let begun = Instant::now();
        while killer.aimed() < wanted || begun.elapsed() < within.mul_f64(0.8) {
            killer.kill_once();
        }
    });
    place.wait_for(produced, &mut killer.processes).expect("everything is read");
    terminate(&mut killer.processes);
    println!(
        "{produced} records, {PARTITIONS} partitions a topic, {} kills, {} between the data file \
         and the end of the log entry",
        killer.kills,
        killer.aimed(),
    );
    assert!(killer.aimed() >= wanted);
    assert_lake_holds(&place, produced);
}

#[test]
fn ingest_told_to_end_under_load_ends_in_time_and_the_next_reads_the_rest() {
    let _turn = one_at_a_time();
    let Some(place) = Place::new("told", input(11, 6_000, 12), Wanted::default()) else { return };
    let produced = producing(&place, || {
        let mut log = LogWatch::new(&place.events());
        let begun = Instant::now();
        let mut stops = 0;
        while stops == 0 || begun.elapsed() < place.input.within {
            log.look().expect("log");
            let before = log.adding;
            let mut process = [place.ingest(&format!("ingest-{stops}"))];
            // Under load: it commits, and records keep coming.
            wait_until("commit", &mut process, || {
                log.look()?;
                Ok(log.adding > before)
            })
            .expect("commits");
            terminate(&mut process);
            stops += 1;
        }
    });
    let mut process = [place.ingest("ingest-last")];
    place.wait_for(produced, &mut process).expect("everything is read");
    terminate(&mut process);
    assert_lake_holds(&place, produced);
}

#[test]
fn process_told_to_end_while_it_starts_ends_with_status_0() {
    let _turn = one_at_a_time();
    let Some(place) = Place::new("early", input(13, 1_000, 1), Wanted::default()) else { return };
    // Later and later within a start, which takes some hundred milliseconds.
    for turn in 0..12_u64 {
        let mut process = place.ingest(&format!("ingest-{turn}"));
        let (begun, id) = (Instant::now(), process.id());
        wait_until("handler", std::slice::from_mut(&mut process), || {
            Ok(begun.elapsed() >= Duration::from_millis(40 * turn) && catches_sigterm(id))
        })
        .expect("starts");
        terminate(std::slice::from_mut(&mut process));
    }
}

/// Whether the process has said that SIGTERM shall not just end it.
fn catches_sigterm(pid: u32) -> bool {
    const SIGTERM: u64 = 1 << 14;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & SIGTERM != 0)
}
