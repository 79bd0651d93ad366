//! A record while its sink looks at it.

use std::fmt;

use turnwise_model::{Millis, Offset};

use crate::native::Record;

/// One record, valid while the sink runs.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    /// Its offset.
    pub offset: Offset,
    /// Its time, where it has one.
    pub time: Option<Millis>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; none in a tombstone.
    pub value: Option<&'a [u8]>,
    native: Record<'a>,
}

impl<'a> RecordRef<'a> {
    pub(crate) fn new(native: Record<'a>) -> Self {
        Self {
            offset: native.offset(),
            time: native.time(),
            key: native.key(),
            value: native.value(),
            native,
        }
    }

    /// Names and values of its headers, in order; only now does the client decode them.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'a [u8], Option<&'a [u8]>)> {
        self.native.headers()
    }
}

/// Lengths only: a record's content is never shown.
impl fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordRef")
            .field("offset", &self.offset)
            .field("time", &self.time)
            .field("key_bytes", &self.key.map(<[u8]>::len))
            .field("value_bytes", &self.value.map(<[u8]>::len))
            .finish_non_exhaustive()
    }
}
