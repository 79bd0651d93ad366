//! What a window's features mean: the scorecard, the verdict with its reasons, and the flag.
//!
//! ```text
//!  FeatureVector ─┐
//!                 ├─ judge ─→ Judgement (verdict, axes, reasons, counter-evidence, notes)
//!  Scorecard ─────┘                │
//!                                  └─ of 28 midnights ─ flag::replay ─→ FlagState
//! ```
//!
//! Pure: which features there are, their axes and signs are fixed here; weights, ramps and
//! thresholds come from a file that people keep, with a reason beside each number.

#![forbid(unsafe_code)]

mod axis;
mod describe;
pub mod flag;
mod judge;
mod scorecard;
mod vector;

pub use axis::{Axis, Sign};
pub use judge::{Judgement, Reason, Scores, judge};
pub use scorecard::{Entry, Mistake, Retry, Scorecard, ScorecardError, Thresholds};
pub use vector::FeatureVector;
