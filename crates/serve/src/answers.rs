//! Published senders as messages of the protocol.

use prost_types::Timestamp;
use turnwise_model::features::FEATURES;
use turnwise_model::{Millis, Verdict};
use turnwise_policy::{Axis, Reason};

use crate::board::{Published, PublishedSender};
use crate::proto;

/// A sender as lists show it.
pub(crate) fn summary(sender: &PublishedSender, state: &Published) -> proto::SenderSummary {
    let answer = &sender.answer;
    let score = answer.judgement.score;
    proto::SenderSummary {
        sender: answer.window.sender.clone(),
        tenant: answer.tenant.clone(),
        display_name: answer.display_name.clone().unwrap_or_default(),
        verdict: verdict(answer.judgement.verdict).into(),
        score: Some(proto::Score {
            scope: score.scope,
            generative: score.generative,
            automation: score.automation,
            grounding: score.grounding,
        }),
        flag: Some(proto::Flag { on: sender.flag_on, since: sender.flag_since.map(timestamp) }),
        window_end: Some(timestamp(answer.window.end.start())),
        conversations: answer.conversations,
        provisional: state.provisional,
        scorecard: answer.judgement.scorecard.clone(),
    }
}

/// A sender with everything that its verdict stands on.
pub(crate) fn full(sender: &PublishedSender, state: &Published) -> proto::GetResponse {
    let answer = &sender.answer;
    let judgement = &answer.judgement;
    proto::GetResponse {
        summary: Some(summary(sender, state)),
        features: FEATURES
            .iter()
            .map(|feature| proto::Feature {
                name: feature.name.to_owned(),
                value: answer.features.value(feature.name),
                n: answer.features.support_of(feature.name),
                interval: answer
                    .features
                    .value(feature.name)
                    .and_then(|_| answer.features.interval(feature.name))
                    .map(|(low, high)| proto::Interval { low, high }),
            })
            .collect(),
        reasons: judgement.reasons.iter().map(contribution).collect(),
        counter_evidence: judgement.counter_evidence.iter().map(contribution).collect(),
        notes: judgement.notes.clone(),
        coverage: Some(proto::Coverage {
            sends_with_status: answer.coverage.sends_with_status,
            statuses_with_send: answer.coverage.statuses_with_send,
        }),
        as_of: Some(as_of(state)),
    }
}

/// What an answer stands on.
pub(crate) fn as_of(state: &Published) -> proto::AsOf {
    proto::AsOf {
        events_version: state.events_version,
        read_to: state.read_to.map(timestamp),
        derived_at: Some(timestamp(state.derived_at)),
    }
}

fn contribution(reason: &Reason) -> proto::Contribution {
    let axis = match reason.axis {
        Axis::Scope => proto::Axis::Scope,
        Axis::Generative => proto::Axis::Generative,
        Axis::Automation => proto::Axis::Automation,
        Axis::Grounding => proto::Axis::Grounding,
    };
    proto::Contribution {
        feature: reason.feature.to_owned(),
        value: reason.value,
        n: reason.n,
        points: reason.points,
        weight: reason.weight,
        axis: axis.into(),
        text: reason.text.clone(),
    }
}

const fn verdict(verdict: Verdict) -> proto::Verdict {
    match verdict {
        Verdict::LikelyGeneralPurpose => proto::Verdict::LikelyGeneralPurpose,
        Verdict::Review => proto::Verdict::Review,
        Verdict::IncidentalAi => proto::Verdict::IncidentalAi,
        Verdict::TaskOrHuman => proto::Verdict::TaskOrHuman,
        Verdict::AttributedPlatformAgent => proto::Verdict::AttributedPlatformAgent,
        Verdict::Insufficient => proto::Verdict::Insufficient,
    }
}

/// The verdict of a number of the protocol; `None` for unspecified and unknown ones.
pub(crate) fn verdict_of(number: i32) -> Option<Verdict> {
    match proto::Verdict::try_from(number).ok()? {
        proto::Verdict::Unspecified => None,
        proto::Verdict::LikelyGeneralPurpose => Some(Verdict::LikelyGeneralPurpose),
        proto::Verdict::Review => Some(Verdict::Review),
        proto::Verdict::IncidentalAi => Some(Verdict::IncidentalAi),
        proto::Verdict::TaskOrHuman => Some(Verdict::TaskOrHuman),
        proto::Verdict::AttributedPlatformAgent => Some(Verdict::AttributedPlatformAgent),
        proto::Verdict::Insufficient => Some(Verdict::Insufficient),
    }
}

fn timestamp(at: Millis) -> Timestamp {
    let nanos = i32::try_from(at.0.rem_euclid(1_000) * 1_000_000).unwrap_or_default();
    Timestamp { seconds: at.0.div_euclid(1_000), nanos }
}
