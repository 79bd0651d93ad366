//! See `check::send`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| turnwise_fuzz::check::send(bytes));
