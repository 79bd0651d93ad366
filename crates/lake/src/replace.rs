//! Replaces what a table holds of some partitions: for derived tables.
//!
//! The version of what a result stands on must not fall, so a slow second run never
//! overwrites a newer result.

use std::collections::{BTreeMap, HashMap};

use crate::error::Result;
use crate::file::FileInfo;
use crate::kernel::Write;
use crate::stage::Staged;
use crate::table::{End, Step, Table};

/// A version that must not fall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloorTxn {
    /// The application id: names the part of the table that is replaced.
    pub app: String,
    /// The version that the result stands on.
    pub to: i64,
    /// Whether a result on the same version may be replaced: only where another scorecard,
    /// policy table or senders file made it.
    pub force_equal: bool,
}

/// How a replacement ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplaceOutcome {
    /// The table holds the new files instead of the old.
    Committed {
        /// The version that does.
        version: u64,
    },
    /// It did before, by an attempt whose answer was lost.
    AlreadyIn,
    /// The table holds as new or newer results.
    Stale {
        /// Their application ids, in the order given.
        apps: Vec<String>,
    },
    /// Staged too long ago: derive again.
    Expired,
}

fn stale(txns: &[FloorTxn], stored: &HashMap<String, i64>) -> Vec<String> {
    let newer = |txn: &&FloorTxn| {
        stored
            .get(&txn.app)
            .is_some_and(|stored| *stored > txn.to || (*stored == txn.to && !txn.force_equal))
    };
    txns.iter().filter(newer).map(|txn| txn.app.clone()).collect()
}

impl Table {
    /// Removes every file that `remove` names and adds the staged ones, in one transaction,
    /// unless a version would fall. Meets another writer by planning again on its version.
    ///
    /// # Errors
    /// As [`Table::commit`].
    pub fn replace(
        &self,
        remove: &dyn Fn(&FileInfo) -> bool,
        staged: &Staged,
        txns: &[FloorTxn],
        info: &BTreeMap<String, String>,
        now_ms: i64,
    ) -> Result<ReplaceOutcome> {
        let end = self.drive(staged, true, now_ms, &mut |view| {
            if !view.fresh {
                return Ok(Step::Refresh);
            }
            let apps = stale(txns, &view.transactions);
            if !apps.is_empty() {
                return Ok(Step::Done(ReplaceOutcome::Stale { apps }));
            }
            let removes = self.shared().kernel.scan(&view.held, &mut |file| remove(&file))?;
            Ok(Step::Try(Write {
                adds: &staged.files,
                removes,
                transactions: txns.iter().map(|txn| (txn.app.clone(), txn.to)).collect(),
                info,
                data_change: true,
            }))
        })?;
        Ok(match end {
            End::Done(outcome) => outcome,
            End::Committed(version) => ReplaceOutcome::Committed { version },
            End::Found => ReplaceOutcome::AlreadyIn,
            End::Expired => ReplaceOutcome::Expired,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_never_falls_and_equal_needs_force() {
        let stored = HashMap::from([("a".to_owned(), 10)]);
        let check = |to, force_equal, expected: bool| {
            let txn = FloorTxn { app: "a".to_owned(), to, force_equal };
            assert_eq!(stale(&[txn], &stored).is_empty(), expected, "{to} {force_equal}");
        };
        check(11, false, true);
        check(10, false, false);
        check(10, true, true);
        check(9, true, false);
    }
}
