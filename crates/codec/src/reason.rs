//! Closed lists of names that letters carry: why something is a dead letter or a gap, and what
//! was ignored. Closed, so that they are safe as metric labels.

/// Declares an enum of names in snake case.
macro_rules! names {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in rows, metrics and messages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

names! {
    /// Why a record or item is a dead letter.
    Reason {
        /// The record is not JSON.
        InvalidJson = "invalid_json",
        /// The record is no urlencoded form.
        InvalidForm = "invalid_form",
        /// The data of an event is not base64.
        InvalidBase64 = "invalid_base64",
        /// The record or item is not protobuf.
        InvalidProtobuf = "invalid_protobuf",
        /// The record is not UTF-8.
        InvalidUtf8 = "invalid_utf8",
        /// More nesting than `limits::JSON_DEPTH_MAX`.
        NestedTooDeep = "nested_too_deep",
        /// More bytes than `limits::RECORD_BYTES_MAX`.
        RecordTooLarge = "record_too_large",
        /// More items than `limits::RECORD_ITEMS_MAX`; one letter for the rest.
        TooManyItems = "too_many_items",
        /// More fields of a form than `limits::FORM_FIELDS_MAX`.
        TooManyFields = "too_many_fields",
        /// The record has no value.
        Empty = "empty",
        /// No number that the item was sent from or to.
        NoSender = "no_sender",
        /// No time.
        NoTime = "no_time",
        /// Neither inbound nor outbound can be told.
        NoDirection = "no_direction",
        /// A time before 2016 or after the record's own by more than an hour.
        TimeOutOfRange = "time_out_of_range",
        /// A value of a type that cannot be meant.
        WrongType = "wrong_type",
        /// An id longer than `limits::ID_BYTES_MAX`.
        IdTooLong = "id_too_long",
        /// JSON, but no event that this format knows.
        UnknownShape = "unknown_shape",
        /// Compressed bytes that do not decompress.
        InvalidCompression = "invalid_compression",
        /// The input could not be read at this place.
        Unreadable = "unreadable",
    }
}

names! {
    /// Why a range of offsets was skipped.
    GapReason {
        /// The broker had deleted the range before it was read.
        Retention = "retention",
        /// The offsets of the input start anew: it was created again.
        InputReplaced = "input_replaced",
        /// Somebody told the reader to skip the range.
        Skipped = "skipped",
        /// The end of an input is missing.
        Truncated = "truncated",
    }
}

/// What an ignored send or record was.
pub mod ignored {
    /// A send that the platform refused.
    pub const SEND_FAILED: &str = "send_failed";
    /// A request that marks a message as read.
    pub const MARK_AS_READ: &str = "mark_as_read";
    /// A request that shows the typing indicator.
    pub const TYPING: &str = "typing";
    /// What is of another channel than WhatsApp.
    pub const OTHER_CHANNEL: &str = "other_channel";
    /// A record or value that holds no item.
    pub const EMPTY: &str = "empty";
    /// A field that the dictionary does not know, or a value of a known one in which all is new.
    pub const OTHER: &str = "other";
}

/// Every name that an ignored row may carry.
pub const IGNORED_NAMES: &[&str] = &[
    ignored::SEND_FAILED,
    ignored::MARK_AS_READ,
    ignored::TYPING,
    ignored::EMPTY,
    ignored::OTHER,
    ignored::OTHER_CHANNEL,
    "account_event",
    "account_offboarded",
    "account_reconnected",
    "account_review_update",
    "account_settings_update",
    "automatic_events",
    "billing_event",
    "business_capability_update",
    "business_status_update",
    "business_username_updates",
    "calls",
    "contact",
    "conversation",
    "flows",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
    "interaction",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "partner_solutions",
    "payment",
    "payment_configuration_update",
    "phone_number_name_update",
    "security",
    "smb_app_state_sync",
    "system_event",
    "template_category_update",
    "template_correct_category_detection",
    "template_event",
    "template_performance_metrics",
    "tracking_events",
    "user_actions",
    "user_event",
    "user_preferences",
    "workflow",
];

/// The dictionary's own copy of a field's name, else `other`.
#[must_use]
pub fn ignored_name(field: &str) -> &'static str {
    IGNORED_NAMES.iter().find(|name| **name == field).copied().unwrap_or(ignored::OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case_and_differ() {
        let names: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        let distinct: std::collections::BTreeSet<&&str> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        for name in names.iter().chain(IGNORED_NAMES) {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()
                || byte == b'_'
                || matches!(byte, b'4' | b'6' | b'8')));
        }
    }

    #[test]
    fn unknown_field_is_other() {
        assert_eq!(ignored_name("calls"), "calls");
        assert_eq!(ignored_name("49170123"), "other");
    }
}
