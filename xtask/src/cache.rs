//! What is downloaded once and kept outside the clone.
//!
//! An entry is complete only when its marker is written, and one process fills it at a time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder of the cache: `TURNWISE_CACHE`, else the user's cache folder.
///
/// # Errors
/// When neither `TURNWISE_CACHE`, `XDG_CACHE_HOME` nor `HOME` is set.
pub fn folder() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("TURNWISE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("turnwise")))
        .or_else(|| set("HOME").map(|path| path.join(".cache/turnwise")))
        .context("find the cache folder: set TURNWISE_CACHE")
}

/// The folder `base/name`, made by `fill` if no process has completed it yet.
///
/// # Errors
/// When the folder cannot be written, or with what `fill` says.
pub fn entry(base: &Path, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    fs::create_dir_all(base).with_context(|| format!("create {}", base.display()))?;
    let path = base.join(name);
    let marker = base.join(format!("{name}.complete"));
    let lock = File::create(base.join(format!("{name}.lock"))).context("open cache lock")?;
    // Waits for another process that is filling; released when the file closes.
    lock.lock().context("lock cache entry")?;
    if marker.exists() && path.is_dir() {
        return Ok(path);
    }
    if path.exists() {
        fs::remove_dir_all(&path).context("remove unfinished cache entry")?;
    }
    fs::create_dir_all(&path).context("create cache entry")?;
    fill(&path)?;
    File::create(&marker).and_then(|file| file.sync_all()).context("mark cache entry complete")?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_entry_is_made_again_and_a_complete_one_is_not() {
        let base = tempfile::tempdir().expect("temp dir");
        let failed = entry(base.path(), "jars", |path| {
            fs::write(path.join("half"), "x")?;
            anyhow::bail!("cut off")
        });
        assert!(failed.is_err());
        let path = entry(base.path(), "jars", |path| Ok(fs::write(path.join("whole"), "x")?))
            .expect("filled");
        assert!(path.join("whole").exists() && !path.join("half").exists());
        entry(base.path(), "jars", |_| anyhow::bail!("filled twice")).expect("kept");
    }
}
