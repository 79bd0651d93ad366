//! Whose items are.

use super::*;

#[test]
fn people_are_no_senders_and_no_accounts() {
    let told = |waba_id: &str, sender: &str, message: events::Message| {
        let record = record(vec![item::Event::Message(message)]);
        let record =
            events::Record { waba_id: waba_id.into(), phone_number_id: sender.into(), ..record };
        let row = run(&record.encode_to_vec()).1.remove(0);
        columns(&row, "reason waba_id sender")
    };
    assert_eq!(told("9", "100", text_message()), "- 9 100");
    for sender in ["US.1349", "16505551234@s.whatsapp.net", "1-2@g.us"] {
        assert_eq!(told("9", sender, text_message()), "no_sender 9 -", "{sender}");
    }
    assert_eq!(told("9", "UK.support", text_message()), "- 9 UK.support");
    for account in ["16505551234", "+1 650-555-1234", "7@lid", "US.7"] {
        assert_eq!(told(account, "100", text_message()), "- - 100", "{account}");
    }
    // With and without the digit behind the country's, and of what is no row.
    let brazilian = events::Message { peer_phone: "551112345678".into(), ..text_message() };
    assert_eq!(told("5511912345678", "100", brazilian.clone()), "- - 100");
    let late = events::Message { time_ms: 1, ..brazilian.clone() };
    assert_eq!(told("5511912345678", "100", late), "time_out_of_range - 100");
    // And of what cannot be read whole.
    let told_broken = |waba_id: &str, sender: &str| {
        let items = record(vec![item::Event::Message(brazilian.clone())]);
        let (waba_id, phone_number_id) = (waba_id.into(), sender.into());
        let mut bytes = events::Record { waba_id, phone_number_id, ..items }.encode_to_vec();
        let id = memchr::memmem::find(&bytes, b"wamid").expect("an id");
        bytes[id] = 0xff;
        columns(&run(&bytes).1[0], "reason waba_id sender")
    };
    assert_eq!(told_broken("5511912345678", "100"), "invalid_utf8 - 100");
    assert_eq!(told_broken("9", "551112345678"), "invalid_utf8 9 -");
    assert_eq!(told("100", "100", text_message()), "- 100 100");
    assert_eq!(told("16505551234", "16505551234", text_message()), "no_sender - -");
}

#[test]
fn number_of_anybody_in_a_record_is_no_account_of_what_is_in_it() {
    let of = |phone: &str| {
        item::Event::Message(events::Message { peer_phone: phone.into(), ..text_message() })
    };
    let person = of("16505551234");
    let told = |account: &str, sender: &str, items: Vec<item::Event>| {
        let (waba_id, phone_number_id) = (account.into(), sender.into());
        let bytes = events::Record { waba_id, phone_number_id, ..record(items) }.encode_to_vec();
        let rows = run(&bytes).1;
        // What stands behind a record that breaks off is known to be nobody's either.
        let broken = run(&[&bytes[..], b"\x1a\x05"].concat()).1;
        assert_eq!(columns(&broken[2], "waba_id sender"), columns(&rows[1], "waba_id sender"));
        rows.iter().map(|row| columns(row, "reason waba_id sender")).collect::<Vec<_>>()
    };
    let other = || of("4915112345678");
    assert_eq!(told("16505551235", "100", vec![other(), person.clone()]), ["- 16505551235 100"; 2]);
    let spelled = of("+1 650-555-12-34");
    for items in [vec![other(), person.clone()], vec![person, other()], vec![other(), spelled]] {
        assert_eq!(told("16505551234", "100", items.clone()), ["- - 100"; 2]);
    }
    let rows = told("9", "16505551234", vec![of("16505551234"), other()]);
    assert_eq!(rows, ["no_sender 9 -", "- 9 16505551234"]);
    let late = events::Message { time_ms: 1, ..text_message() };
    let items = vec![
        item::Event::Ignored(events::Ignored { name: "calls".into() }),
        item::Event::Message(late),
    ];
    let rows = told("16505551234", "100", items);
    assert_eq!(rows, ["calls - 100", "time_out_of_range - 100"]);
}
