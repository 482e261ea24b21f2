//! Why a worker sends nothing for a while, and whether the run waits for it.

use super::run::{Ended, Patience, Shared};
use crate::campaign::quota::{Spent, Unit};

/// The longest pause that a run waits for by itself, in ms.
pub(super) const LONGEST_WAIT_MS: i64 = 3_600_000;

/// Why nothing may leave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held {
    /// A quota is spent.
    Quota(Spent),
    /// The account pauses until then, because the provider wanted it so.
    Pause(i64),
}

/// Seconds, minutes and hours are waited for; a spent day ends the run, unless the user said to wait.
pub(super) async fn wait_out(shared: &Shared, held: Held) {
    let may_wait = shared.run.patience == Patience::Wait;
    match held {
        Held::Quota(spent) if spent.rate.unit == Unit::Day && !may_wait => shared.end(Ended::Quota(spent)),
        Held::Pause(until_ms) if until_ms - shared.run.clock.now_ms() > LONGEST_WAIT_MS && !may_wait => {
            shared.end(Ended::Paused(until_ms));
        }
        Held::Quota(Spent { until_ms, .. }) | Held::Pause(until_ms) => shared.wait_until(until_ms).await,
    }
}
