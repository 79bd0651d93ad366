//! The configuration as it is written: every key optional, every value still unchecked.

use std::collections::BTreeMap;

use figment::value::{Dict, Value};
use serde::Deserialize;

/// Sections and their keys; what is not here is a mistake.
pub(crate) const KEYS: &[(&str, &[&str])] = &[
    ("kafka", &["brokers", "group", "member", "webhook_topics", "send_topics", "start"]),
    ("kafka.formats", &["*"]),
    ("kafka.properties", &["*"]),
    ("lake", &["location"]),
    ("lake.options", &["*"]),
    ("secret", &["file"]),
    ("ingest", &["name", "commit_age_ms", "commit_bytes", "buffer_bytes"]),
    ("derive", &["interval_s", "scorecard", "senders"]),
    ("serve", &["grpc_listen", "http_listen"]),
    ("query", &["memory_bytes", "spill_folder", "spill_bytes"]),
];

/// A value that may be written as one text with commas (as in the environment) or as a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Texts {
    /// `a,b`.
    One(String),
    /// `["a", "b"]`.
    Many(Vec<String>),
}

impl Texts {
    /// The parts, without empty ones.
    pub(crate) fn list(self) -> Vec<String> {
        let parts = match self {
            Self::One(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            Self::Many(list) => list,
        };
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }
}

/// A number or a truth value as the text that librdkafka and stores take.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| value.to_bool().map(|value| value.to_string()))
        .or_else(|| value.to_i128().map(|value| value.to_string()))
        .or_else(|| value.to_f64().map(|value| value.to_string()))
}

/// The names under `known` sections that no key has, as paths.
pub(crate) fn unknown_keys(root: &Dict) -> Vec<String> {
    let mut unknown = Vec::new();
    for (section, value) in root {
        let keys = KEYS.iter().find(|(name, _)| name == section).map(|(_, keys)| *keys);
        let (Some(keys), Some(values)) = (keys, value.as_dict()) else {
            unknown.push(section.clone());
            continue;
        };
        for (key, value) in values {
            let path = format!("{section}.{key}");
            let is_section =
                KEYS.iter().any(|(name, _)| *name == path) && value.as_dict().is_some();
            if !is_section && !keys.contains(&key.as_str()) {
                unknown.push(path);
            }
        }
    }
    unknown
}

/// Free names of a section such as `kafka.formats`; nested tables are names with dots, as
/// TOML reads `sasl.username = "…"`. Nested ones win: the environment, which can quote no dots, has
/// no others, and it overrides the file.
pub(crate) fn flat(dict: &Dict, prefix: &str, found: &mut BTreeMap<String, Option<String>>) {
    let name =
        |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    for (key, value) in dict.iter().filter(|(_, value)| value.as_dict().is_none()) {
        found.insert(name(key), as_text(value));
    }
    for (key, inner) in dict.iter().filter_map(|(key, value)| Some((key, value.as_dict()?))) {
        flat(inner, &name(key), found);
    }
}
