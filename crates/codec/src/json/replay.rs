//! Reads a text whose layout is known: its strings and numbers were found already, and what its
//! reader did with them before is done again.

use super::cursor::op;
use super::reader::{Field, Reader};
use super::scan::{Span, Text};
use crate::unknown::Unknown;

/// A text of a known layout that is being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replay<'a, 'l> {
    pub(super) bytes: &'a [u8],
    pub(super) ops: &'l [u8],
    pub(super) values: &'l [Text],
    /// Fields that nobody knows.
    pub(crate) unknown: &'l [Unknown],
}

impl Replay<'_, '_> {
    #[inline(always)]
    fn op(&mut self) -> Option<u8> {
        let (op, rest) = self.ops.split_first()?;
        self.ops = rest;
        Some(*op)
    }

    #[inline(always)]
    fn value(&mut self) -> Option<Text> {
        let (value, rest) = self.values.split_first()?;
        self.values = rest;
        Some(*value)
    }

    /// Passes over what was skipped; the cursor stands behind its [`op::SKIP`].
    #[inline(always)]
    fn skipped(&mut self) -> Option<()> {
        let count = usize::from(self.op()?);
        self.values = self.values.get(count..)?;
        Some(())
    }
}

impl<'a> Reader<'a> for Replay<'a, '_> {
    #[inline(always)]
    fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    #[inline(always)]
    fn object(
        &mut self,
        _: fn(&[u8]) -> Field,
        mut field: impl FnMut(&mut Self, Field) -> Option<()>,
    ) -> Option<()> {
        loop {
            match self.op()? {
                op::END_OBJECT => return Some(()),
                op::SKIP => self.skipped()?,
                key => field(self, key)?,
            }
        }
    }

    #[inline(always)]
    fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        while self.op()? == op::ELEMENT {
            element(self)?;
        }
        Some(())
    }

    #[inline(always)]
    fn string(&mut self) -> Option<Text> {
        self.value()
    }

    #[inline(always)]
    fn named(&mut self, _: fn(&[u8]) -> Option<u8>) -> Option<u8> {
        self.op()
    }

    #[inline(always)]
    fn number_or_string(&mut self) -> Option<Text> {
        self.value()
    }

    #[inline(always)]
    fn number(&mut self) -> Option<Span> {
        self.value().map(|text| text.span())
    }

    #[inline(always)]
    fn boolean(&mut self) -> Option<bool> {
        Some(self.op()? == op::TRUE)
    }

    #[inline(always)]
    fn skip(&mut self) -> Option<()> {
        self.op()?;
        self.skipped()
    }

    #[inline(always)]
    fn skip_object(&mut self) -> Option<()> {
        self.skip()
    }
}
