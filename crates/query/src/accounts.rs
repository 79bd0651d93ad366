//! The account (WABA) that each sender's newest rows name.
//!
//! ```text
//! files of events ─▶ newest name of each sender and day ─▶ that of the newest day of a window
//! ```
//!
//! What is known of some files stays true whatever others say, so files that are new, or that
//! compaction wrote, are added to it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
use turnwise_lake::FileInfo;
use turnwise_model::Day;
use turnwise_model::schema::column;

use crate::derive::{Window, collect, register_events, without_comments};
use crate::engine::Engine;
use crate::error::QueryError;

/// The accounts of senders, day by day: some 100 bytes for each sender and day.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    senders: BTreeMap<String, BTreeMap<Day, Named>>,
}

/// The account that a sender's newest row of a day names.
#[derive(Clone, Debug)]
struct Named {
    /// Microseconds since 1970.
    time: i64,
    account: String,
}

impl Named {
    /// Whether it stands rather than the other: it is newer, or of ties the smaller one.
    fn outranks(&self, other: &Self) -> bool {
        (other.time, &self.account) < (self.time, &other.account)
    }
}

impl Accounts {
    /// What rows of `files`, files of `events`, say of the senders of windows in them.
    ///
    /// # Errors
    /// A plan that cannot be run.
    pub async fn of_windows(
        engine: &Engine,
        files: &[FileInfo],
        windows: &[Window],
    ) -> Result<Self, QueryError> {
        let mut days: BTreeMap<&str, Vec<Range<i32>>> = BTreeMap::new();
        for window in windows {
            days.entry(&window.sender).or_default().push(window.days());
        }
        let mut by_date: BTreeMap<Option<&str>, Vec<FileInfo>> = BTreeMap::new();
        for file in files {
            let date = file.partition_values.get(column::DATE).and_then(Option::as_deref);
            by_date.entry(date).or_default().push(file.clone());
        }
        let mut accounts = Self::default();
        // A date at a time, so that no more is held than windows need and a date's.
        for files in by_date.values() {
            accounts.add(engine, files).await?;
            accounts.senders.retain(|sender, named| {
                let Some(windows) = days.get(sender.as_str()) else { return false };
                named.retain(|day, _| windows.iter().any(|window| window.contains(&day.0)));
                !named.is_empty()
            });
        }
        Ok(accounts)
    }

    /// Adds what rows of `files`, files of `events`, say; whether it was anything new.
    ///
    /// # Errors
    /// A plan that cannot be run; then nothing was added.
    pub async fn add(&mut self, engine: &Engine, files: &[FileInfo]) -> Result<bool, QueryError> {
        let context = engine.session();
        register_events(&context, files)?;
        let sql = without_comments(include_str!("sql/accounts.sql"));
        let mut is_new = false;
        for batch in collect(&context, &sql, "find the account of each sender").await? {
            let senders = batch["sender"].as_string::<i32>();
            let days = batch[column::DATE].as_primitive::<Date32Type>();
            let accounts = batch["waba_id"].as_string::<i32>();
            let times = batch["time"].as_primitive::<TimestampMicrosecondType>();
            for row in 0..batch.num_rows() {
                let account = accounts.value(row).to_owned();
                let named = Named { time: times.value(row), account };
                is_new |= self.put(senders.value(row), Day(days.value(row)), named);
            }
        }
        Ok(is_new)
    }

    /// Keeps a name if it stands; whether the account of the day is another now.
    fn put(&mut self, sender: &str, day: Day, named: Named) -> bool {
        let days = match self.senders.get_mut(sender) {
            Some(days) => days,
            None => self.senders.entry(sender.to_owned()).or_default(),
        };
        match days.entry(day) {
            Entry::Vacant(place) => {
                place.insert(named);
                true
            }
            Entry::Occupied(mut place) if named.outranks(place.get()) => {
                let is_other = place.get().account != named.account;
                place.insert(named);
                is_other
            }
            Entry::Occupied(_) => false,
        }
    }

    /// The account that the newest row of the window's sender in it names, of ties the smallest.
    #[must_use]
    pub fn of(&self, window: &Window) -> Option<&str> {
        let days = window.days();
        let named = self.senders.get(&window.sender)?.range(Day(days.start)..Day(days.end));
        Some(&named.last()?.1.account)
    }

    /// Forgets days before this one.
    pub fn forget_before(&mut self, day: Day) {
        self.senders.retain(|_, days| {
            *days = days.split_off(&day);
            !days.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_name_of_the_window_stands_and_of_ties_the_smallest() {
        let names = [(3, 30, "c"), (3, 31, "b"), (3, 31, "a"), (9, 90, "z"), (1, 10, "old")];
        for turned in 0..names.len() {
            let mut accounts = Accounts::default();
            let (behind, first) = names.split_at(turned);
            for (day, time, account) in first.iter().chain(behind) {
                let named = Named { time: *time, account: (*account).to_owned() };
                accounts.put("s", Day(*day), named);
            }
            // The same again is nothing new, nor is a later time of the same account.
            for time in [90, 95] {
                let named = Named { time, account: "z".to_owned() };
                assert!(!accounts.put("s", Day(9), named));
            }
            let of = |accounts: &Accounts, sender: &str, end| {
                let window = Window { sender: sender.to_owned(), end: Day(end) };
                accounts.of(&window).map(str::to_owned)
            };
            assert_eq!(of(&accounts, "s", 9).as_deref(), Some("a"));
            assert_eq!(of(&accounts, "s", 10).as_deref(), Some("z"));
            assert_eq!(of(&accounts, "s", 3).as_deref(), Some("old"));
            assert_eq!(of(&accounts, "s", 1), None);
            assert_eq!(of(&accounts, "t", 9), None);
            accounts.forget_before(Day(4));
            assert_eq!(of(&accounts, "s", 9), None);
            accounts.forget_before(Day(10));
            assert!(accounts.senders.is_empty());
        }
    }
}
