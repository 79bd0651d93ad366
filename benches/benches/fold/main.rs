//! Ordering and fold kernels over messages in four orders: of time, nearly of time, of chance,
//! and of sender, peer and time as compaction leaves them. One thread.

mod events;
mod messages;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use turnwise_kernels::fold::bare::{
    BareBatch, BareColumns, BareFolder, BareRow, Frontier, Scatter,
};
use turnwise_kernels::ordering::{Grouper, Ordered, Orderer, scalar};

use messages::{Messages, orders};

/// Rows of a batch, as a reader gives them.
const BATCH: usize = 8_192;
const ROWS: usize = 2_000_000;
const BUCKETS: usize = 64;

/// So many rows of so many bytes each.
fn rows_of(rows: usize, bytes: usize) -> Throughput {
    Throughput::ElementsAndBytes { elements: rows as u64, bytes: (rows * bytes) as u64 }
}

fn scattered(messages: &Messages) -> Scatter {
    let mut scatter = Scatter::new(1, BUCKETS);
    for from in (0..messages.senders.len()).step_by(BATCH) {
        let to = (from + BATCH).min(messages.senders.len());
        let _ = scatter.push(&BareBatch {
            parts: &[],
            senders: &messages.senders[from..to],
            peers: &messages.peers[from..to],
            times_ms: &messages.times_ms[from..to],
            directions: &messages.directions[from..to],
            kinds: &messages.kinds[from..to],
        });
    }
    scatter
}

fn folded(scatter: &Scatter) -> usize {
    let mut folder = BareFolder::default();
    let mut found = 0;
    for bucket in scatter.buckets() {
        let mut kept = Vec::new();
        let mut emit = |columns: &BareColumns| {
            found += columns.len();
            Ok::<_, ()>(())
        };
        let emitted = folder.fold(bucket.chunks(), &Frontier::END, &mut kept, &mut emit);
        black_box(emitted).expect("no error");
    }
    found
}

fn bare(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bare");
    group.sample_size(10);
    for (name, messages) in orders(ROWS) {
        group.throughput(rows_of(ROWS, Messages::ROW_BYTES));
        group.bench_function(BenchmarkId::new("scatter", name), |bencher| {
            bencher.iter(|| scattered(&messages));
        });
        let scatter = scattered(&messages);
        group.throughput(rows_of(ROWS, size_of::<BareRow>()));
        group.bench_function(BenchmarkId::new("fold", name), |bencher| {
            bencher.iter(|| folded(&scatter));
        });
    }
    group.finish();
}

/// One bucket's rows: groups and keys.
fn bucket(messages: &Messages) -> (Vec<u32>, usize, Vec<u64>) {
    let scatter = scattered(messages);
    let mut grouper = Grouper::default();
    let (mut groups, mut keys) = (Vec::new(), Vec::new());
    for row in scatter.buckets()[0].chunks().flatten() {
        groups.push(grouper.number([row.sender, row.peer]));
        keys.push(row.word);
    }
    (groups, grouper.pairs().len(), keys)
}

fn ordering(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ordering");
    for (name, messages) in orders(ROWS) {
        let (groups, count, keys) = bucket(&messages);
        group.throughput(rows_of(keys.len(), size_of::<u32>() + size_of::<u64>()));
        let (mut orderer, mut out) = (Orderer::default(), Ordered::default());
        group.bench_function(BenchmarkId::new("kernel", name), |bencher| {
            bencher.iter(|| orderer.order(&groups, count, &keys, &mut out));
        });
        group.bench_function(BenchmarkId::new("scalar", name), |bencher| {
            bencher.iter(|| scalar::order(&groups, count, &keys));
        });
    }
    group.finish();
}

criterion_group!(benches, ordering, bare, events::events);
criterion_main!(benches);
