//! From the lake's events to judged senders, by the same plans as the derive role.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use datafusion::datasource::MemTable;
use turnwise_lake::{FileFilter, FileInfo, Lake, Table};
use turnwise_model::{Day, Millis};
use turnwise_policy::Scorecard;
use turnwise_query::accounts::Accounts;
use turnwise_query::answer::{self, SenderAnswer};
use turnwise_query::derive::{self, Window};
use turnwise_query::derived::{Basis, Derived, SENDER_FEATURES, VERDICTS};
use turnwise_query::seen::Seen;
use turnwise_query::{Conversations, Engine, EngineSettings, verdicts};

use crate::clock;

/// Judges every sender of a lake: each at the first midnight after its newest message, or all as
/// of one time. The derived tables are stored, except as of a time of the caller's.
///
/// # Errors
/// A lake that cannot be read or written; a plan that cannot be run.
pub(crate) async fn senders(
    lake: &Lake,
    table: &Arc<Table>,
    as_of: Option<Millis>,
    scorecard: &Scorecard,
) -> anyhow::Result<Vec<SenderAnswer>> {
    let (version, files) = events(table).await?;
    let engine = Engine::new(&EngineSettings::default(), lake)?;
    let derived = Derived::new(lake.clone(), engine.clone());
    let basis = Basis { version, force_equal: true, now_ms: clock::now().0 };
    let (windows, features) = match as_of {
        None => {
            let days: BTreeSet<Day> = Conversations::new(&files).days().collect();
            derived.replace_days(&files, &days, basis, &mut Seen::default(), None).await?;
            let windows = newest_windows(&derived, &days).await?;
            let features = derived.features(&windows).await?;
            (windows, features)
        }
        Some(last) => features_as_of(&engine, &files, last).await?,
    };
    let accounts = Accounts::of_windows(&engine, &files, &windows).await?;
    let answers = answer::answers(&features, &accounts, scorecard)?;
    if as_of.is_none() && !answers.is_empty() {
        let ends: BTreeSet<Day> = windows.iter().map(|window| window.end).collect();
        derived.replace_windows(SENDER_FEATURES, &ends, &features, basis).await?;
        let rows = verdicts::verdict_rows(&features, scorecard, &|_| false)?;
        derived.replace_windows(VERDICTS, &ends, &rows, basis).await?;
    }
    Ok(answers)
}

/// The newest version of `events` and its files.
async fn events(table: &Arc<Table>) -> anyhow::Result<(u64, Vec<FileInfo>)> {
    let table = Arc::clone(table);
    let read = tokio::task::spawn_blocking(move || {
        table.refresh()?;
        let snapshot = table.snapshot(None)?;
        Ok::<_, turnwise_lake::LakeError>((snapshot.version(), snapshot.files(&FileFilter::all())?))
    });
    read.await.context("read events")?.context("read events")
}

/// For each sender the window that ends with the first midnight after its newest message.
async fn newest_windows(derived: &Derived, days: &BTreeSet<Day>) -> anyhow::Result<Vec<Window>> {
    let Some((first, last)) = days.first().zip(days.last()) else { return Ok(Vec::new()) };
    let stored = derived.sender_days(first.0..last.0 + 1).await?;
    let newest = derive::newest_messages(derived.engine(), Arc::new(stored)).await?;
    Ok(newest
        .into_iter()
        .map(|(sender, at)| Window { sender, end: at.next_midnight().day() })
        .collect())
}

/// Windows of all senders that end with the first midnight at or after a time, of rows up to it.
async fn features_as_of(
    engine: &Engine,
    files: &[FileInfo],
    last: Millis,
) -> anyhow::Result<(Vec<Window>, Vec<arrow::record_batch::RecordBatch>)> {
    let end = last.midnight_at_or_after().day();
    let conversations = Arc::new(Conversations::new(files).until(last));
    let of_window = Window { sender: String::new(), end }.days();
    let days = conversations.days().filter(|day| of_window.contains(&day.0)).collect();
    let rows = derive::sender_days(engine, conversations, &days).await?;
    let Some(first) = rows.first() else { return Ok((Vec::new(), Vec::new())) };
    let stored = Arc::new(MemTable::try_new(first.schema(), vec![rows])?);
    let newest: BTreeMap<_, _> = derive::newest_messages(engine, Arc::clone(&stored) as _).await?;
    let windows: Vec<Window> = newest.into_keys().map(|sender| Window { sender, end }).collect();
    let features = derive::sender_features(engine, stored, &windows).await?;
    Ok((windows, features))
}
