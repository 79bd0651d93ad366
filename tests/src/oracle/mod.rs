//! An oracle for rows, conversations and features: sorted vectors and loops over plain rows,
//! written from the documentation alone. It uses the names, codes, limits and keys of
//! `turnwise-model` and no other code of the project, so that where it and the program differ one
//! of them is wrong.
//!
//! ```text
//! record ──decode──▶ RawRow … ──▶ Row …
//! rows of one sender ──conversations(day)──▶ Conversation … ──features(window end)──▶ name → (value, n)
//! ```

pub mod decode;

mod conversations;
mod features;
mod figures;
mod rows;

pub use conversations::{Conversation, Entry, Part, conversations};
pub use features::{Value, features};
pub use figures::{bucket_middle, entropy, novelty, quantile, topic_coincidence};
pub use rows::{Row, batches};
