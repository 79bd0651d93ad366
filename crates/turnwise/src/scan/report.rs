//! The forms of a scan's answer.

use serde_json::{Map, Value, json};
use turnwise_model::features::{FEATURES, Interval};
use turnwise_policy::{FeatureVector, Reason};
use turnwise_query::answer::SenderAnswer;

use crate::scan::read::{FileReport, Letter};
use crate::table;

/// Digits after the point in a table.
const DIGITS: usize = 2;
/// The same for topic coincidence, which tells assistants from tasks by the second and third.
const COINCIDENCE_DIGITS: usize = 3;
/// Digits after the point from which a number is written as it is.
const DIGITS_ALL: usize = 17;
/// Reasons that a line of a table names.
const MAIN_REASONS: usize = 3;
/// The columns of a table.
const HEADER: [&str; 13] = [
    "sender",
    "tenant",
    "window_end",
    "conversations",
    "median_turns",
    "open_ended_ratio",
    "topic_coincidence",
    "verdict",
    "scope",
    "generative",
    "automation",
    "grounding",
    "main_reasons",
];

/// The whole answer as one JSON object.
pub(crate) fn json(files: &[FileReport], letters: &[Letter], senders: &[SenderAnswer]) -> Value {
    let files: Vec<Value> = files
        .iter()
        .map(|report| {
            json!({
                "file": report.file,
                "messages": report.counts.messages,
                "statuses": report.counts.statuses,
                "history": report.counts.history,
                "account_events": report.counts.account_events,
                "ignored": report.counts.ignored,
                "dead_letters": report.counts.dead_letters,
            })
        })
        .collect();
    let letters: Vec<Value> = letters
        .iter()
        .map(|letter| {
            json!({
                "file": letter.file,
                "line": letter.line,
                "reason": letter.reason,
                "detail": letter.detail,
            })
        })
        .collect();
    json!({ "files": files, "dead_letters": letters, "senders": senders_json(senders) })
}

/// Senders as JSON objects, in their order.
pub(crate) fn senders_json(senders: &[SenderAnswer]) -> Vec<Value> {
    senders.iter().map(sender_json).collect()
}

fn sender_json(answer: &SenderAnswer) -> Value {
    let judgement = &answer.judgement;
    let vector = &answer.features;
    let named = |value: &dyn Fn(&str) -> Value| -> Map<String, Value> {
        FEATURES.iter().map(|f| (f.name.to_owned(), value(f.name))).collect()
    };
    json!({
        "sender": answer.window.sender,
        "tenant": answer.tenant,
        "window_end": window_end(answer),
        "scorecard": judgement.scorecard,
        "coverage": {
            "sends_with_status": answer.coverage.sends_with_status,
            "statuses_with_send": answer.coverage.statuses_with_send,
        },
        "intervals": intervals(vector),
        "verdict": judgement.verdict.name(),
        "score": {
            "scope": judgement.score.scope,
            "generative": judgement.score.generative,
            "automation": judgement.score.automation,
            "grounding": judgement.score.grounding,
        },
        "features": named(&|name| vector.value(name).into()),
        "support": named(&|name| vector.support_of(name).into()),
        "reasons": reasons(&judgement.reasons),
        "counter_evidence": reasons(&judgement.counter_evidence),
        "notes": judgement.notes,
    })
}

/// The 95 % intervals of the features that have one.
fn intervals(vector: &FeatureVector) -> Map<String, Value> {
    FEATURES
        .iter()
        .filter(|feature| feature.interval != Interval::None)
        .map(|feature| {
            let ends = vector.interval(feature.name).map(|(low, high)| json!([low, high]));
            (feature.name.to_owned(), ends.unwrap_or_default())
        })
        .collect()
}

fn reasons(list: &[Reason]) -> Vec<Value> {
    list.iter()
        .map(|reason| {
            json!({
                "feature": reason.feature,
                "value": reason.value,
                "n": reason.n,
                "points": reason.points,
                "weight": reason.weight,
                "axis": reason.axis.name(),
                "text": reason.text,
            })
        })
        .collect()
}

/// One line a sender, for people.
pub(crate) fn table(senders: &[SenderAnswer]) -> String {
    let header = HEADER.map(|name| name.replace('_', " "));
    let rows: Vec<Vec<String>> =
        senders.iter().map(|answer| cells(answer, DIGITS, COINCIDENCE_DIGITS)).collect();
    table::columns(&header, &rows)
}

/// The same as comma-separated values, with all digits.
pub(crate) fn csv(senders: &[SenderAnswer]) -> String {
    let header = HEADER.map(str::to_owned).to_vec();
    let rows = senders.iter().map(|answer| cells(answer, DIGITS_ALL, DIGITS_ALL));
    std::iter::once(header).chain(rows).map(|row| table::csv_line(&row)).collect()
}

fn cells(answer: &SenderAnswer, digits: usize, coincidence_digits: usize) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(String::new, |x| rounded(x, digits));
    let value = |name: &str| number(answer.features.value(name));
    let coincidence = answer.features.value("F39_topic_coincidence");
    let judgement = &answer.judgement;
    let main: Vec<&str> =
        judgement.reasons.iter().take(MAIN_REASONS).map(|reason| reason.text.as_str()).collect();
    vec![
        answer.window.sender.clone(),
        answer.tenant.clone(),
        window_end(answer),
        answer.conversations.to_string(),
        value("F02_turns_p50"),
        value("F51_open_ended_ratio"),
        coincidence.map_or_else(String::new, |x| rounded(x, coincidence_digits)),
        judgement.verdict.name().to_owned(),
        number(judgement.score.scope),
        number(judgement.score.generative),
        number(judgement.score.automation),
        number(judgement.score.grounding),
        main.join("; "),
    ]
}

fn rounded(value: f64, digits: usize) -> String {
    if digits < DIGITS_ALL { format!("{value:.digits$}") } else { value.to_string() }
}

fn window_end(answer: &SenderAnswer) -> String {
    format!("{}T00:00:00Z", answer.window.end.iso())
}
