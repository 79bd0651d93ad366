//! Webhook records: envelope, inbound messages, echoes, statuses, standby copies.

use crate::account;
use crate::event::{DELIVERED, Event, FAILED, Kind, READ, SENT, Say};
use crate::json::{escaped, hex, number, raw, string};
use crate::parts::{Context, Person, price, seconds, timestamp, wamid};
use crate::rng::{mix, mix2};
use crate::text::{text, title};

/// Writes the record of an event, and of a second one that shares it.
pub(crate) fn write(
    context: &Context<'_>,
    event: &Event,
    second: Option<(Context<'_>, Event)>,
    out: &mut Vec<u8>,
) {
    raw(out, "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"");
    number(out, context.sender.waba_id);
    raw(out, "\",\"changes\":[");
    change(context, event, out);
    if let Some((other, event)) = second {
        if other.sender.waba_id == context.sender.waba_id {
            raw(out, ",");
        } else {
            raw(out, "]},{\"id\":\"");
            number(out, other.sender.waba_id);
            raw(out, "\",\"changes\":[");
        }
        change(&other, &event, out);
    }
    raw(out, "]}]}");
}

fn change(context: &Context<'_>, event: &Event, out: &mut Vec<u8>) {
    let person = context.person(event.peer);
    match event.kind {
        Kind::Status => statuses(context, &person, event, out),
        Kind::Echo => {
            begin(context, "smb_message_echoes", out);
            raw(out, ",\"message_echoes\":[");
            echo(context, &person, event, false, out);
            raw(out, "]}}");
        }
        Kind::StandbyIn => {
            begin(context, "standby", out);
            contacts(&person, out);
            raw(out, ",\"standby\":{\"messages\":[");
            message(context, &person, event, 0, out);
            raw(out, "]}}}");
        }
        Kind::StandbyEcho => {
            begin(context, "standby", out);
            raw(out, ",\"standby\":{\"message_echoes\":[");
            echo(context, &person, event, true, out);
            raw(out, "]}}}");
        }
        Kind::Handover | Kind::Account | Kind::Ignored | Kind::History => {
            account::change(context, &person, event, out);
        }
        _ => {
            begin(context, "messages", out);
            contacts(&person, out);
            raw(out, ",\"messages\":[");
            message(context, &person, event, 0, out);
            if event.kind == Kind::Burst {
                raw(out, ",");
                message(context, &person, event, 1, out);
            }
            raw(out, "]}}");
        }
    }
}

/// A change up to its metadata; the caller adds what it holds and closes two braces.
pub(crate) fn begin(context: &Context<'_>, field: &str, out: &mut Vec<u8>) {
    raw(out, "{\"field\":\"");
    raw(out, field);
    raw(out, "\",\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":{");
    raw(out, "\"display_phone_number\":\"");
    number(out, context.sender.display_number);
    raw(out, "\",\"phone_number_id\":\"");
    number(out, context.sender.phone_number_id);
    raw(out, "\"}");
}

fn contacts(person: &Person, out: &mut Vec<u8>) {
    raw(out, ",\"contacts\":[{\"profile\":{\"name\":\"");
    escaped(out, person.name());
    raw(out, "\"}");
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
    raw(out, "}]");
}

/// `"<phone>":"…","<user>":"…"`, whichever the person has.
fn address(person: &Person, phone: &str, user: &str, out: &mut Vec<u8>) {
    if !person.user_id_only {
        raw(out, phone);
        number(out, person.phone);
        raw(out, "\",");
    }
    if person.user_id_only || person.with_user_id {
        raw(out, user);
        person.user_id(out);
        raw(out, "\",");
    }
}

pub(crate) fn message(
    context: &Context<'_>,
    person: &Person,
    event: &Event,
    nth: u64,
    out: &mut Vec<u8>,
) {
    raw(out, "{");
    address(person, "\"from\":\"", "\"from_user_id\":\"", out);
    raw(out, "\"id\":\"");
    wamid(out, person, event.seed.wrapping_add(nth), true);
    raw(out, "\",");
    timestamp(out, context, event);
    let tapped = matches!(event.kind, Kind::Tap | Kind::ListTap | Kind::TemplateTap);
    if event.refers != 0 && (tapped || event.seed.is_multiple_of(29)) {
        raw(out, ",\"context\":{\"from\":\"");
        number(out, context.sender.display_number);
        raw(out, "\",\"id\":\"");
        wamid(out, person, event.refers, false);
        raw(out, "\"}");
    }
    let from_an_ad = event.refers == 0 && !tapped && mix(event.seed ^ 0xad) % 100 < 6;
    if from_an_ad && matches!(event.say, Say::Task | Say::Greet) {
        raw(out, ",\"referral\":{\"source_url\":\"https://fb.me/");
        hex(out, event.seed);
        raw(out, "\",\"source_id\":\"");
        number(out, event.seed >> 20);
        raw(
            out,
            "\",\"source_type\":\"ad\",\"headline\":\"Chat with us\",\"media_type\":\"image\"}",
        );
    }
    body(context, person, event, nth, out);
    raw(out, "}");
}

/// `,"type":…` and the body of an inbound message.
fn body(context: &Context<'_>, person: &Person, event: &Event, nth: u64, out: &mut Vec<u8>) {
    match event.kind {
        Kind::Tap | Kind::ListTap => {
            let (outer, id) = if event.kind == Kind::Tap {
                ("button_reply", "b")
            } else {
                ("list_reply", "row_")
            };
            raw(out, ",\"type\":\"interactive\",\"interactive\":{\"type\":\"");
            raw(out, outer);
            raw(out, "\",\"");
            raw(out, outer);
            raw(out, "\":{\"id\":\"");
            raw(out, id);
            number(out, u64::from(event.topic));
            raw(out, "\",\"title\":");
            string(out, title(context, person, usize::from(event.topic)));
            raw(out, "}}");
        }
        Kind::TemplateTap => {
            let tapped = title(context, person, usize::from(event.topic));
            raw(out, ",\"type\":\"button\",\"button\":{\"text\":");
            string(out, tapped);
            raw(out, ",\"payload\":");
            string(out, tapped);
            raw(out, "}");
        }
        Kind::Voice => media("audio", "audio/ogg; codecs=opus", ",\"voice\":true}", event, out),
        Kind::Sticker => media("sticker", "image/webp", ",\"animated\":false}", event, out),
        Kind::Document => {
            media("document", "application/pdf", ",\"filename\":\"scan.pdf\"}", event, out);
        }
        Kind::Image => {
            let caption = text(context, person, event, nth);
            if caption.is_empty() {
                media("image", "image/jpeg", "}", event, out);
            } else {
                media("image", "image/jpeg", ",\"caption\":", event, out);
                string(out, &caption);
                raw(out, "}");
            }
        }
        Kind::Location => {
            raw(out, ",\"type\":\"location\",\"location\":{\"latitude\":");
            number(out, mix(event.seed) % 60);
            raw(out, ".4521,\"longitude\":-");
            number(out, mix(event.seed ^ 1) % 120);
            raw(out, ".1207}");
        }
        Kind::Reaction => {
            raw(out, ",\"type\":\"reaction\",\"reaction\":{\"message_id\":\"");
            wamid(out, person, event.refers, false);
            raw(out, "\",\"emoji\":\"👍\"}");
        }
        _ => {
            raw(out, ",\"type\":\"text\",\"text\":{\"body\":");
            string(out, &text(context, person, event, nth));
            raw(out, "}");
        }
    }
}

fn media(kind: &str, mime: &str, end: &str, event: &Event, out: &mut Vec<u8>) {
    raw(out, ",\"type\":\"");
    raw(out, kind);
    raw(out, "\",\"");
    raw(out, kind);
    raw(out, "\":{\"id\":\"");
    number(out, mix(event.seed) >> 14);
    raw(out, "\",\"mime_type\":\"");
    raw(out, mime);
    raw(out, "\",\"sha256\":\"");
    hex(out, mix(event.seed ^ 2));
    hex(out, mix(event.seed ^ 3));
    raw(out, "\"");
    raw(out, end);
}

/// What the business wrote outside the API; standby nests the body in `message`.
fn echo(context: &Context<'_>, person: &Person, event: &Event, nested: bool, out: &mut Vec<u8>) {
    raw(out, "{");
    if !nested {
        raw(out, "\"from\":\"");
        number(out, context.sender.display_number);
        raw(out, "\",");
        address(person, "\"to\":\"", "\"to_user_id\":\"", out);
    }
    raw(out, "\"id\":\"");
    wamid(out, person, event.seed, false);
    raw(out, "\",");
    timestamp(out, context, event);
    if nested {
        raw(out, ",\"message\":{");
        address(person, "\"to\":\"", "\"recipient\":\"", out);
        raw(out, "\"recipient_type\":\"individual\"");
    }
    raw(out, ",\"type\":\"text\",\"text\":{\"body\":");
    string(out, &text(context, person, event, 0));
    raw(out, if nested { "}}}" } else { "}}" });
}

fn statuses(context: &Context<'_>, person: &Person, event: &Event, out: &mut Vec<u8>) {
    begin(context, "messages", out);
    raw(out, ",\"statuses\":[");
    let mut first = true;
    for (bit, name) in
        [(SENT, "sent"), (DELIVERED, "delivered"), (READ, "read"), (FAILED, "failed")]
    {
        if event.mask & bit == 0 {
            continue;
        }
        raw(out, if first { "{\"id\":\"" } else { ",{\"id\":\"" });
        first = false;
        wamid(out, person, event.seed, false);
        raw(out, "\",\"status\":\"");
        raw(out, name);
        raw(out, "\",");
        timestamp(out, context, event);
        raw(out, ",");
        address(person, "\"recipient_id\":\"", "\"recipient_user_id\":\"", out);
        if bit == FAILED {
            failure(event, out);
        } else {
            price(out, event, bit == SENT);
        }
        raw(out, "}");
    }
    raw(out, "]}}");
}

fn failure(event: &Event, out: &mut Vec<u8>) {
    const CODES: [(&str, &str); 4] = [
        ("131026", "Message undeliverable"),
        ("131047", "Re-engagement message"),
        ("131049", "Not delivered to maintain healthy ecosystem engagement"),
        ("131000", "Something went wrong"),
    ];
    let (code, words) = CODES[usize::try_from(mix2(event.seed, 5) % 4).unwrap_or(0)];
    raw(out, "\"errors\":[{\"code\":");
    raw(out, code);
    raw(out, ",\"title\":\"");
    raw(out, words);
    raw(out, "\",\"message\":\"");
    raw(out, words);
    raw(out, "\",\"href\":\"https://developers.facebook.com/docs/whatsapp/\"}]");
}

/// `"timestamp":"…"` of a metadata event.
pub(crate) fn plain_timestamp(event: &Event, out: &mut Vec<u8>) {
    raw(out, "\"timestamp\":\"");
    number(out, seconds(event.at_ms));
    raw(out, "\"");
}
