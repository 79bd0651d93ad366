//! The one secret of the pseudonyms: read from a file, or made.
//!
//! It is never in the lake: who has the lake alone can follow nobody.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use turnwise_lake::{Lake, LakeError};
use turnwise_model::{Keys, Secret};

use crate::exit::{Failure, Outcome};

/// A new secret that nobody knows, for a lake that is thrown away.
pub(crate) fn random() -> Outcome<Keys> {
    keys(new_content().as_bytes())
}

/// The keys of a secret file outside the lake's folder.
pub(crate) fn read(file: &Path, lake: Option<&Path>) -> Outcome<Keys> {
    refuse_inside(file, lake)?;
    let content = std::fs::read(file)
        .with_context(|| format!("read secret file {}", file.display()))
        .map_err(Failure::Usage)?;
    warn_if_others_may_read(file);
    keys(&content)
}

/// The same; a file that is missing is made with a new secret, readable by its owner only.
pub(crate) fn read_or_make(file: &Path, lake: Option<&Path>) -> Outcome<Keys> {
    refuse_inside(file, lake)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(mut made) => {
            let content = format!("{}\n", new_content());
            let written = made.write_all(content.as_bytes()).and_then(|()| made.sync_all());
            written.with_context(|| format!("write secret file {}", file.display()))?;
            tracing::info!(file = %file.display(), "made a secret");
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => {
            let error = anyhow::Error::new(error);
            let context = format!("make secret file {}", file.display());
            return Err(Failure::Usage(error.context(context)));
        }
    }
    read(file, lake)
}

/// Makes sure that the lake is under this secret; a new lake is from now on.
pub(crate) fn check(lake: &Lake, keys: &Keys) -> Outcome {
    lake.check_secret(keys.check_value()).map_err(|error| match error {
        LakeError::OtherSecret => Failure::Usage(error.into()),
        other => Failure::Failed(other.into()),
    })
}

fn keys(content: &[u8]) -> Outcome<Keys> {
    let secret = Secret::new(content).map_err(|error| Failure::Usage(error.into()))?;
    Ok(Keys::expand(&secret))
}

/// 32 random bytes in hex.
fn new_content() -> String {
    let mut hasher = blake3::Hasher::new();
    for _ in 0..4 {
        hasher.update(uuid::Uuid::new_v4().as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn refuse_inside(file: &Path, lake: Option<&Path>) -> Outcome {
    let Some(lake) = lake else { return Ok(()) };
    if resolved(file).starts_with(resolved(lake)) {
        let text = format!("secret file {} lies inside the lake; put it outside", file.display());
        return Err(Failure::usage(text));
    }
    Ok(())
}

/// The path without links and dots, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut missing = Vec::new();
    let mut existing = path.as_path();
    loop {
        if let Ok(found) = existing.canonicalize() {
            return missing.iter().rev().fold(found, |path, part| path.join(part));
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name.to_owned());
                existing = parent;
            }
            _ => return path,
        }
    }
}

fn warn_if_others_may_read(file: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = file.metadata() {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            tracing::warn!(file = %file.display(), "others may read the secret file; set mode 0600");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_file_is_made_for_its_owner_and_read_again() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("secret");
        let lake = folder.path().join("lake");
        let made = read_or_make(&file, Some(&lake)).expect("made");
        let again = read(&file, Some(&lake)).expect("read");
        assert_eq!(made.check_value(), again.check_value());
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&file.metadata().expect("there").permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert_ne!(random().expect("made").check_value(), made.check_value());
    }

    #[test]
    fn secret_inside_the_lake_or_too_short_is_wrong_usage() {
        let folder = tempfile::tempdir().expect("folder");
        let lake = folder.path().join("lake");
        let dotted = folder.path().join("lake/../lake/secret");
        assert!(matches!(read_or_make(&dotted, Some(&lake)), Err(Failure::Usage(_))));
        let file = folder.path().join("short");
        std::fs::write(&file, "short").expect("written");
        assert!(matches!(read(&file, Some(&lake)), Err(Failure::Usage(_))));
    }
}
