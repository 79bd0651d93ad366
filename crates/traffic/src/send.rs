//! Send records: what the gateway writes of each call of the send endpoint.

use turnwise_model::time::Millis;

use crate::event::{Event, Kind};
use crate::json::{number, raw, string};
use crate::parts::{Context, Person, wamid};
use crate::profile::Profile;
use crate::text::{parameter, text, title};

/// Writes the record of a send.
pub(crate) fn write(context: &Context<'_>, event: &Event, out: &mut Vec<u8>) {
    let person = context.person(event.peer);
    raw(out, "{\"time\":\"");
    raw(out, &Millis(event.at_ms).rfc3339());
    raw(out, "\",\"waba_id\":\"");
    number(out, context.sender.waba_id);
    raw(out, "\",\"phone_number_id\":\"");
    number(out, context.sender.phone_number_id);
    raw(out, "\",\"status\":200,\"request\":{\"messaging_product\":\"whatsapp\"");
    if event.kind == Kind::MarkRead {
        raw(out, ",\"status\":\"read\",\"message_id\":\"");
        wamid(out, &person, event.refers, true);
        raw(out, "\",\"typing_indicator\":{\"type\":\"text\"}},\"response\":{\"success\":true}}");
        return;
    }
    raw(out, ",\"recipient_type\":\"individual\",");
    recipient(&person, if person.user_id_only { "\"recipient\":\"" } else { "\"to\":\"" }, out);
    if event.refers != 0 {
        raw(out, ",\"context\":{\"message_id\":\"");
        wamid(out, &person, event.refers, true);
        raw(out, "\"}");
    }
    match event.kind {
        Kind::SendTemplate => template(context, &person, event, out),
        Kind::SendButtons => buttons(context, &person, event, out),
        Kind::SendList => list(context, &person, event, out),
        _ => {
            raw(out, ",\"type\":\"text\",\"text\":{\"body\":");
            string(out, &text(context, &person, event, 0));
            raw(out, "}}");
        }
    }
    raw(out, ",\"response\":{\"messaging_product\":\"whatsapp\",\"contacts\":[{");
    recipient(&person, "\"input\":\"", out);
    if !person.user_id_only {
        raw(out, ",\"wa_id\":\"");
        number(out, person.phone);
        raw(out, "\"");
    }
    if person.user_id_only || person.with_user_id {
        raw(out, ",\"user_id\":\"");
        person.user_id(out);
        raw(out, "\"");
    }
    raw(out, "}],\"messages\":[{\"id\":\"");
    wamid(out, &person, event.seed, false);
    raw(out, "\",\"message_status\":\"accepted\"}]}}");
}

fn recipient(person: &Person, key: &str, out: &mut Vec<u8>) {
    raw(out, key);
    if person.user_id_only {
        person.user_id(out);
    } else {
        number(out, person.phone);
    }
    raw(out, "\"");
}

fn template(context: &Context<'_>, person: &Person, event: &Event, out: &mut Vec<u8>) {
    const LANGUAGES: [&str; 5] = ["en_US", "es", "pt_BR", "hi", "hi"];
    let names: [&str; 5] = match context.sender.profile {
        Profile::Bank | Profile::Mixed => {
            ["login_code", "card_charge", "salary_received", "bill_due", "offer_card"]
        }
        Profile::Otp => ["verification_code"; 5],
        Profile::Delivery => ["parcel_sent", "out_for_delivery", "delivered", "missed", "survey"],
        _ => ["booking_confirmed", "trip_reminder", "check_in_open", "gate_change", "deal_week"],
    };
    let which = usize::from(event.topic) % names.len();
    let is_code = matches!(names[which], "login_code" | "verification_code");
    raw(out, ",\"type\":\"template\",\"template\":{\"name\":\"");
    raw(out, names[which]);
    raw(out, "\",\"language\":{\"code\":\"");
    raw(out, LANGUAGES[person.tongue % LANGUAGES.len()]);
    raw(out, "\"},\"components\":[{\"type\":\"body\",\"parameters\":[");
    if is_code {
        raw(out, "{\"type\":\"text\",\"text\":\"");
        number(out, 100_000 + event.seed % 900_000);
        raw(
            out,
            "\"}]},{\"type\":\"button\",\"sub_type\":\"url\",\"index\":\"0\",\"parameters\":[{\"type\":\"text\",\"text\":\"",
        );
        number(out, 100_000 + event.seed % 900_000);
        raw(out, "\"}]}]}}");
        return;
    }
    for nth in 0..3 {
        raw(
            out,
            if nth == 0 { "{\"type\":\"text\",\"text\":" } else { ",{\"type\":\"text\",\"text\":" },
        );
        string(out, &parameter(person, event.seed, nth));
        raw(out, "}");
    }
    raw(out, "]}]}}");
}

fn interactive(
    context: &Context<'_>,
    person: &Person,
    event: &Event,
    kind: &str,
    out: &mut Vec<u8>,
) {
    raw(out, ",\"type\":\"interactive\",\"interactive\":{\"type\":\"");
    raw(out, kind);
    raw(out, "\",\"body\":{\"text\":");
    string(out, &text(context, person, event, 0));
    raw(out, "},\"action\":{");
}

fn buttons(context: &Context<'_>, person: &Person, event: &Event, out: &mut Vec<u8>) {
    interactive(context, person, event, "button", out);
    raw(out, "\"buttons\":[");
    for nth in 0..3 {
        let intent = usize::from(event.topic) + nth;
        raw(out, if nth == 0 { "" } else { "," });
        raw(out, "{\"type\":\"reply\",\"reply\":{\"id\":\"b");
        number(out, intent as u64);
        raw(out, "\",\"title\":");
        string(out, title(context, person, intent));
        raw(out, "}}");
    }
    raw(out, "]}}}");
}

fn list(context: &Context<'_>, person: &Person, event: &Event, out: &mut Vec<u8>) {
    interactive(context, person, event, "list", out);
    raw(out, "\"button\":");
    string(out, title(context, person, usize::from(event.topic)));
    raw(out, ",\"sections\":[{\"title\":\"1\",\"rows\":[");
    for nth in 0..5 {
        let intent = usize::from(event.topic) + nth;
        raw(out, if nth == 0 { "" } else { "," });
        raw(out, "{\"id\":\"row_");
        number(out, intent as u64);
        raw(out, "\",\"title\":");
        string(out, title(context, person, intent));
        raw(out, "}");
    }
    raw(out, "]}]}}}");
}
