//! The senders of a plan: who they are, how much they carry, at which hours.

use turnwise_model::time::{DAY_MS, HOUR_MS, Millis};

use crate::plan::Plan;
use crate::profile::{Class, Language, Profile};
use crate::rng::{Rng, mix, mix2};

/// What a generated sender really is: what a verdict is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The number's id on the platform.
    pub phone_number_id: String,
    /// The business account that owns it.
    pub waba_id: String,
    /// A name for the `senders` file; some senders have none there.
    pub display_name: Option<String>,
    /// What it carries.
    pub profile: Profile,
    /// Its main language; some of its peers write another.
    pub language: Language,
    /// What the terms say of it.
    pub class: Class,
}

/// What each sender of a plan really is, in the plan's order.
#[must_use]
pub fn truth(plan: &Plan) -> Vec<Truth> {
    senders(plan)
        .into_iter()
        .map(|sender| Truth {
            phone_number_id: sender.phone_number_id.to_string(),
            waba_id: sender.waba_id.to_string(),
            display_name: (!mix(sender.seed ^ 7).is_multiple_of(8)).then(|| sender.name()),
            profile: sender.profile,
            language: sender.language,
            class: sender.profile.class(),
        })
        .collect()
}

/// A sender while it is generated: a few numbers, whatever its size.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) index: u32,
    pub(crate) seed: u64,
    pub(crate) profile: Profile,
    pub(crate) language: Language,
    pub(crate) phone_number_id: u64,
    pub(crate) waba_id: u64,
    pub(crate) display_number: u64,
    /// Messages it shall carry, and has planned so far.
    pub(crate) quota: u64,
    pub(crate) planned: u64,
    /// Peers that have written or been written to.
    pub(crate) peers: u32,
    /// Conversations planned so far: each has a stream of chance of its own.
    pub(crate) conversations: u64,
    weight_total: u64,
    weight_so_far: u64,
}

/// Senders after the first twelve take profiles in this order: tasks outnumber assistants.
const LATER: [Profile; 21] = [
    Profile::Bank,
    Profile::Chatgpt,
    Profile::Shop,
    Profile::Otp,
    Profile::Delivery,
    Profile::Luzia,
    Profile::Faq,
    Profile::Travel,
    Profile::Bank,
    Profile::LlmSupport,
    Profile::Perplexity,
    Profile::Shop,
    Profile::Otp,
    Profile::Mixed,
    Profile::Delivery,
    Profile::Bank,
    Profile::Poke,
    Profile::Shop,
    Profile::Faq,
    Profile::Travel,
    Profile::LlmSupport,
];

/// Weight of each local hour for people who write when awake.
const AWAKE: [u8; 24] =
    [14, 8, 5, 4, 4, 6, 12, 22, 32, 40, 44, 46, 48, 46, 44, 44, 46, 50, 54, 58, 60, 56, 44, 28];
/// Weight of each local hour for offices and shops.
const OFFICE: [u8; 24] =
    [1, 0, 0, 0, 0, 1, 3, 10, 32, 58, 66, 64, 52, 50, 60, 62, 58, 48, 30, 16, 8, 5, 3, 2];
/// Weight of each local hour for machines that send day and night.
const MACHINE: [u8; 24] =
    [16, 12, 10, 9, 9, 12, 20, 30, 38, 44, 46, 46, 46, 44, 44, 44, 44, 46, 48, 48, 46, 40, 32, 24];

/// The senders of a plan with their quotas, which add up to `plan.messages`.
pub(crate) fn senders(plan: &Plan) -> Vec<Sender> {
    let count = plan.sender_count();
    let quotas = quotas(plan.seed, plan.messages, count);
    let mut of_profile = [0_u32; 12];
    // So that the same profile speaks another language in the next seed.
    let turn = usize::try_from(plan.seed % 4).unwrap_or(0);
    (0..count)
        .zip(quotas)
        .map(|(index, quota)| {
            let place = index as usize;
            let profile = match place.checked_sub(Profile::ALL.len()) {
                None => Profile::ALL[place],
                Some(later) => LATER[later % LATER.len()],
            };
            let nth = &mut of_profile[profile.number()];
            let spoken = *nth as usize + profile.number() + turn;
            *nth += 1;
            let seed = mix2(plan.seed, u64::from(index) + 1);
            let mut sender = Sender {
                index,
                seed,
                profile,
                language: Language::ALL[spoken % Language::ALL.len()],
                phone_number_id: 100_000_000_000_000 + u64::from(index) * 7_919 + 38,
                waba_id: 900_000_000_000_000 + u64::from(index - index % 9 % 2) * 6_701 + 11,
                display_number: 15_550_000_000 + u64::from(index) * 13 + 101,
                quota,
                planned: 0,
                peers: 0,
                conversations: 0,
                weight_total: 0,
                weight_so_far: 0,
            };
            let hours = i64::from(plan.days_covered()) * 24;
            sender.weight_total =
                (0..hours).map(|hour| sender.weight(Millis(plan.start().0 + hour * HOUR_MS))).sum();
            sender
        })
        .collect()
}

/// Three fifths in equal parts, so that every sender can be judged; the rest falls with the rank.
fn quotas(seed: u64, messages: u64, count: u32) -> Vec<u64> {
    let floor = messages / u64::from(count) * 3 / 5;
    let rest = messages - floor * u64::from(count);
    let mut ranks: Vec<u64> = (0..u64::from(count)).collect();
    let mut rng = Rng::new(mix2(seed, 0x5e4d));
    for last in (1..ranks.len()).rev() {
        ranks.swap(last, rng.index(last + 1));
    }
    let weights: Vec<u64> = ranks.iter().map(|rank| 1_000_000 / (rank + 8)).collect();
    let total: u64 = weights.iter().sum();
    let mut quotas = Vec::with_capacity(weights.len());
    let (mut weight_before, mut given) = (0_u64, 0_u64);
    for weight in weights {
        weight_before += weight;
        let until = u128::from(rest) * u128::from(weight_before) / u128::from(total.max(1));
        let until = u64::try_from(until).unwrap_or(rest);
        quotas.push(floor + until - given);
        given = until;
    }
    quotas
}

impl Sender {
    /// Traffic wanted in the hour that begins at `time`.
    fn weight(&self, time: Millis) -> u64 {
        let (curve, weekend) = match self.profile {
            Profile::Bank | Profile::Shop | Profile::Faq => (&OFFICE, 40),
            Profile::Delivery | Profile::LlmSupport | Profile::Travel => (&OFFICE, 75),
            Profile::Otp => (&MACHINE, 90),
            _ => (&AWAKE, 105),
        };
        let offset = match self.language {
            Language::English => -5 + i64::from(self.index % 3) * 5,
            Language::Spanish => -5,
            Language::Portuguese => -3,
            Language::Hindi => 5,
        };
        let local = time.0 + offset * HOUR_MS;
        let hour = usize::try_from(local.rem_euclid(DAY_MS) / HOUR_MS).unwrap_or(0);
        // 1970-01-01 was a Thursday; days 2 and 3 after a Thursday are the weekend.
        let share =
            if matches!(local.div_euclid(DAY_MS).rem_euclid(7), 2 | 3) { weekend } else { 100 };
        (u64::from(curve[hour.min(23)]) + 1) * share
    }

    /// Moves on by a slice (`per_hour` of them make an hour) and says how many messages the
    /// sender shall have planned by its end.
    pub(crate) fn target(&mut self, slice_start: Millis, per_hour: u64) -> u64 {
        // In units of a slice's share of an hour's weight, so that the sum stays exact.
        self.weight_so_far += self.weight(slice_start);
        let all = u128::from(self.weight_total) * u128::from(per_hour);
        let wanted = u128::from(self.quota) * u128::from(self.weight_so_far) / all.max(1);
        u64::try_from(wanted).unwrap_or(self.quota).min(self.quota)
    }

    /// Name in the `senders` file: made of the seed, tells nothing of the profile.
    fn name(&self) -> String {
        const FIRST: [&str; 16] = [
            "Aurora", "Boreal", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo",
            "Juniper", "Kestrel", "Lumen", "Meridian", "Nimbus", "Orchid", "Praxis",
        ];
        const LAST: [&str; 8] =
            ["Group", "Digital", "Services", "Connect", "Online", "Direct", "Hub", "Line"];
        let mut rng = Rng::new(self.seed ^ 0x6e61);
        let (first, last) = (FIRST[rng.index(FIRST.len())], LAST[rng.index(LAST.len())]);
        format!("{first} {last} {}", self.index + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_add_up_and_keep_the_floor() {
        for (messages, count) in [(120_000, 48), (10, 12), (0, 3), (1_000_003, 400)] {
            let quotas = quotas(9, messages, count);
            assert_eq!(quotas.iter().sum::<u64>(), messages);
            let floor = messages / u64::from(count) * 3 / 5;
            assert!(quotas.iter().all(|&quota| quota >= floor));
        }
    }

    #[test]
    fn truth_names_every_profile_and_each_number_once() {
        for seed in 0..5 {
            let truth = truth(&Plan::new(seed, 30_000));
            assert_eq!(truth.len(), 12);
            for profile in Profile::ALL {
                assert!(truth.iter().any(|t| t.profile == profile && t.class == profile.class()));
            }
            let mut ids: Vec<_> = truth.iter().map(|t| &t.phone_number_id).collect();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), 12);
        }
    }

    #[test]
    fn last_slice_wants_the_whole_quota() {
        let plan = Plan::new(3, 50_000);
        for sender in &mut senders(&plan) {
            let mut wanted = 0;
            for slice in 0..240 * 2 {
                let next = sender.target(Millis(plan.start().0 + slice / 2 * HOUR_MS), 2);
                assert!(next >= wanted);
                wanted = next;
            }
            assert_eq!(wanted, sender.quota);
        }
    }
}
