//! Measures with their support, `{value, n, low, high}`: topic coincidence, novelty, reuse, returning.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;
use turnwise_kernels::coincidence::{Tokens, topic_coincidence};
use turnwise_kernels::{novelty, samples};
use turnwise_model::conversation::state_type;

use super::function;
use crate::aggregates::Lists;

/// One measure of one state.
#[derive(Clone, Copy, Default)]
struct Measure {
    value: Option<f64>,
    n: i64,
    interval: Option<(f64, f64)>,
}

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(
            "topic_coincidence",
            vec![state_type(), DataType::Utf8],
            measure_type(),
            coincidence,
        ),
        function("novelty", vec![state_type()], measure_type(), |arguments| {
            over(arguments, |state| {
                let (value, n) = novelty::novelty(state)?;
                Some(Measure { value: Some(value), n, interval: None })
            })
        }),
        function("skeleton_reuse", vec![state_type()], measure_type(), |arguments| {
            over(arguments, |state| Some(share(novelty::skeleton_reuse(state))))
        }),
        function("returning_peers", vec![state_type()], measure_type(), |arguments| {
            over(arguments, |state| Some(share(samples::returning(state))))
        }),
    ]
}

fn fields() -> Fields {
    let double = |name| Field::new(name, DataType::Float64, true);
    vec![double("value"), Field::new("n", DataType::Int64, false), double("low"), double("high")]
        .into()
}

fn measure_type() -> DataType {
    DataType::Struct(fields())
}

/// `topic_coincidence(peer_sample, 'user' | 'reply')`.
fn coincidence(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let which = arguments[1].as_string::<i32>();
    let tokens = match which.iter().flatten().next() {
        Some("user") => Tokens::User,
        Some("reply") => Tokens::Reply,
        _ if arguments[0].is_empty() => Tokens::User,
        _ => return exec_err!("topic_coincidence: the second argument is 'user' or 'reply'"),
    };
    over(&arguments[..1], |state| {
        let found = topic_coincidence(state, tokens)?;
        Some(Measure {
            value: Some(found.value),
            n: found.n,
            interval: Some((found.low, found.high)),
        })
    })
}

fn over(arguments: &[ArrayRef], read: impl Fn(&[i64]) -> Option<Measure>) -> Result<ArrayRef> {
    let states = Lists::new(&arguments[0])?;
    let found: Vec<Measure> =
        (0..arguments[0].len()).map(|row| read(states.value(row)).unwrap_or_default()).collect();
    let double = |pick: &dyn Fn(&Measure) -> Option<f64>| -> ArrayRef {
        Arc::new(found.iter().map(pick).collect::<Float64Array>())
    };
    let columns = vec![
        double(&|measure| measure.value),
        Arc::new(found.iter().map(|measure| measure.n).collect::<Int64Array>()) as ArrayRef,
        double(&|measure| measure.interval.map(|interval| interval.0)),
        double(&|measure| measure.interval.map(|interval| interval.1)),
    ];
    Ok(Arc::new(StructArray::new(fields(), columns, None)))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a bounded sample are exact in a double")]
fn share((hits, n): (i64, i64)) -> Measure {
    Measure { value: (n > 0).then(|| hits as f64 / n as f64), n, interval: None }
}
