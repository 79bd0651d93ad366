//! Processes of the program under test, killed where a test ends early.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::wait::{LOOK_PAUSE, look_until};

/// A running process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the program with these arguments and variables; its output is added to a file.
    ///
    /// # Errors
    /// A program that cannot be started.
    pub fn start(
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
        log: &Path,
    ) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log).context("open log")?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            // What a developer's shell overrides is not for these processes.
            if name.to_str().is_some_and(|name| name.starts_with("TURNWISE_")) {
                command.env_remove(name);
            }
        }
        let child = command
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .context("start the program")?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// SIGKILL, and waits for the end.
    ///
    /// # Errors
    /// A process that ended before.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("ended by itself: {status}\n{}", self.last_lines());
        }
        self.child.kill().context("kill")?;
        self.child.wait().context("wait for the killed process")?;
        Ok(())
    }

    /// Sends a signal by its short name.
    ///
    /// # Errors
    /// A process that has ended.
    pub fn signal(&self, signal: &str) -> Result<()> {
        let (signal, pid) = (format!("-{signal}"), self.child.id().to_string());
        let status = Command::new("kill").args([&signal, &pid]).status().context("run kill")?;
        if !status.success() {
            bail!("ended by itself\n{}", self.last_lines());
        }
        Ok(())
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, and waits for the end no longer than `within`.
    ///
    /// # Errors
    /// A process that goes on.
    pub fn terminate(&mut self, within: Duration) -> Result<(ExitStatus, Duration)> {
        let begun = Instant::now();
        self.signal("TERM")?;
        match look_until(LOOK_PAUSE, within, || Ok(self.child.try_wait()?))? {
            Some(status) => Ok((status, begun.elapsed())),
            None => bail!("goes on {within:?} after SIGTERM\n{}", self.last_lines()),
        }
    }

    /// Waits until its output has a line with `text`.
    ///
    /// # Errors
    /// A process that ends before or does not say it in time.
    pub fn wait_for_line(&mut self, text: &str, within: Duration) -> Result<()> {
        let said = look_until(LOOK_PAUSE, within, || {
            let ended = self.has_ended()?;
            Ok(if self.output().contains(text) { Some(true) } else { ended.then_some(false) })
        })?;
        ensure!(said == Some(true), "did not say {text}\n{}", self.last_lines());
        Ok(())
    }

    /// Bytes that the process wrote to files so far, where the system tells.
    #[must_use]
    pub fn bytes_written(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/io", self.child.id()));
        let text = text.unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("wchar: "));
        line.and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    /// Whether the process has ended.
    ///
    /// # Errors
    /// A process that cannot be asked.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Its output so far.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of its output.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let text = self.output();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
