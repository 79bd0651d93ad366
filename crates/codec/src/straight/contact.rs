//! A contact as it usually is, of webhooks and of answers to sends alike.

use super::values::{digits_or_empty, plain_or_empty};
use crate::json::{Field, Reader, Span};

/// One of `contacts`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contact {
    /// Digits or empty.
    pub(crate) phone: Span,
    pub(crate) user: Span,
}

/// `contacts[]`.
#[inline(always)]
pub(crate) fn contact<'a, R: Reader<'a>>(cursor: &mut R) -> Option<Contact> {
    const WA_ID: Field = 1;
    const USER_ID: Field = 2;
    let name = |name: &[u8]| match name {
        b"wa_id" => WA_ID,
        b"user_id" => USER_ID,
        _ => 0,
    };
    let mut contact = Contact::default();
    cursor.object(name, |cursor, field| {
        match field {
            WA_ID => contact.phone = digits_or_empty(cursor)?,
            USER_ID => contact.user = plain_or_empty(cursor)?,
            _ => return None,
        }
        Some(())
    })?;
    Some(contact)
}
