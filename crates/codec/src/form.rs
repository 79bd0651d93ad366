//! Urlencoded forms as JSON objects of strings, so that one decoder reads both.
//!
//! `+` is a space, `%XX` a byte; what is no such escape stands for itself, bytes that are no UTF-8
//! become U+FFFD. Of keys that occur twice the last counts, as in JSON. A decoded byte comes of
//! one byte or three, and is written in at most six, six only where it was escaped itself:
//! the object is at most about twice as long as the form.

use turnwise_model::limits::FORM_FIELDS_MAX;

use crate::reason::Reason;
use crate::record::Fail;

/// Writes the form as a JSON object into `json`. `decoded` is scratch.
pub(crate) fn to_json(form: &[u8], json: &mut String, decoded: &mut Vec<u8>) -> Result<(), Fail> {
    json.clear();
    json.push('{');
    let fields = form.trim_ascii().split(|byte| *byte == b'&').filter(|field| !field.is_empty());
    for (at, field) in fields.enumerate() {
        if at == FORM_FIELDS_MAX {
            let detail = format!("record: expected at most {FORM_FIELDS_MAX} fields, found more");
            return Err(Fail { reason: Reason::TooManyFields, detail });
        }
        // A control character that is not escaped is in no form.
        if let Some(place) = field.iter().position(|byte| *byte < 0x20 || *byte == 0x7F) {
            let detail = format!("field {at}: expected a form, found another byte at {place}");
            return Err(Fail { reason: Reason::InvalidForm, detail });
        }
        let equals = memchr::memchr(b'=', field).unwrap_or(field.len());
        if at > 0 {
            json.push(',');
        }
        string(&field[..equals], json, decoded);
        json.push(':');
        string(field.get(equals + 1..).unwrap_or_default(), json, decoded);
    }
    json.push('}');
    Ok(())
}

fn string(encoded: &[u8], json: &mut String, decoded: &mut Vec<u8>) {
    decode(encoded, decoded);
    json.push('"');
    for letter in String::from_utf8_lossy(decoded).chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            control if control < ' ' => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let code = control as usize;
                json.push_str("\\u00");
                json.push(char::from(DIGITS[code >> 4]));
                json.push(char::from(DIGITS[code & 15]));
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
}

fn decode(encoded: &[u8], decoded: &mut Vec<u8>) {
    decoded.clear();
    let digit = |at: usize| encoded.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut at = 0;
    while let Some(&byte) = encoded.get(at) {
        let escaped = match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        decoded.push(match (byte, escaped) {
            (_, Some(escaped)) => escaped,
            (b'+', None) => b' ',
            (other, None) => other,
        });
        at += if escaped.is_some() { 3 } else { 1 };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(form: &[u8]) -> Result<serde_json::Value, &'static str> {
        let (mut json, mut scratch) = (String::new(), Vec::new());
        to_json(form, &mut json, &mut scratch).map_err(|fail| fail.reason.name())?;
        Ok(serde_json::from_str(&json).expect("JSON"))
    }

    #[test]
    fn forms_read_as_objects_of_strings() {
        let read = json(b"From=whatsapp%3A%2B1650&Body=a+%22b%22%0A%5C%01%e2%82%ac&&Empty=&Bare");
        let expected = serde_json::json!({
            "From": "whatsapp:+1650", "Body": "a \"b\"\n\\\u{1}€", "Empty": "", "Bare": "",
        });
        assert_eq!(read, Ok(expected));
        let odd = json(b"a=%zz%4&a=2%&b=%ff");
        assert_eq!(odd, Ok(serde_json::json!({"a": "2%", "b": "\u{fffd}"})));
        assert_eq!(json(b"a=1\nb=2"), Err("invalid_form"));
        assert_eq!(json(&b"a=1&".repeat(FORM_FIELDS_MAX + 1)), Err("too_many_fields"));
        assert!(json(&b"a=1&".repeat(FORM_FIELDS_MAX)).is_ok());
    }

    proptest! {
        #[test]
        fn any_form_is_an_object_of_bounded_length(form in prop::collection::vec(any::<u8>(), 0..300)) {
            let (mut text, mut scratch) = (String::new(), Vec::new());
            if to_json(&form, &mut text, &mut scratch).is_ok() {
                let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                prop_assert!(read.is_object());
                prop_assert!(text.len() <= 3 * form.len() + 16);
            }
        }
    }
}
