//! A message as one word: when it was sent, which way, and what it adds to the counts.
//!
//! ```text
//! 63          16 │ 15  │ 14   │ 13 12 │ 11                0
//!  milliseconds  │ out │ free │   0   │ code: set, kind, form
//! ```
//!
//! Words of one peer in ascending order are its messages in order of time, inbound first.

use turnwise_model::{InteractiveType, MessageKind};

use super::scalar::Class;

/// Bits below the time.
pub(super) const TIME_SHIFT: u32 = 16;
const OUTBOUND_BIT: u32 = 15;
const FREE_BIT: u32 = 14;
const CODE_BITS: u32 = 12;
const FORM_BITS: u32 = 4;
const KIND_BITS: u32 = 5;

/// Added to a time so that times before 1970 are in order too.
const BIAS_MS: i64 = 1 << 47;

/// Codes of words.
pub(super) const CODES: usize = 1 << CODE_BITS;

/// Which of the details of a kind a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain = 0,
    /// Audio recorded as a voice note.
    Voice,
    /// A tapped reply.
    Tapped,
    /// A flow that was filled in, which is a tapped reply too.
    FlowReply,
    /// Outbound: a product, product list, catalog or flow.
    Commerce,
    /// Only a `sent` status tells of the message.
    StandIn,
}

impl Form {
    /// The form of an interactive message.
    pub fn interactive(kind: Option<InteractiveType>) -> Self {
        use InteractiveType as I;
        match kind {
            Some(I::NfmReply) => Self::FlowReply,
            Some(I::ButtonReply | I::ListReply) => Self::Tapped,
            Some(I::Product | I::ProductList | I::CatalogMessage | I::Flow) => Self::Commerce,
            _ => Self::Plain,
        }
    }
}

/// The lower bits of a message's word.
pub(super) fn code(class: Class, kind: MessageKind, form: Form) -> u64 {
    let kind = kind.code().unsigned_abs();
    debug_assert!(kind < 1 << KIND_BITS);
    let code = ((class as u32) << KIND_BITS | kind) << FORM_BITS | form as u32;
    let outbound = u64::from(!matches!(class, Class::User)) << OUTBOUND_BIT;
    outbound | u64::from(matches!(class, Class::Free)) << FREE_BIT | u64::from(code)
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

/// Where a word's counts stand in a table of [`CODES`].
pub(super) fn index(word: u64) -> usize {
    word as usize & (CODES - 1)
}
