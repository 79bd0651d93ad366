//! The rules one by one, and what must hold for any vector.

use proptest::prelude::*;
use turnwise_model::features::FEATURES;

use super::*;

fn card() -> Scorecard {
    Scorecard::built_in().expect("sound")
}

fn vector(values: &[(&str, f64)]) -> FeatureVector {
    let mut vector = FeatureVector {
        active_peers: 100,
        u_messages: 500,
        f_messages: 500,
        has_send_log: true,
        ..FeatureVector::new()
    };
    for (name, value) in values {
        assert!(vector.set(name, Some(*value), 300, Some((*value * 0.9, *value * 1.1))), "{name}");
    }
    vector
}

const ASSISTANT: &[(&str, f64)] = &[
    ("F39_topic_coincidence", 0.008),
    ("F38_user_novelty", 0.65),
    ("F37_reply_novelty", 0.64),
    ("F36_skeleton_reuse", 0.0),
];

fn check(values: &[(&str, f64)], expected: Verdict) {
    assert_eq!(judge(&vector(values), &card()).verdict, expected, "{values:?}");
}

#[test]
fn the_rules_hold_in_their_order() {
    check(ASSISTANT, Verdict::LikelyGeneralPurpose);
    check(&[("F46_platform_agent", 0.6)], Verdict::AttributedPlatformAgent);
    check(&[("F39_topic_coincidence", 0.035)], Verdict::Review);
    check(&[("F39_topic_coincidence", 0.2), ("F11_platform_ai_label", 0.01)], Verdict::Review);
    check(&[("F39_topic_coincidence", 0.2), ("F37_reply_novelty", 0.7)], Verdict::IncidentalAi);
    check(&[("F39_topic_coincidence", 0.2)], Verdict::TaskOrHuman);
    check(&[("F37_reply_novelty", 0.7), ("F44_human_share", 0.0)], Verdict::Review);
}

#[test]
fn too_little_support_is_insufficient() {
    let few = FeatureVector { active_peers: 29, ..vector(ASSISTANT) };
    assert_eq!(judge(&few, &card()).verdict, Verdict::Insufficient);
}

#[test]
fn without_a_send_log_nothing_goes_beyond_review() {
    let unlogged = FeatureVector { has_send_log: false, ..vector(ASSISTANT) };
    let found = judge(&unlogged, &card());
    assert_eq!(found.verdict, Verdict::Review);
    assert!(found.notes.contains(&"send log missing".to_owned()));
}

#[test]
fn without_an_interval_or_with_a_wide_one_it_is_review() {
    let mut wide = vector(ASSISTANT);
    wide.set("F39_topic_coincidence", Some(0.008), 300, Some((0.0, 0.06)));
    assert_eq!(judge(&wide, &card()).verdict, Verdict::Review);
    wide.set("F39_topic_coincidence", Some(0.008), 300, None);
    assert_eq!(judge(&wide, &card()).verdict, Verdict::Review);
}

#[test]
fn reply_topics_stand_in_where_users_speak() {
    let mut values = ASSISTANT.to_vec();
    values.extend([("F17_voice_in", 0.8), ("F40_reply_topic_coincidence", 0.2)]);
    let found = judge(&vector(&values), &card());
    assert!(found.counter_evidence.iter().any(|reason| reason.feature == REPLY_TOPICS));
    assert!(found.reasons.iter().all(|reason| reason.feature != TOPICS));
}

proptest! {
    #[test]
    fn axes_are_zero_to_one_and_the_sum_of_their_points(
        values in prop::collection::vec(prop::option::of(-1.0_f64..2.0), FEATURES.len()),
        turn in 0_usize..20,
    ) {
        let mut vector = vector(&[]);
        vector.values = values;
        vector.support = vec![1_000; FEATURES.len()];
        let mut scorecard = card();
        let found = judge(&vector, &scorecard);
        let score = found.score;
        for (axis, value) in Axis::ALL.into_iter().zip([score.scope, score.generative, score.automation, score.grounding]) {
            let all = found.reasons.iter().chain(&found.counter_evidence);
            let points: f64 = all.filter(|reason| reason.axis == axis).map(|reason| reason.points).sum();
            let value = value.unwrap_or(0.0);
            prop_assert!((0.0..=1.0).contains(&value));
            prop_assert!((points - value).abs() < 1e-9);
        }
        scorecard.entries.rotate_left(turn);
        let turned = judge(&vector, &scorecard);
        let close = |left: Option<f64>, right: Option<f64>| match (left, right) {
            (Some(left), Some(right)) => (left - right).abs() < 1e-9,
            (left, right) => left == right,
        };
        prop_assert!(close(score.scope, turned.score.scope));
        prop_assert!(close(score.grounding, turned.score.grounding));
    }
}
