//! What is known of 64 bytes, a bit a byte, and the arithmetic on such bits.
//!
//! A character of several bytes has, unless said otherwise, all its bits set, so that runs are
//! runs of bits; *first* bits are those at the first bytes of characters only. The lowest bit is
//! the first byte's.

/// What is known of the bytes of a block. Of every tally there are its bits, and "how many … up
/// to here" is answered by their number.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(super) enum Tally {
    // As `pages::first` has them, and in the place of `MORE` what is counted.
    /// Runs of letters that are no bigram script's.
    Letters,
    /// Runs of bigram scripts: three bits a byte that tell the scripts apart.
    Bigram0,
    Bigram1,
    Bigram2,
    /// Digits.
    Digits,
    /// Letters that are no marks; first.
    Letter,
    /// Upper-case letters; first.
    Upper,
    /// Letters beyond ASCII that are no marks; first.
    WideLetter,

    // As `pages::second` has them, and in the places of `INHERITS` and `CASED` what is counted.
    /// White space.
    Space,
    /// Ends of sentences, line feeds among them; first.
    Stop,
    /// Question marks; first.
    Question,
    /// Emoji and their glue.
    Dropped,
    /// Emoji; first.
    Emoji,
    /// Bytes within numbers that are neither digits nor ASCII joints between two of them.
    Inner,
    /// First bytes of URLs.
    Url,
    /// `’` `·` and U+0387; first.
    Rare,

    /// Bytes that go on with a character.
    GoesOn,
    /// Line feeds.
    Feed,
    /// One of `` ` * _ # @ ; ``.
    Sign,
    /// Beginnings of runs of letters and of digits.
    Word,
    /// Characters of bigram runs; first.
    Bigram,
    /// Bigram runs of an odd number of characters, told at the next run or the text's end.
    OddRun,
    /// Beginnings of content tokens.
    Token,
    /// Bytes of the masked text.
    Kept,
}

/// Number of tallies.
pub(super) const TALLIES: usize = Tally::Kept as usize + 1;
const _: () = assert!(Tally::Space as usize == 8 && Tally::GoesOn as usize == 16);

/// The bits of one block.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct Block {
    /// By tally, eight side by side.
    pub(super) bits: [[u64; 8]; TALLIES / 8],
    /// Where runs of bigram scripts begin; first.
    pub(super) bigram_starts: u64,
    /// Glue that is a mark.
    pub(super) glue_marks: u64,
    /// ASCII that joins digits to a number: `. , : / - '`.
    pub(super) joint: u64,
    /// Bytes of no text.
    pub(super) outside: u64,
    /// Bytes of links.
    pub(super) link: u64,
    /// First bytes of addresses.
    pub(super) address_start: u64,
}

impl Block {
    /// The bits of a tally.
    #[inline(always)]
    pub(super) const fn of(&self, tally: Tally) -> u64 {
        self.bits[tally as usize / 8][tally as usize % 8]
    }

    /// The bits of a tally, to be written.
    #[inline(always)]
    pub(super) const fn of_mut(&mut self, tally: Tally) -> &mut u64 {
        &mut self.bits[tally as usize / 8][tally as usize % 8]
    }

    /// The three bits that tell bigram scripts apart.
    #[inline(always)]
    pub(super) const fn bigram(&self) -> [u64; 3] {
        [self.of(Tally::Bigram0), self.of(Tally::Bigram1), self.of(Tally::Bigram2)]
    }

    /// Bytes of any bigram script.
    #[inline(always)]
    pub(super) const fn any_bigram(&self) -> u64 {
        let [one, two, three] = self.bigram();
        one | two | three
    }

    /// Finds where runs of bigram scripts begin.
    #[inline(always)]
    pub(super) const fn find_bigram_starts(&mut self, before: &Self) {
        let ([one, two, three], [last_one, last_two, last_three]) =
            (self.bigram(), before.bigram());
        let turns = one ^ up(last_one, one, 1)
            | two ^ up(last_two, two, 1)
            | three ^ up(last_three, three, 1);
        self.bigram_starts = turns & (one | two | three) & !self.of(Tally::GoesOn);
    }
}

/// The bits moved up by `by` bytes, those of the block before coming in.
#[inline(always)]
pub(super) const fn up(before: u64, here: u64, by: u32) -> u64 {
    here << by | before >> (64 - by)
}

/// The bits moved down by `by` bytes, those of the block after coming in.
#[inline(always)]
pub(super) const fn down(here: u64, after: u64, by: u32) -> u64 {
    here >> by | after << (64 - by)
}

/// The bits of `run` that lie in one piece from a seed on. Seeds are at first bits of pieces.
///
/// Adding a seed to a piece of ones carries through it: the piece becomes zeros and the bit
/// behind it a one. So what changed within `run` is what was reached.
#[inline(always)]
pub(super) const fn reach(run: u64, seeds: u64) -> u64 {
    run & !run.wrapping_add(seeds & run)
}

/// A state that `on` switches on and `off` switches off, byte by byte: the bits at which it is on
/// *after* the byte. `before` is 1 if it is on before the block. At a bit of both it is on.
#[inline(always)]
pub(super) const fn switched(on: u64, off: u64, before: u64) -> u64 {
    on | reach(!(on | off), on << 1 | before)
}

/// At each bit: whether the number of bits up to and including it is odd.
#[inline(always)]
pub(super) const fn parity(bits: u64) -> u64 {
    let mut sum = bits;
    sum ^= sum << 1;
    sum ^= sum << 2;
    sum ^= sum << 4;
    sum ^= sum << 8;
    sum ^= sum << 16;
    sum ^ sum << 32
}

/// All ones if the highest bit is set, else zero.
#[inline(always)]
pub(super) const fn all_if_last(bits: u64) -> u64 {
    (bits.cast_signed() >> 63).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> impl Iterator<Item = u64> {
        let mut state = 7_u64;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let word = state ^ state >> 29;
            // Sparse, dense and even ones.
            match word >> 62 {
                0 => word & word.rotate_left(7) & word.rotate_left(21),
                1 => word | word.rotate_left(9),
                _ => word,
            }
        })
        .take(4_000)
    }

    #[test]
    fn state_is_switched_byte_by_byte() {
        for (at, (on, off)) in numbers().zip(numbers().skip(11)).enumerate() {
            let (off, before) = (off & !on, at as u64 & 1);
            let (mut state, mut expected) = (before, 0);
            for bit in 0..64 {
                state = if on >> bit & 1 != 0 { 1 } else { state & !(off >> bit) };
                expected |= (state & 1) << bit;
            }
            assert_eq!(switched(on, off, before), expected, "{on:x} {off:x}");
        }
    }

    #[test]
    fn seeds_reach_to_the_end_of_their_run() {
        for (run, choice) in numbers().zip(numbers().skip(5)) {
            let seeds = run & !(run << 1) & choice;
            let mut expected = 0;
            let mut reached = false;
            for bit in 0..64 {
                reached = run >> bit & 1 != 0 && (reached || seeds >> bit & 1 != 0);
                expected |= u64::from(reached) << bit;
            }
            assert_eq!(reach(run, seeds), expected, "{run:x} {seeds:x}");
        }
    }

    #[test]
    fn parity_counts_up_to_each_bit() {
        for bits in numbers() {
            for bit in 0..64 {
                let below = bits & (u64::MAX >> (63 - bit));
                assert_eq!(parity(bits) >> bit & 1, u64::from(below.count_ones() & 1));
            }
        }
    }

    #[test]
    fn bits_move_across_blocks() {
        assert_eq!(up(1 << 63, 1, 1), 3);
        assert_eq!(down(1 << 5, 1, 5), 1 | 1 << 59);
        assert_eq!((all_if_last(1 << 63), all_if_last(1 << 62)), (u64::MAX, 0));
    }
}
