//! An oracle for conversations and features: sorted vectors and loops over plain rows, written
//! from the documentation alone. It uses the names, codes and limits of `turnwise-model` and no
//! other code of the project, so that where it and the program differ one of them is wrong.
//!
//! ```text
//! rows of one sender ──conversations(day)──▶ Conversation … ──features(window end)──▶ name → (value, n)
//! ```

mod conversations;
mod features;
mod figures;
mod rows;

pub use conversations::{Conversation, Entry, Part, conversations};
pub use features::{Value, features};
pub use figures::{bucket_middle, entropy, novelty, quantile, topic_coincidence};
pub use rows::{Row, batches, rows_of};
