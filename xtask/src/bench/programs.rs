//! The programs that the benches run, built in the release profile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::suite::cargo;

/// What the benches' package is built with.
const FEATURES: &str = "turnwise-benches/queries,turnwise-benches/streaming";

/// Paths of built programs by name.
#[derive(Debug)]
pub(super) struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Builds what writes the data set, what runs queries, and the product.
    pub(super) fn build() -> Result<Self> {
        let packages = ["-p", "turnwise", "-p", "turnwise-benches"];
        build(&[&packages[..], &["--features", FEATURES, "--bins"]].concat()).map(Self)
    }

    pub(super) fn get(&self, name: &str) -> Result<&Path> {
        let found = self.0.get(name).map(PathBuf::as_path);
        found.with_context(|| format!("find the program {name} among what cargo built"))
    }
}

fn build(arguments: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
    eprintln!("building");
    let output = cargo()
        .args(["build", "--release", "--message-format=json-render-diagnostics"])
        .args(arguments)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("run cargo build")?;
    if !output.status.success() {
        bail!("cargo build: {}", output.status);
    }
    let mut programs = BTreeMap::new();
    for line in output.stdout.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
        if let (Some(name), Some(path)) =
            (message["target"]["name"].as_str(), message["executable"].as_str())
        {
            programs.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    Ok(programs)
}
