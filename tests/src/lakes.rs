//! Lakes of generated traffic: the same rows in whatever files a test wants, and what is derived of
//! them, as bytes that are equal only where every bit is.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, sort_to_indices, take_record_batch};
use arrow::row::{RowConverter, SortField};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_lake::{
    Cause, CommitOutcome, CompactOutcome, CompactPlan, Encoding, FileFilter, FileInfo, Lake,
    Partition, Table, Txn, in_order,
};
use turnwise_model::keys::{Keys, Secret};
use turnwise_model::schema::{SORTED_BY, column, events};
use turnwise_model::time::DAY_MS;
use turnwise_model::{Day, EventKind, Millis, Offset, PartitionId, SourceName};
use turnwise_policy::Scorecard;
use turnwise_query::derived::{
    Basis, Derived, DerivedTable, FLAGS, SENDER_DAYS, SENDER_FEATURES, VERDICTS,
};
use turnwise_query::seen::Seen;
use turnwise_query::verdicts::verdict_rows;
use turnwise_query::{Conversations, Engine, EngineSettings};
use turnwise_traffic::{Plan, Topic, Traffic};

/// Every table that is derived.
pub const DERIVED: [DerivedTable; 4] = [SENDER_DAYS, SENDER_FEATURES, VERDICTS, FLAGS];

/// Rows of `events` by kind and date.
pub type Parts = BTreeMap<(&'static str, Day), RecordBatch>;

/// How rows are laid out in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Of the order of rows; as they arrived if none.
    pub shuffled: Option<u64>,
    /// Files of each kind and date, each in a commit of its own.
    pub files: usize,
}

/// The order that a compaction puts rows in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The product's.
    Product,
    /// By sender, and within a sender still in no order of time.
    BySender,
    /// Backwards: in no order.
    Backwards,
}

impl Order {
    fn sorted_by(self) -> &'static [&'static str] {
        match self {
            Self::Product => &SORTED_BY,
            Self::BySender => &[column::SENDER],
            Self::Backwards => &[],
        }
    }

    fn put(self, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Cause> {
        let all = concat_batches(&batches[0].schema(), &batches)?;
        let order = match self {
            Self::Product => return in_order(batches),
            Self::BySender => sort_to_indices(&all[column::SENDER], None, None)?,
            Self::Backwards => (0..u32::try_from(all.num_rows())?).rev().collect(),
        };
        Ok(vec![take_record_batch(&all, &order)?])
    }
}

/// What was derived: the rows of each table, sorted.
pub type Outcome = BTreeMap<&'static str, Vec<Vec<u8>>>;

/// Generated traffic as rows.
///
/// # Panics
/// Where the decoder gives rows that do not fit together.
#[must_use]
pub fn traffic(seed: u64, messages: u64) -> Parts {
    let plan = Plan::new(seed, messages);
    let read_time = Millis(plan.end.0 + DAY_MS);
    let secret = Secret::new(&[7; 64]).expect("long enough");
    let mut decoder = Decoder::new(Keys::expand(&secret));
    let sources = ["webhooks", "sends"].map(|name| SourceName(name.to_owned()));
    for (record, offset) in Traffic::new(plan).zip(0..) {
        let (format, source) = match record.topic {
            Topic::Webhooks => (Format::CloudApi, &sources[0]),
            Topic::Sends => (Format::Send, &sources[1]),
        };
        let context = RecordContext {
            source,
            partition: PartitionId(0),
            offset: Offset(offset),
            record_time: Some(record.time),
            read_time,
        };
        decoder.decode(format, &context, Some(&record.value));
    }
    let mut parts: BTreeMap<_, Vec<RecordBatch>> = BTreeMap::new();
    for batch in decoder.finish() {
        parts.entry((batch.kind.name(), batch.date)).or_default().push(batch.rows);
    }
    let joined = |rows: Vec<RecordBatch>| concat_batches(&rows[0].schema(), &rows).expect("rows");
    parts.into_iter().map(|(key, rows)| (key, joined(rows))).collect()
}

/// Rows with all columns, sorted, as bytes that differ where any bit does.
///
/// # Panics
/// Where batches have other columns than the first, or columns without an order.
#[must_use]
pub fn bits(batches: &[RecordBatch]) -> Vec<Vec<u8>> {
    let Some(first) = batches.first() else { return Vec::new() };
    let fields = first.schema();
    let fields = fields.fields().iter().map(|f| SortField::new(f.data_type().clone()));
    let converter = RowConverter::new(fields.collect()).expect("types with an order");
    let mut rows: Vec<Vec<u8>> = Vec::new();
    for batch in batches {
        let converted = converter.convert_columns(batch.columns()).expect("rows");
        rows.extend(converted.iter().map(|row| row.as_ref().to_vec()));
    }
    rows.sort();
    rows
}

/// A lake in a folder of its own.
#[derive(Debug)]
pub struct Stored {
    _folder: TempDir,
    /// The lake.
    pub lake: Lake,
    /// Its table `events`.
    pub events: Table,
}

impl Stored {
    /// Stores rows in files as a layout says.
    ///
    /// # Panics
    /// Where the lake refuses them.
    #[must_use]
    pub fn new(parts: &Parts, layout: Layout) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let location = folder.path().to_str().expect("path").to_owned();
        let lake = Lake::open(&location, &BTreeMap::new()).expect("lake");
        let table = lake.table("events", events(), &[column::KIND, column::DATE]).expect("table");
        let mut commits: Vec<Vec<(Partition, RecordBatch)>> = vec![Vec::new(); layout.files];
        let mut random = ChaCha8Rng::seed_from_u64(layout.shuffled.unwrap_or_default());
        for ((kind, day), rows) in parts {
            let mut order: Vec<u32> = (0..u32::try_from(rows.num_rows()).expect("few")).collect();
            if layout.shuffled.is_some() {
                order.shuffle(&mut random);
            }
            let step = order.len().div_ceil(layout.files).max(1);
            for (of_file, commit) in order.chunks(step).zip(&mut commits) {
                let rows = take_record_batch(rows, &UInt32Array::from(of_file.to_vec()));
                commit.push((partition(kind, *day), rows.expect("rows")));
            }
        }
        if layout.shuffled.is_some() {
            commits.shuffle(&mut random);
        }
        let stored = Self { _folder: folder, lake, events: table };
        for (at, commit) in commits.into_iter().enumerate() {
            stored.commit(&format!("test/{at}"), commit);
        }
        stored
    }

    /// Adds rows in one commit that is named so.
    ///
    /// # Panics
    /// Where the lake refuses them.
    pub fn commit(&self, app: &str, rows: Vec<(Partition, RecordBatch)>) {
        let staged = self.events.stage(rows, Encoding::Light, 0).expect("staged");
        let txn = Txn { app: app.to_owned(), expected: None, to: 1 };
        let done = self.events.commit(&staged, &[txn], &BTreeMap::new(), 0).expect("commit");
        assert!(matches!(done, CommitOutcome::Committed { .. }), "{done:?}");
    }

    /// The version of `events`, and its files.
    ///
    /// # Panics
    /// Where the table cannot be read.
    #[must_use]
    pub fn files(&self) -> (u64, Vec<FileInfo>) {
        self.events.refresh().expect("refreshed");
        let snapshot = self.events.snapshot(None).expect("snapshot");
        (snapshot.version(), snapshot.files(&FileFilter::all()).expect("files"))
    }

    /// Derives all tables as the derive role does, and reads back what is stored. The windows are
    /// some of the last, of which the newest is provisional.
    ///
    /// # Panics
    /// Where that fails.
    pub async fn derive(&self, partitions: usize) -> Outcome {
        let settings = EngineSettings { partitions: Some(partitions), ..EngineSettings::default() };
        let engine = Engine::new(&settings, &self.lake).expect("engine");
        let derived = Derived::new(self.lake.clone(), engine);
        let scorecard = Scorecard::built_in().expect("scorecard");
        let (version, files) = self.files();
        let days: BTreeSet<Day> = Conversations::new(&files).days().collect();
        let basis = Basis { version, force_equal: true, now_ms: 0 };
        derived.replace_days(&files, &days, basis, &mut Seen::default(), None).await.expect("days");
        let last = days.last().expect("some days").0;
        let ends = [last - 4, last - 1, last, last + 1].map(Day);
        let is_provisional = |end: Day| end.0 > last;
        for end in ends {
            let features = derived.features_of_end(end, None).await.expect("features");
            let rows = verdict_rows(&features, &scorecard, &is_provisional).expect("verdicts");
            let end = BTreeSet::from([end]);
            for (table, rows) in [(SENDER_FEATURES, &features), (VERDICTS, &rows)] {
                let written = derived.replace_windows(table, &end, rows, basis);
                assert!(written.await.expect("windows"));
            }
        }
        assert!(derived.replace_flags(ends[0], basis).await.expect("flags"));
        DERIVED.map(|table| (table.name, self.rows(table.name))).into()
    }

    /// The rows of a derived table, as [`bits`].
    ///
    /// # Panics
    /// Where the lake cannot be read.
    pub fn rows(&self, table: &str) -> Vec<Vec<u8>> {
        let table = self.lake.existing_table(table).expect("read").expect("there");
        table.refresh().expect("refreshed");
        let snapshot = table.snapshot(None).expect("snapshot");
        let batches = snapshot.read(None, &FileFilter::all()).expect("rows");
        bits(&batches)
    }

    /// Makes one file of those of one in `share` kinds and dates, in two rewrites: a part of them,
    /// then the others with what that gave, as day and night bring it. Returns how many files there
    /// are less.
    ///
    /// # Panics
    /// Where the lake refuses a rewrite.
    pub fn compact(&self, parts: &Parts, order: Order, share: usize) -> usize {
        let before = self.files().1.len();
        for (kind, day) in parts.keys().step_by(share) {
            let partition = partition(kind, *day);
            let files = || {
                let snapshot = self.events.snapshot(None).expect("snapshot");
                snapshot.files(&FileFilter::all().partition(&partition)).expect("files")
            };
            for of_all in [2, 1] {
                let mut inputs = files();
                inputs.truncate(inputs.len().div_ceil(of_all));
                let plan = CompactPlan { inputs, sorted_by: order.sorted_by(), clears: &[] };
                let mut put = |batches| order.put(batches);
                let done = self.events.compact(&plan, &mut put, &BTreeMap::new(), 0);
                assert!(matches!(done.expect("compacted"), CompactOutcome::Done { .. }));
            }
        }
        before - self.files().1.len()
    }

    /// Deletes what was derived.
    ///
    /// # Panics
    /// Where the lake cannot be written.
    pub fn forget(&self) {
        for table in DERIVED {
            self.lake.delete_table(table.name).expect("deleted");
            assert!(self.lake.existing_table(table.name).expect("read").is_none());
        }
    }
}

/// The partition of a kind and date.
#[must_use]
pub fn partition(kind: &str, day: Day) -> Partition {
    [(column::KIND.to_owned(), kind.into()), (column::DATE.to_owned(), day.into())].into()
}

/// The kind of live messages.
#[must_use]
pub fn message_kind() -> &'static str {
    EventKind::Message.name()
}
