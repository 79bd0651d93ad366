//! Untrusted record bytes to columns and dead letters, one module a wire format.
//!
//! ```text
//!               ┌ form ┐         ┌ webhook    entry → change → value → item │
//! record bytes ─┼ json ┴ format ─┼ send       one request and its answer    ├─▶ rows ─▶ columns
//!               │ ▲              └ envelopes  one module a provider         │
//!               │ └─ cloudevents, wrapped: what they hold, once more        │
//!               └ protobuf ──────▶ our own record                           │
//! ```
//!
//! Bytes are never trusted: whatever they are, they become rows, and a bad item leaves its
//! neighbours alone. No clock: when reading began is told by the caller.

#![forbid(unsafe_code)]

mod body;
mod cloudevents;
mod country;
mod decoder;
mod detect;
mod elements;
pub mod encode;
mod envelopes;
pub mod events;
mod form;
mod format;
mod frame;
mod json;
mod meant;
mod numbers;
mod path;
mod payload;
mod peer;
mod protobuf;
mod reason;
mod record;
mod registry;
mod rows;
mod send;
mod shapes;
mod straight;
#[cfg(test)]
mod testing;
mod unknown;
mod webhook;
mod work;
mod wrapped;

pub use decoder::{DeadLetterNote, Decoder, RecordContext, RecordCounts};
pub use detect::Headers;
pub use format::{Aspect, FORMATS, Format, FormatInfo, UnknownFormat, Wire};
pub use protobuf::looks_like_one as is_protobuf;
pub use reason::{GapReason, IGNORED_NAMES, Reason, ignored};
