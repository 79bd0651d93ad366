//! Text → shape: all columns in one pass, hashing included, by every instruction set of this
//! processor, beside the scalar meaning and beside memchr's pass over the same bytes.
//!
//! `cargo bench -p turnwise-benches --bench shape`. Throughput is bytes of text a second on one core.

use std::hint::black_box;

use arrow_array::BinaryArray;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use turnwise_benches::texts::mixed;
use turnwise_kernels::dispatch::InstructionSet;
use turnwise_kernels::shape::{shape_scalar, shape_with};
use turnwise_model::keys::{Keys, Secret};

/// Texts of a batch: as many as the decoder hands over at a time.
const TEXTS: usize = 4_096;

fn shapes(criterion: &mut Criterion) {
    let keys = Keys::expand(&Secret::new(&[7; 32]).expect("long enough"));
    let texts = mixed(TEXTS, 1);
    let array: BinaryArray = texts.iter().map(|text| Some(text.as_bytes())).collect();
    let mut group = criterion.benchmark_group("shape");
    group.throughput(Throughput::Bytes(array.value_data().len() as u64));
    group.bench_function("memchr", |bench| {
        // A byte that no text has, so that it reads all.
        bench.iter(|| memchr::memchr(0xff, black_box(array.value_data())));
    });
    group.bench_function("scalar", |bench| bench.iter(|| shape_scalar(black_box(&array), &keys)));
    for set in InstructionSet::available() {
        group.bench_function(set.name(), |bench| {
            bench.iter(|| shape_with(set, black_box(&array), &keys));
        });
    }
    group.finish();
}

criterion_group!(benches, shapes);
criterion_main!(benches);
