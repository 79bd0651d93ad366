//! What the codec makes of the stream: nothing good is refused, nothing malformed is accepted.

use turnwise_codec::{Decoder, Format, RecordContext, RecordCounts};
use turnwise_model::ids::{Offset, PartitionId};
use turnwise_model::keys::{Keys, Secret};
use turnwise_model::position::SourceName;
use turnwise_traffic::{Plan, Rates, Topic, Traffic};

#[test]
fn codec_reads_every_good_record_and_refuses_every_malformed_one() {
    let secret = Secret::new(&[b'k'; 32]).expect("long enough");
    let mut decoder = Decoder::new(Keys::expand(&secret));
    let source = SourceName("generated".to_owned());
    let rates = Rates { malformed: 0.01, duplicates: 0.0, ..Rates::default() };
    let plan = Plan { rates, ..Plan::new(8, 60_000) };
    let (mut good, mut refused) = (RecordCounts::default(), Vec::new());
    for (number, record) in Traffic::new(plan).enumerate() {
        let context = RecordContext {
            source: &source,
            partition: PartitionId(0),
            offset: Offset(i64::try_from(number).expect("small")),
            record_time: Some(record.time),
            read_time: record.time,
        };
        let format = match record.topic {
            Topic::Webhooks => Format::CloudApi,
            Topic::Sends => Format::Send,
        };
        let counts = decoder.decode(format, &context, Some(&record.value));
        if record.malformed {
            assert!(counts.messages + counts.statuses == 0, "a malformed record gave rows");
            assert!(counts.dead_letters + counts.ignored > 0, "a malformed record vanished");
        } else {
            good += counts;
            let notes = decoder.take_dead_letters();
            refused.extend(notes.into_iter().map(|n| format!("{:?} {}", n.reason, n.detail)));
        }
        let _ = decoder.take_dead_letters();
        if number % 10_000 == 0 {
            let _ = decoder.finish();
        }
    }
    refused.sort();
    refused.dedup();
    assert_eq!(good.dead_letters, 0, "{refused:#?}");
    assert!(good.messages.abs_diff(60_000) <= 600, "{}", good.messages);
    assert!(good.statuses > 50_000 && good.history > 0 && good.account_events > 0);
}
