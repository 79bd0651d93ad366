use super::*;
use crate::json::Cursor;
use crate::work::steps;

/// Learns how a text is laid out, as of this reader.
fn learn(layouts: &mut Layouts<usize>, text: &str, read: usize, weight: usize) {
    let mut trace = Trace::default();
    let mut cursor = Cursor::new(text.as_bytes(), &mut trace);
    cursor.skip().and_then(|()| cursor.end()).expect("JSON");
    layouts.learn(text.as_bytes(), &trace, read, weight);
}

fn found(layouts: &mut Layouts<usize>, text: &str) -> Option<usize> {
    layouts.find(text.as_bytes()).map(|found| *found.read)
}

#[test]
fn keys_that_change_do_not_slow_what_is_known() {
    let mut layouts = Layouts::of_texts();
    let known = r#"{"id":"1","type":"text","text":{"body":"Hi"}}"#;
    // At each place of the known text there are many others.
    learn(&mut layouts, known, 0, 1);
    for begins in [r#"{""#, r#"{"id":"1",""#, r#"{"id":"1","type":"text",""#] {
        for nth in 1..2_000 {
            learn(&mut layouts, &format!(r#"{begins}k{nth}":1}}"#), nth, 1);
        }
    }
    // A branch has a literal and an end.
    assert!(layouts.nodes.len() < 7 * LAYOUT_SIBLINGS_MAX, "{} nodes", layouts.nodes.len());
    let nodes = layouts.nodes.len();
    let mut cost = || steps(|| assert_eq!(found(&mut layouts, known), Some(0)));
    let places = 4;
    assert!(cost() <= places * (LAYOUT_SIBLINGS_MAX + 1));
    assert_eq!(cost(), places);
    assert_eq!(layouts.nodes.len(), nodes);
}

#[test]
fn a_place_with_all_its_branches_begins_anew() {
    let mut layouts = Layouts::of_texts();
    let text = |nth: usize| format!(r#"{{"k{nth}":1}}"#);
    let last = LAYOUT_SIBLINGS_MAX + PATIENCE as usize;
    for nth in 0..last {
        learn(&mut layouts, &text(nth), nth, 1);
    }
    assert_eq!(found(&mut layouts, &text(0)), None);
    assert_eq!(layouts.nodes.len(), 1);
    learn(&mut layouts, &text(last), last, 1);
    assert_eq!(found(&mut layouts, &text(last)), Some(last));
}

#[test]
fn what_is_learned_again_takes_the_place_of_what_was_known() {
    let mut layouts = Layouts::of_texts();
    let text = r#"{"id":"1"}"#;
    for nth in 0..WEIGHT_MAX {
        learn(&mut layouts, text, nth, 5);
    }
    assert_eq!((layouts.ends.len(), layouts.weight, layouts.nodes.len()), (1, 6, 3));
    assert_eq!(found(&mut layouts, text), Some(WEIGHT_MAX - 1));
    learn(&mut layouts, r#"{"id":1}"#, 7, 1);
    assert_eq!((layouts.ends.len(), layouts.weight), (2, 8));
    assert_eq!(found(&mut layouts, text), Some(WEIGHT_MAX - 1));
    assert_eq!(found(&mut layouts, r#"{"id":2}"#), Some(7));
}
