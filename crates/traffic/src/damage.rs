//! Malformed records, made from good ones.

use crate::rng::{Rng, mix};
use crate::stream::Record;

/// A record that cannot be read, or in which something needed is missing.
pub(crate) fn damaged(good: &Record, seed: u64) -> Record {
    let mut rng = Rng::new(mix(seed ^ 0xdead));
    let value = &good.value;
    let value = match rng.below(6) {
        // Cut off on the way.
        0 | 1 => value[..value.len() * 2 / 3].to_vec(),
        // Another producer's bytes.
        2 => (0..40 + rng.below(200)).map(|_| rng.next().to_le_bytes()[0] | 0x80).collect(),
        // Valid JSON of another shape.
        3 => b"[1,2,{\"object\":7}]".to_vec(),
        4 => b"{\"object\":\"whatsapp_business_account\",\"entry\":{\"id\":5}}".to_vec(),
        // A body that is not UTF-8 in the middle.
        _ => {
            let mut bytes = value.clone();
            let half = bytes.len() / 2;
            bytes.splice(half..half, [0xff, 0xfe, 0x00, b'"']);
            bytes
        }
    };
    Record { value, malformed: true, ..good.clone() }
}
