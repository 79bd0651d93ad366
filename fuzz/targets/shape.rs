//! See `shape::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| turnwise_fuzz::shape::any_texts(bytes));
