//! The verdict of one window: axes, reasons, counter-evidence and the first rule that holds.

use turnwise_model::Verdict;

use crate::axis::{
    Axis, INTERACTIVE_OUT, PLATFORM_AGENT, PLATFORM_LABEL, REPLY_TOPICS, TAP_RATE, TOPICS,
    USER_NOVELTY, VOICE_IN,
};
use crate::describe::describe;
use crate::scorecard::{Entry, Scorecard};
use crate::vector::FeatureVector;

/// The four axes; `None` where no feature of an axis is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// How wide is what people ask.
    pub scope: Option<f64>,
    /// Whether replies look written anew.
    pub generative: Option<f64>,
    /// Whether a machine answers.
    pub automation: Option<f64>,
    /// Whether the number is tied to a business process.
    pub grounding: Option<f64>,
}

/// One feature's contribution to its axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The feature's name.
    pub feature: &'static str,
    /// Its value.
    pub value: f64,
    /// Its support.
    pub n: i64,
    /// Its part of the axis.
    pub points: f64,
    /// Its weight in the scorecard.
    pub weight: f64,
    /// The axis.
    pub axis: Axis,
    /// Its 95 % interval, if it has one.
    pub interval: Option<(f64, f64)>,
    /// A sentence for a person.
    pub text: String,
}

/// What the scorecard says of a window. An axis is the sum of the points of its features in
/// `reasons` and `counter_evidence`; each feature is in one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The axes.
    pub score: Scores,
    /// Scope at the unfavourable and the favourable end of the interval of topic coincidence.
    pub scope_interval: Option<(f64, f64)>,
    /// Contributions that are no counter-evidence, most points first.
    pub reasons: Vec<Reason>,
    /// Contributions against a general-purpose assistant: below ½ of their ramp on Scope,
    /// Generative or Automation, above ½ on Grounding; most points first.
    pub counter_evidence: Vec<Reason>,
    /// What a reader has to know besides.
    pub notes: Vec<String>,
    /// The scorecard's version.
    pub scorecard: String,
}

/// Judges one window.
#[must_use]
pub fn judge(vector: &FeatureVector, scorecard: &Scorecard) -> Judgement {
    let stand_in = vector.value(TOPICS).is_none()
        || at_least(vector.value(VOICE_IN), scorecard.thresholds.voice_share);
    let topics = if stand_in { REPLY_TOPICS } else { TOPICS };
    let left_out = if stand_in { TOPICS } else { REPLY_TOPICS };
    let used = scorecard.entries.iter().filter(|entry| entry.feature != left_out);
    let known: Vec<Known<'_>> =
        used.filter_map(|entry| Some((entry, vector.value(entry.feature)?))).collect();
    let is_scope_known =
        [USER_NOVELTY, TOPICS, REPLY_TOPICS].iter().any(|name| vector.value(name).is_some());
    let sum_of = |axis: Axis, topics_at: Option<f64>| {
        if axis == Axis::Scope && !is_scope_known {
            return None;
        }
        let replaced = topics_at.map(|value| (topics, value));
        sum(known.iter().filter(|(entry, _)| entry.axis == axis), replaced)
    };
    let sums = Axis::ALL.map(|axis| sum_of(axis, None));
    let mut contributions = (Vec::new(), Vec::new());
    for (entry, value) in &known {
        let Some(sum) = sums[entry.axis as usize] else { continue };
        let clamp = entry.clamp(*value);
        let against = if entry.axis == Axis::Grounding { clamp > 0.5 } else { clamp < 0.5 };
        let list = if against { &mut contributions.1 } else { &mut contributions.0 };
        list.push(Reason {
            feature: entry.feature,
            value: *value,
            n: vector.support_of(entry.feature),
            points: entry.weight * clamp / sum.weights,
            weight: entry.weight,
            axis: entry.axis,
            interval: vector.interval(entry.feature),
            text: describe(entry.feature, *value),
        });
    }
    let (mut reasons, mut counter_evidence) = contributions;
    sort(&mut reasons);
    sort(&mut counter_evidence);
    let of = |axis: Axis| sums[axis as usize].map(|sum| sum.score);
    let score = Scores {
        scope: of(Axis::Scope),
        generative: of(Axis::Generative),
        automation: of(Axis::Automation),
        grounding: of(Axis::Grounding),
    };
    // A high coincidence is unfavourable to Scope, so the interval turns round.
    let scope_interval =
        vector.value(topics).and_then(|_| vector.interval(topics)).and_then(|(low, high)| {
            let at = |end| Some(sum_of(Axis::Scope, Some(end))?.score);
            Some((at(high)?, at(low)?))
        });
    let verdict = verdict(vector, scorecard, score, scope_interval.map(|ends| ends.0));
    let notes = notes(vector, stand_in, score);
    let scorecard = scorecard.version.clone();
    Judgement { verdict, score, scope_interval, reasons, counter_evidence, notes, scorecard }
}

// An axis has its sum at its own number.
const _: () = {
    let mut nth = 0;
    while nth < Axis::ALL.len() {
        assert!(Axis::ALL[nth] as usize == nth, "axes in their order");
        nth += 1;
    }
};

/// An entry whose feature is known, and the feature's value.
type Known<'a> = (&'a Entry, f64);

/// An axis: its score, and the weights of the features that it is of.
#[derive(Clone, Copy, Debug)]
struct Sum {
    score: f64,
    weights: f64,
}

/// The weighted mean of entries, of which one feature may have another value; of none there is none.
fn sum<'a>(
    known: impl Iterator<Item = &'a Known<'a>>,
    replaced: Option<(&str, f64)>,
) -> Option<Sum> {
    let (mut points, mut weights) = (0.0, 0.0);
    for (entry, own) in known {
        let value = replaced.filter(|(feature, _)| entry.feature == *feature);
        points += entry.weight * entry.clamp(value.map_or(*own, |(_, value)| value));
        weights += entry.weight;
    }
    (weights > 0.0).then(|| Sum { score: points / weights, weights })
}

fn sort(list: &mut [Reason]) {
    list.sort_by(|left, right| {
        let points = right.points.total_cmp(&left.points);
        points.then(left.axis.cmp(&right.axis)).then(left.feature.cmp(right.feature))
    });
}

/// A comparison with null is false.
fn at_least(value: Option<f64>, limit: f64) -> bool {
    value.is_some_and(|value| value >= limit)
}

fn at_most(value: Option<f64>, limit: f64) -> bool {
    value.is_some_and(|value| value <= limit)
}

fn verdict(
    vector: &FeatureVector,
    scorecard: &Scorecard,
    score: Scores,
    scope_unfavourable: Option<f64>,
) -> Verdict {
    let limits = &scorecard.thresholds;
    let agent = vector.value(PLATFORM_AGENT).is_some_and(|x| x > limits.platform_agent_share);
    if agent && vector.support_of(PLATFORM_AGENT) as f64 >= limits.platform_agent_support {
        return Verdict::AttributedPlatformAgent;
    }
    if (vector.active_peers as f64) < limits.active_peers_min
        || (vector.u_messages as f64) < limits.user_messages_min
        || (vector.f_messages as f64) < limits.free_form_messages_min
    {
        return Verdict::Insufficient;
    }
    let likely = at_least(score.scope, limits.likely_scope)
        && at_most(score.grounding, limits.likely_grounding_max)
        && (at_least(score.generative, limits.likely_generative)
            || at_least(score.automation, limits.likely_automation))
        && at_least(scope_unfavourable, limits.likely_scope);
    if likely {
        return if vector.has_send_log { Verdict::LikelyGeneralPurpose } else { Verdict::Review };
    }
    let unseen = score.scope.is_none()
        && at_least(score.generative, limits.review_generative)
        && at_most(score.grounding, limits.review_grounding_max);
    let labelled = vector.value(PLATFORM_LABEL).is_some_and(|x| x > limits.review_platform_label);
    if at_least(score.scope, limits.review_scope) || labelled || unseen {
        Verdict::Review
    } else if at_least(score.generative, limits.incidental_generative) {
        Verdict::IncidentalAi
    } else {
        Verdict::TaskOrHuman
    }
}

fn notes(vector: &FeatureVector, stand_in: bool, score: Scores) -> Vec<String> {
    let mut notes = Vec::new();
    if !vector.has_send_log {
        notes.push("send log missing".to_owned());
    }
    if score.scope.is_none() {
        notes.push("Scope is unknown: too few texts to compare people".to_owned());
    } else if stand_in && vector.value(REPLY_TOPICS).is_some() {
        notes.push("topics of replies stand in for topics of users".to_owned());
    }
    if vector.value(PLATFORM_LABEL).is_some_and(|share| share > 0.0) {
        notes.push("the platform labels messages as a general-purpose assistant's".to_owned());
    }
    // Many replies offer taps and hardly one is tapped: decoration, not a process.
    if at_least(vector.value(INTERACTIVE_OUT), 0.3) && at_most(vector.value(TAP_RATE), 0.1) {
        notes.push("inconsistent: many buttons are sent and hardly any is tapped".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests;
