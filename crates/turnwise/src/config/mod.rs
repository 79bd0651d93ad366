//! The configuration of the roles: file, overridden by the environment, checked once.
//!
//! ```text
//!  turnwise.toml ─┐
//!                 ├─▶ raw values ─▶ every mistake at once, or Config
//!  TURNWISE_S__K ─┘
//! ```
//!
//! No other environment variable is configuration: only names with a double underscore are.

mod raw;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde::de::DeserializeOwned;
use turnwise_codec::Format;
use turnwise_model::{Millis, limits};

use crate::args::parse_time;
use crate::exit::{Failure, Outcome};

/// Where the environment's names begin.
const PREFIX: &str = "TURNWISE_";
/// A consumer group of our own, so that offsets of others are never touched.
const GROUP: &str = "turnwise";
/// The ingest name in the offsets' keys where only one ingest writes to the lake.
const INGEST_NAME: &str = "ingest";
/// New verdicts within half a minute of the events.
const DERIVE_INTERVAL_S: u64 = 30;
/// The longest pause between two looks at new rows: a day.
const DERIVE_INTERVAL_S_MAX: u64 = 86_400;
/// Loopback, until somebody decides who may see answers.
const GRPC_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 50_051);
/// Loopback, for metrics and probes.
const HTTP_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9_464);
/// The fewest bytes that a query can work with.
const QUERY_MEMORY_BYTES_MIN: u64 = 64 << 20;
/// Commits may not be so young that the log only holds commits.
const COMMIT_AGE_MS_MIN: u64 = 100;

/// Where a partition is read from that the lake knows no offset of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Its first record.
    Earliest,
    /// Only what comes from now on.
    Latest,
    /// Its first record at or after this time.
    At(Millis),
}

/// `[kafka]`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KafkaConfig {
    /// `host:port`, some of the cluster.
    pub(crate) brokers: Vec<String>,
    /// The consumer group.
    pub(crate) group: String,
    /// This process's lasting name in the group, if it has one.
    pub(crate) member: Option<String>,
    /// Topics of webhooks.
    pub(crate) webhook_topics: Vec<String>,
    /// Topics of send records.
    pub(crate) send_topics: Vec<String>,
    /// Wire formats by topic; records of other topics tell theirs themselves.
    pub(crate) formats: BTreeMap<String, Format>,
    /// Where the first start reads from.
    pub(crate) start: Start,
    /// Whether topics are told apart by their ids, as every cluster but a mock one can.
    pub(crate) topic_ids: bool,
    /// Passed to librdkafka as they are; may hold passwords, so never printed.
    pub(crate) properties: BTreeMap<String, String>,
}

impl KafkaConfig {
    /// All topics, each once.
    pub(crate) fn topics(&self) -> Vec<String> {
        let both = self.webhook_topics.iter().chain(&self.send_topics);
        both.cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What the records of a topic are.
    pub(crate) fn format_of(&self, topic: &str) -> Format {
        self.formats.get(topic).copied().unwrap_or(Format::Auto)
    }
}

impl std::fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaConfig").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

/// The configuration, checked.
#[derive(Clone)]
pub(crate) struct Config {
    /// The input; a role that reads none needs none.
    pub(crate) kafka: Option<KafkaConfig>,
    /// A path, `file://` or `s3://` address.
    pub(crate) lake_location: String,
    /// Options of the lake's store; may hold keys, so never printed.
    pub(crate) lake_options: BTreeMap<String, String>,
    /// The file of the secret, outside the lake.
    pub(crate) secret_file: PathBuf,
    /// The name of this ingest in the offsets' keys.
    pub(crate) ingest_name: String,
    /// Age at which what was read is committed.
    pub(crate) commit_age_ms: i64,
    /// Bytes that are committed at once.
    pub(crate) commit_bytes: usize,
    /// Bytes held above which reading pauses.
    pub(crate) buffer_bytes: usize,
    /// Seconds from one look at new rows to the next.
    pub(crate) derive_interval_s: u64,
    /// A scorecard instead of the built-in one.
    pub(crate) scorecard: Option<PathBuf>,
    /// A table of senders with their tenants and names.
    pub(crate) senders: Option<PathBuf>,
    /// Where gRPC listens.
    pub(crate) grpc_listen: SocketAddr,
    /// Where metrics and probes listen.
    pub(crate) http_listen: SocketAddr,
    /// Bytes that queries may hold.
    pub(crate) query_memory_bytes: usize,
    /// Where they spill.
    pub(crate) query_spill_folder: Option<PathBuf>,
    /// Bytes they may spill.
    pub(crate) query_spill_bytes: u64,
}

impl Config {
    /// For a lake that the program itself keeps: without Kafka, by the usual limits, on ports that
    /// the system chooses.
    pub(crate) fn embedded(lake_location: &str, secret_file: PathBuf) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            kafka: None,
            lake_location: lake_location.to_owned(),
            lake_options: BTreeMap::new(),
            secret_file,
            ingest_name: INGEST_NAME.to_owned(),
            commit_age_ms: limits::COMMIT_AGE_MS,
            commit_bytes: limits::COMMIT_BYTES,
            buffer_bytes: limits::INGEST_BUFFER_BYTES_MAX,
            derive_interval_s: DERIVE_INTERVAL_S,
            scorecard: None,
            senders: None,
            grpc_listen: loopback,
            http_listen: loopback,
            query_memory_bytes: limits::QUERY_MEMORY_BYTES,
            query_spill_folder: None,
            query_spill_bytes: limits::QUERY_SPILL_BYTES,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("kafka", &self.kafka).finish_non_exhaustive()
    }
}

/// The configuration of a file, overridden by this process's environment.
pub(crate) fn read(file: &Path) -> Outcome<Config> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let context = format!("read configuration {}", file.display());
        Failure::Usage(anyhow::Error::new(error).context(context))
    })?;
    load(&text, std::env::vars_os().filter_map(text_pair)).map_err(|mistakes| {
        let list = mistakes.join("\n  ");
        Failure::usage(format!("configuration {}:\n  {list}", file.display()))
    })
}

/// A variable whose name and value are text; others are not ours.
fn text_pair((name, value): (OsString, OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

/// Reads a text and variables over it; every mistake, each with the path of its key.
pub(crate) fn load(
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, Vec<String>> {
    let mut figment = Figment::from(Toml::string(text));
    for (name, value) in environment {
        let Some(name) = name.strip_prefix(PREFIX).filter(|name| name.contains("__")) else {
            continue;
        };
        figment = figment.merge((name.to_lowercase().replace("__", "."), written(&value)));
    }
    let root: figment::value::Dict = match figment.extract() {
        Ok(root) => root,
        Err(error) => return Err(error.into_iter().map(|error| error.kind.to_string()).collect()),
    };
    let mut checker = Checker { figment, mistakes: Vec::new() };
    checker
        .mistakes
        .extend(raw::unknown_keys(&root).iter().map(|key| format!("{key}: unknown key")));
    let config = checker.config();
    match config {
        Some(config) if checker.mistakes.is_empty() => Ok(config),
        _ => Err(checker.mistakes),
    }
}

/// A variable's value as TOML would have it, else as a text.
fn written(value: &str) -> toml::Value {
    let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"));
    let only = parsed.ok().filter(|table| table.len() == 1);
    only.and_then(|mut table| table.remove("value"))
        .filter(|value| !value.is_datetime())
        .unwrap_or_else(|| value.into())
}

/// Takes values one by one and notes what is wrong with each.
struct Checker {
    figment: Figment,
    mistakes: Vec<String>,
}

impl Checker {
    fn wrong(&mut self, key: &str, problem: impl std::fmt::Display) {
        self.mistakes.push(format!("{key}: {problem}"));
    }

    fn value<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let found = self.figment.find_value(key).ok()?;
        match found.deserialize::<T>() {
            Ok(value) => Some(value),
            Err(error) => {
                // The kind alone: the value may be a password.
                let problem = match error.kind {
                    figment::error::Kind::InvalidType(_, expected) => {
                        format!("expected {expected}")
                    }
                    _ => "this value cannot be meant".to_owned(),
                };
                self.wrong(key, problem);
                None
            }
        }
    }

    fn needed(&mut self, key: &str) -> Option<String> {
        let value = self.text(key);
        if value.is_none() {
            self.wrong(key, "missing");
        }
        value
    }

    /// A text that is not empty.
    fn text(&mut self, key: &str) -> Option<String> {
        let value = self.figment.find_value(key).ok()?;
        raw::as_text(&value).filter(|text| !text.trim().is_empty())
    }

    fn number(&mut self, key: &str, default: u64, least: u64, most: u64) -> u64 {
        let Some(value) = self.value::<u64>(key) else { return default };
        if !(least..=most).contains(&value) {
            self.wrong(key, format!("expected {least} to {most}"));
        }
        value
    }

    fn list(&mut self, key: &str) -> Vec<String> {
        self.value::<raw::Texts>(key).map(raw::Texts::list).unwrap_or_default()
    }

    fn free(&mut self, section: &str) -> BTreeMap<String, String> {
        let Ok(value) = self.figment.find_value(section) else { return BTreeMap::new() };
        let mut found = BTreeMap::new();
        match value.as_dict() {
            Some(dict) => raw::flat(dict, "", &mut found),
            None => self.wrong(section, "expected a table"),
        }
        let mut texts = BTreeMap::new();
        for (name, value) in found {
            match value {
                Some(value) => drop(texts.insert(name, value)),
                None => self.wrong(&format!("{section}.{name}"), "expected a text or a number"),
            }
        }
        texts
    }

    fn address(&mut self, key: &str, default: SocketAddr) -> SocketAddr {
        let Some(text) = self.text(key) else { return default };
        text.parse().unwrap_or_else(|_| {
            self.wrong(key, "expected an address such as 127.0.0.1:9464");
            default
        })
    }

    fn file(&mut self, key: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(key)?);
        if !path.is_file() {
            self.wrong(key, "there is no such file");
        }
        Some(path)
    }

    fn kafka(&mut self) -> Option<KafkaConfig> {
        self.figment.find_value("kafka").ok()?;
        let start = match self.text("kafka.start").as_deref() {
            None | Some("earliest") => Start::Earliest,
            Some("latest") => Start::Latest,
            Some(time) => parse_time(time).map(Start::At).unwrap_or_else(|_| {
                self.wrong("kafka.start", "expected earliest, latest or an RFC 3339 time");
                Start::Earliest
            }),
        };
        let brokers = self.list("kafka.brokers");
        if brokers.is_empty() {
            self.wrong("kafka.brokers", "missing");
        }
        let (webhook_topics, send_topics) =
            (self.list("kafka.webhook_topics"), self.list("kafka.send_topics"));
        if webhook_topics.is_empty() {
            self.wrong("kafka.webhook_topics", "missing");
        }
        if webhook_topics.iter().any(|topic| send_topics.contains(topic)) {
            self.wrong("kafka.send_topics", "a topic is also one of webhooks");
        }
        let formats = self.formats(&webhook_topics, &send_topics);
        Some(KafkaConfig {
            brokers,
            group: self.text("kafka.group").unwrap_or_else(|| GROUP.to_owned()),
            member: self.text("kafka.member"),
            webhook_topics,
            send_topics,
            formats,
            topic_ids: true,
            start,
            properties: self.free("kafka.properties"),
        })
    }

    fn formats(&mut self, webhooks: &[String], sends: &[String]) -> BTreeMap<String, Format> {
        let mut formats = BTreeMap::new();
        for (topic, name) in self.free("kafka.formats") {
            let key = format!("kafka.formats.{topic}");
            if !webhooks.contains(&topic) && !sends.contains(&topic) {
                self.wrong(&key, "neither webhook_topics nor send_topics has this topic");
            }
            match name.parse() {
                Ok(format) => drop(formats.insert(topic, format)),
                Err(unknown) => self.wrong(&key, unknown),
            }
        }
        formats
    }

    fn config(&mut self) -> Option<Config> {
        let kafka = self.kafka();
        let lake_location = self.needed("lake.location");
        let scheme = lake_location.as_deref().and_then(|location| location.split_once("://"));
        if scheme.is_some_and(|(scheme, _)| !matches!(scheme, "file" | "s3")) {
            self.wrong("lake.location", "expected a folder, a file:// or an s3:// address");
        }
        let secret_file = self.needed("secret.file").map(PathBuf::from);
        let bytes = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let buffer_max = limits::INGEST_BUFFER_BYTES_MAX as u64;
        let deadline = limits::COMMIT_DEADLINE_MS.unsigned_abs() / 10;
        let age = limits::COMMIT_AGE_MS.unsigned_abs();
        let age = self.number("ingest.commit_age_ms", age, COMMIT_AGE_MS_MIN, deadline);
        let commit = limits::COMMIT_BYTES as u64;
        let commit = self.number("ingest.commit_bytes", commit, 1 << 20, buffer_max);
        let buffer = self.number("ingest.buffer_bytes", buffer_max, 1 << 20, buffer_max);
        if commit > buffer {
            self.wrong("ingest.commit_bytes", "more than ingest.buffer_bytes");
        }
        let memory = limits::QUERY_MEMORY_BYTES as u64;
        Some(Config {
            kafka,
            lake_options: self.free("lake.options"),
            ingest_name: self.text("ingest.name").unwrap_or_else(|| INGEST_NAME.to_owned()),
            commit_age_ms: i64::try_from(age).unwrap_or(limits::COMMIT_AGE_MS),
            commit_bytes: bytes(commit),
            buffer_bytes: bytes(buffer),
            derive_interval_s: self.number(
                "derive.interval_s",
                DERIVE_INTERVAL_S,
                1,
                DERIVE_INTERVAL_S_MAX,
            ),
            scorecard: self.file("derive.scorecard"),
            senders: self.file("derive.senders"),
            grpc_listen: self.address("serve.grpc_listen", GRPC_LISTEN),
            http_listen: self.address("serve.http_listen", HTTP_LISTEN),
            query_memory_bytes: bytes(self.number(
                "query.memory_bytes",
                memory,
                QUERY_MEMORY_BYTES_MIN,
                u64::MAX,
            )),
            query_spill_folder: self.text("query.spill_folder").map(PathBuf::from),
            query_spill_bytes: self.number(
                "query.spill_bytes",
                limits::QUERY_SPILL_BYTES,
                0,
                u64::MAX,
            ),
            lake_location: lake_location?,
            secret_file: secret_file?,
        })
    }
}

#[cfg(test)]
mod tests;
