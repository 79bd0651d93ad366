//! One run of words to its counts: the loop that a fold spends its time in.
//!
//! The plain version looks at each message and adds 1 to the counters that its set, kind and form
//! name; it finds turns and replies by comparing with the message before
//! (`scalar::measure`). Here every word names a row of a table of lanes, all of which are added:
//! the same for any message, so there is nothing to branch on, and compilers make vector
//! instructions of it. The only branch is the one that ends the run.

use turnwise_model::MessageKind;
use turnwise_model::conversation::Counters;
use turnwise_model::time::CONVERSATION_GAP_MS;

use super::scalar::Class;
use super::word::{self, CODES, Form};

/// Latency below which a reply is fast (F22).
pub(super) const FAST_REPLY_MS: u64 = 5_000;
/// Counters that a message adds to by itself, rounded up to whole vector registers.
const LANES: usize = 20;

/// Which lane counts what.
mod lane {
    pub const U_MESSAGES: usize = 0;
    pub const U_VOICE: usize = 1;
    pub const U_IMAGE: usize = 2;
    pub const U_DOCUMENT: usize = 3;
    pub const U_MEDIA: usize = 4;
    pub const U_STRUCTURED: usize = 5;
    pub const U_COMMERCE: usize = 6;
    pub const U_TEXT: usize = 7;
    pub const STAND_INS: usize = 8;
    pub const T_MESSAGES: usize = 9;
    pub const F_MESSAGES: usize = 10;
    pub const F_TYPED: usize = 11;
    pub const F_INTERACTIVE: usize = 12;
    pub const F_COMMERCE: usize = 13;
    pub const F_TEXT: usize = 14;
    pub const E_MESSAGES: usize = 15;
    pub const TEMPLATES: usize = 16;
    pub const BUTTONS: usize = 17;
    pub const VOICES: usize = 18;
}

type Lanes = [u32; LANES];

/// What each code adds.
#[derive(Debug)]
pub(super) struct Table(Vec<Lanes>);

/// The counts of one run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    pub first: u64,
    pub last: u64,
    pub messages: u32,
    pub turns: u32,
    pub inbound_turns: u32,
    pub replies: u32,
    pub api_replies: u32,
    pub fast_replies: u32,
    lanes: Lanes,
}

/// Latencies of replies, run after run, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Replies {
    /// Longer than what is kept, so that a loop may write without asking for room.
    values: Vec<i64>,
    kept: usize,
}

impl Replies {
    /// Those that are kept.
    pub fn kept(&self) -> &[i64] {
        &self.values[..self.kept]
    }

    pub fn clear(&mut self) {
        self.kept = 0;
    }

    /// Forgets the last that were added.
    pub fn drop_last(&mut self, count: u32) {
        self.kept -= count as usize;
    }

    /// Heap bytes.
    pub fn size(&self) -> usize {
        self.values.capacity() * size_of::<i64>()
    }

    fn room(&mut self, more: usize) -> &mut [i64] {
        let end = self.kept + more;
        if self.values.len() < end {
            self.values.resize(end.next_power_of_two(), 0);
        }
        &mut self.values[self.kept..end]
    }
}

impl Table {
    pub fn new() -> Self {
        let mut table = vec![[0; LANES]; CODES];
        let forms = [
            Form::Plain,
            Form::Voice,
            Form::Tapped,
            Form::FlowReply,
            Form::Commerce,
            Form::StandIn,
        ];
        for class in [Class::User, Class::Template, Class::Free, Class::Person] {
            for kind in MessageKind::ALL {
                for form in forms {
                    table[word::index(word::code(class, *kind, form))] = lanes(class, *kind, form);
                }
            }
        }
        Self(table)
    }
}

fn lanes(class: Class, kind: MessageKind, form: Form) -> Lanes {
    use MessageKind as K;
    let is_user = class == Class::User;
    let is_known = form != Form::StandIn;
    let is_typed_free = class == Class::Free && is_known;
    let is_interactive = kind == K::Interactive;
    let is_tapped = matches!(form, Form::Tapped | Form::FlowReply) || kind == K::Button;
    let is_structured = is_tapped || matches!(kind, K::Order | K::Location | K::Contacts);
    let is_media = matches!(kind, K::Image | K::Video | K::Document | K::Audio);
    let mut lanes = [false; LANES];
    lanes[lane::U_MESSAGES] = is_user;
    lanes[lane::U_VOICE] = is_user && form == Form::Voice;
    lanes[lane::U_IMAGE] = is_user && kind == K::Image;
    lanes[lane::U_DOCUMENT] = is_user && kind == K::Document;
    lanes[lane::U_MEDIA] = is_user && is_media;
    lanes[lane::U_STRUCTURED] = is_user && is_structured;
    lanes[lane::U_COMMERCE] = is_user && (kind == K::Order || form == Form::FlowReply);
    lanes[lane::U_TEXT] = is_user && kind == K::Text;
    lanes[lane::STAND_INS] = !is_known;
    lanes[lane::T_MESSAGES] = class == Class::Template;
    lanes[lane::F_MESSAGES] = class == Class::Free;
    lanes[lane::F_TYPED] = is_typed_free;
    lanes[lane::F_INTERACTIVE] = is_typed_free && is_interactive;
    lanes[lane::F_COMMERCE] = is_typed_free && is_interactive && form == Form::Commerce;
    lanes[lane::F_TEXT] = is_typed_free && (kind == K::Text || is_interactive);
    lanes[lane::E_MESSAGES] = class == Class::Person;
    lanes[lane::TEMPLATES] = is_known && kind == K::Template;
    lanes[lane::BUTTONS] = is_known && kind == K::Button;
    lanes[lane::VOICES] = is_known && form == Form::Voice;
    lanes.map(u32::from)
}

impl Run {
    /// Counts the words up to the first gap that ends a conversation, or all. Latencies of replies
    /// are added to `replies`. `words` are in order and there is at least one.
    pub fn of(words: &[u64], table: &Table, replies: &mut Replies) -> Self {
        let first = words[0];
        let mut run = Self {
            first,
            messages: 1,
            turns: 1,
            inbound_turns: 1 - word::outbound(first),
            lanes: table.0[word::index(first)],
            ..Self::default()
        };
        let found = replies.room(words.len());
        let mut before = first;
        for word in &words[1..] {
            let gap = (word >> word::TIME_SHIFT) - (before >> word::TIME_SHIFT);
            if gap > CONVERSATION_GAP_MS.cast_unsigned() {
                break;
            }
            let (out, was_out) = (word::outbound(*word), word::outbound(before));
            let turn = out ^ was_out;
            let reply = turn & out;
            let api_reply = reply & word::free(*word);
            // Written before it is known to be one; the next overwrites what is none.
            found[run.replies as usize] = gap.cast_signed();
            run.messages += 1;
            run.turns += turn;
            run.inbound_turns += turn & was_out;
            run.replies += reply;
            run.api_replies += api_reply;
            run.fast_replies += api_reply & u32::from(gap < FAST_REPLY_MS);
            for (lane, more) in run.lanes.iter_mut().zip(&table.0[word::index(*word)]) {
                *lane += more;
            }
            before = *word;
        }
        run.last = before;
        replies.kept += run.replies as usize;
        run
    }

    /// Writes what the words tell into the counters of a conversation.
    pub fn count_into(&self, c: &mut Counters) {
        let lane = |lane: usize| i64::from(self.lanes[lane]);
        c.messages = self.messages.into();
        c.turns = self.turns.into();
        c.inbound_turns = self.inbound_turns.into();
        c.api_replies = self.api_replies.into();
        c.fast_replies = self.fast_replies.into();
        c.u_messages = lane(lane::U_MESSAGES);
        c.with_user = i64::from(c.u_messages > 0);
        c.u_voice = lane(lane::U_VOICE);
        c.u_image = lane(lane::U_IMAGE);
        c.u_document = lane(lane::U_DOCUMENT);
        c.u_media = lane(lane::U_MEDIA);
        c.u_structured = lane(lane::U_STRUCTURED);
        c.u_commerce = lane(lane::U_COMMERCE);
        c.u_text = lane(lane::U_TEXT);
        c.stand_ins = lane(lane::STAND_INS);
        c.t_messages = lane(lane::T_MESSAGES);
        c.f_messages = lane(lane::F_MESSAGES);
        c.b_messages = c.t_messages + c.f_messages;
        c.b_recorded = c.b_messages - c.stand_ins;
        c.sends_recorded = c.b_recorded;
        c.f_typed = lane(lane::F_TYPED);
        c.f_interactive = lane(lane::F_INTERACTIVE);
        c.f_commerce = lane(lane::F_COMMERCE);
        c.f_text = lane(lane::F_TEXT);
        c.e_messages = lane(lane::E_MESSAGES);
        c.templates = lane(lane::TEMPLATES);
        c.buttons = lane(lane::BUTTONS);
        c.voices = lane(lane::VOICES);
    }

    /// The counter of that name in `conversations`, where bare rows can tell it.
    pub fn counter(name: &str) -> Option<fn(&Self) -> i64> {
        Some(match name {
            "messages" => |run| run.messages.into(),
            "turns" => |run| run.turns.into(),
            "inbound_turns" => |run| run.inbound_turns.into(),
            "with_user" => |run| i64::from(run.lanes[lane::U_MESSAGES] > 0),
            "u_messages" => |run| run.lanes[lane::U_MESSAGES].into(),
            "u_voice" => |run| run.lanes[lane::U_VOICE].into(),
            "u_image" => |run| run.lanes[lane::U_IMAGE].into(),
            "u_structured" => |run| run.lanes[lane::U_STRUCTURED].into(),
            "u_text" => |run| run.lanes[lane::U_TEXT].into(),
            "b_messages" => {
                |run| i64::from(run.lanes[lane::T_MESSAGES] + run.lanes[lane::F_MESSAGES])
            }
            "t_messages" => |run| run.lanes[lane::T_MESSAGES].into(),
            "f_messages" => |run| run.lanes[lane::F_MESSAGES].into(),
            "f_interactive" => |run| run.lanes[lane::F_INTERACTIVE].into(),
            "f_text" => |run| run.lanes[lane::F_TEXT].into(),
            "api_replies" => |run| run.api_replies.into(),
            "fast_replies" => |run| run.fast_replies.into(),
            "templates" => |run| run.lanes[lane::TEMPLATES].into(),
            "buttons" => |run| run.lanes[lane::BUTTONS].into(),
            "voices" => |run| run.lanes[lane::VOICES].into(),
            _ => return None,
        })
    }
}
