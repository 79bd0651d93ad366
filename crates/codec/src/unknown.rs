//! Fields that nobody knows, counted: how many there were tells of a writer newer than this reader.
//!
//! A name of traffic is never shown: it is counted as the dictionary's own copy of it where that has
//! one, else as `other`. `known_names.txt` holds the names of JSON that are known, read or not, of
//! all formats.

use std::cell::Cell;
use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::json::Value;
use crate::reason::{IGNORED_NAMES, ignored};

/// What a name is counted as, by its place in [`IGNORED_NAMES`].
pub(crate) type Unknown = u8;
const _: () = assert!(IGNORED_NAMES.len() <= Unknown::MAX as usize);

/// Names that are known, and those that are not but that may be shown.
static NAMES: LazyLock<HashMap<&[u8], Option<Unknown>>> = LazyLock::new(|| {
    let shown = IGNORED_NAMES.iter().zip(0..).map(|(name, place)| (*name, Some(place)));
    let known = include_str!("known_names.txt").split_ascii_whitespace();
    // What is known is not unknown, though it may be shown.
    let names = shown.chain(known.map(|name| (name, None)));
    names.map(|(name, place)| (name.as_bytes(), place)).collect()
});

static OTHER: LazyLock<Unknown> = LazyLock::new(|| {
    let place = IGNORED_NAMES.iter().position(|name| *name == ignored::OTHER);
    place.unwrap_or_default() as Unknown
});

/// What the name of a field is counted as; `None` where it is known.
pub(crate) fn unknown(name: &[u8]) -> Option<Unknown> {
    NAMES.get(name).copied().unwrap_or_else(|| Some(*OTHER))
}

/// Unknown fields so far, by what they are counted as.
#[derive(Debug)]
pub(crate) struct UnknownFields([Cell<u64>; IGNORED_NAMES.len()]);

impl Default for UnknownFields {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Cell::new(0)))
    }
}

impl UnknownFields {
    /// Adds fields without names.
    #[inline]
    pub(crate) fn add_other(&self, fields: u64) {
        if fields > 0 {
            self.add(*OTHER, fields);
        }
    }

    /// Adds fields by what they are counted as.
    pub(crate) fn add_all(&self, fields: &[Unknown]) {
        for field in fields {
            self.add(*field, 1);
        }
    }

    /// Adds the fields of all objects in a text.
    pub(crate) fn add_of(&self, root: Value<'_>) {
        root.each_key(|name| {
            if let Some(field) = unknown(name.as_bytes()) {
                self.add(field, 1);
            }
        });
    }

    fn add(&self, field: Unknown, fields: u64) {
        if let Some(count) = self.0.get(usize::from(field)) {
            count.set(count.get() + fields);
        }
    }

    /// The counts that are not zero, with their names.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.0.iter().map(Cell::get);
        IGNORED_NAMES.iter().copied().zip(counts).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;

    fn counted(json: &str) -> Vec<(&'static str, u64)> {
        let fields = UnknownFields::default();
        fields.add_of(Tape::default().parse(json).expect("JSON"));
        fields.counts().collect()
    }

    #[test]
    fn names_that_are_documented_are_known() {
        for webhook in [
            r#"{"from_parent_user_id":"x","referral":{"welcome_message":{"text":"x"}}}"#,
            r#"{"contacts":[{"identity_key_hash":"x"}],"participant_recipient_id":"x"}"#,
            r#"{"user_actions":[{"action_type":"x","timestamp":"1"}],"user_preferences":[]}"#,
            r#"{"automatic_events":[{"id":"x","event_name":"x","custom_data":{"value":1}}]}"#,
            r#"{"payment":{"reference_id":"x","transaction":{"id":"x"},"refunds":[]}}"#,
            r#"{"groups":[{"removed_participants":[],"failed_participants":[],"profile_picture":{}}]}"#,
            r#"{"event":"x","old_limit":"x","max_daily_conversations_per_business":1}"#,
            r#"{"requested_verified_name":"x","rejection_reason":null,"template_id":1}"#,
            r#"{"previous_category":"x","correct_category":"x","category_update_timestamp":1}"#,
            r#"{"disable_info":{"disable_date":1},"other_info":{"title":"x","description":"x"}}"#,
            r#"{"alert_info":{"alert_description":"x"},"violation_info":{"remediation":"x"}}"#,
            r#"{"flow_id":"1","old_status":"x","new_status":"x","threshold":1,"alert_state":"x"}"#,
            r#"{"error_rate":1,"p50_latency":1,"errors":[{"error_type":"x","error_count":1}]}"#,
        ] {
            assert_eq!(counted(webhook), [], "{webhook}");
        }
        for send in [
            r#"{"parameters":[{"parameter_name":"x","date_time":{"fallback_value":"x"}}]}"#,
            r#"{"currency":{"fallback_value":"x","code":"x","amount_1000":1}}"#,
            r#"{"product_policy":"x","message_activity_sharing":true}"#,
            r#"{"recipient_identity_key_hash":"x","parameters":{"ttl_minutes":1,"ref":"x"}}"#,
            r#"{"parameters":{"country":"x","values":{"name":"x"},"saved_addresses":[]}}"#,
        ] {
            assert_eq!(counted(send), [], "{send}");
        }
    }

    #[test]
    fn names_that_providers_document_are_known() {
        for event in [
            r#"{"ProfileName":"x","NumSegments":"1","ChannelMetadata":"x","MediaUrl9":"x"}"#,
            r#"{"ReferralSourceId":"x","ConversationSid":"x","FromCity":"x","ToZip":"x"}"#,
            r#"{"fromCountry":"x","mnc":"x","mcc":"x","numSegments":1,"recipients":[]}"#,
            r#"{"bulkId":"x","error":{"permanent":true},"contact":{"parentUserId":"x"}}"#,
            r#"{"payload":{"postbackText":"x","elementName":"x"},"waNumber":"1","mobile":"2"}"#,
            r#"{"client_ref":"x","workflow":{"items_number":"1"},"provider_message":"x"}"#,
            r#"{"contact":{"customDetails":{}},"conversation":{"lastUsedPlatformId":"x"}}"#,
            r#"{"body":{"location":{"coordinates":{},"location":{"label":"x"}}}}"#,
            r#"{"kapso":{"processing_status":"x","last_message_text":"x"},"inactivity":{}}"#,
            r#"{"eventDetails":{"rawEvent":{},"templateName":"x"},"accountId":"x"}"#,
            r#"{"whatsappGroupMessage":{"statusScope":"x","phoneNumberId":"x"}}"#,
            r#"{"data":{"client_id":"x","setup_info":{},"billing_started_at":"x"}}"#,
            r#"{"_vnd":{"v1":{"card_uuid":"x","chat":{"owner":"x","unread_count":1}}}}"#,
            r#"{"activityName":"x","contactKey":"x","sendMethod":"x"}"#,
        ] {
            assert_eq!(counted(event), [], "{event}");
        }
    }

    #[test]
    fn names_of_traffic_are_other() {
        assert_eq!(counted(r#"{"entry":[{"changes":[],"id":"new"}],"object":{}}"#), []);
        assert_eq!(
            counted(r#"[{"id":{"49170":[{"b\u0061d":1},{}]}},{"49171":"x","flows":{"id":1}}]"#),
            [("other", 3), ("flows", 1)]
        );
        assert_eq!(counted(r#"{"\u0069d":1}"#), []);
        assert_eq!(counted(r#""49170""#), []);
        assert_eq!(counted(r#"["49170",["49171"]]"#), []);
    }
}
