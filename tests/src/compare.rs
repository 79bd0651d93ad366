//! What the query engine derives beside what the oracle means: conversations and features.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion::datasource::MemTable;
use turnwise_lake::{FileInfo, Lake};
use turnwise_model::conversation::RunKind;
use turnwise_model::features::FEATURES;
use turnwise_model::schema::column as c;
use turnwise_model::{Day, MessageKind};
use turnwise_query::derive::{Window, sender_days, sender_features};
use turnwise_query::{Conversations, Engine, EngineSettings};

use crate::oracle::{self, Row};

/// What identifies a conversation, and figures of it.
pub type Outline = (String, i64, &'static str, i64, i64, Vec<i64>);

/// Columns of `conversations` that are compared.
const COLUMNS: [&str; 14] = [
    "messages",
    "turns",
    "user_initiated",
    "with_user",
    "u_messages",
    "b_messages",
    "stand_ins",
    "t_messages",
    "f_messages",
    "e_messages",
    "u_text",
    "f_text",
    "handover_ai",
    "has_referral",
];

/// Values, null below their minimum, and supports by feature.
type Values = BTreeMap<&'static str, (Option<f64>, i64)>;

/// What the engine derived from a lake.
#[derive(Debug, Default)]
pub struct Real {
    /// Its conversations and marked rows, by sender, in order.
    outlines: BTreeMap<String, Vec<Outline>>,
    features: BTreeMap<(String, Day), Values>,
}

impl Real {
    /// Derives conversations, days and the features of windows from files of `events`, in folds
    /// of so many rows.
    ///
    /// # Errors
    /// A plan that cannot be run.
    pub async fn derive(
        lake: &Lake,
        files: &[FileInfo],
        fold_rows: u64,
        windows: impl Fn(&BTreeSet<String>) -> Vec<Window>,
    ) -> Result<Self> {
        let engine = Engine::new(&EngineSettings::default(), lake)?;
        let conversations = Arc::new(Conversations::new(files).fold_rows(fold_rows));
        let days: BTreeSet<Day> = conversations.days().collect();
        let context = engine.session();
        context.register_table("conversations", Arc::clone(&conversations) as _)?;
        let sql = format!(
            "SELECT sender, peer, run_kind, start_time, end_time, {} FROM conversations",
            COLUMNS.join(", ")
        );
        let mut real = Self::default();
        for batch in context.sql(&sql).await?.collect().await? {
            for outline in outlines(&batch)? {
                real.outlines.entry(outline.0.clone()).or_default().push(outline);
            }
        }
        real.outlines.values_mut().for_each(|outlines| outlines.sort_unstable());
        let senders = real.outlines.keys().cloned().collect();
        let of_days = sender_days(&engine, conversations, &days).await?;
        let Some(first) = of_days.first() else { return Ok(real) };
        let table = Arc::new(MemTable::try_new(first.schema(), vec![of_days])?);
        for batch in sender_features(&engine, table, &windows(&senders)).await? {
            real.features.extend(features_of(&batch)?);
        }
        Ok(real)
    }

    /// Senders that have conversations.
    pub fn senders(&self) -> impl Iterator<Item = &String> {
        self.outlines.keys()
    }

    /// A feature's value and support.
    #[must_use]
    pub fn feature(&self, window: &Window, name: &str) -> Option<(Option<f64>, i64)> {
        self.features.get(&(window.sender.clone(), window.end))?.get(name).copied()
    }

    /// The conversations of a sender that one side alone has, a few of them; `rows` are all of
    /// the sender.
    #[must_use]
    pub fn other_conversations(&self, sender: &str, rows: &[Row], days: &[Day]) -> Vec<String> {
        const SHOWN: usize = 3;
        let meant = days.iter().flat_map(|day| oracle::conversations(rows, sender, *day));
        let mut meant: Vec<Outline> = meant.map(|one| outline(&one)).collect();
        meant.sort_unstable();
        let none = Vec::new();
        let found = self.outlines.get(sender).unwrap_or(&none);
        let lacks = |list: &[Outline], one: &Outline| list.binary_search(one).is_err();
        let missing = meant.iter().filter(|one| lacks(found, one)).take(SHOWN);
        let mut wrong: Vec<String> = missing.map(|one| format!("not found: {one:?}")).collect();
        let surplus = found.iter().filter(|one| lacks(&meant, one)).take(SHOWN);
        wrong.extend(surplus.map(|one| format!("not meant: {one:?}")));
        if meant.len() != found.len() {
            wrong.push(format!("{sender}: {} conversations, not {}", found.len(), meant.len()));
        }
        wrong
    }

    /// The features on which the program and the oracle differ, below no minimum of support.
    #[must_use]
    pub fn other_features(&self, rows: &[Row], window: &Window) -> Vec<String> {
        let meant = oracle::features(rows, &window.sender, window.end);
        let Some(found) = self.features.get(&(window.sender.clone(), window.end)) else {
            return if meant.is_empty() { Vec::new() } else { vec!["no window".to_owned()] };
        };
        let mut wrong = Vec::new();
        for feature in FEATURES {
            let (value, n) = found[feature.name];
            let Some((meant, meant_n)) = meant.get(feature.name).copied() else {
                wrong.push("window of nothing".to_owned());
                break;
            };
            let meant = meant.filter(|_| meant_n >= feature.support_min);
            // A likeness is one of pairs: one peer alone is no support to the program.
            let alone = feature.name.ends_with("topic_coincidence") && meant_n == 1 && n == 0;
            if (n != meant_n && !alone) || !same(value, meant) {
                let name = feature.name;
                wrong.push(format!("{name}: {value:?} of {n}, not {meant:?} of {meant_n}"));
            }
        }
        wrong
    }
}

fn texts(column: &dyn Array) -> Result<arrow::array::StringArray> {
    Ok(arrow::compute::cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn outlines(batch: &RecordBatch) -> Result<Vec<Outline>> {
    let time = |name: &str, at| batch[name].as_primitive::<TimestampMicrosecondType>().value(at);
    let long = |name: &str, at| batch[name].as_primitive::<Int64Type>().value(at);
    let all = [RunKind::Conversation, RunKind::FailedSend, RunKind::StandbyRun];
    let (kinds, senders) = (texts(&batch["run_kind"])?, texts(&batch["sender"])?);
    let row = |at: usize| {
        let kind = all.iter().find(|known| known.name() == kinds.value(at)).expect("known");
        let figures = match kind {
            RunKind::Conversation => COLUMNS.iter().map(|name| long(name, at)).collect(),
            _ => Vec::new(),
        };
        (
            senders.value(at).to_owned(),
            long("peer", at),
            kind.name(),
            time("start_time", at) / 1_000,
            time("end_time", at) / 1_000,
            figures,
        )
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

type Found = ((String, Day), Values);

fn features_of(batch: &RecordBatch) -> Result<Vec<Found>> {
    let senders = texts(&batch["sender"])?;
    let row = |at: usize| {
        let end = batch["window_end"].as_primitive::<Date32Type>().value(at);
        let values = FEATURES.iter().map(|feature| {
            let value = batch[feature.column].as_primitive::<Float64Type>();
            let n = &batch[feature.support_column().as_str()];
            let n = n.as_primitive::<Int64Type>().value(at);
            (feature.name, (value.is_valid(at).then(|| value.value(at)), n))
        });
        ((senders.value(at).to_owned(), Day(end)), values.collect())
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

fn outline(one: &oracle::Conversation) -> Outline {
    use oracle::{Entry, Part};
    let mut figures = Vec::new();
    if one.run_kind == RunKind::Conversation {
        let count = |keep: &dyn Fn(&Entry) -> bool| {
            i64::try_from(one.entries.iter().filter(|entry| keep(entry)).count()).expect("small")
        };
        let is = |entry: &Entry, kinds: &[MessageKind]| {
            kinds.iter().any(|kind| entry.kind() == Some(kind.code()))
        };
        let turns = one.entries.windows(2).filter(|two| two[0].inbound() != two[1].inbound());
        let first = one.entries.iter().find(|entry| entry.inbound());
        figures = vec![
            count(&|_| true),
            i64::try_from(turns.count()).expect("small") + 1,
            i64::from(one.user_initiated),
            i64::from(first.is_some()),
            count(&Entry::inbound),
            count(&Entry::api),
            count(&|entry| entry.stand_in),
            count(&|entry| entry.part == Part::T),
            count(&|entry| entry.part == Part::F),
            count(&|entry| entry.part == Part::E),
            count(&|entry| entry.part == Part::U && is(entry, &[MessageKind::Text])),
            count(&|entry| {
                entry.part == Part::F && is(entry, &[MessageKind::Text, MessageKind::Interactive])
            }),
            i64::from(one.handover_ai),
            i64::from(first.is_some_and(|entry| entry.row.is(c::HAS_REFERRAL, 1))),
        ];
    }
    (one.sender.clone(), one.peer, one.run_kind.name(), one.start, one.end, figures)
}

/// Whether two values are equal but for the last bits.
#[must_use]
pub fn same(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
        _ => false,
    }
}
