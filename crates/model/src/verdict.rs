//! What the scorecard says of a sender in one window.

/// The verdict of one sender over one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The number's primary function looks like a general-purpose assistant.
    LikelyGeneralPurpose,
    /// A person has to look.
    Review,
    /// Generative replies inside a business purpose.
    IncidentalAi,
    /// Task bot or people.
    TaskOrHuman,
    /// The platform's own agent answers on this number.
    AttributedPlatformAgent,
    /// Too little support to say anything.
    Insufficient,
}

impl Verdict {
    /// Every verdict, in the order of severity.
    pub const ALL: [Self; 6] = [
        Self::LikelyGeneralPurpose,
        Self::Review,
        Self::IncidentalAi,
        Self::TaskOrHuman,
        Self::AttributedPlatformAgent,
        Self::Insufficient,
    ];

    /// The name in tables, JSON and gRPC.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LikelyGeneralPurpose => "likely_general_purpose",
            Self::Review => "review",
            Self::IncidentalAi => "incidental_ai",
            Self::TaskOrHuman => "task_or_human",
            Self::AttributedPlatformAgent => "attributed_platform_agent",
            Self::Insufficient => "insufficient",
        }
    }

    /// The verdict of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// Whether two of these in a row turn a flag on.
    #[must_use]
    pub fn flags(self) -> bool {
        matches!(self, Self::LikelyGeneralPurpose | Self::Review)
    }
}
