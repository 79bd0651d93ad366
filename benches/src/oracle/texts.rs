//! Queries B and C.
//!
//! Each engine hashes texts its own way in C, so the oracle hashes them many ways: an entropy is
//! right if it lies within 2 % and what chance explains of the mean over those ways.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use anyhow::Result;

use super::{Query, around, each_batch, mean, quantile, table};
use crate::data::{kind, openers};
use crate::files::column;
use crate::rng::mix2;

/// Characters from which a text is open-ended.
const LONG_CHARS: usize = 60;
/// Buckets of the hash of a text.
const BUCKETS: usize = 64;
/// Ways in which the oracle hashes texts.
const HASHES: usize = 20;
/// Fewer texts have an entropy that says more of the hash than of the texts: any will do.
const ENTROPY_TEXTS_MIN: u32 = 64;
/// Standard deviations that chance explains: of 10,000 numbers hardly one lies further out.
const DEVIATIONS: f64 = 6.0;
/// The stated errors of query C.
const PEERS_ERROR: f64 = 0.07;
const QUANTILE_ERROR: f64 = 0.02;
const ENTROPY_ERROR: f64 = 0.02;

const NAMES_B: [&str; 7] = [
    "open_ended",
    "in_chars_mean",
    "in_chars_p50",
    "in_chars_p95",
    "out_chars_mean",
    "out_chars_p50",
    "out_chars_p95",
];

const NAMES_C: [&str; 10] = [
    "peers_low",
    "peers_high",
    "bytes_p50_low",
    "bytes_p50_high",
    "bytes_p95_low",
    "bytes_p95_high",
    "bytes_p99_low",
    "bytes_p99_high",
    "entropy_low",
    "entropy_high",
];

#[derive(Default)]
struct Lengths {
    open_ended: u64,
    /// Characters of inbound and of outbound texts.
    chars: [Vec<f64>; 2],
}

pub(super) fn answer_b(path: &Path) -> Result<String> {
    let openers = Openers::new();
    let mut numbers: BTreeMap<u64, Lengths> = BTreeMap::new();
    each_batch(Query::B, path, |columns| {
        let ids = columns.longs(column::NUMBER)?;
        let (directions, kinds) = (columns.bytes(column::DIRECTION)?, columns.bytes(column::KIND)?);
        let texts = columns.texts()?;
        for row in 0..ids.len() {
            let number = numbers.entry(ids[row]).or_default();
            if kinds[row] == kind::TEXT {
                let text = texts.value(row);
                let chars = text.chars().count();
                let is_in = directions[row] == 0;
                number.chars[usize::from(!is_in)].push(chars as f64);
                let open = chars >= LONG_CHARS || text.contains(['?', '؟']) || openers.begin(text);
                number.open_ended += u64::from(is_in && open);
            }
        }
        Ok(())
    })?;
    let rows = numbers.into_iter().map(|(number, lengths)| (number, lengths_of(lengths))).collect();
    Ok(table(&NAMES_B, &rows))
}

fn lengths_of(mut lengths: Lengths) -> Vec<Option<f64>> {
    let inbound = lengths.chars[0].len() as f64;
    let mut values = vec![(inbound > 0.0).then(|| lengths.open_ended as f64 / inbound)];
    for chars in &mut lengths.chars {
        chars.sort_unstable_by(f64::total_cmp);
        values.extend([mean(chars), quantile(chars, 0.5), quantile(chars, 0.95)]);
    }
    values
}

/// The openers by their first character.
struct Openers(HashMap<char, Vec<&'static str>>);

impl Openers {
    fn new() -> Self {
        let mut by_first: HashMap<char, Vec<&'static str>> = HashMap::new();
        for opener in openers() {
            if let Some(first) = opener.text.chars().next() {
                by_first.entry(first).or_default().push(opener.text);
            }
        }
        Self(by_first)
    }

    fn begin(&self, text: &str) -> bool {
        let Some(first) = text.chars().next() else { return false };
        let Some(known) = self.0.get(&first.to_lowercase().next().unwrap_or(first)) else {
            return false;
        };
        let text = text.to_lowercase();
        known
            .iter()
            .filter_map(|opener| text.strip_prefix(opener))
            .any(|rest| matches!(rest.chars().next(), None | Some(' ' | '?')))
    }
}

struct Sizes {
    peers: HashSet<u64>,
    bytes: Vec<f64>,
    buckets: [[u32; BUCKETS]; HASHES],
}

impl Default for Sizes {
    fn default() -> Self {
        Self { peers: HashSet::new(), bytes: Vec::new(), buckets: [[0; BUCKETS]; HASHES] }
    }
}

pub(super) fn answer_c(path: &Path) -> Result<String> {
    let mut numbers: BTreeMap<u64, Box<Sizes>> = BTreeMap::new();
    each_batch(Query::C, path, |columns| {
        let (ids, peers) = (columns.longs(column::NUMBER)?, columns.longs(column::PEER)?);
        let (directions, kinds) = (columns.bytes(column::DIRECTION)?, columns.bytes(column::KIND)?);
        let texts = columns.texts()?;
        for row in 0..ids.len() {
            let number = numbers.entry(ids[row]).or_default();
            number.peers.insert(peers[row]);
            if kinds[row] == kind::TEXT {
                let text = texts.value(row).as_bytes();
                number.bytes.push(text.len() as f64);
                if directions[row] == 0 {
                    number.count(text);
                }
            }
        }
        Ok(())
    })?;
    let rows = numbers.into_iter().map(|(number, sizes)| (number, sizes.bounds())).collect();
    Ok(table(&NAMES_C, &rows))
}

impl Sizes {
    fn count(&mut self, text: &[u8]) {
        let hash = hash(text);
        for (way, buckets) in (0..).zip(&mut self.buckets) {
            buckets[(mix2(way, hash) % BUCKETS as u64) as usize] += 1;
        }
    }

    fn bounds(mut self: Box<Self>) -> Vec<Option<f64>> {
        let peers = self.peers.len() as f64;
        let mut values = vec![Some(peers * (1.0 - PEERS_ERROR)), Some(peers * (1.0 + PEERS_ERROR))];
        self.bytes.sort_unstable_by(f64::total_cmp);
        for q in [0.5, 0.95, 0.99] {
            let found = around(&self.bytes, q);
            values.push(found.map(|(low, _)| low * (1.0 - QUANTILE_ERROR)));
            values.push(found.map(|(_, high)| high * (1.0 + QUANTILE_ERROR)));
        }
        let inbound: u32 = self.buckets[0].iter().sum();
        if (1..ENTROPY_TEXTS_MIN).contains(&inbound) {
            values.extend([Some(0.0), Some(f64::from(inbound).log2())]);
            return values;
        }
        let entropies: Vec<f64> =
            self.buckets.iter().filter_map(|counts| entropy(counts)).collect();
        let middle = mean(&entropies);
        let error =
            middle.map(|mean| mean * ENTROPY_ERROR + deviation(&entropies, mean) * DEVIATIONS);
        values.push(middle.zip(error).map(|(mean, error)| mean - error));
        values.push(middle.zip(error).map(|(mean, error)| mean + error));
        values
    }
}

fn deviation(values: &[f64], mean: f64) -> f64 {
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

/// Entropy in bits; none of no counts.
fn entropy(counts: &[u32]) -> Option<f64> {
    let all: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let share = |count: &&u32| f64::from(**count) / all as f64;
    let used = counts.iter().filter(|count| **count > 0);
    (all > 0).then(|| -used.map(|count| share(&count) * share(&count).log2()).sum::<f64>())
}

/// All bytes of a text, eight at a time, and its length.
fn hash(text: &[u8]) -> u64 {
    text.chunks(8).fold(text.len() as u64, |hash, chunk| {
        let mut eight = [0; 8];
        eight[..chunk.len()].copy_from_slice(chunk);
        mix2(hash, u64::from_le_bytes(eight))
    })
}
