use super::super::testing::{change, decoded, good, of_wrong_time, place, webhook, without_time};
use super::*;

fn rows(changes: &[String]) -> Vec<EventBatch> {
    decoded(&place("c/t:0:7"), &webhook(changes))
}

/// What the lake has once these changes were read.
fn known(changes: &[String]) -> Known {
    let mut known = Known::default();
    for batch in rows(changes) {
        let items = batch.rows[column::ITEM].as_primitive::<Int32Type>();
        for (row, item) in items.values().iter().enumerate() {
            match Identity::of(batch.kind, &batch.rows, row) {
                Some(identity) => {
                    known.rows.insert((*item, identity));
                }
                None => {
                    let reason = text(&batch.rows, column::REASON, row).expect("a reason");
                    known.letters.insert(*item, Dead { reason, is_requeued: false });
                }
            }
        }
    }
    known
}

/// What is chosen, in words: kinds and items added, and what lies behind.
fn check(stored: &[String], wanted: &[i32], today: &[String], expected: &str) {
    let known = known(stored);
    let wanted = wanted.iter().copied().collect();
    let found = match choose(&known, &wanted, rows(today)).expect("chosen") {
        Choice::Dead => "dead".to_owned(),
        Choice::Refused(OTHERWISE) => "refused: otherwise".to_owned(),
        Choice::Refused(_) => "refused: stranger".to_owned(),
        Choice::Add(revived) => {
            let mut added = Vec::new();
            for batch in &revived.batches {
                let items = batch.rows[column::ITEM].as_primitive::<Int32Type>();
                let kind = batch.kind.name();
                added.extend(items.values().iter().map(|item| format!("{kind} {item}")));
            }
            let (items, after, rest) = (revived.items, revived.after, revived.rest);
            format!("{added:?} for {items:?}, {rest} after {after:?}")
        }
    };
    assert_eq!(found, expected, "{stored:#?} {today:#?}");
}

#[test]
fn dead_items_are_added_and_good_siblings_are_not() {
    let stored = [without_time("a"), good("b")];
    check(&stored, &[0], &[good("a"), good("b")], r#"["message 0"] for {0}, 0 after None"#);
    check(&stored, &[0], &stored, "dead");
}

#[test]
fn items_of_other_reasons_are_left_to_their_own_letters() {
    let stored = [without_time("a"), of_wrong_time("b"), good("c")];
    let today = [good("a"), good("b"), good("c")];
    check(&stored, &[0], &today, r#"["message 0"] for {0}, 0 after None"#);
    check(&stored, &[1], &today, r#"["message 1"] for {1}, 0 after None"#);
    // What lies behind the last known item goes with the last letter, whatever its reason.
    let longer = [good("a"), good("b"), good("c"), good("d")];
    check(&stored, &[0], &longer, r#"["message 0"] for {0}, 0 after None"#);
    let both = r#"["message 1", "message 3"] for {1}, 1 after Some(2)"#;
    check(&stored, &[1], &longer, both);
}

#[test]
fn what_lies_behind_goes_with_the_last_letter_that_is_not_in() {
    let today = || rows(&[good("a"), good("b"), good("c")]);
    let chosen = |known: &Known, wanted: i32| {
        let Choice::Add(revived) = choose(known, &BTreeSet::from([wanted]), today()).expect("ok")
        else {
            panic!("rows to add");
        };
        (revived.items, revived.after, revived.rest)
    };
    let letters = known(&[without_time("a"), of_wrong_time("b")]);
    assert_eq!(chosen(&letters, 0), (BTreeSet::from([0]), None, 0));
    assert_eq!(chosen(&letters, 1), (BTreeSet::from([1]), Some(1), 1));
    // The last letter's item was requeued when nothing lay behind it.
    let mut requeued = letters.clone();
    requeued.letters.get_mut(&1).expect("a letter").is_requeued = true;
    requeued.rows.extend(known(&[without_time("a"), good("b")]).rows);
    assert_eq!(chosen(&requeued, 0), (BTreeSet::from([0]), Some(1), 1));
}

#[test]
fn items_whose_numbers_shifted_are_refused() {
    let stored = [without_time("a"), good("b")];
    // An item more before the good one, which would be added again; and one less.
    check(&stored, &[0], &[good("x"), good("a"), good("b")], "refused: otherwise");
    check(&stored, &[0], &[good("b")], "refused: otherwise");
    // As many, but others.
    check(&stored, &[0], &[good("b"), good("a")], "refused: otherwise");
    // Nothing is to be added, so nothing is refused.
    check(&stored, &[0], &[without_time("b")], "dead");
}

#[test]
fn number_that_the_lake_knows_nothing_of_is_refused() {
    let mut known = known(&[without_time("a"), good("b"), good("c")]);
    known.rows.retain(|(item, _)| *item != 1);
    let today = rows(&[good("a"), good("b"), good("c")]);
    let choice = choose(&known, &BTreeSet::from([0]), today).expect("chosen");
    assert!(matches!(choice, Choice::Refused(STRANGER)), "{choice:?}");
}

#[test]
fn letter_of_a_whole_record_stands_for_all_of_it() {
    let mut of_record = Known::default();
    let reason = "unknown_shape".to_owned();
    of_record.letters.insert(0, Dead { reason, is_requeued: false });
    let wanted = BTreeSet::from([0]);
    let today = rows(&[without_time("a"), good("b"), without_time("c")]);
    let Choice::Add(revived) = choose(&of_record, &wanted, today).expect("chosen") else {
        panic!("rows to add");
    };
    // The first item stays dead and keeps its letter; the third is dead anew and gets one.
    assert_eq!((revived.items.len(), revived.after, revived.rest), (0, Some(0), 1));
    let kinds = revived.batches.iter().map(|batch| (batch.kind.name(), batch.rows.num_rows()));
    let kinds: BTreeSet<(&str, usize)> = kinds.collect();
    assert_eq!(kinds, BTreeSet::from([("message", 1), ("dead_letter", 1)]));
    // With the second letter known, nothing of it is new any more.
    of_record.letters.insert(2, Dead { reason: "no_time".to_owned(), is_requeued: false });
    of_record.rows.extend(known(&[without_time("a"), good("b")]).rows);
    let again = rows(&[without_time("a"), good("b"), without_time("c")]);
    let choice = choose(&of_record, &BTreeSet::from([0, 2]), again).expect("chosen");
    assert!(matches!(choice, Choice::Dead), "{choice:?}");
}

#[test]
fn ignored_items_may_get_another_name_and_no_other_kind() {
    let ignored = |field: &str| change(field, r#""so":"nothing""#);
    let stored = [without_time("a"), ignored("flows")];
    let renamed = [good("a"), ignored("calls")];
    check(&stored, &[0], &renamed, r#"["message 0"] for {0}, 0 after None"#);
    check(&stored, &[0], &[good("a"), good("b")], "refused: otherwise");
}
