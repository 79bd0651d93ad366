//! project tooling: cargo xtask test, readers, bench
fn main() {}
