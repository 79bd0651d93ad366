//! Closed lists stored as small integers in the tables and shown by name in the views.
//!
//! A code, once given, never changes its meaning: old files keep it. New names are appended.

/// Declares a closed list: a Rust enum, its stored code, its name (and others that writers have for
/// the same), and the way back from all.
macro_rules! codes {
    ($(#[$outer:meta])* $name:ident { $(
        $(#[$inner:meta])* $variant:ident = $code:literal $text:literal $(| $other:literal)*,
    )* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i32)]
        pub enum $name { $($(#[$inner])* $variant = $code,)* }

        impl $name {
            /// Every value, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The integer in the tables.
            #[must_use]
            pub const fn code(self) -> i32 {
                self as i32
            }

            /// The name in views, JSON and messages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of a stored integer.
            #[must_use]
            pub const fn from_code(code: i32) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The value of a name, be it the one that is shown or another of the same.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text $(| $other)* => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    /// What a row of `events` is. The partition value `kind` is the name.
    EventKind {
        /// A message, live, from the phone app or on standby.
        Message = 0 "message",
        /// A delivery status of a sent message.
        Status = 1 "status",
        /// Something about the number or the account.
        Account = 2 "account",
        /// A message of a history import; never in a conversation.
        History = 3 "history",
        /// Input that could not be read.
        DeadLetter = 4 "dead_letter",
        /// A readable record or item that holds nothing for us.
        Ignored = 5 "ignored",
        /// A range of offsets that was skipped.
        Gap = 6 "gap",
    }
}

codes! {
    /// Which way a message goes, seen from the sender (the business).
    Direction {
        /// From the peer to the business.
        Inbound = 0 "inbound",
        /// From the business to the peer.
        Outbound = 1 "outbound",
    }
}

codes! {
    /// The way a message reached us; the smallest code counts first among copies (law 4).
    Origin {
        /// A live webhook or a record of a send.
        Live = 0 "live",
        /// Sent by a person from the phone app (an echo).
        App = 1 "app",
        /// A copy while another owner holds the thread, or an echo of what Meta's own agent wrote.
        Standby = 2 "standby",
        /// A history import.
        History = 3 "history",
    }
}

codes! {
    /// What a message is.
    MessageKind {
        /// Text.
        Text = 0 "text",
        /// Image.
        Image = 1 "image",
        /// Audio; voice notes carry the voice mark.
        Audio = 2 "audio",
        /// Video.
        Video = 3 "video",
        /// Document.
        Document = 4 "document",
        /// Sticker.
        Sticker = 5 "sticker",
        /// Inbound: a tapped reply or flow reply. Outbound: an interactive message.
        Interactive = 6 "interactive",
        /// Inbound: a tap on a template's quick reply button.
        Button = 7 "button",
        /// Location.
        Location = 8 "location",
        /// Contacts.
        Contacts = 9 "contacts",
        /// Order.
        Order = 10 "order",
        /// Outbound: a template.
        Template = 11 "template",
        /// Reaction.
        Reaction = 12 "reaction",
        /// System: the peer changed number, user id or identity.
        System = 13 "system",
        /// Edit of an earlier message.
        Edit = 14 "edit",
        /// Revocation of an earlier message.
        Revoke = 15 "revoke",
        /// A type the platform itself does not support.
        Unsupported = 16 "unsupported",
        /// A placeholder of a history import for media not sent along.
        MediaPlaceholder = 17 "media_placeholder",
        /// A welcome request of old.
        RequestWelcome = 18 "request_welcome",
        /// A type nobody knows.
        Unknown = 19 "unknown",
    }
}

codes! {
    /// The type of an interactive message, either way.
    InteractiveType {
        /// Inbound: a reply button was tapped.
        ButtonReply = 0 "button_reply",
        /// Inbound: a list row was tapped.
        ListReply = 1 "list_reply",
        /// Inbound: a flow was completed.
        NfmReply = 2 "nfm_reply",
        /// Inbound: an answer to a call permission request.
        CallPermissionReply = 3 "call_permission_reply",
        /// Outbound: reply buttons.
        Button = 4 "button",
        /// Outbound: a list.
        List = 5 "list",
        /// Outbound: a button that opens a URL.
        CtaUrl = 6 "cta_url",
        /// Outbound: a flow.
        Flow = 7 "flow",
        /// Outbound: one product.
        Product = 8 "product",
        /// Outbound: several products.
        ProductList = 9 "product_list",
        /// Outbound: a catalog.
        CatalogMessage = 10 "catalog_message",
        /// Outbound: asks for a location.
        LocationRequestMessage = 11 "location_request_message",
        /// Outbound: asks for permission to call.
        CallPermissionRequest = 12 "call_permission_request",
        /// Outbound: asks for an address; inbound answers come as flow replies.
        AddressMessage = 13 "address_message",
        /// Any other.
        Other = 14 "other",
    }
}

codes! {
    /// A delivery status. Codes rise along the ladder sent, delivered, read or played.
    Status {
        /// Accepted by the platform and sent.
        Sent = 0 "sent",
        /// On the peer's device.
        Delivered = 1 "delivered",
        /// Read.
        Read = 2 "read",
        /// A voice note was played.
        Played = 3 "played",
        /// Failed; ends the ladder.
        Failed = 4 "failed",
        /// A status nobody knows.
        Other = 5 "other",
    }
}

codes! {
    /// A pricing or conversation category.
    Category {
        /// Marketing template.
        Marketing = 0 "marketing",
        /// Marketing by the lite API.
        MarketingLite = 1 "marketing_lite",
        /// Utility template.
        Utility = 2 "utility",
        /// Authentication template.
        Authentication = 3 "authentication",
        /// Authentication template at international rates.
        AuthenticationInternational = 4 "authentication_international",
        /// Service (free-form).
        Service = 5 "service",
        /// Conversation opened by a click-to-chat advertisement.
        ReferralConversion = 6 "referral_conversion",
        /// Marketing in a group.
        GroupMarketing = 7 "group_marketing",
        /// Utility in a group.
        GroupUtility = 8 "group_utility",
        /// Service in a group.
        GroupService = 9 "group_service",
        /// The platform itself calls it a general-purpose assistant's message.
        GeneralPurposeAi = 10 "general_purpose_ai",
        /// Old: opened by the user.
        UserInitiated = 11 "user_initiated",
        /// Old: opened by the business.
        BusinessInitiated = 12 "business_initiated",
        /// Any other.
        Other = 13 "other",
    }
}

codes! {
    /// Why a message costs what it costs.
    PricingType {
        /// Billed.
        Regular = 0 "regular",
        /// Free inside the customer service window, of a person or of a group.
        FreeCustomerService = 1 "free_customer_service" | "free_group_customer_service",
        /// Free after an advertisement.
        FreeEntryPoint = 2 "free_entry_point",
        /// Any other.
        Other = 3 "other",
    }
}

codes! {
    /// How messages are priced.
    PricingModel {
        /// Conversation-based pricing.
        Cbp = 0 "CBP",
        /// Per-message pricing.
        Pmp = 1 "PMP",
        /// Any other.
        Other = 2 "other",
    }
}

codes! {
    /// The price list in force when a message was sent, by its date.
    PricingRegime {
        /// Before 1 July 2025: per conversation.
        Conversation = 0 "conversation",
        /// 1 July 2025 to 30 September 2026: per message; messages that are no template are free.
        MessageFreeService = 1 "message_free_service",
        /// From 1 October 2026: service messages are billed too.
        MessageBilledService = 2 "message_billed_service",
    }
}

codes! {
    /// The script of most letters of a text.
    Script {
        /// No letters.
        None = 0 "none",
        /// Latin.
        Latin = 1 "latin",
        /// Cyrillic.
        Cyrillic = 2 "cyrillic",
        /// Greek.
        Greek = 3 "greek",
        /// Arabic.
        Arabic = 4 "arabic",
        /// Hebrew.
        Hebrew = 5 "hebrew",
        /// Devanagari.
        Devanagari = 6 "devanagari",
        /// Bengali.
        Bengali = 7 "bengali",
        /// Other scripts of India: Gurmukhi, Gujarati, Oriya, Tamil, Telugu, Kannada, Malayalam, Sinhala.
        OtherIndic = 8 "other_indic",
        /// Han.
        Han = 9 "han",
        /// Hiragana and Katakana.
        Kana = 10 "kana",
        /// Hangul.
        Hangul = 11 "hangul",
        /// Thai.
        Thai = 12 "thai",
        /// Lao.
        Lao = 13 "lao",
        /// Khmer.
        Khmer = 14 "khmer",
        /// Myanmar.
        Myanmar = 15 "myanmar",
        /// Georgian.
        Georgian = 16 "georgian",
        /// Armenian.
        Armenian = 17 "armenian",
        /// Ethiopic.
        Ethiopic = 18 "ethiopic",
        /// Any other.
        Other = 19 "other",
    }
}

impl Script {
    /// Whether words of this script are counted and tokenised by pairs of letters.
    #[must_use]
    pub const fn is_bigram(self) -> bool {
        matches!(
            self,
            Self::Han
                | Self::Kana
                | Self::Hangul
                | Self::Thai
                | Self::Lao
                | Self::Khmer
                | Self::Myanmar
        )
    }
}

impl PricingRegime {
    /// The regime at a time. Prices change only at quarter starts (UTC is taken).
    #[must_use]
    pub const fn at(time: crate::time::Millis) -> Self {
        /// 2025-07-01T00:00:00Z.
        const PER_MESSAGE_FROM: i64 = 1_751_328_000_000;
        /// 2026-10-01T00:00:00Z.
        const SERVICE_BILLED_FROM: i64 = 1_790_812_800_000;
        if time.0 < PER_MESSAGE_FROM {
            Self::Conversation
        } else if time.0 < SERVICE_BILLED_FROM {
            Self::MessageFreeService
        } else {
            Self::MessageBilledService
        }
    }
}

/// Bits of the column `text_bits`.
pub mod text_bits {
    /// Has a question mark of any script.
    pub const QUESTION: i32 = 1;
    /// Begins with a question or request opener.
    pub const OPENER: i32 = 1 << 1;
    /// Only greeting, thanks, yes or no, or emoji.
    pub const GREETING: i32 = 1 << 2;
    /// Only digits, punctuation and units.
    pub const DIGITS: i32 = 1 << 3;
    /// (opener, or question with ≥ 4 words) and neither greeting nor digits.
    pub const OPEN_ENDED: i32 = 1 << 4;
    /// Markdown emphasis, heading or code span.
    pub const MARKDOWN: i32 = 1 << 5;
    /// Two lines or more that begin with a bullet or number.
    pub const LIST: i32 = 1 << 6;
    /// A code fence, or two lines or more that look like code.
    pub const CODE: i32 = 1 << 7;
    /// A URL.
    pub const URL: i32 = 1 << 8;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Day;

    #[test]
    fn names_and_codes_read_back() {
        for kind in MessageKind::ALL {
            assert_eq!(MessageKind::from_code(kind.code()), Some(*kind));
            assert_eq!(MessageKind::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(MessageKind::from_code(99), None);
        assert_eq!(Status::from_name("enqueued"), None);
        let free = PricingType::from_name("free_group_customer_service");
        assert_eq!(free.map(PricingType::name), Some("free_customer_service"));
    }

    #[test]
    fn pricing_regimes_change_at_their_quarter_starts() {
        let at = |day: &str| PricingRegime::at(Day::parse_iso(day).expect("date").start());
        assert_eq!(at("2025-06-30"), PricingRegime::Conversation);
        assert_eq!(at("2025-07-01"), PricingRegime::MessageFreeService);
        assert_eq!(at("2026-09-30"), PricingRegime::MessageFreeService);
        assert_eq!(at("2026-10-01"), PricingRegime::MessageBilledService);
    }
}
