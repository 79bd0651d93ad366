//! The lake on a real folder: commits, derived tables, upkeep.

mod commit;
mod common;
mod derived;
mod transfer;
mod upkeep;
