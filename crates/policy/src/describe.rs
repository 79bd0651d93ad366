//! One short sentence for a person about a feature's value. It names numbers only, never
//! anything that a peer wrote.

/// The sentence for a feature of an axis; a plain one for any other.
pub(crate) fn describe(feature: &str, value: f64) -> String {
    let percent = format!("{:.1} %", value * 100.0);
    let whole = format!("{value:.0}");
    let likeness = format!("{value:.3}");
    match feature {
        "F07_referral" => format!("{percent} of conversations begin at an advertisement"),
        "F08_template_share" => format!("{percent} of sent messages are templates"),
        "F12_interactive_out" => {
            format!("{percent} of replies are buttons, lists or other interactive messages")
        }
        "F13_structured_in" => {
            format!("{percent} of user messages are taps, orders, locations or contacts")
        }
        "F14_tap_rate" => {
            format!("{percent} of interactive messages are tapped within ten minutes")
        }
        "F15_commerce" => format!("{percent} of messages are products, orders or flows"),
        "F18_voice_answered" => {
            format!("{percent} of voice notes are answered by text within two minutes")
        }
        "F19_image_answered" => {
            format!("{percent} of images are answered at length within two minutes")
        }
        "F20_document_answered" => {
            format!("{percent} of documents are answered at length within three minutes")
        }
        "F22_fast_replies" => format!("{percent} of replies come in under five seconds"),
        "F27_reply_chars_p50" => format!("Half of the replies have {whole} characters or more"),
        "F27_reply_chars_p90" => format!("A tenth of the replies have {whole} characters or more"),
        "F27_reply_chars_ge500" => format!("{percent} of replies have 500 characters or more"),
        "F30_user_long" => format!("{percent} of user texts have 280 characters or more"),
        "F31_user_short" => format!("{percent} of user texts have three words or fewer"),
        "F32_markdown" => format!("{percent} of replies have markdown or lists"),
        "F33_code" => format!("{percent} of replies have code"),
        "F34_bot_question" => format!("{percent} of replies ask something"),
        "F35_request_opener" => format!("{percent} of user texts begin with a question or request"),
        "F36_skeleton_reuse" => format!("{percent} of sampled replies repeat a form of words"),
        "F37_reply_novelty" => format!("{percent} of a reply's words go to nobody else"),
        "F38_user_novelty" => format!("{percent} of a user text's words are used by nobody else"),
        "F39_topic_coincidence" => {
            format!("What two users write is alike to {likeness} (0 is nothing in common)")
        }
        "F40_reply_topic_coincidence" => {
            format!("What two users are answered is alike to {likeness} (0 is nothing in common)")
        }
        "F41_first_novelty" => format!("{percent} of a first text's words are used by nobody else"),
        "F44_human_share" => {
            format!("{percent} of sent messages are written by people in the phone app")
        }
        "F51_open_ended_ratio" => {
            format!("{percent} of user texts are open-ended questions or requests")
        }
        _ => format!("The value is {likeness}"),
    }
}
