//! The peer count: the smallest distinct peer hashes, exact while all fit, else an estimate.
//!
//! State: the hashes, ascending, at most one more than [`PEER_COUNT_MAX`]: the one more says
//! that there were more. The estimate is the k-th minimum value estimator, (k − 1) / u with u
//! the k-th smallest hash as a fraction of the range of hashes (Beyer et al., SIGMOD 2007).

use turnwise_model::Pseudonym;
use turnwise_model::limits::PEER_COUNT_MAX;

const KEPT_MAX: usize = PEER_COUNT_MAX + 1;

/// A growing peer count.
#[derive(Clone, Debug)]
pub struct PeerCount {
    /// Hashes not above `largest`, with repeats until the next compaction.
    hashes: Vec<u64>,
    /// Nothing above it can be among the smallest.
    largest: u64,
    /// Length at which repeats are dropped: twice what was left the last time.
    compact_at: usize,
}

impl Default for PeerCount {
    fn default() -> Self {
        Self { hashes: Vec::new(), largest: u64::MAX, compact_at: 64 }
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

    /// Adds the peers of a state.
    pub fn merge(&mut self, state: &[i64]) {
        state.iter().for_each(|hash| self.add_hash(hash.cast_unsigned()));
    }

    /// The state.
    #[must_use]
    pub fn to_state(&self) -> Vec<i64> {
        let mut hashes = self.hashes.clone();
        smallest(&mut hashes);
        hashes.into_iter().map(u64::cast_signed).collect()
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn size(&self) -> usize {
        self.hashes.capacity() * size_of::<u64>()
    }

    fn add_hash(&mut self, hash: u64) {
        if hash > self.largest {
            return;
        }
        self.hashes.push(hash);
        if self.hashes.len() >= self.compact_at {
            smallest(&mut self.hashes);
            if let (KEPT_MAX, Some(last)) = (self.hashes.len(), self.hashes.last()) {
                self.largest = *last;
            }
            self.compact_at = (2 * self.hashes.len()).max(64);
        }
    }
}

fn smallest(hashes: &mut Vec<u64>) {
    hashes.sort_unstable();
    hashes.dedup();
    hashes.truncate(KEPT_MAX);
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
