//! The engines that Turnwise is compared with, in a Python environment of their own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache;
use crate::readers::run_quietly;
use crate::suite::root;
use crate::tools::{Tool, require};

/// The packages with their versions.
const REQUIREMENTS: &str = include_str!("../../python/peers/requirements.txt");

/// A peer: its name for `run.py`, and how tables show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    package: &'static str,
    shown: &'static str,
}

/// All peers.
pub(super) const PEERS: [Peer; 4] = [
    Peer { name: "duckdb", package: "duckdb", shown: "DuckDB" },
    Peer { name: "chdb", package: "chdb-core", shown: "ClickHouse (chDB)" },
    Peer { name: "polars", package: "polars", shown: "Polars" },
    Peer { name: "datafusion", package: "datafusion", shown: "DataFusion SQL" },
];

impl Peer {
    /// Its name and version.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.shown, version(self.package).unwrap_or("?"))
    }
}

fn version(package: &str) -> Option<&'static str> {
    REQUIREMENTS
        .lines()
        .find_map(|line| line.split_once("==").filter(|(name, _)| *name == package))
        .map(|(_, version)| version)
}

/// The script that runs a query on a peer.
pub(super) fn script() -> PathBuf {
    root().join("xtask/python/peers/run.py")
}

/// The Python of an environment that has the peers.
///
/// # Errors
/// When Python is missing or the packages cannot be installed.
pub(super) fn environment() -> Result<PathBuf> {
    require(&[Tool::Python])?;
    let name = format!("peers-{:016x}", fingerprint(REQUIREMENTS));
    let path = cache::entry(&cache::folder()?.join("python"), &name, |path| {
        eprintln!("installing the peers");
        // pip makes the programs refer to this path, so it is made in place.
        fs::create_dir_all(path).context("create folder")?;
        run_quietly(Command::new("python3").args(["-m", "venv"]).arg(path))?;
        let requirements = path.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS).context("write requirements")?;
        run_quietly(
            Command::new(path.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(&requirements),
        )
    })?;
    Ok(path.join("bin/python"))
}

/// FNV-1a: other requirements are another environment.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_pinned_version() {
        for peer in PEERS {
            assert!(version(peer.package).is_some(), "{}", peer.name);
            assert!(!peer.title().ends_with('?'));
        }
        assert!(REQUIREMENTS.lines().all(|line| line.contains("==")));
        assert_ne!(fingerprint("a==1"), fingerprint("a==2"));
    }
}
