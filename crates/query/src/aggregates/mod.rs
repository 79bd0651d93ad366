//! Aggregate functions over mergeable integer states.
//!
//! The mergeable ones keep a state that is a list of 64-bit integers, the same whatever the order,
//! partitioning or batches of its input (law 3), and returns that list; scalar functions read it.
//! One frame (`frame::StateUdaf`) makes a `GroupsAccumulator` of anything that is `frame::Rows`, so a
//! new one is a file that says how rows go into a state (`states`) and a line in [`all`]. The exact
//! ones (`exact`) keep every value instead, and their results are numbers.

mod exact;
mod exact_distinct;
mod exact_quantiles;
mod frame;
mod histograms;
mod peers;
mod places;
mod regressions;
mod states;
mod values;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;
use turnwise_kernels::counts::Counts;
use turnwise_kernels::regression::Regression;
use turnwise_kernels::samples::{PeerCount, PeerSample, TextSample};

use exact::ExactUdaf;
use frame::StateUdaf;
pub(crate) use frame::{Lists, empty_states};
use states::Merge;

/// Every aggregate function, by the name that SQL knows.
#[must_use]
pub fn all() -> Vec<Arc<AggregateUDF>> {
    vec![
        StateUdaf::<histograms::Histogram>::udaf(),
        StateUdaf::<Merge<Counts>>::udaf(),
        StateUdaf::<peers::PeerSamples>::udaf(),
        StateUdaf::<Merge<PeerSample>>::udaf(),
        StateUdaf::<peers::PeerCounts>::udaf(),
        StateUdaf::<Merge<PeerCount>>::udaf(),
        StateUdaf::<Merge<TextSample>>::udaf(),
        StateUdaf::<regressions::Regressions>::udaf(),
        StateUdaf::<Merge<Regression>>::udaf(),
        ExactUdaf::<exact_quantiles::ExactQuantile>::udaf(),
        ExactUdaf::<exact_quantiles::ExactQuantiles>::udaf(),
        ExactUdaf::<exact_quantiles::ExactSummary>::udaf(),
        ExactUdaf::<exact_distinct::ExactDistinct>::udaf(),
    ]
}
