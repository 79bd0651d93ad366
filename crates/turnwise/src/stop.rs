//! Being told to end: SIGTERM and SIGINT, heard from the first moment of a command that runs on.
//!
//! ```text
//!  signal ─▶ a thread of its own ─▶ Stop ─▶ threads (is_set) and tasks (wait)
//! ```
//!
//! The thread is there before anything else begins: a process that is told to end while it still
//! starts ends in order as well, and not by the signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::Context as _;
use tokio::sync::watch;

/// Set once, when the process is to end; seen by threads and tasks alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    flag: Arc<AtomicBool>,
    told: Arc<watch::Sender<bool>>,
}

impl Stop {
    /// One that signals set. From here on no signal just ends the process.
    ///
    /// # Errors
    /// A system that hands no signals over.
    pub(crate) fn on_signals() -> anyhow::Result<Self> {
        let stop = Self::default();
        let (told, heard) = sync_channel(1);
        let listener = stop.clone();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || listen(&listener, &told))
            .context("start the thread that hears signals")?;
        heard.recv().context("start the thread that hears signals")??;
        Ok(stop)
    }

    /// Asks everybody to end.
    pub(crate) fn stop(&self) {
        self.flag.store(true, Ordering::SeqCst);
        self.told.send_replace(true);
    }

    /// Whether to end.
    pub(crate) fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// Waits until everybody is to end.
    pub(crate) async fn wait(&self) {
        let mut told = self.told.subscribe();
        // The sender lives in `self`, so this cannot fail.
        let _ = told.wait_for(|stop| *stop).await;
    }
}

/// Says whether signals can be heard, then waits for one.
fn listen(stop: &Stop, told: &SyncSender<anyhow::Result<()>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let runtime = match runtime.context("listen for signals") {
        Ok(runtime) => runtime,
        Err(error) => return drop(told.send(Err(error))),
    };
    runtime.block_on(async {
        let heard = match Signals::new() {
            Ok(mut signals) => {
                drop(told.send(Ok(())));
                signals.wait().await
            }
            Err(error) => return drop(told.send(Err(error))),
        };
        if let Err(error) = heard {
            tracing::error!("signals are not heard any more: {error:#}");
            return;
        }
        tracing::info!("ending: draining");
        stop.stop();
    });
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("listen for SIGINT")?,
        })
    }

    async fn wait(&mut self) -> anyhow::Result<()> {
        let heard = tokio::select! {
            heard = self.terminate.recv() => heard,
            heard = self.interrupt.recv() => heard,
        };
        heard.context("listen for signals")
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) -> anyhow::Result<()> {
        tokio::signal::ctrl_c().await.context("listen for Ctrl-C")
    }
}
