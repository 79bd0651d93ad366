//! The query layer: plans over the lake, our functions, and what follows from them.
//!
//! ```text
//! events ─▶ FoldExec = conversations ─▶ sender_days ─▶ sender_features ─▶ judge ─▶ verdicts, flags
//!  (lake)        one conversation a row     .sql            .sql           policy
//! ```
//!
//! Functions are pure; [`Engine`] holds the memory pool and the spill folder they run in;
//! [`Catalog`] is what analysts see.

#![forbid(unsafe_code)]

pub mod accounts;
pub mod aggregates;
pub mod answer;
pub mod bare;
mod bounds;
pub mod catalog;
pub mod conversations;
pub mod derive;
pub mod derived;
pub mod engine;
mod error;
mod fold_exec;
pub mod guard;
mod lake_table;
mod merge_exec;
mod numbered;
mod plans;
pub mod scalars;
pub mod seen;
mod shape_exec;
mod start_days;
pub mod touched;
pub mod verdicts;
mod wanted_texts;
pub mod windows;

pub use bare::{BareConversations, BareMessages, BareNames, BareTexts, EvenScan};
pub use catalog::{Catalog, CatalogFiles};
pub use conversations::Conversations;
pub use engine::{Engine, EngineSettings};
pub use error::{QueryError, Retry};
pub use fold_exec::{FoldExec, Senders};
pub use lake_table::LakeTable;
