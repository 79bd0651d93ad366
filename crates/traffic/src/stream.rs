//! The iterator: plans a slice of time, sorts a bucket, writes a record.

use turnwise_model::time::{HOUR_MS, Millis};

use crate::damage;
use crate::event::{Event, Kind};
use crate::parts::Context;
use crate::plan::Plan;
use crate::rng::mix2;
use crate::send;
use crate::sender::{Sender, senders};
use crate::talk::{self, Outbox};
use crate::webhook;

/// Room made for a record's value: most fit.
const VALUE_BYTES: usize = 768;

/// The topic of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// What the platform posts to the BSP.
    Webhooks,
    /// What the BSP's gateway writes of each send.
    Sends,
}

/// One Kafka record.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Its topic.
    pub topic: Topic,
    /// Its time.
    pub time: Millis,
    /// Its key: the sender's id.
    pub key: Vec<u8>,
    /// Its value: JSON, unless planned to be unreadable.
    pub value: Vec<u8>,
    /// True where the record is malformed on purpose.
    pub malformed: bool,
}

/// The records of a plan in order of their times.
pub struct Traffic {
    plan: Plan,
    senders: Vec<Sender>,
    outbox: Outbox,
    slice: u64,
    slices: u64,
    bucket: usize,
    /// The running bucket, sorted, and how far it is written.
    running: Vec<Event>,
    written: usize,
    spare: Option<Record>,
}

impl Traffic {
    /// The traffic of a plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let senders = senders(&plan);
        let slices = u64::from(plan.days_covered()) * 24 * plan.slices_per_hour();
        let outbox = Outbox::new(&plan);
        Self {
            plan,
            senders,
            outbox,
            slice: 0,
            slices,
            bucket: 0,
            running: Vec::new(),
            written: 0,
            spare: None,
        }
    }

    /// Events planned and not yet written: the memory in use.
    #[must_use]
    pub fn held(&self) -> usize {
        self.outbox.waiting() + self.running.len() - self.written
            + usize::from(self.spare.is_some())
    }

    /// Messages planned so far; all of `plan.messages` at the end.
    #[must_use]
    pub fn messages_planned(&self) -> u64 {
        self.senders.iter().map(|sender| sender.planned).sum()
    }

    fn slice_start(&self, slice: u64) -> i64 {
        let per_hour = self.plan.slices_per_hour();
        let hours = i64::try_from(slice / per_hour).unwrap_or(0);
        let within = i64::try_from(slice % per_hour).unwrap_or(0);
        let width_ms = HOUR_MS / i64::try_from(per_hour).unwrap_or(1);
        self.plan.start().0 + hours * HOUR_MS + within * width_ms
    }

    /// Plans conversations until every sender has its messages of this slice.
    fn plan_slice(&mut self) {
        let (from, until) = (self.slice_start(self.slice), self.slice_start(self.slice + 1));
        let per_hour = self.plan.slices_per_hour();
        for sender in &mut self.senders {
            let target = sender.target(Millis(from), per_hour);
            talk::fill(&self.plan, sender, target, (from, until), &mut self.outbox);
        }
        self.slice += 1;
    }

    /// Makes the next bucket that holds anything the running one.
    fn next_bucket(&mut self) -> bool {
        loop {
            let Some(bucket_start) = self.outbox.start_of(self.bucket) else { return false };
            let bucket_end = bucket_start + self.plan.bucket_ms();
            while self.slice < self.slices && self.slice_start(self.slice) < bucket_end {
                self.plan_slice();
            }
            self.written = 0;
            self.running = self.outbox.take(self.bucket);
            self.bucket += 1;
            if !self.running.is_empty() {
                self.running.sort_unstable_by_key(|event| (event.record_ms, event.sequence));
                return true;
            }
        }
    }

    fn write(&mut self, event: &Event) -> Record {
        let sender = &self.senders[event.sender as usize];
        let key = sender_key(sender);
        let context = Context { plan: &self.plan, sender };
        let mut value = Vec::with_capacity(VALUE_BYTES);
        let mut record_ms = event.record_ms;
        let topic = match event.kind {
            Kind::SendText
            | Kind::SendButtons
            | Kind::SendList
            | Kind::SendTemplate
            | Kind::MarkRead => {
                send::write(&context, event, &mut value);
                Topic::Sends
            }
            _ => {
                let partner = self.partner(event);
                let second = partner.map(|other| {
                    let sender = &self.senders[other.sender as usize];
                    (Context { plan: &self.plan, sender }, other)
                });
                webhook::write(&context, event, second, &mut value);
                if let Some(other) = partner {
                    self.written += 1;
                    record_ms = other.record_ms;
                }
                Topic::Webhooks
            }
        };
        Record { topic, time: Millis(record_ms), key, value, malformed: false }
    }

    /// The event that shares this one's record, if the next one may.
    fn partner(&self, event: &Event) -> Option<Event> {
        let next = self.running.get(self.written)?;
        let drawn = mix2(event.seed, event.sequence ^ 0xb0b) % 1_000_000;
        let webhook = matches!(next.kind, Kind::Text | Kind::Status | Kind::Tap | Kind::Voice);
        let wanted = (drawn as f64) < self.plan.rates.bundled * 1_000_000.0;
        (webhook && wanted).then_some(*next)
    }
}

fn sender_key(sender: &Sender) -> Vec<u8> {
    let mut key = Vec::with_capacity(16);
    crate::json::number(&mut key, sender.phone_number_id);
    key
}

impl Iterator for Traffic {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if let Some(record) = self.spare.take() {
            return Some(record);
        }
        if self.written >= self.running.len() && !self.next_bucket() {
            return None;
        }
        let event = *self.running.get(self.written)?;
        self.written += 1;
        let record = self.write(&event);
        let drawn = mix2(event.sequence, event.seed ^ 0xbad) % 10_000_000;
        if (drawn as f64) < self.plan.rates.malformed * 10_000_000.0 {
            self.spare = Some(damage::damaged(&record, event.seed));
        }
        Some(record)
    }
}
