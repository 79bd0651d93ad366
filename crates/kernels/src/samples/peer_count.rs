//! The peer count: the smallest distinct peer hashes, exact while all fit, else an estimate.
//!
//! State: the hashes, ascending, at most one more than [`PEER_COUNT_MAX`]: the one more says
//! that there were more. The estimate is the k-th minimum value estimator, (k − 1) / u with u
//! the k-th smallest hash as a fraction of the range of hashes (Beyer et al., SIGMOD 2007).

use turnwise_model::Pseudonym;
use turnwise_model::limits::PEER_COUNT_MAX;

use crate::fetch::fetch_value;

const KEPT_MAX: usize = PEER_COUNT_MAX + 1;
/// Slots of the largest table: twice as many as the hashes after which it is cut down, and those
/// are about twice as many as are kept then.
const SLOTS_MAX: usize = (4 * KEPT_MAX).next_power_of_two() / 2;
const _: () = assert!(SLOTS_MAX / 2 > KEPT_MAX);

/// A growing peer count.
///
/// The hashes stand in an open-addressed table, each at the slot that its low bits name or behind
/// it, so a peer that was there before costs one look.
#[derive(Clone, Debug)]
pub struct PeerCount {
    /// Hashes not above `largest`; 0 is an empty slot. A power of two, half of them filled at most.
    slots: Vec<u64>,
    /// Slots that are filled.
    filled: usize,
    /// The hash 0 is one of them.
    zero: bool,
    /// Nothing above it can be among the smallest.
    largest: u64,
}

impl Default for PeerCount {
    fn default() -> Self {
        Self { slots: Vec::new(), filled: 0, zero: false, largest: u64::MAX }
    }
}

impl PeerCount {
    /// No peer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a peer, by its pseudonym.
    pub fn add(&mut self, peer: i64) {
        self.add_hash(Pseudonym(peer).sample_hash());
    }

    /// Has the processor fetch what counting a peer looks at.
    #[inline]
    pub fn fetch(&self, peer: i64) {
        let mask = self.slots.len().wrapping_sub(1);
        fetch_value(&self.slots, Pseudonym(peer).sample_hash() as usize & mask);
    }

    /// Adds the peers of a state.
    pub fn merge(&mut self, state: &[i64]) {
        state.iter().for_each(|hash| self.add_hash(hash.cast_unsigned()));
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
        state.extend(self.smallest().into_iter().map(u64::cast_signed));
    }

    /// Puts hashes that hold all of the state at the end of a list, in no order: quicker to make
    /// than the state, and merged to the same.
    pub fn append_unordered(&self, hashes: &mut Vec<i64>) {
        hashes.extend(self.hashes().map(u64::cast_signed));
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn size(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }

    fn add_hash(&mut self, hash: u64) {
        if hash > self.largest {
            return;
        }
        if hash == 0 {
            self.zero = true;
            return;
        }
        if 2 * self.filled >= self.slots.len() {
            self.make_room();
        }
        self.put(hash);
    }

    fn put(&mut self, hash: u64) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            if self.slots[at] == hash {
                return;
            }
            at = (at + 1) & mask;
        }
        self.slots[at] = hash;
        self.filled += 1;
    }

    /// Takes a larger table, or leaves those out that cannot be among the smallest.
    #[cold]
    fn make_room(&mut self) {
        let kept = if self.slots.len() < SLOTS_MAX {
            let slots = vec![0; (2 * self.slots.len()).max(16)];
            std::mem::replace(&mut self.slots, slots)
        } else {
            let kept = self.smallest();
            self.largest = kept.last().copied().unwrap_or(u64::MAX);
            self.slots.fill(0);
            kept
        };
        self.filled = 0;
        kept.into_iter().filter(|hash| *hash != 0).for_each(|hash| self.put(hash));
    }

    /// All hashes that are kept.
    fn hashes(&self) -> impl Iterator<Item = u64> + '_ {
        let filled = self.slots.iter().copied().filter(|hash| *hash != 0);
        self.zero.then_some(0).into_iter().chain(filled)
    }

    /// The smallest hashes, ascending.
    fn smallest(&self) -> Vec<u64> {
        let mut hashes: Vec<u64> = self.hashes().collect();
        hashes.sort_unstable();
        hashes.truncate(KEPT_MAX);
        hashes
    }
}

/// The number of peers of a state: exact up to [`PEER_COUNT_MAX`], else estimated (± 2.2 %).
#[must_use]
pub fn peer_estimate(state: &[i64]) -> i64 {
    if state.len() <= PEER_COUNT_MAX {
        return i64::try_from(state.len()).unwrap_or(i64::MAX);
    }
    // u = (hash + 1) / 2^64, so (k − 1) / u = (k − 1) 2^64 / (hash + 1), rounded half up in integers.
    let hash = u128::from(state[PEER_COUNT_MAX - 1].cast_unsigned()) + 1;
    let scaled = (PEER_COUNT_MAX as u128 - 1) << 64;
    i64::try_from((scaled + hash / 2) / hash).unwrap_or(i64::MAX)
}
