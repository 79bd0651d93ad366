//! criterion benches of the kernels and the end-to-end comparison

pub mod texts;
