//! Where the rows of a comparison are.

use super::compare::Query;

/// A query over rows in one place and order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) query: Query,
    /// How tables name it.
    pub(super) name: &'static str,
    /// The file or folder in the data set.
    pub(super) file: &'static str,
    pub(super) place: Place,
    /// How many times longer the fastest peer is to take; where there is none, the goal is to
    /// hardly take longer than decoding alone.
    pub(super) goal: Option<f64>,
}

/// How an engine gets at the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a Parquet file that all engines read.
    Parquet,
    /// In a table in memory, each engine's own.
    Memory,
    /// In Turnwise's lake, which holds what peers must compute from texts.
    Lake,
}

/// All of them.
pub(super) const LAYOUTS: [Layout; 10] = [
    parquet(Query::A, "in order of time", "time.parquet", Some(5.0)),
    parquet(Query::A, "up to 10 min late", "near.parquet", Some(4.0)),
    parquet(Query::A, "in no order", "random.parquet", Some(3.0)),
    parquet(Query::A, COMPACTED, "compacted.parquet", Some(8.0)),
    parquet(Query::B, TEXTS, "time.parquet", None),
    memory(Query::B),
    lake(Query::B),
    parquet(Query::C, TEXTS, "time.parquet", None),
    memory(Query::C),
    lake(Query::C),
];

/// Rows by number, peer and time, which engines may be told.
pub(super) const COMPACTED: &str = "compacted";
/// What peers are compared with where they cannot read a layout.
pub(super) const TEXTS: &str = "texts in Parquet";

const fn parquet(
    query: Query,
    name: &'static str,
    file: &'static str,
    goal: Option<f64>,
) -> Layout {
    Layout { query, name, file, place: Place::Parquet, goal }
}

const fn memory(query: Query) -> Layout {
    let (name, file) = ("texts in memory", "memory.arrow");
    Layout { query, name, file, place: Place::Memory, goal: Some(2.0) }
}

const fn lake(query: Query) -> Layout {
    let (name, file) = ("shape columns", "sorted-lake");
    Layout { query, name, file, place: Place::Lake, goal: Some(10.0) }
}

impl Layout {
    /// The oracle's answer in the data set.
    pub(super) const fn oracle(&self) -> &'static str {
        match self.query {
            Query::A => "oracle-A.tsv",
            Query::B => "oracle-B.tsv",
            Query::C => "oracle-C.tsv",
        }
    }
}
