//! The samples against plain versions, and under every split and order.

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use turnwise_model::Pseudonym;

use super::*;

fn hash(pseudonym: i64) -> u64 {
    Pseudonym(pseudonym).sample_hash()
}

#[test]
fn tokens_keep_the_sixteen_smallest_once() {
    let mut tokens = Tokens::default();
    for token in (0..40).rev().chain(0..40) {
        tokens.insert(token * 3);
    }
    let expected: Vec<u32> = (0..16).map(|token| token * 3).collect();
    assert_eq!(tokens.as_slice(), expected);
}

#[test]
fn a_peer_is_one_entry_with_days_and_both_token_sets() {
    let mut sample = PeerSample::new();
    sample.add(7, Some(20_003), &[5, -1], &[9]);
    sample.add(7, Some(20_001), &[5, 2], &[]);
    sample.add(7, None, &[], &[8]);
    let state = sample.to_state();
    let expected =
        [hash(7).cast_signed(), 7, 2, 20_001, 20_003, 3, 2, 5, i64::from(u32::MAX), 2, 8, 9];
    assert_eq!(state, expected);
    assert_eq!(returning(&state), (1, 1));
    assert!(sample.size() > 100);
}

#[test]
fn peers_without_days_are_carried_but_no_members() {
    let mut sample = PeerSample::new();
    sample.add(1, None, &[], &[4, 5]);
    sample.add(2, Some(9), &[4, 5], &[]);
    let state = sample.to_state();
    assert_eq!(peers(&state).count(), 2);
    assert_eq!(members(&state).map(|entry| entry.peer).collect::<Vec<_>>(), [2]);
    assert_eq!(returning(&state), (0, 1));
}

#[test]
fn a_state_cut_short_is_read_up_to_there() {
    let mut sample = PeerSample::new();
    (0..3).for_each(|peer| sample.add(peer, Some(1), &[1, 2], &[3]));
    let mut text = TextSample::new();
    (0..3).for_each(|message| text.add(message, 1, 2, &[3, 4]));
    let (peer_state, text_state) = (sample.to_state(), text.to_state());
    assert_eq!(peers(&peer_state[..peer_state.len() - 1]).count(), 2);
    assert_eq!(texts(&text_state[..text_state.len() - 1]).count(), 2);
    assert_eq!(texts(&[1, 2, 3, -1, 5]).count(), 0);
    assert_eq!(peers(&[1, 2, i64::MAX]).count(), 0);
}

#[test]
fn a_text_sample_holds_the_smallest_hashes_with_two_tokens() {
    let mut sample = TextSample::with_max(3);
    (0..20).for_each(|message| sample.add(message, message + 100, 5, &[2, 1]));
    sample.add(99, 1, 5, &[7]);
    sample.add(98, 1, 5, &[7, 7]);
    let mut expected: Vec<u64> = (0..20).map(hash).collect();
    expected.sort_unstable();
    let state = sample.to_state();
    assert_eq!(texts(&state).map(|text| text.hash).collect::<Vec<_>>(), expected[..3]);
    assert!(texts(&state).all(|text| text.tokens == [1, 2] && text.skeleton == 5));
    assert!(sample.size() >= 3 * 96);
}

#[test]
fn a_peer_count_is_exact_until_it_is_full_and_then_estimates() {
    let mut count = PeerCount::new();
    for peer in 0..2_048 {
        count.add(peer);
        count.add(peer / 2);
    }
    assert_eq!(peer_estimate(&count.to_state()), 2_048);
    (2_048..100_000).for_each(|peer| count.add(peer));
    let state = count.to_state();
    assert_eq!(state.len(), 2_049);
    let estimate = peer_estimate(&state);
    assert!((estimate - 100_000).abs() < 7_000, "{estimate}");
    assert!(count.size() <= 2 * 2_049 * 8 * 2);
}

/// The state that the rules of `peers.rs` give for a whole set, without any bound on the way.
fn plain_peers(conversations: &[Conversation], members: usize, replies: usize) -> Vec<i64> {
    let mut all = BTreeMap::<(u64, i64), (BTreeSet<i32>, BTreeSet<u32>, BTreeSet<u32>)>::new();
    for (peer, day, user, reply) in conversations {
        let held = all.entry((hash(*peer), *peer)).or_default();
        held.0.extend(day);
        held.1.extend(user.iter().map(|token| token.cast_unsigned()));
        held.2.extend(reply.iter().map(|token| token.cast_unsigned()));
    }
    let t = all.iter().filter(|entry| !entry.1.0.is_empty()).nth(members - 1);
    let t = t.map_or(u64::MAX, |entry| entry.0.0);
    let h = all.keys().nth(replies - 1).map_or(u64::MAX, |key| key.0);
    let mut state = Vec::new();
    for ((hash, peer), (days, user, reply)) in all {
        if hash > t || (days.is_empty() && hash > h) {
            continue;
        }
        let user: Vec<i64> = user.into_iter().take(16).map(i64::from).collect();
        let reply: Vec<i64> = if hash > h { BTreeSet::new() } else { reply }
            .into_iter()
            .take(16)
            .map(i64::from)
            .collect();
        state.extend([hash.cast_signed(), peer, days.len() as i64]);
        state.extend(days.into_iter().map(i64::from));
        state.push(user.len() as i64);
        state.extend(user);
        state.push(reply.len() as i64);
        state.extend(reply);
    }
    state
}

type Conversation = (i64, Option<i32>, Vec<i32>, Vec<i32>);

fn conversations() -> impl Strategy<Value = Vec<Conversation>> {
    // A conversation without U has no day and no user tokens.
    let conversation = (
        0_i64..120,
        prop::option::of(0_i32..5),
        prop::collection::vec(-30_i32..30, 0..6),
        prop::collection::vec(-30_i32..30, 0..6),
    )
        .prop_map(|(peer, day, user, reply)| {
            let user = if day.is_some() { user } else { Vec::new() };
            (peer, day, user, reply)
        });
    prop::collection::vec(conversation, 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_order_and_merge_tree_gives_the_same_peer_sample(
        input in conversations(), parts in 1_usize..6, rotate in any::<usize>(),
    ) {
        const MEMBERS: usize = 20;
        const REPLIES: usize = 30;
        let expected = plain_peers(&input, MEMBERS, REPLIES);
        let mut samples = vec![PeerSample::with_bounds(MEMBERS, REPLIES); parts];
        let mut shuffled = input.clone();
        if !shuffled.is_empty() {
            let by = rotate % shuffled.len();
            shuffled.rotate_left(by);
        }
        for (index, (peer, day, user, reply)) in shuffled.iter().enumerate() {
            samples[(index * 7 + rotate % 13) % parts].add(*peer, *day, user, reply);
        }
        // A chain from the left and one from the right, each part twice: idempotent too.
        let states: Vec<_> = samples.iter().map(PeerSample::to_state).collect();
        for reverse in [false, true] {
            let mut merged = PeerSample::with_bounds(MEMBERS, REPLIES);
            for index in 0..parts * 2 {
                let index = index % parts;
                let at = if reverse { parts - 1 - index } else { index };
                let mut next = PeerSample::with_bounds(MEMBERS, REPLIES);
                next.merge(&states[at]);
                next.merge(&merged.to_state());
                merged = next;
            }
            prop_assert_eq!(merged.to_state(), expected.clone());
        }
    }

    #[test]
    fn any_split_and_order_gives_the_same_text_sample(
        input in prop::collection::vec((0_i64..60, 0_i64..3, prop::collection::vec(-9_i32..9, 0..20)), 0..120),
        cut in any::<prop::sample::Index>(),
    ) {
        let fill = |texts: &[(i64, i64, Vec<i32>)], reverse: bool| {
            let mut sample = TextSample::with_max(16);
            let mut order: Vec<_> = texts.iter().collect();
            if reverse {
                order.reverse();
            }
            for (message, peer, tokens) in order {
                sample.add(*message, *peer, *peer * 5, tokens);
            }
            sample
        };
        let whole = fill(&input, false).to_state();
        let (left, right) = input.split_at(cut.index(input.len() + 1));
        let mut merged = fill(right, true);
        merged.merge(&fill(left, true).to_state());
        merged.merge(&fill(left, false).to_state());
        prop_assert_eq!(merged.to_state(), whole);
    }

    #[test]
    fn any_split_and_order_gives_the_same_peer_count(from in 0_i64..9_000, cut in 0_i64..9_000) {
        let fill = |peers: &mut dyn Iterator<Item = i64>| {
            let mut count = PeerCount::new();
            peers.for_each(|peer| count.add(peer));
            count
        };
        let whole = fill(&mut (from..9_000)).to_state();
        let mut merged = fill(&mut (from.max(cut)..9_000).rev());
        merged.merge(&fill(&mut (from..cut.max(from))).to_state());
        merged.merge(&fill(&mut (from..cut.max(from)).rev()).to_state());
        prop_assert_eq!(&merged.to_state(), &whole);
        let mut handed_on = PeerCount::new();
        for part in [from.max(cut)..9_000, from..cut.max(from)] {
            let mut hashes = Vec::new();
            fill(&mut { part }).append_unordered(&mut hashes);
            handed_on.merge(&hashes);
        }
        prop_assert_eq!(handed_on.to_state(), whole);
    }

    #[test]
    fn malformed_states_do_not_panic(numbers in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..6], 0..30)) {
        let mut sample = PeerSample::new();
        sample.merge(&numbers);
        let mut text = TextSample::new();
        text.merge(&numbers);
        let mut count = PeerCount::new();
        count.merge(&numbers);
        let _ = (sample.to_state(), text.to_state(), count.to_state(), returning(&numbers));
        let _ = peer_estimate(&numbers);
    }
}
