//! `cargo xtask sanitize`: the tests of the kernels, every instruction set of the processor among
//! them, watched by the address sanitizer.
//!
//! Miri comes with nightly compilers only and knows few of the intrinsics. The sanitizer's runtime
//! comes with stable ones too, so the pinned compiler is told to let its flag pass.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::suite::{cargo, root};

/// Builds the kernels anew, in a folder of their own, and runs their tests.
///
/// # Errors
/// When the compiler or cargo cannot be started, or tells no host.
pub fn run() -> Result<ExitCode> {
    let host = host()?;
    let status = cargo()
        .args(["test", "--package", "turnwise-kernels", "--lib", "--target", &host])
        .arg("--target-dir")
        .arg(target().join("sanitized"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .status()
        .context("run cargo test")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// What the compiler builds for. With a target named, build scripts are not sanitized.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").current_dir(root()).output();
    let output = output.context("ask rustc for its version")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("find the host in what rustc says of itself")
}
