//! In how many shares the senders of some days are folded, and who is of which.
//!
//! A share should hold half as many rows as one fold may: senders differ, so few shares have more
//! than all. Where some senders are named, their rows count; how many these are tells the column of
//! senders of some files.
//!
//! Where sorted files tell which senders their pages begin with, shares are ranges of names, of
//! about as many rows each: of sorted files a share then reads its own part, so all shares together
//! read them hardly more than once. Where some senders are named, ranges have as many of them each.
//! Else a hash says who is of which, and each share reads all.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::parquet::file::page_index::column_index::ColumnIndexMetaData;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use turnwise_lake::FileInfo;
use turnwise_model::limits::{FOLD_ROWS_MAX, FOLD_SHARES_MAX};
use turnwise_model::schema::{column, file_schema};

use super::needed::{Needed, NeededFile};
use crate::fold_exec::{Between, FOLD_KINDS, Senders, Share, named};
use crate::lake_table::{LakeTable, metadata};

/// Beginnings of pages that are looked for, a share. Between two of them nobody knows how the rows
/// are spread.
const PAGES_WANTED: usize = 16;
/// Beginnings of pages, a share, of which fewer tell nothing.
const PAGES_MIN: usize = 2;
/// Files whose pages are looked at.
const FILES_LOOKED_AT: usize = 64;

/// The sender that rows of a page begin with, and how many these are.
type PageStart = (String, u64);

/// The shares that the senders of some days are folded in, of which no more than so many rows
/// should be held: one of all, if they fit.
pub(super) async fn shares(
    state: &dyn Session,
    needed: &Needed<'_>,
    only: Option<&Arc<Senders>>,
    rows_max: u64,
) -> Result<Vec<Share>> {
    let mut rows = needed.rows_held();
    if let Some(only) = only.filter(|_| rows > rows_max) {
        rows = rows_of_named(state, &needed.held, only).await?;
    }
    let of = count(rows, rows_max);
    let share = |number: usize, of: u32, between: Between| {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Share { number, of, between, only: only.cloned() }
    };
    if of > 1 {
        let names = match only {
            Some(only) => evenly(only, of),
            None => names_between(state, &needed.sorted(), of).await?,
        };
        // One sender is not dealt.
        if only.is_some() || !names.is_empty() {
            let ranges = Between::all_of(names);
            let of = u32::try_from(ranges.len()).unwrap_or(u32::MAX);
            let shares = ranges.into_iter().enumerate();
            return Ok(shares.map(|(number, between)| share(number, of, between)).collect());
        }
    }
    Ok((0..of as usize).map(|number| share(number, of, Between::default())).collect())
}

fn count(rows: u64, rows_max: u64) -> u32 {
    let of_share = if rows > rows_max { rows_max.div_ceil(2) } else { rows };
    let shares = rows.div_ceil(of_share.max(1));
    u32::try_from(shares).unwrap_or(u32::MAX).clamp(1, FOLD_SHARES_MAX)
}

/// The rows of these senders in files whose rows are held, about: some of the files stand for all,
/// where all have more rows than a look should take.
async fn rows_of_named(
    state: &dyn Session,
    held: &[NeededFile<'_>],
    senders: &Senders,
) -> Result<u64> {
    let in_files: u64 = held.iter().filter_map(|needed| needed.file.num_records).sum();
    let every = usize::try_from(in_files.div_ceil(FOLD_ROWS_MAX).max(1)).unwrap_or(usize::MAX);
    let (mut all, mut of_named) = (0_u64, 0_u64);
    for kind in FOLD_KINDS {
        let of_kind = held.iter().step_by(every).filter(|needed| needed.kind == kind);
        let files = of_kind.map(|needed| needed.file.clone()).collect();
        let table = LakeTable::new(file_schema(kind), Vec::new(), files);
        let sender = file_schema(kind).index_of(column::SENDER)?;
        let plan = table.plan(state, Some(&vec![sender]), &[])?;
        let mut batches = execute_stream(plan, state.task_ctx())?;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            all += batch.num_rows() as u64;
            of_named += named(senders, batch.column(0)).count_set_bits() as u64;
        }
    }
    let held = u128::from(held.iter().map(|needed| needed.rows).sum::<u64>());
    let rows = (held * u128::from(of_named)).div_ceil(u128::from(all.max(1)));
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}

/// Names of senders that lie between so many shares or fewer; none where files do not tell.
async fn names_between(
    state: &dyn Session,
    files: &[&FileInfo],
    shares: u32,
) -> Result<Vec<String>> {
    let mut starts = Vec::new();
    for file in files.iter().take(FILES_LOOKED_AT) {
        if starts.len() >= PAGES_WANTED * shares as usize {
            break;
        }
        starts.extend(page_starts(metadata(state, file).await?.as_ref()));
    }
    Ok(split(starts, shares))
}

/// Names of so many senders between shares or fewer, with as many of the senders each.
fn evenly(senders: &Senders, shares: u32) -> Vec<String> {
    let mut names: Vec<&String> = senders.iter().collect();
    names.sort_unstable();
    let at = |nth: u32| nth as usize * names.len() / shares as usize;
    let mut between: Vec<String> =
        (1..shares).map(at).filter(|at| *at > 0).map(|at| names[at].clone()).collect();
    between.dedup();
    between
}

/// The first sender of each page that has one.
fn page_starts(file: &ParquetMetaData) -> Vec<PageStart> {
    let indices = file.column_index().zip(file.offset_index());
    let Some((senders, offsets)) = indices else { return Vec::new() };
    let mut starts = Vec::new();
    for (nth, group) in file.row_groups().iter().enumerate() {
        let mut columns = group.columns().iter();
        let at = columns.position(|c| c.column_path().string() == column::SENDER);
        let Some(at) = at else { continue };
        let of_group = senders.get(nth).zip(offsets.get(nth));
        let of_column = of_group.and_then(|(s, o)| s.get(at).zip(o.get(at)));
        let Some((ColumnIndexMetaData::BYTE_ARRAY(senders), offsets)) = of_column else { continue };
        let firsts: Vec<i64> = offsets.page_locations().iter().map(|p| p.first_row_index).collect();
        let ends = firsts.iter().skip(1).copied().chain([group.num_rows()]);
        for (sender, (first, end)) in senders.min_values_iter().zip(firsts.iter().zip(ends)) {
            let sender = sender.and_then(|bytes| std::str::from_utf8(bytes).ok());
            let rows = end.saturating_sub(*first).max(0).unsigned_abs();
            starts.extend(sender.map(|sender| (sender.to_owned(), rows)));
        }
    }
    starts
}

/// Senders of some of these pages that come after about as many rows each, in order.
fn split(mut starts: Vec<PageStart>, shares: u32) -> Vec<String> {
    if starts.len() < PAGES_MIN * shares as usize {
        return Vec::new();
    }
    starts.sort_unstable();
    let shares = u128::from(shares);
    let all: u128 = starts.iter().map(|(_, rows)| u128::from(*rows)).sum();
    let mut names: Vec<String> = Vec::new();
    let (mut before, mut wanted, mut last) = (0, 1, None);
    for (sender, rows) in starts {
        // Pages that begin with one sender are not taken apart.
        let is_new = last.as_ref().is_some_and(|last| *last != sender);
        if is_new && before * shares >= wanted * all && wanted < shares {
            names.push(sender.clone());
            wanted = before * shares / all.max(1) + 1;
        }
        before += u128::from(rows);
        last = Some(sender);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(senders: impl Iterator<Item = u64>) -> Vec<PageStart> {
        senders.map(|sender| (format!("{sender:04}"), 100)).collect()
    }

    #[test]
    fn rows_that_do_not_fit_are_dealt_into_shares_of_half_of_what_fits() {
        let counts = [0, 1, 100, 101, 1_000].map(|rows| count(rows, 100));
        assert_eq!(counts, [1, 1, 1, 3, 20]);
        assert_eq!(count(u64::MAX, 100), FOLD_SHARES_MAX);
    }

    #[test]
    fn ranges_of_named_senders_have_as_many_of_them() {
        let named = |count: u32| (0..count).map(|nth| format!("{nth:02}")).collect::<Senders>();
        assert_eq!(evenly(&named(40), 4), ["10", "20", "30"]);
        assert_eq!(evenly(&named(3), 8), ["01", "02"]);
        assert_eq!(evenly(&named(1), 8), [""; 0]);
        assert_eq!(evenly(&named(0), 8), [""; 0]);
    }

    #[test]
    fn names_lie_after_about_as_many_rows_each() {
        assert_eq!(split(starts((0..400).rev()), 4), ["0100", "0200", "0300"]);
        // A sender of half of the rows is a share alone.
        let senders = (0..100).chain(std::iter::repeat_n(100, 200)).chain(101..201);
        assert_eq!(split(starts(senders), 4), ["0100", "0101"]);
        assert_eq!(split(starts(std::iter::repeat_n(7, 400)), 4), [""; 0]);
        // Too few pages tell nothing.
        assert_eq!(split(starts(0..7), 4), [""; 0]);
    }
}
