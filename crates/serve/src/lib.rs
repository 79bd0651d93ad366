//! The serving edge: gRPC for flagged senders, health and reflection; HTTP for metrics and probes.
//!
//! ```text
//! derived tables ─▶ Published ─▶ Board ─┬─▶ FlaggedSenders (gRPC, with health and reflection)
//!                  (immutable)          └─▶ the last few, for page tokens
//! every part ─▶ Health, metrics ─────────▶ /readyz /livez /metrics (HTTP)
//! ```
//!
//! Stateless: what is published can be rebuilt from the lake at any time, and page tokens name
//! the state they belong to by what it was derived from, so any replica that has it can go on.

#![forbid(unsafe_code)]

mod answers;
mod board;
mod error;
mod grpc;
mod health;
mod http;
mod page;
pub mod proto;
mod refusal;
mod service;
mod telemetry;

pub use board::{Board, Published, PublishedSender, StateKey};
pub use error::{Retry, ServeError};
pub use grpc::serve_grpc;
pub use health::Health;
pub use http::serve_http;
pub use telemetry::install_recorder;
