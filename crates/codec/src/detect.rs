//! What format a record is in, where no setting says so: its headers tell, else its content.
//!
//! Content is told by keys that one format has and no other; an element of a list is told by
//! itself. What nothing tells is taken for a webhook of the Cloud API.

use crate::json::Value;
use crate::meant::{self, Time};
use crate::{Format, envelopes, frame, protobuf, send};

/// Names and values of a record's headers, in order.
pub type Headers<'a> = &'a [(&'a [u8], Option<&'a [u8]>)];

/// Headers that are looked at; later ones are taken for absent.
const HEADERS_MAX: usize = turnwise_model::limits::HEADERS_MAX;
/// Bytes of a header's value that is looked at; a longer one is taken for absent.
const HEADER_BYTES_MAX: usize = turnwise_model::limits::HEADER_BYTES_MAX;

/// The attributes of an event (CloudEvents) that matter here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes<'a> {
    /// `type`.
    pub(crate) kind: Option<&'a str>,
    /// `dataschema`.
    pub(crate) schema: Option<&'a str>,
    /// `datacontenttype`.
    pub(crate) content: Option<&'a str>,
    /// `time`.
    pub(crate) time: Time,
}

/// What headers tell.
pub(crate) enum Told<'a> {
    /// The value is a payload in this format.
    Payload(Format),
    /// The value is the data of an event whose attributes are headers.
    Data(Attributes<'a>),
}

/// A setting that names a format wins; only `auto` and `cloudevents` ask the headers.
pub(crate) fn by_headers<'a>(format: Format, headers: Headers<'a>) -> Told<'a> {
    if !matches!(format, Format::Auto | Format::CloudEvents) {
        return Told::Payload(format);
    }
    let mut attributes = Attributes::default();
    let mut is_event = false;
    for (name, value) in headers.iter().take(HEADERS_MAX) {
        let Some(value) = value.filter(|value| value.len() <= HEADER_BYTES_MAX) else { continue };
        let Ok(value) = std::str::from_utf8(value) else { continue };
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("ce_specversion") {
            is_event = true;
        } else if is("ce_type") {
            attributes.kind = Some(value);
        } else if is("ce_dataschema") {
            attributes.schema = Some(value);
        } else if is("ce_time") {
            attributes.time = meant::time_of_text(value);
        } else if is("content-type") {
            attributes.content = Some(value);
        }
    }
    match by_content_type(attributes.content) {
        Some(Format::CloudEvents) => Told::Payload(Format::CloudEvents),
        _ if is_event => Told::Data(attributes),
        Some(told) if format == Format::Auto => Told::Payload(told),
        _ => Told::Payload(format),
    }
}

impl Attributes<'_> {
    /// The format of the data, where an attribute tells it.
    pub(crate) fn format(&self) -> Option<Format> {
        let of_twilio = self.kind.is_some_and(|kind| kind.starts_with(envelopes::EVENTS_OF_TWILIO))
            || self.schema.is_some_and(|schema| schema.contains("events-schemas.twilio.com/"));
        if of_twilio {
            return Some(Format::TwilioEvents);
        }
        by_content_type(self.content).filter(|format| *format != Format::CloudEvents)
    }
}

/// A content type that is of one format. Anything else tells nothing: some put a time there.
fn by_content_type(value: Option<&str>) -> Option<Format> {
    let kind = value?.split(';').next().unwrap_or_default().trim();
    let is = |known: &str| kind.eq_ignore_ascii_case(known);
    if is("application/cloudevents+json") || is("application/cloudevents-batch+json") {
        Some(Format::CloudEvents)
    } else if is("application/x-www-form-urlencoded") {
        Some(Format::Twilio)
    } else if is("application/x-protobuf")
        || is("application/protobuf")
        || is("application/vnd.google.protobuf")
    {
        Some(Format::Protobuf)
    } else {
        None
    }
}

/// The format that a content type tells of bytes. It is believed unless they are evidently JSON,
/// which is so whatever anybody calls it: then content tells. A record of protobuf may begin as
/// JSON does, with the tag and the length of its first field; JSON is never well-formed protobuf.
pub(crate) fn of_text_or_json(told: Format, bytes: &[u8]) -> Format {
    match told {
        Format::Twilio if frame::holds_json(bytes) => Format::Auto,
        Format::Protobuf if frame::holds_json(bytes) && !protobuf::looks_like_one(bytes) => {
            Format::Auto
        }
        told => told,
    }
}

/// Whether bytes are a form of a kind that is known here.
pub(crate) fn is_form(bytes: &[u8]) -> bool {
    const BEGINS: [&str; 15] = [
        "MessageSid=",
        "SmsSid=",
        "SmsMessageSid=",
        "AccountSid=",
        "From=whatsapp%3A",
        "From=whatsapp%3a",
        "From=whatsapp:",
        "To=whatsapp%3A",
        "To=whatsapp%3a",
        "To=whatsapp:",
        "waNumber=",
        "externalId=",
        "response=%5B",
        "response=%5b",
        "response=[",
    ];
    BEGINS
        .iter()
        .any(|key| memchr::memmem::find_iter(bytes, key).any(|at| at == 0 || bytes[at - 1] == b'&'))
}

/// The format of a form, as the object of its fields.
pub(crate) fn by_form(root: Value<'_>) -> Format {
    if envelopes::is_of_gateway_of_gupshup(root) || envelopes::reports_of_gupshup(root).is_some() {
        Format::GupshupV2
    } else {
        Format::Twilio
    }
}

/// The format of a JSON value.
pub(crate) fn by_content(root: Value<'_>) -> Format {
    by_own_keys(root).unwrap_or_else(|| by_common_keys(root))
}

/// The format of a value with keys that one format has and no other.
pub(crate) fn by_own_keys(root: Value<'_>) -> Option<Format> {
    let has = |key: &str| root.get(key).is_some();
    let object = |key: &str| root.get(key).is_some_and(Value::is_object);
    Some(if has("gs_app_id") {
        Format::GupshupV3
    } else if has("entry") || has("changes") {
        Format::CloudApi
    } else if has("specversion") && has("type") {
        Format::CloudEvents
    } else if send::is_send(root) {
        Format::Send
    } else if has("message_uuid") || has("context_status") {
        Format::Vonage
    } else if has("eventCategoryType") || has("EventType") && (has("SenderType") || has("EID")) {
        Format::Salesforce
    } else if is_of_twilio(root) {
        Format::Twilio
    } else if has("messageSid") && (has("eventName") || has("accountSid")) {
        Format::TwilioEvents
    } else if has("app") && has("type") && object("payload")
        || envelopes::is_of_gateway_of_gupshup(root)
        || envelopes::lone_reports_of_gupshup(root).is_some()
    {
        Format::GupshupV2
    } else if has("eventType") && (has("namespace") && has("payload") || has("eventDetails")) {
        Format::EightXEight
    } else {
        return by_keys_of_wrapper(root);
    })
}

fn is_of_twilio(root: Value<'_>) -> bool {
    let has = |key: &str| root.get(key).is_some();
    let ids = ["MessageSid", "SmsSid", "SmsMessageSid", "ConversationSid"];
    has("AccountSid") && ids.into_iter().any(has)
        || ["From", "To"].into_iter().any(|key| begins(root, key, &["whatsapp:"]))
}

/// The same of formats that put a wrapper around events.
fn by_keys_of_wrapper(root: Value<'_>) -> Option<Format> {
    let has = |key: &str| root.get(key).is_some();
    let object = |key: &str| root.get(key).is_some_and(Value::is_object);
    let any = |key: &str, is: fn(Value<'_>) -> bool| {
        root.get(key).is_some_and(|list| list.items().any(is))
    };
    let first = |key: &str| root.get(key).and_then(|list| list.items().next());
    let is_marked = |item: Value<'_>| item.get("_vnd").is_some();
    Some(
        if any("results", envelopes::is_result_of_infobip)
            || envelopes::is_event_of_infobip(root)
            || has("integrationType") && has("messageId")
        {
            Format::Infobip
        } else if has("whatsappInboundMessage")
            || has("whatsappMessage")
            || (has("type") || has("eventType")) && has("apiVersion") && has("createTime")
            || begins(root, "type", &["whatsapp."]) && has("apiVersion")
            || envelopes::is_message_of_ycloud(root)
        {
            Format::YCloud
        } else if is_of_kapso(root)
            || any("data", is_of_kapso)
            || begins(root, "event", &["workflow.execution.", "project."]) && !has("data")
        {
            Format::Kapso
        } else if is_of_bird(root) {
            Format::Bird
        } else if envelopes::is_message_of_messagebird(root) {
            Format::MessageBird
        } else if object("_vnd")
            || first("messages").is_some_and(is_marked)
            || first("statuses").is_some_and(is_marked)
        {
            Format::Turn
        } else if is_of_dialog360(root) {
            Format::Dialog360
        } else {
            return None;
        },
    )
}

/// The format of a value whose outermost keys are common words; see [`by_own_keys`].
pub(crate) fn by_common_keys(root: Value<'_>) -> Format {
    let has = |key: &str| root.get(key).is_some();
    let object = |key: &str| root.get(key).is_some_and(Value::is_object);
    if has("eventType") && has("payload") {
        Format::EightXEight
    } else if begins(root, "event", &CHANNELS_OF_BIRD)
        || begins(root, "event", &["conversation."]) && has("service")
        || begins(root, "type", &["whatsapp."]) && object("data")
    {
        Format::Bird
    } else if begins(root, "type", &["message.", "conversation."])
        && (object("message") || object("conversation"))
    {
        Format::MessageBird
    } else {
        Format::CloudApi
    }
}

/// Whether the text at a key begins with one of these.
fn begins(root: Value<'_>, key: &str, with: &[&str]) -> bool {
    let text = root.get(key).and_then(Value::string);
    text.is_some_and(|text| with.iter().any(|begin| text.starts_with(begin)))
}

fn is_of_kapso(value: Value<'_>) -> bool {
    let has = |key: &str| value.get(key).is_some();
    let object = |key: &str| value.get(key).is_some_and(Value::is_object);
    // A status of the platform's that stands alone has a conversation, too.
    let is_status = has("recipient_id")
        || has("recipient_user_id")
        || meant::word(value.get("status")).is_some() && has("timestamp");
    // Nor has Kapso the platform's lists in its events: it forwards those as they are.
    let has_lists = envelopes::LISTS.into_iter().any(has);
    let of_contact = object("contact") && (object("previous") || object("marketing_preference"));
    value.at(&["message", "kapso"]).is_some()
        || !is_status
            && !has_lists
            && (object("conversation") || object("project") || of_contact)
            && (has("phone_number_id") || object("whatsapp_config"))
}

/// What Bird alone writes: events of channels around a message, those that are of no message of
/// WhatsApp in the newer form, and messages of channels alone.
fn is_of_bird(root: Value<'_>) -> bool {
    let object = |key: &str| root.get(key).filter(|value| value.is_object());
    let event = root.get("event").and_then(Value::string).unwrap_or_default();
    let is_event =
        matches!(event.split_once('.'), Some((_, "inbound" | "outbound" | "interaction")));
    let is_webhook =
        |payload: Value<'_>| payload.get("entry").is_some() || payload.get("changes").is_some();
    is_event
        && begins(root, "event", &CHANNELS_OF_BIRD)
        && object("payload").is_some_and(|payload| !is_webhook(payload))
        || begins(root, "type", &OTHERS_OF_BIRD)
            && root.get("timestamp").is_some()
            && object("data").is_some_and(|data| !is_webhook(data))
        || envelopes::is_message_of_bird(root)
}

/// Beginnings of Bird's events of channels.
const CHANNELS_OF_BIRD: [&str; 4] = ["whatsapp.", "sms.", "email.", "channel."];

/// Beginnings of Bird's newer events that are of no message of WhatsApp.
const OTHERS_OF_BIRD: [&str; 12] = [
    "sms.",
    "sms_suppression.",
    "email.",
    "email_mailbox.",
    "email_suppression.",
    "verify.",
    "voice_call.",
    "domain.",
    "whatsapp_suppression.",
    "preference.granted",
    "preference.revoked",
    "preference.deleted",
];

/// Partner events of 360dialog, `{id, event, data}`, unless the data is evidently something else.
/// Many write events so: only its own names of events tell.
fn is_of_dialog360(root: Value<'_>) -> bool {
    let data = root.get("data").filter(|data| data.is_object());
    root.get("id").is_some()
        && data.is_some_and(|data| {
            envelopes::is_event_of_dialog360(root.get("event"), data) && by_own_keys(data).is_none()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;

    fn content(json: &str) -> Format {
        by_content(Tape::default().parse(json).expect("JSON"))
    }

    #[test]
    fn content_tells_the_format() {
        for (json, format) in [
            (r#"{"object":"x","entry":[]}"#, Format::CloudApi),
            (r#"{"entry":[],"gs_app_id":"x"}"#, Format::GupshupV3),
            (r#"{"specversion":"1.0","type":"x","data":{}}"#, Format::CloudEvents),
            (r#"{"request":{},"status":200}"#, Format::Send),
            (r#"{"message_uuid":"x"}"#, Format::Vonage),
            (r#"[{}]"#, Format::CloudApi),
            (r#"{"app":"a","type":"message","payload":{}}"#, Format::GupshupV2),
            (r#"{"eventType":"x","payload":{}}"#, Format::EightXEight),
            (r#"{"results":[{"messageId":"x","channel":"y"}]}"#, Format::Infobip),
            (r#"{"results":[7,{"messageId":"x","seenAt":"y"}]}"#, Format::Infobip),
            (r#"{"results":[{"messageId":"x","status":{"groupId":1}}]}"#, Format::Infobip),
            (r#"{"response":[{"externalId":"1","eventTs":1,"destAddr":"2"}]}"#, Format::GupshupV2),
            (r#"{"type":"whatsapp.message.updated","apiVersion":"v2"}"#, Format::YCloud),
            (r#"{"eventType":"whatsapp.x","apiVersion":"v2","createTime":"x"}"#, Format::YCloud),
            (r#"{"wabaId":"1","fromUserId":"x","to":"2"}"#, Format::YCloud),
            (r#"{"message":{"kapso":{}},"phone_number_id":"1"}"#, Format::Kapso),
            (r#"{"phone_number_id":"1","project":{},"customer":{}}"#, Format::Kapso),
            (r#"{"event":"workflow.execution.failed","workflow":{}}"#, Format::Kapso),
            (r#"{"data":[{"message":{"kapso":{}}}]}"#, Format::Kapso),
            (r#"{"event":"whatsapp.x","data":{"message":{"kapso":{}}}}"#, Format::Kapso),
            (r#"{"type":"whatsapp.x","data":{"from":{}}}"#, Format::Bird),
            (r#"{"service":"conversations","event":"conversation.x","payload":{}}"#, Format::Bird),
            (r#"{"service":"channels","event":"whatsapp.inbound","payload":{}}"#, Format::Bird),
            (r#"{"type":"message.created","message":{}}"#, Format::MessageBird),
            (r#"{"id":"1","event":"history","data":{}}"#, Format::Dialog360),
            (r#"{"messages":[{"_vnd":{}}]}"#, Format::Turn),
            (r#"{"_vnd":{},"id":"x","type":"text"}"#, Format::Turn),
            (r#"{"eventCategoryType":"x"}"#, Format::Salesforce),
            (r#"{"AccountSid":"a","MessageSid":"b"}"#, Format::Twilio),
            (r#"{"From":"whatsapp:+1","Body":"x"}"#, Format::Twilio),
            (r#"{"waNumber":"1","mobile":"2"}"#, Format::GupshupV2),
            (r#"{"integrationType":"WHATSAPP","messageId":"x"}"#, Format::Infobip),
            (r#"{"content":{"type":"PAYMENT"},"createdAt":"x"}"#, Format::Infobip),
            (r#"{"messageSid":"a","eventName":"b"}"#, Format::TwilioEvents),
            (r#"{"ConversationSid":"c","AccountSid":"a"}"#, Format::Twilio),
            (r#"{"type":"sms.received","timestamp":"x","data":{}}"#, Format::Bird),
            (r#"{"contact":{},"previous":{},"phone_number_id":"1"}"#, Format::Kapso),
            (r#"{"data":[7,{"message":{"kapso":{}}}]}"#, Format::Kapso),
            (r#"{"event":"project.updated"}"#, Format::Kapso),
            ("7", Format::CloudApi),
            // Common words around something else are of no provider.
            (r#"{"event":"history","data":{}}"#, Format::CloudApi),
            (r#"{"id":"1","event":"x","data":{"entry":[]}}"#, Format::CloudApi),
            (r#"{"id":"1","event":"history","data":{"entry":[]}}"#, Format::CloudApi),
            (r#"{"id":"1","event":"message.created","data":{"id":"2"}}"#, Format::CloudApi),
            (r#"{"id":"1","event":"message:in:new","data":{"id":"2"}}"#, Format::CloudApi),
            (r#"{"id":"1","event":"messages","data":{"id":"2","from":"3"}}"#, Format::CloudApi),
            (r#"{"contact":{},"phone_number_id":"1"}"#, Format::CloudApi),
            (r#"{"content":{"type":"text"},"createdAt":"x"}"#, Format::CloudApi),
            (r#"{"results":[{"messageId":"x"}]}"#, Format::CloudApi),
            (r#"{"results":[{"messageId":"x","status":"y"}]}"#, Format::CloudApi),
            (r#"{"results":[{"messageId":"x","status":{"code":1}}]}"#, Format::CloudApi),
            (r#"{"results":[{"id":"x","channel":"whatsapp","seenAt":"y"}]}"#, Format::CloudApi),
            (r#"{"conversationId":"1","channelId":"2","platform":"x"}"#, Format::CloudApi),
            (r#"{"type":"preference.updated","timestamp":"x","data":{}}"#, Format::CloudApi),
            (r#"{"type":"sms.x","timestamp":"x","data":{"entry":[]}}"#, Format::CloudApi),
            (
                r#"{"phone_number_id":"1","status":"sent","timestamp":1,"conversation":{}}"#,
                Format::CloudApi,
            ),
            (r#"{"phone_number_id":"1","recipient_id":"2","conversation":{}}"#, Format::CloudApi),
            (r#"{"phone_number_id":"1","messages":[],"conversation":{}}"#, Format::CloudApi),
            (r#"{"phone_number_id":"1","statuses":[],"project":{}}"#, Format::CloudApi),
            (
                r#"{"data":[{"message_echoes":[],"project":{},"phone_number_id":"1"}]}"#,
                Format::CloudApi,
            ),
        ] {
            assert_eq!(content(json), format, "{json}");
        }
    }

    #[test]
    fn headers_tell_events_and_forms_but_a_setting_wins() {
        let told = |format, headers: Headers<'_>| match by_headers(format, headers) {
            Told::Payload(format) => format.name(),
            Told::Data(attributes) => attributes.format().map_or("data", Format::name),
        };
        let event: Headers<'_> = &[
            (b"ce_specversion", Some(b"1.0")),
            (b"ce_type", Some(b"com.twilio.messaging.message.sent")),
            (b"content-type", Some(b"2025-10-08T07:17:02.363Z")),
        ];
        assert_eq!(told(Format::Auto, event), "twilio_events");
        assert_eq!(told(Format::CloudEvents, event), "twilio_events");
        assert_eq!(told(Format::CloudApi, event), "cloud_api");
        let structured: Headers<'_> =
            &[(b"Content-Type", Some(b"application/cloudevents+json; charset=UTF-8"))];
        assert_eq!(told(Format::Auto, structured), "cloudevents");
        let form: Headers<'_> = &[(b"content-type", Some(b"application/x-www-form-urlencoded"))];
        assert_eq!(told(Format::Auto, form), "twilio");
        assert_eq!(told(Format::CloudEvents, form), "cloudevents");
        let other: Headers<'_> = &[(b"ce_specversion", Some(b"1.0")), (b"x", None)];
        assert_eq!(told(Format::Auto, other), "data");
        assert_eq!(told(Format::Auto, &[(b"content-type", Some(b"\xff"))]), "auto");
    }

    #[test]
    fn form_is_told_by_a_key_of_its_own() {
        assert!(is_form(b"Body=x&MessageSid=SM1") && is_form(b"SmsSid=1"));
        assert!(is_form(b"Body=x&From=whatsapp%3A%2B1") && is_form(b"To=whatsapp:+1"));
        assert!(!is_form(b"Body=From=whatsapp:") && !is_form(b"From=%2B1"));
        assert!(is_form(b"response=%5B%7B") && is_form(b"a=1&externalId=x"));
        assert!(!is_form(b"Body=MessageSid%3D") && !is_form(b"xMessageSid=1") && !is_form(b""));
    }
}
