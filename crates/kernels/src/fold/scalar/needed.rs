//! Which columns of `events` decide which columns of `conversations`.

use turnwise_model::conversation::column as told;
use turnwise_model::schema::column;

/// What decides every column: whose a message is, when it was, which copy counts, and its set.
const ALWAYS: [&str; 15] = [
    column::SENDER,
    column::PEER_PHONE,
    column::PEER_USER,
    column::TIME,
    column::MESSAGE,
    column::SOURCE,
    column::PARTITION,
    column::OFFSET,
    column::ITEM,
    column::ORIGIN,
    column::IN_GROUP,
    column::DIRECTION,
    column::MESSAGE_KIND,
    column::INTERACTIVE_TYPE,
    column::STATUS,
];

/// What decides some columns, and which. A category says of a message that only a status tells of
/// whether it is a template, so it decides what counts free-form messages.
const SOME: [(&str, &[&str]); 13] = [
    (column::VOICE, &["u_voice", "voices", "voice_n", "voice_answered"]),
    (column::HAS_REFERRAL, &["has_referral", "user_initiated"]),
    (
        column::CHARS,
        &[
            "u_chars_n",
            "u_chars",
            "u_long",
            "f_chars_n",
            "f_chars",
            "f_chars_ge500",
            "voice_n",
            "voice_answered",
            "image_n",
            "image_answered",
            "document_n",
            "document_answered",
            told::REPLY_CHARS,
        ],
    ),
    (
        column::WORDS,
        &[
            "u_text_absent",
            "u_words_n",
            "u_short",
            "u_opener",
            "u_open_ended",
            "u_greeting",
            "f_text_absent",
            "f_words_n",
            "f_markdown",
            "f_code",
            "f_question",
            "voice_n",
            "voice_answered",
            told::SCRIPTS,
            told::USER_TOKENS,
            told::REPLY_TOKENS,
            told::USER_TEXTS,
            told::REPLY_TEXTS,
            told::FIRST_TEXT,
        ],
    ),
    (column::SCRIPT, &["voice_n", "voice_answered", told::SCRIPTS]),
    (
        column::TEXT_BITS,
        &["u_opener", "u_open_ended", "u_greeting", "f_markdown", "f_code", "f_question"],
    ),
    (
        column::TOKENS,
        &[
            told::USER_TOKENS,
            told::REPLY_TOKENS,
            told::USER_TEXTS,
            told::REPLY_TEXTS,
            told::FIRST_TEXT,
        ],
    ),
    (column::SKELETON, &[told::USER_TEXTS, told::REPLY_TEXTS, told::FIRST_TEXT]),
    (
        column::CATEGORY,
        &[
            "user_initiated",
            "t_messages",
            "f_messages",
            "api_replies",
            "fast_replies",
            "voice_n",
            "voice_answered",
            "image_n",
            "image_answered",
            "document_n",
            "document_answered",
            "category_n",
            "category_marketing",
            "category_utility",
            "category_authentication",
            "category_service",
            "category_ai",
            "category_other",
            "ai_label",
            told::LATENCIES,
        ],
    ),
    (column::CONVERSATION_ORIGIN, &["category_n", "category_ai", "ai_label"]),
    (column::PRICING_TYPE, &["priced_n", "priced_free_service"]),
    (column::ROLE_PREVIOUS, &["handover_ai"]),
    (column::ROLE_NEW, &["handover_ai"]),
];

/// The columns of rows of `events`, where their kind has them, that decide these columns of
/// [`turnwise_model::conversation::schema`]. Others may be absent: they are as they would be.
#[must_use]
pub fn needed(asked: &[&str]) -> Vec<&'static str> {
    let is_asked = |decided: &[&str]| decided.iter().any(|name| asked.contains(name));
    let some = SOME.iter().filter(|(_, decided)| is_asked(decided)).map(|(name, _)| *name);
    ALWAYS.into_iter().chain(some).collect()
}

#[cfg(test)]
mod tests;
