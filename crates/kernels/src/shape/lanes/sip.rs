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
const NO_INPUT: Input = Input { at: BLOCK as u32, bytes: 0 };

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

    /// The lower halves of the hashes of the inputs that lie between these places, in their order.
    #[inline(always)]
    pub(super) fn halves<V: Vectors>(
        &self,
        vectors: V,
        buffer: &[u8],
        starts: &[u32],
        ends: &[u32],
        halves: &mut Vec<u32>,
    ) {
        let groups = starts.len().div_ceil(LANES);
        if halves.len() < groups * LANES {
            halves.resize(groups * LANES, 0);
        }
        let out = halves.as_chunks_mut::<LANES>().0.iter_mut();
        let (starts, last_starts) = starts.as_chunks::<LANES>();
        let (ends, last_ends) = ends.as_chunks::<LANES>();
        let mut last = [[BLOCK as u32; LANES]; 2];
        last[0][..last_starts.len()].copy_from_slice(last_starts);
        last[1][..last_ends.len()].copy_from_slice(last_ends);
        let [last_starts, last_ends] = last;
        let starts = starts.iter().chain([&last_starts]);
        for (out, (starts, ends)) in out.zip(starts.zip(ends.iter().chain([&last_ends]))) {
            let group = Group {
                places: each(|lane| starts[lane] - 1),
                lengths: each(|lane| ends[lane] - starts[lane] + 1),
            };
            *out = self.group(vectors, buffer, group, 0).map(|hash| hash as u32);
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
            // The first of a group is the shortest: up to its last word no lane ends.
            let together = if group.len() == LANES { full[0].steps() - 1 } else { 0 };
            let group_of = Group {
                places: full.map(|input| input.at - 1),
                lengths: full.map(|input| input.bytes + 1),
            };
            let found = self.group(vectors, buffer, group_of, together);
            for (hash, number) in found.iter().zip(group) {
                hashes[*number as usize] = *hash;
            }
        }
        for number in &sorted.alone {
            let Input { at, bytes } = inputs[*number as usize];
            hashes[*number as usize] = self.one(&buffer[at as usize..][..bytes as usize]);
        }
    }

    /// Hashes a group. `together` words of all inputs are followed by others.
    #[inline(always)]
    fn group<V: Vectors>(
        &self,
        v: V,
        buffer: &[u8],
        group: Group,
        together: usize,
    ) -> [u64; LANES] {
        let Group { mut places, lengths } = group;
        let mut state = self.start.map(|word| v.all(word));
        let mut word = v.words(buffer, &places);
        // The tag takes the first byte.
        word = v.xor(word, v.and(v.xor(word, v.all(self.tag)), v.all(0xff)));
        for _ in 0..together {
            state = take_in(v, state, word);
            places = places.map(|place| place + 8);
            word = v.words(buffer, &places);
        }
        let length = v.lanes(&lengths.map(u64::from));
        let mut left = v.add(length, v.all((together as u64 * 8).wrapping_neg()));
        // So far no lane has ended.
        state = take_in(v, state, v.sip_word(word, left, length));
        while v.any_from_eight(left) {
            left = v.add(left, v.all(8_u64.wrapping_neg()));
            places = places.map(|place| place + 8);
            let word = v.sip_word(v.words(buffer, &places), left, length);
            let next = take_in(v, state, word);
            // Lanes whose input has ended stay as they are.
            state = std::array::from_fn(|part| v.unless_negative(left, next[part], state[part]));
        }
        state[2] = v.xor(state[2], v.all(0xff));
        for _ in 0..3 {
            state = round(v, state);
        }
        let [v0, v1, v2, v3] = state;
        v.numbers(v.xor(v.xor(v0, v1), v.xor(v2, v3)))
    }
}

/// Inputs of a group: where their first words lie, and how long they are, the tag included.
struct Group {
    places: [u32; LANES],
    lengths: [u32; LANES],
}

#[inline(always)]
fn each(lane: impl FnMut(usize) -> u32) -> [u32; LANES] {
    std::array::from_fn(lane)
}

#[inline(always)]
fn take_in<V: Vectors>(v: V, mut state: [V::Lanes; 4], word: V::Lanes) -> [V::Lanes; 4] {
    state[3] = v.xor(state[3], word);
    state = round(v, state);
    state[0] = v.xor(state[0], word);
    state
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
        let starts: Vec<u32> = inputs.iter().map(|input| input.at).collect();
        let ends: Vec<u32> = inputs.iter().map(|input| input.at + input.bytes).collect();
        sip.halves(vectors, &buffer, &starts, &ends, &mut halves);
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
