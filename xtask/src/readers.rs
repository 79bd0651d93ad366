//! `cargo xtask readers`: the lake's tables as other Delta readers see them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::cache;
use crate::tools::{Tool, require};

/// The readers. The extension of DuckDB is a package of its own and fits one version only.
const PACKAGES: [&str; 3] = ["deltalake==1.6.6", "duckdb==1.5.5", "duckdb-extension-delta==1.5.5"];
/// Names the set of packages in the cache.
const ENVIRONMENT: &str = "deltalake-1.6.6-duckdb-1.5.5";
const SCRIPT: &str = include_str!("../python/readers.py");

/// Reads each table under `lake` with delta-rs and DuckDB and compares their counts.
///
/// # Errors
/// When Python is missing or the packages cannot be installed.
pub fn run(lake: &Path) -> Result<ExitCode> {
    require(&[Tool::Python])?;
    let lake = lake.canonicalize().with_context(|| format!("find {}", lake.display()))?;
    let python = environment()?;
    let status = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(lake)
        .stdin(Stdio::null())
        .status()
        .context("run python")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The Python of a virtual environment that has the readers.
fn environment() -> Result<PathBuf> {
    let path = cache::entry(&cache::folder()?.join("python"), ENVIRONMENT, |path| {
        // pip makes the programs refer to this path, so it is made in place.
        fs::create_dir_all(path).context("create folder")?;
        run_quietly(Command::new("python3").args(["-m", "venv"]).arg(path))?;
        run_quietly(
            Command::new(path.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(PACKAGES),
        )
    })?;
    Ok(path.join("bin/python"))
}

pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("run {name}"))?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
