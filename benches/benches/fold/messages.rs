//! The messages that are folded.

use turnwise_benches::rng::Rng;

const SENDERS: u64 = 10_000;
/// When conversations begin: 1 January 2026 and the days from there on.
pub const FIRST_MS: u64 = 1_767_225_600_000;
pub const DAYS: u32 = 28;

/// Messages as columns.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    pub senders: Vec<u64>,
    pub peers: Vec<u64>,
    pub times_ms: Vec<i64>,
    pub directions: Vec<u8>,
    pub kinds: Vec<u8>,
}

impl Messages {
    /// Bytes of a row.
    pub const ROW_BYTES: usize = 2 * size_of::<u64>() + size_of::<i64>() + 2;
}

type Message = (u64, u64, i64, u8, u8);

/// Conversations of ten messages on average; senders by Zipf's law, a peer comes back 2.7 times.
fn messages(rows: usize) -> Vec<Message> {
    let mut random = Rng::new(1);
    let mut next = || random.bits();
    let weights: Vec<f64> = (1..=SENDERS).map(|rank| 1.0 / rank as f64).collect();
    let sums: Vec<f64> = weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect();
    let all = sums[sums.len() - 1];
    let mut found = Vec::with_capacity(rows + 100);
    while found.len() < rows {
        let at = (next() >> 11) as f64 / (1_u64 << 53) as f64 * all;
        let rank = sums.partition_point(|sum| *sum < at) as u64;
        let peers = ((rows as f64 * 0.037 / all / (rank + 1) as f64) as u64).max(1);
        let peer = (next() % peers + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut time_ms = (FIRST_MS + next() % (u64::from(DAYS) * 86_400_000)).cast_signed();
        let mut direction = 0;
        loop {
            let kind = [0, 0, 0, 0, 0, 1, 2, 4][(next() % 8) as usize];
            found.push((rank * 7_919, peer, time_ms, direction, kind));
            time_ms += (next() % 100_000).cast_signed() + 1;
            direction ^= u8::from(!next().is_multiple_of(5));
            if next().is_multiple_of(10) {
                break;
            }
        }
    }
    found.truncate(rows);
    found
}

fn columns(messages: &[Message]) -> Messages {
    let mut columns = Messages::default();
    for (sender, peer, time_ms, direction, kind) in messages {
        columns.senders.push(*sender);
        columns.peers.push(*peer);
        columns.times_ms.push(*time_ms);
        columns.directions.push(*direction);
        columns.kinds.push(*kind);
    }
    columns
}

/// So many messages in four orders.
pub fn orders(rows: usize) -> [(&'static str, Messages); 4] {
    let mut messages = messages(rows);
    let mut random = Rng::new(2);
    let mut next = || random.bits();
    messages.sort_unstable();
    let compacted = columns(&messages);
    messages.sort_by_key(|message| message.2);
    let time = columns(&messages);
    messages.sort_by_cached_key(|message| message.2 + (next() % 600_000).cast_signed());
    let near = columns(&messages);
    messages.sort_by_cached_key(|_| next());
    [("time", time), ("near", near), ("random", columns(&messages)), ("compacted", compacted)]
}
