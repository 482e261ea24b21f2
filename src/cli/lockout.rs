//! After a refused login an account is left alone, by whatever command would log in.

use jiff::tz::TimeZone;

use super::exit::{Coded, Exit};
use super::printer::time;
use super::status;
use crate::campaign::Workspace;
use crate::ledger::Ledger;
use crate::ledger::read::{AccountLock, Reader};
use crate::text;
use crate::words::Text;

/// Is the lock-out to be respected?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Yes: nobody knocks before it is over.
    Later,
    /// No: the user has set the right password meanwhile.
    Now,
}

impl Again {
    pub(super) fn from_flag(login_again: bool) -> Self {
        if login_again { Self::Now } else { Self::Later }
    }
}

/// Refused logins within a minute that are no accident. Source: the guide's advice on operations.
pub(super) const ALARM_AT: u32 = 3;

/// Ends the command while the account has to be left alone.
pub(super) async fn respect(
    workspace: &Workspace,
    account: &str,
    ledger: &Ledger,
    now_ms: i64,
    again: Again,
) -> anyhow::Result<()> {
    let Some(reader) = Reader::open(&workspace.ledger)? else {
        return Ok(());
    };
    let Some(lock) = reader.account_lock(account, now_ms)? else {
        return Ok(());
    };
    let zone = status::zone(workspace, account);
    let what = text!(
        "account `{account}` is {said}",
        account,
        said = said(&lock, &zone)
    );
    let hint = if lock.is_locked_there {
        text!(
            "nothing was sent, and nobody knocked: the provider has locked it, and each try can make that longer. \
             Close whatever still logs in with an old password, and wait; `mailshot unlock {account}` only if the \
             provider has unlocked it",
            account
        )
    } else if again == Again::Later {
        text!(
            "nothing was sent, and nobody knocked; if you have set the right password now, add --login-again"
        )
    } else {
        let refused = reader.refused_lately(account, now_ms)?;
        if refused <= ALARM_AT {
            return ledger.unlock_account(account, now_ms).await;
        }
        text!(
            "nothing was sent, and nobody knocked: {refused} logins were refused within a minute, and one more may \
             lock the account; make sure of the password, and wait a minute",
            refused
        )
    };
    Err(Coded::new(Exit::NoPerm, what).hint(hint).into())
}

/// Until when an account is left alone, and why: `left alone until …`.
pub(super) fn said(lock: &AccountLock, zone: &TimeZone) -> Text {
    text!(
        "left alone until {until}: at {at} its login was refused ({reply})",
        until = time(lock.until_ms, zone),
        at = time(lock.at_ms, zone),
        reply = lock.reply.as_str()
    )
}
