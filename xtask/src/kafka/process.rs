//! The broker's process and the guard that outlives us for its sake.
//!
//! The guard is a shell that reads a pipe from us. When we die, by whatever signal, the pipe
//! closes and the guard kills the broker and removes its folder. In an orderly stop the guard
//! goes first and the broker is reaped last, so its id cannot have gone to another process.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Pause between two looks at the log.
const LOOK_PAUSE: Duration = Duration::from_millis(25);
/// Lines of the log that an error shows.
const LOG_LINES_SHOWN: usize = 25;

const GUARD: &str = "cat >/dev/null; kill -KILL \"$1\" 2>/dev/null; \
    while kill -0 \"$1\" 2>/dev/null; do sleep 0.1; done; rm -rf \"$2\"";

/// A broker's process with its log and its guard.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    guard: Child,
    log: PathBuf,
    log_start: u64,
    ended: bool,
}

impl Process {
    /// Starts the command with its output in a log in `folder`, which the guard removes if we die.
    pub(super) fn spawn(mut command: Command, folder: &Path) -> Result<Self> {
        let log = folder.join("broker.log");
        let file = File::options().create(true).append(true).open(&log).context("open log")?;
        let log_start = file.metadata()?.len();
        // Process groups of their own: a Ctrl-C at the terminal is for us, and the guard acts on it.
        let mut child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .context("run java")?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let guard = match guard {
            Ok(guard) => guard,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error).context("run the broker's guard");
            }
        };
        Ok(Self { child, guard, log, log_start, ended: false })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the log of this process has a line with `text`.
    pub(super) fn wait_for_line(&mut self, text: &str, timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + timeout;
        loop {
            let log = self.read_log()?;
            if log.contains(text) {
                return Ok(());
            }
            let ended = self.child.try_wait().context("wait for the broker")?;
            if ended.is_some() || Instant::now() >= deadline {
                let why = ended.map_or("did not start in time".to_owned(), |s| s.to_string());
                let lines: Vec<&str> = log.lines().collect();
                let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
                bail!("the broker: {why}\n{}", lines[from..].join("\n"));
            }
            std::thread::sleep(LOOK_PAUSE);
        }
    }

    fn read_log(&self) -> Result<String> {
        let mut file = File::open(&self.log).context("open log")?;
        file.seek(SeekFrom::Start(self.log_start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).context("read log")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends a signal by name.
    pub(super) fn signal(&self, name: &str) -> Result<()> {
        if self.ended {
            bail!("signal {name}: the broker has ended");
        }
        let status = Command::new("kill")
            .args([format!("-{name}"), self.pid().to_string()])
            .status()
            .context("run kill")?;
        if !status.success() {
            bail!("signal {name}: {status}");
        }
        Ok(())
    }

    /// Waits until the process ends by itself.
    pub(super) fn wait(&mut self) -> Result<()> {
        self.child.wait().context("wait for the broker")?;
        self.kill();
        Ok(())
    }

    /// Ends the process and its guard; a second call does nothing.
    pub(super) fn kill(&mut self) {
        if self.ended {
            return;
        }
        self.ended = true;
        // The processes may have ended by themselves; then there is nothing to kill.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
