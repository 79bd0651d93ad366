use turnwise_model::{EventKind, InteractiveType, MessageKind, Status};

use crate::Format;
use crate::testing::{Row, columns, decode, message, only, phone, user};

const BUSINESS: &str = "15550783881";

/// A received message with these further fields.
fn received(rest: &str) -> String {
    format!(
        "SmsMessageSid=SM1&NumMedia=0&SmsSid=SM1&SmsStatus=received&WaId=16505551234&MessageSid=SM1&\
         AccountSid=AC1&From=whatsapp%3A%2B16505551234&To=whatsapp%3A%2B15550783881&ProfileName=A+B{rest}"
    )
}

fn row(rest: &str) -> Row {
    only(Format::Twilio, &received(rest))
}

#[test]
fn received_text_is_an_inbound_message() {
    let row = row("&Body=Hi+there%21&MessageType=text");
    assert_eq!(row.kind, EventKind::Message);
    assert_eq!(
        columns(&row, "sender waba_id direction origin message_kind chars voice"),
        "15550783881 - 0 0 0 9 -"
    );
    assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"));
    assert_eq!(row.get("message"), message(BUSINESS, "SM1"));
    assert_eq!(
        columns(&row, "peer_user is_reply has_referral in_group peer_country"),
        "- 0 0 0 US"
    );
    // No time of its own: that of reading stands for it.
    assert_eq!(row.get("time"), "1794139200000000");
}

#[test]
fn same_fields_as_json_are_the_same_row() {
    let form = row("&Body=Hi");
    let json = r#"{"MessageSid":"SM1","AccountSid":"AC1","From":"whatsapp:+16505551234","To":"whatsapp:+15550783881","WaId":"16505551234","Body":"Hi","NumMedia":"0","SmsStatus":"received"}"#;
    assert_eq!(only(Format::Twilio, json), form);
}

#[test]
fn kinds_are_told_by_type_else_by_fields() {
    let (text, kind) = (
        |rest: &str| columns(&row(rest), "message_kind interactive_type chars"),
        MessageKind::code,
    );
    let interactive = |it: InteractiveType, chars: &str| format!("6 {} {chars}", it.code());
    for (rest, expected) in [
        (
            "&MessageType=image&NumMedia=1&MediaContentType0=image%2Fjpeg&Body=abc",
            format!("{} - 3", kind(MessageKind::Image)),
        ),
        (
            "&NumMedia=1&MediaContentType0=image%2Fjpeg&Body=",
            format!("{} - -", kind(MessageKind::Image)),
        ),
        ("&NumMedia=1&MediaContentType0=audio%2Fogg", format!("{} - -", kind(MessageKind::Audio))),
        ("&NumMedia=1&MediaContentType0=video%2Fmp4", format!("{} - -", kind(MessageKind::Video))),
        (
            "&NumMedia=1&MediaContentType0=image%2Fwebp",
            format!("{} - -", kind(MessageKind::Sticker)),
        ),
        (
            "&NumMedia=1&MediaContentType0=application%2Fpdf&Body=f.pdf",
            format!("{} - 5", kind(MessageKind::Document)),
        ),
        (
            "&NumMedia=1&MediaContentType0=text%2Fvcard",
            format!("{} - -", kind(MessageKind::Contacts)),
        ),
        ("&NumMedia=1", format!("{} - -", kind(MessageKind::Unknown))),
        ("&Latitude=37.1&Longitude=-122.1", format!("{} - -", kind(MessageKind::Location))),
        (
            "&ButtonText=Yes&ButtonPayload=y&Body=Yes&MessageType=button",
            format!("{} - 3", kind(MessageKind::Button)),
        ),
        ("&ButtonText=Yes&ButtonPayload=y&Body=Yes", format!("{} - 3", kind(MessageKind::Button))),
        (
            "&ButtonText=Yes&ButtonPayload=y&Body=Yes&MessageType=interactive",
            interactive(InteractiveType::ButtonReply, "3"),
        ),
        (
            "&ListId=a&ListTitle=Two&Body=Two&MessageType=interactive",
            interactive(InteractiveType::ListReply, "3"),
        ),
        ("&ListId=a&ListTitle=Two", interactive(InteractiveType::ListReply, "3")),
        (
            "&MessageType=interactive&InteractiveData=%7B%7D",
            interactive(InteractiveType::NfmReply, "-"),
        ),
        ("&MessageType=interactive", interactive(InteractiveType::Other, "-")),
        (
            "&MessageType=interactive&Body=VOICE_CALL_REQUEST&ButtonText=VOICE_CALL_REQUEST&ButtonPayload=ACCEPTED",
            interactive(InteractiveType::CallPermissionReply, "-"),
        ),
        (
            "&MessageType=interactive&Body=VOICE_CALL_REQUEST&ButtonText=VOICE_CALL_REQUEST&ButtonPayload=REJECTED",
            interactive(InteractiveType::CallPermissionReply, "-"),
        ),
        (
            "&MessageType=interactive&ButtonText=VOICE_CALL_REQUEST&ButtonPayload=x",
            interactive(InteractiveType::ButtonReply, "18"),
        ),
        ("&MessageType=reaction&Body=x", format!("{} - -", kind(MessageKind::Reaction))),
        ("&MessageType=hologram", format!("{} - -", kind(MessageKind::Unknown))),
    ] {
        assert_eq!(text(rest), expected, "{rest}");
    }
    assert_eq!(row("&MessageType=voice").get("voice"), "1");
}

#[test]
fn people_without_a_number_have_their_user_id() {
    let form = received("&Body=x&ExternalUserId=whatsapp%3AID.45");
    assert_eq!(only(Format::Twilio, &form).get("peer_user"), user(BUSINESS, "ID.45"));
    let form = form
        .replace("From=whatsapp%3A%2B16505551234", "From=whatsapp%3AUS.12")
        .replace("WaId=16505551234", "WaId=");
    let row = only(Format::Twilio, &form);
    assert_eq!(columns(&row, "peer_phone peer_country"), "- US");
    assert_eq!(row.get("peer_user"), user(BUSINESS, "US.12"));
}

#[test]
fn marks_of_reply_and_referral() {
    let row = row("&Body=x&OriginalRepliedMessageSid=MM1&ReferralSourceId=12&ReferralNumMedia=0");
    assert_eq!(columns(&row, "is_reply has_referral"), "1 1");
    let row = self::row("&Body=x&ReferralNumMedia=0&ReferralBody=");
    assert_eq!(columns(&row, "is_reply has_referral"), "0 0");
}

#[test]
fn statuses_are_the_businesss() {
    let form = |status: &str| {
        format!(
            "MessageSid=SM2&MessageStatus={status}&AccountSid=AC1&From=whatsapp%3A%2B15550783881&To=whatsapp%3A%2B16505551234&ChannelPrefix=whatsapp&ErrorCode=63016"
        )
    };
    for (word, status) in [
        ("queued", Status::Other),
        ("sent", Status::Sent),
        ("delivered", Status::Delivered),
        ("read", Status::Read),
        ("undelivered", Status::Failed),
        ("failed", Status::Failed),
    ] {
        let row = only(Format::Twilio, &form(word));
        assert_eq!(row.kind, EventKind::Status);
        assert_eq!(row.get("status"), status.code().to_string(), "{word}");
        assert_eq!(columns(&row, "sender error_code category"), "15550783881 63016 -");
        assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"));
        assert_eq!(row.get("message"), message(BUSINESS, "SM2"));
    }
}

#[test]
fn other_channels_and_other_forms_are_no_messages() {
    let sms =
        "MessageSid=SM1&AccountSid=AC1&From=%2B1650&To=%2B1555&Body=secret&SmsStatus=received";
    let row = only(Format::Twilio, sms);
    assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, "other_channel"));
    let (_, rows) = decode(Format::Twilio, "From=whatsapp%3A%2B1650&x=y");
    assert_eq!(rows[0].get("reason"), "unknown_shape");
    let no_number = received("&Body=secret").replace("To=whatsapp%3A%2B15550783881", "To=");
    assert_eq!(only(Format::Twilio, &no_number).get("reason"), "no_sender");
}

#[test]
fn party_of_whatsapp_tells_a_form_and_an_id_that_it_was_received() {
    for form in [
        "Body=Hi&From=whatsapp%3A%2B16505551234&To=whatsapp%3A%2B15550783881&WaId=16505551234",
        "Body=Hi&From=whatsapp%3a%2B16505551234&To=whatsapp%3a%2B15550783881&SmsSid=SM1",
        "Body=Hi&To=whatsapp:+15550783881&From=whatsapp:+16505551234&SmsMessageSid=SM1",
        "Body=Hi&To=whatsapp:+15550783881&From=whatsapp:+16505551234&SmsStatus=received",
        r#"{"MessageSid":"SM1","From":"whatsapp:+16505551234","To":"whatsapp:+15550783881","Body":"Hi"}"#,
        r#"{"WaId":16505551234,"From":"whatsapp:+16505551234","To":"whatsapp:+15550783881","Body":"Hi"}"#,
    ] {
        let row = only(Format::Twilio, form);
        assert_eq!(columns(&row, "sender direction chars"), "15550783881 0 2", "{form}");
        assert_eq!(row.get("peer_phone"), phone(BUSINESS, "16505551234"), "{form}");
    }
}

#[test]
fn what_the_business_sends_never_has_the_person_for_its_sender() {
    for text in [
        "To=whatsapp%3A%2B16505551234&From=whatsapp%3A%2B15550783881&Body=Hi",
        "To=whatsapp%3A%2B16505551234&From=whatsapp%3A%2B15550783881&Body=Hi&WaId=&MessageSid=",
        "MessageSid=SM1&Direction=outbound-api&To=whatsapp%3A%2B16505551234&Body=Hi",
        "SmsSid=SM1&SmsStatus=received&Direction=Outbound-Reply&To=whatsapp%3A%2B16505551234",
        r#"{"Sid":"SM1","AccountSid":"AC1","Direction":"outbound-api","Status":"queued","From":"whatsapp:+15550783881","To":"whatsapp:+16505551234","Body":"Hi"}"#,
        r#"{"From":"whatsapp:+15550783881","To":"whatsapp:+16505551234","Body":"Hi"}"#,
    ] {
        let row = only(Format::Twilio, text);
        assert_eq!(row.kind, EventKind::DeadLetter, "{text}");
        assert_eq!(columns(&row, "reason sender"), "unknown_shape -", "{text}");
    }
    // Its statuses are read as before.
    let sent = "MessageSid=SM1&MessageStatus=sent&Direction=outbound-api&From=whatsapp:+15550783881&To=whatsapp:+16505551234";
    assert_eq!(columns(&only(Format::Twilio, sent), "sender status"), "15550783881 0");
}

#[test]
fn event_of_a_conversation_is_ignored_and_what_names_nobody_a_dead_letter() {
    let added = "EventType=onMessageAdded&ConversationSid=CH1&MessageSid=IM1&AccountSid=AC1&Author=whatsapp%3A%2B16505551234&Body=secret&Source=WHATSAPP&Index=0";
    for (form, name) in [
        (added.to_owned(), "conversation"),
        (added.replace("WHATSAPP", "API"), "conversation"),
        (added.replace("WHATSAPP", "SMS"), "other_channel"),
        (
            "EventType=onConversationAdded&ConversationSid=CH1&AccountSid=AC1".to_owned(),
            "conversation",
        ),
        (
            r#"{"EventType":"onConversationAdded","ConversationSid":"CH1","AccountSid":"AC1"}"#
                .to_owned(),
            "conversation",
        ),
    ] {
        let row = only(Format::Twilio, &form);
        assert_eq!((row.kind, row.get("reason")), (EventKind::Ignored, name), "{form}");
    }
    let bare = only(Format::Twilio, "MessageSid=SM1&MessageStatus=delivered");
    assert_eq!((bare.kind, bare.get("reason")), (EventKind::DeadLetter, "no_sender"));
    let sms = "MessageSid=SM1&MessageStatus=delivered&From=%2B1555&To=";
    assert_eq!(only(Format::Twilio, sms).get("reason"), "other_channel");
}
