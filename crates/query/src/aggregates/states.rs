//! The states of our aggregate functions, and the functions that merge them.

use std::marker::PhantomData;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use turnwise_kernels::counts::Counts;
use turnwise_kernels::samples::{PeerCount, PeerSample, TextSample};
use turnwise_model::conversation::state_type;

use super::frame::{Lists, Rows, State};

/// `histogram_merge(state)`: adds the counts of histograms, or of any counts by code.
impl State for Counts {
    const MERGE: &'static str = "histogram_merge";

    fn merge(&mut self, state: &[i64]) {
        self.merge(state);
    }

    fn append_state(&self, state: &mut Vec<i64>) {
        self.append_state(state);
    }

    fn state_len(&self) -> usize {
        self.state_len()
    }

    fn append_partial(&self, partial: &mut Vec<i64>) {
        self.append_packed(partial);
    }

    fn merge_partial(&mut self, partial: &[i64]) {
        self.merge_packed(partial);
    }

    fn size(&self) -> usize {
        self.size()
    }
}

/// `peer_count_merge(state)`.
impl State for PeerCount {
    const MERGE: &'static str = "peer_count_merge";

    fn merge(&mut self, state: &[i64]) {
        self.merge(state);
    }

    fn append_state(&self, state: &mut Vec<i64>) {
        self.append_state(state);
    }

    fn append_partial(&self, partial: &mut Vec<i64>) {
        self.append_unordered(partial);
    }

    fn size(&self) -> usize {
        self.size()
    }
}

/// Samples, of which nothing is quicker than the state itself.
macro_rules! sample {
    ($(#[$doc:meta])* $sample:ty, $merge:literal) => {
        $(#[$doc])*
        impl State for $sample {
            const MERGE: &'static str = $merge;

            fn merge(&mut self, state: &[i64]) {
                self.merge(state);
            }

            fn append_state(&self, state: &mut Vec<i64>) {
                self.append_state(state);
            }

            fn size(&self) -> usize {
                self.size()
            }
        }
    };
}

sample!(
    /// `peer_sample_merge(state)`.
    PeerSample,
    "peer_sample_merge"
);
sample!(
    /// `text_sample(texts)`: the texts of smallest hash, over conversations' samples or over states.
    TextSample,
    "text_sample"
);

/// The function that merges states of a kind.
pub(super) struct Merge<S>(PhantomData<fn() -> S>);

impl<S: State> Rows for Merge<S> {
    const NAME: &'static str = S::MERGE;
    type State = S;
    type Columns<'a> = Lists<'a>;

    fn arguments() -> Vec<DataType> {
        vec![state_type()]
    }

    fn columns(values: &[ArrayRef]) -> Result<Lists<'_>> {
        Lists::new(&values[0])
    }

    fn update(state: &mut S, states: &Lists<'_>, row: usize) {
        state.merge(states.value(row));
    }
}
