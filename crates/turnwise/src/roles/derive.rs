//! The derive role: on a timer, what new rows touched is derived again.
//!
//! ```text
//! events @ version ─ changes ─▶ dates ─▶ days ─▶ sender_days that came out otherwise
//!                                          └──▶ their window ends ─▶ features ─▶ verdicts ─▶ flags
//! ```
//!
//! Nothing that it remembers has to last: the first look after a start derives every day within the
//! retention of tokens again. That may take long, so the loop beats after each step of it, and reads
//! the files of a newer version where those of the first may be gone soon. A second process that
//! does the same is harmless: the versions that results stand on never fall.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use metrics::{counter, gauge, histogram};
use turnwise_lake::{FileFilter, FileInfo, LakeError, Table};
use turnwise_model::limits::{ORPHAN_RETENTION_MS, SERVE_LOOK_MS};
use turnwise_model::schema::column;
use turnwise_model::time::{FLAG_DAYS, TOKEN_RETENTION_DAYS};
use turnwise_model::{Day, Millis};
use turnwise_query::derived::{Basis, SENDER_FEATURES, VERDICTS};
use turnwise_query::seen::{Changed, Seen};
use turnwise_query::touched::{days_of_dates, ends_of_days};
use turnwise_query::verdicts;
use turnwise_query::windows::{Since, senders_of};
use turnwise_query::{Conversations, Senders};

use crate::clock;
use crate::panics;
use crate::roles::publish::Publisher;
use crate::roles::{Shared, today};
use crate::writer::{self, READ_TO};

/// The part's name in probes.
const PART: &str = "derive";
/// A step of a look that takes so long is dead.
const STUCK_MS: i64 = 900_000;
/// Commits that are looked at after a start to learn how far partitions were read.
const COMMITS_LOOKED_AT: u64 = 2_000;
/// Files of a version are not read any more so long after it was looked at: of those that were
/// replaced since, none is gone yet.
const FILES_OLD_AFTER: Duration = Duration::from_millis(ORPHAN_RETENTION_MS as u64 / 4);

/// Runs the timer: derives, then publishes, as the process's roles ask.
pub(crate) async fn run(shared: Arc<Shared>, derives: bool, serves: bool) -> anyhow::Result<()> {
    let every = Duration::from_secs(shared.config.derive_interval_s);
    let mut deriver = Deriver::open(Arc::clone(&shared)).await?;
    let mut publisher = Publisher::open(Arc::clone(&shared)).await?;
    shared.health.set_ready(PART, false);
    // It rests for an interval, too.
    let interval_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    shared.health.watch(PART, STUCK_MS.saturating_add(interval_ms), clock::now());
    gauge!("turnwise_derive_interval_seconds").set(every.as_secs_f64());
    while !shared.stop.is_set() {
        let (began, started) = (clock::now(), Instant::now());
        let looked = look(&mut deriver, &mut publisher, derives, serves).await;
        match looked {
            Ok(()) => {
                shared.health.set_ready(PART, true);
                told(began);
            }
            Err(error) => {
                counter!("turnwise_derive_failures_total").increment(1);
                tracing::error!("derive: {error:#}");
            }
        }
        shared.health.beat(PART, clock::now());
        let rest = pause(every, started.elapsed());
        let rest = async {
            match derives {
                true => tokio::time::sleep(rest).await,
                false => wait_for_others(&mut publisher, rest).await,
            }
        };
        tokio::select! {
            () = rest => {}
            () = shared.stop.wait() => {}
        }
    }
    shared.health.set_ready(PART, false);
    shared.health.unwatch(PART);
    Ok(())
}

/// How long the timer rests after a look that took so long: the next one begins an interval after it
/// began, but others are left a quarter of its time first, at most an interval.
fn pause(every: Duration, took: Duration) -> Duration {
    every.saturating_sub(took).max((took / 4).min(every))
}

/// Rests, but no longer than until another process has derived something.
async fn wait_for_others(publisher: &mut Publisher, rest: Duration) {
    let (began, each) = (Instant::now(), Duration::from_millis(SERVE_LOOK_MS));
    while let Some(left) = rest.checked_sub(began.elapsed()) {
        tokio::time::sleep(left.min(each)).await;
        match publisher.has_news().await {
            Ok(true) => return,
            Ok(false) => {}
            // If it lasts, the look that comes after the rest fails of it too, and says so.
            Err(error) => tracing::debug!("look for verdicts: {error:#}"),
        }
    }
}

async fn look(
    deriver: &mut Deriver,
    publisher: &mut Publisher,
    derives: bool,
    serves: bool,
) -> anyhow::Result<()> {
    let mut publisher = serves.then_some(publisher);
    if derives {
        deriver.tick(today(), publisher.as_deref_mut()).await?;
    } else {
        deriver.look().await?;
    }
    match publisher {
        Some(publisher) => publish(publisher, deriver.read_to()).await,
        None => Ok(()),
    }
}

async fn publish(publisher: &mut Publisher, read_to: Option<Millis>) -> anyhow::Result<()> {
    timed("publish", publisher.publish(read_to)).await
}

/// Runs a stage of a look and tells how long it took.
async fn timed<T>(stage: &'static str, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let done = work.await;
    let seconds = started.elapsed().as_secs_f64();
    histogram!("turnwise_derive_stage_duration_seconds", "stage" => stage).record(seconds);
    done
}

#[expect(clippy::cast_precision_loss, reason = "seconds are shown, not computed with")]
fn told(began: Millis) {
    let now = clock::now();
    histogram!("turnwise_derive_duration_seconds").record((now.0 - began.0) as f64 / 1_000.0);
    gauge!("turnwise_derive_last_success_timestamp_seconds").set(now.0 as f64 / 1_000.0);
}

/// Derives what new rows touched.
pub(crate) struct Deriver {
    shared: Arc<Shared>,
    events: Arc<Table>,
    /// What was derived last.
    seen: Seen,
    /// The version that was derived last.
    done: Option<u64>,
    /// The last midnight whose windows were judged.
    judged: Option<Day>,
    /// Windows judged before every partition was read past their ends.
    open: BTreeSet<Day>,
    /// Windows whose features stand as they were derived here, and the version that they stand on.
    stood: BTreeMap<Day, u64>,
    /// The last tick did not end well: rows that are new to it may be missing in what stands.
    is_unsure: bool,
    /// How far each partition was read.
    read_to: BTreeMap<String, Millis>,
    /// The version up to which `read_to` was learned.
    learned: Option<u64>,
}

/// One version of `events`, and what came since the one before.
struct Look {
    version: u64,
    files: Vec<FileInfo>,
    /// Dates of new rows; all dates where the log does not tell any more.
    dates: BTreeSet<Day>,
    /// Files of new rows; none where the log does not tell any more.
    new: Option<Vec<FileInfo>>,
}

impl Deriver {
    /// Over the lake's `events`.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub(crate) async fn open(shared: Arc<Shared>) -> anyhow::Result<Self> {
        let lake = shared.lake.clone();
        let events = blocking(move || Ok(Arc::new(writer::events_table(&lake)?))).await?;
        Ok(Self {
            shared,
            events,
            seen: Seen::default(),
            done: None,
            judged: None,
            open: BTreeSet::new(),
            stood: BTreeMap::new(),
            is_unsure: true,
            read_to: BTreeMap::new(),
            learned: None,
        })
    }

    /// Every partition was read up to here, as far as the log tells.
    pub(crate) fn read_to(&self) -> Option<Millis> {
        self.read_to.values().copied().min()
    }

    /// Whether more may still come into the window.
    fn is_provisional(&self, end: Day) -> bool {
        self.read_to().is_none_or(|read| read < end.start())
    }

    /// Learns how far partitions were read.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub(crate) async fn look(&mut self) -> anyhow::Result<()> {
        let (events, learned) = (Arc::clone(&self.events), self.learned);
        let (version, told) = blocking(move || {
            let version = events.refresh()?;
            let after = learned.unwrap_or(version.saturating_sub(COMMITS_LOOKED_AT));
            let changes = match events.changes(after, version) {
                Ok(changes) => changes,
                Err(LakeError::LogGone { .. }) => Vec::new(),
                Err(error) => return Err(error),
            };
            let told = changes.into_iter().filter_map(|mut change| change.info.remove(READ_TO));
            Ok((version, told.collect::<Vec<_>>()))
        })
        .await
        .context("look at commits")?;
        self.learned = Some(version);
        for text in told {
            let times: BTreeMap<String, i64> =
                serde_json::from_str(&text).context("read how far partitions were read")?;
            self.read_to.extend(times.into_iter().map(|(app, time)| (app, Millis(time))));
        }
        Ok(())
    }

    /// Derives what came since the last tick; `today` is the day that the next midnight ends. The
    /// newest window comes first and is published before the others are derived.
    ///
    /// # Errors
    /// A lake that cannot be read or written; a plan that cannot be run. The next tick tries again.
    pub(crate) async fn tick(
        &mut self,
        today: Day,
        mut publisher: Option<&mut Publisher>,
    ) -> anyhow::Result<()> {
        self.look().await?;
        let look = self.new_rows().await?;
        let touched = match look.new.as_deref().filter(|_| !self.is_unsure) {
            Some(new) => timed("senders", self.senders(new)).await,
            None => None,
        };
        let was_unsure = std::mem::replace(&mut self.is_unsure, true);
        let next = Day(today.0 + 1);
        let mut days = days_of_dates(&look.dates, today);
        if let Some(judged) = self.judged {
            // Rows may be dated a little ahead: days that were still to come when theirs was
            // looked at.
            days.extend((judged.0..=today.0).map(Day));
        }
        let now_ms = clock::now().0;
        // A result of the same version is written again where the scorecard may be another, or only
        // some of what the last tick derived may stand.
        let force_equal = self.done.is_none() || was_unsure;
        let basis = Basis { version: look.version, force_equal, now_ms };
        let replaced = timed("days", self.days(look.files, &days, basis, touched.as_ref()));
        let (changed, days_stand) = replaced.await.context("derive days")?;
        let mut stands = days_stand;
        let days = changed.days();
        let mut ends = ends_of_days(&days, today);
        if self.judged != Some(next) {
            // A midnight has passed: its window is no longer the next one.
            ends.extend([today, next]);
        }
        ends.extend(self.open.iter().filter(|end| !self.is_provisional(**end)));
        for end in ends.iter().rev() {
            if self.stood.get(end) == Some(&look.version) {
                continue;
            }
            let version = self.stood.remove(end);
            let since = version.zip(touched.as_ref());
            let since = since.map(|(version, touched)| Since { version, touched });
            let window = self.window(*end, since, basis).await;
            let window =
                window.with_context(|| format!("derive the window that ends on {}", end.iso()))?;
            if window && days_stand {
                self.stood.insert(*end, look.version);
            }
            stands &= window;
            self.beat();
            if let Some(publisher) = publisher.take() {
                // What is derived does not depend on it, and it is tried again after the look.
                if let Err(error) = publish(publisher, self.read_to()).await {
                    tracing::warn!("publish the newest window: {error:#}");
                }
            }
        }
        for end in &ends {
            if self.is_provisional(*end) {
                self.open.insert(*end);
            } else {
                self.open.remove(end);
            }
        }
        stands &= timed("flags", self.flags(&ends, basis)).await.context("derive flags")?;
        if !ends.is_empty() {
            let (days, windows) = (days.len(), ends.len());
            tracing::info!(version = look.version, days, windows, "derived");
        }
        if self.judged != Some(next) {
            let oldest = Day(today.0 - TOKEN_RETENTION_DAYS);
            let dropped = self.shared.derived.drop_tokens(oldest, now_ms).await;
            dropped.context("drop tokens of old days")?;
        }
        if stands {
            self.seen.keep(changed);
            self.is_unsure = false;
        }
        self.stood = self.stood.split_off(&Day(next.0 - FLAG_DAYS));
        self.seen.forget_before(Day(today.0 - TOKEN_RETENTION_DAYS));
        self.done = Some(look.version);
        self.judged = Some(next);
        Ok(())
    }

    /// Derives these days, some at a time; what changed, and whether it stands.
    async fn days(
        &mut self,
        mut files: Vec<FileInfo>,
        days: &BTreeSet<Day>,
        mut basis: Basis,
        touched: Option<&Arc<Senders>>,
    ) -> anyhow::Result<(Changed, bool)> {
        let (mut changed, mut stands) = (Changed::default(), true);
        let mut looked = Instant::now();
        for chunk in Conversations::new(&files).chunks(days) {
            if looked.elapsed() > FILES_OLD_AFTER {
                // What is newer than the version of the look is derived again by the next.
                looked = Instant::now();
                (basis.version, files) = self.files().await?;
            }
            let days = days.range(chunk).copied().collect();
            let derived = &self.shared.derived;
            let (of_chunk, stand) =
                derived.replace_days(&files, &days, basis, &mut self.seen, touched).await?;
            changed.extend(of_chunk);
            stands &= stand;
            self.beat();
        }
        Ok((changed, stands))
    }

    fn beat(&self) {
        self.shared.health.beat(PART, clock::now());
    }

    /// The newest version of `events`, and its files.
    async fn files(&self) -> anyhow::Result<(u64, Vec<FileInfo>)> {
        let events = Arc::clone(&self.events);
        blocking(move || {
            events.refresh()?;
            let snapshot = events.snapshot(None)?;
            Ok((snapshot.version(), snapshot.files(&FileFilter::all())?))
        })
        .await
        .context("list files")
    }

    async fn new_rows(&self) -> anyhow::Result<Look> {
        let (events, done) = (Arc::clone(&self.events), self.done);
        blocking(move || {
            let snapshot = events.snapshot(None)?;
            let files = snapshot.files(&FileFilter::all())?;
            let version = snapshot.version();
            let new = match done.map(|done| events.changes(done, version)) {
                None | Some(Err(LakeError::LogGone { .. })) => None,
                Some(Err(error)) => return Err(error),
                Some(Ok(changes)) => {
                    let new = changes.into_iter().filter(|change| change.data_change);
                    Some(new.flat_map(|change| change.added).filter(decides).collect::<Vec<_>>())
                }
            };
            let deciding = files.iter().filter(|file| decides(file));
            let dates = match &new {
                None => deciding.filter_map(date).collect(),
                Some(new) => new.iter().filter_map(date).collect(),
            };
            Ok(Look { version, files, dates, new })
        })
        .await
        .context("find new rows")
    }

    /// The senders of new rows; none where it cannot be told, for files that compaction replaced may
    /// be gone already.
    async fn senders(&self, new: &[FileInfo]) -> Option<Arc<Senders>> {
        let senders = senders_of(self.shared.derived.engine(), new).await;
        let senders = senders.inspect_err(|error| tracing::info!("derive all senders: {error}"));
        senders.ok().map(Arc::new)
    }

    /// Derives a window, of which some may stand; whether it stands.
    async fn window(
        &self,
        end: Day,
        since: Option<Since<'_>>,
        basis: Basis,
    ) -> anyhow::Result<bool> {
        let derived = &self.shared.derived;
        let features = timed("features", derived.features_of_end(end, since)).await?;
        if features.iter().all(|batch| batch.num_rows() == 0) {
            return Ok(true);
        }
        let ends = BTreeSet::from([end]);
        let written = derived.replace_windows(SENDER_FEATURES, &ends, &features, basis);
        let provisional = |end| self.is_provisional(end);
        // Judged while they are written.
        let judged =
            async { verdicts::verdict_rows(&features, &self.shared.scorecard, &provisional) };
        let (stands, rows) = tokio::try_join!(timed("write_features", written), judged)?;
        let written = derived.replace_windows(VERDICTS, &ends, &rows, basis);
        Ok(timed("write_verdicts", written).await? && stands)
    }

    /// Replays flags of every midnight that a verdict of these ends may change; of none while they
    /// are all provisional. Whether they stand.
    async fn flags(&self, ends: &BTreeSet<Day>, basis: Basis) -> anyhow::Result<bool> {
        let first = ends.first().filter(|first| !self.is_provisional(**first));
        let Some(first) = first else { return Ok(true) };
        Ok(self.shared.derived.replace_flags(*first, basis).await?)
    }
}

/// Whether a file's rows decide conversations.
fn decides(file: &FileInfo) -> bool {
    let kind = file.partition_values.get(column::KIND).and_then(Option::as_deref);
    matches!(kind, Some("message" | "status" | "account"))
}

fn date(file: &FileInfo) -> Option<Day> {
    Day::parse_iso(file.partition_values.get(column::DATE)?.as_deref()?)
}

/// Runs blocking calls of the lake off the timer's thread.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LakeError> + Send + 'static,
) -> anyhow::Result<T> {
    Ok(panics::joined(tokio::task::spawn_blocking(work).await, "a call of the lake")??)
}

#[cfg(test)]
mod tests;
