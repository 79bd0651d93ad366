//! Logs: to standard error, for people or for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::args::LogForm;
use crate::exit::{Failure, Outcome};

/// Sets up logging for the process.
pub(crate) fn start(form: LogForm, level: &str) -> Outcome {
    let filter = EnvFilter::try_new(level)
        .map_err(|error| Failure::Usage(anyhow::Error::new(error).context("read log level")))?;
    let layer = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match form {
        LogForm::Text => layer.try_init(),
        LogForm::Json => layer.json().try_init(),
    };
    started.map_err(|error| Failure::Failed(anyhow::anyhow!("start logging: {error}")))
}
