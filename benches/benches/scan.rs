//! Looks at blocks of texts: for quotes, backslashes and control characters, and whether they are
//! ASCII or UTF-8.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use turnwise_benches::data::{Order, Plan, kind, rows, write_text};
use turnwise_kernels::dispatch::InstructionSet;
use turnwise_kernels::scan::{BLOCK, Eyes, WIDE, Walk, is_ascii, is_utf8, look, walk};

/// Messages whose texts are looked at: more than the nearest caches hold.
const MESSAGES: u64 = 100_000;

/// Texts of the data set's languages behind each other, and as many bytes of ASCII.
fn texts() -> (String, String) {
    let mut rows = rows(&Plan::new(MESSAGES, 100));
    Order::Time.sort(&mut rows);
    let mut texts = String::new();
    rows.iter().filter(|row| row.kind == kind::TEXT).for_each(|row| write_text(row, &mut texts));
    let ascii = texts.bytes().map(|byte| char::from(byte & 0x7F)).collect();
    (texts, ascii)
}

/// Looks at all wide blocks of a text.
struct All<'a>(&'a [u8]);

impl Walk for All<'_> {
    type Output = u64;

    #[inline(always)]
    fn walk<E: Eyes>(self, eyes: E) -> u64 {
        let blocks = self.0.as_chunks::<WIDE>().0.iter().map(|block| eyes.look(block));
        blocks.fold(0, |all, look| all ^ look.special ^ u64::from(look.is_rare))
    }
}

fn scans(criterion: &mut Criterion) {
    let (texts, ascii) = texts();
    let (texts, ascii) = (texts.as_bytes(), ascii.as_bytes());
    let mut group = criterion.benchmark_group("scan");
    group.sample_size(30).throughput(Throughput::Bytes(texts.len() as u64));
    group.bench_function("look", |bencher| {
        bencher.iter(|| {
            let blocks = black_box(texts).as_chunks::<BLOCK>().0.iter().map(look);
            blocks.fold(0, |all, look| all ^ look.special ^ look.rare)
        });
    });
    group.bench_function("eyes", |bencher| {
        bencher.iter(|| walk(InstructionSet::best(), All(black_box(texts))));
    });
    group.bench_function("is_utf8", |bencher| bencher.iter(|| is_utf8(black_box(texts))));
    group.bench_function("is_utf8 of ASCII", |bencher| bencher.iter(|| is_utf8(black_box(ascii))));
    group.bench_function("is_ascii", |bencher| bencher.iter(|| is_ascii(black_box(ascii))));
    group.finish();
}

criterion_group!(benches, scans);
criterion_main!(benches);
