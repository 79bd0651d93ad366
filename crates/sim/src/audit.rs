//! The checkers: what the log alone says, held against the input.

use std::collections::BTreeMap;

use crate::kafka::Log;
use crate::lake::{Entry, Lake};

/// Walks the log entry by entry.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    stored: BTreeMap<usize, i64>,
}

impl Audit {
    /// The whole log from its beginning, and what workers were told of it.
    pub(crate) fn whole(
        input: &[Log],
        lake: &Lake,
        deadline_ms: i64,
        acknowledged: &[(usize, u64)],
    ) -> Result<(), String> {
        let mut audit = Self::default();
        for (version, entry) in lake.log.iter().enumerate() {
            audit
                .entry(input, lake, entry, deadline_ms)
                .map_err(|why| format!("{version}: {why}"))?;
        }
        for (version, put) in acknowledged {
            if lake.log.get(*version).is_none_or(|entry| entry.put != *put) {
                return Err(format!("put {put}, acknowledged as version {version}, is not there"));
            }
        }
        Ok(())
    }

    /// One more entry: its ranges go on where the last ended, its rows are the input's in those
    /// ranges, once each, its `read_to` are true, and its file is there and was young when checked.
    pub(crate) fn entry(
        &mut self,
        input: &[Log],
        lake: &Lake,
        entry: &Entry,
        deadline_ms: i64,
    ) -> Result<(), String> {
        let mut rows: BTreeMap<usize, Vec<(i64, i32)>> = BTreeMap::new();
        for (partition, offset, item) in &entry.rows {
            rows.entry(*partition).or_default().push((*offset, *item));
        }
        for (partition, from, to) in &entry.ranges {
            let stored = self.stored.insert(*partition, *to);
            if stored != *from {
                return Err(format!("partition {partition} goes on at {from:?}, not {stored:?}"));
            }
            let Some(log) = input.get(*partition) else {
                return Err(format!("no partition {partition}"));
            };
            let begin = from.unwrap_or(log.first);
            if *to < begin || *to > log.high_watermark {
                return Err(format!("partition {partition} ends at {to}, from {from:?}"));
            }
            let mut found = rows.remove(partition).unwrap_or_default();
            found.sort_unstable();
            if !found.iter().copied().eq(log.rows(begin, *to)) {
                let expected: Vec<_> = log.rows(begin, *to).collect();
                return Err(format!(
                    "partition {partition} [{begin}, {to}) has {found:?}, not {expected:?}"
                ));
            }
        }
        if let Some(partition) = rows.keys().next() {
            return Err(format!("rows of partition {partition}, which has no range"));
        }
        self.read_to(input, entry)?;
        match lake.files.get(entry.file) {
            Some(file) if file.removed => Err(format!("file {} was removed", entry.file)),
            Some(file) if entry.signed_ms - file.created_ms > deadline_ms => {
                Err(format!("file {} was {} ms old", entry.file, entry.signed_ms - file.created_ms))
            }
            Some(_) => Ok(()),
            None => Err(format!("no file {}", entry.file)),
        }
    }

    fn read_to(&self, input: &[Log], entry: &Entry) -> Result<(), String> {
        for (partition, time_ms) in &entry.read_to {
            let Some(log) = input.get(*partition) else {
                return Err(format!("no partition {partition}"));
            };
            let stored = self.stored.get(partition).copied().unwrap_or(log.first);
            let needed = log.end_before(*time_ms);
            if stored < needed {
                return Err(format!(
                    "partition {partition} claims to be read to {time_ms}, which is {needed}, at {stored}"
                ));
            }
        }
        Ok(())
    }
}
