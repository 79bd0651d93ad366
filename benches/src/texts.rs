//! Texts in many languages for benches, made from the words below and a seed.
//!
//! The mix of a corpus, in texts (drawn by weight, so counts vary by a few per cent):
//!
//! | language | of 100 | script | language | of 100 | script |
//! |---|---|---|---|---|---|
//! | en | 20 | Latin | ar | 8 | Arabic |
//! | es | 12 | Latin | zh | 7 | Han |
//! | pt | 11 | Latin | ja | 5 | Han and Kana |
//! | fr | 6 | Latin | th | 5 | Thai |
//! | de | 5 | Latin | ru | 7 | Cyrillic |
//! | hi | 10 | Devanagari | tr | 4 | Latin |
//!
//! A text has one to four sentences of words drawn at random, 150 bytes on average. Of the texts
//! 30 % begin with a greeting or an opener, 35 % hold a number, 30 % a capitalised name, 25 % end
//! with a question mark, 10 % hold an emoji, 6 % a link or address, 8 % have several lines (a third
//! of those a list) and 3 % are a greeting alone. Words at random repeat less than a language
//! does, so branches are harder to foretell than over real texts.

/// One language: its weight, words, beginnings, names, and how words are put together.
struct Language {
    weight: u64,
    words: &'static str,
    beginnings: &'static str,
    names: &'static str,
    between: &'static str,
    ends: &'static str,
    question: &'static str,
}

#[rustfmt::skip] // A list a line.
const LANGUAGES: &[Language] = &[
    Language { weight: 20,
        words: "the order was not delivered today because our driver could find no street with that number please send me another message when you have some time and I will check payment details again before Monday morning we also need a new invoice for this account since last month everything works fine but sometimes it takes too long to receive confirmation about appointment tickets kitchen garden history science language recipe",
        beginnings: "What is|How do I|Can you|Hello|Hi there|Write|Explain|Good morning|Thanks|Please tell me",
        names: "Emma|Oliver|London|Harriet|Boston|Mr Turner", between: " ", ends: ".|!|.|.", question: "?" },
    Language { weight: 12,
        words: "el pedido llegará mañana porque hubo un problema con la dirección de entrega necesito cambiar la fecha por favor también quiero saber cuánto cuesta el envío hasta mi casa gracias por su atención estamos revisando la factura del último mes nuestra oficina está abierta todos los días cocina montaña canción información corazón después según público niño",
        beginnings: "¿Cómo puedo|¿Qué es|Hola|Buenos días|Quiero saber|Gracias|¿Dónde está|Por favor explica",
        names: "María|José|Bogotá|Lucía|Madrid", between: " ", ends: ".|!|.", question: "?" },
    Language { weight: 11,
        words: "o seu pedido já foi enviado e deve chegar até sexta feira não consegui fazer o pagamento porque o cartão está bloqueado você pode verificar para mim obrigada pela atenção nossa equipe vai responder em breve também gostaria de informações sobre a promoção coração amanhã história ligação situação opinião começar",
        beginnings: "Como faço|O que é|Olá|Bom dia|Você pode|Quero|Qual é|Obrigado",
        names: "João|Ana|São Paulo|Antônio|Lisboa", between: " ", ends: ".|!|.", question: "?" },
    Language { weight: 6,
        words: "votre commande sera livrée demain à l’adresse indiquée merci de vérifier le numéro de téléphone nous avons reçu le paiement mais il manque encore une pièce pour la réservation je voudrais savoir si c’est possible de changer après le départ événement forêt garçon élève château œuvre français très déjà",
        beginnings: "Bonjour|Comment puis-je|Qu’est-ce que|Pouvez-vous|Merci|Quel est|Expliquez",
        names: "Élodie|Pierre|Lyon|Chloé", between: " ", ends: ".|!|.", question: " ?" },
    Language { weight: 5,
        words: "die Bestellung wurde gestern verschickt und kommt morgen an wir haben Ihre Zahlung erhalten aber die Rechnung fehlt noch könnten Sie bitte die Adresse prüfen für den Termin am Nachmittag brauchen wir eine Bestätigung schöne Grüße über Möglichkeiten natürlich Straße größer Übersetzung Geschichte Rezept Küche",
        beginnings: "Wie kann ich|Was ist|Hallo|Guten Tag|Können Sie|Danke|Wo finde ich|Erkläre",
        names: "Jürgen|Anna|Köln|Müller", between: " ", ends: ".|!|.", question: "?" },
    Language { weight: 10,
        words: "आपका ऑर्डर कल तक पहुँच जाएगा कृपया अपना पता और फोन नंबर भेजें हमें आपका भुगतान मिल गया है लेकिन रसीद अभी तैयार नहीं हुई मुझे यह जानकारी चाहिए कि दुकान कब खुलती है धन्यवाद हमारी टीम जल्द ही जवाब देगी किताब इतिहास विज्ञान स्वास्थ्य परीक्षा समझाइए बारिश मौसम यात्रा",
        beginnings: "नमस्ते|क्या आप|कैसे|कृपया बताइए|धन्यवाद|क्या है|मुझे बताओ",
        names: "राहुल|दिल्ली|प्रिया", between: " ", ends: "।|।|!", question: "?" },
    Language { weight: 8,
        words: "طلبك سوف يصل غدا إن شاء الله يرجى إرسال العنوان ورقم الهاتف لقد استلمنا الدفعة لكن الفاتورة غير جاهزة بعد أريد أن أعرف متى يفتح المتجر شكرا لكم على التواصل معنا سيقوم فريقنا بالرد قريبا كتاب تاريخ علوم صحة امتحان مدرسة السفر الطقس مطعم",
        beginnings: "مرحبا|كيف يمكنني|ما هو|هل يمكنك|شكرا|السلام عليكم|أين",
        names: "محمد|القاهرة|فاطمة", between: " ", ends: ".|.|!", question: "؟" },
    Language { weight: 7,
        words: "您的订单 已经 发货 预计 明天 送达 请 提供 地址 电话 我们 收到 付款 但是 发票 还没有 准备好 我想 知道 商店 什么时候 开门 谢谢 客服 会 尽快 回复 历史 科学 健康 考试 学校 旅行 天气 餐厅 翻译 这个 问题 怎么 解决 手机 银行 账户 优惠 活动",
        beginnings: "你好|请问|什么是|怎么|帮我|谢谢|为什么|写一首",
        names: "张伟|北京|小明", between: "", ends: "。|，|！|。", question: "？" },
    Language { weight: 5,
        words: "ご注文 の 商品 は 明日 到着 する 予定 です 住所 と 電話番号 を お知らせ ください お支払い を 確認 しました が 領収書 は まだ 準備 できて いません 営業時間 について 教えて ありがとう ございます スタッフ から 連絡 します 歴史 科学 旅行 レストラン メニュー キャンペーン 翻訳 問題 天気",
        beginnings: "こんにちは|どうやって|教えてください|ありがとう|何ですか|はい",
        names: "田中さん|東京|ゆき", between: "", ends: "。|、|！|。", question: "？" },
    Language { weight: 5,
        words: "คำสั่งซื้อ ของคุณ จะ จัดส่ง พรุ่งนี้ กรุณา ส่ง ที่อยู่ และ เบอร์โทรศัพท์ เราได้รับ การชำระเงิน แล้ว แต่ ใบเสร็จ ยังไม่พร้อม อยากทราบว่า ร้าน เปิด กี่โมง ขอบคุณค่ะ ทีมงาน จะ ติดต่อกลับ ประวัติศาสตร์ วิทยาศาสตร์ สุขภาพ โรงเรียน ท่องเที่ยว อากาศ",
        beginnings: "สวัสดีค่ะ|อะไรคือ|ทำไม|ขอบคุณครับ|ช่วยบอก",
        names: "สมชาย|กรุงเทพ", between: "", ends: " | | ", question: "?" },
    Language { weight: 7,
        words: "ваш заказ будет доставлен завтра пожалуйста пришлите адрес и номер телефона мы получили оплату но счёт ещё не готов хочу узнать когда открывается магазин спасибо за обращение наша команда скоро ответит история наука здоровье экзамен школа путешествие погода ресторан перевод вопрос",
        beginnings: "Как мне|Что такое|Здравствуйте|Привет|Можете ли вы|Спасибо|Где|Объясни",
        names: "Иван|Москва|Ольга|Анна Петровна", between: " ", ends: ".|!|.", question: "?" },
    Language { weight: 4,
        words: "siparişiniz yarın teslim edilecek lütfen adresinizi ve telefon numaranızı gönderin ödemenizi aldık ancak fatura henüz hazır değil mağaza ne zaman açılıyor öğrenmek istiyorum teşekkür ederiz ekibimiz kısa sürede cevap verecek tarih bilim sağlık sınav okul gezi hava çeviri soru",
        beginnings: "Merhaba|Nasıl|Nedir|İyi günler|Teşekkürler|Bana anlat|Ne zaman",
        names: "İbrahim|Ayşe|İzmir|Ankara", between: " ", ends: ".|!|.", question: "?" },
];

const LINKS: &str =
    "https://shop.example/o/81|www.example.org/help|pay.example.com|help@example.org|wa.me/4917";
const EMOJI: &str = "😀|👍|🙏|❤️|🎉|👋🏽|✅|😊";
const NUMBERS: &str = "12345|#8812|10:30|24/11/2026|$45.90|3|1,200|+49 170 1234567|2 kg|98 %";

/// A stream of numbers from a seed: SplitMix64.
pub struct Chance(u64);

impl Chance {
    /// Begins the stream of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    fn one_of<'a>(&mut self, list: &'a str, between: char) -> &'a str {
        let many = list.split(between).count() as u64;
        list.split(between).nth(self.below(many) as usize).unwrap_or("")
    }
}

/// `rows` texts of the mix.
#[must_use]
pub fn mixed(rows: usize, seed: u64) -> Vec<String> {
    let mut chance = Chance::new(seed);
    (0..rows).map(|_| text(&mut chance)).collect()
}

fn text(chance: &mut Chance) -> String {
    let all: u64 = LANGUAGES.iter().map(|language| language.weight).sum();
    let mut left = chance.below(all);
    let language = LANGUAGES
        .iter()
        .find(|language| {
            let found = left < language.weight;
            left = left.wrapping_sub(language.weight);
            found
        })
        .unwrap_or(&LANGUAGES[0]);
    if chance.percent(3) {
        return chance.one_of(language.beginnings, '|').to_owned();
    }
    let mut text = String::new();
    if chance.percent(30) {
        text.push_str(chance.one_of(language.beginnings, '|'));
        text.push_str(language.between);
    }
    let lines = chance.percent(8);
    let list = lines && chance.percent(33);
    let sentences = 1 + chance.below(4);
    for at in 0..sentences {
        if at > 0 {
            text.push(if lines { '\n' } else { ' ' });
        }
        if list {
            text.push_str("- ");
        }
        sentence(&mut text, language, chance, at == 0);
    }
    if chance.percent(10) {
        text.push(' ');
        text.push_str(chance.one_of(EMOJI, '|'));
    }
    text
}

fn sentence(text: &mut String, language: &Language, chance: &mut Chance, first: bool) {
    let (number, name) = (chance.percent(20), chance.percent(16));
    let link = chance.percent(3);
    let words = 3 + chance.below(7);
    for at in 0..words {
        if at > 0 {
            text.push_str(language.between);
        }
        let word = chance.one_of(language.words, ' ');
        if at == 0 && !first {
            let mut chars = word.chars();
            text.extend(chars.next().into_iter().flat_map(char::to_uppercase));
            text.push_str(chars.as_str());
        } else {
            text.push_str(word);
        }
        let extra = [
            (number && at == 2, NUMBERS),
            (name && at == 1, language.names),
            (link && at == 3, LINKS),
        ];
        for (_, list) in extra.iter().filter(|(on, _)| *on) {
            text.push(' ');
            text.push_str(chance.one_of(list, '|'));
        }
    }
    let asks = chance.percent(12);
    text.push_str(if asks { language.question } else { chance.one_of(language.ends, '|') });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mix_is_as_the_table_says_and_the_same_for_a_seed() {
        let texts = mixed(20_000, 1);
        assert_eq!(texts, mixed(20_000, 1));
        let share = |script: std::ops::RangeInclusive<char>| {
            let has = |text: &&String| text.chars().any(|ch| script.contains(&ch));
            texts.iter().filter(has).count() * 100 / texts.len()
        };
        let bytes: usize = texts.iter().map(String::len).sum();
        assert!((140..160).contains(&(bytes / texts.len())), "{}", bytes / texts.len());
        assert!((9..=12).contains(&share('ऀ'..='ॿ')));
        assert!((10..=13).contains(&share('一'..='龥')));
        assert!((6..=8).contains(&share('а'..='я')));
    }
}
