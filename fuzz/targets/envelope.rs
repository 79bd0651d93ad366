//! See `check::envelope`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| turnwise_fuzz::check::envelope(bytes));
