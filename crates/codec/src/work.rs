//! Steps of work, counted in tests: what a record costs must grow with its bytes and no faster,
//! whatever is in it. Nothing is counted outside tests.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts steps of a loop that outside data drives.
#[inline(always)]
#[cfg_attr(not(test), expect(unused_variables, reason = "counted in tests only"))]
pub(crate) fn step(count: usize) {
    #[cfg(test)]
    STEPS.set(STEPS.get() + count);
}

/// The steps of a call.
#[cfg(test)]
pub(crate) fn steps(call: impl FnOnce()) -> usize {
    let before = STEPS.get();
    call();
    STEPS.get() - before
}

#[cfg(test)]
mod tests;
