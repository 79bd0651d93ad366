//! Aggregate functions over mergeable integer states.
//!
//! The mergeable ones keep a state that is a list of 64-bit integers, the same whatever the order,
//! partitioning or batches of its input (law 3), and returns that list; scalar functions read it.
//! One frame (`frame::StateUdaf`) makes a `GroupsAccumulator` of anything that is a
//! `frame::MergeState`, so a new one is a file with a state and a line in [`all`]. The exact ones
//! (`exact`) keep every value instead, and their results are numbers.

mod exact;
mod exact_distinct;
mod exact_quantiles;
mod frame;
mod histograms;
mod peers;
mod texts;
mod values;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

use exact::ExactUdaf;
use frame::StateUdaf;
pub(crate) use frame::{Lists, empty_states};

/// Every aggregate function, by the name that SQL knows.
#[must_use]
pub fn all() -> Vec<Arc<AggregateUDF>> {
    vec![
        StateUdaf::<histograms::Histogram>::udaf(),
        StateUdaf::<histograms::HistogramMerge>::udaf(),
        StateUdaf::<peers::PeerSamples>::udaf(),
        StateUdaf::<peers::PeerSampleMerge>::udaf(),
        StateUdaf::<peers::PeerCounts>::udaf(),
        StateUdaf::<peers::PeerCountMerge>::udaf(),
        StateUdaf::<texts::TextSamples>::udaf(),
        ExactUdaf::<exact_quantiles::ExactQuantile>::udaf(),
        ExactUdaf::<exact_quantiles::ExactQuantiles>::udaf(),
        ExactUdaf::<exact_quantiles::ExactSummary>::udaf(),
        ExactUdaf::<exact_distinct::ExactDistinct>::udaf(),
    ]
}
