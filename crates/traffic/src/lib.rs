//! Seeded, deterministic generator of realistic BSP traffic, for demo, benches and tests.
//!
//! A [`Plan`] says how many messages of how many senders over which days; [`Traffic`] iterates over
//! the Kafka records a BSP would have of them, in order of record time; [`truth`] says what each
//! sender really is. No clock, no file, no randomness but the seed: the same plan gives the same
//! bytes.
//!
//! ```text
//!  Plan ──► senders (profile, language, quota, hours of the day)
//!             │  a time slice at a time: conversations start until the quota of the slice is met
//!             ▼
//!           events (56 bytes, no text) in buckets by record time
//!             │  a bucket at a time: sort, write text and JSON
//!             ▼
//!           records: webhooks, send log
//! ```
//!
//! Only events of the running slice and those that come late are held; texts are made from an
//! event's own seed when its record is written, so memory does not grow with the plan.

#![forbid(unsafe_code)]

mod plan;
mod profile;
mod rng;
mod sender;

mod event;
mod stream;
mod talk;

mod text;
mod words;

mod account;
mod damage;
mod json;
mod parts;
mod send;
mod webhook;

pub use plan::{Plan, Rates};
pub use profile::{Class, Language, Profile};
pub use sender::{Truth, truth};
pub use stream::{Record, Topic, Traffic};
