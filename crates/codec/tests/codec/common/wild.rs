//! JSON as it may be written: any order of keys, white space, escapes of any letters, keys that
//! occur twice, keys that nobody knows.

use serde_json::Value;

/// Choices made beforehand by proptest; when they run out, everything is plain.
pub struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter() }
    }

    /// Below `bound`; 0 is the plain choice.
    fn below(&mut self, bound: u8) -> u8 {
        self.bytes.next().copied().unwrap_or(0) % bound
    }

    /// One time of `times`.
    fn once_in(&mut self, times: u8) -> bool {
        self.below(times) == times - 1
    }
}

/// Writes a value; of an object the keys in any order.
pub fn write(value: &Value, choices: &mut Choices<'_>, out: &mut String) {
    space(choices, out);
    match value {
        Value::Object(map) => {
            let mut fields: Vec<(&str, &Value)> =
                map.iter().map(|(key, value)| (key.as_str(), value)).collect();
            for at in (1..fields.len()).rev() {
                let with = at - usize::from(choices.below(at as u8 + 1));
                fields.swap(at, with);
            }
            object(&fields, choices, out);
        }
        Value::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(element, choices, out);
            }
            space(choices, out);
            out.push(']');
        }
        Value::String(text) => string(text, choices, out),
        Value::Number(number) => match (number.as_i64(), choices.below(16)) {
            (Some(whole), 14) => out.push_str(&format!("\"{whole}\"")),
            (Some(whole), 15) => out.push_str(&format!("{whole}.0")),
            _ => out.push_str(&number.to_string()),
        },
        other => out.push_str(&other.to_string()),
    }
    space(choices, out);
}

fn object(fields: &[(&str, &Value)], choices: &mut Choices<'_>, out: &mut String) {
    const WRONG: [&str; 8] =
        ["null", "\"x\"", "7", "[]", "{}", "true", "[{\"id\":\"1\"}]", "{\"body\":\"y\"}"];
    const EXTRA: [&str; 18] = [
        "\"new\":{\"a\":[1,-2.5e3,null,[],{}]}",
        "\"\":\"\"",
        "\"chars\":3",
        "\"errors\":[]",
        "\"recipient_type\":\"individual\"",
        "\"group_id\":null",
        "\"code\":131047",
        "\"to\":\"+16505551234\"",
        "\"recipient\":\"1 650\"",
        "\"field\":\"history\"",
        "\"user_actions\":[{}]",
        "\"pricing\":{\"category\":\"group-service\"}",
        "\"from\":\"15550783881\"",
        "\"contacts\":[{\"wa_id\":\"16505551234\",\"user_id\":\"US.7\"}]",
        "\"message_creation_type\":\"created_by_1p_bot\"",
        "\"previous_owner_app_role\":\"META_AI\"",
        "\"new_owner\":{\"app_role\":\"meta_ai\"}",
        "\"history_context\":{\"from_me\":true}",
    ];
    out.push('{');
    let mut first = true;
    let mut comma = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
    };
    for (key, value) in fields {
        if choices.once_in(24) {
            comma(out);
            string(key, choices, out);
            out.push(':');
            out.push_str(WRONG[usize::from(choices.below(8))]);
        }
        if choices.once_in(24) {
            comma(out);
            out.push_str(EXTRA[usize::from(choices.below(18))]);
        }
        comma(out);
        space(choices, out);
        string(key, choices, out);
        space(choices, out);
        out.push(':');
        if choices.once_in(64) {
            out.push_str(WRONG[usize::from(choices.below(8))]);
        } else {
            write(value, choices, out);
        }
    }
    space(choices, out);
    out.push('}');
}

fn space(choices: &mut Choices<'_>, out: &mut String) {
    out.push_str(match choices.below(12) {
        8 => " ",
        9 => "\n",
        10 => "\t \r\n",
        11 => "                   ",
        _ => "",
    });
}

/// A string, some of its letters as escapes; now and then one that stands for no letter.
fn string(text: &str, choices: &mut Choices<'_>, out: &mut String) {
    let escapes = choices.once_in(6);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' if !choices.once_in(4) => out.push_str("\\n"),
            letter if letter < ' ' || escapes && choices.once_in(3) => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            '/' if escapes => out.push_str("\\/"),
            letter => out.push(letter),
        }
    }
    if escapes && choices.once_in(16) {
        out.push_str("\\ud800");
    }
    out.push('"');
}
