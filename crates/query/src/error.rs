//! What can go wrong with a query, and where.

use datafusion::error::DataFusionError;
use turnwise_lake::LakeError;

/// When an operation that failed may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never: the same call fails the same way.
    Never,
    /// After a pause.
    Later,
}

/// A failed operation. `Display` says what was tried; the cause is in `source`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// Planning or running failed.
    #[error("{operation}")]
    Engine {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Box<DataFusionError>,
    },
    /// The lake could not be read or written.
    #[error("{operation}")]
    Lake {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Box<LakeError>,
    },
    /// A statement that analysts may not send.
    #[error("{reason}")]
    Refused {
        /// Which rule forbids it.
        reason: String,
    },
    /// The statement gave more rows than are answered.
    #[error("the answer has more than {max} rows; add a LIMIT or group the rows")]
    TooManyRows {
        /// The most that are answered.
        max: usize,
    },
    /// The tables hold something that this version does not know.
    #[error("{operation}: {reason}")]
    Unexpected {
        /// What was tried.
        operation: &'static str,
        /// What was found.
        reason: String,
    },
}

impl QueryError {
    /// Names the operation that the engine failed at.
    pub(crate) fn engine(operation: &'static str) -> impl FnOnce(DataFusionError) -> Self {
        move |source| Self::Engine { operation, source: Box::new(source) }
    }

    /// Names the operation that the lake failed at.
    pub(crate) fn lake(operation: &'static str) -> impl FnOnce(LakeError) -> Self {
        move |source| Self::Lake { operation, source: Box::new(source) }
    }

    /// Names the operation that a column failed at.
    pub(crate) fn from_arrow(operation: &'static str, source: arrow::error::ArrowError) -> Self {
        Self::Engine { operation, source: Box::new(DataFusionError::from(source)) }
    }

    /// Whether to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Lake { .. } => Retry::Later,
            Self::Engine { source, .. } => match source.find_root() {
                DataFusionError::ResourcesExhausted(_) | DataFusionError::ObjectStore(_) => {
                    Retry::Later
                }
                _ => Retry::Never,
            },
            _ => Retry::Never,
        }
    }
}
