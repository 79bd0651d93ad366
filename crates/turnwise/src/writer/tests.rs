use std::collections::BTreeMap;

use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_ingest::ReadTo;
use turnwise_lake::FileFilter;
use turnwise_model::{Keys, Millis, PartitionId, Secret, SourceName};

use super::*;

fn source() -> SourcePartition {
    SourcePartition { source: SourceName("cluster/topic".into()), partition: PartitionId(3) }
}

fn rows(offset: i64) -> Vec<EventBatch> {
    let keys = Keys::expand(&Secret::new(&[b'k'; 32]).expect("long enough"));
    let mut decoder = Decoder::new(keys);
    let partition = source();
    let context = RecordContext {
        source: &partition.source,
        partition: partition.partition,
        offset: Offset(offset),
        record_time: None,
        read_time: Millis(1_794_096_147_127),
    };
    decoder.decode(Format::Auto, &context, Some(b"no json"));
    decoder.finish()
}

fn commit(id: u64, from: Option<i64>, to: i64) -> Wish {
    let partition = source();
    let mut batches = rows(to - 1);
    batches.extend(rows(to - 1));
    Wish::Commit {
        id: CommitId(id),
        attempt: 1,
        ranges: vec![OffsetRange {
            partition: partition.clone(),
            from: from.map(Offset),
            to: Offset(to),
        }],
        batches,
        read_to: vec![ReadTo { partition, time: Millis(7) }],
        deadline_ms: i64::MAX,
    }
}

fn writer(folder: &tempfile::TempDir) -> EventWriter {
    let location = folder.path().to_str().expect("utf-8");
    let lake = Lake::open(location, &BTreeMap::new()).expect("opens");
    EventWriter::new(Arc::new(events_table(&lake).expect("made")), "ingest")
}

#[test]
fn rows_and_offset_are_in_one_commit_and_a_repeat_adds_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let mut writer = writer(&folder);
    let committed = writer.carry_out(commit(1, None, 5));
    assert!(matches!(committed, Some(Input::Committed { id: CommitId(1) })), "{committed:?}");
    assert_eq!(writer.stored(&source()), Some(Offset(5)));
    let again = writer.carry_out(commit(2, None, 5));
    assert!(matches!(again, Some(Input::Committed { id: CommitId(2) })), "{again:?}");
    let table = Arc::clone(&writer.table);
    let files = table.snapshot(None).expect("read").files(&FileFilter::all()).expect("read");
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].num_records, Some(2));
    let change = &table.changes(0, table.version()).expect("read")[0];
    assert_eq!(change.info[READ_TO], "{\"ingest/cluster/topic/3\":7}");
}

#[test]
fn another_start_is_ambiguous_and_the_offsets_tell() {
    let folder = tempfile::tempdir().expect("folder");
    let mut writer = writer(&folder);
    writer.carry_out(commit(1, None, 5));
    let lost = writer.carry_out(commit(2, Some(4), 9));
    assert!(matches!(lost, Some(Input::Ambiguous { id: CommitId(2) })), "{lost:?}");
    let wish = Wish::ReadOffsets { id: CommitId(2), partitions: vec![source()] };
    match writer.carry_out(wish) {
        Some(Input::Offsets { id: CommitId(2), stored }) => {
            assert_eq!(stored, BTreeMap::from([(source(), Offset(5))]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn past_the_deadline_nothing_is_committed() {
    let folder = tempfile::tempdir().expect("folder");
    let mut writer = writer(&folder);
    let Wish::Commit { id, attempt, ranges, batches, read_to, .. } = commit(1, None, 5) else {
        panic!("a commit");
    };
    let wish = Wish::Commit { id, attempt, ranges, batches, read_to, deadline_ms: 0 };
    assert!(matches!(writer.carry_out(wish), Some(Input::Ambiguous { .. })));
    assert_eq!(writer.stored(&source()), None);
}
