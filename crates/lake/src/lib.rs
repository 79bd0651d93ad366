//! The lake: Delta tables on a local folder or an object store.
//!
//! Appends carry the offsets of what they were read from, in the same commit as the rows, so
//! the lake is the only truth about offsets (law 2). Everything here blocks the calling
//! thread; the store's own work runs on threads that the lake owns.
//!
//! ```text
//!   stage ──► data files ──► commit ──► one log entry: files + offsets
//!                              │ any other outcome is ambiguous:
//!                              └─► read the log again, decide by offsets alone
//! ```
#![forbid(unsafe_code)]

mod backoff;
mod commit;
mod compact;
mod durable;
mod error;
mod file;
mod kernel;
mod lake;
mod layout;
mod log;
mod merge;
mod read;
mod replace;
mod snapshot;
mod stage;
mod store;
mod table;
mod threads;
mod tiers;
mod transfer;
mod upkeep;

pub use commit::{CommitOutcome, Txn};
pub use compact::{CompactOutcome, CompactPlan, Reorder};
pub use error::{Cause, LakeError, Result, Retry};
pub use file::{Bound, FileFilter, FileInfo, Partition, PartitionValue, sorted_by};
pub use lake::Lake;
pub use layout::in_order;
pub use log::Change;
pub use replace::{FloorTxn, ReplaceOutcome};
pub use snapshot::Snapshot;
pub use stage::{Encoding, Staged};
pub use table::Table;
pub use threads::shared_out;
pub use tiers::{TIERS, Tiers};
