//! A message as one word: when it was sent, which way, and what it adds to the counts.
//!
//! ```text
//! 63          16 │ 15   5 │  4   │  3  │ 2  0
//!  milliseconds  │   0    │ free │ out │ kind
//! ```
//!
//! Words of one peer in ascending order are its messages in order of time, inbound first.

/// Bits below the time.
pub(super) const TIME_SHIFT: u32 = 16;
const FREE_BIT: u32 = 4;
const OUTBOUND_BIT: u32 = 3;

/// Kinds of bare messages.
pub(super) const KINDS: usize = 7;
/// The kinds that have counters of their own; the last stands for all others.
pub(super) mod kind {
    pub const TEXT: usize = 0;
    pub const BUTTON: usize = 1;
    pub const VOICE: usize = 2;
    pub const IMAGE: usize = 3;
    pub const TEMPLATE: usize = 4;
    pub const INTERACTIVE: usize = 5;
    pub const OTHER: usize = 6;
}

/// Added to a time so that times before 1970 are in order too.
const BIAS_MS: i64 = 1 << 47;

/// The lower bits of a message's word; `kind` below [`KINDS`]. What the business sends is free-form
/// unless it is a template.
pub(super) fn bits(is_outbound: bool, kind: usize) -> u64 {
    let is_free = is_outbound && kind != kind::TEMPLATE;
    u64::from(is_free) << FREE_BIT | u64::from(is_outbound) << OUTBOUND_BIT | kind as u64
}

/// The bits of a time; none where it is further from 1970 than 4,400 years.
pub(super) fn time_bits(time_ms: i64) -> Option<u64> {
    let biased = time_ms.wrapping_add(BIAS_MS).cast_unsigned();
    (biased >> (u64::BITS - TIME_SHIFT) == 0).then_some(biased << TIME_SHIFT)
}

/// The time of a word in milliseconds.
pub(super) fn time_ms(word: u64) -> i64 {
    (word >> TIME_SHIFT).cast_signed() - BIAS_MS
}

/// 1 where a word is of an outbound message.
pub(super) fn outbound(word: u64) -> u32 {
    (word >> OUTBOUND_BIT) as u32 & 1
}

/// 1 where a word is of a free-form message of the API.
pub(super) fn free(word: u64) -> u32 {
    (word >> FREE_BIT) as u32 & 1
}

/// The kind of a word's message.
pub(super) fn kind_of(word: u64) -> u32 {
    word as u32 & ((1 << OUTBOUND_BIT) - 1)
}
