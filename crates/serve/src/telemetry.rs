//! The recorder of metrics, and what this crate counts. Labels come from closed sets: method and code.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tonic::Code;

use crate::board::Published;
use crate::error::ServeError;
use crate::refusal::code_label;

const REQUESTS: &str = "turnwise_grpc_requests_total";
const DURATION: &str = "turnwise_grpc_request_duration_seconds";
const SENDERS: &str = "turnwise_serve_published_senders";
const FLAGGED: &str = "turnwise_serve_flagged_senders";
const DERIVED: &str = "turnwise_serve_derived_timestamp_seconds";

/// Bounds of durations, in seconds.
const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0, 300.0,
];
/// Bounds of sizes, in bytes.
const BYTES: &[f64] = &[
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// Bounds of anything else: counts.
const COUNTS: &[f64] =
    &[1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0];

/// Makes the recorder of this process, with buckets for every histogram so that replicas add up.
///
/// # Errors
/// Another recorder is installed already.
pub fn install_recorder() -> Result<PrometheusHandle, ServeError> {
    let set_up = |error| ServeError::set_up("metrics", error);
    let handle = PrometheusBuilder::new()
        .with_recommended_naming(true)
        .set_buckets(COUNTS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        })
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), BYTES)
        })
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(set_up)?;
    describe_counter!(REQUESTS, "Calls of the service of flagged senders by method and code.");
    describe_histogram!(DURATION, Unit::Seconds, "How long calls took to answer, by method.");
    describe_gauge!(SENDERS, "Senders of the newest publication.");
    describe_gauge!(FLAGGED, "Flagged senders of the newest publication.");
    describe_gauge!(DERIVED, Unit::Seconds, "When the newest publication was derived.");
    Ok(handle)
}

/// One answered call.
pub(crate) fn call(method: &'static str, code: Code, took: Duration) {
    counter!(REQUESTS, "method" => method, "code" => code_label(code)).increment(1);
    histogram!(DURATION, "method" => method).record(took.as_secs_f64());
}

/// One publication.
#[expect(clippy::cast_precision_loss, reason = "metrics are floats; counts are far below 2^53")]
pub(crate) fn published(state: &Published) {
    let flagged = state.senders.iter().filter(|sender| sender.flag_on).count();
    gauge!(SENDERS).set(state.senders.len() as f64);
    gauge!(FLAGGED).set(flagged as f64);
    gauge!(DERIVED).set(state.derived_at.0 as f64 / 1_000.0);
}
