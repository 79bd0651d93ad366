//! Faults that a mock cluster can show: members that leave, records that retention took, reads that
//! begin while fetching is under way.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use turnwise_kafka::{
    Consumer, ConsumerConfig, Event, MockCluster, Producer, StartOffset, TopicPartition,
};
use turnwise_model::Offset;

const WITHIN: Duration = Duration::from_secs(30);

fn consumer(cluster: &MockCluster, group: &str) -> Consumer {
    let config = ConsumerConfig {
        brokers: cluster.bootstrap(),
        group: group.to_owned(),
        topics: vec!["webhooks".to_owned()],
        partition_buffer_bytes: 1 << 20,
        ..ConsumerConfig::default()
    };
    Consumer::new(&config).expect("connected")
}

fn produce(cluster: &MockCluster, records: u32) {
    let producer = Producer::new(&cluster.bootstrap()).expect("producer");
    for value in 0..records {
        producer.send("webhooks", Some(0), b"", &value.to_be_bytes(), None).expect("sent");
    }
    producer.flush(WITHIN).expect("flushed");
}

/// More than the 5 MiB that a mock partition keeps, of bytes that do not compress.
fn overflow(cluster: &MockCluster) {
    let producer = Producer::new(&cluster.bootstrap()).expect("producer");
    let mut state = 1_u64;
    for _ in 0..800 {
        let value: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .take(10_000)
        .collect();
        producer.send("webhooks", Some(0), b"", &value, None).expect("sent");
    }
    producer.flush(WITHIN).expect("flushed");
}

fn assigned(consumer: &mut Consumer, start: StartOffset) -> TopicPartition {
    let started = Instant::now();
    loop {
        for event in consumer.poll(Duration::from_millis(20)) {
            if let Event::Assigned(partitions) = event {
                let starts: Vec<_> = partitions.iter().map(|p| (p.clone(), start)).collect();
                consumer.assign(&starts).expect("assigned");
                return partitions[0].clone();
            }
        }
        assert!(started.elapsed() < WITHIN, "nothing was assigned in time");
    }
}

/// Reads from the position on until `enough` offsets or an event that stops the partition.
fn read(
    consumer: &mut Consumer,
    partition: &TopicPartition,
    enough: usize,
) -> (Vec<i64>, Option<Event>) {
    let (started, mut offsets) = (Instant::now(), Vec::new());
    while offsets.len() < enough {
        consumer.poll(Duration::ZERO);
        let (_, event) = consumer
            .read(partition, 1_000, &mut |record| offsets.push(record.offset.0))
            .expect("assigned");
        if event.is_some() {
            return (offsets, event);
        }
        consumer.wait(Duration::from_millis(20));
        assert!(started.elapsed() < WITHIN, "only {} records came in time", offsets.len());
    }
    (offsets, None)
}

#[test]
fn no_record_is_skipped_while_a_partition_is_being_taken_on() {
    let cluster = MockCluster::start(&[("webhooks", 1)]).expect("cluster");
    produce(&cluster, 20_000);
    for round in 0..5 {
        let mut consumer = consumer(&cluster, &format!("taking-on-{round}"));
        let partition = assigned(&mut consumer, StartOffset::Earliest);
        let (offsets, _) = read(&mut consumer, &partition, 20_000);
        assert!(offsets.iter().copied().eq(0..20_000), "round {round}: offsets are missing");
    }
}

/// Drops a consumer on a thread of its own, so that one that never leaves fails the test.
fn leave(consumer: Consumer) -> Duration {
    let started = Instant::now();
    let (done, left) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        drop(consumer);
        let _ = done.send(());
    });
    left.recv_timeout(WITHIN).expect("the consumer left its group");
    started.elapsed()
}

#[test]
fn member_with_partitions_leaves_in_time() {
    let cluster = MockCluster::start(&[("webhooks", 1)]).expect("cluster");
    let mut consumer = consumer(&cluster, "leaving");
    assigned(&mut consumer, StartOffset::Earliest);
    assert!(leave(consumer) < Duration::from_secs(8), "not by giving up");
}

#[test]
fn member_that_has_not_answered_its_assignment_leaves_in_time() {
    let cluster = MockCluster::start(&[("webhooks", 1)]).expect("cluster");
    let mut consumer = consumer(&cluster, "leaving-early");
    let started = Instant::now();
    let is_assigned = |event: &Event| matches!(event, Event::Assigned(_));
    while !consumer.poll(Duration::from_millis(20)).iter().any(is_assigned) {
        assert!(started.elapsed() < WITHIN, "nothing was assigned in time");
    }
    assert!(leave(consumer) < Duration::from_secs(8), "not by giving up");
}

/// A member is told its partitions some seconds after it asked to join: some of these leave before,
/// some behind, some while the news is on its way, half of them without having looked at it.
#[test]
fn members_leave_in_time_at_any_moment() {
    let cluster = MockCluster::start(&[("webhooks", 1)]).expect("cluster");
    let leave_at = |mut consumer: Consumer, step: u32| {
        let (started, stays) = (Instant::now(), Duration::from_millis(200) * (step / 2));
        while let Some(left) = stays.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
            if step.is_multiple_of(2) {
                consumer.poll(left);
            } else {
                consumer.wait(left);
            }
        }
        leave(consumer)
    };
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let members: Vec<_> = (0..48)
            .map(|step| {
                let consumer = consumer(&cluster, &format!("leaving-at-{step}"));
                scope.spawn(move || leave_at(consumer, step))
            })
            .collect();
        members.into_iter().map(|member| member.join().expect("left")).collect()
    });
    assert!(times.iter().all(|time| *time < Duration::from_secs(8)), "{times:?}");
}

#[test]
fn member_whose_cluster_is_gone_leaves_in_time() {
    let cluster = MockCluster::start(&[("webhooks", 1)]).expect("cluster");
    let mut consumer = consumer(&cluster, "left-alone");
    assigned(&mut consumer, StartOffset::Earliest);
    drop(cluster);
    leave(consumer);
}

#[test]
fn records_that_retention_took_are_an_exact_range_and_reading_goes_on_behind_it() {
    let cluster = MockCluster::start(&[("webhooks", 1)]).expect("cluster");
    overflow(&cluster);
    let mut consumer = consumer(&cluster, "retention");
    let partition = assigned(&mut consumer, StartOffset::Offset(Offset(7)));
    let (offsets, event) = read(&mut consumer, &partition, 1);
    assert!(offsets.is_empty());
    let Some(Event::OffsetsLost { from, to, .. }) = event else {
        panic!("expected lost offsets, not {event:?}");
    };
    assert_eq!(from, Offset(7));
    assert!(to > from);
    let (end, event) = consumer.read(&partition, 10, &mut |_| {}).expect("still assigned");
    assert_eq!((end.position, event), (from, None), "a stopped partition reads nothing");
    consumer.seek(&partition, to).expect("seek behind the gap");
    let (offsets, event) = read(&mut consumer, &partition, 100);
    assert_eq!((offsets.first().copied(), event), (Some(to.0), None));
}

#[test]
fn position_behind_the_end_of_the_log_is_a_log_cut_short() {
    let cluster = MockCluster::start(&[("webhooks", 1)]).expect("cluster");
    produce(&cluster, 10);
    let mut consumer = consumer(&cluster, "cut-short");
    let partition = assigned(&mut consumer, StartOffset::Offset(Offset(500)));
    let (offsets, event) = read(&mut consumer, &partition, 1);
    assert!(offsets.is_empty());
    assert_eq!(
        event,
        Some(Event::LogTruncated { partition, position: Offset(500), end: Offset(10) })
    );
}
