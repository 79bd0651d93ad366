//! What is planned before it is written: one message, status or metadata event, without text.

/// What a record will say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Inbound, a text.
    Text,
    /// Two inbound texts in one `messages` array.
    Burst,
    /// Inbound, a tap on a reply button.
    Tap,
    /// Inbound, a choice from a list.
    ListTap,
    /// Inbound, a tap on a template's quick reply.
    TemplateTap,
    Image,
    Voice,
    Document,
    Sticker,
    Location,
    Reaction,
    /// A send of a text.
    SendText,
    SendButtons,
    SendList,
    SendTemplate,
    /// A mark-as-read request with a typing indicator: no message.
    MarkRead,
    /// Written by a person in the phone app.
    Echo,
    /// Statuses of a send; `aux` holds the category, `mask` which of them.
    Status,
    /// An inbound message, while the platform's agent holds the thread.
    StandbyIn,
    /// The platform agent's answer.
    StandbyEcho,
    Handover,
    Account,
    Ignored,
    History,
}

/// Which words an event's text is made of; `topic` is a subject or an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    Nothing,
    /// Open domain, the user: a first question, a follow-up, small talk, a pasted text.
    Ask,
    More,
    Chat,
    Paste,
    /// Open domain, the assistant.
    Answer,
    Sources,
    Transcript,
    Picture,
    Chatty,
    Note,
    /// Bounded domain: what users ask of, and get from, a business.
    Task,
    TaskReply,
    TaskLong,
    /// "ok", "thanks"; a greeting; a code.
    Short,
    Greet,
    Code,
}

pub(crate) const SENT: u8 = 1;
pub(crate) const DELIVERED: u8 = 2;
pub(crate) const READ: u8 = 4;
pub(crate) const FAILED: u8 = 8;

/// A planned event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Time of its record, in milliseconds: the order of the stream.
    pub(crate) record_ms: i64,
    /// Breaks ties in the order of planning.
    pub(crate) sequence: u64,
    /// Its own time.
    pub(crate) at_ms: i64,
    /// Decides its text and its wamid; a status has its message's.
    pub(crate) seed: u64,
    /// The message it answers or refers to, by seed; 0 where none.
    pub(crate) refers: u64,
    pub(crate) sender: u32,
    pub(crate) peer: u32,
    pub(crate) topic: u16,
    pub(crate) kind: Kind,
    pub(crate) say: Say,
    /// Sentences of a reply; category of a template or status; kind of metadata.
    pub(crate) aux: u8,
    /// Which statuses.
    pub(crate) mask: u8,
}

/// Price categories, as they stand in statuses.
pub(crate) const CATEGORIES: [&str; 4] = ["service", "utility", "authentication", "marketing"];
pub(crate) const SERVICE: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planned_event_stays_small() {
        assert!(size_of::<Event>() <= 56);
    }
}
