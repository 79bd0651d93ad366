//! The roles of a running Turnwise: ingest, derive, serve, and `up` with all three.
//!
//! ```text
//!  Kafka ─▶ ingest (a thread) ─▶ events ─▶ derive (a timer) ─▶ derived tables ─▶ serve ─▶ gRPC
//! ```
//!
//! Start: configuration, metrics, bind, ready. Stop (SIGTERM, SIGINT): not ready, drain within the
//! grace, commit, exit 0. All state is in the lake, so a role that was killed starts anew; one that
//! does not end in time is left behind as if it had been.

mod derive;
mod ingest;
mod maintenance;
mod publish;
mod senders;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use turnwise_kafka::TopicPartition;
use turnwise_lake::Lake;
use turnwise_model::limits::{SERVE_DRAIN_MS, SHUTDOWN_MS};
use turnwise_policy::Scorecard;
use turnwise_query::derived::Derived;
use turnwise_query::{Engine, EngineSettings};
use turnwise_serve::{Board, Health, serve_grpc, serve_http};

use crate::config::{Config, KafkaConfig};
use crate::exit::{Failure, Outcome};
use crate::stop::Stop;
use crate::{clock, panics, runtime, secret, telemetry, writer};

pub(crate) use derive::Deriver;
pub(crate) use ingest::IngestRole;
pub(crate) use publish::Publisher;

/// Which roles a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// All of them.
    Up,
    /// Topics into the lake.
    Ingest,
    /// Derived tables.
    Derive,
    /// Answers.
    Serve,
}

impl Role {
    fn ingests(self) -> bool {
        matches!(self, Self::Up | Self::Ingest)
    }

    fn derives(self) -> bool {
        matches!(self, Self::Up | Self::Derive)
    }

    fn serves(self) -> bool {
        matches!(self, Self::Up | Self::Serve)
    }
}

/// What the roles of one process share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) lake: Lake,
    pub(crate) derived: Derived,
    pub(crate) scorecard: Scorecard,
    pub(crate) board: Board,
    pub(crate) health: Health,
    pub(crate) stop: Stop,
    /// Whether this process holds the partition whose holder maintains the lake.
    holds_first: AtomicBool,
}

/// What is needed beside the roles to end: open calls end first, and the process goes last.
const _: () = assert!(SERVE_DRAIN_MS < SHUTDOWN_MS);

/// Runs the roles until the process is told to end.
pub(crate) fn run(role: Role, config: Config, stop: Stop) -> Outcome {
    let prometheus =
        turnwise_serve::install_recorder().context("set up metrics").map_err(Failure::Failed)?;
    telemetry::describe_metrics();
    let local = local_folder(&config.lake_location);
    let keys = secret::read(&config.secret_file, local.as_deref())?;
    let lake = Lake::open(&config.lake_location, &config.lake_options)
        .with_context(|| format!("open lake {}", config.lake_location))?;
    secret::check(&lake, &keys)?;
    writer::events_table(&lake).context("open events")?;
    let shared = Arc::new(share(config, lake, stop)?);
    if shared.stop.is_set() {
        return Ok(());
    }
    let runtime = runtime::new()?;
    let ended = runtime.block_on(async {
        let http = bind(shared.config.http_listen).await?;
        let grpc = match role.serves() {
            true => Some(bind(shared.config.grpc_listen).await?),
            false => None,
        };
        tracing::info!(http = %http.local_addr()?, "metrics and probes");
        if let Some(grpc) = &grpc {
            tracing::info!(grpc = %grpc.local_addr()?, "flagged senders");
        }
        let probes = {
            let (health, stop) = (shared.health.clone(), shared.stop.clone());
            runtime.spawn(async move {
                serve_http(http, prometheus, health, async move { stop.wait().await }).await
            })
        };
        let ended = run_roles(role, Arc::clone(&shared), keys, grpc).await;
        shared.stop.stop();
        panics::joined(probes.await, "the server of probes")?.context("serve probes")?;
        ended
    });
    // Threads that have not ended must not hold the process up.
    runtime.shutdown_background();
    Ok(ended?)
}

async fn run_roles(
    role: Role,
    shared: Arc<Shared>,
    keys: turnwise_model::Keys,
    grpc: Option<TcpListener>,
) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    if role.ingests() {
        shared.health.set_ready(ingest::PART, false);
        let (reading, maintained) = (Arc::clone(&shared), Arc::clone(&shared));
        tasks.spawn_blocking(move || IngestRole::new(&reading, keys)?.run());
        tasks.spawn_blocking(move || maintenance::run(&maintained));
    }
    if role.derives() || role.serves() {
        tasks.spawn(derive::run(Arc::clone(&shared), role.derives(), role.serves()));
    }
    if let Some(listener) = grpc {
        let (board, stop) = (shared.board.clone(), shared.stop.clone());
        tasks.spawn(async move {
            serve_grpc(listener, board, async move { stop.wait().await })
                .await
                .context("serve gRPC")
        });
    }
    tokio::select! {
        ended = joined(&mut tasks, &shared.stop) => ended,
        () = overdue(&shared.stop) => {
            tracing::warn!(left = tasks.len(), "ended in spite of parts that go on");
            Ok(())
        }
    }
}

/// Waits for all parts. One that cannot go on ends the process: the others drain.
async fn joined(tasks: &mut JoinSet<anyhow::Result<()>>, stop: &Stop) -> anyhow::Result<()> {
    let mut ended = Ok(());
    while let Some(task) = tasks.join_next().await {
        let result = panics::joined(task, "a role").and_then(|result| result);
        if result.is_err() {
            stop.stop();
        }
        ended = ended.and(result);
    }
    ended
}

/// Waits until the process was told to end and has had its time for it.
async fn overdue(stop: &Stop) {
    stop.wait().await;
    tokio::time::sleep(Duration::from_millis(SHUTDOWN_MS)).await;
}

fn share(config: Config, lake: Lake, stop: Stop) -> Outcome<Shared> {
    let settings = EngineSettings {
        memory_bytes: config.query_memory_bytes,
        spill_folder: config.query_spill_folder.clone(),
        spill_bytes: config.query_spill_bytes,
        partitions: None,
    };
    let engine = Engine::new(&settings, &lake).context("set up the query engine")?;
    let scorecard = match &config.scorecard {
        None => Scorecard::built_in().context("read the built-in scorecard")?,
        Some(file) => std::fs::read_to_string(file)
            .map_err(anyhow::Error::new)
            .and_then(|text| Ok(Scorecard::parse(&text)?))
            .with_context(|| format!("read scorecard {}", file.display()))
            .map_err(Failure::Usage)?,
    };
    Ok(Shared {
        derived: Derived::new(lake.clone(), engine),
        config,
        lake,
        scorecard,
        board: Board::new(),
        health: Health::new(),
        stop,
        holds_first: AtomicBool::new(false),
    })
}

impl Shared {
    /// For an embedded lake whose configuration was made in the program.
    pub(crate) fn new(config: Config, lake: Lake, stop: Stop) -> Outcome<Self> {
        share(config, lake, stop)
    }

    fn holds_first(&self) -> bool {
        self.holds_first.load(Ordering::Relaxed)
    }

    /// Ingest tells which partitions it holds by now.
    fn tell_held<'a>(&self, mut held: impl Iterator<Item = &'a TopicPartition>) {
        let topics = self.config.kafka.as_ref().map(KafkaConfig::topics).unwrap_or_default();
        let holds_first = held.any(|partition| maintenance::is_first(&topics, partition));
        self.holds_first.store(holds_first, Ordering::Relaxed);
    }
}

async fn bind(address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))
}

/// The folder of a lake on this machine.
pub(crate) fn local_folder(location: &str) -> Option<std::path::PathBuf> {
    match location.split_once("://") {
        None => Some(location.into()),
        Some(("file", path)) => Some(path.into()),
        Some(_) => None,
    }
}

/// The clock as the roles see it.
pub(crate) fn today() -> turnwise_model::Day {
    clock::now().day()
}
