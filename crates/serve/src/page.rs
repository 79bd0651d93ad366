//! Filters of a list and the opaque token of its next page.
//!
//! ```text
//! token = base64url( 2 │ events version u64 │ derived at i64 │ flagged at i64
//!                      │ hash of the filters u64 │ last sender )
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use turnwise_model::limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use turnwise_model::{Millis, Verdict};

use crate::answers::verdict_of;
use crate::board::{PublishedSender, StateKey};
use crate::proto::ListRequest;
use crate::refusal::Refusal;

/// The first byte of a token: its layout.
const LAYOUT: u8 = 2;
/// Bytes before the last sender.
const HEAD: usize = 33;

/// Which senders are listed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filters {
    tenant: String,
    verdicts: Vec<Verdict>,
    scope_min: Option<f64>,
    include_unflagged: bool,
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageToken {
    /// The state that is listed.
    pub(crate) state: StateKey,
    /// [`Filters::hash`] of the list.
    pub(crate) filters: u64,
    /// The last sender of the page before.
    pub(crate) after: String,
}

impl Filters {
    /// The filters of a request.
    pub(crate) fn read(request: &ListRequest) -> Result<Self, Refusal> {
        let mut verdicts = Vec::new();
        for number in &request.verdicts {
            let verdict = verdict_of(*number).ok_or(Refusal::Field {
                field: "verdicts",
                why: "must be verdicts of this version, none of them unspecified",
            })?;
            if !verdicts.contains(&verdict) {
                verdicts.push(verdict);
            }
        }
        if request.scope_min.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
            return Err(Refusal::Field { field: "scope_min", why: "must be from 0 to 1" });
        }
        Ok(Self {
            tenant: request.tenant.clone(),
            verdicts,
            scope_min: request.scope_min,
            include_unflagged: request.include_unflagged,
        })
    }

    /// Whether a sender is listed.
    pub(crate) fn admit(&self, sender: &PublishedSender) -> bool {
        let judgement = &sender.answer.judgement;
        (self.include_unflagged || sender.flag_on)
            && (self.tenant.is_empty() || self.tenant == sender.answer.tenant)
            && (self.verdicts.is_empty() || self.verdicts.contains(&judgement.verdict))
            && self
                .scope_min
                .is_none_or(|least| judgement.score.scope.is_some_and(|scope| scope >= least))
    }

    /// The same for the same filters in any order of verdicts, on every replica: FNV-1a.
    pub(crate) fn hash(&self) -> u64 {
        let mut names: Vec<&str> = self.verdicts.iter().map(|verdict| verdict.name()).collect();
        names.sort_unstable();
        // Adding zero turns the negative zero round.
        let scope = self.scope_min.map_or(u64::MAX, |least| (least + 0.0).to_bits());
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        let mut write = |bytes: &[u8]| {
            for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
            }
        };
        write(self.tenant.as_bytes());
        write(names.join(",").as_bytes());
        write(&scope.to_le_bytes());
        write(&[u8::from(self.include_unflagged)]);
        hash
    }
}

impl PageToken {
    /// As the client gets it.
    pub(crate) fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(HEAD + self.after.len());
        bytes.push(LAYOUT);
        bytes.extend(self.state.events_version.to_le_bytes());
        bytes.extend(self.state.derived_at.0.to_le_bytes());
        bytes.extend(self.state.flagged_at.0.to_le_bytes());
        bytes.extend(self.filters.to_le_bytes());
        bytes.extend(self.after.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; refused where it is none of ours or of a list with other filters.
    pub(crate) fn decode(token: &str, filters: u64) -> Result<Self, Refusal> {
        let refusal = |why| Refusal::Field { field: "page_token", why };
        let read = Self::parse(token).ok_or_else(|| refusal("must be a next_page_token"))?;
        if read.filters != filters {
            return Err(refusal("belongs to a list with other filters"));
        }
        Ok(read)
    }

    fn parse(token: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (head, after) = bytes.split_at_checked(HEAD)?;
        let word = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
        if *head.first()? != LAYOUT {
            return None;
        }
        Some(Self {
            state: StateKey {
                events_version: word(1)?,
                derived_at: Millis(word(9)?.cast_signed()),
                flagged_at: Millis(word(17)?.cast_signed()),
            },
            filters: word(25)?,
            after: String::from_utf8(after.to_vec()).ok()?,
        })
    }
}

/// Senders of a page for the size that a client names.
pub(crate) fn page_size(named: i32) -> Result<usize, Refusal> {
    match usize::try_from(named) {
        Ok(0) => Ok(PAGE_SIZE_DEFAULT),
        Ok(size) => Ok(size.min(PAGE_SIZE_MAX)),
        Err(_) => Err(Refusal::Field { field: "page_size", why: "must not be negative" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(request: &ListRequest) -> Filters {
        Filters::read(request).expect("filters")
    }

    #[test]
    fn token_reads_back_and_rubbish_is_refused() {
        let state = StateKey {
            events_version: u64::MAX,
            derived_at: Millis(-5),
            flagged_at: Millis(i64::MIN),
        };
        let token = PageToken { state, filters: 7, after: "é1".into() };
        assert_eq!(PageToken::decode(&token.encode(), 7), Ok(token.clone()));
        assert!(PageToken::decode(&token.encode(), 8).is_err());
        for rubbish in ["x", "====", "AAAA", &"A".repeat(200)] {
            assert!(PageToken::decode(rubbish, 7).is_err(), "{rubbish}");
        }
        let encoded = token.encode();
        for cut in 0..34 {
            assert!(PageToken::decode(&encoded[..cut], 7).is_err(), "{cut}");
        }
    }

    #[test]
    fn hash_tells_filters_apart_but_not_their_order() {
        let base = ListRequest::default();
        let all = [
            base.clone(),
            ListRequest { tenant: "a".into(), ..base.clone() },
            ListRequest { verdicts: vec![1], ..base.clone() },
            ListRequest { verdicts: vec![1, 2], ..base.clone() },
            ListRequest { scope_min: Some(0.0), ..base.clone() },
            ListRequest { scope_min: Some(0.5), ..base.clone() },
            ListRequest { include_unflagged: true, ..base.clone() },
        ];
        let hashes: std::collections::BTreeSet<u64> =
            all.iter().map(|request| filters(request).hash()).collect();
        assert_eq!(hashes.len(), all.len());
        let turned = ListRequest { verdicts: vec![2, 1, 2], ..base };
        assert_eq!(filters(&turned).hash(), filters(&all[3]).hash());
    }

    #[test]
    fn page_size_has_a_default_and_a_maximum() {
        assert_eq!(page_size(0), Ok(PAGE_SIZE_DEFAULT));
        assert_eq!(page_size(7), Ok(7));
        assert_eq!(page_size(i32::MAX), Ok(PAGE_SIZE_MAX));
        assert!(page_size(-1).is_err());
    }
}
