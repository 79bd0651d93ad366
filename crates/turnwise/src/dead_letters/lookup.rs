//! Questions to the lake about dead letters, each within what one statement may ask and answer:
//! of one partition, and of so many records that their rows are few enough to hold.
//!
//! ```text
//!  partitions ─▶ which have letters, and up to which offset
//!  page       ─▶ the next records of a partition that have letters     a record is never cut
//!  known      ─▶ all letters of some records, and the rows beside them
//! ```
//!
//! A look stays at one version of the lake. That it grows old does no harm: whoever requeues an item
//! meanwhile takes its transaction.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use arrow::array::{AsArray, StringArray};
use arrow::datatypes::{Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use tokio::runtime::Runtime;
use turnwise_codec::Reason;
use turnwise_lake::Lake;
use turnwise_model::{EventKind, Offset, PartitionId, SourceName, SourcePartition};
use turnwise_query::{Catalog, Engine, EngineSettings};

use super::known::{Dead, Identity, Known};
use super::place::{Place, REQUEUE};
use crate::{runtime, sql, writer};

/// Records that one statement names.
const NAMED_MAX: usize = 256;
/// Rows that are held of some records at a time; one record may have more, and is asked for alone.
const HELD_ROWS_MAX: u64 = 100_000;

/// Every row that stands for an item of a record, by its content.
const ITEMS: &str = "\
SELECT 'message' AS kind, source, partition, \"offset\", item, sender, message, \
    CAST(NULL AS VARCHAR) AS status, CAST(NULL AS BIGINT) AS peer_phone, \
    CAST(NULL AS BIGINT) AS peer_user, CAST(NULL AS BIGINT) AS time, \
    CAST(NULL AS VARCHAR) AS field, CAST(NULL AS VARCHAR) AS event, \
    CAST(NULL AS BIGINT) AS error_code, CAST(NULL AS BIGINT) AS record_bytes, \
    CAST(NULL AS VARCHAR) AS reason FROM messages_raw \
UNION ALL SELECT 'status', source, partition, \"offset\", item, sender, message, \
    status, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM statuses_raw \
UNION ALL SELECT 'account', source, partition, \"offset\", item, sender, NULL, \
    NULL, peer_phone, peer_user, CAST(time AS BIGINT), field, event, error_code, NULL, NULL \
    FROM account_events \
UNION ALL SELECT 'ignored', source, partition, \"offset\", item, NULL, NULL, \
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, record_bytes, NULL FROM ignored \
UNION ALL SELECT 'dead_letter', source, partition, \"offset\", item, NULL, NULL, \
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, reason FROM dead_letters";

/// The lake at one version.
pub(crate) struct Look {
    runtime: Runtime,
    catalog: Catalog,
    /// The transactions of all requeued items.
    requeued: BTreeSet<String>,
}

/// A partition that has letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Which.
    pub(crate) partition: SourcePartition,
    /// The last record that has some. A run ends here, however many come meanwhile.
    pub(crate) last: Offset,
    /// How many they are.
    pub(crate) letters: u64,
}

/// A record that has letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Which.
    pub(crate) offset: Offset,
    /// Those that are asked for.
    pub(crate) wanted: u64,
    /// Those of whatever reason.
    pub(crate) letters: u64,
}

impl Look {
    /// At the newest version.
    pub(crate) fn new(lake: &Lake) -> anyhow::Result<Self> {
        let table = lake.existing_table(writer::EVENTS)?.context("there is no table of events")?;
        let requeued = table.transactions().into_keys();
        let requeued = requeued.filter(|app| app.starts_with(REQUEUE)).collect();
        let files = sql::catalog_files(lake)?;
        let engine = Engine::new(&EngineSettings::default(), lake)?;
        let runtime = runtime::new()?;
        let catalog = runtime.block_on(Catalog::new(&engine, &files))?;
        Ok(Self { runtime, catalog, requeued })
    }

    /// What a statement answers.
    pub(crate) fn answer(&self, statement: &str) -> anyhow::Result<Vec<RecordBatch>> {
        Ok(self.runtime.block_on(self.catalog.answer(statement))?)
    }

    /// How many transactions of requeued items the lake holds.
    pub(crate) fn requeue_txns(&self) -> usize {
        self.requeued.len()
    }

    /// Whether an item was requeued.
    pub(crate) fn is_requeued(&self, place: &Place, item: i32) -> bool {
        self.requeued.contains(&place.requeue_app(item))
    }

    /// How many items of a record were requeued.
    pub(crate) fn requeued_of(&self, place: &Place) -> u64 {
        let prefix = place.requeue_prefix();
        let of_record = self.requeued.range(prefix.clone()..);
        let items = of_record.map_while(|app| app.strip_prefix(&prefix));
        items.filter(|item| item.parse::<i32>().is_ok()).count() as u64
    }

    /// Whether any item of an input was requeued.
    pub(crate) fn any_requeued_of(&self, source: &SourceName) -> bool {
        let prefix = format!("{REQUEUE}{}/", source.0);
        let next = self.requeued.range(prefix.clone()..).next();
        next.is_some_and(|app| app.starts_with(&prefix))
    }

    /// The partitions that have letters with this reason, or with any.
    pub(crate) fn partitions(&self, reason: Option<Reason>) -> anyhow::Result<Vec<Stretch>> {
        let statement = format!(
            "SELECT source, partition, max(\"offset\") AS last, count(*) AS letters \
             FROM dead_letters WHERE {} GROUP BY source, partition ORDER BY source, partition",
            has_reason(reason)
        );
        let mut found = Vec::new();
        for batch in self.answer(&statement)? {
            let sources = batch["source"].as_string::<i32>();
            let partitions = batch["partition"].as_primitive::<Int32Type>();
            let last = numbers(&batch, "last");
            let letters = numbers(&batch, "letters");
            found.extend((0..batch.num_rows()).map(|row| Stretch {
                partition: SourcePartition {
                    source: SourceName(sources.value(row).to_owned()),
                    partition: PartitionId(partitions.value(row)),
                },
                last: Offset(last[row]),
                letters: count(letters[row]),
            }));
        }
        Ok(found)
    }

    /// The next records of a stretch with letters of this reason, at most so many, in order.
    pub(crate) fn page(
        &self,
        stretch: &Stretch,
        reason: Option<Reason>,
        after: Option<Offset>,
        records_max: usize,
    ) -> anyhow::Result<Vec<Listed>> {
        let mut place = in_partition(&stretch.partition);
        place.push_str(&format!(" AND \"offset\" <= {}", stretch.last.0));
        if let Some(after) = after {
            place.push_str(&format!(" AND \"offset\" > {}", after.0));
        }
        let statement = format!(
            "SELECT \"offset\", count(*) AS letters, \
             sum(CASE WHEN {} THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS wanted \
             FROM dead_letters WHERE {place} GROUP BY \"offset\" \
             HAVING sum(CASE WHEN {0} THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) > 0 \
             ORDER BY \"offset\" LIMIT {records_max}",
            has_reason(reason)
        );
        let mut found = Vec::new();
        for batch in self.answer(&statement)? {
            let offsets = numbers(&batch, "offset");
            let (letters, wanted) = (numbers(&batch, "letters"), numbers(&batch, "wanted"));
            found.extend((0..batch.num_rows()).map(|row| Listed {
                offset: Offset(offsets[row]),
                wanted: count(wanted[row]),
                letters: count(letters[row]),
            }));
        }
        Ok(found)
    }

    /// Splits records of a partition into groups whose rows may be held at a time.
    pub(crate) fn groups(
        &self,
        partition: &SourcePartition,
        offsets: &[Offset],
    ) -> anyhow::Result<Vec<Vec<Offset>>> {
        let mut groups = Vec::new();
        for named in offsets.chunks(NAMED_MAX) {
            let statement = format!(
                "SELECT \"offset\", count(*) AS items FROM ({ITEMS}) WHERE {} GROUP BY \"offset\"",
                are(partition, named)
            );
            let mut costs = BTreeMap::new();
            for batch in self.answer(&statement)? {
                let counts = numbers(&batch, "items").iter().map(|items| count(*items));
                costs.extend(numbers(&batch, "offset").iter().copied().map(Offset).zip(counts));
            }
            groups.extend(grouped(named, &costs, HELD_ROWS_MAX));
        }
        Ok(groups)
    }

    /// What the lake has of these records: a group of [`Look::groups`].
    pub(crate) fn known(
        &self,
        partition: &SourcePartition,
        offsets: &[Offset],
    ) -> anyhow::Result<BTreeMap<Offset, Known>> {
        let statement = format!(
            "SELECT kind, \"offset\", item, sender, message, status, peer_phone, peer_user, time, \
             field, event, error_code, record_bytes, reason FROM ({ITEMS}) WHERE {}",
            are(partition, offsets)
        );
        let mut found: BTreeMap<Offset, Known> = BTreeMap::new();
        for batch in self.answer(&statement)? {
            let kinds = batch["kind"].as_string::<i32>();
            let reasons: &StringArray = batch["reason"].as_string();
            let items = batch["item"].as_primitive::<Int32Type>();
            for (row, offset) in numbers(&batch, "offset").iter().copied().enumerate() {
                let item = items.value(row);
                let known = found.entry(Offset(offset)).or_default();
                let kind = EventKind::from_name(kinds.value(row)).context("read kinds of rows")?;
                match Identity::of(kind, &batch, row) {
                    Some(identity) => {
                        known.rows.insert((item, identity));
                    }
                    None => {
                        let place = Place::of(partition, Offset(offset));
                        let is_requeued = self.is_requeued(&place, item);
                        let reason = reasons.value(row).to_owned();
                        known.letters.insert(item, Dead { reason, is_requeued });
                    }
                }
            }
        }
        Ok(found)
    }
}

/// Neighbours together while their rows are few enough.
fn grouped(offsets: &[Offset], costs: &BTreeMap<Offset, u64>, max: u64) -> Vec<Vec<Offset>> {
    let mut groups: Vec<Vec<Offset>> = Vec::new();
    let mut held = 0;
    for offset in offsets {
        let cost = costs.get(offset).copied().unwrap_or_default();
        match groups.last_mut() {
            Some(group) if held + cost <= max => {
                group.push(*offset);
                held += cost;
            }
            _ => {
                groups.push(vec![*offset]);
                held = cost;
            }
        }
    }
    groups
}

/// A condition that holds for rows of a partition. Names come from the command line or the lake:
/// quoted as literals.
pub(super) fn in_partition(of: &SourcePartition) -> String {
    format!("source = '{}' AND partition = {}", of.source.0.replace('\'', "''"), of.partition.0)
}

/// A condition that holds for rows of these records. The bounds rule files out, which a long list
/// does not.
fn are(partition: &SourcePartition, offsets: &[Offset]) -> String {
    let low = offsets.iter().min().map_or(0, |offset| offset.0);
    let high = offsets.iter().max().map_or(-1, |offset| offset.0);
    let mut condition = in_partition(partition);
    condition.push_str(&format!(" AND \"offset\" >= {low} AND \"offset\" <= {high}"));
    if !offsets.is_empty() {
        let listed: Vec<String> = offsets.iter().map(|offset| offset.0.to_string()).collect();
        condition.push_str(&format!(" AND \"offset\" IN ({})", listed.join(", ")));
    }
    condition
}

fn has_reason(reason: Option<Reason>) -> String {
    reason.map_or_else(|| "true".to_owned(), |reason| format!("reason = '{}'", reason.name()))
}

fn numbers<'a>(batch: &'a RecordBatch, name: &str) -> &'a [i64] {
    batch[name].as_primitive::<Int64Type>().values()
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use turnwise_model::limits::SQL_TEXT_BYTES_MAX;

    use super::*;

    #[test]
    fn records_are_asked_for_by_what_they_cost() {
        let offsets: Vec<Offset> = (0..6).map(Offset).collect();
        let costs = [60, 40, 1, 500, 50].into_iter().enumerate();
        let costs = costs.map(|(at, cost)| (offsets[at], cost)).collect();
        let found = grouped(&offsets, &costs, 100);
        let found: Vec<Vec<i64>> =
            found.iter().map(|group| group.iter().map(|offset| offset.0).collect()).collect();
        assert_eq!(found, [vec![0, 1], vec![2], vec![3], vec![4, 5]]);
    }

    #[test]
    fn longest_statement_is_one_that_may_be_asked() {
        let source = SourceName("'".repeat(1_000));
        let partition = SourcePartition { source, partition: PartitionId(i32::MAX) };
        let offsets = vec![Offset(i64::MAX); NAMED_MAX];
        let condition = are(&partition, &offsets);
        assert!(condition.starts_with(&format!("source = '{}' AND", "'".repeat(2_000))));
        assert!(ITEMS.len() + condition.len() + 1_000 < SQL_TEXT_BYTES_MAX);
    }
}
