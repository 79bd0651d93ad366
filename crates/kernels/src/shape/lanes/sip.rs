//! SipHash-1-3 of many short inputs side by side: eight states in step, a lane each.
//!
//! The value of a lane is that of `siphasher`: a tag byte and the input's bytes in words of eight,
//! the last one filled up with zeros and the length in its highest byte. One round a word, then
//! three. Lanes of shorter inputs wait, masked out, so a group takes as long as its longest.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use super::ops::BLOCK;

/// Inputs hashed in step.
pub(super) const LANES: usize = 8;
/// Inputs from this length on are hashed one by one: lanes beside them would wait too long.
const ALONE_BYTES: usize = 480;
/// Words of the inputs that are sorted by their number of words.
const STEPS: usize = ALONE_BYTES / 8 + 1;

type Lanes = [u64; LANES];

/// The keyed function under one tag.
#[derive(Clone)]
pub(super) struct TaggedSip {
    start: [u64; 4],
    tag: u64,
    one: SipHasher13,
}

/// An input: bytes `at..at + bytes` of a buffer, with eight readable bytes more on both sides.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Input {
    pub(super) at: u32,
    pub(super) bytes: u32,
}

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

    /// The hashes of inputs of about the same length, in their order.
    #[inline(always)]
    pub(super) fn all(&self, buffer: &[u8], inputs: &[Input], hashes: &mut Vec<u64>) {
        hashes.clear();
        hashes.resize(inputs.len() + LANES, 0);
        for (at, group) in inputs.chunks(LANES).enumerate() {
            let mut full = [Input { at: BLOCK as u32, bytes: 0 }; LANES];
            full[..group.len()].copy_from_slice(group);
            if let Some(found) = hashes[at * LANES..].first_chunk_mut() {
                *found = self.group(buffer, &full);
            }
        }
        hashes.truncate(inputs.len());
    }

    /// The hashes of inputs of any length, in their order.
    #[inline(always)]
    pub(super) fn all_sorted(
        &self,
        buffer: &[u8],
        inputs: &[Input],
        sorted: &mut Sorted,
        hashes: &mut Vec<u64>,
    ) {
        hashes.clear();
        hashes.resize(inputs.len(), 0);
        sorted.sort(inputs);
        for group in sorted.order.chunks(LANES) {
            let mut full = [Input { at: BLOCK as u32, bytes: 0 }; LANES];
            for (input, number) in full.iter_mut().zip(group) {
                *input = inputs[*number as usize];
            }
            let found = self.group(buffer, &full);
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
    fn group(&self, buffer: &[u8], inputs: &[Input; LANES]) -> Lanes {
        let mut state = self.start.map(|word| [word; LANES]);
        let mut steps = 0;
        for input in inputs {
            steps = steps.max(input.steps());
        }
        for step in 0..steps {
            let mut words = [0; LANES];
            let mut waits = [0; LANES];
            for lane in 0..LANES {
                let Input { at, bytes } = inputs[lane];
                // The tag takes the first byte, so a word begins a byte before its input.
                let from = at as usize + step * 8 - 1;
                let here = step < inputs[lane].steps();
                let word = load(buffer, if here { from } else { BLOCK });
                let left = (bytes as usize + 1).wrapping_sub(step * 8);
                let last = word & !(u64::MAX << (left * 8 & 63)) | u64::from(bytes + 1) << 56;
                words[lane] = if left < 8 { last } else { word };
                waits[lane] = if here { 0 } else { u64::MAX };
            }
            if step == 0 {
                for word in &mut words {
                    *word = *word & !0xff | self.tag;
                }
            }
            let before = state;
            xor(&mut state[3], &words);
            round(&mut state);
            xor(&mut state[0], &words);
            for part in 0..4 {
                for lane in 0..LANES {
                    state[part][lane] = state[part][lane] & !waits[lane]
                        | before[part][lane] & waits[lane];
                }
            }
        }
        for lane in 0..LANES {
            state[2][lane] ^= 0xff;
        }
        for _ in 0..3 {
            round(&mut state);
        }
        std::array::from_fn(|lane| {
            state[0][lane] ^ state[1][lane] ^ state[2][lane] ^ state[3][lane]
        })
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
fn load(buffer: &[u8], from: usize) -> u64 {
    buffer.get(from..from + 8).map_or(0, |word| word.try_into().map_or(0, u64::from_le_bytes))
}

#[inline(always)]
fn xor(part: &mut Lanes, words: &Lanes) {
    for lane in 0..LANES {
        part[lane] ^= words[lane];
    }
}

#[inline(always)]
fn round([v0, v1, v2, v3]: &mut [Lanes; 4]) {
    for lane in 0..LANES {
        v0[lane] = v0[lane].wrapping_add(v1[lane]);
        v2[lane] = v2[lane].wrapping_add(v3[lane]);
        v1[lane] = v1[lane].rotate_left(13) ^ v0[lane];
        v3[lane] = v3[lane].rotate_left(16) ^ v2[lane];
        v0[lane] = v0[lane].rotate_left(32);
        v2[lane] = v2[lane].wrapping_add(v1[lane]);
        v0[lane] = v0[lane].wrapping_add(v3[lane]);
        v1[lane] = v1[lane].rotate_left(17) ^ v2[lane];
        v3[lane] = v3[lane].rotate_left(21) ^ v0[lane];
        v2[lane] = v2[lane].rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_give_what_siphasher_gives_for_every_length() {
        let buffer: Vec<u8> = (0..4_000_u32).map(|at| (at * 7 + at / 13) as u8).collect();
        let sip = TaggedSip::new(SipHasher13::new_with_keys(3, 1 << 60), b't');
        let inputs: Vec<Input> =
            (0..1_200).map(|at| Input { at: 64 + at, bytes: at * 37 % 600 }).collect();
        let expected: Vec<u64> = inputs
            .iter()
            .map(|input| sip.one(&buffer[input.at as usize..][..input.bytes as usize]))
            .collect();
        let mut hashes = Vec::new();
        sip.all(&buffer, &inputs, &mut hashes);
        assert_eq!(hashes, expected);
        sip.all_sorted(&buffer, &inputs, &mut Sorted::default(), &mut hashes);
        assert_eq!(hashes, expected);
    }
}
