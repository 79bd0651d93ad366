//! The kinds of senders, what each of them is under the terms, and the languages they speak.

/// What a number carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// A general assistant: long formatted answers on anything.
    Chatgpt,
    /// Questions answered with numbered sources.
    Perplexity,
    /// Voice notes transcribed and answered, pictures described.
    Luzia,
    /// A chatty, proactive companion that writes first.
    Poke,
    /// A travel agency that takes and confirms bookings.
    Travel,
    /// A bank: authentication, balance, cards.
    Bank,
    /// A shop whose people answer.
    Shop,
    /// One-time passwords and little else.
    Otp,
    /// Parcel notifications with few replies.
    Delivery,
    /// A language model over one institution's questions.
    Faq,
    /// A language model as first line of a product's support.
    LlmSupport,
    /// Half a task bot, half a general assistant.
    Mixed,
}

/// What the terms say of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// General-purpose assistance is the primary function.
    Banned,
    /// A business in which AI is absent or incidental.
    Allowed,
    /// Half and half.
    Mixed,
}

/// The main language of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    English,
    /// Spanish.
    Spanish,
    /// Portuguese.
    Portuguese,
    /// Hindi, in Devanagari and in Latin letters.
    Hindi,
}

impl Profile {
    /// Every profile, in the order in which senders take them.
    pub const ALL: [Self; 12] = [
        Self::Chatgpt,
        Self::Perplexity,
        Self::Luzia,
        Self::Poke,
        Self::Travel,
        Self::Bank,
        Self::Shop,
        Self::Otp,
        Self::Delivery,
        Self::Faq,
        Self::LlmSupport,
        Self::Mixed,
    ];

    /// The profile's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chatgpt => "chatgpt",
            Self::Perplexity => "perplexity",
            Self::Luzia => "luzia",
            Self::Poke => "poke",
            Self::Travel => "travel",
            Self::Bank => "bank",
            Self::Shop => "shop",
            Self::Otp => "otp",
            Self::Delivery => "delivery",
            Self::Faq => "faq",
            Self::LlmSupport => "llm_support",
            Self::Mixed => "mixed",
        }
    }

    /// The profile of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// What the terms say of it.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Chatgpt | Self::Perplexity | Self::Luzia | Self::Poke => Class::Banned,
            Self::Mixed => Class::Mixed,
            _ => Class::Allowed,
        }
    }

    pub(crate) const fn number(self) -> usize {
        self as usize
    }
}

impl Class {
    /// The class's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Banned => "banned",
            Self::Allowed => "allowed",
            Self::Mixed => "mixed",
        }
    }
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::Portuguese, Self::Hindi];

    /// The language's code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::Hindi => "hi",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_classes_are_as_the_terms_say() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
        }
        assert_eq!(Profile::from_name("nobody"), None);
        let banned = Profile::ALL.iter().filter(|p| p.class() == Class::Banned).count();
        let mixed = Profile::ALL.iter().filter(|p| p.class() == Class::Mixed).count();
        assert_eq!((banned, mixed), (4, 1));
        assert_eq!(Class::Mixed.name(), "mixed");
    }
}
