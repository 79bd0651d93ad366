use std::collections::{BTreeMap, BTreeSet};

use turnwise_kernels::shape::ShapeScratch;
use turnwise_model::codes::text_bits;
use turnwise_model::keys::{Keys, Secret};

use super::*;

fn some_rows() -> Vec<Row> {
    rows(&Plan::new(200_000, 100))
}

fn texts(rows: &[Row]) -> impl Iterator<Item = (&Row, String)> {
    rows.iter().filter(|row| row.kind == kind::TEXT).map(|row| {
        let mut text = String::new();
        write_text(row, &mut text);
        (row, text)
    })
}

#[test]
fn rows_are_those_of_their_plan() {
    let plan = Plan::new(200_000, 100);
    let rows = rows(&plan);
    assert_eq!(rows.len() as u64, plan.messages);
    assert_eq!(rows, super::rows(&plan));
    let mut by_number: BTreeMap<u64, u64> = BTreeMap::new();
    for row in &rows {
        *by_number.entry(row.number).or_default() += 1;
    }
    let mut counts: Vec<u64> = by_number.into_values().collect();
    counts.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(counts, plan.quotas());
}

#[test]
fn times_of_a_peer_differ_so_no_row_is_there_twice() {
    let mut rows = some_rows();
    Order::Compacted.sort(&mut rows);
    let same = |pair: &&[Row]| {
        let key = |row: &Row| (row.number, row.peer, row.ts_ms);
        key(&pair[0]) == key(&pair[1])
    };
    assert_eq!(rows.windows(2).filter(same).count(), 0);
    // Pseudonyms of peers differ between numbers too.
    let pairs: BTreeSet<(u64, u64)> = rows.iter().map(|row| (row.number, row.peer)).collect();
    let peers: BTreeSet<u64> = rows.iter().map(|row| row.peer).collect();
    assert_eq!(pairs.len(), peers.len());
}

#[test]
fn pairs_and_conversations_are_as_many_as_promised() {
    let mut rows = some_rows();
    Order::Compacted.sort(&mut rows);
    let pair = |row: &Row| (row.number, row.peer);
    let pairs = rows.chunk_by(|one, next| pair(one) == pair(next)).count();
    let within =
        |one: &Row, next: &Row| pair(one) == pair(next) && next.ts_ms - one.ts_ms <= GAP_MS;
    let conversations = rows.chunk_by(within).count();
    // 20 M messages have 730,000 pairs and 2 M conversations.
    assert!((6_600..8_000).contains(&pairs), "{pairs}");
    assert!((18_500..21_500).contains(&conversations), "{conversations}");
    let edges = |gap: i64| {
        let is_edge = |w: &&[Row]| pair(&w[0]) == pair(&w[1]) && w[1].ts_ms - w[0].ts_ms == gap;
        rows.windows(2).filter(is_edge).count()
    };
    assert!(edges(GAP_MS) > 100 && edges(GAP_MS + 1) > 100);
}

#[test]
fn orders_hold_the_same_rows() {
    let sorted = |order: Order| {
        let mut rows = some_rows();
        order.sort(&mut rows);
        rows
    };
    let by_time = sorted(Order::Time);
    assert!(by_time.is_sorted_by_key(|row| row.ts_ms));
    for order in Order::ALL {
        let mut rows = sorted(order);
        let late = rows.iter().scan(i64::MIN, |newest, row| {
            *newest = (*newest).max(row.ts_ms);
            Some(*newest - row.ts_ms)
        });
        let late_ms = late.max().expect("rows");
        match order {
            Order::Time => assert_eq!(late_ms, 0),
            Order::Near => assert!((300_000..600_000).contains(&late_ms), "{late_ms}"),
            Order::Random => assert!(late_ms > 20 * 86_400_000),
            Order::Compacted => {
                assert!(rows.is_sorted_by_key(|row| (row.number, row.peer, row.ts_ms)));
            }
        }
        Order::Time.sort(&mut rows);
        assert!(rows == by_time, "{}", order.name());
        assert_eq!(Order::from_name(order.name()), Some(order));
    }
}

#[test]
fn texts_have_150_bytes_on_average_in_seven_languages_of_four_scripts() {
    let rows = some_rows();
    let (mut bytes, mut count) = (0, 0);
    let (mut languages, mut scripts) = (BTreeSet::new(), BTreeSet::new());
    let mut shapes = ShapeScratch::new(&keys());
    for (row, text) in texts(&rows) {
        bytes += text.len();
        count += 1;
        languages.insert(row.language);
        scripts.insert(shapes.shape(text.as_bytes()).script);
    }
    let mean = bytes / count;
    assert!((145..156).contains(&mean), "{mean}");
    assert!((count as f64 / rows.len() as f64 - 0.76).abs() < 0.02, "{count}");
    assert_eq!((languages.len(), scripts.len()), (7, 4));
}

/// What query B's regular expression finds, word by word.
fn opens(text: &str, openers: &[&str]) -> bool {
    let text = text.to_lowercase();
    openers.iter().any(|opener| {
        text.strip_prefix(opener)
            .is_some_and(|rest| matches!(rest.chars().next(), None | Some(' ' | '?')))
    })
}

#[test]
fn shape_kernel_and_plain_rules_see_the_same_questions_and_openers() {
    let openers: Vec<&str> = openers().map(|opener| opener.text).collect();
    let mut shapes = ShapeScratch::new(&keys());
    let (mut asked, mut opened) = (0, 0);
    for (_, text) in texts(&some_rows()[..60_000]) {
        let bits = shapes.shape(text.as_bytes()).text_bits;
        let asks = text.contains(['?', '؟']);
        assert_eq!(bits & text_bits::QUESTION != 0, asks, "{text}");
        let begins = opens(&text, &openers);
        assert_eq!(bits & text_bits::OPENER != 0, begins, "{text}");
        assert!(!text.contains(['？', '՞', '፧', ';', '\u{37e}', '¿']), "{text}");
        asked += usize::from(asks);
        opened += usize::from(begins);
    }
    assert!(asked > 5_000 && opened > 3_000, "{asked} {opened}");
}

#[test]
fn texts_do_not_depend_on_the_order_of_rows() {
    let mut rows = some_rows();
    rows.truncate(1_000);
    let one: BTreeMap<u64, String> =
        texts(&rows).map(|(row, text)| (row.identity(), text)).collect();
    Order::Random.sort(&mut rows);
    let other = texts(&rows).map(|(row, text)| (row.identity(), text)).collect();
    assert_eq!(one, other);
}

fn keys() -> Keys {
    Keys::expand(&Secret::new(b"a secret of the benches, 32 bytes").expect("long enough"))
}
