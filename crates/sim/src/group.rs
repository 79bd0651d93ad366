//! The consumer group: who has which partition, and how that changes.

use crate::event::{Event, Own};
use crate::world::World;

/// A partition as the group sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seat {
    /// Worker and incarnation.
    pub(crate) owner: Option<(usize, u32)>,
    /// Tells assignments apart.
    pub(crate) token: u64,
    /// Who gets it once it is given back.
    pub(crate) next: Option<usize>,
}

impl World {
    /// Shares the partitions out: free ones at once, others after their owner gave them back.
    pub(crate) fn rebalance(&mut self) {
        let members: Vec<usize> = (0..self.workers.len()).filter(|w| self.is_member(*w)).collect();
        if members.is_empty() {
            return;
        }
        for p in 0..self.seats.len() {
            let target = members[self.chance.index(members.len())];
            let seat = self.seats[p];
            match seat.owner {
                None => self.give(p, target),
                // One half stays where it is; so does everything in a healed world.
                Some((owner, incarnation)) => {
                    let stays = !self.faults || self.chance.one_in(2);
                    if !stays && owner != target && seat.next.is_none() {
                        self.seats[p].next = Some(target);
                        let latency = self.chance.latency();
                        self.to(owner, incarnation, latency, Own::Revoke(p, seat.token));
                    }
                }
            }
        }
    }

    fn is_member(&self, w: usize) -> bool {
        let worker = &self.workers[w];
        worker.alive && worker.member && !worker.draining
    }

    fn give(&mut self, p: usize, w: usize) {
        let incarnation = self.workers[w].incarnation;
        let seat = &mut self.seats[p];
        seat.token += 1;
        (seat.owner, seat.next) = (Some((w, incarnation)), None);
        let token = seat.token;
        let latency = self.chance.latency();
        self.to(w, incarnation, latency, Own::Assign(p, token));
    }

    /// A worker gave a partition back.
    pub(crate) fn given_back(&mut self, p: usize, token: u64) {
        if self.seats[p].token != token {
            return;
        }
        let next = self.seats[p].next;
        (self.seats[p].owner, self.seats[p].next) = (None, None);
        match next {
            Some(w) if self.is_member(w) => self.give(p, w),
            _ => self.at(10, Event::Rebalance),
        }
    }

    /// The group takes everything from a member, which hears of it later or never.
    pub(crate) fn expel(&mut self, w: usize, incarnation: u32) {
        if self.workers[w].incarnation == incarnation {
            self.workers[w].member = false;
        }
        for seat in &mut self.seats {
            if seat.owner == Some((w, incarnation)) {
                (seat.owner, seat.next) = (None, None);
                // What its old owner says of it is not heard any more.
                seat.token += 1;
            }
        }
        self.at(5, Event::Rebalance);
    }

    /// A member was not heard of for a session.
    pub(crate) fn session(&mut self, w: usize, incarnation: u32, pause: Option<u64>) {
        let worker = &self.workers[w];
        let there = worker.incarnation == incarnation && worker.alive;
        if !there {
            self.expel(w, incarnation);
        } else if pause.is_some() && worker.pause == pause {
            self.tally.expelled += 1;
            self.expel(w, incarnation);
            // Heard after what waited before it: until then it acts as a zombie.
            let wait = self.chance.between(0, 300);
            self.after(w, wait, Own::LostAll);
        }
    }
}
