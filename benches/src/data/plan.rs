//! How large the data set is.

/// What a data set is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Messages in all.
    pub messages: u64,
    /// Business numbers; never more than messages.
    pub numbers: u64,
    /// Another seed gives other rows of the same kind.
    pub seed: u64,
}

impl Plan {
    /// Messages of the comparison unless told otherwise.
    pub const MESSAGES: u64 = 20_000_000;
    /// Numbers of the comparison unless told otherwise.
    pub const NUMBERS: u64 = 10_000;
    /// The seed of the comparison.
    pub const SEED: u64 = 20_261_115;

    /// A data set of this size, with the usual seed.
    #[must_use]
    pub fn new(messages: u64, numbers: u64) -> Self {
        Self { messages, numbers: numbers.clamp(1, messages.max(1)), seed: Self::SEED }
    }

    /// Messages of each number, the largest first: proportional to 1 / rank, and at least one.
    #[must_use]
    pub fn quotas(&self) -> Vec<u64> {
        let harmonic: f64 = (1..=self.numbers).map(|rank| 1.0 / rank as f64).sum();
        let share = |rank: u64| self.messages as f64 / harmonic / rank as f64;
        let mut quotas: Vec<u64> =
            (1..=self.numbers).map(|rank| (share(rank) as u64).max(1)).collect();
        let mut sum: u64 = quotas.iter().sum();
        // What rounding down has left goes round from the largest on; what the least take beyond
        // their share comes from all that have more than one.
        let mut at = 0;
        while sum < self.messages {
            quotas[at] += 1;
            sum += 1;
            at = (at + 1) % quotas.len();
        }
        while sum > self.messages {
            let less = (sum - self.messages).min(quotas[at].div_ceil(10)).min(quotas[at] - 1);
            quotas[at] -= less;
            sum -= less;
            at = (at + 1) % quotas.len();
        }
        quotas.sort_unstable_by(|one, other| other.cmp(one));
        quotas
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_zipf_and_add_up() {
        for (messages, numbers) in
            [(20_000_000, 10_000), (1_000, 1_000), (1_000_000, 1), (100_000, 90_000), (5, 9)]
        {
            let plan = Plan::new(messages, numbers);
            let quotas = plan.quotas();
            assert_eq!(quotas.len() as u64, plan.numbers);
            assert_eq!(quotas.iter().sum::<u64>(), messages);
            assert!(quotas.iter().all(|quota| *quota > 0), "{messages} of {numbers}");
            assert!(quotas.is_sorted_by(|one, next| one >= next), "{messages} of {numbers}");
        }
        let quotas = Plan::new(20_000_000, 10_000).quotas();
        // The harmonic number of 10,000 is 9.79: the first has a tenth.
        assert!((1_980_000..2_080_000).contains(&quotas[0]), "{}", quotas[0]);
        assert!((980_000..1_040_000).contains(&quotas[1]), "{}", quotas[1]);
        assert!((200..220).contains(&quotas[9_999]), "{}", quotas[9_999]);
    }
}
