//! Why a worker sends nothing for a while, and whether the run waits for it.

use std::sync::{Arc, Mutex};

use super::run::{Ended, Patience, Shared};
use crate::campaign::quota::{Spent, Unit};

/// The longest pause that a run waits for by itself, in ms.
pub(super) const LONGEST_WAIT_MS: i64 = 3_600_000;

/// Why nothing may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A quota is spent.
    Quota(Spent),
    /// So many mails that say nearly the same have left as may.
    Alike(Spent),
    /// The account pauses until then, because the provider wanted it so.
    Pause(i64),
    /// What is left is due then: again, or because its destination took no more.
    Later(i64),
}

impl Held {
    /// Until when, in ms since the epoch.
    pub fn until_ms(self) -> i64 {
        match self {
            Self::Quota(spent) | Self::Alike(spent) => spent.until_ms,
            Self::Pause(until_ms) | Self::Later(until_ms) => until_ms,
        }
    }
}

/// What a run waits for at present, for whoever looks; none while it sends.
pub type Waits = Arc<Mutex<Option<Held>>>;

/// Seconds, minutes and hours are waited for; a spent day ends the run, unless the user said to wait.
pub(super) async fn wait_out(shared: &Shared, held: Held) {
    let may_wait = shared.run.patience == Patience::Wait;
    match held {
        Held::Quota(spent) if spent.rate.unit == Unit::Day && !may_wait => shared.end(Ended::Quota(spent)),
        Held::Pause(until_ms) if until_ms - shared.run.clock.now_ms() > LONGEST_WAIT_MS && !may_wait => {
            shared.end(Ended::Paused(until_ms));
        }
        held => shared.wait_for(held).await,
    }
}
