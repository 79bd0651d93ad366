//! What a message is, whichever way it goes: kind, interactive type, voice mark and text.
//!
//! A text is the body of a text message, the body of an interactive message, the title of a
//! tapped reply, or a caption. Template parameters, flow answers, edits and orders have none.

use std::borrow::Cow;

use turnwise_model::limits::TEXT_BYTES_MAX;
use turnwise_model::{InteractiveType, MessageKind};

use crate::json::{Kind, Value};
use crate::meant;

/// The longest that a text's length may claim to be: no more than we would read of a text.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "64 Ki fits")]
const CHARS_MAX: i32 = TEXT_BYTES_MAX as i32;
const _: () = assert!(TEXT_BYTES_MAX <= 1 << 30);

/// The text of a message as far as it is known.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// There is none.
    None,
    /// Metadata only: its length.
    Chars(i32),
    /// The text.
    Body(Cow<'a, str>),
}

/// What a message is.
pub(crate) struct Body<'a> {
    pub(crate) kind: MessageKind,
    pub(crate) interactive: Option<InteractiveType>,
    pub(crate) voice: Option<bool>,
    pub(crate) text: Text<'a>,
    pub(crate) is_reply: bool,
}

/// Names of bodies, for messages without a type.
const BODIES: &[&str] = &[
    "text",
    "image",
    "audio",
    "voice",
    "video",
    "document",
    "sticker",
    "interactive",
    "button",
    "location",
    "contacts",
    "order",
    "template",
    "hsm",
    "reaction",
    "system",
    "edit",
    "revoke",
    "unsupported",
];

/// Whether an object holds a body of some name.
pub(crate) fn has_body(message: Value<'_>) -> bool {
    BODIES.iter().any(|name| message.get(name).is_some())
}

/// Reads a message's body; `message` is the object that holds `type`.
pub(crate) fn body(message: Value<'_>) -> Body<'_> {
    let named = meant::word(message.get("type"));
    let name = match named.as_deref() {
        Some(name) => name,
        None => BODIES.iter().find(|name| message.get(name).is_some()).copied().unwrap_or(""),
    };
    body_named(name, message)
}

/// The same where the type is told elsewhere; `message` is the object around the body.
pub(crate) fn body_named<'a>(name: &str, message: Value<'a>) -> Body<'a> {
    let kind = match name {
        "voice" => MessageKind::Audio,
        // What templates were called on premises.
        "hsm" => MessageKind::Template,
        name => MessageKind::from_name(name).unwrap_or(MessageKind::Unknown),
    };
    let inner = if name.is_empty() { None } else { message.get(name) };
    let voice = (kind == MessageKind::Audio).then(|| {
        let marked = inner.and_then(|inner| meant::boolean(inner.get("voice")));
        marked.unwrap_or(name == "voice")
    });
    let interactive = (kind == MessageKind::Interactive).then(|| interactive_type(inner));
    let context = message.get("context");
    let answered = |key| context.is_some_and(|context| has_id(context.get(key)));
    Body {
        kind,
        interactive,
        voice,
        text: text(kind, message, inner),
        is_reply: answered("id") || answered("message_id"),
    }
}

fn has_id(value: Option<Value<'_>>) -> bool {
    meant::id(value) != meant::Id::None
}

fn interactive_type(inner: Option<Value<'_>>) -> InteractiveType {
    let Some(inner) = inner else { return InteractiveType::Other };
    match meant::word(inner.get("type")) {
        Some(name) => InteractiveType::from_name(&name).unwrap_or(InteractiveType::Other),
        None => InteractiveType::ALL
            .iter()
            .copied()
            .find(|kind| inner.get(kind.name()).is_some())
            .unwrap_or(InteractiveType::Other),
    }
}

/// The first of these that is a string is the text; else the first length counts, as it does beside
/// a text that was emptied.
fn text<'a>(kind: MessageKind, message: Value<'a>, inner: Option<Value<'a>>) -> Text<'a> {
    let Some(inner) = inner else { return Text::None };
    let bodies: &[&[&str]] = match kind {
        MessageKind::Text => &[&["body"]],
        MessageKind::Image
        | MessageKind::Audio
        | MessageKind::Video
        | MessageKind::Document
        | MessageKind::Sticker => &[&["caption"]],
        MessageKind::Interactive => {
            &[&["button_reply", "title"], &["list_reply", "title"], &["body", "text"], &["body"]]
        }
        MessageKind::Button => &[&["text"]],
        _ => return Text::None,
    };
    let found = bodies.iter().find_map(|path| inner.at(path)?.string());
    let bare = || (kind == MessageKind::Text).then(|| inner.string()).flatten();
    let text = found.or_else(bare);
    if text.as_deref().is_some_and(|text| !text.is_empty()) {
        return text.map_or(Text::None, Text::Body);
    }
    let lengths = [
        inner.get("chars"),
        inner.at(&["body", "chars"]),
        inner.at(&["body", "text", "chars"]),
        inner.at(&["text", "chars"]),
        inner.at(&["caption", "chars"]),
        inner.at(&["button_reply", "chars"]),
        inner.at(&["list_reply", "chars"]),
        message.get("chars").filter(|chars| chars.kind() != Kind::Object),
    ];
    match lengths.into_iter().find_map(meant::integer).map_or(Text::None, text_length) {
        Text::None => text.map_or(Text::None, Text::Body),
        length => length,
    }
}

/// A text of which only the length is known. A number beyond what a text can hold is no length; it
/// might be a person's number.
pub(crate) fn text_length(chars: i64) -> Text<'static> {
    i32::try_from(chars)
        .ok()
        .filter(|chars| (0..=CHARS_MAX).contains(chars))
        .map_or(Text::None, Text::Chars)
}

/// Whether messages of this kind have a text.
pub(crate) fn has_text(kind: MessageKind) -> bool {
    matches!(
        kind,
        MessageKind::Text
            | MessageKind::Image
            | MessageKind::Audio
            | MessageKind::Video
            | MessageKind::Document
            | MessageKind::Sticker
            | MessageKind::Interactive
            | MessageKind::Button
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;

    fn check(json: &str, kind: MessageKind, voice: Option<bool>, text: Option<&str>) {
        let mut tape = Tape::default();
        let read = body(tape.parse(json).expect("JSON"));
        assert_eq!((read.kind, read.voice), (kind, voice), "{json}");
        match read.text {
            Text::Body(found) => assert_eq!(Some(&*found), text, "{json}"),
            Text::Chars(chars) => assert_eq!(Some(&*format!("#{chars}")), text, "{json}"),
            Text::None => assert_eq!(None, text, "{json}"),
        }
    }

    #[test]
    fn texts_are_bodies_titles_and_captions() {
        use MessageKind as M;
        check(r#"{"type":"text","text":{"body":"a\nb"}}"#, M::Text, None, Some("a\nb"));
        check(r#"{"type":"TEXT","text":{"body":""}}"#, M::Text, None, Some(""));
        check(r#"{"type":"text","text":{"chars":123}}"#, M::Text, None, Some("#123"));
        check(r#"{"type":"text","text":{"chars":"123"}}"#, M::Text, None, Some("#123"));
        check(r#"{"type":"text","text":{"chars":65537}}"#, M::Text, None, None);
        check(r#"{"type":"text","text":{"body":"","chars":5}}"#, M::Text, None, Some("#5"));
        check(r#"{"type":"text","text":{"body":"hi","chars":5}}"#, M::Text, None, Some("hi"));
        check(r#"{"type":"text","text":{"body":{"chars":6}}}"#, M::Text, None, Some("#6"));
        check(r#"{"type":"button","button":{"text":{"chars":4}}}"#, M::Button, None, Some("#4"));
        check(
            r#"{"type":"interactive","interactive":{"type":"button","body":{"text":{"chars":9}}}}"#,
            M::Interactive,
            None,
            Some("#9"),
        );
        check(r#"{"type":"image","image":{"id":"1","caption":"c"}}"#, M::Image, None, Some("c"));
        check(r#"{"type":"image","image":{"id":"1"},"chars":7}"#, M::Image, None, Some("#7"));
        check(r#"{"type":"image","image":{"id":"1","chars":8}}"#, M::Image, None, Some("#8"));
        check(r#"{"type":"audio","audio":{"voice":"true"}}"#, M::Audio, Some(true), None);
        check(r#"{"type":"audio","audio":{"id":"1"}}"#, M::Audio, Some(false), None);
        check(r#"{"type":"voice","voice":{"id":"1"}}"#, M::Audio, Some(true), None);
        check(
            r#"{"type":"button","button":{"text":"No","payload":"x"}}"#,
            M::Button,
            None,
            Some("No"),
        );
        check(
            r#"{"type":"interactive","interactive":{"type":"list_reply","list_reply":{"title":"t","description":"d"}}}"#,
            M::Interactive,
            None,
            Some("t"),
        );
        check(
            r#"{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"body":"Sent"}}}"#,
            M::Interactive,
            None,
            None,
        );
        check(
            r#"{"type":"interactive","interactive":{"type":"list","body":{"text":"b"},"footer":{"text":"f"}}}"#,
            M::Interactive,
            None,
            Some("b"),
        );
        check(r#"{"type":"template","template":{"name":"n"}}"#, M::Template, None, None);
        check(r#"{"type":"hsm","hsm":{"element_name":"n"}}"#, M::Template, None, None);
        check(r#"{"to":"1","hsm":{"element_name":"n"}}"#, M::Template, None, None);
        check(r#"{"type":"hologram","text":{"body":"x"}}"#, M::Unknown, None, None);
        check(r#"{"type":null,"location":{"latitude":1}}"#, M::Location, None, None);
        check(r#"{"type":true}"#, M::Unknown, None, None);
        check(r#"{"type":"order","order":{"text":"x"}}"#, M::Order, None, None);
    }

    #[test]
    fn interactive_types_are_known_or_other() {
        for (json, kind) in [
            (
                r#"{"type":"interactive","interactive":{"button_reply":{}}}"#,
                InteractiveType::ButtonReply,
            ),
            (r#"{"type":"interactive","interactive":{"type":"flow"}}"#, InteractiveType::Flow),
            (r#"{"type":"interactive","interactive":{"type":"x"}}"#, InteractiveType::Other),
            (r#"{"type":"interactive"}"#, InteractiveType::Other),
        ] {
            let mut tape = Tape::default();
            assert_eq!(body(tape.parse(json).expect("JSON")).interactive, Some(kind));
        }
    }
}
