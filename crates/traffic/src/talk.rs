//! Conversations: who writes what when, by profile. Plans events; writes no text.

mod outbox;
mod scripts;

pub(crate) use outbox::Outbox;

use crate::event::{DELIVERED, Event, FAILED, Kind, READ, SENT, SERVICE, Say};
use crate::plan::Plan;
use crate::profile::Profile;
use crate::rng::{Rng, mix2};
use crate::sender::Sender;

/// Conversations a sender may start in one slice without adding a message: a guard, never met.
const FRUITLESS_MAX: u32 = 64;

/// Starts conversations in `slice` until the sender has planned `target` messages.
pub(crate) fn fill(
    plan: &Plan,
    sender: &mut Sender,
    target: u64,
    slice: (i64, i64),
    out: &mut Outbox,
) {
    let mut fruitless = 0;
    while sender.planned < target && fruitless < FRUITLESS_MAX {
        let mut rng = Rng::new(mix2(sender.seed, sender.conversations));
        sender.conversations += 1;
        let now = rng.range(slice.0, slice.1);
        let peer = choose_peer(sender, &mut rng);
        let mut talk = Talk {
            plan,
            sender,
            out,
            peer,
            now,
            left: sender.quota - sender.planned,
            placed: 0,
            last_inbound: 0,
            last_sent: 0,
            standby: false,
            rng,
        };
        talk.run();
        let placed = talk.placed;
        fruitless = if placed == 0 { fruitless + 1 } else { 0 };
        sender.planned += placed;
    }
}

/// Someone who came before, more likely of late; or somebody new.
fn choose_peer(sender: &mut Sender, rng: &mut Rng) -> u32 {
    let returning = match sender.profile {
        Profile::Chatgpt | Profile::Luzia | Profile::Mixed => 34,
        Profile::Poke => 37,
        Profile::Perplexity | Profile::Bank => 28,
        Profile::Otp => 20,
        _ => 14,
    };
    if sender.peers > 0 && rng.percent(returning) {
        let recent = u64::from(sender.peers.min(600));
        let back = rng.below(recent).min(rng.below(recent));
        return sender.peers - 1 - u32::try_from(back).unwrap_or(0);
    }
    sender.peers += 1;
    sender.peers - 1
}

/// A conversation while it is planned.
struct Talk<'a> {
    plan: &'a Plan,
    sender: &'a Sender,
    out: &'a mut Outbox,
    rng: Rng,
    peer: u32,
    now: i64,
    /// Messages the sender may still carry.
    left: u64,
    placed: u64,
    last_inbound: u64,
    last_sent: u64,
    standby: bool,
}

impl Talk<'_> {
    fn wait(&mut self, base_ms: i64, doublings: u32) {
        self.now += self.rng.wait(base_ms, doublings);
    }

    fn open(&self, messages: u64) -> bool {
        self.left >= messages && self.now < self.plan.end.0
    }

    /// Counts messages as planned.
    fn count(&mut self, messages: u64) {
        self.left -= messages;
        self.placed += messages;
    }

    /// An inbound message now. False where the conversation is over.
    fn user(&mut self, kind: Kind, say: Say, topic: u16) -> bool {
        let messages = if kind == Kind::Burst { 2 } else { 1 };
        if !self.open(messages) {
            return false;
        }
        self.count(messages);
        let (kind, say) = if self.standby { (Kind::StandbyIn, worded(say)) } else { (kind, say) };
        let seed = self.rng.next();
        let event = Event { refers: self.last_sent, ..self.event(kind, say, topic, 0, seed) };
        self.webhook(event, false);
        self.last_inbound = seed;
        true
    }

    /// A send now, with its statuses.
    fn send(&mut self, kind: Kind, say: Say, topic: u16, aux: u8, category: u8) -> bool {
        if self.standby {
            return self.person(Kind::StandbyEcho, worded(say), topic, aux);
        }
        if !self.open(1) {
            return false;
        }
        self.count(1);
        let seed = self.rng.next();
        let aux = if kind == Kind::SendTemplate { category } else { aux };
        let quoted = if self.rng.percent(4) { self.last_inbound } else { 0 };
        let event = Event { refers: quoted, ..self.event(kind, say, topic, aux, seed) };
        self.out.put(event);
        if self.rng.chance(self.plan.rates.duplicates / 2.0) {
            let again = self.rng.wait(2_000, 8);
            self.out.put_within(Event { record_ms: event.record_ms + again, ..event });
        }
        self.statuses(&event, category);
        self.last_sent = seed;
        true
    }

    /// A message that a person, or the platform's agent, writes now.
    fn person(&mut self, kind: Kind, say: Say, topic: u16, aux: u8) -> bool {
        if !self.open(1) {
            return false;
        }
        self.count(1);
        let seed = self.rng.next();
        let event = self.event(kind, say, topic, aux, seed);
        self.webhook(event, false);
        self.last_sent = seed;
        true
    }

    /// A record beside the messages: no message is counted.
    fn beside(&mut self, kind: Kind, aux: u8) {
        if self.now < self.plan.end.0 {
            let seed = self.rng.next();
            let event = self.event(kind, Say::Nothing, 0, aux, seed);
            if kind == Kind::MarkRead {
                self.out.put_within(Event { refers: self.last_inbound, ..event });
            } else {
                self.webhook(event, false);
            }
        }
    }

    fn event(&self, kind: Kind, say: Say, topic: u16, aux: u8, seed: u64) -> Event {
        Event {
            record_ms: self.now,
            sequence: 0,
            at_ms: self.now,
            seed,
            refers: 0,
            sender: self.sender.index,
            peer: self.peer,
            topic,
            kind,
            say,
            aux,
            mask: 0,
        }
    }

    /// The statuses of a send: sent, delivered, read, each later than the one before; or failed.
    fn statuses(&mut self, send: &Event, category: u8) {
        let rng = &mut self.rng;
        let mut status = Event {
            kind: Kind::Status,
            at_ms: send.at_ms + rng.range(120, 900),
            aux: category,
            mask: SENT,
            ..*send
        };
        if rng.chance(self.plan.rates.failed) {
            status.mask = FAILED;
            return self.webhook(status, true);
        }
        let away = rng.percent(9);
        let delivered_ms = status.at_ms + rng.wait(if away { 40_000 } else { 400 }, 8);
        let read = !send.seed.is_multiple_of(5);
        let read_ms = delivered_ms + rng.wait(if away { 20_000 } else { 900 }, 10);
        let (together, skipped) = (!away && rng.percent(30), rng.percent(3));
        if together {
            status.at_ms = delivered_ms;
            status.mask = SENT | DELIVERED;
        }
        self.webhook(status, true);
        if !together && !skipped {
            self.webhook(Event { at_ms: delivered_ms, mask: DELIVERED, ..status }, true);
        }
        if read || skipped {
            self.webhook(Event { at_ms: read_ms, mask: READ, ..status }, true);
        }
    }

    /// Sends a webhook on its way: a moment later, at times minutes or hours, at times twice.
    fn webhook(&mut self, mut event: Event, is_status: bool) {
        let rates = &self.plan.rates;
        let rng = &mut self.rng;
        if event.at_ms >= self.plan.end.0 {
            return;
        }
        let soon = event.at_ms + rng.wait(90, 4);
        let drawn = rng.next() >> 11;
        let late = if is_status { rates.late + rates.late_statuses } else { rates.late };
        let scaled = (drawn as f64) / 9_007_199_254_740_992.0;
        event.record_ms = if scaled < late {
            soon + rng.wait(3_600_000, 3)
        } else if scaled < late + rates.disorder {
            soon + rng.wait(30_000, 4)
        } else {
            soon
        };
        if event.record_ms >= self.plan.end.0 {
            event.record_ms = soon.min(self.plan.end.0 - 1);
        }
        self.out.put(event);
        if rng.chance(rates.duplicates) {
            let again = rng.wait(4_000, 10);
            self.out.put_within(Event { record_ms: event.record_ms + again, ..event });
        }
    }

    fn run(&mut self) {
        let rates = &self.plan.rates;
        if self.rng.chance(rates.metadata) {
            self.metadata();
        }
        if self.sender.profile == Profile::Shop && self.rng.chance(rates.history * 8.0) {
            self.beside(Kind::History, 0);
        }
        if self.rng.chance(rates.standby) {
            self.standby = true;
            self.beside(Kind::Handover, 0);
        }
        self.script();
        if self.standby {
            self.beside(Kind::Handover, 1);
        }
    }

    /// An account event, an ignored field.
    fn metadata(&mut self) {
        let aux = u8::try_from(self.rng.below(6)).unwrap_or(0);
        let kind = if self.rng.percent(35) { Kind::Account } else { Kind::Ignored };
        self.beside(kind, aux);
    }

    fn free(&mut self, kind: Kind, say: Say, topic: u16, sentences: u8) -> bool {
        self.send(kind, say, topic, sentences, SERVICE)
    }
}

/// Standby copies are texts: something said where a template or a voice note would stand.
fn worded(say: Say) -> Say {
    if say == Say::Nothing { Say::Greet } else { say }
}
