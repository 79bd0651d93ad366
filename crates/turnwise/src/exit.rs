//! How a command ends: exit statuses, errors printed once, a reader that went away.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong usage or configuration: status 2.
    Usage(anyhow::Error),
    /// It failed: status 1.
    Failed(anyhow::Error),
    /// Everything that needs saying was said; some input could not be read: status 1.
    Partly,
}

/// The result of a command.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl Failure {
    /// Wrong usage, in one sentence.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(anyhow::Error::msg(text.into()))
    }

    /// Whether the reader of our output went away.
    fn is_broken_pipe(&self) -> bool {
        let Self::Failed(error) = self else { return false };
        error.chain().any(|cause| {
            let io = cause.downcast_ref::<std::io::Error>();
            io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
        })
    }

    /// Prints the error with its causes and gives the status.
    pub(crate) fn report(&self) -> ExitCode {
        if self.is_broken_pipe() {
            // Whoever read our output has enough of it.
            return ExitCode::SUCCESS;
        }
        match self {
            Self::Usage(error) => {
                complain(&format!("error: {error:#}"));
                ExitCode::from(2)
            }
            Self::Failed(error) => {
                complain(&format!("error: {error:#}"));
                ExitCode::FAILURE
            }
            Self::Partly => ExitCode::FAILURE,
        }
    }
}

/// Writes a line to standard error; nobody can be told where that fails.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes a result to standard output.
pub(crate) fn print(text: &str) -> Outcome {
    Ok(write(text)?)
}

/// The same for who answers for more than a command does.
pub(crate) fn write(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("write output")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_that_went_away_is_no_failure() {
        let error = anyhow::Error::new(std::io::Error::from(ErrorKind::BrokenPipe));
        assert!(Failure::Failed(error.context("write output")).is_broken_pipe());
        assert!(!Failure::usage("wrong").is_broken_pipe());
    }
}
