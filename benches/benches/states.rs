//! The states behind the features: counting values and peers in, and reading measures off them;
//! and exact quantiles.

use std::hint::black_box;

use arrow_array::StringArray;
use arrow_buffer::OffsetBuffer;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use turnwise_benches::rng::{Rng, mix};
use turnwise_kernels::coincidence::{Tokens, topic_coincidence};
use turnwise_kernels::counts::Counts;
use turnwise_kernels::quantile::quantiles;
use turnwise_kernels::regression::Regression;
use turnwise_kernels::samples::{PeerCount, PeerSample, TextSample};
use turnwise_kernels::{entropy, histogram, logarithm, novelty};

/// Values, peers or texts that are counted in.
const ITEMS: u64 = 100_000;
/// Tokens of each text.
const TOKENS: usize = 12;

fn numbers(seed: u64, below: u64) -> Vec<i64> {
    let mut rng = Rng::new(seed);
    (0..ITEMS).map(|_| rng.below(below).cast_signed()).collect()
}

/// All items, of so many bytes each.
fn items_of(bytes: usize) -> Throughput {
    Throughput::ElementsAndBytes { elements: ITEMS, bytes: ITEMS * bytes as u64 }
}

/// Tokens of texts whose frequent words are shared by many.
fn tokens(seed: u64) -> Vec<[i32; TOKENS]> {
    let mut rng = Rng::new(seed);
    let mut token = || {
        let unit = rng.unit();
        mix((50_000.0 * unit * unit * unit) as u64) as i32
    };
    (0..ITEMS).map(|_| std::array::from_fn(|_| token())).collect()
}

/// Ids of fifteen digits as a column: by the kernel, and as Arrow makes one.
fn strings(criterion: &mut Criterion) {
    let ids = numbers(4, 1_000_000_000_000_000);
    let values: Vec<u8> = ids.iter().flat_map(|id| format!("{id:015}").into_bytes()).collect();
    let offsets = OffsetBuffer::<i32>::from_repeated_length(15, ids.len());
    let mut group = criterion.benchmark_group("strings");
    group.throughput(items_of(15 + size_of::<i32>()));
    let given = || (values.clone(), offsets.clone());
    group.bench_function("kernel", |bencher| {
        bencher.iter_batched(
            given,
            |(values, offsets)| turnwise_kernels::strings::strings(values, offsets, None),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("arrow", |bencher| {
        bencher.iter_batched(
            given,
            |(values, offsets)| StringArray::try_new(offsets, values.into(), None),
            BatchSize::LargeInput,
        );
    });
}

fn counting(criterion: &mut Criterion) {
    let (lengths, peers, tokens) = (numbers(1, 1_500), numbers(2, ITEMS), tokens(3));
    let mut group = criterion.benchmark_group("states");
    group.sample_size(20).throughput(items_of(size_of::<i64>()));
    group.bench_function("histogram", |bencher| {
        bencher.iter(|| {
            let mut counts = Counts::new();
            black_box(&lengths).iter().for_each(|value| counts.add(histogram::bucket(*value), 1));
            counts.to_state()
        });
    });
    group.bench_function("peer_count", |bencher| {
        bencher.iter(|| {
            let mut count = PeerCount::new();
            black_box(&peers).iter().for_each(|peer| count.add(*peer));
            count.to_state()
        });
    });
    group.bench_function("logarithm", |bencher| {
        bencher.iter(|| {
            let logarithms = black_box(&peers).iter().filter_map(|value| logarithm::ln_1p(*value));
            logarithms.sum::<i64>()
        });
    });
    group.throughput(items_of(2 * size_of::<i64>()));
    group.bench_function("regression", |bencher| {
        bencher.iter(|| {
            let mut sums = Regression::new();
            let points = black_box(&lengths).iter().zip(&peers);
            points.for_each(|(x, y)| sums.add(*x, *y));
            sums.to_state()
        });
    });
    group.throughput(items_of(size_of::<i64>() + TOKENS * size_of::<i32>()));
    group.bench_function("peer_sample", |bencher| {
        bencher.iter(|| {
            let mut sample = PeerSample::new();
            for (peer, tokens) in black_box(&peers).iter().zip(&tokens) {
                sample.add(*peer, Some((*peer % 7) as i32), tokens, tokens);
            }
            sample.to_state()
        });
    });
    group.bench_function("text_sample", |bencher| {
        bencher.iter(|| {
            let mut sample = TextSample::new();
            for ((peer, tokens), message) in black_box(&peers).iter().zip(&tokens).zip(0..) {
                sample.add(message, *peer, *peer % 512, tokens);
            }
            sample.to_state()
        });
    });
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let (lengths, tokens) = (numbers(1, 1_500), tokens(3));
    let (mut counts, mut peers, mut texts) = (Counts::new(), PeerSample::new(), TextSample::new());
    lengths.iter().for_each(|value| counts.add(histogram::bucket(*value), 1));
    for (tokens, nth) in tokens.iter().zip(0..) {
        peers.add(nth, Some(1), tokens, tokens);
        texts.add(nth, nth % 1_000, nth % 512, tokens);
    }
    let (counts, peers, texts) = (counts.to_state(), peers.to_state(), texts.to_state());
    let mut group = criterion.benchmark_group("states");
    let state = |state: &[i64]| Throughput::Bytes(size_of_val(state) as u64);
    group.sample_size(30).throughput(state(&counts));
    group.bench_function("quantile", |bencher| {
        bencher.iter(|| histogram::quantile(black_box(&counts), 95, 100));
    });
    group.bench_function("entropy", |bencher| {
        bencher.iter(|| entropy::entropy_bits(black_box(&counts)));
    });
    group.throughput(state(&peers));
    group.bench_function("topic_coincidence", |bencher| {
        bencher.iter(|| topic_coincidence(black_box(&peers), Tokens::User));
    });
    group.throughput(state(&texts));
    group.bench_function("novelty", |bencher| {
        bencher.iter(|| novelty::novelty(black_box(&texts)));
    });
    group.finish();
}

/// Three quantiles of values that are all listed, and of lengths that are counted.
fn exact(criterion: &mut Criterion) {
    const FRACTIONS: [f64; 3] = [0.5, 0.95, 0.99];
    let values = numbers(5, 1 << 40);
    let mut counted = [0_u32; 1_500];
    numbers(1, 1_500).iter().for_each(|length| counted[*length as usize] += 1);
    let mut group = criterion.benchmark_group("quantiles");
    group.sample_size(30).throughput(items_of(size_of::<i64>()));
    group.bench_function("values", |bencher| {
        bencher.iter_batched_ref(
            || (values.clone(), Vec::new()),
            |(values, found)| quantiles(&[], values, &FRACTIONS, found),
            BatchSize::LargeInput,
        );
    });
    group.throughput(Throughput::Bytes(size_of_val(&counted) as u64));
    group.bench_function("counts", |bencher| {
        bencher.iter(|| {
            let mut found = Vec::new();
            quantiles(black_box(&counted), &mut [], &FRACTIONS, &mut found);
            found
        });
    });
    group.finish();
}

criterion_group!(benches, strings, counting, reading, exact);
criterion_main!(benches);
