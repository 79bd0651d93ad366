//! Memory that is asked for before it is needed, so that it need not be waited for then.
//!
//! Nothing comes of it but time: what is asked for may be any place, there or not.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86;

/// Bytes of a line of the processor's cache.
const LINE: usize = 64;
/// Bytes that are read while a line comes from memory.
const FAR: usize = 2 << 10;
/// Lines that are fetched at least, and at most, behind one text. As many as the first are fetched
/// of a text itself.
const LINES_MIN: usize = 4;
const LINES_MAX: usize = 24;

/// Has the processor fetch the bytes that stand behind a text in memory, as many as it has and some
/// more, if there are any: mostly there is another text.
#[inline(always)]
pub fn fetch_behind(text: &[u8]) {
    let end = text.as_ptr().wrapping_add(text.len());
    let fetch = |line: usize| line_at(end.wrapping_add(LINE * line));
    // The first ones without a loop: mostly they are all.
    (0..LINES_MIN).for_each(fetch);
    (LINES_MIN..LINES_MAX.min(text.len() / LINE)).for_each(fetch);
}

/// Has the processor fetch as many bytes as a text has, so far behind it that they are there when
/// all between is read: for texts that stand behind each other and are read in a row.
#[inline(always)]
pub fn fetch_far_behind(text: &[u8]) {
    let far = text.as_ptr().wrapping_add(FAR);
    (0..=text.len() / LINE).for_each(|line| line_at(far.wrapping_add(LINE * line)));
}

/// Has the processor fetch the first bytes of a text.
#[inline(always)]
pub fn fetch_text(text: &[u8]) {
    (0..LINES_MIN.min(text.len().div_ceil(LINE)))
        .for_each(|line| line_at(text.as_ptr().wrapping_add(LINE * line)));
}

/// Has the processor fetch a value of a list.
#[inline(always)]
pub fn fetch_value<T>(values: &[T], at: usize) {
    line_at(values.as_ptr().wrapping_add(at).cast());
}

#[inline(always)]
fn line_at(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    x86::line_at(address);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
