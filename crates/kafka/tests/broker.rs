//! What only a real broker can show. Runs where `TURNWISE_KAFKA` names one's bootstrap address.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use turnwise_kafka::{
    Admin, Consumer, ConsumerConfig, Event, Producer, RecordRef, StartOffset, TopicPartition,
};
use turnwise_model::{Millis, Offset};

const WITHIN: Duration = Duration::from_secs(60);

struct Broker {
    address: String,
    topic: String,
    admin: Admin,
}

impl Broker {
    /// A topic of the test's own on the broker, if there is one.
    fn with_topic(test: &str, partitions: i32) -> Option<Self> {
        let address = std::env::var("TURNWISE_KAFKA").ok()?;
        let admin = Admin::new(&address).expect("admin");
        let topic = format!("kafka-{test}-{}", std::process::id());
        admin.create_topic(&topic, partitions).expect("topic made");
        Some(Self { address, topic, admin })
    }

    fn consumer(&self) -> Consumer {
        let config = ConsumerConfig {
            brokers: self.address.clone(),
            group: self.topic.clone(),
            topics: vec![self.topic.clone()],
            properties: [("topic.metadata.refresh.interval.ms".into(), "1000".into())].into(),
            topic_ids: true,
            partition_buffer_bytes: 1 << 20,
            ..ConsumerConfig::default()
        };
        let started = Instant::now();
        loop {
            // A topic just made is not known everywhere at once.
            match Consumer::new(&config) {
                Ok(consumer) => return consumer,
                Err(error) => assert!(started.elapsed() < WITHIN, "connect: {error}"),
            }
        }
    }

    fn produce(&self, partition: i32, values: std::ops::Range<u32>) {
        let producer = Producer::new(&self.address).expect("producer");
        for value in values {
            let text = value.to_string();
            producer
                .send(&self.topic, Some(partition), b"key", text.as_bytes(), Some(Millis(1_000)))
                .expect("sent");
        }
        producer.flush(WITHIN).expect("flushed");
    }
}

/// Polls, answering assignments with `start`, until `done` gives something.
fn until<T>(
    consumer: &mut Consumer,
    start: StartOffset,
    mut done: impl FnMut(&mut Consumer, &Event) -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        for event in consumer.poll(Duration::from_millis(20)) {
            match &event {
                Event::Assigned(partitions) => {
                    let starts: Vec<_> = partitions.iter().map(|p| (p.clone(), start)).collect();
                    consumer.assign(&starts).expect("assigned");
                }
                Event::Revoked(partitions) | Event::Lost(partitions) => {
                    consumer.unassign(partitions).expect("given back");
                }
                _ => {}
            }
            if let Some(found) = done(consumer, &event) {
                return found;
            }
        }
        assert!(started.elapsed() < WITHIN, "what was waited for did not happen");
    }
}

fn first_partition(_: &mut Consumer, event: &Event) -> Option<TopicPartition> {
    match event {
        Event::Assigned(partitions) => partitions.first().cloned(),
        _ => None,
    }
}

/// Reads until the end of the partition or an event that stops it.
fn read(consumer: &mut Consumer, partition: &TopicPartition) -> (Vec<i64>, Offset, Option<Event>) {
    let (started, mut offsets) = (Instant::now(), Vec::new());
    loop {
        consumer.poll(Duration::ZERO);
        let (end, event) = consumer
            .read(partition, 1_000, &mut |record| offsets.push(record.offset.0))
            .expect("assigned");
        if event.is_some() || end.at_end {
            return (offsets, end.position, event);
        }
        consumer.wait(Duration::from_millis(20));
        assert!(started.elapsed() < WITHIN, "the end was not reached");
    }
}

#[test]
fn topic_ids_are_url_safe_and_name_the_input() {
    let Some(broker) = Broker::with_topic("ids", 1) else { return };
    let mut consumer = broker.consumer();
    let partition = until(&mut consumer, StartOffset::Earliest, first_partition);
    let id = partition.topic_id.clone().expect("the broker tells an id");
    assert_eq!(id.len(), 22);
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{id}");
    assert_eq!(partition.source_name("c").0, format!("c/{id}"));
}

#[test]
fn deleted_records_are_an_exact_range_and_reading_goes_on_behind_it() {
    let Some(broker) = Broker::with_topic("deleted", 1) else { return };
    broker.produce(0, 0..1_000);
    broker.admin.delete_records(&broker.topic, 0, 400).expect("deleted");
    let mut consumer = broker.consumer();
    let start = StartOffset::Offset(Offset(150));
    let partition = until(&mut consumer, start, first_partition);
    let (offsets, position, event) = read(&mut consumer, &partition);
    assert!(offsets.is_empty());
    assert_eq!(position, Offset(150));
    let lost =
        Event::OffsetsLost { partition: partition.clone(), from: Offset(150), to: Offset(400) };
    assert_eq!(event, Some(lost));
    consumer.seek(&partition, Offset(400)).expect("seek");
    let (offsets, position, event) = read(&mut consumer, &partition);
    assert!(offsets.iter().copied().eq(400..1_000));
    assert_eq!((position, event), (Offset(1_000), None));
}

#[test]
fn position_moves_past_control_and_aborted_records_and_lag_reaches_zero() {
    let Some(broker) = Broker::with_topic("control", 1) else { return };
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &broker.address)
        .set("transactional.id", &broker.topic)
        .create()
        .expect("producer");
    producer.init_transactions(WITHIN).expect("transactions");
    for is_committed in [true, false] {
        producer.begin_transaction().expect("begun");
        for _ in 0..5 {
            let record = BaseRecord::<(), _>::to(&broker.topic).payload("value").partition(0);
            producer.send(record).map_err(|(error, _)| error).expect("sent");
        }
        producer.flush(WITHIN).expect("flushed");
        if is_committed {
            producer.commit_transaction(WITHIN).expect("committed");
        } else {
            producer.abort_transaction(WITHIN).expect("aborted");
        }
    }
    let mut consumer = broker.consumer();
    let partition = until(&mut consumer, StartOffset::Earliest, first_partition);
    let started = Instant::now();
    let (mut offsets, mut position) = (Vec::new(), Offset(0));
    // Five records and a marker, then five records and a marker that abort.
    while position < Offset(12) {
        let (more, end, event) = read(&mut consumer, &partition);
        assert_eq!(event, None);
        offsets.extend(more);
        position = end;
        assert!(started.elapsed() < WITHIN, "stays at {position:?}");
    }
    assert_eq!(offsets, [0, 1, 2, 3, 4]);
    assert_eq!(consumer.lag(&partition), Some(0));
}

#[test]
fn start_by_time_after_the_last_record_is_the_end() {
    let Some(broker) = Broker::with_topic("time", 1) else { return };
    broker.produce(0, 0..10);
    let mut consumer = broker.consumer();
    let start = StartOffset::Time(Millis(2_000));
    let partition = until(&mut consumer, start, first_partition);
    let (offsets, position, event) = read(&mut consumer, &partition);
    assert_eq!((offsets, position, event), (vec![], Offset(10), None));
}

#[test]
fn topic_made_again_is_told_and_its_partitions_stop() {
    let Some(broker) = Broker::with_topic("again", 1) else { return };
    broker.produce(0, 0..10);
    let mut consumer = broker.consumer();
    let partition = until(&mut consumer, StartOffset::Earliest, first_partition);
    assert_eq!(read(&mut consumer, &partition).0.len(), 10);
    broker.admin.delete_topic(&broker.topic).expect("deleted");
    let started = Instant::now();
    while let Err(error) = broker.admin.create_topic(&broker.topic, 1) {
        assert!(started.elapsed() < WITHIN, "make it again: {error}");
    }
    // Longer than the old one: only its id tells that it is another.
    broker.produce(0, 0..100);
    let old = until(&mut consumer, StartOffset::Earliest, |_, event| match event {
        Event::TopicRecreated { topic, was, now } => {
            assert_eq!(*topic, broker.topic);
            assert_ne!(was, now);
            Some(was.clone())
        }
        _ => None,
    });
    assert_eq!(partition.topic_id, Some(old));
    // The group may have taken the partition back meanwhile; where not, nothing more is read.
    if let Ok((end, event)) = consumer.read(&partition, 100, &mut |_| panic!("read on")) {
        assert_eq!((end.records, event), (0, None));
    }
}

#[test]
fn new_partitions_are_told_and_handed_out() {
    let Some(broker) = Broker::with_topic("more", 1) else { return };
    let mut consumer = broker.consumer();
    until(&mut consumer, StartOffset::Earliest, first_partition);
    broker.admin.add_partitions(&broker.topic, 3).expect("added");
    let (mut is_told, mut taken) = (false, 0);
    until(&mut consumer, StartOffset::Earliest, |_, event| {
        match event {
            Event::PartitionsAdded { partitions, .. } => is_told = *partitions == 3,
            Event::Assigned(partitions) => taken += partitions.len(),
            _ => {}
        }
        (is_told && taken == 2).then_some(())
    });
}

/// A member with what it holds and the offsets that it read of each partition.
struct Member {
    consumer: Consumer,
    held: Vec<TopicPartition>,
    read: Vec<(i32, i64)>,
}

impl Member {
    fn new(consumer: Consumer) -> Self {
        Self { consumer, held: Vec::new(), read: Vec::new() }
    }

    /// Answers the group and reads what is there; says how many ends it stands at. `revoked` runs
    /// before partitions are given back.
    fn step(&mut self, revoked: &dyn Fn(&[TopicPartition])) -> usize {
        for event in self.consumer.poll(Duration::from_millis(5)) {
            match event {
                Event::Assigned(partitions) => {
                    let start = StartOffset::Earliest;
                    let starts: Vec<_> = partitions.iter().map(|p| (p.clone(), start)).collect();
                    self.consumer.assign(&starts).expect("assigned");
                    self.held.extend(partitions);
                }
                Event::Revoked(partitions) | Event::Lost(partitions) => {
                    revoked(&partitions);
                    self.consumer.unassign(&partitions).expect("given back");
                    self.held.retain(|partition| !partitions.contains(partition));
                }
                _ => {}
            }
        }
        let mut ends = 0;
        for partition in &self.held {
            let read = &mut self.read;
            let mut sink = |record: RecordRef<'_>| {
                read.push((partition.partition.0, record.offset.0));
            };
            let (end, event) = self.consumer.read(partition, 1_000, &mut sink).expect("assigned");
            assert_eq!(event, None, "nothing is wrong with any position");
            ends += usize::from(end.at_end);
        }
        ends
    }
}

#[test]
fn record_where_an_end_was_seen_is_read_in_spite_of_a_rebalance() {
    let Some(broker) = Broker::with_topic("ends", 2) else { return };
    (0..2).for_each(|partition| broker.produce(partition, 0..10));
    let started = Instant::now();
    let in_time = |what| assert!(started.elapsed() < WITHIN, "{what} did not happen");
    let mut first = Member::new(broker.consumer());
    while first.step(&|_| ()) < 2 {
        in_time("reading to the ends");
    }
    // While the partitions are shared out, records come to the one that stays: the first of them
    // lies where the end was seen.
    let revoked = |partitions: &[TopicPartition]| {
        broker.produce(1 - partitions[0].partition.0, 10..13);
    };
    let mut second = Member::new(broker.consumer());
    while first.held.len() == 2 || second.held.is_empty() {
        first.step(&revoked);
        second.step(&|_| ());
        in_time("sharing the partitions out");
    }
    let kept = first.held[0].partition.0;
    while !first.read.contains(&(kept, 12)) {
        first.step(&|_| ());
        second.step(&|_| ());
        in_time("reading the next records");
    }
    let read: Vec<i64> = first.read.iter().filter(|read| read.0 == kept).map(|r| r.1).collect();
    assert!(read.iter().copied().eq(0..13), "read {read:?}");
}
