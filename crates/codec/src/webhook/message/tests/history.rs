//! Messages of a history, and of what stands beside one.

use crate::testing::{columns, kinds};
use crate::webhook::tests::{TEXT, change, only, phone, rows, run};

#[test]
fn history_that_says_who_wrote_it_is_believed_where_no_number_tells() {
    let told = |message: &str| {
        let inner = format!(r#"{{"id":"w","timestamp":"1739230955","type":"text"{message}}}"#);
        let threads = format!(r#"[{{"id":"16505551234","messages":[{inner}]}}]"#);
        let row = only("history", &format!(r#""history":[{{"threads":{threads}}}]"#));
        format!("{}{}", row.get("direction"), row.get("reason"))
    };
    for (message, expected) in [
        (r#","history_context":{"from_me":true}"#, "1"),
        (r#","history_context":{"from_me":"false"}"#, "0"),
        (r#","from":"4917099999999","history_context":{"from_me":true}"#, "1"),
        (r#","from":"4917099999999","history_context":{"from_me":false}"#, "0"),
        (r#","from":"16505551234","history_context":{"from_me":true}"#, "0"),
        (r#","from":"15550783881","history_context":{"from_me":false}"#, "1"),
        (r#","from":"4917099999999","history_context":{"from_me":null}"#, "no_direction"),
        ("", "no_direction"),
    ] {
        assert_eq!(told(message), expected, "{message}");
    }
}

#[test]
fn business_in_a_history_is_the_number_itself_however_it_is_spelled() {
    let told = |display: &str, thread: &str, from: &str| {
        let message = format!(
            r#"{{"from":"{from}","id":"w","timestamp":"1739230955","type":"text","text":{{"body":"x"}}}}"#
        );
        let list = match thread {
            "" => format!(r#""messages":[{message}]"#),
            thread => {
                format!(r#""history":[{{"threads":[{{"id":"{thread}","messages":[{message}]}}]}}]"#)
            }
        };
        let text = change("history", &list).replace("+1 555-078-3881", display);
        let row = run(&text).1.remove(0);
        let peer = ["4915112345678", "4930112345678", "5511912345678"]
            .into_iter()
            .find(|number| row.get("peer_phone") == phone(number));
        format!("{} {}", columns(&row, "origin direction"), peer.unwrap_or("-"))
    };
    let (business, person) = ("+49 151 12345678", "5511912345678");
    assert_eq!(told(business, person, "4915112345678"), "3 1 5511912345678");
    assert_eq!(told(business, person, person), "3 0 5511912345678");
    // One whose number is like it, in a thread and without one.
    let alike = "4930112345678";
    assert_eq!(told(business, alike, "4915112345678"), "3 1 4930112345678");
    assert_eq!(told(business, alike, alike), "3 0 4930112345678");
    assert_eq!(told(business, "", alike), "3 1 -");
    assert_eq!(told(business, "", person), "3 0 5511912345678");
    assert_eq!(told(business, "", "4915112345678"), "3 1 -");
    // With the thread of another, what is like the business is the business.
    assert_eq!(told("+52 55 12345678", person, "5215512345678"), "3 1 5511912345678");
}

#[test]
fn business_with_and_without_its_ninth_digit_is_itself() {
    let business = |text: &str| text.replace("+1 555-078-3881", "5511912345678");
    let own = r#""from":"551112345678","id":"w","timestamp":"1739230955","type":"text""#;
    let told = |thread: &str, message: &str| {
        let threads = format!(r#"[{{{thread}"messages":[{{{message}}}]}}]"#);
        let text = change("history", &format!(r#""history":[{{"threads":{threads}}}]"#));
        columns(&run(&business(&text)).1[0], "origin direction peer_phone")
    };
    assert_eq!(told(r#""context":{"user_id":"DE.1"},"#, own), "3 1 -");
    let to = |number: &str| format!(r#"{own},"to":"{number}""#);
    let person = phone("4915112345678");
    assert_eq!(told("", &to("4915112345678")), format!("3 1 {person}"));
    // A person with such a number writes to the business, or is whom the thread is with.
    let alike = phone("551112345678");
    assert_eq!(told("", &to("5511912345678")), format!("3 0 {alike}"));
    assert_eq!(told(r#""id":"551112345678","#, own), format!("3 0 {alike}"));
}

#[test]
fn thread_of_a_user_id_does_not_tell_whose_a_number_is() {
    let message = TEXT.replace("16505551234", "4915112345678");
    let threads = format!(r#"[{{"context":{{"user_id":"DE.1"}},"messages":[{message}]}}]"#);
    let text = change("history", &format!(r#""history":[{{"threads":{threads}}}]"#));
    let text = text.replace(r#""display_phone_number":"+1 555-078-3881","#, "");
    assert_eq!(run(&text).1[0].get("reason"), "no_direction");
}

#[test]
fn thread_of_a_group_is_of_it() {
    let told = |id: &str, from: &str| {
        let message = TEXT.replace("16505551234", from);
        let threads = format!(r#"[{{"id":"{id}","messages":[{message}]}}]"#);
        let row = only("history", &format!(r#""history":[{{"threads":{threads}}}]"#));
        let peer = if row.get("peer_phone") == phone("16505551234") { "person" } else { "-" };
        format!("{} {peer}", columns(&row, "in_group direction"))
    };
    assert_eq!(told("120363000000000001@g.us", "16505551234"), "1 0 person");
    assert_eq!(told("120363000000000001@g.us", "15550783881"), "1 1 -");
    assert_eq!(told("16505551234", "16505551234"), "0 0 person");
    assert_eq!(told("16505551234", "15550783881"), "0 1 person");
}

#[test]
fn number_like_the_businesss_is_a_persons_beside_a_user_id() {
    let business = |text: &str| text.replace("+1 555-078-3881", "5511912345678");
    let unknown = |text: &str| text.replace(r#""display_phone_number":"+1 555-078-3881","#, "");
    let told = |known: &dyn Fn(&str) -> String, thread: &str, parties: &str| {
        let message = format!(r#"{{{parties},"id":"w","timestamp":"1739230955","type":"text"}}"#);
        let threads = format!(r#"[{{{thread}"messages":[{message}]}}]"#);
        let text = change("history", &format!(r#""history":[{{"threads":{threads}}}]"#));
        columns(&run(&known(&text)).1[0], "origin direction peer_phone")
    };
    let [alike, other] = [phone("551112345678"), phone("4915112345678")];
    let by_alike = r#""from":"551112345678""#;
    let by_person = r#""from":"551112345678","from_user_id":"BR.1""#;
    for (thread, parties, expected) in [
        ("", by_person, format!("3 0 {alike}")),
        (r#""context":{"user_id":"BR.1"},"#, by_person, format!("3 0 {alike}")),
        (r#""id":"4915112345678","#, by_person, format!("3 0 {other}")),
        // Nobody's user id: what is like the business is the business, and so is its very number.
        ("", r#""from":"551112345678","from_user_id":"""#, "3 1 -".to_owned()),
        (r#""id":"4915112345678","#, by_alike, format!("3 1 {other}")),
        ("", r#""from":"5511912345678","from_user_id":"BR.1""#, "3 1 -".to_owned()),
        // Whom it is for.
        ("", r#""to":"551112345678""#, "3 0 -".to_owned()),
        ("", r#""to":"551112345678","to_user_id":"BR.1""#, format!("3 1 {alike}")),
        ("", r#""to":"5511912345678","to_user_id":"BR.1""#, "3 0 -".to_owned()),
    ] {
        assert_eq!(told(&business, thread, parties), expected, "{thread} {parties}");
    }
    // A number that is like that of a thread is the person's, unless it wrote to a person.
    for (parties, direction) in [
        (r#""from":"5511912345678""#, "0"),
        (r#""from":"5511912345678","to_user_id":"BR.1""#, "1"),
        (r#""from":"551112345678","to_user_id":"BR.1""#, "0"),
    ] {
        let expected = format!("3 {direction} {alike}");
        assert_eq!(told(&unknown, r#""id":"551112345678","#, parties), expected, "{parties}");
    }
    // What stands alone.
    for (user, direction) in [("BR.1", "0"), ("", "1")] {
        let alone = format!(
            r#"{{"metadata":{{"display_phone_number":"5511912345678","phone_number_id":"100"}},{by_alike},"from_user_id":"{user}","to":"4915112345678","id":"w","timestamp":1794096147,"type":"text"}}"#
        );
        assert_eq!(columns(&run(&alone).1[0], "origin direction"), format!("0 {direction}"));
    }
}

/// A value without a field, with a history, or an empty one, and other lists.
fn unnamed(history: &str, lists: &str) -> Vec<String> {
    let value = format!(r#""history":{history},{lists}"#);
    let text = change("", &value).replace(r#""field":"","#, "");
    let (_, rows) = run(&text);
    rows.iter().map(|row| columns(row, "origin direction peer_phone")).collect()
}

#[test]
fn empty_history_is_none() {
    let person = phone("16505551234");
    let echo = TEXT.replace("\"from\"", "\"to\"");
    for history in ["[]", "[{}]", "{}", "null"] {
        let lists = format!(r#""messages":[{TEXT}],"message_echoes":[{echo}]"#);
        let told = unnamed(history, &lists);
        assert_eq!(told, [format!("0 0 {person}"), format!("1 1 {person}")], "{history}");
    }
}

#[test]
fn what_people_wrote_beside_a_history_that_no_field_names_is_live() {
    let person = phone("16505551234");
    let by = |more: &str| TEXT.replace("\"16505551234\"", more);
    let own = by(r#""15550783881","to":"16505551234""#);
    // Which is like the business's.
    let alike = by(r#""155550783881""#);
    let of_user = by(r#"null,"from_user_id":"US.7""#);
    let old = by(r#""16505551234","history_context":{"status":"READ"}"#);
    let echo = TEXT.replace("\"from\"", "\"to\"");
    let threads = format!(r#"[{{"id":"16505551234","messages":[{TEXT}]}}]"#);
    let standby = format!(r#"{{"messages":[{TEXT}],"message_echoes":[{echo}]}}"#);
    let lists = format!(
        r#""messages":[{TEXT},{alike},{of_user},{own},{old}],"message_echoes":[{echo}],"standby":{standby}"#
    );
    let told = unnamed(&format!(r#"[{{"threads":{threads}}}]"#), &lists);
    let expected = ["0 0", "0 0", "0 0", "3 1", "3 0", "3 1", "2 0", "2 1", "3 0"];
    let like_business = phone("155550783881");
    let peers = [&*person, &*like_business, "-"].into_iter().chain([&*person; 6]);
    let expected: Vec<_> =
        expected.into_iter().zip(peers).map(|(way, peer)| format!("{way} {peer}")).collect();
    assert_eq!(told, expected);
    // One that the platform could not give is a history, too; one message needs no list.
    let declined = r#"[{"errors":[{"code":2593109}]}]"#;
    let told = unnamed(declined, &format!(r#""message":{TEXT},"message_echoes":[{own}]"#));
    assert_eq!(told[..2], [format!("0 0 {person}"), format!("3 1 {person}")]);
    // Where the field's name says it, all of it is past.
    let history = format!(r#""history":[{{"threads":{threads}}}],"messages":[{TEXT},{of_user}]"#);
    assert_eq!(kinds(&rows("history", &history)), ["history"; 3]);
}
