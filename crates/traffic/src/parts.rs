//! What records share: people, message ids, timestamps, prices.

use turnwise_model::time::Millis;

use crate::event::{CATEGORIES, Event, SERVICE};
use crate::json::{self, hex, number, raw};
use crate::plan::Plan;
use crate::profile::Language;
use crate::rng::{Rng, mix, mix2};
use crate::sender::Sender;

/// 2026-10-01T00:00:00Z: free-form messages are billed from here on.
const SERVICE_BILLED_FROM: Millis = Millis(1_790_812_800_000);

/// Calling code, country, digits of the national number.
type Country = (u64, &'static str, u32);

const ENGLISH: [Country; 5] =
    [(1, "US", 10), (44, "GB", 10), (234, "NG", 10), (27, "ZA", 9), (91, "IN", 10)];
const SPANISH: [Country; 5] =
    [(52, "MX", 10), (57, "CO", 10), (54, "AR", 10), (34, "ES", 9), (51, "PE", 9)];
const PORTUGUESE: [Country; 3] = [(55, "BR", 11), (55, "BR", 11), (351, "PT", 9)];
const HINDI: [Country; 1] = [(91, "IN", 10)];

/// What a record is written of.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) sender: &'a Sender,
}

/// A peer of a sender.
pub(crate) struct Person {
    pub(crate) hash: u64,
    pub(crate) phone: u64,
    pub(crate) country: &'static str,
    /// Words of which tongue.
    pub(crate) tongue: usize,
    /// No phone number in any record.
    pub(crate) user_id_only: bool,
    /// The user id stands beside the number.
    pub(crate) with_user_id: bool,
}

impl Context<'_> {
    pub(crate) fn person(&self, peer: u32) -> Person {
        let hash = mix2(self.sender.seed ^ 0x70ee, u64::from(peer));
        let mut rng = Rng::new(hash);
        let language = if rng.percent(94) {
            self.sender.language
        } else {
            Language::ALL[rng.index(Language::ALL.len())]
        };
        let (countries, tongue): (&[Country], usize) = match language {
            Language::English => (&ENGLISH, 0),
            Language::Spanish => (&SPANISH, 1),
            Language::Portuguese => (&PORTUGUESE, 2),
            Language::Hindi => (&HINDI, if rng.percent(88) { 3 } else { 4 }),
        };
        let (code, country, digits) = countries[rng.index(countries.len())];
        let scale = 10_u64.pow(digits);
        let national = scale / 10 * 6 + mix(hash ^ 0x6e75) % (scale / 10 * 3);
        Person {
            hash,
            phone: code * scale + national,
            country,
            tongue,
            user_id_only: rng.chance(self.plan.rates.user_id_only),
            with_user_id: rng.percent(70),
        }
    }
}

impl Person {
    /// `CC.` and digits.
    pub(crate) fn user_id(&self, out: &mut Vec<u8>) {
        raw(out, self.country);
        out.push(b'.');
        number(out, 100_000_000_000_000 + mix(self.hash ^ 0x1d) % 900_000_000_000_000);
    }

    /// A profile name.
    pub(crate) fn name(&self) -> &'static str {
        const NAMES: [&str; 24] = [
            "Ana",
            "Luis",
            "Priya",
            "Rahul",
            "Marta",
            "João",
            "Chidi",
            "Grace",
            "Diego",
            "Sofía",
            "Amit",
            "Neha",
            "Paulo",
            "Beatriz",
            "Tom",
            "Lucy",
            "अनिल",
            "सुनीता",
            "Camila",
            "Andrés",
            "Zanele",
            "Kofi",
            "Rita",
            "Sam \"the\" S.",
        ];
        NAMES[usize::try_from(self.hash >> 20).unwrap_or(0) % NAMES.len()]
    }
}

/// `wamid.` and base64 of a structure that holds the peer's number.
pub(crate) fn wamid(out: &mut Vec<u8>, person: &Person, seed: u64, inbound: bool) {
    let mut inner = Vec::with_capacity(64);
    let mut address = Vec::with_capacity(24);
    if person.user_id_only {
        person.user_id(&mut address);
    } else {
        number(&mut address, person.phone);
    }
    inner.extend_from_slice(&[0x1c, 0x18, u8::try_from(address.len()).unwrap_or(0)]);
    inner.extend_from_slice(&address);
    inner.extend_from_slice(&[0x15, 0x02, 0x00, if inbound { 0x12 } else { 0x11 }, 0x18, 0x14]);
    hex(&mut inner, mix(seed));
    inner.extend_from_slice(b"0A0F");
    inner.push(0);
    raw(out, "wamid.");
    json::base64(out, &inner);
}

/// `"timestamp":"…"`, seconds; now and then a number.
pub(crate) fn timestamp(out: &mut Vec<u8>, context: &Context<'_>, event: &Event) {
    let drawn = (mix(event.seed ^ 0x7157) % 1_000_000) as f64;
    let bare = drawn < context.plan.rates.integer_timestamps * 1_000_000.0;
    let quote = if bare { "" } else { "\"" };
    raw(out, "\"timestamp\":");
    raw(out, quote);
    number(out, seconds(event.at_ms));
    raw(out, quote);
}

pub(crate) fn seconds(at_ms: i64) -> u64 {
    u64::try_from(at_ms / 1_000).unwrap_or(0)
}

/// `"conversation":{…},"pricing":{…}` of a status.
pub(crate) fn price(out: &mut Vec<u8>, event: &Event, with_expiry: bool) {
    let category = CATEGORIES[usize::from(event.aux) % CATEGORIES.len()];
    let free = event.aux == SERVICE && event.at_ms < SERVICE_BILLED_FROM.0;
    raw(out, "\"conversation\":{\"id\":\"");
    hex(out, mix2(u64::from(event.peer), event.at_ms.unsigned_abs() / 86_400_000));
    raw(out, "\"");
    if with_expiry {
        raw(out, ",\"expiration_timestamp\":\"");
        number(out, seconds(event.at_ms) + 86_400);
        raw(out, "\"");
    }
    raw(out, ",\"origin\":{\"type\":\"");
    raw(out, category);
    raw(out, "\"}},\"pricing\":{\"billable\":");
    raw(out, if free { "false" } else { "true" });
    raw(out, ",\"pricing_model\":\"PMP\",\"type\":\"");
    raw(out, if free { "free_customer_service" } else { "regular" });
    raw(out, "\",\"category\":\"");
    raw(out, category);
    raw(out, "\"}");
}

#[cfg(test)]
mod tests {
    use base64::Engine;

    use super::*;
    use crate::sender::senders;

    #[test]
    fn message_id_holds_the_number() {
        let plan = Plan::new(4, 1_000);
        let senders = senders(&plan);
        let person = Context { plan: &plan, sender: &senders[0] }.person(3);
        let mut out = Vec::new();
        wamid(&mut out, &person, 99, false);
        let inner = base64::engine::general_purpose::STANDARD.decode(&out[6..]).expect("base64");
        let digits = person.phone.to_string();
        assert!(inner.windows(digits.len()).any(|window| window == digits.as_bytes()));
    }

    #[test]
    fn service_is_billed_from_the_first_of_october() {
        assert_eq!(SERVICE_BILLED_FROM.rfc3339(), "2026-10-01T00:00:00.000Z");
    }
}
