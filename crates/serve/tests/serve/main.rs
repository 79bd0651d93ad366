//! The service on real sockets: flagged senders and what operators see.

mod common;
mod flagged_senders;
mod operations;
