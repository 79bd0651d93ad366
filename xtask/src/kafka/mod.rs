//! Apache Kafka for tests: one KRaft broker on loopback ports, with files that die with it.
//!
//! ```text
//! jars (Maven, cached) → format storage → java kafka.Kafka ──log──▶ "started"? → ApiVersions answers? → ready
//!                                             ▲
//!                          guard: kills the broker when this process dies, however it dies
//! ```

mod jars;
mod probe;
mod process;

pub use jars::{VERSION, home};

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use process::Process;

/// Tries at a start, since another process may take a free port first.
const START_ATTEMPTS_MAX: u32 = 5;
/// How long one start may take, on a busy machine too.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// What a broker is started with.
#[derive(Clone, Debug)]
pub struct BrokerOptions {
    /// Port of the clients' listener; a free one when absent.
    pub port: Option<u16>,
    /// Further lines of `server.properties`; they win over the built-in ones.
    pub properties: Vec<(String, String)>,
    /// Largest Java heap.
    pub heap_mib: u32,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self { port: None, properties: Vec::new(), heap_mib: 512 }
    }
}

/// A running broker; dropping it kills it and removes its files.
#[derive(Debug)]
pub struct Broker {
    process: Process,
    options: BrokerOptions,
    ports: Ports,
    home: PathBuf,
    folder: TempDir,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    client: u16,
    controller: u16,
}

impl Broker {
    /// Starts a broker and waits until it answers requests.
    ///
    /// # Errors
    /// When Kafka cannot be fetched, or no broker comes up; the end of its log is part of the error.
    pub fn start(options: BrokerOptions) -> Result<Self> {
        let home = home()?;
        let mut last = None;
        for _ in 0..START_ATTEMPTS_MAX {
            match Self::attempt(&options, &home) {
                Ok(broker) => return Ok(broker),
                Err(error) => last = Some(error),
            }
            // Only a port that we chose ourselves can be chosen anew.
            if options.port.is_some() {
                break;
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no attempt was made")).context("start Kafka"))
    }

    fn attempt(options: &BrokerOptions, home: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("turnwise-kafka-").tempdir()?;
        let ports = free_ports(options.port)?;
        let properties = folder.path().join("server.properties");
        std::fs::write(&properties, server_properties(options, ports, folder.path()))
            .context("write server.properties")?;
        format_storage(home, &properties)?;
        let process = launch(options, home, folder.path(), ports)?;
        Ok(Self { process, options: options.clone(), ports, home: home.to_owned(), folder })
    }

    /// Address of the clients' listener, `host:port`.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.ports.client)
    }

    /// Process id of the broker.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Folder of the broker's jars.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Kills the broker at once (SIGKILL) and keeps its data for [`Broker::restart`].
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts the broker again on the same ports with the same data, killing it first if it runs.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = launch(&self.options, &self.home, self.folder.path(), self.ports)
            .context("restart Kafka")?;
        Ok(())
    }

    /// Stops the broker from running (SIGSTOP) until [`Broker::resume`].
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn pause(&self) -> Result<()> {
        self.process.signal("STOP")
    }

    /// Lets a paused broker run on.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn resume(&self) -> Result<()> {
        self.process.signal("CONT")
    }

    /// Waits until the broker ends by itself.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn wait(&mut self) -> Result<()> {
        self.process.wait()
    }

    /// Kills the broker and removes its files.
    pub fn stop(self) {}
}

/// Two ports that were free a moment ago.
fn free_ports(client: Option<u16>) -> Result<Ports> {
    // Both are held at once, so that they differ.
    let one = TcpListener::bind(("127.0.0.1", client.unwrap_or(0))).context("bind client port")?;
    let two = TcpListener::bind(("127.0.0.1", 0)).context("bind controller port")?;
    Ok(Ports { client: one.local_addr()?.port(), controller: two.local_addr()?.port() })
}

/// The broker's configuration; of two lines with one key the last counts.
fn server_properties(options: &BrokerOptions, ports: Ports, folder: &Path) -> String {
    let Ports { client, controller } = ports;
    let logs = folder.join("data");
    let mut text = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{client}\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         log.dirs={}\n\
         num.partitions=1\n\
         default.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         offsets.topic.replication.factor=1\n\
         transaction.state.log.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.num.partitions=4\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n",
        logs.display()
    );
    for (key, value) in &options.properties {
        text.push_str(&format!("{key}={value}\n"));
    }
    text
}

fn class_path(home: &Path) -> String {
    format!("{}/*", home.display())
}

fn format_storage(home: &Path, properties: &Path) -> Result<()> {
    // Any 16 bytes in URL-safe base64 are a cluster id; the folder's random name makes it differ.
    let output = Command::new("java")
        .args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", &class_path(home)])
        .args(["kafka.tools.StorageTool", "random-uuid"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .context("run java")?;
    let cluster = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || cluster.is_empty() {
        bail!("choose a cluster id: {}", output.status);
    }
    let output = Command::new("java")
        .args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", &class_path(home)])
        .args(["kafka.tools.StorageTool", "format", "--cluster-id", &cluster, "--config"])
        .arg(properties)
        .stdin(Stdio::null())
        .output()
        .context("run java")?;
    if !output.status.success() {
        bail!("format storage: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn launch(options: &BrokerOptions, home: &Path, folder: &Path, ports: Ports) -> Result<Process> {
    let mut command = Command::new("java");
    command
        .arg(format!("-Xmx{}m", options.heap_mib))
        .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=info", "-cp", &class_path(home)])
        .arg("kafka.Kafka")
        .arg(folder.join("server.properties"));
    let mut process = Process::spawn(command, folder)?;
    // The line says that it is our broker; the answer says that its listener serves.
    process.wait_for_line("Kafka Server started", START_TIMEOUT)?;
    probe::wait_until_answering(ports.client, START_TIMEOUT)?;
    Ok(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ_and_a_wished_port_is_kept() {
        let ports = free_ports(None).expect("ports");
        assert_ne!(ports.client, ports.controller);
    }

    #[test]
    fn wished_properties_come_after_the_built_in_ones() {
        let options = BrokerOptions {
            properties: vec![("num.partitions".into(), "7".into())],
            ..BrokerOptions::default()
        };
        let text =
            server_properties(&options, Ports { client: 1, controller: 2 }, Path::new("/data"));
        assert!(text.ends_with("num.partitions=7\n"));
    }
}
