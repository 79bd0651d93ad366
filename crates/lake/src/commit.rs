//! Appends with offsets (law 2).

use std::collections::{BTreeMap, HashMap};

use crate::error::Result;
use crate::kernel::{Removes, Write};
use crate::stage::Staged;
use crate::table::{End, Step, Table};

/// One partition's move in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Txn {
    /// The application id: names the partition, as law 2 says.
    pub app: String,
    /// Where reading began: the commit is only made while the table is here. `None` where
    /// the table knew no offset.
    pub expected: Option<i64>,
    /// The next offset to read.
    pub to: i64,
}

/// How a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// The rows and offsets are in the table.
    Committed {
        /// The version that holds them.
        version: u64,
    },
    /// They had been before, by an attempt whose answer was lost.
    AlreadyIn,
    /// Others moved these partitions: cut their rows out, seek, commit the rest.
    Lost {
        /// Their application ids, in the order given.
        apps: Vec<String>,
    },
    /// Staged too long ago: drop it and read again.
    Expired,
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Commit,
    AlreadyIn,
    Lost(Vec<String>),
}

/// Law 2 for one look at the stored offsets.
fn decide(txns: &[Txn], stored: &HashMap<String, i64>) -> Decision {
    let stored = |txn: &Txn| stored.get(&txn.app).copied();
    if txns.iter().all(|txn| stored(txn) == txn.expected) {
        return Decision::Commit;
    }
    if txns.iter().all(|txn| stored(txn) == Some(txn.to)) {
        return Decision::AlreadyIn;
    }
    // Offsets move together with the rows, so a partition at its `to` beside one that is
    // not was brought there by another: its rows must be cut out too.
    let lost = txns.iter().filter(|txn| stored(txn) != txn.expected);
    Decision::Lost(lost.map(|txn| txn.app.clone()).collect())
}

impl Table {
    /// Adds the staged files and moves the offsets, all or nothing, if every partition still
    /// stands where reading began.
    ///
    /// # Errors
    /// [`crate::LakeError::Contended`] where no attempt got a clear answer: whether the rows
    /// are in is told by the offsets when the table can be read again.
    pub fn commit(
        &self,
        staged: &Staged,
        txns: &[Txn],
        info: &BTreeMap<String, String>,
        now_ms: i64,
    ) -> Result<CommitOutcome> {
        let watch = txns.is_empty();
        let end = self.drive(staged, watch, now_ms, &mut |view| {
            Ok(match decide(txns, &view.transactions) {
                Decision::Commit => Step::Try(Write {
                    adds: &staged.files,
                    removes: Removes::default(),
                    transactions: txns.iter().map(|txn| (txn.app.clone(), txn.to)).collect(),
                    info,
                    data_change: true,
                }),
                _ if !view.fresh => Step::Refresh,
                Decision::AlreadyIn => Step::Done(CommitOutcome::AlreadyIn),
                Decision::Lost(apps) => Step::Done(CommitOutcome::Lost { apps }),
            })
        })?;
        Ok(match end {
            End::Done(outcome) => outcome,
            End::Committed(version) => CommitOutcome::Committed { version },
            End::Found => CommitOutcome::AlreadyIn,
            End::Expired => CommitOutcome::Expired,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn txn(app: &str, expected: Option<i64>, to: i64) -> Txn {
        Txn { app: app.to_owned(), expected, to }
    }

    #[test]
    fn offsets_alone_decide() {
        let stored = HashMap::from([("a".to_owned(), 10), ("b".to_owned(), 20)]);
        let check = |txns: &[Txn], expected| assert_eq!(decide(txns, &stored), expected);
        let lost = |apps: &[&str]| Decision::Lost(apps.iter().map(ToString::to_string).collect());
        check(&[txn("a", Some(10), 15), txn("new", None, 3)], Decision::Commit);
        check(&[txn("a", Some(5), 10), txn("b", Some(0), 20)], Decision::AlreadyIn);
        check(&[txn("a", Some(5), 9), txn("b", Some(20), 30)], lost(&["a"]));
        check(&[txn("a", Some(5), 10), txn("b", Some(20), 30)], lost(&["a"]));
        check(&[txn("a", None, 5), txn("b", Some(7), 8)], lost(&["a", "b"]));
        // A beat without records: nothing moves, so it may be written again.
        check(&[txn("a", Some(10), 10)], Decision::Commit);
    }
}
