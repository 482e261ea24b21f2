//! What keeps a run from beginning at all: a ledger that is gone, an account that must be left alone, a
//! campaign that is held.

use super::super::exit::{Coded, Exit};
use super::super::lockout::{self, Again};
use super::Job;
use crate::ledger::Ledger;
use crate::text;
use crate::words::Text;

impl Job<'_> {
    /// Ends here while the campaign is held for what came back, unless it is to go on all the same.
    pub(super) async fn respect_held(&self, ledger: &Ledger) -> anyhow::Result<()> {
        let known = ledger.find(&self.campaign.name).await?;
        let Some((id, why)) = known.and_then(|known| Some((known.id, known.held?))) else {
            return Ok(());
        };
        if self.args.release {
            return ledger.release(id).await;
        }
        let name = self.campaign.name.as_str();
        let what = text!("`{name}` is held: {why}", name, why = Text::kept(why));
        Err(Coded::new(Exit::TempFail, what)
            .hint(text!(
                "nothing was sent; `mailshot report {name}` shows what came back; mend list or content, then go on with --release",
                name
            ))
            .into())
    }

    /// Without its ledger a workspace that has sent before would mail everyone again.
    pub(super) fn refuse_a_lost_ledger(&self) -> anyhow::Result<()> {
        let ledger = &self.workspace.ledger;
        let lists = ledger.with_file_name("lists");
        if ledger.exists() || !lists.exists() {
            return Ok(());
        }
        let what = text!(
            "the ledger {ledger} is gone, but campaigns were sent here before",
            ledger = ledger.display()
        );
        let hint = text!(
            "nothing was sent; restore it, or remove {lists} as well to begin anew: everyone would be mailed again",
            lists = lists.display()
        );
        Err(Coded::new(Exit::Io, what).hint(hint).into())
    }

    /// After a refused login nobody knocks again until the provider's lock-out is over.
    pub(super) async fn respect_lockout(&self, ledger: &Ledger) -> anyhow::Result<()> {
        let again = Again::from_flag(self.args.login_again);
        let account = &self.campaign.account.name;
        lockout::respect(&self.workspace, account, ledger, self.clock.now_ms(), again).await
    }
}
