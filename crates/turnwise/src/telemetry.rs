//! Logs to standard error, for people or for machines, and what the roles' metrics mean.

use std::io::IsTerminal as _;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram};
use tracing_subscriber::EnvFilter;

use crate::args::LogForm;
use crate::exit::{Failure, Outcome};

/// Counters without labels. They begin at zero, or the first failure would be no increase.
const COUNTERS: [(&str, &str); 9] = [
    ("turnwise_ingest_lost_records_total", "Records that retention took before they were read."),
    (
        "turnwise_ingest_stopped_partitions_total",
        "Partitions that stopped for want of an operator.",
    ),
    ("turnwise_ingest_untimed_rows_total", "Rows whose format has no time: the record's stands."),
    ("turnwise_ingest_long_way_records_total", "Records of JSON that no straight way takes."),
    ("turnwise_derive_failures_total", "Looks at new rows that failed."),
    ("turnwise_lake_compacted_files_total", "Files that were rewritten into larger ones."),
    ("turnwise_lake_token_files_dropped_total", "Files rewritten without what is made of texts."),
    (
        "turnwise_lake_uploads_begun_again_total",
        "Uploads of long data files that were begun again since a part failed.",
    ),
    ("turnwise_lake_maintenance_failures_total", "Steps of maintenance that failed."),
];

/// Counters with labels.
const LABELLED: [(&str, &str); 5] = [
    ("turnwise_ingest_commits_total", "Commits of ingest by outcome."),
    ("turnwise_ingest_rows_total", "Rows committed by kind."),
    ("turnwise_ingest_unknown_fields_total", "Fields that nobody knew, by names known elsewhere."),
    ("turnwise_lake_commit_attempts_total", "Attempts at a commit by outcome."),
    ("turnwise_kafka_errors_total", "Errors of the Kafka client by kind."),
];

const GAUGES: [(&str, &str); 7] = [
    ("turnwise_ingest_last_commit_timestamp_seconds", "When ingest committed last."),
    ("turnwise_ingest_lag_records", "Records of the assigned partitions that were not yet read."),
    ("turnwise_ingest_assigned_partitions", "Partitions that this process reads."),
    ("turnwise_ingest_held_bytes", "Bytes read and not yet committed."),
    ("turnwise_lake_live_files", "Data files of the kind and date of `events` that has most."),
    (
        "turnwise_derive_interval_seconds",
        "How long derive rests between the beginnings of two looks.",
    ),
    ("turnwise_derive_last_success_timestamp_seconds", "When derive last ended without failure."),
];

const HISTOGRAMS: [(&str, &str); 3] = [
    ("turnwise_lake_commit_attempts", "Attempts that a commit took."),
    ("turnwise_derive_duration_seconds", "How long a look at new rows took."),
    ("turnwise_derive_stage_duration_seconds", "How long a stage of a look took."),
];

/// Says what the roles' metrics mean, once there is a recorder.
pub(crate) fn describe_metrics() {
    for (name, text) in COUNTERS {
        describe_counter!(name, text);
        counter!(name).increment(0);
    }
    for (name, text) in LABELLED {
        describe_counter!(name, text);
    }
    for (name, text) in GAUGES {
        describe_gauge!(name, text);
    }
    for (name, text) in HISTOGRAMS {
        describe_histogram!(name, text);
    }
}

/// Sets up logging for the process.
pub(crate) fn start(form: LogForm, level: &str) -> Outcome {
    let filter = EnvFilter::try_new(level)
        .map_err(|error| Failure::Usage(anyhow::Error::new(error).context("read log level")))?;
    let layer = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match form {
        LogForm::Text => layer.try_init(),
        LogForm::Json => layer.json().try_init(),
    };
    started.map_err(|error| Failure::Failed(anyhow::anyhow!("start logging: {error}")))
}
