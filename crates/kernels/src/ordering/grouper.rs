//! Numbers who rows are of: pairs of words to small numbers, in the order of their first row.
//!
//! The plain version looks each pair up in a hash map. This one is open addressing over numbers
//! of four bytes, so that the table of a bucket of rows stays in the fastest caches.

/// A slot that holds no number.
const EMPTY: u32 = u32::MAX;
/// Slots of the smallest table.
const SLOTS_MIN: usize = 1 << 10;

/// The numbers of pairs.
#[derive(Debug, Default)]
pub struct Grouper {
    /// A power of two, at least twice the pairs; each the number of a pair, or [`EMPTY`].
    slots: Vec<u32>,
    pairs: Vec<[u64; 2]>,
}

/// Spreads a pair over 64 bits. Pairs that share their first word never collide before the last
/// step, a multiplication by an odd constant whose halves are folded into one.
#[must_use]
pub fn spread(pair: [u64; 2]) -> u64 {
    let word = pair[0].wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32) ^ pair[1];
    let product = u128::from(word) * 0xa409_3822_299f_31d1;
    (product >> 64) as u64 ^ product as u64
}

impl Grouper {
    /// Forgets all pairs.
    pub fn clear(&mut self) {
        self.pairs.clear();
        self.slots.fill(EMPTY);
    }

    /// The number of a pair: what it got before, or the next.
    ///
    /// # Panics
    /// Where there are 2³² − 1 pairs.
    pub fn number(&mut self, pair: [u64; 2]) -> u32 {
        if self.slots.len() <= 2 * self.pairs.len() {
            self.grow();
        }
        let slot = self.find(pair);
        let number = self.slots[slot];
        if number != EMPTY {
            return number;
        }
        let number = u32::try_from(self.pairs.len()).expect("pairs are numbered in 32 bits");
        assert!(number != EMPTY, "pairs are numbered in 32 bits");
        self.pairs.push(pair);
        self.slots[slot] = number;
        number
    }

    /// The pairs by their numbers.
    #[must_use]
    pub fn pairs(&self) -> &[[u64; 2]] {
        &self.pairs
    }

    /// Heap bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.slots.capacity() * size_of::<u32>() + self.pairs.capacity() * size_of::<[u64; 2]>()
    }

    /// The slot that holds the pair's number, or the empty one where it belongs.
    fn find(&self, pair: [u64; 2]) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = spread(pair) as usize & mask;
        loop {
            let number = self.slots[slot];
            if number == EMPTY || self.pairs[number as usize] == pair {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(SLOTS_MIN);
        self.slots.clear();
        self.slots.resize(slots, EMPTY);
        for at in 0..self.pairs.len() {
            let slot = self.find(self.pairs[at]);
            self.slots[slot] = at as u32;
        }
    }
}
