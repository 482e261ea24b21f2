//! One visit to a mailbox: read, put on record, and only then move.
//!
//! A crash between two of these steps leaves mails where they were; the next visit reads them again, finds them on record,
//! and moves them.

use std::collections::BTreeSet;

use super::super::super::exit::{Coded, Exit};
use super::super::super::lockout::{self, Again};
use super::super::super::printer::Printer;
use super::super::taken::{Mail, Taker, Tally};
use super::ended::Ended;
use super::place::{self, Seen, UpTo};
use crate::campaign::{Inbox, Protocol, Secret, Workspace};
use crate::clock::Clock;
use crate::feedback::Incoming;
use crate::ledger::Ledger;
use crate::mail::{Class, Fault as MailFault, Retry, Scope, Stage, Verdict};
use crate::mailbox::{Access, Fault, Imap, Listed, MAIL_MAX, Pop3, Timeouts};
use crate::pipeline::refusal;
use crate::replies::Judge;
use crate::text;
use crate::words::Text;

/// Mails that are read at once, and put on record in one transaction.
const BATCH: usize = 100;
/// Octets that are read at once.
const BATCH_OCTETS: u64 = 16 * 1_024 * 1_024;

/// A mailbox, and what its mails are read with.
pub(super) struct Visit<'a> {
    pub(super) inbox: &'a Inbox,
    pub(super) workspace: &'a Workspace,
    pub(super) ledger: &'a Ledger,
    pub(super) taker: &'a Taker,
    pub(super) judge: &'a Judge,
    pub(super) is_dry: bool,
    pub(super) again: Again,
    pub(super) printer: Printer,
}

/// An open folder of an IMAP server.
pub(super) struct Open {
    pub(super) imap: Imap,
    uid_validity: u32,
    /// What the server calls the folder for what was handled, once it was needed.
    handled: Option<String>,
}

impl Visit<'_> {
    /// Goes through the mailbox once.
    pub(super) async fn once(&self) -> anyhow::Result<()> {
        self.printer.say(text!(
            "mailbox {name} ({server})",
            name = self.inbox.name.as_str(),
            server = self.inbox.server()
        ));
        let visited = match self.inbox.protocol {
            Protocol::Imap => Box::pin(self.by_imap()).await,
            Protocol::Pop3 => Box::pin(self.by_pop3(self.again)).await,
        };
        let tally = visited.map_err(|ended| ended.into_error(self.inbox))?;
        tally.say(self.is_dry, self.printer);
        Ok(())
    }

    async fn by_imap(&self) -> Result<Tally, Ended> {
        let mut open = self.open_imap(self.again).await?;
        let mut tally = Tally::default();
        self.pass(&mut open, &mut tally).await?;
        open.imap.close().await;
        Ok(tally)
    }

    /// Logs in, and opens the folder.
    pub(super) async fn open_imap(&self, again: Again) -> Result<Open, Ended> {
        let secret = self.secret(again).await?;
        let opened = Imap::open(self.inbox, &secret, Timeouts::default()).await;
        let mut imap = self.let_in(opened).await?;
        let access = if self.is_dry { Access::Look } else { Access::Change };
        let selected = imap.open_folder(&self.inbox.folder, access).await?;
        Ok(Open {
            imap,
            uid_validity: selected.uid_validity,
            handled: None,
        })
    }

    /// Handles what has arrived since the last time.
    pub(super) async fn pass(&self, open: &mut Open, tally: &mut Tally) -> Result<(), Ended> {
        let kept: UpTo = place::read(self.ledger, self.inbox).await?;
        let is_same = kept.uid_validity == open.uid_validity;
        let mails = open.imap.after(if is_same { kept.uid } else { 0 }).await?;
        for batch in batches(&mails, |mail| mail.size) {
            let uids: Vec<u32> = batch.iter().map(|mail| mail.uid).collect();
            let mut read = open.imap.read(&uids).await?;
            read.sort_by_key(|(uid, _)| *uid);
            let names = read
                .iter()
                .map(|(uid, octets)| (uid.to_string(), octets.as_slice()));
            let done = self.take(names, tally).await?;
            if self.is_dry {
                continue;
            }
            let done = read.iter().zip(done).filter(|(_, is_done)| *is_done);
            let done: Vec<u32> = done.map(|((uid, _), _)| *uid).collect();
            self.put_away(open, &done).await?;
            if let Some(uid) = uids.last().copied() {
                let uid_validity = open.uid_validity;
                place::keep(self.ledger, self.inbox, &UpTo { uid_validity, uid }).await?;
            }
        }
        Ok(())
    }

    async fn put_away(&self, open: &mut Open, uids: &[u32]) -> Result<(), Ended> {
        if uids.is_empty() {
            return Ok(());
        }
        let to = match open.handled.take() {
            Some(to) => to,
            None => open.imap.make_folder(&self.inbox.handled).await?,
        };
        let moved = open.imap.put_away(uids, &to).await;
        open.handled = Some(to);
        Ok(moved?)
    }

    /// Goes through the mailbox by POP3. What is to be deleted, the server deletes at the end.
    pub(super) async fn by_pop3(&self, again: Again) -> Result<Tally, Ended> {
        let mut tally = Tally::default();
        let secret = self.secret(again).await?;
        let opened = Pop3::open(self.inbox, &secret, Timeouts::default()).await;
        let mut pop = self.let_in(opened).await?;
        let listed = pop.list().await?;
        let mut seen: Seen = place::read(self.ledger, self.inbox).await?;
        let there: BTreeSet<&String> = listed.iter().map(|mail| &mail.uidl).collect();
        seen.uidls.retain(|uidl| there.contains(uidl));
        let new: Vec<&Listed> = listed
            .iter()
            .filter(|mail| !seen.uidls.contains(&mail.uidl))
            .collect();
        for batch in batches(&new, |mail| mail.size) {
            let mut read = Vec::with_capacity(batch.len());
            for mail in batch {
                read.push((mail.uidl.clone(), pop.read(mail).await?));
            }
            let names = read
                .iter()
                .map(|(uidl, octets)| (uidl.clone(), octets.as_slice()));
            let done = self.take(names, &mut tally).await?;
            if self.is_dry {
                continue;
            }
            for (mail, is_done) in batch.iter().zip(done) {
                if is_done && self.inbox.delete_handled {
                    // Not among those seen: if it is still there next time, it has to be deleted again.
                    pop.delete(mail).await?;
                } else {
                    seen.uidls.insert(mail.uidl.clone());
                }
            }
            place::keep(self.ledger, self.inbox, &seen).await?;
        }
        pop.close().await?;
        Ok(tally)
    }

    /// Puts mails on record; says of each whether it is done with.
    async fn take<'m>(
        &self,
        mails: impl Iterator<Item = (String, &'m [u8])>,
        tally: &mut Tally,
    ) -> anyhow::Result<Vec<bool>> {
        let name = &self.inbox.name;
        let mails = mails.map(|(number, octets)| Mail {
            incoming: Incoming::read(octets, self.judge),
            digest: Mail::digest(octets),
            source: format!("mailbox {name}, mail {number}"),
        });
        self.taker
            .take(mails.collect(), Clock::System.now_ms(), tally)
            .await
    }

    /// The password, unless the account has to be left alone.
    async fn secret(&self, again: Again) -> anyhow::Result<Secret> {
        let account = &self.inbox.account;
        let now_ms = Clock::System.now_ms();
        lockout::respect(self.workspace, &account.name, self.ledger, now_ms, again).await?;
        let secret = account.secret(&self.workspace.root).map_err(|error| {
            Coded::new(Exit::Config, Text::error(&error)).hint(text!("nothing was fetched"))
        })?;
        // Checked when the settings were read.
        Ok(secret.unwrap_or_else(|| Secret::new("")))
    }

    /// A refused login is kept, so that nobody knocks again too early.
    async fn let_in<T>(&self, opened: Result<T, Fault>) -> Result<T, Ended> {
        if let Err(Fault::Login { said, is_password }) = &opened {
            let class = if *is_password {
                Class::AuthFailed
            } else {
                Class::TransientSystem
            };
            let fault = MailFault {
                stage: Stage::Auth,
                verdict: Verdict {
                    class,
                    scope: Scope::Account,
                    retry: Retry::Cooldown,
                    suppress: false,
                },
                reply: None,
                note: said.clone(),
            };
            if let Some(event) = refusal(&self.inbox.account, &fault, Clock::System.now_ms()) {
                self.ledger.lock_account(event).await?;
            }
        }
        Ok(opened?)
    }
}

/// Mails in their order, as many as are read at once.
fn batches<T>(mails: &[T], size: impl Fn(&T) -> u64) -> Vec<&[T]> {
    let mut batches = Vec::new();
    let mut rest = mails;
    while !rest.is_empty() {
        let mut octets = 0;
        let fits = rest.iter().take(BATCH).take_while(|mail| {
            octets += size(mail).min(MAIL_MAX);
            octets <= BATCH_OCTETS
        });
        let count = fits.count().max(1);
        let (batch, others) = rest.split_at(count.min(rest.len()));
        batches.push(batch);
        rest = others;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_at_once_is_bounded_in_mails_and_octets() {
        let lengths = |sizes: &[u64]| -> Vec<usize> {
            batches(sizes, |size| *size)
                .iter()
                .map(|batch| batch.len())
                .collect()
        };
        assert_eq!(lengths(&[10; 250]), [100, 100, 50]);
        // However large a mail is, only its beginning is read.
        assert_eq!(lengths(&[1 << 40; 9]), [4, 4, 1]);
        assert_eq!(lengths(&[]), [0; 0]);
    }
}
