//! Radix sort of the keys of one long group: a pass a byte, and only over bytes that differ.

/// A key of the ordering kernel.
pub trait Key: Copy + Ord + Default {
    /// Keys in the order of these bits are in order, as long as equal bits stay as they came.
    fn bits(self) -> u64;
}

impl Key for u64 {
    fn bits(self) -> u64 {
        self
    }
}

impl Key for i64 {
    fn bits(self) -> u64 {
        self.cast_unsigned() ^ (1 << 63)
    }
}

/// A key and the number of its row, which ascends as rows come: the order of keys, and of equal
/// keys the order of rows.
impl Key for (u64, u32) {
    fn bits(self) -> u64 {
        self.0
    }
}

/// Sorts by [`Key::bits`], equal bits in the order they came. `spare` is working memory.
pub(super) fn sort<K: Key>(keys: &mut [K], spare: &mut Vec<K>) {
    let Some(first) = keys.first().map(|key| key.bits()) else { return };
    let differing = keys.iter().fold(0, |bits, key| bits | (key.bits() ^ first));
    spare.clear();
    spare.resize(keys.len(), K::default());
    let mut moved = false;
    for byte in 0..size_of::<u64>() {
        let shift = 8 * byte;
        if (differing >> shift) & 0xff == 0 {
            continue;
        }
        let (from, to) =
            if moved { (&spare[..], &mut keys[..]) } else { (&keys[..], &mut spare[..]) };
        pass(from, to, shift);
        moved = !moved;
    }
    if moved {
        keys.copy_from_slice(spare);
    }
}

/// One stable pass by the byte at `shift`.
fn pass<K: Key>(from: &[K], to: &mut [K], shift: usize) {
    let digit = |key: &K| (key.bits() >> shift) as usize & 0xff;
    let mut cursors = [0_usize; 256];
    for key in from {
        cursors[digit(key)] += 1;
    }
    let mut end = 0;
    for cursor in &mut cursors {
        end += *cursor;
        *cursor = end - *cursor;
    }
    for key in from {
        let cursor = &mut cursors[digit(key)];
        to[*cursor] = *key;
        *cursor += 1;
    }
}
