//! What the benches share: the data set that engines are compared on, its files, and an oracle.
//!
//! ```text
//! Plan ─▶ rows ─▶ order ─▶ files: Parquet in four orders, Arrow IPC, the lake, webhook JSON
//!                   │
//!                   └─▶ oracle: the exact answers to queries A, B and C, number by number
//! ```
//!
//! The data set is generated from its plan alone, so that every machine compares the same rows.
#![forbid(unsafe_code)]

pub mod rng;

pub mod data;

#[cfg(feature = "files")]
pub mod files;

#[cfg(feature = "files")]
pub mod oracle;

#[cfg(feature = "queries")]
pub mod queries;
