//! A table held at a version: going on from it, and the loop that every writer shares.
//!
//! A version is taken by creating its log entry, which only one writer can. Two traps:
//! another writer may have moved the table on (then creating fails), and the entries that
//! follow an old version may have been cleaned away (then creating would succeed in a hole
//! below the newest checkpoint). Log cleaning deletes in ascending order and never the
//! newest entry, so while the entry of the held version exists *after* a look found no entry
//! behind it, or after ours was created there, there was no hole. Where it is gone, ours fell
//! into a hole for certain: an entry is only cleaned away long after a later one was written.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arrow_schema::{Schema, SchemaRef};
use turnwise_model::limits::{CHECKPOINT_EVERY, COMMIT_ATTEMPTS_MAX, COMMIT_DEADLINE_MS};
use url::Url;

use crate::backoff;
use crate::error::{LakeError, Result, Retry};
use crate::kernel::{Attempt, Held, Layout, Write};
use crate::lake::Shared;
use crate::log::{Change, Log};
use crate::snapshot::Snapshot;
use crate::stage::Staged;

/// Commits of others read one by one before the table is read anew from its checkpoint.
const CATCH_UP_MAX: usize = 2 * CHECKPOINT_EVERY as usize;
/// How long one call goes on trying a store that fails; a caller may have others to serve.
const STORE_PATIENCE: Duration = Duration::from_secs(5);
/// Own commits after which the held snapshot takes up newer checkpoints.
const CHAIN_MAX: u64 = CHECKPOINT_EVERY / 2;

/// A table. Reads and writes from several threads; writers of one handle take turns.
pub struct Table {
    shared: Arc<Shared>,
    name: String,
    url: Url,
    log: Log,
    schema: SchemaRef,
    layout: Layout,
    partition_columns: Vec<String>,
    /// Taken by whoever moves `state` on; `state` itself is only locked to look or swap.
    writing: Mutex<()>,
    state: Mutex<State>,
    /// The newest checkpoint seen; 0 where none was looked for.
    checkpoint: AtomicU64,
}

struct State {
    held: Held,
    transactions: Arc<HashMap<String, i64>>,
    chained: u64,
}

/// What a writer decides on.
pub(crate) struct View {
    pub(crate) held: Held,
    pub(crate) transactions: Arc<HashMap<String, i64>>,
    /// Whether the log was read in this call.
    pub(crate) fresh: bool,
    /// The paths of files that commits since the view before this one added or removed; `None`
    /// where those commits were not read.
    pub(crate) touched: Option<HashSet<String>>,
}

/// What going on to the newest version told.
struct News {
    /// Whether a commit on the way added one of the watched files.
    found: bool,
    /// As [`View::touched`].
    touched: Option<HashSet<String>>,
}

/// What a writer wants next.
pub(crate) enum Step<'a, O> {
    /// The answer is known.
    Done(O),
    /// Read the log first.
    Refresh,
    /// Try this transaction on top of the view.
    Try(Write<'a>),
}

/// How the loop ended.
pub(crate) enum End<O> {
    Done(O),
    Committed(u64),
    /// An earlier unclear attempt had succeeded: the log names the staged files.
    Found,
    Expired,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("name", &self.name).field("version", &self.version()).finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // State is swapped whole, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    pub(crate) fn open(shared: Arc<Shared>, name: &str, url: Url, log: Log) -> Result<Self> {
        let held = shared.kernel.load(&url, None)?;
        let reader = log.clone();
        let version = held.version();
        let transactions =
            shared.kernel.wait(async move { reader.transactions_at(version).await })?;
        let (layout, partition_columns) = shared.kernel.layout(&held)?;
        let schema = held.schema()?;
        let state = State { held, transactions: Arc::new(transactions), chained: 0 };
        Ok(Self {
            shared,
            name: name.to_owned(),
            url,
            log,
            schema,
            layout,
            partition_columns,
            writing: Mutex::new(()),
            state: Mutex::new(state),
            checkpoint: AtomicU64::new(0),
        })
    }

    pub(crate) fn expect_columns(self, schema: &Schema) -> Result<Self> {
        if self.shared.kernel.has_columns(&lock(&self.state).held, schema)? {
            Ok(self)
        } else {
            Err(LakeError::OtherSchema { table: self.name })
        }
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The table's address; ends with a slash.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The columns, partition columns included.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The partition columns.
    #[must_use]
    pub fn partition_columns(&self) -> &[String] {
        &self.partition_columns
    }

    /// The version held.
    #[must_use]
    pub fn version(&self) -> u64 {
        lock(&self.state).held.version()
    }

    /// Every application id and its version at the held version.
    #[must_use]
    pub fn transactions(&self) -> HashMap<String, i64> {
        lock(&self.state).transactions.as_ref().clone()
    }

    /// The version of one application id at the held version.
    #[must_use]
    pub fn transaction(&self, app: &str) -> Option<i64> {
        lock(&self.state).transactions.get(app).copied()
    }

    /// Goes on to the newest version and returns it.
    ///
    /// # Errors
    /// [`LakeError::Store`], [`LakeError::Data`].
    pub fn refresh(&self) -> Result<u64> {
        let _writing = lock(&self.writing);
        self.catch_up(&[])?;
        Ok(self.version())
    }

    /// The table at a version: the held one, or one that the log still knows.
    ///
    /// # Errors
    /// [`LakeError::Store`]; [`LakeError::Data`] where the version cannot be read.
    pub fn snapshot(&self, version: Option<u64>) -> Result<Snapshot> {
        let held = lock(&self.state).held.clone();
        let held = match version {
            Some(version) if version != held.version() => {
                self.shared.kernel.load(&self.url, Some(version))?
            }
            _ => held,
        };
        Ok(Snapshot::new(Arc::clone(&self.shared), self.schema(), held))
    }

    /// What the commits of `(after, up_to]` did, in order.
    ///
    /// # Errors
    /// [`LakeError::LogGone`] where an entry was cleaned away: derive everything again.
    pub fn changes(&self, after: u64, up_to: u64) -> Result<Vec<Change>> {
        let log = self.log.clone();
        self.shared.kernel.wait(async move { log.between(after, up_to).await })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    fn view(&self, fresh: bool, touched: Option<HashSet<String>>) -> View {
        let state = lock(&self.state);
        let (held, transactions) = (state.held.clone(), Arc::clone(&state.transactions));
        View { held, transactions, fresh, touched }
    }

    /// Goes on to the newest version; the caller holds `writing`. Where it fails, the held
    /// version is the one before.
    fn catch_up(&self, watched: &[String]) -> Result<News> {
        let base = lock(&self.state).held.clone();
        let log = self.log.clone();
        let first = base.version();
        let changes = self.shared.kernel.wait(async move {
            let mut changes: Vec<Change> = Vec::new();
            let mut head = first;
            while let Some(change) = log.read(head + 1).await? {
                if changes.len() == CATCH_UP_MAX {
                    return Ok(None);
                }
                head += 1;
                changes.push(change);
            }
            Ok::<_, LakeError>(log.exists(first).await?.then_some(changes))
        })?;
        let Some(changes) = changes else { return self.reload(watched) };
        let mut touched = HashSet::new();
        let Some(last) = changes.last() else {
            return Ok(News { found: false, touched: Some(touched) });
        };
        let kernel = &self.shared.kernel;
        let held = kernel
            .advance(&base, last.version)
            .or_else(|_| kernel.load(&self.url, Some(last.version)))?;
        let found = changes.iter().flat_map(|change| &change.added);
        let found = found.into_iter().any(|file| watched.contains(&file.path));
        let mut state = lock(&self.state);
        let transactions = Arc::make_mut(&mut state.transactions);
        for change in changes {
            transactions.extend(change.transactions);
            touched.extend(change.removed_paths);
            touched.extend(change.added.into_iter().map(|file| file.path));
        }
        state.held = held;
        state.chained = 0;
        Ok(News { found, touched: Some(touched) })
    }

    /// Reads the table from its newest checkpoint.
    fn reload(&self, watched: &[String]) -> Result<News> {
        let kernel = &self.shared.kernel;
        let held = kernel.load(&self.url, None)?;
        let (log, version) = (self.log.clone(), held.version());
        let transactions = kernel.wait(async move { log.transactions_at(version).await })?;
        let mut found = false;
        if !watched.is_empty() {
            kernel.scan(&held, &mut |file| {
                found |= watched.contains(&file.path);
                false
            })?;
        }
        *lock(&self.state) = State { held, transactions: Arc::new(transactions), chained: 0 };
        Ok(News { found, touched: None })
    }

    /// Law 2's loop. `plan` looks at a view and says what it wants; whatever a try brings
    /// other than a certain commit, the log is read again and `plan` decides anew.
    ///
    /// Where `watch` is set, unclear attempts are also found by the names of the staged
    /// files, for writers whose offsets cannot tell.
    pub(crate) fn drive<'a, O>(
        &self,
        staged: &Staged,
        watch: bool,
        now_ms: i64,
        plan: &mut dyn FnMut(&View) -> Result<Step<'a, O>>,
    ) -> Result<End<O>> {
        let _writing = lock(&self.writing);
        let started = Instant::now();
        let watched = if watch { staged.paths() } else { Vec::new() };
        let (mut fresh, mut refresh, mut tried) = (false, false, 0);
        let (mut last, mut touched) = (None, None);
        while tried < COMMIT_ATTEMPTS_MAX && (last.is_none() || started.elapsed() < STORE_PATIENCE)
        {
            if refresh {
                match self.catch_up(&watched) {
                    Ok(News { found: true, .. }) => return Ok(End::Found),
                    Ok(news) => (fresh, touched) = (true, news.touched),
                    Err(error) if error.retry() == Retry::Later => {
                        last = Some(error);
                        tried += 1;
                        backoff::pause(tried);
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            let view = self.view(fresh, touched.take());
            let write = match plan(&view)? {
                Step::Done(answer) => return Ok(End::Done(answer)),
                Step::Refresh => {
                    refresh = true;
                    continue;
                }
                Step::Try(write) => write,
            };
            // Not in, and the same try would fail the same way again.
            if let Some(error) = last.take_if(|error: &mut LakeError| error.retry() == Retry::Never)
            {
                return Err(error);
            }
            let waited = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
            if now_ms.saturating_add(waited) - staged.staged_ms > COMMIT_DEADLINE_MS {
                return Ok(End::Expired);
            }
            tried += 1;
            refresh = true;
            match self.attempt(&view, write) {
                Ok(Some(version)) => {
                    count("committed", tried);
                    return Ok(End::Committed(version));
                }
                Ok(None) => count("conflicted", tried),
                Err(error) => {
                    count("unclear", tried);
                    last = Some(error);
                }
            }
            backoff::pause(tried);
        }
        Err(LakeError::Contended { attempts: tried, source: last.map(Box::new) })
    }

    /// One try. `None` where another writer has the version, or ours fell into a hole.
    fn attempt(&self, view: &View, write: Write<'_>) -> Result<Option<u64>> {
        let moved = write.transactions.clone();
        let (held, version) = match self.shared.kernel.commit(&view.held, write) {
            Attempt::Committed { held, version } => (held, version),
            Attempt::Conflicted => return Ok(None),
            Attempt::Unclear(error) => return Err(error),
        };
        let (log, base) = (self.log.clone(), view.held.version());
        let fell_into_hole = self.shared.kernel.wait(async move {
            let fell = !log.exists(base).await?;
            if fell {
                log.delete(version).await?;
            }
            Ok::<_, LakeError>(fell)
        });
        if fell_into_hole? {
            return Ok(None);
        }
        let chained = lock(&self.state).chained + 1;
        let kernel = &self.shared.kernel;
        let (held, chained) = match held.filter(|_| chained < CHAIN_MAX) {
            Some(held) => (Some(held), chained),
            None => (kernel.advance(&view.held, version).ok(), 0),
        };
        // Where the new version cannot be read now, the next call reads it.
        if let Some(held) = held {
            let mut state = lock(&self.state);
            Arc::make_mut(&mut state.transactions).extend(moved);
            state.held = held;
            state.chained = chained;
        }
        Ok(Some(version))
    }

    /// Replaces the held snapshot by one of the same version that stands on a checkpoint.
    pub(crate) fn stand_on(&self, held: Held) {
        let mut state = lock(&self.state);
        if state.held.version() == held.version() {
            state.held = held;
            state.chained = 0;
        }
    }

    pub(crate) fn checkpoint_known(&self) -> u64 {
        self.checkpoint.load(Ordering::Relaxed)
    }

    pub(crate) fn know_checkpoint(&self, version: u64) {
        self.checkpoint.fetch_max(version, Ordering::Relaxed);
    }

    pub(crate) fn held(&self) -> Held {
        lock(&self.state).held.clone()
    }
}

fn count(outcome: &'static str, attempt: u32) {
    metrics::counter!("turnwise_lake_commit_attempts_total", "outcome" => outcome).increment(1);
    if outcome == "committed" {
        metrics::histogram!("turnwise_lake_commit_attempts").record(f64::from(attempt));
    }
}
