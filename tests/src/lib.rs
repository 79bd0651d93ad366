//! End-to-end tests and the independent oracle: a second, slow and simple reading of records and
//! of what the features mean, that shares with the program nothing but the shared vocabulary.

#![forbid(unsafe_code)]

pub mod canary;
pub mod compare;
pub mod examples;
pub mod input;
pub mod lake;
pub mod lakes;
pub mod ledger;
pub mod oracle;
pub mod place;
pub mod process;
pub mod wait;
