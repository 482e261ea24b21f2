//! One login, with what `send` does around it: nobody knocks during a lock-out, and a refusal is kept on record.

use super::super::lockout::{self, Again};
use super::super::runtime;
use super::Place;
use crate::campaign::Secret;
use crate::clock::Clock;
use crate::deliver::{Session, Target};
use crate::ledger::Ledger;
use crate::pipeline::refusal;
use crate::words::Text;

/// What came of it.
pub(super) enum Tried {
    /// The server let us in.
    Works,
    /// It refused the login, with these words.
    Refused(String),
    /// It was never asked.
    Unreachable(Text),
}

/// Ends the command while the account has to be left alone.
pub(super) fn respect(place: &Place, again: Again) -> anyhow::Result<()> {
    let ledger = Ledger::open(&place.workspace.ledger)?;
    let now_ms = Clock::System.now_ms();
    let name = &place.account.name;
    runtime()?.block_on(lockout::respect(&place.workspace, name, &ledger, now_ms, again))
}

/// Logs in once, and leaves.
pub(super) fn once(place: &Place, secret: Secret) -> anyhow::Result<Tried> {
    let target = Target::new(&place.account, Some(secret))?;
    runtime()?.block_on(async {
        let fault = match Session::open(&target, None).await {
            Ok(session) => {
                session.close().await;
                return Ok(Tried::Works);
            }
            Err(fault) => fault,
        };
        let Some(event) = refusal(&place.account, &fault, Clock::System.now_ms()) else {
            return Ok(Tried::Unreachable(fault.said()));
        };
        let ledger = Ledger::open(&place.workspace.ledger)?;
        let reply = event.reply.clone();
        ledger.lock_account(event).await?;
        Ok(Tried::Refused(reply))
    })
}
