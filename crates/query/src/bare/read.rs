//! Columns of bare messages as the fold's words, and back: whole numbers as they are, names of
//! senders as numbers given in the order of their appearance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt8Array, UInt64Array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::and;
use arrow::compute::{CastOptions, cast, cast_with_options, filter_record_batch, is_not_null};
use arrow::datatypes::{DataType, Int64Type, Schema, TimeUnit, UInt8Type, UInt64Type};
use datafusion::common::hash_utils::create_hashes;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::physical_plan::repartition::REPARTITION_RANDOM_STATE;

/// What is said of a time that no message has.
pub(crate) const UNTIMELY: &str = "a time is thousands of years away: times are milliseconds";
/// The kind that rows without one have.
const OTHER_KIND: u8 = 6;

/// How the words of a column are its values.
#[derive(Clone, Debug)]
pub(crate) enum Words {
    Unsigned,
    Signed,
    /// Whole numbers of fewer bits.
    Narrow(DataType),
    Names(Arc<Mutex<Names>>),
}

/// Numbers of names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    numbers: HashMap<Arc<str>, u64>,
    names: Vec<Arc<str>>,
    bytes: usize,
}

/// Reads batches whose columns are sender, peer, time, direction and kind.
#[derive(Clone, Debug)]
pub(crate) struct BareReader {
    pub sender: Words,
    pub peer: Words,
}

/// A batch's columns, without rows that lack any of them.
pub(crate) struct Read {
    /// The output partition of each row's sender; empty where there is one.
    pub parts: Vec<u32>,
    pub senders: ScalarBuffer<u64>,
    pub peers: ScalarBuffer<u64>,
    pub times_ms: ScalarBuffer<i64>,
    pub directions: ScalarBuffer<u8>,
    pub kinds: ScalarBuffer<u8>,
    /// Rows that said too little to be a message of anybody.
    pub incomplete: usize,
}

impl BareReader {
    /// For input of these columns.
    ///
    /// # Errors
    /// Columns that hold no such values.
    pub fn new(schema: &Schema) -> Result<Self> {
        let field = |at: usize| schema.field(at);
        let sender = match field(0).data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Words::Names(Arc::default())
            }
            _ => Words::of_numbers(field(0).name(), field(0).data_type())?,
        };
        let peer = Words::of_numbers(field(1).name(), field(1).data_type())?;
        for at in 2..=4 {
            let (name, found) = (field(at).name(), field(at).data_type());
            let is_time = at == 2 && matches!(found, DataType::Timestamp(..));
            if !(is_time || found.is_integer()) {
                return plan_err!("column {name} must hold whole numbers, it is {found}");
            }
        }
        Ok(Self { sender, peer })
    }

    pub fn read(&self, batch: &RecordBatch, partitions: usize) -> Result<Read> {
        let directions = narrow(batch.column(3))?;
        let needed = [batch.column(0), batch.column(1), batch.column(2), &directions];
        if needed.iter().all(|column| column.null_count() == 0) {
            return self.complete(batch, &directions, partitions);
        }
        let mut whole = is_not_null(needed[0])?;
        for column in &needed[1..] {
            whole = and(&whole, &is_not_null(column)?)?;
        }
        let kept = filter_record_batch(batch, &whole)?;
        let directions = narrow(kept.column(3))?;
        let mut read = self.complete(&kept, &directions, partitions)?;
        read.incomplete = batch.num_rows() - kept.num_rows();
        Ok(read)
    }

    fn complete(
        &self,
        batch: &RecordBatch,
        directions: &ArrayRef,
        partitions: usize,
    ) -> Result<Read> {
        let kinds = narrow(batch.column(4))?;
        let kinds = kinds.as_primitive::<UInt8Type>();
        let kinds = if kinds.null_count() == 0 {
            kinds.values().clone()
        } else {
            kinds.iter().map(|kind| kind.unwrap_or(OTHER_KIND)).collect()
        };
        let senders = self.sender.as_told(batch.column(0))?;
        Ok(Read {
            parts: parts(&senders, partitions)?,
            senders: self.sender.words(&senders)?,
            peers: self.peer.words(batch.column(1))?,
            times_ms: times_ms(batch.column(2))?,
            directions: directions.as_primitive::<UInt8Type>().values().clone(),
            kinds,
            incomplete: 0,
        })
    }
}

impl Words {
    fn of_numbers(name: &str, found: &DataType) -> Result<Self> {
        match found {
            DataType::UInt64 => Ok(Self::Unsigned),
            DataType::Int64 => Ok(Self::Signed),
            narrow if narrow.is_integer() => Ok(Self::Narrow(narrow.clone())),
            other => plan_err!("column {name} must hold whole numbers, it is {other}"),
        }
    }

    /// The type of the values.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Unsigned => DataType::UInt64,
            Self::Signed => DataType::Int64,
            Self::Narrow(narrow) => narrow.clone(),
            Self::Names(_) => DataType::Utf8,
        }
    }

    /// Heap bytes of the names.
    pub fn size(&self) -> usize {
        match self {
            Self::Names(names) => lock(names).bytes,
            _ => 0,
        }
    }

    /// The values in the type that is told.
    fn as_told(&self, values: &ArrayRef) -> Result<ArrayRef> {
        match self {
            Self::Names(_) => Ok(cast(values, &DataType::Utf8)?),
            _ => Ok(Arc::clone(values)),
        }
    }

    /// The words of values as they are told.
    fn words(&self, values: &ArrayRef) -> Result<ScalarBuffer<u64>> {
        Ok(match self {
            Self::Unsigned => values.as_primitive::<UInt64Type>().values().clone(),
            Self::Signed => as_unsigned(values.as_primitive::<Int64Type>().values().clone()),
            Self::Narrow(_) => {
                let wide = cast(values, &DataType::Int64)?;
                as_unsigned(wide.as_primitive::<Int64Type>().values().clone())
            }
            Self::Names(names) => {
                let mut names = lock(names);
                values
                    .as_string::<i32>()
                    .iter()
                    .map(|name| names.number(name.unwrap_or("")))
                    .collect()
            }
        })
    }

    /// The values of words.
    pub fn values(&self, words: &UInt64Array) -> Result<ArrayRef> {
        let signed = || {
            let buffer = words.values().inner().clone();
            Int64Array::new(ScalarBuffer::new(buffer, 0, words.len()), None)
        };
        Ok(match self {
            Self::Unsigned => Arc::new(words.clone()),
            Self::Signed => Arc::new(signed()),
            Self::Narrow(narrow) => cast(&signed(), narrow)?,
            Self::Names(names) => {
                let names = lock(names);
                let name =
                    |word: &u64| usize::try_from(*word).ok().and_then(|at| names.names.get(at));
                let found = words.values().iter().map(|word| name(word).map_or("", |name| &**name));
                Arc::new(StringArray::from_iter_values(found))
            }
        })
    }
}

impl Names {
    fn number(&mut self, name: &str) -> u64 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let (name, number): (Arc<str>, u64) = (name.into(), self.names.len() as u64);
        // The text, twice a pointer to it, its number and what a map and a count take.
        self.bytes += name.len() + 96;
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }
}

fn lock(names: &Mutex<Names>) -> MutexGuard<'_, Names> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The partition that each sender's rows belong to, as repartitioning would have it.
fn parts(senders: &ArrayRef, partitions: usize) -> Result<Vec<u32>> {
    if partitions < 2 {
        return Ok(Vec::new());
    }
    let mut hashes = vec![0; senders.len()];
    create_hashes([senders], REPARTITION_RANDOM_STATE.random_state(), &mut hashes)?;
    let partitions = partitions as u64;
    Ok(hashes.iter().map(|hash| (hash % partitions) as u32).collect())
}

/// The same bits, unsigned.
fn as_unsigned(values: ScalarBuffer<i64>) -> ScalarBuffer<u64> {
    let rows = values.len();
    ScalarBuffer::new(values.into_inner(), 0, rows)
}

fn times_ms(times: &ArrayRef) -> Result<ScalarBuffer<i64>> {
    let whole = match times.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) | DataType::Int64 => Arc::clone(times),
        DataType::Timestamp(_, zone) => {
            cast(times, &DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))?
        }
        _ => Arc::clone(times),
    };
    let whole = cast(&whole, &DataType::Int64)?;
    if whole.null_count() > 0 {
        // Rows without a time are not here any more: these do not fit.
        return exec_err!("{UNTIMELY}");
    }
    Ok(whole.as_primitive::<Int64Type>().values().clone())
}

/// As bytes; numbers that are none as null.
fn narrow(values: &ArrayRef) -> Result<ArrayRef> {
    if values.as_any().is::<UInt8Array>() {
        return Ok(Arc::clone(values));
    }
    let lenient = CastOptions { safe: true, ..CastOptions::default() };
    Ok(cast_with_options(values, &DataType::UInt8, &lenient)?)
}
