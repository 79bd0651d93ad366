//! How a conversation of each profile goes.

use super::Talk;
use crate::event::{Kind, SERVICE, Say};
use crate::profile::Profile;
use crate::words::{TASK_INTENTS, TOPICS};

const UTILITY: u8 = 1;
const AUTHENTICATION: u8 = 2;
const MARKETING: u8 = 3;

/// A bank's share of a half-and-half number's conversations. Three in ten of them are notifications
/// that nobody answers, so that half of those in which people write are the bank's.
const BANK_PERCENT: u64 = 59;

/// Questions of an assistant's conversation: most are short, some go on.
const QUESTIONS: [u8; 12] = [1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7, 11];

impl Talk<'_> {
    pub(super) fn script(&mut self) {
        match self.sender.profile {
            Profile::Chatgpt => self.assistant(Say::Answer),
            Profile::Perplexity => self.assistant(Say::Sources),
            Profile::Luzia => self.voice_assistant(),
            Profile::Poke => self.companion(),
            Profile::Travel => self.travel(),
            Profile::Bank => self.bank(),
            Profile::Shop => self.shop(),
            Profile::Otp => self.otp(),
            Profile::Delivery => self.delivery(),
            Profile::Faq => self.domain_model(false),
            Profile::LlmSupport => self.domain_model(true),
            Profile::Mixed if self.rng.percent(BANK_PERCENT) => self.bank(),
            Profile::Mixed => self.assistant(Say::Answer),
        }
    }

    /// A subject, the popular ones more often.
    fn subject(&mut self) -> u16 {
        let first = self.rng.below(TOPICS);
        let drawn = if self.rng.percent(30) { first.min(self.rng.below(TOPICS)) } else { first };
        u16::try_from(drawn).unwrap_or(0)
    }

    /// What a business is asked: the first intents most.
    fn intent(&mut self) -> u16 {
        let drawn = self.rng.below(TASK_INTENTS).min(self.rng.below(TASK_INTENTS));
        u16::try_from(drawn).unwrap_or(0)
    }

    /// The user reads and thinks.
    fn pause(&mut self) {
        if self.rng.percent(5) {
            self.wait(300_000, 1);
        } else {
            self.wait(7_000, 5);
        }
    }

    /// A language model's answer: the time grows with the length.
    fn model_answers(&mut self, kind: Kind, say: Say, topic: u16, sentences: u8) -> bool {
        if self.rng.percent(60) {
            self.now += self.rng.range(150, 500);
            self.beside(Kind::MarkRead, 0);
        }
        let thinking = self.rng.range(900, 2_200);
        let writing = i64::from(sentences) * self.rng.range(350, 800);
        let stuck = if self.rng.percent(2) { self.rng.range(5_000, 25_000) } else { 0 };
        self.now += (thinking + writing).min(12_000) + stuck;
        self.free(kind, say, topic, sentences)
    }

    fn assistant(&mut self, answer: Say) {
        let topic = self.subject();
        let sourced = answer == Say::Sources;
        let questions = QUESTIONS[self.rng.index(if sourced { 9 } else { QUESTIONS.len() })];
        if self.rng.percent(8) {
            if !self.user(Kind::Text, Say::Greet, topic) {
                return;
            }
            self.model_answers(Kind::SendText, Say::Chatty, topic, 1);
            self.pause();
        }
        for question in 0..questions {
            let (kind, say) = match self.rng.below(100) {
                0..4 if !sourced => (Kind::Text, Say::Paste),
                4..9 if !sourced => (Kind::Image, Say::More),
                9..11 if !sourced => (Kind::Document, Say::Nothing),
                11..15 => (Kind::Voice, Say::Nothing),
                15..19 if question > 0 => (Kind::Text, Say::Short),
                19..22 => (Kind::Burst, Say::More),
                22..27 => (Kind::Text, Say::Chat),
                _ if question == 0 || self.rng.percent(25) => (Kind::Text, Say::Ask),
                _ => (Kind::Text, Say::More),
            };
            if !self.user(kind, say, topic) {
                return;
            }
            let (say, sentences) = match (kind, say) {
                (_, Say::Short | Say::Chat) => (Say::Chatty, 2),
                (Kind::Image, _) => (Say::Picture, 4),
                (Kind::Document, _) => (Say::Answer, 9),
                _ if sourced => (answer, 3 + self.few(5)),
                _ => (answer, 1 + self.few(12)),
            };
            if !self.model_answers(Kind::SendText, say, topic, sentences) {
                return;
            }
            self.pause();
        }
        if self.rng.percent(16) {
            let kind = if self.rng.percent(30) { Kind::Reaction } else { Kind::Text };
            self.user(kind, Say::Short, topic);
        }
    }

    fn few(&mut self, bound: u64) -> u8 {
        u8::try_from(self.rng.below(bound)).unwrap_or(0)
    }

    fn voice_assistant(&mut self) {
        let topic = self.subject();
        for _ in 0..QUESTIONS[self.rng.index(11)] {
            let (kind, say, reply, sentences) = match self.rng.below(100) {
                0..46 => (Kind::Voice, Say::Nothing, Say::Transcript, 1 + self.few(4)),
                46..56 => (Kind::Image, Say::Nothing, Say::Picture, 4),
                56..63 => (Kind::Text, Say::Chat, Say::Chatty, 2),
                63..84 => (Kind::Text, Say::Ask, Say::Answer, 1 + self.few(6)),
                84..86 => (Kind::Sticker, Say::Nothing, Say::Chatty, 1),
                _ => (Kind::Text, Say::More, Say::Answer, 1 + self.few(4)),
            };
            if !self.user(kind, say, topic)
                || !self.model_answers(Kind::SendText, reply, topic, sentences)
            {
                return;
            }
            if kind == Kind::Voice && self.rng.percent(30) {
                self.now += self.rng.range(1_200, 4_000);
                self.free(Kind::SendText, Say::Answer, topic, 2);
            }
            self.pause();
        }
    }

    fn companion(&mut self) {
        let topic = self.subject();
        if self.rng.percent(42) {
            if !self.free(Kind::SendText, Say::Note, topic, 1) || self.rng.percent(25) {
                return;
            }
            self.wait(15_000, 5);
        }
        for turn in 0..1 + self.few(6) {
            let say = match self.rng.below(10) {
                0..3 => Say::Ask,
                3..6 => Say::Chat,
                6..9 => Say::More,
                _ if turn == 0 => Say::Greet,
                _ => Say::Short,
            };
            let kind = if self.rng.percent(12) { Kind::Burst } else { Kind::Text };
            if !self.user(kind, say, topic) {
                return;
            }
            for part in 0..1 + self.few(3) {
                let length = 1 + self.few(2);
                let sent = if part == 0 {
                    self.model_answers(Kind::SendText, Say::Chatty, topic, length)
                } else {
                    self.now += self.rng.range(700, 2_600);
                    self.free(Kind::SendText, Say::Chatty, topic, length)
                };
                if !sent {
                    return;
                }
            }
            self.pause();
        }
    }

    /// One step of a rule-driven bot: the user writes or taps, the bot answers at once.
    fn step(&mut self, kind: Kind, say: Say, topic: u16, reply: Kind) -> bool {
        if !self.user(kind, say, topic) {
            return false;
        }
        self.now += self.rng.range(350, 1_900);
        let sent = self.free(reply, Say::TaskReply, topic, 1);
        self.wait(5_000, 4);
        sent
    }

    fn travel(&mut self) {
        if self.rng.percent(18) {
            self.send(Kind::SendTemplate, Say::Nothing, 4, 0, MARKETING);
            if self.rng.percent(70) {
                return;
            }
            self.wait(40_000, 5);
            self.step(Kind::TemplateTap, Say::Task, 0, Kind::SendList);
        } else if self.rng.percent(35) {
            self.step(Kind::Text, Say::Greet, 0, Kind::SendButtons);
        }
        let intent = self.intent();
        for turn in 0..1 + self.few(4) {
            let topic = if turn == 0 || self.rng.percent(60) { intent } else { self.intent() };
            let (kind, say) = match self.rng.below(10) {
                0..2 if turn > 0 => (Kind::Tap, Say::Task),
                2..4 if turn > 0 => (Kind::ListTap, Say::Task),
                4 if turn > 0 => (Kind::Text, Say::Short),
                _ => (Kind::Text, Say::Task),
            };
            let reply = match self.rng.below(10) {
                0..3 => Kind::SendButtons,
                3..5 => Kind::SendList,
                _ => Kind::SendText,
            };
            if !self.step(kind, say, topic, reply) {
                return;
            }
        }
        if self.rng.percent(55) {
            self.now += self.rng.range(2_000, 60_000);
            self.send(
                Kind::SendTemplate,
                Say::Nothing,
                u16::from(self.peer.is_multiple_of(3)),
                0,
                UTILITY,
            );
        }
    }

    fn bank(&mut self) {
        if self.rng.percent(38) {
            let kind = u16::from(self.few(4));
            let category = if kind == 0 { AUTHENTICATION } else { UTILITY };
            self.send(Kind::SendTemplate, Say::Nothing, kind, 0, category);
            if self.rng.percent(82) {
                return;
            }
            self.wait(20_000, 4);
        } else if self.rng.percent(40) {
            self.step(Kind::Text, Say::Greet, 0, Kind::SendButtons);
        }
        for turn in 0..1 + self.few(3) {
            let topic = self.intent();
            let kind = if turn > 0 && self.rng.percent(35) { Kind::Tap } else { Kind::Text };
            let reply = if self.rng.percent(30) { Kind::SendButtons } else { Kind::SendText };
            if !self.step(kind, Say::Task, topic, reply) {
                return;
            }
            if self.rng.percent(22) {
                self.send(Kind::SendTemplate, Say::Nothing, 0, 0, AUTHENTICATION);
                self.wait(12_000, 3);
                if !self.step(Kind::Text, Say::Code, topic, Kind::SendText) {
                    return;
                }
            }
        }
        if self.rng.percent(30) {
            self.user(Kind::Text, Say::Short, 0);
        }
        if self.rng.percent(4) {
            self.beside(Kind::Handover, 2);
        }
    }

    /// People answer: minutes, from the phone app or from a desk that uses the API.
    fn shop(&mut self) {
        let desk = self.rng.percent(30);
        let mut topic = self.intent();
        if self.rng.percent(35) && !self.user(Kind::Text, Say::Greet, topic) {
            return;
        }
        for turn in 0..1 + self.few(5) {
            self.wait(4_000, 4);
            let (kind, say) = match self.rng.below(20) {
                0 => (Kind::Image, Say::Nothing),
                1 => (Kind::Location, Say::Nothing),
                2 => (Kind::Voice, Say::Nothing),
                3..6 if turn > 0 => (Kind::Text, Say::Short),
                _ => (Kind::Text, Say::Task),
            };
            if !self.user(kind, say, topic) {
                return;
            }
            if self.rng.percent(10) {
                return;
            }
            self.wait(45_000, 4);
            let answered = if desk {
                self.free(Kind::SendText, Say::TaskReply, topic, 1)
            } else {
                self.person(Kind::Echo, Say::TaskReply, topic, 1)
            };
            if !answered {
                return;
            }
            self.wait(20_000, 3);
            if self.rng.percent(35) {
                topic = self.intent();
            }
        }
    }

    fn otp(&mut self) {
        if !self.send(Kind::SendTemplate, Say::Nothing, 0, 0, AUTHENTICATION) {
            return;
        }
        if self.rng.percent(9) {
            self.now += self.rng.range(30_000, 90_000);
            self.send(Kind::SendTemplate, Say::Nothing, 0, 0, AUTHENTICATION);
        }
        if self.rng.percent(10) {
            self.wait(15_000, 4);
            let say = if self.rng.percent(25) { Say::Code } else { Say::Task };
            let intent = self.intent();
            self.step(Kind::Text, say, intent, Kind::SendText);
        }
    }

    fn delivery(&mut self) {
        let kind = u16::from(self.few(4));
        if !self.send(Kind::SendTemplate, Say::Nothing, kind, 0, UTILITY) {
            return;
        }
        if self.rng.percent(66) {
            return;
        }
        self.wait(60_000, 4);
        let topic = self.intent();
        match self.rng.below(10) {
            0..2 => self.step(Kind::TemplateTap, Say::Task, topic, Kind::SendText),
            2 => self.step(Kind::Location, Say::Nothing, topic, Kind::SendText),
            _ => self.step(Kind::Text, Say::Task, topic, Kind::SendText),
        };
        if self.rng.percent(30) {
            let topic = self.intent();
            self.step(Kind::Text, Say::Task, topic, Kind::SendButtons);
        }
        if self.rng.percent(20) {
            self.user(Kind::Text, Say::Short, 0);
        }
    }

    /// A language model over a bounded domain; as support it may hand over to a person.
    fn domain_model(&mut self, support: bool) {
        if self.rng.percent(20) {
            if !self.user(Kind::Text, Say::Greet, 0) {
                return;
            }
            self.now += self.rng.range(800, 2_000);
            self.free(Kind::SendButtons, Say::TaskReply, 0, 1);
            self.pause();
        }
        let mut topic = self.intent();
        for turn in 0..1 + self.few(if support { 5 } else { 3 }) {
            let say = if turn > 0 && self.rng.percent(14) { Say::Short } else { Say::Task };
            let kind = if support && self.rng.percent(6) { Kind::Image } else { Kind::Text };
            if !self.user(kind, say, topic) {
                return;
            }
            let (say, length) = match say {
                Say::Short => (Say::TaskReply, 1),
                _ => (Say::TaskLong, 2 + self.few(6)),
            };
            if !self.model_answers(Kind::SendText, say, topic, length) {
                return;
            }
            self.pause();
            if self.rng.percent(30) {
                topic = self.intent();
            }
        }
        if support && self.rng.percent(12) {
            self.beside(Kind::Handover, 2);
            self.wait(60_000, 3);
            self.send(Kind::SendText, Say::TaskReply, topic, 1, SERVICE);
        }
        if self.rng.percent(25) {
            self.user(Kind::Text, Say::Short, 0);
        }
    }
}
