//! The units that may stand beside digits in a text that is only digits: measures, currencies,
//! months and week days, parts of dates and times, in the languages of the phrase tables.

/// Whether a lower-cased letter run is a unit, a currency, a month or a part of a date or time.
pub(super) fn is_unit(run: &str) -> bool {
    is_unit_bytes(run.as_bytes())
}

/// The same of the run's bytes.
pub(super) fn is_unit_bytes(run: &[u8]) -> bool {
    let first = run.first().map_or(0, |first| usize::from(*first));
    let alike = &UNITS[usize::from(BY_FIRST[first])..usize::from(BY_FIRST[first + 1])];
    alike.iter().any(|unit| unit.as_bytes() == run)
}

/// By first byte: how many units begin with a smaller one.
static BY_FIRST: [u16; 257] = by_first();

const fn by_first() -> [u16; 257] {
    let mut before = [0; 257];
    let (mut at, mut first) = (0, 0);
    while first < 256 {
        while at < UNITS.len() && UNITS[at].as_bytes()[0] as usize == first {
            at += 1;
        }
        first += 1;
        before[first] = at as u16;
    }
    before
}

/// Whether every character of a run in a bigram script is a unit.
pub(super) fn is_unit_signs(run: &str) -> bool {
    run.chars().all(|ch| UNIT_SIGNS.contains(ch))
}

/// Longest unit, in bytes.
pub(super) const UNIT_BYTES_MAX: usize = 24;

/// Signs of Chinese, Japanese and Korean dates, times, amounts and measures.
const UNIT_SIGNS: &str =
    "年月日时時分秒点點元円圆圓块角千百万萬亿億号號岁歲歳度个個台份次第년월일시분초원개만천억명번";

/// Ascending by bytes.
#[rustfmt::skip] // A word a line would be six hundred lines.
const UNITS: &[&str] = &[
    "a", "abr", "abril", "aed", "ago", "agosto", "agt", "agu", "agustus", "am", "août", "apr",
    "april", "aralık", "ars", "aud", "aug", "august", "avr", "avril", "ağustos", "bdt", "bob",
    "brl", "bs", "cad", "cent", "cents", "chf", "cl", "clp", "cm", "cny", "cop", "crore", "cts",
    "czk", "d", "day", "days", "de", "dec", "december", "del", "des", "desember", "dez",
    "dezember", "dezembro", "dh", "dhs", "dic", "dicembre", "diciembre", "dkk", "dollar",
    "dollars", "déc", "décembre", "egp", "ekim", "ene", "enero", "eur", "euro", "euros", "eylül",
    "feb", "febbraio", "febrero", "februar", "februari", "february", "fev", "fevereiro", "fri",
    "friday", "ft", "févr", "février", "g", "gb", "gbp", "gbps", "gen", "gennaio", "ghs", "ghz",
    "giu", "giugno", "giờ", "gm", "gms", "godz", "gr", "h", "haziran", "hkd", "hour", "hours",
    "hp", "hr", "hrs", "hs", "huf", "hz", "idr", "ils", "in", "inch", "inches", "inr", "jan",
    "janeiro", "januar", "januari", "january", "janv", "janvier", "jpy", "jt", "juil", "juillet",
    "juin", "jul", "julho", "juli", "julio", "july", "jun", "june", "junho", "juni", "junio",
    "juta", "k", "kasım", "kb", "kes", "kg", "kgs", "km", "kmh", "kr", "krw", "ksh", "kw", "kwd",
    "kwh", "kč", "l", "lakh", "lb", "lbs", "lei", "lira", "lkr", "lt", "ltr", "lug", "luglio",
    "m", "mad", "mag", "maggio", "mah", "mai", "maio", "mar", "march", "maret", "mars", "mart",
    "marzo", "março", "may", "mayo", "mayıs", "mb", "mbps", "mei", "mg", "mhz", "mi", "mil",
    "min", "mins", "minute", "minutes", "mio", "ml", "mm", "mo", "mon", "monday", "month",
    "months", "mph", "mrd", "ms", "mt", "mtr", "mts", "mxn", "myr", "mär", "märz", "nd", "nghìn",
    "ngn", "ngày", "nisan", "no", "nok", "nov", "november", "novembre", "novembro", "noviembre",
    "npr", "nr", "nro", "num", "nzd", "năm", "ocak", "oct", "october", "octobre", "octubre",
    "okt", "oktober", "ott", "ottobre", "out", "outubro", "oz", "pc", "pcs", "pct", "pen",
    "percent", "peso", "pesos", "php", "phút", "pieces", "pkr", "pln", "pm", "prozent", "pz",
    "qar", "qty", "r", "rb", "rd", "reais", "real", "ribu", "rm", "rmb", "ron", "rp", "rs", "rub",
    "rupees", "rupiah", "rur", "s", "sar", "sat", "saturday", "sec", "second", "seconds", "secs",
    "sek", "sep", "sept", "september", "septembre", "septiembre", "set", "setembro", "settembre",
    "sgd", "st", "std", "sun", "sunday", "szt", "t", "tb", "temmuz", "th", "thb", "thu", "thur",
    "thurs", "thursday", "tháng", "tl", "ton", "tons", "tr", "triệu", "try", "tsh", "tue", "tues",
    "tuesday", "twd", "uah", "uhr", "us", "usd", "uyu", "v", "vnd", "vnđ", "w", "wed",
    "wednesday", "week", "weeks", "wk", "x", "yd", "year", "years", "yr", "yrs", "zar", "zł", "đ",
    "şubat", "авг", "августа", "апр", "апреля", "г", "год", "года", "гр", "грн", "дек", "декабря",
    "день", "дн", "дней", "дня", "июл", "июля", "июн", "июня", "кг", "км", "коп", "л", "лет", "м",
    "мар", "марта", "мая", "мг", "мес", "мин", "мл", "млн", "мм", "нед", "ноя", "ноября", "окт",
    "октября", "р", "руб", "рублей", "рубль", "рубля", "сек", "сен", "сентября", "см", "т",
    "тонн", "тыс", "фев", "февраля", "ч", "час", "часа", "часов", "шт", "янв", "января", "גרם",
    "דקות", "מ", "ק", "קג", "ש", "שח", "שעות", "ثانية", "ج", "جم", "جنيه", "د", "درهم", "دقيقة",
    "دولار", "دينار", "ر", "ريال", "س", "ساعة", "سم", "سنة", "شهر", "ص", "غ", "كجم", "كغ", "كم",
    "كيلو", "لتر", "م", "يوم", "किग्रा", "किलो", "ग्राम", "घंटे", "दिन", "बजे", "मिनट", "मीटर",
    "रु", "रुपए", "रुपये", "लीटर", "กก", "กรัม", "ชั่วโมง", "น", "นาที", "บาท", "ลิตร", "วัน",
    "เมตร", "โมง",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_sorted_and_short() {
        assert!(UNITS.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(UNITS.iter().all(|unit| unit.len() <= UNIT_BYTES_MAX));
    }

    #[test]
    fn units_are_known_in_many_languages() {
        for unit in ["kg", "usd", "januari", "кг", "रुपये", "ريال", "giờ"] {
            assert!(is_unit(unit), "{unit}");
        }
        assert!(is_unit_signs("万元") && !is_unit_signs("苹果"));
        assert!(!is_unit("apples") && !is_unit(""));
    }
}
