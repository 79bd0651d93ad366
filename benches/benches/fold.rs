//! Ordering and fold kernels over messages in four orders: of time, nearly of time, of chance,
//! and of sender, peer and time as compaction leaves them. One thread.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use turnwise_kernels::fold::bare::{BareBatch, BareColumns, BareFolder, Frontier, Scatter};
use turnwise_kernels::ordering::{Grouper, Ordered, Orderer, scalar};

/// Rows of a batch, as a reader gives them.
const BATCH: usize = 8_192;
const ROWS: usize = 2_000_000;
const SENDERS: u64 = 10_000;
const BUCKETS: usize = 64;

/// Messages as columns.
#[derive(Clone, Debug, Default)]
struct Messages {
    senders: Vec<u64>,
    peers: Vec<u64>,
    times_ms: Vec<i64>,
    directions: Vec<u8>,
    kinds: Vec<u8>,
}

fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

type Message = (u64, u64, i64, u8, u8);

/// Conversations of ten messages on average; senders by Zipf's law, a peer comes back 2.7 times.
fn messages(rows: usize) -> Vec<Message> {
    let mut next = numbers(1);
    let weights: Vec<f64> = (1..=SENDERS).map(|rank| 1.0 / rank as f64).collect();
    let sums: Vec<f64> = weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect();
    let all = sums[sums.len() - 1];
    let mut found = Vec::with_capacity(rows + 100);
    while found.len() < rows {
        let at = (next() >> 11) as f64 / (1_u64 << 53) as f64 * all;
        let rank = sums.partition_point(|sum| *sum < at) as u64;
        let peers = ((rows as f64 * 0.037 / all / (rank + 1) as f64) as u64).max(1);
        let peer = (next() % peers + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut time_ms = (1_767_225_600_000 + next() % (28 * 86_400_000)).cast_signed();
        let mut direction = 0;
        loop {
            let kind = [0, 0, 0, 0, 0, 1, 2, 4][(next() % 8) as usize];
            found.push((rank * 7_919, peer, time_ms, direction, kind));
            time_ms += (next() % 100_000).cast_signed() + 1;
            direction ^= u8::from(!next().is_multiple_of(5));
            if next().is_multiple_of(10) {
                break;
            }
        }
    }
    found.truncate(rows);
    found
}

fn columns(messages: &[Message]) -> Messages {
    let mut columns = Messages::default();
    for (sender, peer, time_ms, direction, kind) in messages {
        columns.senders.push(*sender);
        columns.peers.push(*peer);
        columns.times_ms.push(*time_ms);
        columns.directions.push(*direction);
        columns.kinds.push(*kind);
    }
    columns
}

fn orders() -> [(&'static str, Messages); 4] {
    let mut messages = messages(ROWS);
    let mut next = numbers(2);
    messages.sort_unstable();
    let compacted = columns(&messages);
    messages.sort_by_key(|message| message.2);
    let time = columns(&messages);
    messages.sort_by_cached_key(|message| message.2 + (next() % 600_000).cast_signed());
    let near = columns(&messages);
    messages.sort_by_cached_key(|_| next());
    [("time", time), ("near", near), ("random", columns(&messages)), ("compacted", compacted)]
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
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    for (name, messages) in orders() {
        group.bench_function(BenchmarkId::new("scatter", name), |bencher| {
            bencher.iter(|| scattered(&messages));
        });
        let scatter = scattered(&messages);
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
    for (name, messages) in orders() {
        let (groups, count, keys) = bucket(&messages);
        group.throughput(Throughput::Elements(keys.len() as u64));
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

criterion_group!(benches, ordering, bare);
criterion_main!(benches);
