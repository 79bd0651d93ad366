//! Webhooks beside messages: handovers, account events, history, fields that are no evidence.

use crate::event::{Event, Kind, Say};
use crate::json::{number, raw, string};
use crate::parts::{Context, Person, seconds, wamid};
use crate::rng::{Rng, mix};
use crate::text::text;
use crate::webhook::{begin, plain_timestamp};

/// Messages of one history record.
const HISTORY_MESSAGES: u64 = 6;

/// Writes the change of a metadata event.
pub(crate) fn change(context: &Context<'_>, person: &Person, event: &Event, out: &mut Vec<u8>) {
    match event.kind {
        Kind::Handover => handover(context, person, event, out),
        Kind::History => history(context, person, event, out),
        Kind::Account => account(context, event, out),
        _ => ignored(context, person, event, out),
    }
}

/// Who holds the thread: 0 the platform's agent takes it, 1 gives it back, 2 a person takes it.
fn handover(context: &Context<'_>, person: &Person, event: &Event, out: &mut Vec<u8>) {
    let (kind, from, to) = match event.aux {
        0 => ("control_taken", "marketing", "ai_agent"),
        1 => ("control_passed", "ai_agent", "customer_service"),
        _ => ("control_passed", "utility", "customer_service"),
    };
    raw(out, "{\"field\":\"messaging_handovers\",\"value\":{\"messaging_product\":\"whatsapp\",");
    raw(out, "\"sender\":{");
    if person.user_id_only {
        raw(out, "\"user_id\":\"");
        person.user_id(out);
    } else {
        raw(out, "\"phone_number\":\"");
        number(out, person.phone);
    }
    raw(out, "\"},\"recipient\":{\"phone_number_id\":\"");
    number(out, context.sender.phone_number_id);
    raw(out, "\",\"display_phone_number\":\"");
    number(out, context.sender.display_number);
    raw(out, "\"},\"type\":\"");
    raw(out, kind);
    raw(out, "\",");
    plain_timestamp(event, out);
    raw(out, ",\"");
    raw(out, kind);
    raw(out, "\":{\"previous_owner_role\":\"");
    raw(out, from);
    raw(out, "\",\"new_owner_role\":\"");
    raw(out, to);
    raw(out, "\"}}}");
}

fn account(context: &Context<'_>, event: &Event, out: &mut Vec<u8>) {
    match event.aux {
        0 => {
            raw(
                out,
                "{\"field\":\"phone_number_quality_update\",\"value\":{\"display_phone_number\":\"",
            );
            number(out, context.sender.display_number);
            raw(out, "\",\"event\":\"UPGRADE\",\"current_limit\":\"TIER_10K\"}}");
        }
        1 => raw(
            out,
            "{\"field\":\"account_alerts\",\"value\":{\"entity_type\":\"BUSINESS\",\"alert_severity\":\"INFORMATIONAL\",\"alert_status\":\"NONE\",\"alert_type\":\"OBA_APPROVED\"}}",
        ),
        2 => raw(
            out,
            "{\"field\":\"account_update\",\"value\":{\"event\":\"ACCOUNT_VIOLATION\",\"violation_info\":{\"violation_type\":\"SPAM\"}}}",
        ),
        3 => raw(
            out,
            "{\"field\":\"account_update\",\"value\":{\"event\":\"ACCOUNT_RESTRICTION\",\"restriction_info\":[{\"restriction_type\":\"RESTRICTED_BIZ_INITIATED_MESSAGING\",\"expiration\":\"1798761600\"}]}}",
        ),
        4 => raw(out, "{\"field\":\"account_update\",\"value\":{\"event\":\"VERIFIED_ACCOUNT\"}}"),
        _ => {
            begin(context, "messages", out);
            raw(
                out,
                ",\"errors\":[{\"code\":131000,\"title\":\"Something went wrong\",\"message\":\"Something went wrong\"}]}}",
            );
        }
    }
}

fn ignored(context: &Context<'_>, person: &Person, event: &Event, out: &mut Vec<u8>) {
    match event.aux {
        0 | 1 => raw(
            out,
            "{\"field\":\"message_template_status_update\",\"value\":{\"event\":\"APPROVED\",\"message_template_id\":640123,\"message_template_name\":\"order_update\",\"message_template_language\":\"en_US\",\"reason\":\"NONE\"}}",
        ),
        2 | 3 => {
            begin(context, "user_preferences", out);
            raw(out, ",\"user_preferences\":[{\"wa_id\":\"");
            number(out, person.phone);
            raw(
                out,
                "\",\"detail\":\"User requested to stop marketing messages\",\"category\":\"marketing_messages\",\"value\":\"stop\",\"timestamp\":",
            );
            number(out, seconds(event.at_ms));
            raw(out, "}]}}");
        }
        _ => {
            begin(context, "smb_app_state_sync", out);
            raw(
                out,
                ",\"state_sync\":[{\"type\":\"contact\",\"action\":\"add\",\"contact\":{\"phone_number\":\"",
            );
            number(out, person.phone);
            raw(out, "\"}}]}}");
        }
    }
}

/// A thread of weeks ago, as it comes when a phone app's number joins the platform.
fn history(context: &Context<'_>, person: &Person, event: &Event, out: &mut Vec<u8>) {
    let mut rng = Rng::new(mix(event.seed));
    begin(context, "history", out);
    raw(out, ",\"history\":[{\"metadata\":{\"phase\":1,\"chunk_order\":1,\"progress\":");
    number(out, 10 + rng.below(90));
    raw(out, "},\"threads\":[{\"id\":\"");
    number(out, person.phone);
    raw(out, "\",\"messages\":[");
    let mut at_ms = event.at_ms - (20 + rng.range(0, 120)) * 86_400_000;
    for nth in 0..1 + rng.below(HISTORY_MESSAGES) {
        at_ms += rng.wait(40_000, 5);
        let inbound = nth % 2 == 0;
        let say = if inbound { Say::Task } else { Say::TaskReply };
        let past = Event { at_ms, seed: mix(event.seed ^ nth), say, aux: 1, ..*event };
        raw(out, if nth == 0 { "{\"from\":\"" } else { ",{\"from\":\"" });
        number(out, if inbound { person.phone } else { context.sender.display_number });
        if !inbound {
            raw(out, "\",\"to\":\"");
            number(out, person.phone);
        }
        raw(out, "\",\"id\":\"");
        wamid(out, person, past.seed, inbound);
        raw(out, "\",");
        plain_timestamp(&past, out);
        raw(out, ",\"type\":\"text\",\"text\":{\"body\":");
        string(out, &text(context, person, &past, nth));
        raw(out, "},\"history_context\":{\"status\":\"READ\"}}");
    }
    raw(out, "]}]}]}}");
}
