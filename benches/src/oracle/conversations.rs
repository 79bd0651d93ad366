//! Query A.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::{Query, each_batch, mean, quantile, table};
use crate::data::{GAP_MS, kind};
use crate::files::column;

const NAMES: [&str; 12] = [
    "conversations",
    "turns_mean",
    "turns_p50",
    "turns_p95",
    "peers",
    "messages",
    "outbound",
    "latency_p50",
    "latency_p95",
    "share_template",
    "share_button",
    "share_voice",
];

/// A message, in the order that conversations are found in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Message {
    number: u64,
    peer: u64,
    ts_ms: i64,
    direction: u8,
    kind: u8,
}

pub(super) fn answer(path: &Path) -> Result<String> {
    let mut messages = Vec::new();
    each_batch(Query::A, path, |columns| {
        let (numbers, peers) = (columns.longs(column::NUMBER)?, columns.longs(column::PEER)?);
        let times = columns.times()?;
        let (directions, kinds) = (columns.bytes(column::DIRECTION)?, columns.bytes(column::KIND)?);
        messages.extend((0..numbers.len()).map(|row| Message {
            number: numbers[row],
            peer: peers[row],
            ts_ms: times[row],
            direction: directions[row],
            kind: kinds[row],
        }));
        Ok(())
    })?;
    messages.sort_unstable();
    let of_number = |one: &Message, next: &Message| one.number == next.number;
    let rows: BTreeMap<u64, Vec<Option<f64>>> =
        messages.chunk_by(of_number).map(|own| (own[0].number, number(own))).collect();
    Ok(table(&NAMES, &rows))
}

fn number(messages: &[Message]) -> Vec<Option<f64>> {
    let (mut peers, mut turns, mut latencies) = (0, Vec::new(), Vec::new());
    for of_peer in messages.chunk_by(|one, next| one.peer == next.peer) {
        peers += 1;
        for talk in of_peer.chunk_by(|one, next| next.ts_ms - one.ts_ms <= GAP_MS) {
            let runs = talk.chunk_by(|one, next| one.direction == next.direction);
            turns.push(runs.count() as f64);
            let replies =
                talk.windows(2).filter(|two| (two[0].direction, two[1].direction) == (0, 1));
            latencies.extend(replies.map(|two| (two[1].ts_ms - two[0].ts_ms) as f64));
        }
    }
    turns.sort_unstable_by(f64::total_cmp);
    latencies.sort_unstable_by(f64::total_cmp);
    let count =
        |is: &dyn Fn(&Message) -> bool| messages.iter().filter(|one| is(one)).count() as f64;
    let all = messages.len() as f64;
    let share = |kind: u8| Some(count(&|one| one.kind == kind) / all);
    vec![
        Some(turns.len() as f64),
        mean(&turns),
        quantile(&turns, 0.5),
        quantile(&turns, 0.95),
        Some(f64::from(peers)),
        Some(all),
        Some(count(&|one| one.direction == 1)),
        quantile(&latencies, 0.5),
        quantile(&latencies, 0.95),
        share(kind::TEMPLATE),
        share(kind::BUTTON),
        share(kind::VOICE),
    ]
}
