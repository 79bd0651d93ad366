//! What differential harnesses share: a wrong kernel, planted on purpose, must be found by the
//! cases that the right one is compared on.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Cases that a planted kernel is looked for in.
const CASES: usize = 256;

/// Whether a case shows that a kernel is wrong. The cases are the same in every run.
pub(crate) fn is_found<S: Strategy>(cases: &S, agrees: impl Fn(&S::Value) -> bool) -> bool {
    let mut runner = TestRunner::deterministic();
    (0..CASES).any(|_| !agrees(&cases.new_tree(&mut runner).expect("a case").current()))
}
