//! Ctrl-C and `kill`: the polite way to stop.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether the first signal came from the keyboard, for the exit code.
static IS_FROM_KEYBOARD: AtomicBool = AtomicBool::new(false);

/// Signals that ask the program to stop.
pub(in crate::cli) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From now on signals are told here, instead of ending the program.
    pub(in crate::cli) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            // A closed terminal window must not leave doubts behind.
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(in crate::cli) async fn next(&mut self) {
        tokio::select! {
            _got = self.interrupt.recv() => IS_FROM_KEYBOARD.store(true, Ordering::SeqCst),
            _got = self.terminate.recv() => {}
            _got = self.hang_up.recv() => {}
        }
    }
}

/// Was the program interrupted from the keyboard?
pub(in crate::cli) fn is_from_keyboard() -> bool {
    IS_FROM_KEYBOARD.load(Ordering::SeqCst)
}

/// Waits for any signal that asks to stop; at once when signals cannot be heard.
pub(in crate::cli) async fn any() {
    if let Ok(mut signals) = Signals::listen() {
        signals.next().await;
    }
}
