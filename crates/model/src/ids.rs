//! Newtypes for the numbers that must not be mixed up.

/// A keyed 64-bit pseudonym of a peer or a message. Stored signed: the table format has
/// no unsigned integers, and order is defined on the signed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub i64);

/// A Kafka partition number, or 0 for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId(pub i32);

/// A record's place in a partition: Kafka's offset, or the record's index in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Pseudonym {
    /// A fixed bijective mix of the pseudonym (SplitMix64's finaliser), the order in which
    /// samples take "the smallest". The pseudonym is keyed, so the mix is too; mixing again
    /// keeps samples independent of anything that orders or partitions by the pseudonym itself.
    #[must_use]
    pub fn sample_hash(self) -> u64 {
        let mut z = self.0.cast_unsigned().wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// The bucket of a sender in `sender_days`: FNV-1a of its bytes, folded to
/// [`crate::limits::SENDER_BUCKETS`]. Part of the table's layout, so it never changes.
#[must_use]
pub fn sender_bucket(sender: &str) -> i32 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for byte in sender.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    let folded = (hash ^ (hash >> 32)) % u64::from(crate::limits::SENDER_BUCKETS);
    i32::try_from(folded).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_hash_is_a_bijection_on_a_sample() {
        let hashes: std::collections::BTreeSet<u64> =
            (-5_000..5_000).map(|value| Pseudonym(value).sample_hash()).collect();
        assert_eq!(hashes.len(), 10_000);
    }

    #[test]
    fn sender_bucket_is_in_range_and_fixed() {
        assert!((0..1_000).all(|n| (0..16).contains(&sender_bucket(&n.to_string()))));
        assert_eq!(sender_bucket("106540352242922"), sender_bucket("106540352242922"));
    }
}
