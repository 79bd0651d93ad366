//! `cargo xtask sanitize`: the tests of the kernels, every instruction set of the processor among
//! them, watched by the address sanitizer.
//!
//! Miri comes with nightly compilers only and knows few of the intrinsics. The sanitizer's runtime
//! comes with stable ones too, so the pinned compiler is told to let its flag pass.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::suite::{cargo, root};

const SANITIZER: &str = "-Zsanitizer=address";

/// Reads one byte behind four.
const CANARY: &str = "fn main() {
    let four = vec![1_u8; 4];
    let behind = 3 + std::env::args().count();
    println!(\"{}\", unsafe { *four.as_ptr().add(behind) });
}
";

/// Builds the kernels anew, in a folder of their own, and runs their tests.
///
/// # Errors
/// When the compiler or cargo cannot be started, or tells no host.
pub fn run() -> Result<ExitCode> {
    let (host, folder) = (host()?, target().join("sanitized"));
    watches(&folder)?;
    let status = cargo()
        .args(["test", "--package", "turnwise-kernels", "--lib", "--target", &host])
        .arg("--target-dir")
        .arg(folder)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", SANITIZER)
        // It would be heeded in place of the other.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .context("run cargo test")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The canary: a program that reads behind its memory must be found out.
fn watches(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).context("create the folder of sanitized programs")?;
    let (source, program) = (folder.join("canary.rs"), folder.join("canary"));
    std::fs::write(&source, CANARY).context("write the canary")?;
    let built = Command::new("rustc")
        .current_dir(root())
        .env("RUSTC_BOOTSTRAP", "1")
        .arg(SANITIZER)
        .arg("-o")
        .args([&program, &source])
        .status()
        .context("build the canary")?;
    if !built.success() {
        bail!("build the canary: {built}");
    }
    let run = Command::new(&program).output().context("run the canary")?;
    if run.status.success() || !String::from_utf8_lossy(&run.stderr).contains("AddressSanitizer") {
        bail!("the sanitizer did not see the canary read behind its memory");
    }
    Ok(())
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
