//! The samples against plain versions, and under every split and order.

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use turnwise_model::Pseudonym;

use super::*;
use crate::testing::is_found;

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

/// Peers and replies that a sample under test keeps.
const MEMBERS: usize = 20;
const REPLIES: usize = 30;
/// Texts that one keeps.
const TEXTS: usize = 16;

/// Message, peer and tokens.
type Message = (i64, i64, Vec<i32>);

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let tokens = prop::collection::vec(-9_i32..9, 0..20);
    prop::collection::vec((0_i64..60, 0_i64..3, tokens), 0..120)
}

/// Some peers, fewer than are kept or more, some of them again.
fn peers_that_come() -> impl Strategy<Value = Vec<i64>> {
    (prop_oneof![0_i64..40, 2_000_i64..9_000], 1_i64..9, any::<i64>()).prop_map(
        |(count, again, first)| {
            let peers = (0..count).map(|peer| first.wrapping_add(peer));
            let repeated = (0..count / again).map(|peer| first.wrapping_add(peer * again));
            peers.chain(repeated).collect()
        },
    )
}

/// The state that the rules of `texts.rs` give for a whole set: of the texts that tell `enough`.
fn plain_texts(messages: &[Message], enough: fn(&[i32]) -> bool) -> Vec<i64> {
    let mut all = BTreeMap::<u64, (i64, i64, Vec<u32>)>::new();
    for (message, peer, tokens) in messages {
        let distinct: BTreeSet<u32> = tokens.iter().map(|token| token.cast_unsigned()).collect();
        if enough(tokens) {
            let text = (*peer, *peer * 5, distinct.into_iter().take(16).collect());
            let held = all.entry(hash(*message)).or_insert_with(|| text.clone());
            *held = text.min(held.clone());
        }
    }
    let entries = all.into_iter().take(TEXTS);
    let state = entries.flat_map(|(hash, (peer, skeleton, tokens))| {
        let head = [hash.cast_signed(), peer, skeleton, tokens.len() as i64];
        head.into_iter().chain(tokens.into_iter().map(i64::from))
    });
    state.collect()
}

fn are_distinct(tokens: &[i32]) -> bool {
    tokens.iter().any(|token| *token != tokens[0])
}

/// The hashes that are kept of a whole set, so many at most.
fn plain_count(peers: &[i64], most: usize) -> Vec<i64> {
    let hashes: BTreeSet<u64> = peers.iter().map(|peer| hash(*peer)).collect();
    hashes.into_iter().take(most).map(u64::cast_signed).collect()
}

fn peer_sample(conversations: &[Conversation], members: usize, replies: usize) -> Vec<i64> {
    let mut sample = PeerSample::with_bounds(members, replies);
    for (peer, day, user, reply) in conversations {
        sample.add(*peer, *day, user, reply);
    }
    sample.to_state()
}

fn text_sample(messages: &[Message]) -> TextSample {
    let mut sample = TextSample::with_max(TEXTS);
    for (message, peer, tokens) in messages {
        sample.add(*message, *peer, *peer * 5, tokens);
    }
    sample
}

fn peer_count(peers: &[i64]) -> PeerCount {
    let mut count = PeerCount::new();
    peers.iter().for_each(|peer| count.add(*peer));
    count
}

/// A kernel that may be wrong.
type SamplePeers = fn(&[Conversation]) -> Vec<i64>;

#[test]
fn wrong_peer_samples_are_found() {
    let planted: [(&str, SamplePeers); 3] = [
        ("keeps one peer more", |all| peer_sample(all, MEMBERS + 1, REPLIES)),
        ("forgets replies too soon", |all| peer_sample(all, MEMBERS, REPLIES - 1)),
        ("forgets peers without days", |all| {
            let with_days: Vec<_> = all.iter().filter(|one| one.1.is_some()).cloned().collect();
            peer_sample(&with_days, MEMBERS, REPLIES)
        }),
    ];
    let agrees = |sample: fn(&[Conversation]) -> Vec<i64>| {
        move |all: &Vec<Conversation>| sample(all) == plain_peers(all, MEMBERS, REPLIES)
    };
    assert!(!is_found(&conversations(), agrees(|all| peer_sample(all, MEMBERS, REPLIES))));
    for (name, sample) in planted {
        assert!(is_found(&conversations(), agrees(sample)), "the one that {name} passed");
    }
}

/// A kernel that may be wrong.
type SampleTexts = fn(&[Message]) -> Vec<i64>;

#[test]
fn wrong_text_samples_are_found() {
    let planted: [(&str, SampleTexts); 2] = [
        ("takes one token twice for two", |all| plain_texts(all, |tokens| tokens.len() > 1)),
        ("keeps the first of two texts of a message", |all| {
            let mut known = BTreeSet::new();
            let firsts = all.iter().filter(|one| are_distinct(&one.2) && known.insert(one.0));
            plain_texts(&firsts.cloned().collect::<Vec<_>>(), are_distinct)
        }),
    ];
    for (name, sample) in planted {
        let agrees = |all: &Vec<Message>| sample(all) == plain_texts(all, are_distinct);
        assert!(is_found(&messages(), agrees), "the one that {name} passed");
    }
}

/// A kernel that may be wrong.
type CountPeers = fn(&[i64]) -> Vec<i64>;

#[test]
fn wrong_peer_counts_are_found() {
    const KEPT: usize = 2_049;
    let planted: [(&str, CountPeers); 2] = [
        ("does not tell that there were more", |peers| plain_count(peers, KEPT - 1)),
        ("keeps the first peers", |peers| plain_count(&peers[..peers.len().min(KEPT)], KEPT)),
    ];
    for (name, count) in planted {
        let agrees = |peers: &Vec<i64>| count(peers) == plain_count(peers, KEPT);
        assert!(is_found(&peers_that_come(), agrees), "the one that {name} passed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_order_and_merge_tree_gives_the_same_peer_sample(
        input in conversations(), parts in 1_usize..6, rotate in any::<usize>(),
    ) {
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
        input in messages(),
        cut in any::<prop::sample::Index>(),
    ) {
        let expected = plain_texts(&input, are_distinct);
        prop_assert_eq!(text_sample(&input).to_state(), &expected[..]);
        let (left, right) = input.split_at(cut.index(input.len() + 1));
        let backwards = |messages: &[Message]| {
            text_sample(&messages.iter().rev().cloned().collect::<Vec<_>>())
        };
        let mut merged = backwards(right);
        merged.merge(&backwards(left).to_state());
        merged.merge(&text_sample(left).to_state());
        prop_assert_eq!(merged.to_state(), expected);
    }

    #[test]
    fn any_split_and_order_gives_the_same_peer_count(
        mut peers in peers_that_come(),
        cut in any::<prop::sample::Index>(),
    ) {
        let expected = plain_count(&peers, 2_049);
        prop_assert_eq!(peer_count(&peers).to_state(), &expected[..]);
        peers.reverse();
        let (left, right) = peers.split_at(cut.index(peers.len() + 1));
        let mut merged = peer_count(right);
        merged.merge(&peer_count(left).to_state());
        merged.merge(&peer_count(left).to_state());
        prop_assert_eq!(&merged.to_state(), &expected);
        let mut handed_on = PeerCount::new();
        for part in [right, left] {
            let mut hashes = Vec::new();
            peer_count(part).append_unordered(&mut hashes);
            handed_on.merge(&hashes);
        }
        prop_assert_eq!(handed_on.to_state(), expected);
    }

    #[test]
    fn malformed_states_do_not_panic(
        numbers in prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..6], 0..30),
    ) {
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
