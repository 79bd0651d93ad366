//! The columns of `conversations`: one row a conversation (or a marked row: a failed send, a
//! standby run), every count an integer so that sums of any grouping are exact.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::schema::timestamp;

/// What a row of `conversations` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunKind {
    /// A conversation.
    Conversation,
    /// An API send that failed; never part of a conversation.
    FailedSend,
    /// A run of messages on standby: another owner held the thread.
    StandbyRun,
}

impl RunKind {
    /// The value of the column `run_kind`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::FailedSend => "failed_send",
            Self::StandbyRun => "standby_run",
        }
    }
}

macro_rules! counters {
    ($($name:ident $doc:literal,)*) => {
        /// The integer columns of one row of `conversations`, in the order of the schema.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $(#[doc = $doc] pub $name: i64,)* }

        impl Counters {
            /// The columns' names.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];
            /// What each column counts.
            pub const DOCS: &'static [&'static str] = &[$($doc,)*];

            /// The values in the order of [`Counters::NAMES`].
            #[must_use]
            pub fn values(&self) -> [i64; Self::NAMES.len()] {
                [$(self.$name,)*]
            }
        }
    };
}

counters! {
    messages "Messages of U, B and E.",
    turns "Maximal runs of one direction.",
    inbound_turns "Turns of the peer.",
    with_user "1 where it has a message of U.",
    user_initiated "1 where it begins with U, no referral, no tapped reply, no template in the 24 h before.",
    has_referral "1 where its first message of U carries a referral.",
    peer_day_first "1 where it is the first conversation with U of its peer on its start day.",
    u_messages "Messages of U.",
    u_voice "Voice notes of U.",
    u_image "Images of U.",
    u_document "Documents of U.",
    u_media "Images, videos, documents and audio of U.",
    u_structured "Tapped replies, orders, locations and contacts of U.",
    u_commerce "Orders and flow replies of U.",
    u_text "Messages of U of type text.",
    u_text_absent "Of u_text those whose text did not come along.",
    u_chars_n "Of u_text those with a known length.",
    u_chars "Characters of u_chars_n.",
    u_long "Of u_chars_n those of 280 characters or more.",
    u_words_n "Of u_text those with a text.",
    u_short "Of u_words_n those of 3 words or fewer.",
    u_opener "Of u_words_n those that begin with a question or request opener.",
    u_open_ended "Of u_words_n those that are open-ended.",
    u_greeting "Of u_words_n those that are only greeting, thanks, yes or no, or emoji.",
    b_messages "Messages of B: sent through the API and not failed.",
    b_recorded "Of b_messages those with a record of the send.",
    sends_recorded "Records of sends, failed ones too.",
    sends_with_status "Of sends_recorded those with a status.",
    stand_ins "Messages that only a sent status tells of.",
    t_messages "Templates of B.",
    f_messages "Free-form messages of B.",
    f_typed "Of f_messages those of known type.",
    f_interactive "Interactive messages of F.",
    f_interactive_tapped "Of f_interactive those answered by a tapped reply within 600 s.",
    f_commerce "Product, product list, catalog and flow messages of F.",
    f_text "Messages of F of type text or interactive.",
    f_text_absent "Of f_text those whose text did not come along.",
    f_chars_n "Of f_text those with a known length.",
    f_chars "Characters of f_chars_n.",
    f_chars_ge500 "Of f_chars_n those of 500 characters or more.",
    f_words_n "Of f_text those with a text.",
    f_markdown "Of f_words_n those with markdown or a list.",
    f_code "Of f_words_n those with code.",
    f_question "Of f_words_n those with a question mark.",
    e_messages "Messages of E: sent by a person from the phone app.",
    api_replies "Replies whose first message is in F.",
    fast_replies "Of api_replies those under 5 s.",
    voice_n "Voice notes of U whose next F is of known form, or that have none.",
    voice_answered "Of voice_n those answered by text of 20 characters (8 in bigram scripts) within 120 s.",
    image_n "Images of U whose next F is of known form, or that have none.",
    image_answered "Of image_n those answered by text of 150 characters within 120 s.",
    document_n "Documents of U whose next F is of known form, or that have none.",
    document_answered "Of document_n those answered by text of 400 characters within 180 s.",
    category_n "Messages of B with a pricing category, or labelled by the platform as an assistant's.",
    category_marketing "Of category_n: marketing.",
    category_utility "Of category_n: utility.",
    category_authentication "Of category_n: authentication.",
    category_service "Of category_n: service.",
    category_ai "Of category_n: general-purpose assistant.",
    category_other "Of category_n: any other.",
    ai_label "Of category_n those with category or conversation origin general_purpose_ai.",
    priced_n "Messages of B with a pricing type, sent before 2026-10-01.",
    priced_free_service "Of priced_n those free inside the customer service window.",
    templates "Messages of kind template, either way.",
    buttons "Taps on the buttons of templates, either way.",
    voices "Voice notes, either way.",
    handover_ai "1 where a handover from or to the role ai_agent lies in it or in the 30 min after.",
}

/// Names of the columns that are no counters.
pub mod column {
    /// The business phone number's id.
    pub const SENDER: &str = "sender";
    /// Pseudonym of the resolved peer.
    pub const PEER: &str = "peer";
    /// [`super::RunKind`] by name.
    pub const RUN_KIND: &str = "run_kind";
    /// Time of the first message.
    pub const START: &str = "start_time";
    /// Time of the last message.
    pub const END: &str = "end_time";
    /// UTC day of the first message.
    pub const START_DAY: &str = "start_day";
    /// Histogram of API reply latencies in ms.
    pub const LATENCIES: &str = "latencies";
    /// Histogram of the characters of F text.
    pub const REPLY_CHARS: &str = "reply_chars";
    /// Counts of U by UTC hour, as pairs.
    pub const HOURS: &str = "hours";
    /// Counts of U text by script, as pairs.
    pub const SCRIPTS: &str = "scripts";
    /// Latency of each reply in milliseconds, in order of time; of all replies, not of API replies
    /// alone.
    pub const REPLY_LATENCIES_MS: &str = "reply_latencies_ms";
    /// The smallest tokens of the texts of U; for our aggregate functions only.
    pub const USER_TOKENS: &str = "user_tokens";
    /// The smallest tokens of the texts of F; for our aggregate functions only.
    pub const REPLY_TOKENS: &str = "reply_tokens";
    /// Text sample of U; for our aggregate functions only.
    pub const USER_TEXTS: &str = "user_texts";
    /// Text sample of F; for our aggregate functions only.
    pub const REPLY_TEXTS: &str = "reply_texts";
    /// The first text of U as a sample of one; for our aggregate functions only.
    pub const FIRST_TEXT: &str = "first_text";
}

/// Columns whose only use is as an argument of our aggregate functions.
pub const SAMPLE_COLUMNS: [&str; 5] = [
    column::USER_TOKENS,
    column::REPLY_TOKENS,
    column::USER_TEXTS,
    column::REPLY_TEXTS,
    column::FIRST_TEXT,
];

/// The type of histograms, counts by code and samples: a list of 64-bit integers.
#[must_use]
pub fn state_type() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Int64, false)))
}

/// The schema of `conversations`.
#[must_use]
pub fn schema() -> SchemaRef {
    let mut fields = vec![
        Field::new(column::SENDER, DataType::Utf8, false),
        Field::new(column::PEER, DataType::Int64, false),
        Field::new(column::RUN_KIND, DataType::Utf8, false),
        Field::new(column::START, timestamp(), false),
        Field::new(column::END, timestamp(), false),
        Field::new(column::START_DAY, DataType::Date32, false),
    ];
    fields.extend(Counters::NAMES.iter().map(|name| Field::new(*name, DataType::Int64, false)));
    let lists = [column::LATENCIES, column::REPLY_CHARS, column::HOURS, column::SCRIPTS];
    for name in lists.into_iter().chain([column::REPLY_LATENCIES_MS]) {
        fields.push(Field::new(name, state_type(), false));
    }
    for name in SAMPLE_COLUMNS {
        fields.push(Field::new(name, state_type(), false));
    }
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_has_each_name_once() {
        let schema = schema();
        let names: std::collections::BTreeSet<_> =
            schema.fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names.len(), schema.fields().len());
        assert_eq!(Counters::NAMES.len(), Counters::DOCS.len());
    }
}
