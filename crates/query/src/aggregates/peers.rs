//! `peer_sample` and `peer_count`: the peers of smallest hash, and how many there are.

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use datafusion::common::Result;
use turnwise_kernels::samples::{PeerCount, PeerSample};
use turnwise_model::conversation::state_type;

use super::frame::{Lists, Rows};

/// `peer_sample(peer, day, user_tokens, reply_tokens)`: the peer sample of conversations; `day` is
/// the start day where the conversation has a message of U, else null.
pub(super) struct PeerSamples;

/// The arguments of `peer_sample`.
pub(super) struct PeerColumns<'a> {
    peer: &'a Int64Array,
    day: &'a Date32Array,
    user_tokens: Lists<'a>,
    reply_tokens: Lists<'a>,
}

impl Rows for PeerSamples {
    const NAME: &'static str = "peer_sample";
    type State = PeerSample;
    type Columns<'a> = PeerColumns<'a>;

    fn arguments() -> Vec<DataType> {
        vec![DataType::Int64, DataType::Date32, state_type(), state_type()]
    }

    fn columns(values: &[ArrayRef]) -> Result<PeerColumns<'_>> {
        Ok(PeerColumns {
            peer: values[0].as_primitive::<Int64Type>(),
            day: values[1].as_primitive::<Date32Type>(),
            user_tokens: Lists::new(&values[2])?,
            reply_tokens: Lists::new(&values[3])?,
        })
    }

    fn update(sample: &mut PeerSample, columns: &PeerColumns<'_>, row: usize) {
        if columns.peer.is_valid(row) {
            let day = columns.day.is_valid(row).then(|| columns.day.value(row));
            let tokens = |lists: &Lists<'_>| -> Vec<i32> {
                lists.value(row).iter().map(|token| token_code(*token)).collect()
            };
            sample.add(
                columns.peer.value(row),
                day,
                &tokens(&columns.user_tokens),
                &tokens(&columns.reply_tokens),
            );
        }
    }
}

/// A token as its column stores it: the 32 bits of an unsigned number, signed.
fn token_code(token: i64) -> i32 {
    u32::try_from(token).unwrap_or_default().cast_signed()
}

/// `peer_count(peer)`: the smallest hashes of distinct peers; nulls are left out.
pub(super) struct PeerCounts;

impl Rows for PeerCounts {
    const NAME: &'static str = "peer_count";
    type State = PeerCount;
    type Columns<'a> = &'a Int64Array;

    fn arguments() -> Vec<DataType> {
        vec![DataType::Int64]
    }

    fn columns(values: &[ArrayRef]) -> Result<&Int64Array> {
        Ok(values[0].as_primitive::<Int64Type>())
    }

    fn update(count: &mut PeerCount, peers: &&Int64Array, row: usize) {
        if peers.is_valid(row) {
            count.add(peers.value(row));
        }
    }

    fn update_run(count: &mut PeerCount, peers: &&Int64Array, rows: impl Iterator<Item = usize>) {
        // A peer's rows stand together where its sender's do.
        let mut last = None;
        for row in rows {
            let peer = peers.is_valid(row).then(|| peers.value(row));
            if peer != last {
                last = peer;
                Self::update(count, peers, row);
            }
        }
    }

    fn fetch(count: &PeerCount, peers: &&Int64Array, row: usize) {
        count.fetch(peers.value(row));
    }
}
