//! What the object named as a message's type says, where it is as it usually is; of webhooks, echoes
//! and requests alike. See [`crate::body`] for what it means.

use turnwise_model::{InteractiveType, MessageKind};

use super::values::{is_plain, named, only_string};
use crate::json::{Cursor, Field, Nth, UNUSUAL, Values};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body {
    pub(crate) kind: MessageKind,
    pub(crate) interactive: Option<InteractiveType>,
    pub(crate) voice: Option<bool>,
    /// Its text, if it has one.
    pub(crate) text: Nth,
}

/// Bodies by their field number, see [`field`]. Voice messages of old, system messages, edits and
/// revokes are not usual.
pub(crate) const BODIES: [MessageKind; 14] = [
    MessageKind::Text,
    MessageKind::Image,
    MessageKind::Audio,
    MessageKind::Video,
    MessageKind::Document,
    MessageKind::Sticker,
    MessageKind::Interactive,
    MessageKind::Button,
    MessageKind::Location,
    MessageKind::Contacts,
    MessageKind::Order,
    MessageKind::Reaction,
    MessageKind::Unsupported,
    MessageKind::Template,
];

/// The field of a body, if `first` is that of the first one; 0 of other keys.
#[inline]
pub(crate) fn field(name: &[u8], first: Field) -> Field {
    let place = BODIES.iter().position(|kind| kind.name().as_bytes() == name);
    place.map_or(0, |at| first + at as Field)
}

/// Reads the body that a field stands for.
#[inline(always)]
pub(crate) fn read(cursor: &mut Cursor<'_, '_>, field: Field, first: Field) -> Option<Body> {
    body(cursor, *BODIES.get(usize::from(field.checked_sub(first)?))?)
}

/// A message's type that is the name of a body.
#[inline]
pub(crate) fn kind(cursor: &mut Cursor<'_, '_>) -> Option<MessageKind> {
    let place = cursor.named(|name| field(name, 1).checked_sub(1))?;
    BODIES.get(usize::from(place)).copied()
}

/// The body of a message of a kind, if it is the one that was read.
#[inline]
pub(crate) fn of_kind(read: Option<Body>, kind: MessageKind) -> Option<Body> {
    match read {
        Some(body) if body.kind == kind => Some(body),
        // Nothing but its errors says what an unsupported message was.
        None if kind == MessageKind::Unsupported => {
            Some(Body { kind, interactive: None, voice: None, text: Nth::NONE })
        }
        _ => None,
    }
}

#[inline(always)]
fn body(cursor: &mut Cursor<'_, '_>, kind: MessageKind) -> Option<Body> {
    let mut body = Body { kind, interactive: None, voice: None, text: Nth::NONE };
    match kind {
        MessageKind::Text => {
            let name = |name: &[u8]| match name {
                b"body" => 1,
                name if is_text_elsewhere(name) => UNUSUAL,
                _ => 0,
            };
            body.text = only_string(cursor, name)?;
        }
        _ => other_body(cursor, &mut body)?,
    }
    Some(body)
}

#[inline(never)]
fn other_body(cursor: &mut Cursor<'_, '_>, body: &mut Body) -> Option<()> {
    match body.kind {
        MessageKind::Button => {
            let name = |name: &[u8]| match name {
                b"text" => 1,
                name if is_text_elsewhere(name) => UNUSUAL,
                _ => 0,
            };
            body.text = only_string(cursor, name)?;
            Some(())
        }
        MessageKind::Image
        | MessageKind::Audio
        | MessageKind::Video
        | MessageKind::Document
        | MessageKind::Sticker => media(cursor, body),
        MessageKind::Interactive => interactive(cursor, body),
        _ => cursor.skip(),
    }
}

/// Keys of bodies that may hold a text or its length where this reader does not look.
fn is_text_elsewhere(name: &[u8]) -> bool {
    matches!(name, b"chars" | b"body" | b"text" | b"caption" | b"button_reply" | b"list_reply")
}

fn media(cursor: &mut Cursor<'_, '_>, body: &mut Body) -> Option<()> {
    const CAPTION: Field = 1;
    const VOICE: Field = 2;
    let name = |name: &[u8]| match name {
        b"caption" => CAPTION,
        b"voice" => VOICE,
        name if is_text_elsewhere(name) => UNUSUAL,
        _ => 0,
    };
    let is_audio = body.kind == MessageKind::Audio;
    body.voice = is_audio.then_some(false);
    cursor.object(name, |cursor, field| match field {
        CAPTION => {
            body.text = cursor.string()?;
            Some(())
        }
        VOICE if is_audio => {
            body.voice = Some(cursor.boolean()?);
            Some(())
        }
        VOICE => cursor.skip(),
        _ => None,
    })
}

named!(interactive_type, InteractiveType);

fn interactive(cursor: &mut Cursor<'_, '_>, body: &mut Body) -> Option<()> {
    const TYPE: Field = 1;
    const REPLY: Field = 2;
    const BODY: Field = 3;
    let name = |name: &[u8]| match name {
        b"type" => TYPE,
        b"button_reply" | b"list_reply" => REPLY,
        b"body" => BODY,
        name if is_text_elsewhere(name) => UNUSUAL,
        _ => 0,
    };
    let mut written = Nth::NONE;
    cursor.object(name, |cursor, field| {
        match field {
            TYPE => body.interactive = Some(interactive_type(cursor)?),
            REPLY => {
                let name = |name: &[u8]| match name {
                    b"title" => 1,
                    b"chars" => UNUSUAL,
                    _ => 0,
                };
                body.text = only_string(cursor, name)?;
            }
            BODY => {
                let name = |name: &[u8]| match name {
                    b"text" => 1,
                    b"chars" => UNUSUAL,
                    _ => 0,
                };
                written = only_string(cursor, name)?;
            }
            _ => return None,
        }
        Some(())
    })?;
    // What was tapped goes before what stands above it.
    body.text = if body.text.is_none() { written } else { body.text };
    body.interactive.map(drop)
}

/// The ids by which `context` names a message that is answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answered([Nth; 2]);

impl Answered {
    pub(crate) fn read(cursor: &mut Cursor<'_, '_>) -> Option<Self> {
        let name = |name: &[u8]| match name {
            b"id" => 1,
            b"message_id" => 2,
            _ => 0,
        };
        let mut ids = [Nth::NONE; 2];
        cursor.object(name, |cursor, field| {
            *ids.get_mut(usize::from(field) - 1)? = cursor.string()?;
            Some(())
        })?;
        Some(Self(ids))
    }

    /// Whether a message is answered.
    #[inline]
    pub(crate) fn is_one(self) -> bool {
        self.0.iter().any(|id| !id.is_none())
    }

    /// Whether all that name it are plain ids.
    #[inline]
    pub(crate) fn is_plain(self, values: Values<'_>) -> bool {
        self.0.iter().all(|id| id.is_none() || is_plain(values, *id))
    }

    /// See [`Nth::moved`].
    pub(crate) fn moved(self, by: isize) -> Self {
        Self(self.0.map(|id| id.moved(by)))
    }
}
