//! Work that is shared out to threads.

use std::sync::{Mutex, PoisonError};

/// The results of some work on each of these, in their order. As many threads do it as the machine
/// has cores, this one among them. Where one of them panics, so does this.
pub fn shared_out<T: Send, R: Send>(work: Vec<T>, does: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(work.len());
    let work = Mutex::new(work.into_iter().enumerate());
    let share = || {
        let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
        std::iter::from_fn(next).map(|(nth, work)| (nth, does(work))).collect::<Vec<_>>()
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
        let mut done = share();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(nth, _)| *nth);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_work() {
        let doubled = shared_out((0..1_000).collect(), |number: u32| 2 * number);
        assert_eq!(doubled, (0..1_000).map(|number| 2 * number).collect::<Vec<_>>());
        assert!(shared_out(Vec::<u32>::new(), |number| number).is_empty());
    }
}
