//! The four axes, and which features belong to them with which sign. Fixed by the program:
//! the scorecard only says how much each counts.

/// One of the four axes of a verdict, each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Axis {
    /// How wide is what people ask.
    Scope,
    /// Whether replies look written anew.
    Generative,
    /// Whether a machine answers.
    Automation,
    /// Whether the number is tied to a business process.
    Grounding,
}

impl Axis {
    /// Every axis, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Scope, Self::Generative, Self::Automation, Self::Grounding];

    /// The name in the scorecard, JSON and gRPC.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Generative => "generative",
            Self::Automation => "automation",
            Self::Grounding => "grounding",
        }
    }

    /// The axis of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|axis| axis.name() == name)
    }
}

/// Which way a feature moves its axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A higher value raises the axis.
    Plus,
    /// A higher value lowers the axis.
    Minus,
}

impl Sign {
    /// How the scorecard writes it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
        }
    }
}

pub(crate) const TOPICS: &str = "F39_topic_coincidence";
pub(crate) const REPLY_TOPICS: &str = "F40_reply_topic_coincidence";
pub(crate) const USER_NOVELTY: &str = "F38_user_novelty";
pub(crate) const VOICE_IN: &str = "F17_voice_in";
pub(crate) const PLATFORM_AGENT: &str = "F46_platform_agent";
pub(crate) const PLATFORM_LABEL: &str = "F11_platform_ai_label";
pub(crate) const INTERACTIVE_OUT: &str = "F12_interactive_out";
pub(crate) const TAP_RATE: &str = "F14_tap_rate";

/// Every feature that is built and counts towards an axis; the order in which points are added.
pub(crate) const MEMBERS: &[(Axis, Sign, &str)] = &[
    (Axis::Scope, Sign::Plus, "F30_user_long"),
    (Axis::Scope, Sign::Minus, "F31_user_short"),
    (Axis::Scope, Sign::Plus, "F35_request_opener"),
    (Axis::Scope, Sign::Plus, USER_NOVELTY),
    (Axis::Scope, Sign::Minus, TOPICS),
    (Axis::Scope, Sign::Minus, REPLY_TOPICS),
    (Axis::Scope, Sign::Plus, "F41_first_novelty"),
    (Axis::Scope, Sign::Plus, "F51_open_ended_ratio"),
    (Axis::Generative, Sign::Plus, "F18_voice_answered"),
    (Axis::Generative, Sign::Plus, "F19_image_answered"),
    (Axis::Generative, Sign::Plus, "F20_document_answered"),
    (Axis::Generative, Sign::Plus, "F27_reply_chars_p50"),
    (Axis::Generative, Sign::Plus, "F27_reply_chars_p90"),
    (Axis::Generative, Sign::Plus, "F27_reply_chars_ge500"),
    (Axis::Generative, Sign::Plus, "F32_markdown"),
    (Axis::Generative, Sign::Plus, "F33_code"),
    (Axis::Generative, Sign::Minus, "F34_bot_question"),
    (Axis::Generative, Sign::Plus, "F37_reply_novelty"),
    (Axis::Automation, Sign::Plus, "F22_fast_replies"),
    (Axis::Grounding, Sign::Plus, "F07_referral"),
    (Axis::Grounding, Sign::Plus, "F08_template_share"),
    (Axis::Grounding, Sign::Plus, INTERACTIVE_OUT),
    (Axis::Grounding, Sign::Plus, "F13_structured_in"),
    (Axis::Grounding, Sign::Plus, TAP_RATE),
    (Axis::Grounding, Sign::Plus, "F15_commerce"),
    (Axis::Grounding, Sign::Plus, "F36_skeleton_reuse"),
    (Axis::Grounding, Sign::Plus, "F44_human_share"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use turnwise_model::features::Feature;

    #[test]
    fn every_member_is_a_feature_once() {
        for (at, (_, _, name)) in MEMBERS.iter().enumerate() {
            assert!(Feature::from_name(name).is_some(), "{name}");
            assert!(MEMBERS[at + 1..].iter().all(|other| other.2 != *name), "{name}");
        }
        for name in [VOICE_IN, PLATFORM_AGENT, PLATFORM_LABEL] {
            assert!(Feature::from_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn axes_read_back_by_name() {
        for axis in Axis::ALL {
            assert_eq!(Axis::from_name(axis.name()), Some(axis));
        }
        assert_eq!(Axis::from_name("style"), None);
    }
}
