//! Seeded simulation of the ingest machine under faults, with an oracle and checkers.
//!
//! One seed is one world: partitions that grow, workers that run the real machine of
//! `turnwise-ingest` under a simulated driver, a group that moves partitions between them, and a
//! lake whose log is a list of entries put if absent. Everything that happens is an event in a
//! heap ordered by virtual time and sequence, so a seed gives the same run on any machine.
//!
//! ```text
//!  kafka ─► decoder ─► machine ─► commit: stage ─► check ─► send ┄┄► put lands ┄┄► reply
//!    ▲         ▲          │                                (network: lands even if its worker is
//!    │         └─ Cut ────┤                                 paused or dead; replies get lost)
//!  group ◄──── Released ──┘
//! ```
//!
//! Faults: crashes between any two steps, workers paused beyond the session (zombies), members
//! expelled without knowing it, lost replies, refused puts, puts that land after their worker
//! gave up on them, a store that is down past the deadline, clocks that jump, deliveries that
//! repeat or skip, full buffers, draining restarts. After healing everything must be committed.
//!
//! The checkers ([`run`] returns the first violation) read the log alone: ranges tile the input,
//! rows are the input's and stand once and inside their range, every `read_to` is true, no file is
//! too old or removed, the buffer stays bounded, and the healed world comes to rest. [`Canary`]s
//! plant known mistakes in the driver or the lake that the checkers must find.

#![forbid(unsafe_code)]

mod audit;
mod batch;
mod canary;
mod chance;
mod commit;
mod decoder;
mod driver;
mod event;
mod faults;
mod group;
mod kafka;
mod lake;
mod plan;
mod tally;
mod worker;
mod world;

pub use canary::Canary;
pub use tally::Tally;
pub use world::{Outcome, run};
