//! `demo`: everything at once on generated traffic, with nothing to configure or install.
//!
//! ```text
//!  generator ─▶ mock cluster (in the process) ─▶ ingest ─▶ lake ─▶ derive ─▶ board ─▶ table, gRPC
//!      ▲                                                    │
//!      └──────────── stays a little ahead of the offsets ───┘
//! ```
//!
//! The mock cluster keeps little of a partition, so the generator waits for the lake.

mod generator;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use turnwise_kafka::MockCluster;
use turnwise_lake::Lake;
use turnwise_model::Day;
use turnwise_query::answer::SenderAnswer;
use turnwise_serve::{serve_grpc, serve_http};
use turnwise_traffic::{Plan, Truth, truth};

use crate::args::{DemoArgs, DemoForm};
use crate::config::{Config, KafkaConfig, Start};
use crate::exit::{self, Outcome};
use crate::roles::{Deriver, IngestRole, Publisher, Shared};
use crate::scan::report;
use crate::stop::Stop;
use crate::{panics, runtime, secret, telemetry, writer};
use generator::{Generator, Progress};

/// Partitions of each of the two topics.
const PARTITIONS: i32 = 8;
/// How often verdicts are looked at while rows come in.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Commits come sooner than in production: people look on.
const COMMIT_AGE_MS: i64 = 500;

/// Runs the command.
pub(crate) fn run(args: &DemoArgs, stop: Stop) -> Outcome {
    let prometheus = turnwise_serve::install_recorder().context("set up metrics")?;
    telemetry::describe_metrics();
    std::fs::create_dir_all(&args.dir)
        .with_context(|| format!("make folder {}", args.dir.display()))?;
    let keys = secret::read_or_make(&secret_file(&args.dir), Some(&args.dir))?;
    let location = args.dir.to_str().context("open lake: its path is not UTF-8")?.to_owned();
    let lake = Lake::open(&location, &BTreeMap::new())
        .with_context(|| format!("open lake {}", args.dir.display()))?;
    secret::check(&lake, &keys)?;
    writer::events_table(&lake).context("open events")?;
    let plan = Plan::new(args.seed, args.messages);
    // Topics are new in each run, since what the mock cluster holds ends with the process.
    let run = uuid::Uuid::new_v4().simple().to_string();
    let topics = [format!("webhooks-{run}"), format!("sends-{run}")];
    let cluster = MockCluster::start(&[(&topics[0], PARTITIONS), (&topics[1], PARTITIONS)])
        .context("start the mock cluster")?;
    let config = config(&location, &args.dir, &cluster, &topics);
    let shared = Arc::new(Shared::new(config, lake, stop)?);
    let runtime = runtime::new()?;
    runtime.block_on(async {
        let http = TcpListener::bind("127.0.0.1:0").await.context("listen for metrics")?;
        let grpc = TcpListener::bind("127.0.0.1:0").await.context("listen for gRPC")?;
        introduce(args, &grpc, &http)?;
        let mut tasks = tokio::task::JoinSet::new();
        let (health, stop) = (shared.health.clone(), shared.stop.clone());
        tasks.spawn(async move {
            let served = serve_http(http, prometheus, health, async move { stop.wait().await });
            served.await.context("serve metrics")
        });
        let (board, stop) = (shared.board.clone(), shared.stop.clone());
        tasks.spawn(async move {
            serve_grpc(grpc, board, async move { stop.wait().await }).await.context("serve gRPC")
        });
        let ingest = IngestRole::new(&shared, keys)?;
        tasks.spawn_blocking(move || ingest.run());
        let progress = Progress::default();
        let generator = Generator::new(&shared, &cluster, plan.clone(), topics, progress.clone())?;
        tasks.spawn_blocking(move || generator.run());
        let shown = tokio::select! {
            shown = show(args, &shared, &plan, &progress, &mut tasks) => shown,
            // What is being derived is left for the next run.
            () = shared.stop.wait() => Ok(()),
        };
        shared.stop.stop();
        while let Some(task) = tasks.join_next().await {
            panics::joined(task, "a part of the demo")??;
        }
        shown
    })?;
    Ok(())
}

/// The secret lies beside the lake's folder, not in it, also where that is called `.`.
fn secret_file(lake: &Path) -> std::path::PathBuf {
    let lake = lake.canonicalize().unwrap_or_else(|_| lake.to_owned());
    let name = lake.file_name().unwrap_or_default().to_string_lossy();
    lake.with_file_name(format!("{name}.secret"))
}

fn config(location: &str, dir: &Path, cluster: &MockCluster, topics: &[String; 2]) -> Config {
    Config {
        kafka: Some(KafkaConfig {
            brokers: vec![cluster.bootstrap()],
            group: "turnwise-demo".to_owned(),
            member: None,
            webhook_topics: vec![topics[0].clone()],
            send_topics: vec![topics[1].clone()],
            formats: BTreeMap::new(),
            start: Start::Earliest,
            topic_ids: false,
            properties: BTreeMap::new(),
        }),
        ingest_name: "demo".to_owned(),
        commit_age_ms: COMMIT_AGE_MS,
        derive_interval_s: LOOK_EVERY.as_secs(),
        ..Config::embedded(location, secret_file(dir))
    }
}

fn introduce(args: &DemoArgs, grpc: &TcpListener, http: &TcpListener) -> anyhow::Result<()> {
    let dir = args.dir.display();
    exit::complain(&format!("gRPC     {}", grpc.local_addr()?));
    exit::complain(&format!("metrics  http://{}/metrics", http.local_addr()?));
    exit::complain(&format!(
        "SQL      turnwise sql --lake {dir} \"SELECT sender, verdict, scope FROM verdicts ORDER BY scope DESC\""
    ));
    Ok(())
}

/// Derives and shows until the verdicts are there, and unless `--once` until the end.
async fn show(
    args: &DemoArgs,
    shared: &Arc<Shared>,
    plan: &Plan,
    progress: &Progress,
    tasks: &mut tokio::task::JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    // The traffic ends at a midnight of the past, which is the next one as far as it knows.
    let today = Day(plan.end.day().0 - 1);
    let mut deriver = Deriver::open(Arc::clone(shared)).await?;
    let mut publisher = Publisher::open(Arc::clone(shared)).await?;
    let live = std::io::stdout().is_terminal() && args.format == DemoForm::Table;
    let mut drawn = 0;
    loop {
        let is_complete = progress.is_committed();
        deriver.tick(today, None).await?;
        publisher.publish(deriver.read_to()).await?;
        let answers = answers(shared);
        if live {
            drawn = draw(drawn, &answers, progress)?;
        } else {
            exit::complain(&progress.line());
        }
        if is_complete {
            break;
        }
        if wait(shared, LOOK_EVERY, tasks).await? {
            return Ok(());
        }
    }
    if !live {
        result(args, &answers(shared), &truth(plan))?;
    }
    if !args.once {
        exit::complain("ready; Ctrl-C ends it");
        while !wait(shared, LOOK_EVERY, tasks).await? {}
    }
    Ok(())
}

/// Waits; true where somebody wants it to end. A part that failed ends it with its error.
async fn wait(
    shared: &Shared,
    time: Duration,
    tasks: &mut tokio::task::JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<bool> {
    let sleep = tokio::time::sleep(time);
    tokio::pin!(sleep);
    loop {
        tokio::select! {
            () = &mut sleep => return Ok(false),
            () = shared.stop.wait() => return Ok(true),
            Some(ended) = tasks.join_next() => panics::joined(ended, "a part of the demo")??,
        }
    }
}

fn answers(shared: &Shared) -> Vec<SenderAnswer> {
    let published = shared.board.current();
    let senders = published.iter().flat_map(|published| &published.senders);
    senders.map(|sender| sender.answer.as_ref().clone()).collect()
}

/// Draws the table over the one before; returns its lines.
fn draw(before: usize, answers: &[SenderAnswer], progress: &Progress) -> anyhow::Result<usize> {
    let text = format!("{}{}\n", report::table(answers), progress.line());
    let mut out = std::io::stdout().lock();
    if before > 0 {
        write!(out, "\x1b[{before}A\x1b[J").context("draw")?;
    }
    write!(out, "{text}").context("draw")?;
    out.flush().context("draw")?;
    Ok(text.lines().count())
}

fn result(args: &DemoArgs, answers: &[SenderAnswer], truth: &[Truth]) -> anyhow::Result<()> {
    let text = match args.format {
        DemoForm::Table => report::table(answers),
        DemoForm::Json => {
            let mut senders = report::senders_json(answers);
            for sender in &mut senders {
                let number = sender["sender"].as_str().unwrap_or_default().to_owned();
                if let Some(known) = truth.iter().find(|known| known.phone_number_id == number) {
                    sender["profile"] = known.profile.name().into();
                    sender["class"] = known.class.name().into();
                }
            }
            serde_json::to_string_pretty(&senders).context("write JSON")? + "\n"
        }
    };
    exit::write(&text)
}
