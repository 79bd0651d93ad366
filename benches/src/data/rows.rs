//! The rows: conversations of numbers with their peers, all but the text.

use crate::data::Plan;
use crate::rng::{Rng, mix2};

/// Two messages of a number and a peer that lie further apart are of two conversations.
pub const GAP_MS: i64 = 1_800_000;

/// 2026-11-01T00:00:00Z.
const START_MS: i64 = 1_793_491_200_000;
/// Conversations begin within four weeks.
const SPAN_MS: u64 = 28 * 86_400_000;
/// Messages of a conversation on average, by kind of number; the mean of conversations is 10.
const LENGTHS: [u64; 4] = [12, 7, 16, 9];
/// Messages of the longest conversation.
const LENGTH_MAX: u64 = 200;
/// Peers per conversation, in thousandths: a peer comes back 1.7 times.
const PEERS_PER_MILLE: u64 = 365;

/// Kinds of messages.
pub mod kind {
    /// A text.
    pub const TEXT: u8 = 0;
    /// A tapped button.
    pub const BUTTON: u8 = 1;
    /// A voice note.
    pub const VOICE: u8 = 2;
    /// An image.
    pub const IMAGE: u8 = 3;
    /// A template.
    pub const TEMPLATE: u8 = 4;
    /// An interactive message.
    pub const INTERACTIVE: u8 = 5;
    /// Anything else.
    pub const OTHER: u8 = 6;
}

/// A message without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The business number.
    pub number: u64,
    /// Pseudonym of the peer, of this number alone.
    pub peer: u64,
    /// Time in milliseconds since 1970.
    pub ts_ms: i64,
    /// 0 in, 1 out.
    pub direction: u8,
    /// See [`kind`].
    pub kind: u8,
    /// Category of its price: 0 none, 1 service, 2 utility, 3 marketing, 4 authentication.
    pub category: u8,
    /// Which of the languages its text is in.
    pub language: u8,
}

impl Row {
    /// A number that tells this row from all others.
    #[must_use]
    pub fn identity(&self) -> u64 {
        mix2(mix2(self.number, self.peer), self.ts_ms.cast_unsigned())
    }
}

/// The time from the first message to the last, at most.
#[must_use]
pub fn time_spread_ms() -> i64 {
    SPAN_MS.cast_signed() + 2 * 86_400_000
}

/// All rows in order of number's rank, peer and time.
#[must_use]
pub fn rows(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::with_capacity(usize::try_from(plan.messages).unwrap_or(0));
    for (rank, quota) in (0..).zip(plan.quotas()) {
        number_rows(plan, rank, quota, &mut rows);
    }
    rows
}

/// The id of the number of that rank: 15 digits, in no order of ranks.
fn number_id(rank: u64) -> u64 {
    // An odd factor makes a bijection of 32 bits.
    100_000_000_000_000 + (rank.wrapping_mul(0x9e37_79b1) & 0xffff_ffff) * 101
}

fn number_rows(plan: &Plan, rank: u64, quota: u64, rows: &mut Vec<Row>) {
    let first = rows.len();
    let end = first + usize::try_from(quota).unwrap_or(0);
    let mut rng = Rng::new(mix2(plan.seed, rank));
    let number = number_id(rank);
    let length_mean = LENGTHS[(rank % 4) as usize];
    let peers = (quota * PEERS_PER_MILLE / 1_000 / length_mean).max(1);
    let mut conversations = 0;
    while rows.len() < end {
        // Every peer comes once before any comes back.
        let nth = if conversations < peers { conversations } else { rng.below(peers) };
        conversations += 1;
        let peer = mix2(number, nth);
        let talk =
            Talk { number, peer, language: language(number, peer), is_bot: rank.is_multiple_of(3) };
        let length = length(&mut rng, length_mean).min((end - rows.len()) as u64);
        talk.write(length, &mut rng, rows);
    }
    let own = &mut rows[first..];
    own.sort_unstable_by_key(|row| (row.peer, row.ts_ms));
    for at in 1..own.len() {
        // Conversations of one peer may overlap; no two messages of it have one time.
        if own[at].peer == own[at - 1].peer && own[at].ts_ms <= own[at - 1].ts_ms {
            own[at].ts_ms = own[at - 1].ts_ms + 1;
        }
    }
}

/// A geometric number of that mean. Drawn one by one: logarithms differ between machines.
fn length(rng: &mut Rng, mean: u64) -> u64 {
    (1..LENGTH_MAX).find(|_| rng.below(mean) == 0).unwrap_or(LENGTH_MAX)
}

/// Shares of languages in thousandths, in the order of the word lists.
const LANGUAGES: [u64; 7] = [300, 180, 180, 70, 60, 90, 120];

/// A number has a language; one peer in eight has another.
fn language(number: u64, peer: u64) -> u8 {
    let of = |seed: u64| {
        let mut left = Rng::new(seed).below(1_000);
        let found = LANGUAGES.iter().position(|share| {
            let is_here = left < *share;
            left = left.saturating_sub(*share);
            is_here
        });
        found.unwrap_or(0) as u8
    };
    if peer.is_multiple_of(8) { of(peer) } else { of(number) }
}

struct Talk {
    number: u64,
    peer: u64,
    language: u8,
    is_bot: bool,
}

impl Talk {
    fn write(&self, length: u64, rng: &mut Rng, rows: &mut Vec<Row>) {
        let mut ts_ms = START_MS + rng.below(SPAN_MS).cast_signed();
        let mut direction = u8::from(rng.per_mille(250));
        for nth in 0..length {
            if nth > 0 {
                let next = next_direction(direction, rng);
                ts_ms += self.pause(direction, next, rng);
                direction = next;
            }
            let kind =
                if nth == 0 && direction == 1 { kind::TEMPLATE } else { kind_of(direction, rng) };
            let category = match (direction, kind) {
                (0, _) => 0,
                (_, kind::TEMPLATE) => 2 + rng.below(3) as u8,
                _ => 1,
            };
            let Self { number, peer, language, .. } = *self;
            rows.push(Row { number, peer, ts_ms, direction, kind, category, language });
        }
    }

    /// Milliseconds between two messages. A few lie exactly on the gap and just behind it.
    fn pause(&self, from: u8, to: u8, rng: &mut Rng) -> i64 {
        let edge = rng.below(1_000);
        if edge < 2 {
            return GAP_MS;
        }
        if edge < 4 {
            return GAP_MS + 1;
        }
        let (low, high) = match (from, to) {
            (0, 1) if self.is_bot => (400, 5_000),
            (0, 1) => (8_000, 600_000),
            (1, 0) => (4_000, 300_000),
            _ => (700, 30_000),
        };
        // Short pauses are the most frequent.
        let spread = rng.unit() * rng.unit();
        low + (spread * (high - low) as f64) as i64
    }
}

fn next_direction(direction: u8, rng: &mut Rng) -> u8 {
    let turns = if direction == 0 { 850 } else { 650 };
    if rng.per_mille(turns) { 1 - direction } else { direction }
}

fn kind_of(direction: u8, rng: &mut Rng) -> u8 {
    let drawn = rng.below(100);
    match (direction, drawn) {
        (0, 0..80) => kind::TEXT,
        (0, 80..88) => kind::BUTTON,
        (0, 88..94) => kind::VOICE,
        (0, 94..98) => kind::IMAGE,
        (0, _) => kind::OTHER,
        (_, 0..73) => kind::TEXT,
        (_, 73..84) => kind::TEMPLATE,
        (_, 84..96) => kind::INTERACTIVE,
        _ => kind::IMAGE,
    }
}
