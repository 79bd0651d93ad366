//! Record → columns, beside the parsers that a service would take. One core, the same bytes in one
//! run. `cargo bench -p turnwise-benches --bench codec`

mod corpus;
mod serde_structs;

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput};
use prost::Message as _;
use turnwise_codec::{Decoder, Format, RecordContext, events};
use turnwise_model::{EventBatch, Keys, Offset, PartitionId, Secret, SourceName};

use corpus::{Corpus, NOW};

/// Messages of the traffic that is generated.
const MESSAGES: u64 = 20_000;
/// Records between two batches.
const BATCH_RECORDS: usize = 10_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let corpora = corpus::generate(MESSAGES);
    webhooks(&mut criterion, &corpora.webhooks);
    sends(&mut criterion, &corpora.sends);
    protobuf(&mut criterion, &corpora.protobuf);
    criterion.final_summary();
}

fn keys() -> Keys {
    Keys::expand(&Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough"))
}

/// Decodes all records into batches; gives the number of rows.
fn columns(decoder: &mut Decoder, format: Format, corpus: &Corpus) -> usize {
    let source = SourceName("webhooks".to_owned());
    let mut rows = 0;
    let mut count = |batches: Vec<EventBatch>| {
        rows += batches.iter().map(|batch| batch.rows.num_rows()).sum::<usize>();
        black_box(batches);
    };
    for (nth, record) in corpus.records().enumerate() {
        let context = RecordContext {
            source: &source,
            partition: PartitionId(0),
            offset: Offset(nth as i64),
            record_time: Some(NOW),
            read_time: NOW,
        };
        decoder.decode(format, &context, Some(record));
        if nth % BATCH_RECORDS == BATCH_RECORDS - 1 {
            count(decoder.finish());
        }
    }
    count(decoder.finish());
    rows
}

fn describe(name: &str, format: Format, corpus: &Corpus) -> usize {
    let rows = columns(&mut Decoder::new(keys()), format, corpus);
    println!("{name}: {} records, {rows} rows, {} bytes", corpus.len(), corpus.bytes());
    rows
}

/// Our own decoder: without hashing, with it, and by the way that says what is meant.
fn ours(group: &mut BenchmarkGroup<'_, WallTime>, format: Format, corpus: &Corpus) {
    for (name, mut decoder) in [
        ("columns", Decoder::without_hashing(keys())),
        ("columns_and_hashes", Decoder::new(keys())),
        ("columns_and_hashes_by_meaning", Decoder::by_meaning(keys())),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| columns(&mut decoder, format, corpus));
        });
    }
}

fn webhooks(criterion: &mut Criterion, corpus: &Corpus) {
    describe("webhooks", Format::CloudApi, corpus);
    let mut group = criterion.benchmark_group("webhook");
    group.throughput(Throughput::Bytes(corpus.bytes()));
    ours(&mut group, Format::CloudApi, corpus);
    group.bench_function("simd_json_tape", |bencher| {
        let mut buffers = simd_json::Buffers::default();
        bencher.iter_batched_ref(
            || corpus.clone(),
            |corpus| {
                corpus.for_each_mut(|record| {
                    let tape = simd_json::to_tape_with_buffers(record, &mut buffers);
                    black_box(tape.expect("JSON").0.len());
                });
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("serde_structs", |bencher| {
        bencher.iter(|| {
            for record in corpus.records() {
                black_box(serde_json::from_slice::<serde_structs::Webhook<'_>>(record).is_ok());
            }
        });
    });
    group.finish();
}

fn sends(criterion: &mut Criterion, corpus: &Corpus) {
    describe("sends", Format::Send, corpus);
    let mut group = criterion.benchmark_group("send");
    group.throughput(Throughput::Bytes(corpus.bytes()));
    ours(&mut group, Format::Send, corpus);
    group.finish();
}

fn protobuf(criterion: &mut Criterion, corpus: &Corpus) {
    let rows = describe("protobuf", Format::Protobuf, corpus);
    let mut group = criterion.benchmark_group("protobuf");
    let (elements, bytes) = (rows as u64, corpus.bytes());
    group.throughput(Throughput::ElementsAndBytes { elements, bytes });
    ours(&mut group, Format::Protobuf, corpus);
    group.bench_function("prost", |bencher| {
        bencher.iter(|| {
            for record in corpus.records() {
                black_box(events::Record::decode(record).expect("a record").items.len());
            }
        });
    });
    group.finish();
}
