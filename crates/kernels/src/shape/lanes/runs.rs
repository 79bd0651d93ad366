//! Second pass over a chunk: runs, words, candidates for tokens, and the masked text.
//!
//! Everything is arithmetic on the bits of whole blocks. What a block leaves open goes on in the
//! next as a carry. The results are
//! * *tallies*: for a few dozen questions ("how many words …"), the bits that answer it. With the
//!   number of such bits in all blocks before, a difference of two sums counts any stretch of a
//!   chunk without a loop;
//! * the places of letter runs of five bytes and more, and of the characters of bigram scripts;
//! * the masked text of the whole chunk.

use super::super::asked::Asked;
use super::block::{Block, TALLIES, Tally, all_if_last, down, parity, reach, switched, up};
use super::numbers::mark_inner;
use super::ops::{BLOCK, Edit, Vectors};

/// Sums of the tallies, eight side by side.
pub(super) type Sums = [[u64; 8]; TALLIES / 8];

/// The sum of a tally.
#[inline(always)]
pub(super) const fn of(sums: &Sums, tally: Tally) -> u64 {
    sums[tally as usize / 8][tally as usize % 8]
}

/// What the second pass finds besides the bits that are counted.
#[derive(Default)]
pub(super) struct Runs {
    /// By block: the sums of the tallies of all blocks before it.
    pub(super) sums: Vec<Sums>,
    /// Where content tokens begin, and the bytes behind them.
    pub(super) token_starts: Vec<u32>,
    pub(super) token_ends: Vec<u32>,
    /// Number of tokens.
    pub(super) tokens: usize,
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
    /// Digits outside links, and bytes of numbers, of the block before.
    digits: u64,
    numbers: u64,
    /// Of the last five characters: which are of runs of letters, the last one the highest bit.
    letters: u64,
    /// Whether the last character is the second of a pair.
    paired: u64,
    /// Ends of tokens so far.
    ended: usize,
    /// Bytes of masked text so far.
    kept: usize,
}

/// A block with a bit a character instead of a bit a byte.
#[derive(Clone, Copy)]
struct Chars {
    /// First bytes of characters.
    first: u64,
    /// Number of characters.
    count: u32,
    /// Of runs of letters.
    letters: u64,
    /// Go on with a bigram run.
    paired: u64,
}

impl Chars {
    #[inline(always)]
    fn of<V: Vectors>(vectors: V, block: &Block) -> Self {
        let first = !block.of(Tally::GoesOn);
        let bigram = block.any_bigram();
        let paired = bigram & !block.bigram_starts;
        Self {
            first,
            count: first.count_ones(),
            letters: vectors.packed(block.of(Tally::Letters), first),
            paired: if bigram == 0 { 0 } else { vectors.packed(paired, first) },
        }
    }

    /// Where content tokens begin and where the characters behind them do: runs of letters of
    /// five characters and more, and pairs of neighbours in a bigram run.
    ///
    /// A block has no fewer than 16 characters, so four of the next and five of the last are all
    /// that is needed, and the shifts are below 64.
    #[inline(always)]
    fn tokens(&self, after: &Self, carry: &mut Carry) -> (u64, u64) {
        let ahead = |by: u32| self.letters >> by | after.letters << (self.count - by);
        let behind = |by: u32| self.letters << by | carry.letters >> (5 - by);
        let starts = self.letters & ahead(1) & ahead(2) & ahead(3) & ahead(4) & !behind(1);
        let ends = behind(1) & behind(2) & behind(3) & behind(4) & behind(5) & !self.letters;
        let pair_starts = self.paired >> 1 | after.paired << (self.count - 1);
        let pair_ends = self.paired << 1 | carry.paired;
        carry.letters = self.letters >> (self.count - 5);
        carry.paired = self.paired >> (self.count - 1);
        (starts | pair_starts, ends | pair_ends)
    }
}

impl Runs {
    /// Reads the blocks of a chunk, whose links are marked.
    #[inline(always)]
    pub(super) fn find<V: Vectors>(
        &mut self,
        vectors: V,
        asked: Asked,
        raw: &[u8],
        low: &[u8],
        blocks: &mut [Block],
    ) {
        self.reserve(blocks.len());
        let mut carry = Carry { space: 1, kept: BLOCK, ..Carry::default() };
        let mut sums = Sums::default();
        let mut chars = Chars::of(vectors, &blocks[1]);
        for at in 1..blocks.len() - 1 {
            if asked.hashes {
                mark_inner(raw, blocks, at);
            }
            let [before, block, after] = &mut blocks[at - 1..=at + 1] else { return };
            if asked.words() {
                let letters = starts_of(Tally::Letters, before, block);
                *block.of_mut(Tally::Word) = letters | starts_of(Tally::Digits, before, block);
                find_odd_runs(block, &mut carry);
            }
            if asked.hashes {
                let next = Chars::of(vectors, after);
                *block.of_mut(Tally::Token) =
                    self.find_tokens(vectors, at, [&chars, &next], &mut carry);
                chars = next;
                let edit = edit(starts_of(Tally::Letters, before, block), block, after, &mut carry);
                *block.of_mut(Tally::Kept) = edit.kept;
                let low = low[at * BLOCK..].first_chunk();
                let masked = self.masked[carry.kept..].first_chunk_mut();
                if let (Some(low), Some(masked)) = (low, masked) {
                    vectors.mask(low, &edit, masked);
                }
                carry.kept += edit.kept.count_ones() as usize;
            }
            self.sums[at] = sums;
            add(&mut sums, &block.bits, u64::MAX);
        }
    }

    /// Writes down where the content tokens of a block begin and end, and tells where they begin.
    #[inline(always)]
    fn find_tokens<V: Vectors>(
        &mut self,
        vectors: V,
        at: usize,
        [chars, next]: [&Chars; 2],
        carry: &mut Carry,
    ) -> u64 {
        let (starts, ends) = chars.tokens(next, carry);
        let (starts, ends) =
            (vectors.spread(starts, chars.first), vectors.spread(ends, chars.first));
        let base = (at * BLOCK) as u32;
        let places = self.token_starts[self.tokens..].first_chunk_mut();
        if let (Some(starting), Some(ending)) =
            (places, self.token_ends[carry.ended..].first_chunk_mut())
        {
            vectors.places(starts, base, starting);
            vectors.places(ends, base, ending);
        }
        self.tokens += starts.count_ones() as usize;
        carry.ended += ends.count_ones() as usize;
        starts
    }

    fn reserve(&mut self, blocks: usize) {
        let most = (blocks + 2) * BLOCK;
        self.sums.resize(blocks, Sums::default());
        for list in [&mut self.token_starts, &mut self.token_ends] {
            if list.len() < most {
                list.resize(most, 0);
            }
        }
        self.masked.resize(most, 0);
        self.tokens = 0;
    }

    /// The sums of the tallies up to a byte, itself not counted.
    #[inline(always)]
    pub(super) fn up_to(&self, blocks: &[Block], place: usize) -> Sums {
        let at = place / BLOCK;
        let below = !(u64::MAX << (place % BLOCK));
        let mut sums = self.sums[at];
        add(&mut sums, &blocks[at].bits, below);
        sums
    }
}

/// Where runs of a tally begin.
#[inline(always)]
const fn starts_of(tally: Tally, before: &Block, block: &Block) -> u64 {
    block.of(tally) & !up(before.of(tally), block.of(tally), 1)
}

/// Adds the numbers of those bits that are in `mask`.
#[inline(always)]
fn add(sums: &mut Sums, bits: &[[u64; 8]; TALLIES / 8], mask: u64) {
    for (sums, bits) in sums.iter_mut().zip(bits) {
        for (sum, bits) in sums.iter_mut().zip(bits) {
            *sum += u64::from((bits & mask).count_ones());
        }
    }
}

/// Finds the characters of bigram runs, and which runs have an odd number of them.
///
/// Characters before two neighbouring runs' beginnings differ in parity exactly if the first of
/// the two is odd; the end of a text counts as a beginning.
#[inline(always)]
fn find_odd_runs(block: &mut Block, carry: &mut Carry) {
    let chars = block.any_bigram() & !block.of(Tally::GoesOn);
    if chars == 0 {
        // The last run, if it is odd, is told at the first end of a text.
        let first_end = block.outside & block.outside.wrapping_neg();
        let odd = carry.odd & 1;
        if odd != carry.odd_at_run && first_end != 0 {
            *block.of_mut(Tally::OddRun) = first_end;
            carry.odd_at_run = odd;
        }
        return;
    }
    let odd = parity(chars) ^ carry.odd;
    let odd_before = odd << 1 | carry.odd & 1;
    let events = block.bigram_starts | block.outside;
    let (on, off) = (events & odd_before, events & !odd_before);
    let state = switched(on, off, carry.odd_at_run);
    let state_before = state << 1 | carry.odd_at_run;
    *block.of_mut(Tally::Bigram) = chars;
    *block.of_mut(Tally::OddRun) = on & !state_before | off & state_before;
    carry.odd = all_if_last(odd);
    carry.odd_at_run = state >> 63;
}

/// How the block becomes masked text; the rules are those of `skeleton.rs`. `starts` are where
/// runs of letters begin.
#[inline(always)]
fn edit(starts: u64, block: &Block, after: &Block, carry: &mut Carry) -> Edit {
    let (number, numbers) = numbers(block, after, carry);
    let (name, names) = names(starts, block, carry);
    // White space is one space where the first of it stands, but at the beginning of a text.
    let spaces = block.of(Tally::Space) | block.outside;
    let space = switched(spaces, !(spaces | block.of(Tally::Dropped)), carry.space);
    let first_space = block.of(Tally::Space) & !(space << 1 | carry.space);
    carry.space = space >> 63;
    let (url, address) = (block.of(Tally::Url), block.address_start);
    let gone = numbers & !number
        | names & !name
        | block.of(Tally::Space) & !first_space
        | block.link & !(url | address)
        | block.of(Tally::Dropped)
        | block.outside;
    Edit { kept: !gone, number, name, space: first_space, url, address }
}

/// First bytes and all bytes of number runs.
#[inline(always)]
fn numbers(block: &Block, after: &Block, carry: &mut Carry) -> (u64, u64) {
    let digits = block.of(Tally::Digits) & !block.link;
    let next = after.of(Tally::Digits) & !after.link;
    let joints = block.joint & up(carry.digits, digits, 1) & down(digits, next, 1);
    let numbers = digits | joints | block.of(Tally::Inner);
    let starts = numbers & !up(carry.numbers, numbers, 1);
    (carry.digits, carry.numbers) = (digits, numbers);
    (starts, numbers)
}

/// First bytes and all bytes of the runs of letters that become `n`.
#[inline(always)]
fn names(starts: u64, block: &Block, carry: &mut Carry) -> (u64, u64) {
    let letters = block.of(Tally::Letters);
    let digits = block.of(Tally::Digits);
    let on = letters & !block.glue_marks | block.any_bigram() | digits | block.link;
    let off = block.of(Tally::Stop) & !block.link | block.outside;
    let mid = switched(on, off, carry.mid_sentence);
    let mid_before = mid << 1 | carry.mid_sentence;
    carry.mid_sentence = mid >> 63;
    let name = starts & block.of(Tally::Upper) & mid_before & !block.link;
    let names = reach(letters, name | carry.name);
    carry.name = names >> 63;
    (name, names)
}
