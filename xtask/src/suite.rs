//! `cargo xtask test`: all tests of the workspace beside a real Kafka broker.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::kafka::{Broker, BrokerOptions};
use crate::tools::{Tool, require};

/// Builds the programs, starts a broker, runs `cargo test --workspace` with these further arguments.
///
/// The last line of the output is `N passed, N failed`.
///
/// # Errors
/// When a tool is missing, a build fails or Kafka cannot be had.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    require(&[Tool::Cc, Tool::Make, Tool::Java, Tool::Maven])?;
    let program = build_programs()?;
    let broker = Broker::start(BrokerOptions::default())?;
    eprintln!("Kafka {} at {}", crate::kafka::VERSION, broker.bootstrap());
    let (totals, succeeded) = run_tests(arguments, &program, &broker)?;
    broker.stop();
    println!("{} passed, {} failed", totals.passed, totals.failed);
    let good = succeeded && totals.failed == 0;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
}

impl Totals {
    /// Adds a line like `test result: ok. 3 passed; 0 failed; …`; other lines add nothing.
    fn add_line(&mut self, line: &str) {
        let Some(result) = line.trim_start().strip_prefix("test result: ") else { return };
        let before = |word: &str| -> u64 {
            let words: Vec<&str> = result.split([' ', ';']).filter(|w| !w.is_empty()).collect();
            let at = words.iter().position(|found| *found == word);
            at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
        };
        self.passed += before("passed");
        self.failed += before("failed");
    }
}

/// The cargo that called us, without what it told us about our own package.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let own = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        });
        // Build scripts that look at these would run again, and everything behind them.
        if own {
            command.env_remove(name);
        }
    }
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    // Told by `cargo xtask`: two checkouts may share one folder of built programs.
    let told = std::env::var_os("CARGO_MANIFEST_DIR");
    let package = told.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Builds every program and test, and gives the path of `turnwise`. In one go: the features of
/// dependencies are others without the tests, and the query engine would be built twice.
fn build_programs() -> Result<PathBuf> {
    let mut child = cargo()
        .args([
            "test",
            "--workspace",
            "--all-features",
            "--no-run",
            "--message-format=json-render-diagnostics",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .context("build the tests")?;
    let mut program = None;
    for line in lines(&mut child)? {
        let line = line?;
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(&line) else { continue };
        if message["target"]["name"] == "turnwise"
            && message["profile"]["test"] == false
            && let Some(path) = message["executable"].as_str()
        {
            program = Some(PathBuf::from(path));
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("cargo build: {status}");
    }
    program.context("find the program turnwise among what cargo built")
}

fn run_tests(arguments: &[String], program: &Path, broker: &Broker) -> Result<(Totals, bool)> {
    let mut child = cargo()
        .args(["test", "--workspace", "--all-features"])
        .args(fail_late(arguments))
        .args(arguments)
        .env("TURNWISE_BIN", program)
        .env("TURNWISE_KAFKA", broker.bootstrap())
        .env("TURNWISE_KAFKA_HOME", broker.home())
        .stdout(Stdio::piped())
        .spawn()
        .context("run cargo test")?;
    let mut totals = Totals::default();
    let mut output = std::io::stdout().lock();
    for line in lines(&mut child)? {
        let line = line?;
        totals.add_line(&String::from_utf8_lossy(&line));
        output.write_all(&line)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok((totals, child.wait()?.success()))
}

/// All failures are shown, unless the caller has said what to do after the first.
fn fail_late(arguments: &[String]) -> Option<&'static str> {
    let said = arguments.iter().take_while(|argument| *argument != "--");
    let said = said.filter(|argument| argument.as_str() == "--no-fail-fast").count();
    (said == 0).then_some("--no-fail-fast")
}

fn lines(child: &mut Child) -> Result<std::io::Split<BufReader<std::process::ChildStdout>>> {
    Ok(BufReader::new(child.stdout.take().context("read cargo's output")?).split(b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_add_up_over_all_result_lines() {
        let mut totals = Totals::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test a::failed ... FAILED",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            totals.add_line(line);
        }
        assert_eq!(totals, Totals { passed: 5, failed: 1 });
    }
}
