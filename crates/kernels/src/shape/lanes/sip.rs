//! SipHash-1-3 of many short inputs side by side: eight states in step, a lane each.
//!
//! The value of a lane is that of `siphasher`: a tag byte and the input's bytes in words of eight,
//! the last one filled up with zeros and the length in its highest byte. One round a word, then
//! three. Lanes of shorter inputs wait, so a group takes as long as its longest.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use super::ops::{BLOCK, LANES, Vectors};

/// Inputs from this length on are hashed one by one: lanes beside them would wait too long.
const ALONE_BYTES: usize = 480;
/// Words of the inputs that are sorted by their number of words.
const STEPS: usize = ALONE_BYTES / 8 + 1;

/// The keyed function under one tag.
#[derive(Clone)]
pub(super) struct TaggedSip {
    start: [u64; 4],
    tag: u64,
    one: SipHasher13,
}

/// An input: bytes `at..at + bytes` of a buffer that has eight bytes more on both sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input {
    pub(super) at: u32,
    pub(super) bytes: u32,
}

/// Fills the lanes of the last group.
pub(super) const NO_INPUT: Input = Input { at: BLOCK as u32, bytes: 0 };

impl TaggedSip {
    pub(super) fn new(hasher: SipHasher13, tag: u8) -> Self {
        let (first, second) = hasher.keys();
        let start = [
            first ^ 0x736f_6d65_7073_6575,
            second ^ 0x646f_7261_6e64_6f6d,
            first ^ 0x6c79_6765_6e65_7261,
            second ^ 0x7465_6462_7974_6573,
        ];
        let mut one = hasher;
        one.write(&[tag]);
        Self { start, tag: u64::from(tag), one }
    }

    /// The hash of one input.
    pub(super) fn one(&self, input: &[u8]) -> u64 {
        let mut hasher = self.one;
        hasher.write(input);
        hasher.finish()
    }

    /// The lower halves of the hashes of inputs of about the same length, in their order.
    #[inline(always)]
    pub(super) fn halves<V: Vectors>(
        &self,
        vectors: V,
        buffer: &[u8],
        inputs: &[Input],
        halves: &mut Vec<u32>,
    ) {
        halves.resize(inputs.len().next_multiple_of(LANES), 0);
        let (groups, rest) = inputs.as_chunks::<LANES>();
        let mut out = halves.as_chunks_mut::<LANES>().0.iter_mut();
        for (group, out) in groups.iter().zip(&mut out) {
            *out = self.group(vectors, buffer, group).map(|hash| hash as u32);
        }
        if let Some(out) = out.next() {
            let mut group = [NO_INPUT; LANES];
            group[..rest.len()].copy_from_slice(rest);
            *out = self.group(vectors, buffer, &group).map(|hash| hash as u32);
        }
    }

    /// The hashes of inputs of any length, in their order.
    #[inline(always)]
    pub(super) fn all_sorted<V: Vectors>(
        &self,
        vectors: V,
        buffer: &[u8],
        inputs: &[Input],
        sorted: &mut Sorted,
        hashes: &mut Vec<u64>,
    ) {
        hashes.resize(inputs.len(), 0);
        sorted.sort(inputs);
        for group in sorted.order.chunks(LANES) {
            let mut full = [NO_INPUT; LANES];
            for (input, number) in full.iter_mut().zip(group) {
                *input = inputs[*number as usize];
            }
            let found = self.group(vectors, buffer, &full);
            for (hash, number) in found.iter().zip(group) {
                hashes[*number as usize] = *hash;
            }
        }
        for number in &sorted.alone {
            let Input { at, bytes } = inputs[*number as usize];
            hashes[*number as usize] = self.one(&buffer[at as usize..][..bytes as usize]);
        }
    }

    #[inline(always)]
    fn group<V: Vectors>(&self, v: V, buffer: &[u8], inputs: &[Input; LANES]) -> [u64; LANES] {
        // The tag takes the first byte, so the first word begins a byte before its input.
        let mut places = inputs.map(|input| input.at - 1);
        let bytes = inputs.map(|input| u64::from(input.bytes) + 1);
        let most = bytes.iter().fold(0, |most, bytes| most.max(*bytes)) as usize;
        let bytes = v.lanes(&bytes);
        let mut left = bytes;
        let [mut v0, mut v1, mut v2, mut v3] = self.start.map(|word| v.all(word));
        let mut word = v.words(buffer, &places);
        word = v.xor(word, v.and(v.xor(word, v.all(self.tag)), v.all(0xff)));
        for _ in 0..most / 8 {
            let message = v.sip_word(word, left, bytes);
            let before = [v0, v1, v2, v3];
            v3 = v.xor(v3, message);
            [v0, v1, v2, v3] = round(v, [v0, v1, v2, v3]);
            v0 = v.xor(v0, message);
            // Lanes whose input has ended stay as they are.
            let [b0, b1, b2, b3] = before;
            v0 = v.unless_negative(left, v0, b0);
            v1 = v.unless_negative(left, v1, b1);
            v2 = v.unless_negative(left, v2, b2);
            v3 = v.unless_negative(left, v3, b3);
            left = v.add(left, v.all(8_u64.wrapping_neg()));
            places = places.map(|place| place + 8);
            word = v.words(buffer, &places);
        }
        let message = v.sip_word(word, left, bytes);
        let before = [v0, v1, v2, v3];
        v3 = v.xor(v3, message);
        [v0, v1, v2, v3] = round(v, [v0, v1, v2, v3]);
        v0 = v.xor(v0, message);
        let [b0, b1, b2, b3] = before;
        v0 = v.unless_negative(left, v0, b0);
        v1 = v.unless_negative(left, v1, b1);
        v2 = v.xor(v.unless_negative(left, v2, b2), v.all(0xff));
        v3 = v.unless_negative(left, v3, b3);
        let mut state = [v0, v1, v2, v3];
        for _ in 0..3 {
            state = round(v, state);
        }
        let [v0, v1, v2, v3] = state;
        v.numbers(v.xor(v.xor(v0, v1), v.xor(v2, v3)))
    }
}

impl Input {
    /// Words of the input, tag and length included.
    #[inline(always)]
    const fn steps(self) -> usize {
        (self.bytes as usize + 1) / 8 + 1
    }
}

/// The numbers of inputs by their number of words, and those of long ones.
#[derive(Default)]
pub(super) struct Sorted {
    order: Vec<u32>,
    alone: Vec<u32>,
}

impl Sorted {
    #[inline(always)]
    fn sort(&mut self, inputs: &[Input]) {
        self.alone.clear();
        let mut ends = [0_u32; STEPS + 1];
        for input in inputs {
            ends[input.steps().min(STEPS)] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        self.order.resize(inputs.len(), 0);
        for (number, input) in inputs.iter().enumerate() {
            let place = &mut ends[input.steps().min(STEPS)];
            self.order[*place as usize] = number as u32;
            *place += 1;
        }
        let short = ends[STEPS - 1] as usize;
        self.alone.extend_from_slice(&self.order[short..]);
        self.order.truncate(short);
    }
}

#[inline(always)]
fn round<V: Vectors>(v: V, [mut v0, mut v1, mut v2, mut v3]: [V::Lanes; 4]) -> [V::Lanes; 4] {
    v0 = v.add(v0, v1);
    v2 = v.add(v2, v3);
    v1 = v.xor(v.rotate::<13>(v1), v0);
    v3 = v.xor(v.rotate::<16>(v3), v2);
    v0 = v.rotate::<32>(v0);
    v2 = v.add(v2, v1);
    v0 = v.add(v0, v3);
    v1 = v.xor(v.rotate::<17>(v1), v2);
    v3 = v.xor(v.rotate::<21>(v3), v0);
    v2 = v.rotate::<32>(v2);
    [v0, v1, v2, v3]
}

#[cfg(test)]
pub(in super::super) mod tests {
    use super::super::ops::Plain;
    use super::*;

    /// Compares with `siphasher` over inputs of many lengths.
    pub(in super::super::super) fn check<V: Vectors>(vectors: V) {
        let buffer: Vec<u8> = (0..4_000_u32).map(|at| (at * 7 + at / 13) as u8).collect();
        let sip = TaggedSip::new(SipHasher13::new_with_keys(3, 1 << 60), b't');
        let inputs: Vec<Input> =
            (0..1_203).map(|at| Input { at: 64 + at, bytes: at * 37 % 600 }).collect();
        let expected: Vec<u64> = inputs
            .iter()
            .map(|input| sip.one(&buffer[input.at as usize..][..input.bytes as usize]))
            .collect();
        let mut halves = Vec::new();
        sip.halves(vectors, &buffer, &inputs, &mut halves);
        assert!(halves.iter().zip(&expected).all(|(half, hash)| *half == *hash as u32));
        let mut hashes = Vec::new();
        sip.all_sorted(vectors, &buffer, &inputs, &mut Sorted::default(), &mut hashes);
        assert_eq!(hashes, expected);
    }

    #[test]
    fn lanes_give_what_siphasher_gives_for_every_length() {
        check(Plain);
    }
}
