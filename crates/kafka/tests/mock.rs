//! The consumer against librdkafka's mock cluster.

use std::time::{Duration, Instant};

use turnwise_kafka::{
    Consumer, ConsumerConfig, Event, KafkaError, MockCluster, Producer, StartOffset, TopicPartition,
};
use turnwise_model::Offset;

const WITHIN: Duration = Duration::from_secs(30);

fn consumer(cluster: &MockCluster, group: &str) -> Consumer {
    let config = ConsumerConfig {
        brokers: cluster.bootstrap(),
        group: group.to_owned(),
        topics: vec!["webhooks".to_owned()],
        // A mock cluster waits a whole session before it moves partitions.
        properties: [("session.timeout.ms".to_owned(), "6000".to_owned())].into(),
        partition_buffer_bytes: 1 << 20,
        ..ConsumerConfig::default()
    };
    Consumer::new(&config).expect("connected")
}

/// Polls until `done` says so.
fn until(consumer: &mut Consumer, mut done: impl FnMut(&mut Consumer, &[Event]) -> bool) {
    let started = Instant::now();
    loop {
        let events = consumer.poll(Duration::from_millis(20));
        if done(consumer, &events) {
            return;
        }
        assert!(started.elapsed() < WITHIN, "nothing came in time");
    }
}

fn assigned(consumer: &mut Consumer, start: StartOffset) -> Vec<TopicPartition> {
    let mut found = Vec::new();
    until(consumer, |consumer, events| {
        for event in events {
            if let Event::Assigned(partitions) = event {
                let starts: Vec<_> = partitions.iter().map(|p| (p.clone(), start)).collect();
                consumer.assign(&starts).expect("assigned");
                found.extend(partitions.iter().cloned());
            }
        }
        found.len() == 2
    });
    found
}

fn produce(cluster: &MockCluster, values: std::ops::Range<u32>) {
    let producer = Producer::new(&cluster.bootstrap()).expect("producer");
    for value in values {
        let partition = i32::try_from(value % 2).expect("small");
        let text = value.to_string();
        producer.send("webhooks", Some(partition), b"key", text.as_bytes(), None).expect("sent");
    }
    producer.flush(WITHIN).expect("flushed");
}

fn read(consumer: &mut Consumer, partition: &TopicPartition, count: usize) -> Vec<(i64, String)> {
    let mut found = Vec::new();
    until(consumer, |consumer, _| {
        let read = consumer.read(partition, 1_000, &mut |record| {
            let value = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
            found.push((record.offset.0, value));
        });
        read.expect("assigned");
        found.len() >= count
    });
    found
}

#[test]
fn records_come_in_order_from_the_offset_named_and_again_after_a_seek() {
    let cluster = MockCluster::start(&[("webhooks", 2)]).expect("cluster");
    produce(&cluster, 0..200);
    let mut consumer = consumer(&cluster, "order");
    let partitions = assigned(&mut consumer, StartOffset::Offset(Offset(10)));
    for partition in &partitions {
        let found = read(&mut consumer, partition, 90);
        let offsets: Vec<i64> = found.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, (10..100).collect::<Vec<i64>>());
        let first = 20 + i64::from(partition.partition.0);
        assert_eq!(found[0].1, first.to_string());
        consumer.seek(partition, Offset(95)).expect("seek");
        let again = read(&mut consumer, partition, 5);
        assert_eq!(again.first().map(|(offset, _)| *offset), Some(95));
        until(&mut consumer, |consumer, _| {
            let (end, _) = consumer.read(partition, 10, &mut |_| {}).expect("assigned");
            end.at_end
        });
        assert_eq!(consumer.lag(partition), Some(0));
    }
}

#[test]
fn second_member_takes_one_partition_over() {
    let cluster = MockCluster::start(&[("webhooks", 2)]).expect("cluster");
    let mut first = consumer(&cluster, "members");
    let partitions = assigned(&mut first, StartOffset::Earliest);
    let mut second = consumer(&cluster, "members");
    let mut taken = Vec::new();
    let started = Instant::now();
    while taken.is_empty() {
        for event in first.poll(Duration::from_millis(20)) {
            match event {
                Event::Revoked(revoked) => {
                    first.unassign(&revoked).expect("given back");
                    for partition in &revoked {
                        assert!(first.read(partition, 1, &mut |_| {}).is_err());
                    }
                }
                Event::Assigned(kept) => {
                    assert!(kept.is_empty(), "nothing new is for the first member");
                    first.assign(&[]).expect("assigned");
                }
                other => panic!("unexpected: {other:?}"),
            }
        }
        for event in second.poll(Duration::from_millis(20)) {
            if let Event::Assigned(partitions) = event {
                let starts: Vec<_> =
                    partitions.iter().map(|p| (p.clone(), StartOffset::Latest)).collect();
                second.assign(&starts).expect("assigned");
                taken = partitions;
            }
        }
        assert!(started.elapsed() < WITHIN, "no partition moved in time");
    }
    assert!(taken.iter().all(|partition| partitions.contains(partition)));
}

#[test]
fn member_needs_every_topic_and_a_look_only_those_that_are_there() {
    let cluster = MockCluster::start(&[("webhooks", 1)]).expect("mock cluster");
    let config = ConsumerConfig {
        brokers: cluster.bootstrap(),
        group: "missing".to_owned(),
        topics: vec!["missing".to_owned(), "webhooks".to_owned()],
        partition_buffer_bytes: 1 << 20,
        ..ConsumerConfig::default()
    };
    let error = Consumer::new(&config).expect_err("a topic is missing");
    assert!(matches!(&error, KafkaError::TopicMissing { topic } if topic == "missing"), "{error}");
    let apart = Consumer::apart(&config).expect("connected");
    assert_eq!(apart.topics(), ["webhooks"]);
}
