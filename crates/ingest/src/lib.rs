//! The batching and offset machine of ingest: inputs in, wishes out.
//!
//! Law 2 as a value: rows and offsets become one commit at a time, the lake is the only truth
//! about offsets, and every outcome other than "committed" is ambiguous and decided by the
//! offsets that the lake then shows. No clock, thread, socket or randomness: the driver passes
//! the time in and carries the wishes out. Files in `scan` use the same machine (a file is a
//! partition whose end is known).
//!
//! ```text
//!  Assigned ─► Seek ─► Read Read Read ─► Cut ──► Commit ─┬─ Committed ─► StoreOffsets
//!                 ▲        (open batch)          ▲       └─ Ambiguous ─► ReadOffsets
//!                 │                              │                           │
//!                 │                              ├── all at `from`: again ───┤
//!                 │                              ├── rest, rows cut out ─────┤
//!                 └── partition elsewhere, past the deadline, out of attempts ┘
//! ```
//!
//! # What a driver owes the machine
//!
//! * **One order.** What the decoder says (`Read`, the answers to `Cut`) reaches the machine in
//!   the order in which it happened, and the decoder obeys `Cut` and `Seek` in the order of the
//!   wishes. So the answer to a `Cut` holds exactly the rows of the `Read`s before it, and no row
//!   of a new epoch stands in a batch cut before the `Seek` that began the epoch.
//! * **Epochs.** Each `Seek` names an epoch. The decoder reads the partition from that offset and
//!   tags its `Read`s with it; records fetched under another epoch are not decoded.
//! * **Stops.** Before the machine hears `Revoked` or `Drain`, the decoder has stopped and what it
//!   read till then was said; before it hears `Lost`, the stop stands in the decoder's queue, ahead
//!   of the `Cut` that this wishes. A `Seek` that meets a stopped partition is not obeyed: the
//!   machine may wish one before it hears of the stop. What the decoder says of a stop whose
//!   partition was lost meanwhile is not passed on.
//! * **Commit once, check first.** A `Commit` is tried once: stage files (or reuse those staged
//!   under the same id), read the newest snapshot, refuse unless the stored offset equals `from`
//!   for each range, refuse past `deadline_ms`, put the next log entry if absent. `Committed`
//!   only on a clear success; all else is `Ambiguous`, at whatever layer it arose.
//! * **Time** is milliseconds of a clock that never goes back and goes on while the machine
//!   sleeps. `Tick` comes several times a second.

#![forbid(unsafe_code)]

mod backoff;
mod counters;
mod cut;
mod flight;
mod machine;
mod partition;
mod port;
mod settings;

pub use backoff::backoff_ms;
pub use counters::Counters;
pub use cut::{CutError, without};
pub use flight::{Place, place};
pub use machine::Machine;
pub use port::{CommitId, CutId, Epoch, Input, ReadTo, Wish};
pub use settings::Settings;
