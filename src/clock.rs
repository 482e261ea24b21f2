//! The clock: the one place that reads it, and the one place that waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Sleeps are cut into pieces of this length, so that a clock set by hand or a suspended machine is noticed.
const PIECE: Duration = Duration::from_secs(10);

/// Tells the time in ms since the epoch, and waits for it.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that jumps to whatever is waited for: days pass in no time. For tests and simulations.
    Simulated(Arc<AtomicI64>),
}

impl Clock {
    /// A simulated clock that shows this time.
    pub fn simulated(now_ms: i64) -> Self {
        Self::Simulated(Arc::new(AtomicI64::new(now_ms)))
    }

    /// Now, in ms since the epoch.
    pub fn now_ms(&self) -> i64 {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
            Self::System => jiff::Timestamp::now().as_millisecond(),
            Self::Simulated(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Waits until it is `at_ms`.
    pub async fn wait_until(&self, at_ms: i64) {
        match self {
            Self::System => loop {
                let left = at_ms - self.now_ms();
                let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else {
                    return;
                };
                tokio::time::sleep(Duration::from_millis(left).min(PIECE)).await;
            },
            Self::Simulated(now) => {
                now.fetch_max(at_ms, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        }
    }
}
