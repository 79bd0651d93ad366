//! What can go wrong with the lake: the operation, its cause, and whether trying again helps.

use std::error::Error;

/// Whether the caller should try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call can never succeed.
    Never,
    /// Wait and try again.
    Later,
    /// Stop the process: the lake is not what this configuration says.
    Fatal,
}

/// The cause of a [`LakeError`].
pub type Cause = Box<dyn Error + Send + Sync>;

/// An error of the lake.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The store or the disk failed.
    #[error("{operation}")]
    Store {
        /// What was being done, verb and object.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Cause,
    },
    /// A file or a table is not what it should be.
    #[error("{operation}")]
    Data {
        /// What was being done, verb and object.
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Cause,
    },
    /// The location or its options cannot be understood.
    #[error("read lake location")]
    Location {
        /// Why not.
        #[source]
        source: Cause,
    },
    /// The store let two writers create the same key: commits would overwrite each other.
    #[error("test conditional put: the store lets two writers create one key")]
    UnsafeStore,
    /// The lake was written with another secret: its pseudonyms do not match ours.
    #[error("check secret: the lake was written with another secret")]
    OtherSecret,
    /// The table exists with other columns.
    #[error("open table: table {table} has other columns than this version writes")]
    OtherSchema {
        /// The table.
        table: String,
    },
    /// The log entry of a version was cleaned away.
    #[error("read log: version {version} is no longer in the log")]
    LogGone {
        /// The version.
        version: u64,
    },
    /// Every attempt at one commit met another writer or an unclear answer.
    #[error("commit: no clear answer after {attempts} attempts")]
    Contended {
        /// How many attempts.
        attempts: u32,
        /// The last failure, where there was one.
        #[source]
        source: Option<Box<LakeError>>,
    },
}

impl LakeError {
    /// Whether trying again helps.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Store { .. } | Self::Contended { .. } => Retry::Later,
            Self::Data { .. } | Self::LogGone { .. } => Retry::Never,
            Self::Location { .. }
            | Self::UnsafeStore
            | Self::OtherSecret
            | Self::OtherSchema { .. } => Retry::Fatal,
        }
    }

    pub(crate) fn store(
        operation: &'static str,
    ) -> impl FnOnce(object_store::Error) -> Self + Copy {
        move |source| Self::Store { operation, source: Box::new(source) }
    }

    pub(crate) fn data<E: Into<Cause>>(operation: &'static str) -> impl FnOnce(E) -> Self + Copy {
        move |source| Self::Data { operation, source: source.into() }
    }
}

/// The result of an operation on the lake.
pub type Result<T, E = LakeError> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_the_operation_and_leaves_the_cause_to_source() {
        let error = LakeError::store("read log")(object_store::Error::NotImplemented {
            operation: "cause".into(),
            implementer: "test".into(),
        });
        assert_eq!(error.to_string(), "read log");
        assert!(error.source().expect("has a source").to_string().contains("cause"));
        assert_eq!(error.retry(), Retry::Later);
        assert_eq!(LakeError::OtherSecret.retry(), Retry::Fatal);
    }
}
