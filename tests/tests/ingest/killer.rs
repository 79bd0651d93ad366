//! Kills processes between the first data file of a commit and the end of its log entry.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnwise_tests::lake::{FolderWatch, LogWatch};
use turnwise_tests::place::{Place, running, wait_until};
use turnwise_tests::process::Process;
use turnwise_tests::wait::look_until;

/// Pause between two looks for a new data file: files are written within milliseconds.
const LOOK_PAUSE: Duration = Duration::from_millis(2);
/// Looks after which what processes have written is noted anew.
const LOOKS_A_NOTE: u32 = 25;
/// How long no data file may come: a killed member's session, a new one's start and join, twice.
const COMMITS_WITHIN: Duration = Duration::from_secs(90);
/// Kills come every few seconds.
const PAUSES_MS: std::ops::Range<u64> = 500..4_000;

/// Two processes, one of which is killed whenever a data file appears.
pub struct Killer<'a> {
    place: &'a Place,
    pub processes: Vec<Process>,
    pub kills: u64,
    folders: FolderWatch,
    log: LogWatch,
    /// Files that no log entry named right after a kill, with the kill's number.
    left: BTreeMap<String, u64>,
    random: ChaCha8Rng,
}

impl<'a> Killer<'a> {
    pub fn new(place: &'a Place) -> Self {
        Self {
            place,
            processes: vec![place.ingest("ingest-a"), place.ingest("ingest-b")],
            kills: 0,
            folders: FolderWatch::new(&place.events()),
            log: LogWatch::new(&place.events()),
            left: BTreeMap::new(),
            random: ChaCha8Rng::seed_from_u64(place.input.seed),
        }
    }

    /// Waits some seconds and for a commit, then for a new data file; kills who seems to have
    /// written it, and starts another.
    pub fn kill_once(&mut self) {
        self.wait_for_a_commit();
        let pause = Duration::from_millis(self.random.random_range(PAUSES_MS));
        let begun = Instant::now();
        wait_until("pause", &mut self.processes, || Ok(begun.elapsed() > pause)).expect("goes on");
        let victim = self.wait_for_a_writer();
        self.processes[victim].kill().expect("kill -9");
        self.kills += 1;
        // In this order: a file that is seen now and named in the log read after it is in.
        self.folders.look().expect("files");
        self.log.look().expect("log");
        for file in self.folders.files.difference(&self.log.named) {
            self.left.entry(file.clone()).or_insert(self.kills);
        }
        let log = ["ingest-a", "ingest-b"][victim];
        self.processes[victim] = self.place.ingest(log);
    }

    /// Waits for another log entry with files: the survivor goes on, or the restarted one does.
    fn wait_for_a_commit(&mut self) {
        self.log.look().expect("log");
        let (before, log) = (self.log.adding, &mut self.log);
        wait_until("commit", &mut self.processes, || {
            log.look()?;
            Ok(log.adding != before)
        })
        .unwrap_or_else(|error| panic!("after {} kills: {error}", self.kills));
        // What was left by a kill and is named now was the survivor's.
        let named = &self.log.named;
        self.left.retain(|file, _| !named.contains(file));
    }

    /// Waits for a new data file, and says who has written most since a moment ago.
    fn wait_for_a_writer(&mut self) -> usize {
        self.folders.look().expect("files");
        let written = |processes: &[Process]| -> Vec<u64> {
            processes.iter().map(Process::bytes_written).collect()
        };
        let (mut before, mut looks) = (written(&self.processes), 0_u32);
        let found = look_until(LOOK_PAUSE, COMMITS_WITHIN, || {
            if !self.folders.look()?.is_empty() {
                return Ok(Some(()));
            }
            looks += 1;
            if looks.is_multiple_of(LOOKS_A_NOTE) {
                before = written(&self.processes);
                running(&mut self.processes)?;
            }
            Ok(None)
        });
        assert!(
            found.expect("goes on").is_some(),
            "no data file in {COMMITS_WITHIN:?} after {} kills\n{}",
            self.kills,
            turnwise_tests::place::last_lines(&self.processes)
        );
        let now = written(&self.processes);
        let more = |at: &usize| now[*at].saturating_sub(before[*at]);
        (0..self.processes.len()).max_by_key(more).expect("a process")
    }

    /// Kills that left files which are in no log entry to this moment.
    pub fn aimed(&self) -> u64 {
        let kills: std::collections::BTreeSet<u64> = self.left.values().copied().collect();
        kills.len() as u64
    }
}
