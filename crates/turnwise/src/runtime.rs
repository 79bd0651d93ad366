//! The runtime that queries run on.

use anyhow::Context as _;

/// Deep plans recurse, and unoptimised builds have large frames.
const STACK_BYTES: usize = 16 << 20;

/// A runtime with a thread for each core.
pub(crate) fn new() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("turnwise")
        .thread_stack_size(STACK_BYTES)
        .build()
        .context("start query threads")
}
