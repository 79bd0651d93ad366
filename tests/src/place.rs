//! A place for processes of `turnwise ingest`: topics on the suite's broker, a lake, a
//! configuration, and waiting for what they do.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use turnwise_model::{Keys, Secret};

use crate::input::Input;
use crate::lake::LogWatch;
use crate::process::Process;
use crate::wait::{LOOK_PAUSE, look_until};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// How long one step of a process may take, on a busy machine too.
const STEP_WITHIN: Duration = Duration::from_secs(120);
/// A member that is not heard of for so long is dead to the group: the least that a broker allows.
pub const SESSION: Duration = Duration::from_secs(6);

/// A lake, topics, and what processes are configured with.
#[derive(Debug)]
pub struct Place {
    /// What is produced.
    pub input: Input,
    /// Addresses of the broker.
    pub brokers: String,
    program: PathBuf,
    folder: tempfile::TempDir,
    lake: PathBuf,
}

/// How a place differs from the usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Another folder for the lake.
    pub lake: Option<&'a Path>,
    /// Further lines of `[kafka]`.
    pub kafka: &'a str,
    /// Further lines of `[kafka.properties]`.
    pub properties: &'a str,
}

impl Place {
    /// Nothing where no program or no Kafka is given. `name` must be the test's own.
    ///
    /// # Panics
    /// Where topics or files cannot be made.
    #[must_use]
    pub fn new(name: &str, input: Input, wanted: Wanted<'_>) -> Option<Self> {
        let program = PathBuf::from(std::env::var_os("TURNWISE_BIN")?);
        let brokers = std::env::var("TURNWISE_KAFKA").ok()?;
        let mut folder = tempfile::tempdir().expect("folder");
        // To look at what a failed test has left.
        folder.disable_cleanup(std::env::var_os("TURNWISE_TEST_KEEP").is_some());
        let own = format!("{name}-{}", std::process::id());
        let topics = ["webhooks", "sends"].map(|kind| format!("{own}-{kind}"));
        let input = Input { topics, ..input };
        input.create_topics(&brokers).expect("topics");
        let lake = wanted.lake.map_or_else(|| folder.path().join("lake"), Path::to_owned);
        let place = Self { input, brokers, program, folder, lake };
        std::fs::write(place.path("secret"), SECRET).expect("write secret");
        let config = place.config(&own, wanted);
        std::fs::write(place.path("turnwise.toml"), config).expect("write configuration");
        Some(place)
    }

    /// A file of the place.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self, group: &str, wanted: Wanted<'_>) -> String {
        let [webhooks, sends] = &self.input.topics;
        format!(
            "[kafka]\nbrokers = [\"{}\"]\ngroup = \"{group}\"\n\
             webhook_topics = [\"{webhooks}\"]\nsend_topics = [\"{sends}\"]\n{}\n\
             [kafka.formats]\n\"{webhooks}\" = \"cloud_api\"\n\"{sends}\" = \"send\"\n\
             [kafka.properties]\n\"session.timeout.ms\" = \"{}\"\n\
             \"heartbeat.interval.ms\" = \"500\"\n\
             \"topic.metadata.refresh.interval.ms\" = \"2000\"\n{}\n\
             [lake]\nlocation = \"{}\"\n[secret]\nfile = \"{}\"\n\
             [ingest]\ncommit_age_ms = 300\n[derive]\ninterval_s = 2\n\
             [serve]\ngrpc_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n",
            self.brokers,
            wanted.kafka,
            SESSION.as_millis(),
            wanted.properties,
            self.lake.display(),
            self.path("secret").display(),
        )
    }

    /// The lake's folder.
    #[must_use]
    pub fn lake(&self) -> &Path {
        &self.lake
    }

    /// The folder of the table `events`.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.lake.join("events")
    }

    /// The keys of the place's secret.
    ///
    /// # Panics
    /// Never: the secret is long enough.
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys::expand(&Secret::new(SECRET.as_bytes()).expect("long enough"))
    }

    /// Starts `turnwise ingest` with its output in a file of this name.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn ingest(&self, name: &str) -> Process {
        self.ingest_with(name, &[])
    }

    /// The same with variables of its environment.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn ingest_with(&self, name: &str, variables: &[(&str, &str)]) -> Process {
        self.run(name, &[], "ingest", variables)
    }

    /// Starts a role with further arguments before it, and with variables of its environment.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn run(
        &self,
        name: &str,
        before: &[&str],
        role: &str,
        variables: &[(&str, &str)],
    ) -> Process {
        let config = self.path("turnwise.toml");
        let config = config.to_str().expect("path");
        let arguments = [before, &[role, "--config", config]].concat();
        let log = self.path(&format!("{name}.log"));
        Process::start(&self.program, &arguments, variables, &log).expect("start the program")
    }

    /// Waits until the lake holds so many records to their ends.
    ///
    /// # Errors
    /// A process that ends; no progress for long.
    pub fn wait_for(&self, records: u64, processes: &mut [Process]) -> Result<()> {
        let wanted: i64 = self.input.ends(records).values().sum();
        let mut log = LogWatch::new(&self.events());
        let mut best = (0, Instant::now());
        look_until(LOOK_PAUSE, Duration::MAX, || {
            log.look()?;
            let reached = log.reached();
            if reached >= wanted {
                return Ok(Some(()));
            }
            if reached > best.0 {
                best = (reached, Instant::now());
            }
            running(processes)?;
            if best.1.elapsed() > STEP_WITHIN {
                bail!("{reached} of {wanted} offsets\n{}", last_lines(processes));
            }
            Ok(None)
        })?;
        Ok(())
    }
}

/// Waits until `done` says so; processes must not end meanwhile.
///
/// # Errors
/// A process that ends; what was waited for did not happen.
pub fn wait_until(
    what: &str,
    processes: &mut [Process],
    mut done: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let found = look_until(LOOK_PAUSE, STEP_WITHIN, || {
        let done = done()?;
        if !done {
            running(processes)?;
        }
        Ok(done.then_some(()))
    })?;
    ensure!(found.is_some(), "no {what}\n{}", last_lines(processes));
    Ok(())
}

/// That processes go on.
///
/// # Errors
/// One that has ended.
pub fn running(processes: &mut [Process]) -> Result<()> {
    for process in processes {
        ensure!(!process.has_ended().context("look")?, "ended:\n{}", process.last_lines());
    }
    Ok(())
}

/// The ends of processes' outputs.
#[must_use]
pub fn last_lines(processes: &[Process]) -> String {
    let logs: Vec<String> = processes.iter().map(Process::last_lines).collect();
    logs.join("\n--\n")
}
