//! Country of a peer: from the calling code of its phone number, else from its user id.
//!
//! Longest prefix of the table wins. `+1` is shared: area codes of Canada and of the Caribbean
//! and Pacific members are listed, all others read as `US` (also those not given to a country, as
//! 800). `+7` is Kazakhstan from 76, 77, 70 and 733622 (Baikonur), else Russia. Codes shared by
//! few: `+39 06698` is Vatican City, `+44` with 1481, 1534 and 1624 (and their mobile ranges) are
//! Guernsey, Jersey and Man, `+47 79` Svalbard and Jan Mayen, `+358 18` Åland, `+262 269` and
//! `+262 639` Mayotte, `+590` Guadeloupe (Saint Martin and Saint Barthélemy share it), `+599 9`
//! Curaçao, else the Caribbean Netherlands, `+61 89162` and `89164` the Indian Ocean territories
//! of Australia, `+212 5288` and `5289` Western Sahara. Satellite and shared services have no
//! country.

/// Calling code prefixes, by their country. Digits within a country are separated by spaces.
const PREFIXES: &[(&str, &str)] = &[
    ("US", "1"),
    (
        "CA",
        "1204 1226 1236 1249 1250 1257 1263 1289 1306 1343 1354 1365 1367 1368 1382 1387 1403 1416 \
         1418 1428 1431 1437 1438 1450 1460 1468 1474 1506 1514 1519 1548 1579 1581 1584 1587 1600 \
         1604 1613 1622 1633 1639 1644 1647 1655 1672 1677 1683 1688 1705 1709 1742 1753 1778 1780 \
         1782 1807 1819 1825 1867 1873 1879 1902 1905 1942",
    ),
    ("BS", "1242"),
    ("BB", "1246"),
    ("AI", "1264"),
    ("AG", "1268"),
    ("VG", "1284"),
    ("VI", "1340"),
    ("KY", "1345"),
    ("BM", "1441"),
    ("GD", "1473"),
    ("TC", "1649"),
    ("JM", "1658 1876"),
    ("MS", "1664"),
    ("MP", "1670"),
    ("GU", "1671"),
    ("AS", "1684"),
    ("SX", "1721"),
    ("LC", "1758"),
    ("DM", "1767"),
    ("VC", "1784"),
    ("PR", "1787 1939"),
    ("DO", "1809 1829 1849"),
    ("TT", "1868"),
    ("KN", "1869"),
    ("RU", "7"),
    ("KZ", "76 77 70 733622"),
    ("EG", "20"),
    ("SS", "211"),
    ("MA", "212"),
    ("EH", "2125288 2125289"),
    ("DZ", "213"),
    ("TN", "216"),
    ("LY", "218"),
    ("GM", "220"),
    ("SN", "221"),
    ("MR", "222"),
    ("ML", "223"),
    ("GN", "224"),
    ("CI", "225"),
    ("BF", "226"),
    ("NE", "227"),
    ("TG", "228"),
    ("BJ", "229"),
    ("MU", "230"),
    ("LR", "231"),
    ("SL", "232"),
    ("GH", "233"),
    ("NG", "234"),
    ("TD", "235"),
    ("CF", "236"),
    ("CM", "237"),
    ("CV", "238"),
    ("ST", "239"),
    ("GQ", "240"),
    ("GA", "241"),
    ("CG", "242"),
    ("CD", "243"),
    ("AO", "244"),
    ("GW", "245"),
    ("IO", "246"),
    ("SH", "247 290"),
    ("SC", "248"),
    ("SD", "249"),
    ("RW", "250"),
    ("ET", "251"),
    ("SO", "252"),
    ("DJ", "253"),
    ("KE", "254"),
    ("TZ", "255"),
    ("UG", "256"),
    ("BI", "257"),
    ("MZ", "258"),
    ("ZM", "260"),
    ("MG", "261"),
    ("RE", "262"),
    ("YT", "262269 262639"),
    ("ZW", "263"),
    ("NA", "264"),
    ("MW", "265"),
    ("LS", "266"),
    ("BW", "267"),
    ("SZ", "268"),
    ("KM", "269"),
    ("ZA", "27"),
    ("ER", "291"),
    ("AW", "297"),
    ("FO", "298"),
    ("GL", "299"),
    ("GR", "30"),
    ("NL", "31"),
    ("BE", "32"),
    ("FR", "33"),
    ("ES", "34"),
    ("GI", "350"),
    ("PT", "351"),
    ("LU", "352"),
    ("IE", "353"),
    ("IS", "354"),
    ("AL", "355"),
    ("MT", "356"),
    ("CY", "357"),
    ("FI", "358"),
    ("AX", "35818"),
    ("BG", "359"),
    ("HU", "36"),
    ("LT", "370"),
    ("LV", "371"),
    ("EE", "372"),
    ("MD", "373"),
    ("AM", "374"),
    ("BY", "375"),
    ("AD", "376"),
    ("MC", "377"),
    ("SM", "378"),
    ("VA", "379 3906698"),
    ("UA", "380"),
    ("RS", "381"),
    ("ME", "382"),
    ("XK", "383"),
    ("HR", "385"),
    ("SI", "386"),
    ("BA", "387"),
    ("MK", "389"),
    ("IT", "39"),
    ("RO", "40"),
    ("CH", "41"),
    ("CZ", "420"),
    ("SK", "421"),
    ("LI", "423"),
    ("AT", "43"),
    ("GB", "44"),
    ("GG", "441481 447781 447839 4479111 4479117"),
    ("JE", "441534 447509 447797 447829 447937 4477003 4477007 4477008"),
    ("IM", "441624 447524 447624 447924 4474576"),
    ("DK", "45"),
    ("SE", "46"),
    ("NO", "47"),
    ("SJ", "4779"),
    ("PL", "48"),
    ("DE", "49"),
    ("FK", "500"),
    ("BZ", "501"),
    ("GT", "502"),
    ("SV", "503"),
    ("HN", "504"),
    ("NI", "505"),
    ("CR", "506"),
    ("PA", "507"),
    ("PM", "508"),
    ("HT", "509"),
    ("PE", "51"),
    ("MX", "52"),
    ("CU", "53"),
    ("AR", "54"),
    ("BR", "55"),
    ("CL", "56"),
    ("CO", "57"),
    ("VE", "58"),
    ("GP", "590"),
    ("BO", "591"),
    ("GY", "592"),
    ("EC", "593"),
    ("GF", "594"),
    ("PY", "595"),
    ("MQ", "596"),
    ("SR", "597"),
    ("UY", "598"),
    ("BQ", "599"),
    ("CW", "5999"),
    ("MY", "60"),
    ("AU", "61"),
    ("CC", "6189162"),
    ("CX", "6189164"),
    ("ID", "62"),
    ("PH", "63"),
    ("NZ", "64"),
    ("SG", "65"),
    ("TH", "66"),
    ("TL", "670"),
    ("NF", "6723"),
    ("AQ", "6721"),
    ("BN", "673"),
    ("NR", "674"),
    ("PG", "675"),
    ("TO", "676"),
    ("SB", "677"),
    ("VU", "678"),
    ("FJ", "679"),
    ("PW", "680"),
    ("WF", "681"),
    ("CK", "682"),
    ("NU", "683"),
    ("WS", "685"),
    ("KI", "686"),
    ("NC", "687"),
    ("TV", "688"),
    ("PF", "689"),
    ("TK", "690"),
    ("FM", "691"),
    ("MH", "692"),
    ("JP", "81"),
    ("KR", "82"),
    ("VN", "84"),
    ("KP", "850"),
    ("HK", "852"),
    ("MO", "853"),
    ("KH", "855"),
    ("LA", "856"),
    ("CN", "86"),
    ("BD", "880"),
    ("TW", "886"),
    ("TR", "90"),
    ("IN", "91"),
    ("PK", "92"),
    ("AF", "93"),
    ("LK", "94"),
    ("MM", "95"),
    ("MV", "960"),
    ("LB", "961"),
    ("JO", "962"),
    ("SY", "963"),
    ("IQ", "964"),
    ("KW", "965"),
    ("SA", "966"),
    ("YE", "967"),
    ("OM", "968"),
    ("PS", "970"),
    ("AE", "971"),
    ("IL", "972"),
    ("BH", "973"),
    ("QA", "974"),
    ("BT", "975"),
    ("MN", "976"),
    ("NP", "977"),
    ("IR", "98"),
    ("TJ", "992"),
    ("TM", "993"),
    ("AZ", "994"),
    ("GE", "995"),
    ("KG", "996"),
    ("UZ", "998"),
];

/// Countries that no prefix of their own names, for user ids.
const WITHOUT_PREFIX: &[&str] = &["BL", "MF", "GS", "HM", "BV", "TF", "UM", "PN"];

/// Digits of the longest prefix.
const PREFIX_DIGITS_MAX: usize = 7;
/// A phone number has this many digits at most (E.164), and no fewer than seven.
pub(crate) const PHONE_DIGITS_MAX: usize = 15;
pub(crate) const PHONE_DIGITS_MIN: usize = 7;

/// Whether digits begin with the calling code of a country where nobody's number is as long, not
/// even with the zero behind the code that it is dialled with at home. By ITU-T's lists of numbering
/// plans people have thirteen digits at most, the code among them, in North America (1), Africa (2),
/// Latin America (5), Russia and Kazakhstan (7) and some of Asia (90 to 98, but 91, 92 and 97), and
/// such a zero makes fourteen. In Latin America a carrier's code may stand behind the zero, in
/// Argentina (54) more without one; other countries, as Germany, allow fifteen.
#[inline]
pub(crate) fn is_beyond_plan(digits: &[u8]) -> bool {
    digits.len() >= PHONE_DIGITS_MAX
        && match digits {
            [b'1' | b'2' | b'7', ..] | [b'9', b'0' | b'3'..=b'6' | b'8', ..] => true,
            [b'5', second, third, ..] => *second != b'4' && *third != b'0',
            _ => false,
        }
}

static TABLE: std::sync::LazyLock<hashbrown::HashMap<u32, [u8; 2]>> =
    std::sync::LazyLock::new(|| {
        let mut table = hashbrown::HashMap::new();
        for (country, prefixes) in PREFIXES {
            for prefix in prefixes.split_whitespace() {
                if let (Ok(number), Some(code)) = (prefix.parse(), code(country)) {
                    table.insert(number, code);
                }
            }
        }
        table
    });

/// What the first digits of a number tell.
#[derive(Clone, Copy, Default)]
struct First {
    country: Option<[u8; 2]>,
    /// Whether longer prefixes begin so.
    goes_on: bool,
}

/// Digits that are looked up at once.
const FIRST_DIGITS: usize = 4;

/// By the first four digits; a memory access instead of up to seven searches.
static FIRST: std::sync::LazyLock<Vec<First>> = std::sync::LazyLock::new(|| {
    let mut all = vec![First::default(); 10_usize.pow(FIRST_DIGITS as u32)];
    for (number, first) in all.iter_mut().enumerate() {
        first.country = longest(&format!("{number:04}"), FIRST_DIGITS);
    }
    for prefix in PREFIXES.iter().flat_map(|(_, prefixes)| prefixes.split_whitespace()) {
        if prefix.len() > FIRST_DIGITS
            && let Ok(number) = prefix[..FIRST_DIGITS].parse::<usize>()
        {
            all[number].goes_on = true;
        }
    }
    all
});

/// The country of the longest prefix of up to `length` digits. No calling code begins with 0.
fn longest(digits: &str, length: usize) -> Option<[u8; 2]> {
    if digits.starts_with('0') {
        return None;
    }
    (1..=length).rev().find_map(|length| TABLE.get(&digits[..length].parse::<u32>().ok()?).copied())
}

/// The country of a phone number of digits alone; the same as [`of_phone`].
pub(crate) fn of_digits(digits: &[u8]) -> Option<[u8; 2]> {
    if !(PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len()) {
        return None;
    }
    let number = digits[..FIRST_DIGITS]
        .iter()
        .fold(0, |number, digit| number * 10 + usize::from(digit.wrapping_sub(b'0')));
    let first = FIRST.get(number).copied().unwrap_or_default();
    if first.goes_on {
        return of_phone(std::str::from_utf8(digits).ok()?);
    }
    first.country
}

fn code(country: &str) -> Option<[u8; 2]> {
    country.as_bytes().try_into().ok()
}

/// The country of a phone number that begins with its calling code, without a `+`. Of a masked
/// number the digits before the mask must decide.
pub(crate) fn of_phone(digits: &str) -> Option<[u8; 2]> {
    let known = digits.bytes().take_while(u8::is_ascii_digit).count();
    let rest = digits[known..]
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'x' | b'X'));
    if !rest || !(PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len()) {
        return None;
    }
    longest(digits, known.min(PREFIX_DIGITS_MAX))
}

/// The same of bytes that are a plain id.
pub(crate) fn of_plain_user_id(user_id: &[u8]) -> Option<[u8; 2]> {
    if user_id.len() > 3 && user_id[2] == b'.' { of_letters(user_id) } else { None }
}

/// The country whose two capital letters bytes begin with.
fn of_letters(bytes: &[u8]) -> Option<[u8; 2]> {
    let code = *bytes.first_chunk::<2>()?;
    let known = LETTERS.get(letters(code)?).copied().unwrap_or_default();
    known.then_some(code)
}

/// Two capital letters as a number.
fn letters([one, other]: [u8; 2]) -> Option<usize> {
    let letter = |byte: u8| byte.is_ascii_uppercase().then(|| usize::from(byte - b'A'));
    Some(letter(one)? * 26 + letter(other)?)
}

/// Whether two letters are a country that is known here.
static LETTERS: std::sync::LazyLock<[bool; 26 * 26]> = std::sync::LazyLock::new(|| {
    let mut known = [false; 26 * 26];
    for country in PREFIXES.iter().map(|(country, _)| country).chain(WITHOUT_PREFIX) {
        if let Some(number) = code(country).and_then(letters) {
            known[number] = true;
        }
    }
    known
});

/// The country that a user id `CC.…` begins with, where it is one.
pub(crate) fn of_user_id(user_id: &str) -> Option<[u8; 2]> {
    if !crate::peer::is_user_id(user_id) {
        return None;
    }
    of_letters(user_id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_alone_are_looked_up_at_once() {
        for (country, prefixes) in PREFIXES {
            assert!(code(country).and_then(letters).is_some());
            for prefix in prefixes.split_whitespace() {
                for behind in ["0000000", "2345678", "9999999", "5", "123456789012"] {
                    for cut in 0..prefix.len() + 1 {
                        for zeros in ["", "0", "000"] {
                            let number = format!("{zeros}{}{behind}", &prefix[..cut]);
                            assert_eq!(of_digits(number.as_bytes()), of_phone(&number), "{number}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn longest_calling_code_wins() {
        for (phone, country) in [
            ("16505551234", Some("US")),
            ("14169385443", Some("CA")),
            ("18761234567", Some("JM")),
            ("18001234567", Some("US")),
            ("17871234567", Some("PR")),
            ("79161234567", Some("RU")),
            ("77011234567", Some("KZ")),
            ("390669812345", Some("VA")),
            ("390612345678", Some("IT")),
            ("447700900123", Some("GB")),
            ("441534123456", Some("JE")),
            ("447700312345", Some("JE")),
            ("447911123456", Some("GG")),
            ("447911823456", Some("GB")),
            ("447457612345", Some("IM")),
            ("4779123456", Some("SJ")),
            ("4745123456", Some("NO")),
            ("3581812345", Some("AX")),
            ("358401234567", Some("FI")),
            ("61891641234", Some("CX")),
            ("61891621234", Some("CC")),
            ("61891234567", Some("AU")),
            ("212528812345", Some("EH")),
            ("212612345678", Some("MA")),
            ("596696123456", Some("MQ")),
            ("508551234", Some("PM")),
            ("687751234", Some("NC")),
            ("73362212345", Some("KZ")),
            ("262692123456", Some("RE")),
            ("262639123456", Some("YT")),
            ("590590123456", Some("GP")),
            ("594694123456", Some("GF")),
            ("59991234567", Some("CW")),
            ("491701234567", Some("DE")),
            ("972987654321", Some("IL")),
            ("9191****8731", Some("IN")),
            ("88312345678", None),
            ("210123456789", None),
            ("00841234567", None),
            ("PHONE_NUMBER", None),
            ("1", None),
            ("", None),
        ] {
            let found = of_phone(phone);
            let found = found.as_ref().map(|code| std::str::from_utf8(code).expect("ASCII"));
            assert_eq!(found, country, "{phone}");
        }
    }

    #[test]
    fn user_id_tells_a_country_that_exists() {
        assert_eq!(of_user_id("US.13491"), Some(*b"US"));
        assert_eq!(of_user_id("CO.ENT.13491"), Some(*b"CO"));
        assert_eq!(of_user_id("ZZ.13491"), None);
        assert_eq!(of_user_id("BSUID_123"), None);
    }

    #[test]
    fn every_prefix_is_there_once_and_no_longer_than_is_looked_for() {
        let all: Vec<&str> =
            PREFIXES.iter().flat_map(|(_, prefixes)| prefixes.split_whitespace()).collect();
        assert_eq!(TABLE.len(), all.len());
        assert!(all.iter().all(|prefix| prefix.len() <= PREFIX_DIGITS_MAX));
    }
}
