//! The data set's files, generated once into the cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::programs::Programs;
use crate::cache;

/// What a data set is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) messages: u64,
    pub(super) numbers: u64,
    /// Without texts, for what looks at none.
    pub(super) texts: bool,
}

/// The folder of a data set that has these files; those missing are written.
pub(super) fn files(programs: &Programs, size: Size, names: &[&str]) -> Result<PathBuf> {
    let base = cache::folder()?.join("bench");
    let mut command = Command::new(programs.get("bench-data")?);
    command
        .args(["--messages", &size.messages.to_string()])
        .args(["--numbers", &size.numbers.to_string()])
        .arg("--base")
        .arg(&base)
        .args(names);
    if !size.texts {
        command.arg("--no-texts");
    }
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("run bench-data")?;
    if !output.status.success() {
        bail!("bench-data: {}", output.status);
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let folder = printed.lines().last().context("read where bench-data wrote")?;
    Ok(PathBuf::from(folder))
}

/// Reads a file or folder through, so that it lies in the page cache.
pub(super) fn warm(path: &Path) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).with_context(|| format!("list {}", path.display()))? {
            warm(&entry.context("list folder")?.path())?;
        }
        return Ok(());
    }
    let mut file = std::fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
    std::io::copy(&mut file, &mut std::io::sink()).context("read file")?;
    Ok(())
}
