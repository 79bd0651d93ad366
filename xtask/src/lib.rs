//! Project tooling: what `cargo xtask` does, and the Kafka broker that tests start.
//!
//! A library too, so that end-to-end tests start and kill brokers of their own.
#![forbid(unsafe_code)]

pub mod tools;

pub mod cache;

pub mod kafka;

pub mod sanitize;
pub mod suite;

pub mod readers;

pub mod bench;
