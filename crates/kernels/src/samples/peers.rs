//! The peer sample: of the peers that wrote (those with U) the 512 of smallest hash, each with
//! the days on which its conversations with U start and the smallest tokens of what it wrote
//! (A) and was answered (A′).
//!
//! State, an entry: peer hash, peer, number of days, days ascending, number of user tokens,
//! they, number of reply tokens, they. Entries ascend by hash.
//!
//! A part of the data may hold only replies to a peer whose own words are in another part, so
//! a state carries peers without days too. What a state keeps of a set of peers:
//!
//! * T is the 512th smallest hash of the peers with days (none if they are fewer). Nobody
//!   above T is kept.
//! * H is the 4,096th smallest hash of all peers that are left. Above H no reply tokens are
//!   kept, and no peers without days.
//!
//! Merging only lowers T and only pushes a peer's rank up, so what one part drops the whole
//! would have dropped too: the state is a function of the set alone.

use hashbrown::HashMap;
use turnwise_model::Pseudonym;
use turnwise_model::limits::{
    PEER_SAMPLE_MAX, PEER_SAMPLE_OUTBOUND_ONLY_MAX, PEER_TOKENS_MAX, TEXT_TOKENS_MAX,
};

use super::{Cursor, Tokens, token_of};

// Both token lists share one inline type.
const _: () = assert!(PEER_TOKENS_MAX == TEXT_TOKENS_MAX);
const _: () = assert!(PEER_SAMPLE_MAX <= PEER_SAMPLE_OUTBOUND_ONLY_MAX);

/// A growing peer sample.
#[derive(Clone, Debug)]
pub struct PeerSample {
    peers: HashMap<i64, Peer>,
    bounds: Bounds,
    /// T and H as they were at the last compaction; they only fall.
    cut: Cut,
    /// Number of peers at which the surplus is dropped: twice what was left the last time.
    compact_at: usize,
    /// Bytes of the lists of days.
    day_bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Peer {
    days: Vec<i32>,
    user: Tokens,
    reply: Tokens,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    members: usize,
    replies: usize,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    /// T.
    peers: u64,
    /// H.
    replies: u64,
}

impl Cut {
    fn keeps(self, hash: u64, has_days: bool) -> bool {
        hash <= self.peers && (has_days || hash <= self.replies)
    }
}

impl Default for PeerSample {
    fn default() -> Self {
        Self::with_bounds(PEER_SAMPLE_MAX, PEER_SAMPLE_OUTBOUND_ONLY_MAX)
    }
}

impl PeerSample {
    /// No peer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn with_bounds(members: usize, replies: usize) -> Self {
        Self {
            peers: HashMap::new(),
            bounds: Bounds { members, replies },
            cut: Cut { peers: u64::MAX, replies: u64::MAX },
            compact_at: 64,
            day_bytes: 0,
        }
    }

    /// Adds a conversation of a peer: the day on which it starts if it has U, and the tokens of
    /// its U and F texts (unsigned 32 bit in the columns' signed integers, in any order).
    /// Without a day there is no U, so user tokens are not looked at.
    pub fn add(&mut self, peer: i64, day: Option<i32>, user_tokens: &[i32], reply_tokens: &[i32]) {
        self.extend(
            peer,
            day,
            user_tokens.iter().map(|token| token.cast_unsigned()),
            reply_tokens.iter().map(|token| token.cast_unsigned()),
        );
    }

    /// Adds the peers of a state. A day outside 32 bits is left out; the hash is worked out
    /// again from the peer.
    pub fn merge(&mut self, state: &[i64]) {
        for entry in peers(state) {
            self.extend(
                entry.peer,
                entry.days.iter().filter_map(|day| i32::try_from(*day).ok()),
                entry.user_tokens.iter().map(|token| token_of(*token)),
                entry.reply_tokens.iter().map(|token| token_of(*token)),
            );
        }
    }

    /// The state.
    #[must_use]
    pub fn to_state(&self) -> Vec<i64> {
        let mut state = Vec::new();
        self.append_state(&mut state);
        state
    }

    /// Puts the state at the end of a list.
    pub fn append_state(&self, state: &mut Vec<i64>) {
        let (order, cut) = self.order_and_cut();
        state.reserve(order.len() * 16);
        for (hash, peer) in order {
            let Some(held) = self.peers.get(&peer) else { continue };
            if !cut.keeps(hash, !held.days.is_empty()) {
                continue;
            }
            state.extend([hash.cast_signed(), peer]);
            state.push(i64::try_from(held.days.len()).unwrap_or(i64::MAX));
            state.extend(held.days.iter().map(|day| i64::from(*day)));
            held.user.push_state(state);
            let reply = if hash <= cut.replies { held.reply } else { Tokens::default() };
            reply.push_state(state);
        }
    }

    /// Bytes on the heap. The hash table adds one control byte to each place.
    #[must_use]
    pub fn size(&self) -> usize {
        self.peers.capacity() * (size_of::<(i64, Peer)>() + 1) + self.day_bytes
    }

    fn extend(
        &mut self,
        peer: i64,
        days: impl IntoIterator<Item = i32>,
        user: impl IntoIterator<Item = u32>,
        reply: impl IntoIterator<Item = u32>,
    ) {
        let hash = Pseudonym(peer).sample_hash();
        let mut days = days.into_iter().peekable();
        let has_days = days.peek().is_some();
        if !self.cut.keeps(hash, has_days) {
            return;
        }
        let held = self.peers.entry(peer).or_default();
        let before = held.days.capacity();
        for day in days {
            if let Err(at) = held.days.binary_search(&day) {
                held.days.insert(at, day);
            }
        }
        self.day_bytes += (held.days.capacity() - before) * size_of::<i32>();
        if has_days {
            user.into_iter().for_each(|token| held.user.insert(token));
        }
        if hash <= self.cut.replies {
            reply.into_iter().for_each(|token| held.reply.insert(token));
        }
        if self.peers.len() >= self.compact_at {
            self.compact();
        }
    }

    /// Every held peer by (hash, peer), and where the cuts lie among them.
    fn order_and_cut(&self) -> (Vec<(u64, i64)>, Cut) {
        let mut order: Vec<(u64, i64)> =
            self.peers.keys().map(|peer| (Pseudonym(*peer).sample_hash(), *peer)).collect();
        order.sort_unstable();
        let with_days = |entry: &&(u64, i64)| {
            self.peers.get(&entry.1).is_some_and(|held| !held.days.is_empty())
        };
        let mut cut = self.cut;
        if let Some(last) =
            self.bounds.members.checked_sub(1).and_then(|at| order.iter().filter(with_days).nth(at))
        {
            cut.peers = cut.peers.min(last.0);
        }
        if let Some(last) = self.bounds.replies.checked_sub(1).and_then(|at| order.get(at)) {
            cut.replies = cut.replies.min(last.0);
        }
        (order, cut)
    }

    fn compact(&mut self) {
        let cut = self.order_and_cut().1;
        self.cut = cut;
        self.peers.retain(|peer, held| {
            let hash = Pseudonym(*peer).sample_hash();
            if hash > cut.replies {
                held.reply = Tokens::default();
            }
            cut.keeps(hash, !held.days.is_empty())
        });
        self.day_bytes =
            self.peers.values().map(|held| held.days.capacity() * size_of::<i32>()).sum();
        self.compact_at = (2 * self.peers.len()).max(64);
    }
}

/// One peer of a peer sample's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerEntry<'a> {
    /// Sample hash of the peer.
    pub hash: u64,
    /// Its pseudonym.
    pub peer: i64,
    /// Days on which its conversations with U start, ascending.
    pub days: &'a [i64],
    /// A: the smallest tokens of its U texts, ascending, each in 0..2^32.
    pub user_tokens: &'a [i64],
    /// A′: the same of its F texts.
    pub reply_tokens: &'a [i64],
}

/// The peers of a state, in its order, those without days too.
pub fn peers(state: &[i64]) -> impl Iterator<Item = PeerEntry<'_>> {
    let mut cursor = Cursor { rest: state };
    std::iter::from_fn(move || {
        Some(PeerEntry {
            hash: cursor.number()?.cast_unsigned(),
            peer: cursor.number()?,
            days: cursor.list(usize::MAX)?,
            user_tokens: cursor.list(PEER_TOKENS_MAX)?,
            reply_tokens: cursor.list(PEER_TOKENS_MAX)?,
        })
    })
    .fuse()
}

/// P: the peers of a state that have days, at most [`PEER_SAMPLE_MAX`].
pub fn members(state: &[i64]) -> impl Iterator<Item = PeerEntry<'_>> {
    peers(state).filter(|entry| !entry.days.is_empty()).take(PEER_SAMPLE_MAX)
}

/// F04: how many peers of P have conversations with U on two UTC days or more, and |P|.
#[must_use]
pub fn returning(state: &[i64]) -> (i64, i64) {
    members(state).fold((0, 0), |(hits, n), entry| (hits + i64::from(entry.days.len() >= 2), n + 1))
}
