//! Looks at all mails of a mailbox, and leaves them as they are.

use super::super::lockout::Again;
use super::{Door, Ended, batches};
use crate::campaign::Protocol;
use crate::mailbox::Access;

impl Door<'_> {
    /// Goes through all mails, those that were handled too. Each has a name, such as `INBOX, mail 17`.
    pub(in super::super) async fn each_mail(
        &self,
        again: Again,
        each: &mut (dyn FnMut(&str, &[u8]) + Send),
    ) -> Result<(), Ended> {
        match self.inbox.protocol {
            Protocol::Imap => Box::pin(self.each_by_imap(again, each)).await,
            Protocol::Pop3 => Box::pin(self.each_by_pop3(again, each)).await,
        }
    }

    async fn each_by_imap(
        &self,
        again: Again,
        each: &mut (dyn FnMut(&str, &[u8]) + Send),
    ) -> Result<(), Ended> {
        let mut imap = self.imap(again).await?;
        // Made when there is something to put there.
        let handled = imap.find_folder(&self.inbox.handled).await?;
        for folder in [Some(self.inbox.folder.clone()), handled].into_iter().flatten() {
            imap.open_folder(&folder, Access::Look).await?;
            let mails = imap.after(0).await?;
            for batch in batches(&mails, |mail| mail.size) {
                let uids: Vec<u32> = batch.iter().map(|mail| mail.uid).collect();
                for (uid, octets) in imap.read(&uids).await? {
                    each(&format!("{folder}, mail {uid}"), &octets);
                }
            }
        }
        imap.close().await;
        Ok(())
    }

    async fn each_by_pop3(
        &self,
        again: Again,
        each: &mut (dyn FnMut(&str, &[u8]) + Send),
    ) -> Result<(), Ended> {
        let mut pop = self.pop3(again).await?;
        for mail in pop.list().await? {
            let octets = pop.read(&mail).await?;
            each(&format!("mail {}", mail.uidl), &octets);
        }
        pop.close().await?;
        Ok(())
    }
}
