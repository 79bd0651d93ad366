//! Which files of a kind and date are worth a rewrite as one.
//!
//! ```text
//!  commits ─▶ files in no order ─24─▶ in order ─8 alike─▶ larger ─8 alike─▶ … ─▶ large: stays
//! ```
//!
//! The plain version rewrites all files as one again and again, and each row as often as there are
//! commits. Here a file is merged with others that are alike in size, so a row is written two to
//! four times: as often as sizes grow several times over from a commit's file to a large one. Of
//! each size fewer than eight are left, so the number of files is bounded by the bytes of a day
//! over those of a large file; on a larger day large files are larger.
//!
//! Where nothing has come for a while, few files are worth a rewrite too: a day ends with its large
//! files and one or two others.

use turnwise_model::limits::{
    LIVE_FILE_BYTES_MAX, LIVE_FILES_MAX, REWRITE_SORTED_FILES_MAX, REWRITE_UNSORTED_BYTES_MAX,
    REWRITE_UNSORTED_FILES_MAX, REWRITE_UNSORTED_ROWS_MAX,
};
use turnwise_model::schema::SORTED_BY;
use turnwise_model::time::MINUTE_MS;

use crate::file::FileInfo;

/// When which files are rewritten, and how much at a time.
#[derive(Clone, Copy, Debug)]
pub struct Tiers {
    /// Files in no order that are worth a rewrite.
    pub unsorted_files_min: usize,
    /// Files in no order that one rewrite may have: they are open at the same time.
    pub unsorted_files_max: usize,
    /// Bytes of files in no order that one rewrite may have.
    pub unsorted_bytes_max: u64,
    /// Rows of files in no order that one rewrite may have: they are in memory, twice.
    pub unsorted_rows_max: u64,
    /// Files in order, alike in size, that are worth a merge.
    pub alike_files_min: usize,
    /// Files that one merge reads side by side.
    pub merged_files_max: usize,
    /// Files in order of half of this are large and stay; a merge has no more.
    pub large_bytes: u64,
    /// What that grows to on a day that would have too many of them.
    pub large_bytes_max: u64,
    /// How long nothing has come where few files are worth a rewrite too.
    pub quiet_ms: i64,
}

/// What is done beside ingest.
pub const TIERS: Tiers = Tiers {
    unsorted_files_min: 24,
    unsorted_files_max: REWRITE_UNSORTED_FILES_MAX,
    unsorted_bytes_max: REWRITE_UNSORTED_BYTES_MAX,
    unsorted_rows_max: REWRITE_UNSORTED_ROWS_MAX,
    alike_files_min: 8,
    merged_files_max: REWRITE_SORTED_FILES_MAX,
    large_bytes: 256 << 20,
    large_bytes_max: LIVE_FILE_BYTES_MAX,
    quiet_ms: 2 * MINUTE_MS,
};

// Files that are worth a rewrite fit in one.
const _: () = assert!(TIERS.unsorted_files_min <= TIERS.unsorted_files_max);
const _: () = assert!(TIERS.alike_files_min <= TIERS.merged_files_max);

/// Large files that a day should not have more of: they may be half as large as they should be, and
/// smaller ones stand beside them.
const LARGE_FILES: u64 = LIVE_FILES_MAX as u64 / 4;

impl Tiers {
    /// The files of a kind and date that are to become one now; none if nothing is worth it.
    #[must_use]
    pub fn to_rewrite(&self, files: &[FileInfo], now_ms: i64) -> Vec<FileInfo> {
        let newest = files.iter().map(|file| file.modification_time).max().unwrap_or_default();
        let is_quiet = now_ms.saturating_sub(newest) >= self.quiet_ms;
        let (sorted, unsorted) = by_order(files.iter());
        let unsorted_min = if is_quiet { 1 } else { self.unsorted_files_min };
        if unsorted.len() >= unsorted_min {
            return self.held(&unsorted);
        }
        let large = self.large_bytes(files);
        let small: Vec<&FileInfo> =
            sorted.into_iter().filter(|file| file.size < large / 2).collect();
        let (alike_min, times) = if is_quiet { (2, 8) } else { (self.alike_files_min, 2) };
        let alike = alike(&small, alike_min, times);
        self.merged(alike, large)
    }

    /// The files of a kind and date that are to become one without the values of some columns; none
    /// if none has any, by the log.
    #[must_use]
    pub fn to_clear(&self, columns: &[&str], files: &[FileInfo]) -> Vec<FileInfo> {
        let holds = |file: &&FileInfo| columns.iter().any(|column| file.may_hold(column));
        let (sorted, unsorted) = by_order(files.iter().filter(holds));
        if unsorted.is_empty() {
            self.merged(&sorted, self.large_bytes(files))
        } else {
            self.held(&unsorted)
        }
    }

    /// How large files of this day should be.
    fn large_bytes(&self, files: &[FileInfo]) -> u64 {
        let all: u64 = files.iter().map(|file| file.size).sum();
        all.div_ceil(LARGE_FILES).clamp(self.large_bytes, self.large_bytes_max)
    }

    /// As many as may be open and in memory, one at least.
    fn held(&self, files: &[&FileInfo]) -> Vec<FileInfo> {
        let (bytes, rows) = (self.unsorted_bytes_max, self.unsorted_rows_max);
        first(files, bytes, rows, self.unsorted_files_max)
    }

    /// As many as make one large file, one at least.
    fn merged(&self, files: &[&FileInfo], large_bytes: u64) -> Vec<FileInfo> {
        first(files, large_bytes, u64::MAX, self.merged_files_max)
    }
}

/// Files in the order that compaction puts rows in, and others; the smallest first.
fn by_order<'a>(
    files: impl Iterator<Item = &'a FileInfo>,
) -> (Vec<&'a FileInfo>, Vec<&'a FileInfo>) {
    let mut files: Vec<&FileInfo> = files.collect();
    files.sort_by(|a, b| (a.size, &a.path).cmp(&(b.size, &b.path)));
    files.into_iter().partition(|file| file.sorted_by() == SORTED_BY.first().copied())
}

/// The first so many files in a row of which each is at most so many times as large as the one
/// before it, or no larger than all before it in the row; none where no row has so many.
fn alike<'a, 'b>(files: &'a [&'b FileInfo], files_min: usize, times: u64) -> &'a [&'b FileInfo] {
    let mut rest = files;
    while let Some(smallest) = rest.first() {
        let (mut before, mut all_before) = (smallest.size, smallest.size);
        let is_alike = |file: &&&FileInfo| {
            let is_alike = file.size <= all_before.max(times * before);
            (before, all_before) = (file.size, all_before + file.size);
            is_alike
        };
        let alike = 1 + rest[1..].iter().take_while(is_alike).count();
        if alike >= files_min {
            return &rest[..alike];
        }
        rest = &rest[alike..];
    }
    &[]
}

/// The first of some files, one at least, that together have no more bytes and rows.
fn first(files: &[&FileInfo], bytes_max: u64, rows_max: u64, files_max: usize) -> Vec<FileInfo> {
    let (mut bytes, mut rows) = (0, 0);
    let fit = files.iter().take(files_max).take_while(|file| {
        bytes += file.size;
        rows += file.num_records.unwrap_or_default();
        bytes <= bytes_max && rows <= rows_max
    });
    let fit = fit.count().max(1).min(files.len());
    files[..fit].iter().map(|file| (*file).clone()).collect()
}

#[cfg(test)]
mod tests;
