//! Which files some days need, which of these are merged by sender, and which have their rows held.
//!
//! Of the first of these days the last half hour alone decides anything, so its files count with
//! the rows that may lie there. These are held, if they fit: few rows of many files.
//!
//! Of sorted files those are merged that have most rows, for as many and as large ones as may be
//! open at a time. A file that is merged spares its rows' memory, so the largest spare most.

use turnwise_lake::{Bound, FileInfo};
use turnwise_model::schema::column;
use turnwise_model::{EventKind, Millis};

use crate::fold_exec::{FOLD_KINDS, Rows};
use crate::merge_exec::open_bytes;

/// Inputs that come by sender, but for what rounding adds: each has a batch of each partition
/// waiting. Of more files some are merged into one.
const INPUTS_MAX: usize = 64;

/// The most that one fold holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// Rows of files that are not merged.
    pub rows: u64,
    /// Files that are merged.
    pub files: usize,
    /// Bytes that these hold while they are read.
    pub bytes: u64,
}

/// A file that some days need.
#[derive(Clone, Copy, Debug)]
pub(super) struct NeededFile<'a> {
    pub kind: EventKind,
    pub file: &'a FileInfo,
    /// Rows that decide anything, about.
    pub rows: u64,
    /// Whether it is of the first day, of which only the end counts.
    pub is_first: bool,
}

/// The files that some days need.
#[derive(Debug)]
pub(super) struct Needed<'a> {
    /// Sorted ones whose rows come by sender, the largest first.
    pub merged: Vec<NeededFile<'a>>,
    /// Those whose rows are held.
    pub held: Vec<NeededFile<'a>>,
    /// Whether sorted files are held because no more may be merged.
    is_too_much: bool,
}

/// Files that are one input of a go.
#[derive(Debug)]
pub(super) struct Input {
    pub rows: Rows,
    pub is_first: bool,
    pub files: Vec<FileInfo>,
}

impl<'a> NeededFile<'a> {
    /// A file, of which only rows from `since` on count, if there is such a time.
    pub fn new(kind: EventKind, file: &'a FileInfo, since: Option<Millis>) -> Self {
        let all = file.num_records.unwrap_or_default();
        let rows = since.map_or(all, |since| rows_since(file, all, since));
        Self { kind, file, rows, is_first: since.is_some() }
    }

    fn is_sorted(&self) -> bool {
        self.file.sorted_by() == Some(column::SENDER)
    }
}

impl<'a> Needed<'a> {
    pub fn new(files: impl Iterator<Item = NeededFile<'a>>, most: Most) -> Self {
        let (sorted, mut held): (Vec<_>, Vec<_>) = files.partition(NeededFile::is_sorted);
        let (first, mut whole): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|f| f.is_first);
        let is_room = rows_of(&held).saturating_add(rows_of(&first)) <= most.rows;
        let with_first = if is_room { &mut held } else { &mut whole };
        with_first.extend(first);
        whole.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.file.path.cmp(&b.file.path)));
        let (mut merged, mut bytes) = (Vec::new(), 0);
        let held_before = held.len();
        for needed in whole {
            let with_it = open_bytes(needed.file).saturating_add(bytes);
            if merged.len() < most.files && with_it <= most.bytes {
                bytes = with_it;
                merged.push(needed);
            } else {
                held.push(needed);
            }
        }
        let is_too_much = held.len() > held_before;
        Self { merged, held, is_too_much }
    }

    /// Rows that are held.
    pub fn rows_held(&self) -> u64 {
        rows_of(&self.held)
    }

    /// Whether no more rows than these are held, all other files are merged, and one sender that
    /// has most of their rows can be held.
    pub fn fit(&self, rows_held: u64, rows_merged: u64) -> bool {
        !self.is_too_much && rows_of(&self.merged) <= rows_merged && self.rows_held() <= rows_held
    }

    /// The sorted files, the largest first.
    pub fn sorted(&self) -> Vec<&'a FileInfo> {
        let all = self.merged.iter().chain(&self.held).filter(|needed| needed.is_sorted());
        let mut files: Vec<&FileInfo> = all.map(|needed| needed.file).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.num_records));
        files
    }

    /// The inputs of a go: merged files by themselves, or where they are many some of a kind
    /// together; the held ones together by kind. Those of the first day stand apart, for they are
    /// filtered.
    pub fn inputs(&self) -> Vec<Input> {
        let together = self.merged.len().div_ceil(INPUTS_MAX).max(1);
        let parts = FOLD_KINDS.into_iter().flat_map(|kind| [(kind, true), (kind, false)]);
        let mut inputs = Vec::new();
        let merged = parts.clone().map(|part| (part, true));
        for ((kind, is_first), by_sender) in merged.chain(parts.map(|part| (part, false))) {
            let all = if by_sender { &self.merged } else { &self.held };
            let of = all.iter().filter(|f| f.kind == kind && f.is_first == is_first);
            let files: Vec<&FileInfo> = of.map(|needed| needed.file).collect();
            let count = if by_sender { files.len().div_ceil(together) } else { 1 };
            // The largest stand first, so each input has large ones and small ones.
            inputs.extend((0..count).map(|nth| Input {
                rows: Rows { kind, by_sender },
                is_first,
                files: files.iter().skip(nth).step_by(count).map(|f| (*f).clone()).collect(),
            }));
        }
        inputs
    }
}

fn rows_of(files: &[NeededFile]) -> u64 {
    files.iter().map(|needed| needed.rows).sum()
}

/// Rows from a time on, as if they came evenly between the first and the last: as the log tells
/// these, else from the beginning of that time's day to its end.
fn rows_since(file: &FileInfo, rows: u64, since: Millis) -> u64 {
    let (first, last) = match file.bounds().get(column::TIME) {
        Some((Bound::Int(first), Bound::Int(last))) => (*first, *last),
        _ => (since.day().start().micros(), since.day().end().micros() - 1),
    };
    let all = (last.saturating_sub(first)).max(0).unsigned_abs().saturating_add(1);
    let after = (last.saturating_sub(since.micros())).saturating_add(1).max(0).unsigned_abs();
    let share = u128::from(rows) * u128::from(after.min(all));
    u64::try_from(share.div_ceil(u128::from(all))).unwrap_or(rows)
}

#[cfg(test)]
mod tests;
