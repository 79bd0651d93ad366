//! What a reader of JSON that knows what to expect is made of.
//!
//! Two things can be read so: a text ([`super::cursor::Cursor`]), and a text whose layout is known,
//! of which only the strings are looked at ([`super::replay::Replay`]). A reader written against
//! this trait reads both, so it says the same of both.
//!
//! Each method reads one thing and answers `None` where something else stands; then the reader gives
//! up and leaves the text to the tape. Nothing is accepted that the tape refuses.

use super::scan::{Span, Text};

/// What a reader calls a key that it asks for: 1 to 30.
pub(crate) type Field = u8;
/// A key that ends the straight way.
pub(crate) const UNUSUAL: Field = 31;

/// See the module.
pub(crate) trait Reader<'a>: Sized {
    /// All of the text.
    fn bytes(&self) -> &'a [u8];

    /// An object. `name` tells which field a key is, 0 for those that nobody asks for; `field` reads
    /// the value of a field. Each field may occur once, other keys any number of times.
    fn object(
        &mut self,
        name: fn(&[u8]) -> Field,
        field: impl FnMut(&mut Self, Field) -> Option<()>,
    ) -> Option<()>;

    /// An array; `element` reads each element.
    fn array(&mut self, element: impl FnMut(&mut Self) -> Option<()>) -> Option<()>;

    /// A string.
    fn string(&mut self) -> Option<Text>;

    /// A string without escapes that one of a closed list is named by, exactly; `known` tells a
    /// number for it. Texts with other names there are other layouts.
    fn named(&mut self, known: fn(&[u8]) -> Option<u8>) -> Option<u8>;

    /// A number, or a string.
    fn number_or_string(&mut self) -> Option<Text>;

    /// A number.
    fn number(&mut self) -> Option<Span>;

    /// `true` or `false`.
    fn boolean(&mut self) -> Option<bool>;

    /// A value of any kind, unless it is nested very deep.
    fn skip(&mut self) -> Option<()>;

    /// An object with whatever is in it.
    fn skip_object(&mut self) -> Option<()>;

    /// A string without escapes.
    #[inline(always)]
    fn plain(&mut self) -> Option<Text> {
        let text = self.string()?;
        (!text.is_escaped()).then_some(text)
    }
}
