//! What the machine can do at best: reading memory in a row, and memchr over texts.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use turnwise_benches::data::{Order, Plan, kind, rows, write_text};

/// Bytes read in a row: far more than any cache holds.
const MEMORY_BYTES: usize = 256 << 20;
/// Messages whose texts are searched: more than the nearest caches hold.
const MESSAGES: u64 = 100_000;

fn memory(criterion: &mut Criterion) {
    let words = vec![1_u64; MEMORY_BYTES / 8];
    let mut group = criterion.benchmark_group("reference");
    group.sample_size(20).throughput(Throughput::Bytes(MEMORY_BYTES as u64));
    group.bench_function("memory", |bencher| {
        bencher.iter(|| {
            // Sums that do not wait for each other, so that memory is what is waited for.
            let mut sums = [0_u64; 8];
            for eight in black_box(&words).chunks_exact(8) {
                for (sum, word) in sums.iter_mut().zip(eight) {
                    *sum = sum.wrapping_add(*word);
                }
            }
            sums
        });
    });
    group.finish();
}

fn memchr(criterion: &mut Criterion) {
    let mut rows = rows(&Plan::new(MESSAGES, 100));
    Order::Time.sort(&mut rows);
    let mut texts = String::new();
    rows.iter().filter(|row| row.kind == kind::TEXT).for_each(|row| write_text(row, &mut texts));
    let mut group = criterion.benchmark_group("reference");
    group.sample_size(30).throughput(Throughput::Bytes(texts.len() as u64));
    group.bench_function("memchr", |bencher| {
        // No text has a zero byte, so all of them are read.
        bencher.iter(|| memchr::memchr(0, black_box(texts.as_bytes())));
    });
    group.finish();
}

criterion_group!(benches, memory, memchr);
criterion_main!(benches);
