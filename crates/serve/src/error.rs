//! What can fail while servers start and run.

use std::error::Error;

/// The cause of a [`ServeError`].
type Cause = Box<dyn Error + Send + Sync>;

/// Whether it helps to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never: the same call fails the same way.
    Never,
    /// After a pause.
    Later,
}

/// A failed operation; the cause is in `source`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A server stopped by itself.
    #[error("serve {server}")]
    Serve {
        /// Which server.
        server: &'static str,
        /// Why.
        source: Cause,
    },
    /// Something cannot be set up in this process.
    #[error("set up {part}")]
    SetUp {
        /// What.
        part: &'static str,
        /// Why.
        source: Cause,
    },
}

impl ServeError {
    pub(crate) fn serve(server: &'static str, source: impl Into<Cause>) -> Self {
        Self::Serve { server, source: source.into() }
    }

    pub(crate) fn set_up(part: &'static str, source: impl Into<Cause>) -> Self {
        Self::SetUp { part, source: source.into() }
    }

    /// Whether it helps to try again.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Serve { .. } => Retry::Later,
            Self::SetUp { .. } => Retry::Never,
        }
    }
}
