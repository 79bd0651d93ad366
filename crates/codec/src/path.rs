//! Where in a record something stands, for the detail of a dead letter.

use std::fmt::{Display, Formatter, Result, Write};

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A key of the built-in dictionary: our own constant, never text from a record.
    Key(&'static str),
    Index(usize),
}

/// A path from the record's root. Its keys are constants of this crate, so that no content can
/// get into it; a key nobody knows is written `other`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    pub(crate) fn key(&mut self, key: &'static str) {
        self.0.push(Step::Key(key));
    }

    pub(crate) fn index(&mut self, index: usize) {
        self.0.push(Step::Index(index));
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    /// How deep the path is, for [`Path::back_to`].
    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }

    /// Back to where it was that deep.
    pub(crate) fn back_to(&mut self, depth: usize) {
        self.0.truncate(depth);
    }

    /// `path.inner: expected …, found …`; `inner` is `""` for the place itself.
    pub(crate) fn detail(&self, inner: &'static str, expected: &str, found: &str) -> String {
        let mut text = self.to_string();
        if !inner.is_empty() {
            let dot = if text.is_empty() { "" } else { "." };
            let _ = write!(text, "{dot}{inner}");
        }
        let place = if text.is_empty() { "record" } else { &text };
        format!("{place}: expected {expected}, found {found}")
    }
}

impl Display for Path {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if at == 0 => write!(formatter, "{key}")?,
                Step::Key(key) => write!(formatter, ".{key}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_shows_keys_and_indexes() {
        let mut path = Path::default();
        assert_eq!(path.detail("", "object", "null"), "record: expected object, found null");
        path.key("entry");
        path.index(0);
        path.key("changes");
        path.index(1);
        assert_eq!(
            path.detail("value", "object", "boolean"),
            "entry[0].changes[1].value: expected object, found boolean"
        );
        path.pop();
        assert_eq!(path.to_string(), "entry[0].changes");
    }
}
