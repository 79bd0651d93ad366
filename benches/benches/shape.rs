//! Text → shape: all columns in one pass, hashing included, by every instruction set of this
//! processor, beside the scalar meaning; and some numbers of it alone. Bytes of text a second on
//! one core.

use std::hint::black_box;

use arrow_array::BinaryArray;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use turnwise_benches::data::{Order, Plan, kind, rows, write_text};
use turnwise_kernels::dispatch::InstructionSet;
use turnwise_kernels::shape::{ShapeFields, shape_numbers, shape_scalar, shape_with};
use turnwise_model::keys::{Keys, Secret};

/// Messages of the data set's languages.
const MESSAGES: u64 = 30_000;
/// Texts of a batch: as many as the decoder hands over at a time.
const TEXTS: usize = 4_096;

fn texts() -> BinaryArray {
    let mut rows = rows(&Plan::new(MESSAGES, 100));
    Order::Time.sort(&mut rows);
    let texts = rows.iter().filter(|row| row.kind == kind::TEXT).take(TEXTS).map(|row| {
        let mut text = String::new();
        write_text(row, &mut text);
        Some(text)
    });
    texts.collect()
}

fn shapes(criterion: &mut Criterion) {
    let keys = Keys::expand(&Secret::new(&[7; 32]).expect("long enough"));
    let texts = texts();
    let mut group = criterion.benchmark_group("shape");
    group.sample_size(30).throughput(Throughput::Bytes(texts.value_data().len() as u64));
    group.bench_function("scalar", |bencher| {
        bencher.iter(|| shape_scalar(black_box(&texts), &keys));
    });
    for set in InstructionSet::available() {
        group.bench_function(set.name(), |bencher| {
            bencher.iter(|| shape_with(set, black_box(&texts), &keys));
        });
    }
    let none = ShapeFields::default();
    for (name, fields) in [
        ("chars and two bits alone", ShapeFields { chars: true, text_bits: 3, ..none }),
        (
            "all numbers alone",
            ShapeFields {
                chars: true,
                words: true,
                lines: true,
                script: true,
                text_bits: !0,
                text_bucket: true,
            },
        ),
        ("bytes and bucket alone", ShapeFields { text_bucket: true, ..none }),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| shape_numbers(black_box(&texts), &keys, fields));
        });
    }
    group.finish();
}

criterion_group!(benches, shapes);
criterion_main!(benches);
