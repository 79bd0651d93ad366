//! Untrusted record bytes to columns and dead letters, one module a wire format.
//!
//! ```text
//!                        ┌ webhook   entry → change → value → item
//! record bytes ─▶ json ──┤                                        ├─▶ rows ─▶ batches of columns
//!              │         └ send      one request and its answer   │
//!              └────────▶ protobuf   our own record               ┘
//! ```
//!
//! Bytes are never trusted: whatever they are, they become rows, and a bad item leaves its
//! neighbours alone. No clock: when reading began is told by the caller.

#![forbid(unsafe_code)]

mod body;
mod country;
mod decoder;
pub mod encode;
pub mod events;
mod frame;
mod json;
mod meant;
mod path;
mod peer;
mod protobuf;
mod reason;
mod record;
mod rows;
mod send;
mod shapes;
mod straight;
#[cfg(test)]
mod testing;
mod utf8;
mod webhook;

pub use decoder::{DeadLetterNote, Decoder, Format, RecordContext, RecordCounts};
pub use reason::{GapReason, IGNORED_NAMES, Reason, ignored};
