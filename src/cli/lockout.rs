//! After a refused login an account is left alone, by whatever command would log in.

use super::exit::{Coded, Exit};
use super::printer::time;
use super::status;
use crate::campaign::Workspace;
use crate::ledger::Ledger;
use crate::ledger::read::Reader;
use crate::text;

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

/// Ends the command while the account has to be left alone.
pub(super) async fn respect(
    workspace: &Workspace,
    account: &str,
    ledger: &Ledger,
    now_ms: i64,
    again: Again,
) -> anyhow::Result<()> {
    if again == Again::Now {
        return ledger.unlock_account(account, now_ms).await;
    }
    let reader = Reader::open(&workspace.ledger)?;
    let lock = reader
        .map(|reader| reader.account_lock(account, now_ms))
        .transpose()?
        .flatten();
    let Some(lock) = lock else { return Ok(()) };
    let zone = status::zone(workspace, account);
    let what = text!(
        "account `{account}` is left alone until {until}: at {at} its login was refused ({reply})",
        account,
        until = time(lock.until_ms, &zone),
        at = time(lock.at_ms, &zone),
        reply = lock.reply
    );
    let hint = text!(
        "nothing was sent, and nobody knocked; if you have set the right password now, add --login-again"
    );
    Err(Coded::new(Exit::NoPerm, what).hint(hint).into())
}
