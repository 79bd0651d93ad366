//! The codec from the outside: any bytes, events of every format, recorded payloads.

mod batches;
mod common;
mod encoders;
mod envelopes;
mod formats;
mod found;
mod layouts;
mod payloads;
mod random;
mod ways;
