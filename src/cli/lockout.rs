//! After a refused login nobody knocks again until the provider's lock-out is over.

use super::exit::{Coded, Exit};
use super::printer::time;
use super::status;
use crate::campaign::Workspace;
use crate::ledger::Ledger;
use crate::ledger::read::Reader;

/// Ends the command while the account must be left alone. `is_again`: the user knows better, and the lock goes.
pub(super) async fn respect(
    workspace: &Workspace,
    account: &str,
    is_again: bool,
    (ledger, now_ms): (&Ledger, i64),
) -> anyhow::Result<()> {
    if is_again {
        return ledger.unlock_account(account, now_ms).await;
    }
    let reader = Reader::open(&workspace.ledger)?;
    let lock = reader
        .map(|reader| reader.account_lock(account, now_ms))
        .transpose()?
        .flatten();
    let Some(lock) = lock else { return Ok(()) };
    let zone = status::zone(workspace, account);
    let what = format!(
        "account `{account}` is left alone until {}: at {} its login was refused ({})",
        time(lock.until_ms, &zone),
        time(lock.at_ms, &zone),
        lock.reply
    );
    let hint =
        "nothing was sent, and nobody knocked; if you have set the right password now, add --login-again";
    Err(Coded::new(Exit::NoPerm, what).hint(hint).into())
}
