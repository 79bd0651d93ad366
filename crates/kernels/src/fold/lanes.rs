//! One run of words to its counts: the loop that a fold spends its time in.
//!
//! The plain version looks at each message and adds 1 to the counters that its set and kind name;
//! it finds turns and replies by comparing with the message before (`scalar::measure`). Here each
//! kind is a byte of a register: a word adds 1 to the byte of its kind in one register, and in a
//! second one where it is outbound. That is the same for any message, so there is nothing to
//! branch on, and no counter is in memory while the loop runs. Before a byte can overflow, after
//! 255 messages, the bytes are added to wide counters. The only branch that data decides is the
//! one that ends the run. The counters that `conversations` has are sums of these.

use turnwise_model::time::CONVERSATION_GAP_MS;

use super::word::{self, KINDS, kind};

/// Latency below which a reply is fast (F22).
const FAST_REPLY_MS: u64 = 5_000;
/// Messages that a byte can count.
const BYTE_MESSAGES_MAX: usize = 255;

// Each kind has a byte of the register.
const _: () = assert!(KINDS <= 8);

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
    /// By kind.
    either_way: [u32; KINDS],
    outbound: [u32; KINDS],
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

impl Run {
    /// Counts the words up to the first gap that ends a conversation, or all. Latencies of replies
    /// are added to `replies`. `words` are in order and there is at least one.
    pub fn of(words: &[u64], replies: &mut Replies) -> Self {
        let first = words[0];
        let mut run = Self {
            first,
            last: first,
            turns: 1,
            inbound_turns: 1 - word::outbound(first),
            ..Self::default()
        };
        let mut found = replies.room(words.len());
        // The first word follows itself: no gap, no turn.
        for block in words.chunks(BYTE_MESSAGES_MAX) {
            let before = run.replies as usize;
            let counted = run.count_block(block, found);
            found = &mut found[run.replies as usize - before..];
            if counted < block.len() {
                break;
            }
        }
        replies.kept += run.replies as usize;
        run
    }

    /// Counts a block of words, as many as a byte can count; returns how many are of this run.
    fn count_block(&mut self, block: &[u64], found: &mut [i64]) -> usize {
        let (mut either_way, mut outbound) = (0_u64, 0_u64);
        let (mut turns, mut inbound_turns) = (0, 0);
        let (mut replies, mut api_replies, mut fast_replies) = (0, 0, 0);
        let mut counted = 0;
        let mut before = self.last;
        for word in block {
            let gap = (word >> word::TIME_SHIFT) - (before >> word::TIME_SHIFT);
            if gap > CONVERSATION_GAP_MS.cast_unsigned() {
                break;
            }
            let (out, was_out) = (word::outbound(*word), word::outbound(before));
            let turn = out ^ was_out;
            let reply = turn & out;
            let api_reply = reply & word::free(*word);
            // Written before it is known to be one; the next overwrites what is none.
            found[replies as usize] = gap.cast_signed();
            turns += turn;
            inbound_turns += turn & was_out;
            replies += reply;
            api_replies += api_reply;
            fast_replies += api_reply & u32::from(gap < FAST_REPLY_MS);
            let one = 1 << (8 * word::kind_of(*word));
            either_way += one;
            outbound += one & u64::from(out).wrapping_neg();
            before = *word;
            counted += 1;
        }
        self.last = before;
        self.messages += counted as u32;
        self.turns += turns;
        self.inbound_turns += inbound_turns;
        self.replies += replies;
        self.api_replies += api_replies;
        self.fast_replies += fast_replies;
        add_bytes(&mut self.either_way, either_way);
        add_bytes(&mut self.outbound, outbound);
        counted
    }

    fn inbound(&self, kind: usize) -> i64 {
        i64::from(self.either_way[kind] - self.outbound[kind])
    }

    fn sent(&self) -> i64 {
        self.outbound.iter().copied().map(i64::from).sum()
    }

    fn sent_freely(&self) -> i64 {
        self.sent() - i64::from(self.outbound[kind::TEMPLATE])
    }

    fn received(&self) -> i64 {
        i64::from(self.messages) - self.sent()
    }

    /// The counter of that name in `conversations`, where bare rows can tell it.
    pub fn counter(name: &str) -> Option<fn(&Self) -> i64> {
        Some(match name {
            "messages" => |run| run.messages.into(),
            "turns" => |run| run.turns.into(),
            "inbound_turns" => |run| run.inbound_turns.into(),
            "with_user" => |run| i64::from(run.received() > 0),
            "u_messages" => Self::received,
            "u_voice" => |run| run.inbound(kind::VOICE),
            "u_image" => |run| run.inbound(kind::IMAGE),
            "u_structured" => |run| run.inbound(kind::BUTTON) + run.inbound(kind::INTERACTIVE),
            "u_text" => |run| run.inbound(kind::TEXT),
            "b_messages" => Self::sent,
            "t_messages" => |run| run.outbound[kind::TEMPLATE].into(),
            "f_messages" => Self::sent_freely,
            "f_interactive" => |run| run.outbound[kind::INTERACTIVE].into(),
            "f_text" => |run| {
                i64::from(run.outbound[kind::TEXT]) + i64::from(run.outbound[kind::INTERACTIVE])
            },
            "api_replies" => |run| run.api_replies.into(),
            "fast_replies" => |run| run.fast_replies.into(),
            "templates" => |run| run.either_way[kind::TEMPLATE].into(),
            "buttons" => |run| run.either_way[kind::BUTTON].into(),
            "voices" => |run| run.either_way[kind::VOICE].into(),
            _ => return None,
        })
    }
}

fn add_bytes(counts: &mut [u32; KINDS], bytes: u64) {
    for (count, byte) in counts.iter_mut().zip(bytes.to_le_bytes()) {
        *count += u32::from(byte);
    }
}
