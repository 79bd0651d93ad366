//! Second pass over a chunk: runs, words, candidates for tokens, and the masked text.
//!
//! Everything is arithmetic on the bits of whole blocks. What a block leaves open goes on in the
//! next as a carry. The results are
//! * *tallies*: for a few dozen questions ("how many words …"), the bits that answer it. With the
//!   number of such bits in all blocks before, a difference of two sums counts any stretch of a
//!   chunk without a loop;
//! * the places of letter runs of five bytes and more, and of the characters of bigram scripts;
//! * the masked text of the whole chunk.

use super::block::{Block, all_if_last, down, parity, reach, switched, up};
use super::ops::{BLOCK, Edit, Vectors, each_bit};

/// What is counted.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(super) enum Tally {
    /// Bytes that go on with a character.
    GoesOn,
    /// Runs of letters and of digits.
    Words,
    /// Characters of bigram runs.
    Bigrams,
    /// Bigram runs of an odd number of characters, told at the next run or the text's end.
    OddRuns,
    /// Line feeds.
    Feeds,
    /// Question marks.
    Questions,
    /// Bytes of digits.
    Digits,
    /// Emoji.
    Emoji,
    /// Glue of emoji in places where only the scalar version knows what it does.
    Strange,
    /// `` ` * _ # @ ; ``
    Signs,
    /// Runs of letters of five bytes or more.
    Long,
    /// Bytes of the masked text.
    Kept,
    /// ASCII letters.
    AsciiLetters,
    /// Letters beyond ASCII.
    WideLetters,
    /// `’` `·` and U+0387.
    Rare,
    /// URLs.
    Urls,
}

/// Number of tallies.
pub(super) const TALLIES: usize = Tally::Urls as usize + 1;

/// A block's bits by tally, and the sums of the blocks before it.
#[derive(Clone, Copy, Default)]
pub(super) struct Tallies {
    pub(super) bits: [u64; TALLIES],
    pub(super) before: [u64; TALLIES],
}

impl Tallies {
    /// The sums up to a byte of this block, itself not counted.
    #[inline(always)]
    pub(super) fn up_to(&self, bit: usize) -> [u64; TALLIES] {
        let below = !(u64::MAX << bit);
        let mut sums = self.before;
        for (sum, bits) in sums.iter_mut().zip(&self.bits) {
            *sum += u64::from((bits & below).count_ones());
        }
        sums
    }
}

/// What the second pass finds.
#[derive(Default)]
pub(super) struct Runs {
    pub(super) tallies: Vec<Tallies>,
    /// Where runs of letters of five bytes or more begin, and the bytes behind them.
    pub(super) long_starts: Vec<u32>,
    pub(super) long_ends: Vec<u32>,
    pub(super) longs: usize,
    long_ended: usize,
    /// Where characters of bigram runs begin.
    pub(super) bigrams: Vec<u32>,
    pub(super) bigram_count: usize,
    /// The masked text of the chunk, from [`BLOCK`] on.
    pub(super) masked: Vec<u8>,
}

/// What a block leaves open.
#[derive(Clone, Copy, Default)]
struct Carry {
    /// All ones if an odd number of bigram characters came before.
    odd: u64,
    /// Whether that was so where the last bigram run began.
    odd_at_run: u64,
    mid_sentence: u64,
    /// In a run of letters that becomes `n`.
    name: u64,
    /// White space came since the last visible character.
    space: u64,
    /// In glue behind a number.
    glue: u64,
    /// Digits outside links, and bytes of numbers, of the block before.
    digits: u64,
    numbers: u64,
}

impl Runs {
    /// Reads the blocks of a chunk, whose links are marked.
    #[inline(always)]
    pub(super) fn find<V: Vectors>(
        &mut self,
        vectors: V,
        raw: &[u8],
        low: &[u8],
        blocks: &mut [Block],
    ) {
        self.reserve(blocks.len());
        let mut carry = Carry { space: 1, ..Carry::default() };
        let mut kept = BLOCK;
        let mut sums = [0_u64; TALLIES];
        for at in 1..blocks.len() {
            if blocks[at].rare & up(blocks[at - 1].digits, blocks[at].digits, 1) != 0 {
                mark_inner_quotes(raw, blocks, at);
            }
            let turns = blocks[at].bigram_turns(&blocks[at - 1]);
            blocks[at].bigram_starts = turns;
            let none = Block::default();
            let (before, block) = (&blocks[at - 1], &blocks[at]);
            let after = blocks.get(at + 1).unwrap_or(&none);
            let mut bits = count_bits(before, block);
            let base = (at * BLOCK) as u32;
            self.long_runs(vectors, [before, block, after], base, &mut bits);
            self.bigram_runs(vectors, block, base, &mut carry, &mut bits);
            let edit = edit([before, block, after], &mut carry, &mut bits);
            let low = low[at * BLOCK..].first_chunk();
            let masked = self.masked[kept..].first_chunk_mut();
            if let (Some(low), Some(masked)) = (low, masked) {
                vectors.mask(low, &edit, masked);
            }
            kept += edit.kept.count_ones() as usize;
            self.tallies[at] = Tallies { bits, before: sums };
            for (sum, bits) in sums.iter_mut().zip(&bits) {
                *sum += u64::from(bits.count_ones());
            }
        }
    }

    fn reserve(&mut self, blocks: usize) {
        let most = (blocks + 2) * BLOCK;
        self.tallies.resize(blocks, Tallies::default());
        for list in [&mut self.long_starts, &mut self.long_ends, &mut self.bigrams] {
            if list.len() < most {
                list.resize(most, 0);
            }
        }
        self.masked.resize(most, 0);
        (self.longs, self.long_ended, self.bigram_count) = (0, 0, 0);
    }

    /// Finds runs of letters of five bytes and more.
    #[inline(always)]
    fn long_runs<V: Vectors>(
        &mut self,
        vectors: V,
        [before, block, after]: [&Block; 3],
        base: u32,
        bits: &mut [u64; TALLIES],
    ) {
        let (last, here, next) = (before.letters, block.letters, after.letters);
        let behind = down(here, next, 1) & down(here, next, 2);
        let behind = behind & down(here, next, 3) & down(here, next, 4);
        let starts = here & behind & !up(last, here, 1);
        let ahead = up(last, here, 1) & up(last, here, 2) & up(last, here, 3);
        let ahead = ahead & up(last, here, 4) & up(last, here, 5);
        let ends = ahead & !here;
        if let Some(places) = self.long_starts[self.longs..].first_chunk_mut() {
            vectors.places(starts, base, places);
        }
        if let Some(places) = self.long_ends[self.long_ended..].first_chunk_mut() {
            vectors.places(ends, base, places);
        }
        self.longs += starts.count_ones() as usize;
        self.long_ended += ends.count_ones() as usize;
        bits[Tally::Long as usize] = starts;
    }

    /// Finds the characters of bigram runs, and which runs have an odd number of them.
    ///
    /// Characters before two neighbouring runs' beginnings differ in parity exactly if the first
    /// of the two is odd; the end of a text counts as a beginning.
    #[inline(always)]
    fn bigram_runs<V: Vectors>(
        &mut self,
        vectors: V,
        block: &Block,
        base: u32,
        carry: &mut Carry,
        bits: &mut [u64; TALLIES],
    ) {
        let chars = block.any_bigram() & !block.goes_on;
        if let Some(places) = self.bigrams[self.bigram_count..].first_chunk_mut() {
            vectors.places(chars, base, places);
        }
        self.bigram_count += chars.count_ones() as usize;
        let odd = parity(chars) ^ carry.odd;
        let odd_before = odd << 1 | carry.odd & 1;
        let events = block.bigram_starts | block.outside;
        let (on, off) = (events & odd_before, events & !odd_before);
        let state = switched(on, off, carry.odd_at_run);
        let state_before = state << 1 | carry.odd_at_run;
        bits[Tally::Bigrams as usize] = chars;
        bits[Tally::OddRuns as usize] = on & !state_before | off & state_before;
        carry.odd = all_if_last(odd);
        carry.odd_at_run = state >> 63;
    }
}

/// The bits of those tallies that are bits of the block.
#[inline(always)]
fn count_bits(before: &Block, block: &Block) -> [u64; TALLIES] {
    let words = block.letters & !up(before.letters, block.letters, 1)
        | block.digits & !up(before.digits, block.digits, 1);
    let mut bits = [0; TALLIES];
    let mut put = |tally: Tally, found: u64| bits[tally as usize] = found;
    put(Tally::GoesOn, block.goes_on);
    put(Tally::Words, words);
    put(Tally::Feeds, block.feed);
    put(Tally::Questions, block.question);
    put(Tally::Digits, block.digits);
    put(Tally::Emoji, block.emoji);
    put(Tally::Signs, block.sign);
    put(Tally::AsciiLetters, block.ascii_letter);
    put(Tally::WideLetters, block.letter & !block.ascii_letter);
    put(Tally::Rare, block.rare);
    put(Tally::Urls, block.url_start);
    bits
}

/// How the block becomes masked text; the rules are those of `skeleton.rs`.
#[inline(always)]
fn edit(
    [before, block, after]: [&Block; 3],
    carry: &mut Carry,
    bits: &mut [u64; TALLIES],
) -> Edit {
    if block.glue_marks | before.glue_marks != 0 {
        bits[Tally::Strange as usize] = strange_glue(before, block, carry);
    }
    let (number, numbers) = numbers(block, after, carry);
    let (name, names) = names(before, block, carry);
    // White space is one space where the first of it stands, but at the beginning of a text.
    let spaces = block.space | block.outside;
    let space = switched(spaces, !(spaces | block.dropped), carry.space);
    let first_space = block.space & !(space << 1 | carry.space);
    carry.space = space >> 63;
    let link_start = block.url_start | block.address_start;
    let gone = numbers & !number
        | names & !name
        | block.space & !first_space
        | block.link & !link_start
        | block.dropped
        | block.outside;
    bits[Tally::Kept as usize] = !gone;
    Edit {
        kept: !gone,
        number,
        name,
        space: first_space,
        url: block.url_start,
        address: block.address_start,
    }
}

/// First bytes and all bytes of number runs.
#[inline(always)]
fn numbers(block: &Block, after: &Block, carry: &mut Carry) -> (u64, u64) {
    let digits = block.digits & !block.link;
    let next = after.digits & !after.link;
    let joints = block.joint & up(carry.digits, digits, 1) & down(digits, next, 1);
    let numbers = digits | joints | block.inner;
    let starts = numbers & !up(carry.numbers, numbers, 1);
    (carry.digits, carry.numbers) = (digits, numbers);
    (starts, numbers)
}

/// First bytes and all bytes of the runs of letters that become `n`.
#[inline(always)]
fn names(before: &Block, block: &Block, carry: &mut Carry) -> (u64, u64) {
    let letters = block.letters;
    let on = letters & !block.glue_marks | block.any_bigram() | block.digits | block.link;
    let off = block.stop & !block.link | block.outside;
    let mid = switched(on, off, carry.mid_sentence);
    let mid_before = mid << 1 | carry.mid_sentence;
    carry.mid_sentence = mid >> 63;
    let starts = letters & !up(before.letters, letters, 1);
    let name = starts & block.upper & mid_before & !block.link;
    let names = reach(letters, name | carry.name);
    carry.name = names >> 63;
    (name, names)
}

/// Glue of emoji that is a mark (variation selectors, keycaps) usually stands behind an emoji or
/// in a run with letters, and is dropped. What is told here stands beside a mark that is no glue,
/// or behind a number that may go on behind it.
#[cold]
#[inline(never)]
fn strange_glue(before: &Block, block: &Block, carry: &mut Carry) -> u64 {
    let marks = |block: &Block| {
        let letters = block.letter | reach(block.goes_on, block.letter << 1);
        (block.letters | block.any_bigram()) & !block.glue_marks & !letters
    };
    let (last, here) = (marks(before), marks(block));
    let glue = block.glue_marks;
    let behind_glue = up(before.glue_marks, glue, 1);
    let beside_marks = glue & up(last, here, 1) | here & behind_glue;
    let number = |block: &Block| block.digits | block.joint;
    let behind_numbers =
        up(number(before), number(block), 1) | up(before.rare, block.rare, 3);
    let chain = reach(glue, behind_numbers & !behind_glue | carry.glue);
    let goes_on = (chain << 1 | carry.glue) & (number(block) | block.rare);
    carry.glue = chain >> 63;
    beside_marks | goes_on
}

/// Makes `’` between two digits part of their number.
#[cold]
#[inline(never)]
fn mark_inner_quotes(raw: &[u8], blocks: &mut [Block], at: usize) {
    const QUOTE: &[u8] = "’".as_bytes();
    let is_digit = |blocks: &[Block], place: usize| {
        let block = &blocks[place / BLOCK];
        (block.digits & !block.link) >> (place % BLOCK) & 1 != 0
    };
    each_bit(blocks[at].rare, |_, bit| {
        let from = at * BLOCK + bit as usize;
        let is_inner = raw[from..].starts_with(QUOTE)
            && is_digit(blocks, from - 1)
            && is_digit(blocks, from + QUOTE.len());
        for place in from..from + QUOTE.len() {
            blocks[place / BLOCK].inner |= u64::from(is_inner) << (place % BLOCK);
        }
    });
}
