//! The features by name: what JSON, gRPC and the scorecard call them, the column they are in,
//! their minimum support, and whether they need texts. FEATURES of the documentation says what
//! each one means; the view `sender_features.sql` computes it.

/// One feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Name in JSON, gRPC and the scorecard, e.g. `F02_turns_p50`.
    pub name: &'static str,
    /// Name of its column in `sender_features`; its support is `n_` and this.
    pub column: &'static str,
    /// Below this support the feature is null.
    pub support_min: i64,
    /// Null where more than half of the texts it is about did not come along.
    pub needs_text: bool,
    /// What its 95 % interval is made of.
    pub interval: Interval,
}

/// How a feature's interval is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// No interval is given.
    None,
    /// Wilson's interval of a share with n trials.
    Wilson,
    /// Delete-a-group jackknife over ten groups of peers.
    Jackknife,
}

macro_rules! features {
    ($($name:literal $column:literal $min:literal $text:literal $interval:ident;)*) => {
        /// Every feature that is built, in the order of the documentation.
        pub const FEATURES: &[Feature] = &[$(Feature {
            name: $name,
            column: $column,
            support_min: $min,
            needs_text: $text,
            interval: Interval::$interval,
        },)*];
    };
}

features! {
    "F01_active_peers" "f01_active_peers" 0 false None;
    "F02_turns_p50" "f02_turns_p50" 30 false None;
    "F02_turns_p90" "f02_turns_p90" 30 false None;
    "F03_user_messages_peer_day" "f03_user_messages_peer_day" 30 false None;
    "F04_returning_peers" "f04_returning_peers" 30 false Wilson;
    "F05_conversations_per_peer" "f05_conversations_per_peer" 30 false None;
    "F06_user_initiated" "f06_user_initiated" 30 false Wilson;
    "F07_referral" "f07_referral" 30 false Wilson;
    "F08_template_share" "f08_template_share" 50 false Wilson;
    "F09_marketing" "f09_marketing" 50 false Wilson;
    "F09_utility" "f09_utility" 50 false Wilson;
    "F09_authentication" "f09_authentication" 50 false Wilson;
    "F09_service" "f09_service" 50 false Wilson;
    "F09_ai" "f09_ai" 50 false Wilson;
    "F09_other" "f09_other" 50 false Wilson;
    "F10_free_service" "f10_free_service" 50 false Wilson;
    "F11_platform_ai_label" "f11_platform_ai_label" 1 false Wilson;
    "F12_interactive_out" "f12_interactive_out" 50 false Wilson;
    "F13_structured_in" "f13_structured_in" 50 false Wilson;
    "F14_tap_rate" "f14_tap_rate" 20 false Wilson;
    "F15_commerce" "f15_commerce" 50 false Wilson;
    "F16_media_in" "f16_media_in" 50 false Wilson;
    "F17_voice_in" "f17_voice_in" 50 false Wilson;
    "F18_voice_answered" "f18_voice_answered" 20 false Wilson;
    "F19_image_answered" "f19_image_answered" 20 false Wilson;
    "F20_document_answered" "f20_document_answered" 10 false Wilson;
    "F21_reply_latency_p50" "f21_reply_latency_p50" 50 false None;
    "F21_reply_latency_p95" "f21_reply_latency_p95" 50 false None;
    "F22_fast_replies" "f22_fast_replies" 50 false Wilson;
    "F26_hour_entropy" "f26_hour_entropy" 200 false None;
    "F27_reply_chars_p50" "f27_reply_chars_p50" 50 false None;
    "F27_reply_chars_p90" "f27_reply_chars_p90" 50 false None;
    "F27_reply_chars_ge500" "f27_reply_chars_ge500" 50 false Wilson;
    "F29_reply_user_ratio" "f29_reply_user_ratio" 50 false None;
    "F30_user_long" "f30_user_long" 50 false Wilson;
    "F31_user_short" "f31_user_short" 50 true Wilson;
    "F32_markdown" "f32_markdown" 50 true Wilson;
    "F33_code" "f33_code" 50 true Wilson;
    "F34_bot_question" "f34_bot_question" 50 true Wilson;
    "F35_request_opener" "f35_request_opener" 50 true Wilson;
    "F36_skeleton_reuse" "f36_skeleton_reuse" 60 true Wilson;
    "F37_reply_novelty" "f37_reply_novelty" 60 true None;
    "F38_user_novelty" "f38_user_novelty" 60 true None;
    "F39_topic_coincidence" "f39_topic_coincidence" 30 true Jackknife;
    "F40_reply_topic_coincidence" "f40_reply_topic_coincidence" 30 true Jackknife;
    "F41_first_novelty" "f41_first_novelty" 60 true None;
    "F42_script_entropy" "f42_script_entropy" 50 true None;
    "F43_greeting_only" "f43_greeting_only" 50 true Wilson;
    "F44_human_share" "f44_human_share" 50 false Wilson;
    "F46_platform_agent" "f46_platform_agent" 1 false Wilson;
    "F51_open_ended_ratio" "f51_open_ended_ratio" 50 true Wilson;
}

impl Feature {
    /// The feature of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        FEATURES.iter().find(|feature| feature.name == name)
    }

    /// The column of its support.
    #[must_use]
    pub fn support_column(&self) -> String {
        format!("n_{}", self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_its_feature_in_lower_case() {
        for feature in FEATURES {
            assert_eq!(feature.column, feature.name.to_lowercase());
            assert_eq!(Feature::from_name(feature.name), Some(feature));
        }
    }
}
