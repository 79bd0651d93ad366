//! The states of our aggregate functions, and the functions that merge them.

use std::marker::PhantomData;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use turnwise_kernels::counts::Counts;
use turnwise_kernels::samples::{PeerCount, PeerSample, TextSample};
use turnwise_model::conversation::state_type;

use super::frame::{Lists, Rows, State};

/// What a state is by its own methods, and those that are its kind's alone.
macro_rules! state {
    ($(#[$doc:meta])* $state:ty, $merge:literal $(, $($own:tt)+)?) => {
        $(#[$doc])*
        impl State for $state {
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

            $($($own)+)?
        }
    };
}

state!(
    /// `histogram_merge(state)`: adds the counts of histograms, or of any counts by code.
    Counts,
    "histogram_merge",
    fn state_len(&self) -> usize {
        self.state_len()
    }

    fn append_partial(&self, partial: &mut Vec<i64>) {
        self.append_packed(partial);
    }

    fn merge_partial(&mut self, partial: &[i64]) {
        self.merge_packed(partial);
    }
);
state!(
    /// `peer_count_merge(state)`.
    PeerCount,
    "peer_count_merge",
    fn append_partial(&self, partial: &mut Vec<i64>) {
        self.append_unordered(partial);
    }
);
state!(
    /// `peer_sample_merge(state)`.
    PeerSample,
    "peer_sample_merge"
);
state!(
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
