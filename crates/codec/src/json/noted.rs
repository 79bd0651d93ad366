//! Strings and numbers of a text by their number, so that what a layout means can be kept without
//! the text.

use super::scan::Text;

/// A string or number of a text: how many were noted before it. Or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nth(u16);

/// The strings and numbers of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) texts: &'a [Text],
}

impl Nth {
    pub(crate) const NONE: Self = Self(u16::MAX);

    /// The one that so many were noted before; `None` of more than a text may have.
    #[inline]
    pub(super) fn of(before: usize) -> Option<Self> {
        u16::try_from(before).ok().map(Self).filter(|nth| *nth != Self::NONE)
    }

    #[inline]
    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The same one where so many more were noted before it, or, counted backwards, fewer.
    #[inline]
    pub(crate) fn moved(self, by: isize) -> Self {
        if self.is_none() { self } else { Self(self.0.wrapping_add_signed(by as i16)) }
    }
}

impl Default for Nth {
    fn default() -> Self {
        Self::NONE
    }
}

impl<'a> Values<'a> {
    /// What was seen of a value; of none as of an empty string.
    #[inline(always)]
    pub(crate) fn text(self, nth: Nth) -> Text {
        self.texts.get(usize::from(nth.0)).copied().unwrap_or_default()
    }

    /// The bytes of a value, as they stand in the text.
    #[inline(always)]
    pub(crate) fn of(self, nth: Nth) -> &'a [u8] {
        self.text(nth).span().of(self.bytes)
    }
}
