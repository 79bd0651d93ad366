//! `text_sample(texts)`: the texts of smallest hash, over conversations' samples or over states.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use turnwise_kernels::samples::TextSample;
use turnwise_model::conversation::state_type;

use super::frame::{Lists, MergeState};

/// `text_sample(texts)`.
#[derive(Default)]
pub(super) struct TextSamples(TextSample);

impl MergeState for TextSamples {
    const NAME: &'static str = "text_sample";
    type Columns<'a> = Lists<'a>;

    fn arguments() -> Vec<DataType> {
        vec![state_type()]
    }

    fn columns(values: &[ArrayRef]) -> Result<Lists<'_>> {
        Lists::new(&values[0])
    }

    fn update(&mut self, samples: &Lists<'_>, row: usize) {
        self.0.merge(samples.value(row));
    }

    fn merge(&mut self, state: &[i64]) {
        self.0.merge(state);
    }

    fn append_state(&self, state: &mut Vec<i64>) {
        self.0.append_state(state);
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
