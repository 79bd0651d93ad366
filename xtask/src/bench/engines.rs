//! What runs a query over a layout.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Options;
use super::compare::Query;
use super::layouts::{COMPACTED, Layout, Place};
use super::peers::{self, PEERS, Peer};
use super::process::Measured;
use super::programs::Programs;
use crate::suite::root;

/// The name of our own side.
const TURNWISE: &str = "turnwise";

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Turnwise,
    /// Our reader alone: the same columns, decoded and thrown away.
    Decode,
    Peer(Peer),
}

/// The programs of all engines.
pub(super) struct Engines<'a> {
    options: &'a Options,
    programs: &'a Programs,
    python: PathBuf,
}

impl Engine {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Turnwise => TURNWISE,
            Self::Decode => "decode alone",
            Self::Peer(peer) => peer.name,
        }
    }

    /// How tables show it.
    pub(super) fn title(self) -> String {
        match self {
            Self::Turnwise => "**Turnwise**".to_owned(),
            Self::Decode => "decoding alone".to_owned(),
            Self::Peer(peer) => peer.title(),
        }
    }
}

impl<'a> Engines<'a> {
    /// Installs the peers if any is asked for.
    pub(super) fn new(options: &'a Options, programs: &'a Programs) -> Result<Self> {
        let wants_peer = PEERS.iter().any(|peer| options.wants_engine(peer.name));
        let python = if wants_peer { peers::environment()? } else { PathBuf::new() };
        Ok(Self { options, programs, python })
    }

    /// Our own side alone.
    pub(super) fn without_peers(options: &'a Options, programs: &'a Programs) -> Self {
        Self { options, programs, python: PathBuf::new() }
    }

    /// The engines that can read a layout and are asked for.
    pub(super) fn of(&self, layout: Layout) -> Vec<Engine> {
        let mut engines = Vec::new();
        if self.options.wants_engine(TURNWISE) {
            engines.push(Engine::Turnwise);
            if layout.query != Query::A && layout.place == Place::Parquet {
                engines.push(Engine::Decode);
            }
        }
        if layout.place != Place::Lake {
            let wanted = PEERS.into_iter().filter(|peer| self.options.wants_engine(peer.name));
            engines.extend(wanted.map(Engine::Peer));
        }
        engines
    }

    /// The command that runs an engine once over a layout of the data set in a folder.
    pub(super) fn command(
        &self,
        engine: Engine,
        layout: Layout,
        folder: &Path,
        out: &Path,
    ) -> Result<Measured> {
        let file = folder.join(layout.file);
        let threads = self.options.threads.to_string();
        let command = match engine {
            Engine::Peer(peer) => self.peer(peer, layout),
            Engine::Turnwise | Engine::Decode => self.own(engine, layout)?,
        };
        Ok(command.arg("--file").arg(file).arg("--threads").arg(threads).arg("--out").arg(out))
    }

    fn peer(&self, peer: Peer, layout: Layout) -> Measured {
        let command = Measured::new(&self.python)
            .arg(peers::script())
            .arg("--engine")
            .arg(peer.name)
            .arg("--query")
            .arg(layout.query.name())
            .arg("--openers")
            .arg(root().join("crates/kernels/data/openers.tsv"));
        match layout.place {
            Place::Memory => command.arg("--memory"),
            _ if layout.name == COMPACTED => command.arg("--ordered"),
            _ => command,
        }
    }

    fn own(&self, engine: Engine, layout: Layout) -> Result<Measured> {
        let source = match layout.place {
            Place::Parquet => "parquet",
            Place::Memory => "memory",
            Place::Lake => "lake",
        };
        let command = Measured::new(self.programs.get("bench-query")?)
            .arg("--query")
            .arg(layout.query.name())
            .arg("--source")
            .arg(source);
        Ok(if engine == Engine::Decode { command.arg("--decode-only") } else { command })
    }
}
