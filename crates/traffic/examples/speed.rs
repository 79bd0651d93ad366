//! Counts what a plan gives and how many bytes; run it under `time` for the speed.
//!
//! Arguments: messages, seed, and a step: with it, every so many-th record is printed instead.

use std::io::Write as _;

use turnwise_traffic::{Plan, Topic, Traffic};

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let messages = arguments.next().unwrap_or(1_000_000);
    let seed = arguments.next().unwrap_or(1);
    let mut traffic = Traffic::new(Plan::new(seed, messages));
    let out = std::io::stdout();
    if let Some(shown) = arguments.next() {
        let mut out = out.lock();
        let step = usize::try_from(shown).unwrap_or(1).max(1);
        for record in traffic.step_by(step) {
            if out.write_all(&record.value).and_then(|()| out.write_all(b"\n")).is_err() {
                return;
            }
        }
        return;
    }
    let (mut webhooks, mut sends, mut bytes, mut held) = (0_u64, 0_u64, 0_u64, 0);
    while let Some(record) = traffic.next() {
        match record.topic {
            Topic::Webhooks => webhooks += 1,
            Topic::Sends => sends += 1,
        }
        bytes += record.value.len() as u64;
        held = held.max(traffic.held());
    }
    println!(
        "messages {} webhooks {webhooks} sends {sends} bytes {bytes} held at most {held}",
        traffic.messages_planned()
    );
}
