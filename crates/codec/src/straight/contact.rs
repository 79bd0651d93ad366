//! A contact as it usually is, of webhooks and of answers to sends alike.

use super::values::{is_digits_or_empty, is_plain_or_empty};
use crate::json::{Cursor, Field, Nth, UNUSUAL, Values};

/// One of `contacts`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contact {
    pub(crate) phone: Nth,
    pub(crate) user: Nth,
}

impl Contact {
    /// Reads one of `contacts[]`.
    pub(crate) fn read(cursor: &mut Cursor<'_, '_>) -> Option<Self> {
        const WA_ID: Field = 1;
        const USER_ID: Field = 2;
        let name = |name: &[u8]| match name {
            b"wa_id" => WA_ID,
            b"user_id" => USER_ID,
            b"group_id" => UNUSUAL,
            _ => 0,
        };
        let mut contact = Self::default();
        cursor.object(name, |cursor, field| {
            match field {
                WA_ID => contact.phone = cursor.string()?,
                USER_ID => contact.user = cursor.string()?,
                _ => return None,
            }
            Some(())
        })?;
        Some(contact)
    }

    /// Whether its number is of digits or empty, and its user id plain or empty.
    #[inline(always)]
    pub(crate) fn is_usual(&self, values: Values<'_>) -> bool {
        is_digits_or_empty(values, self.phone) && is_plain_or_empty(values, self.user)
    }

    /// See [`Nth::moved`].
    pub(crate) fn moved(self, by: isize) -> Self {
        Self { phone: self.phone.moved(by), user: self.user.moved(by) }
    }
}
