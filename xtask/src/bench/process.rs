//! A measured process: the operating system says what it took, whatever it says of itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::suite::root;

/// A process that runs longer is killed.
const SECONDS_MAX: u32 = 1_800;
/// Lines of standard error that an error shows.
const LINES_SHOWN: usize = 12;

/// What a process took.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Usage {
    /// Of all its threads, in user and kernel mode.
    pub(super) processor_seconds: f64,
    /// The most memory that it had at once.
    pub(super) peak_memory_bytes: u64,
    /// Of one that was told to end: processor seconds of its threads by name, until then.
    threads: BTreeMap<String, f64>,
}

impl Usage {
    /// Its threads, the busiest first.
    pub(super) fn busiest_threads(&self) -> Vec<(String, f64)> {
        let mut threads: Vec<(String, f64)> = self.threads.clone().into_iter().collect();
        threads.sort_by(|one, other| other.1.total_cmp(&one.1));
        threads
    }
}

/// A command to be measured.
pub(super) struct Measured {
    program: PathBuf,
    arguments: Vec<OsString>,
}

/// A measured process that runs.
pub(super) struct Running {
    child: Child,
    report: NamedTempFile,
}

impl Measured {
    pub(super) fn new(program: &Path) -> Self {
        Self { program: program.to_owned(), arguments: Vec::new() }
    }

    pub(super) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Runs it to its end; its standard output.
    pub(super) fn run(self) -> Result<(Usage, String)> {
        let report = NamedTempFile::new().context("create report")?;
        let output = self.command(&report).output().context("run python3")?;
        if !output.status.success() {
            bail!("{}: {}", self.program.display(), last_lines(&output.stderr));
        }
        Ok((read(&report)?, String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// Starts it; its output goes to ours.
    pub(super) fn start(self) -> Result<Running> {
        let report = NamedTempFile::new().context("create report")?;
        let child = self.command(&report).spawn().context("run python3")?;
        Ok(Running { child, report })
    }

    fn command(&self, report: &NamedTempFile) -> Command {
        let mut command = Command::new("python3");
        command
            .arg(root().join("xtask/python/measure.py"))
            .arg(report.path())
            .arg(SECONDS_MAX.to_string())
            .arg(&self.program)
            .args(&self.arguments)
            // Nothing is written into the clone.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null());
        command
    }
}

impl Running {
    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait().context("wait for process")?.is_some())
    }

    /// Tells it to end and waits for that.
    pub(super) fn stop(mut self) -> Result<Usage> {
        self.tell_to_end()?;
        self.child.wait().context("wait for process")?;
        read(&self.report)
    }

    fn tell_to_end(&self) -> Result<()> {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status().context("run kill")?;
        if !status.success() {
            bail!("tell a process to end: {status}");
        }
        Ok(())
    }
}

impl Drop for Running {
    /// A service does not outlive the run that gave up on it.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.tell_to_end();
            let _ = self.child.wait();
        }
    }
}

fn read(report: &NamedTempFile) -> Result<Usage> {
    let text = std::fs::read(report.path()).context("read report")?;
    serde_json::from_slice(&text).context("read report")
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(code: &str) -> Measured {
        Measured::new(Path::new("python3")).arg("-c").arg(code)
    }

    #[test]
    fn memory_and_processor_time_are_those_of_the_process() {
        let code = "x = bytearray(200 << 20)\nfor i in range(10**6): pass\nprint('done')";
        let (usage, output) = python(code).run().expect("measured");
        assert_eq!(output, "done\n");
        assert!((200..400).contains(&(usage.peak_memory_bytes >> 20)), "{usage:?}");
        assert!(usage.processor_seconds > 0.01, "{usage:?}");
    }

    #[test]
    fn failure_shows_what_the_process_said() {
        let error = python("raise SystemExit('no such column')").run().expect_err("failed");
        assert!(error.to_string().contains("no such column"), "{error}");
    }

    #[test]
    fn service_is_told_to_end() {
        let folder = tempfile::tempdir().expect("folder");
        let told = folder.path().join("told");
        let code = format!("import time\nopen({told:?}, 'w')\ntime.sleep(60)");
        let running = python(&code).start().expect("started");
        while !told.exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let usage = running.stop().expect("stopped");
        assert!(usage.processor_seconds < 10.0);
        #[cfg(target_os = "linux")]
        assert_eq!(usage.busiest_threads().len(), 1);
    }
}
