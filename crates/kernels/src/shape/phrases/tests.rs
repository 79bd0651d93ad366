//! Beginnings of texts in many languages, and the tables themselves.

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::*;

fn beginning(text: &str) -> Beginning {
    PHRASES.beginning(text, &CLASSES)
}

#[test]
fn openers_are_found_in_many_languages() {
    for text in [
        "What is the capital of France",
        "how do I reset it",
        "WRITE a poem",
        "can  you\nhelp me",
        "¿Cómo puedo pagar?",
        "qué es eso",
        "Qual é o horário",
        "você pode explicar",
        "Qu’est-ce que c'est",
        "qu'il est beau",
        "Peux-tu traduire",
        "Erkläre mir das",
        "wie geht das",
        "come posso pagare",
        "Nasıl yapılır",
        "Bagaimana cara bayar",
        "क्या आप बता सकते हैं",
        "كيف يمكنني الدفع",
        "هل لديك موعد",
        "Как испечь хлеб",
        "що таке любов",
        "什么是量子力学",
        "帮我写一首诗",
        "請問幾點開門",
        "どうやって作りますか",
        "教えてください",
        "어떻게 가나요",
        "번역해 주세요",
        "Hoe laat is het",
        "Jak to zrobić",
        "Tại sao trời xanh",
        "อะไรคือความรัก",
        "چطور می‌توانم",
        "کیا یہ ممکن ہے",
        "কিভাবে করব",
        "என்ன செய்வது",
        "ఎలా చేయాలి",
        "jinsi ya kupika",
        "ÇEVİR bunu",
        "מה השעה",
        // Letters decomposed.
        "¿Co\u{301}mo puedo pagar?",
        "QUE\u{301} es eso",
        "Ta\u{323}i sao tro\u{31b}\u{300}i xanh",
        "と\u{3099}うやって作りますか",
    ] {
        assert!(beginning(text).opener, "{text}");
    }
}

#[test]
fn opener_may_follow_greetings_emoji_and_punctuation() {
    for text in [
        "Hi, how can I pay",
        "👋 Hello!! please explain this",
        "¡Hola! Buenos días, ¿cómo puedo pagar?",
        "Bom dia! Tudo bem? Qual o preço",
        "你好，请问怎么走",
        "你好请问怎么走",
        "안녕하세요! 얼마예요",
        "Hallo, guten Tag – wie lange dauert das",
        "\"What is this\"",
        "السلام عليكم، كيف الحال؟ كم السعر",
    ] {
        assert!(beginning(text).opener, "{text}");
        assert!(!beginning(text).greeting_only, "{text}");
    }
}

#[test]
fn other_beginnings_are_no_openers() {
    for text in [
        "I ordered a pizza",
        "whatever you like",
        "Howard here",
        "the what",
        "my order is late",
        "Pedido 123",
        "meine Bestellung fehlt",
        "1. what",
        "どうもありがとう",
        "What's up",
        "How are you?",
        "ما وصلني الطلب",
        "好像坏了",
        "",
    ] {
        assert!(!beginning(text).opener, "{text}");
    }
}

#[test]
fn greetings_alone_are_told_from_more() {
    for text in [
        "Hi",
        "hello!!",
        "Thank you so much 🙏",
        "ok thanks",
        "👍👍",
        "❤️",
        "Yes, please.",
        "¡Hola!",
        "Gracias, adiós",
        "obrigada 😊",
        "Merci beaucoup",
        "Danke schön",
        "Grazie mille",
        "teşekkürler",
        "Merhaba, iyi günler",
        "İyi günler",
        "terima kasih",
        "धन्यवाद",
        "नमस्ते जी",
        "شكرا جزيلا",
        "Спасибо большое",
        "好",
        "你好",
        "谢谢你",
        "ありがとうございます",
        "はい、わかりました",
        "네",
        "감사합니다^^",
        "How are you?",
        "ขอบคุณค่ะ",
        "cảm ơn bạn",
        "תודה רבה",
        "Gracias, adio\u{301}s",
        "Merhaba, iyi gu\u{308}nler",
    ] {
        assert!(beginning(text).greeting_only, "{text}");
    }
    for text in
        ["hi I need help", "no 5", "thanks for nothing at all", "...", "?", "", "好像坏了", "1"]
    {
        assert!(!beginning(text).greeting_only, "{text}");
    }
}

#[test]
fn tables_are_clean() {
    for (rows, languages) in [(OPENERS, 40), (GREETINGS, 40)] {
        let mut lines = rows.lines();
        assert_eq!(lines.next(), Some("language\ttext"));
        let mut seen = std::collections::BTreeSet::new();
        let mut known = std::collections::BTreeSet::new();
        for line in lines {
            let (language, text) = line.split_once('\t').expect("two columns");
            assert!(language.len() == 2 && !text.is_empty() && !text.contains('\t'), "{line}");
            assert_eq!(text, text.split_whitespace().collect::<Vec<_>>().join(" "), "{line}");
            assert!(!text.chars().next().is_some_and(|ch| ch.is_numeric()), "{line}");
            assert!(seen.insert(line), "twice: {line}");
            known.insert(language);
        }
        assert!(known.len() >= languages);
    }
}

#[test]
fn every_phrase_of_the_tables_is_found_in_a_text() {
    for (text, _) in table(OPENERS, OPENER) {
        let (opener, greeting) = PHRASES.longest(text, &CLASSES);
        assert_eq!(opener, text.len(), "{text} {greeting}");
    }
    for (text, _) in table(GREETINGS, GREETING) {
        assert_eq!(PHRASES.longest(text, &CLASSES).1, text.len(), "{text}");
        assert!(
            beginning(&text.to_uppercase()).greeting_only || text.contains(['ß', 'և']),
            "{text}"
        );
    }
}

#[test]
fn every_phrase_is_found_decomposed() {
    let nfd = DecomposingNormalizerBorrowed::new_nfd();
    let letters = rows(DECOMPOSED).collect();
    let is_hangul = |ch: char| ('\u{ac00}'..='\u{d7a3}').contains(&ch);
    let mut differing = 0;
    for (text, kind) in table(OPENERS, OPENER).chain(table(GREETINGS, GREETING)) {
        if text.contains(is_hangul) {
            continue;
        }
        let form = decomposed(text, &letters);
        assert_eq!(form, nfd.normalize(text), "{text}");
        let (opener, greeting) = PHRASES.longest(&form, &CLASSES);
        assert_eq!(if kind == OPENER { opener } else { greeting }, form.len(), "{text}");
        differing += usize::from(form != text);
    }
    assert!(differing > 1_000, "{differing}");
}
