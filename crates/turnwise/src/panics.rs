//! Panics that keep to themselves what they were about: the message of one may quote the text that
//! it stumbled over (slicing does), and that must reach no log and no error (law 1).

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::Location;

use tokio::task::JoinError;

use crate::exit::complain;

/// From here on a panic is told by its place, and by its message only where that is a constant.
pub(crate) fn keep_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("without a name");
        complain(&format!("thread {thread} {}", told(panic.payload(), panic.location())));
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            complain(&trace.to_string());
        }
    }));
}

fn told(payload: &(dyn Any + Send), place: Option<&Location<'_>>) -> String {
    let place = place.map_or_else(|| "an unknown place".to_owned(), Location::to_string);
    match payload.downcast_ref::<&'static str>() {
        Some(constant) => format!("panicked at {place}: {constant}"),
        None => format!("panicked at {place}"),
    }
}

/// The result of a task; of one that panicked nothing but that.
pub(crate) fn joined<T>(task: Result<T, JoinError>, what: &'static str) -> anyhow::Result<T> {
    task.map_err(|error| {
        let how = if error.is_panic() { "panicked" } else { "was given up" };
        anyhow::anyhow!("{what} {how}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_does_not_quote_the_text_it_stumbled_over() {
        let text = String::from("zqxv\u{e9}kwyjibo");
        let payload = std::panic::catch_unwind(|| text[..5].len()).expect_err("inside a letter");
        let message = payload.downcast_ref::<String>().expect("a message");
        assert!(message.contains("kwyjibo"), "the canary: what the standard library would tell");
        let line = told(payload.as_ref(), Some(Location::caller()));
        assert!(line.contains("panics.rs") && !line.contains("kwyjibo"), "{line}");
        let payload = std::panic::catch_unwind(|| panic!("a constant")).expect_err("panics");
        assert!(told(payload.as_ref(), None).ends_with("a constant"));
    }

    #[tokio::test]
    async fn error_of_a_task_does_not_quote_its_panic() {
        let mut tasks = tokio::task::JoinSet::<()>::new();
        tasks.spawn(async { std::panic::panic_any("kwyjibo".to_owned()) });
        let ended = tasks.join_next().await.expect("a task");
        let error = joined(ended, "the reader").expect_err("panicked");
        assert_eq!(format!("{error:#}"), "the reader panicked");
    }
}
