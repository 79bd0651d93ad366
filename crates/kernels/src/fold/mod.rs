//! The conversation fold: messages to conversations.

pub mod bare;
mod lanes;
pub mod scalar;
mod word;

pub use scalar::{Collector, Folder, Input, needed};

/// Conversations of one output batch.
const BATCH_ROWS: usize = 8_192;
