//! What keeps a run from beginning at all: a ledger that is gone, an account that must be left alone.

use super::super::exit::{Coded, Exit};
use super::super::printer::time;
use super::super::status;
use super::Job;
use crate::ledger::Ledger;
use crate::ledger::read::Reader;

impl Job<'_> {
    /// Without its ledger a workspace that has sent before would mail everyone again.
    pub(super) fn refuse_a_lost_ledger(&self) -> anyhow::Result<()> {
        let ledger = &self.workspace.ledger;
        let lists = ledger.with_file_name("lists");
        if ledger.exists() || !lists.exists() {
            return Ok(());
        }
        let what = format!(
            "the ledger {} is gone, but campaigns were sent here before",
            ledger.display()
        );
        let hint = format!(
            "nothing was sent; restore it, or remove {} as well to begin anew: everyone would be mailed again",
            lists.display()
        );
        Err(Coded::new(Exit::Io, what).hint(hint).into())
    }

    /// After a refused login nobody knocks again until the provider's lock-out is over.
    pub(super) async fn respect_lockout(&self, ledger: &Ledger) -> anyhow::Result<()> {
        let account = &self.campaign.account.name;
        let now_ms = self.clock.now_ms();
        if self.args.login_again {
            return ledger.unlock_account(account, now_ms).await;
        }
        let reader = Reader::open(&self.workspace.ledger)?;
        let lock = reader
            .map(|reader| reader.account_lock(account, now_ms))
            .transpose()?
            .flatten();
        let Some(lock) = lock else { return Ok(()) };
        let zone = status::zone(&self.workspace, account);
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
}
