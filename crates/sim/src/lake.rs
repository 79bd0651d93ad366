//! The lake: staged files, and a log whose entries are put if absent.

use std::collections::BTreeMap;

use crate::batch::Row;

/// One range of a commit: partition, from, to.
pub(crate) type Range = (usize, Option<i64>, i64);

/// A log entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Tells puts apart.
    pub(crate) put: u64,
    pub(crate) file: usize,
    pub(crate) ranges: Vec<Range>,
    pub(crate) rows: Vec<Row>,
    /// Partition and time.
    pub(crate) read_to: Vec<(usize, i64)>,
    /// When its check passed and its request was signed.
    pub(crate) signed_ms: i64,
}

/// A data file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    pub(crate) created_ms: i64,
    pub(crate) removed: bool,
}

/// Files and log.
#[derive(Debug, Default)]
pub(crate) struct Lake {
    pub(crate) files: Vec<File>,
    /// The version is the index.
    pub(crate) log: Vec<Entry>,
}

impl Lake {
    pub(crate) fn stage(&mut self, now_ms: i64) -> usize {
        self.files.push(File { created_ms: now_ms, removed: false });
        self.files.len() - 1
    }

    /// The next offsets as the newest version has them, from the log alone.
    pub(crate) fn stored(&self) -> BTreeMap<usize, i64> {
        self.log.iter().flat_map(|entry| &entry.ranges).map(|range| (range.0, range.2)).collect()
    }

    /// Removes files that no entry names and that are this old; says how many.
    pub(crate) fn vacuum(&mut self, older_than_ms: i64) -> u64 {
        let named: std::collections::BTreeSet<usize> =
            self.log.iter().map(|entry| entry.file).collect();
        let mut removed = 0;
        for (index, file) in self.files.iter_mut().enumerate() {
            if !file.removed && file.created_ms < older_than_ms && !named.contains(&index) {
                file.removed = true;
                removed += 1;
            }
        }
        removed
    }
}
