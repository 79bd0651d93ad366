//! What the figures were measured on, and when.

use std::fs;
use std::process::Command;

use serde::Serialize;

use crate::suite::root;

/// A machine at a date.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: u64,
    system: String,
    rustc: String,
    commit: String,
    date: String,
}

impl Machine {
    /// This one, now.
    pub(super) fn here() -> Self {
        Self {
            cpu: cpu().unwrap_or_else(|| "unknown processor".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_gib().unwrap_or(0),
            system: said("uname", &["-sr"]),
            rustc: said("rustc", &["--version"]),
            commit: said("git", &["rev-parse", "--short", "HEAD"]),
            date: said("date", &["-u", "+%Y-%m-%d"]),
        }
    }

    /// One line for a document.
    pub(super) fn line(&self) -> String {
        let Self { cpu, cores, memory_gib, system, rustc, commit, date } = self;
        format!(
            "Measured {date} at {commit}: {cpu}, {cores} cores, {memory_gib} GiB, {system}, {rustc}, \
             release profile."
        )
    }
}

fn cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    // Virtual machines may hide the model's name behind the maker's.
    let family = value("cpu family").zip(value("model\t"));
    let details = family.map(|(family, model)| format!(" (family {family}, model {model})"));
    Some(value("model name")? + &details.unwrap_or_default())
}

fn memory_gib() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((kib + (1 << 19)) >> 20)
}

/// What a command prints, or `unknown`.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}
