//! One visit to a mailbox: read, put on record, and only then move.
//!
//! A crash between two of these steps leaves mails where they were; the next visit reads them again, finds them on record,
//! and moves them.

use std::collections::BTreeSet;

use super::super::super::inbox::{Door, Ended, batches};
use super::super::super::lockout::Again;
use super::super::super::printer::Printer;
use super::super::taken::{Mail, Taker, Tally};
use super::place::{self, Seen, UpTo};
use crate::campaign::Protocol;
use crate::clock::Clock;
use crate::feedback::Incoming;
use crate::mailbox::{Access, Imap, Listed};
use crate::replies::Judge;
use crate::text;

/// A mailbox, and what its mails are read with.
pub(super) struct Visit<'a> {
    pub(super) door: Door<'a>,
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
            name = self.door.inbox.name.as_str(),
            server = self.door.inbox.server()
        ));
        let visited = match self.door.inbox.protocol {
            Protocol::Imap => Box::pin(self.by_imap()).await,
            Protocol::Pop3 => Box::pin(self.by_pop3(self.again)).await,
        };
        let tally = visited.map_err(|ended| ended.into_error(self.door.inbox))?;
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
        let mut imap = self.door.imap(again).await?;
        let access = if self.is_dry { Access::Look } else { Access::Change };
        let selected = imap.open_folder(&self.door.inbox.folder, access).await?;
        Ok(Open {
            imap,
            uid_validity: selected.uid_validity,
            handled: None,
        })
    }

    /// Handles what has arrived since the last time.
    pub(super) async fn pass(&self, open: &mut Open, tally: &mut Tally) -> Result<(), Ended> {
        let kept: UpTo = place::read(self.door.ledger, self.door.inbox).await?;
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
                place::keep(self.door.ledger, self.door.inbox, &UpTo { uid_validity, uid }).await?;
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
            None => open.imap.make_folder(&self.door.inbox.handled).await?,
        };
        let moved = open.imap.put_away(uids, &to).await;
        open.handled = Some(to);
        Ok(moved?)
    }

    /// Goes through the mailbox by POP3. What is to be deleted, the server deletes at the end.
    pub(super) async fn by_pop3(&self, again: Again) -> Result<Tally, Ended> {
        let mut tally = Tally::default();
        let mut pop = self.door.pop3(again).await?;
        let listed = pop.list().await?;
        let mut seen: Seen = place::read(self.door.ledger, self.door.inbox).await?;
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
                if is_done && self.door.inbox.delete_handled {
                    // Not among those seen: if it is still there next time, it has to be deleted again.
                    pop.delete(mail).await?;
                } else {
                    seen.uidls.insert(mail.uidl.clone());
                }
            }
            place::keep(self.door.ledger, self.door.inbox, &seen).await?;
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
        let name = &self.door.inbox.name;
        let mails = mails.map(|(number, octets)| Mail {
            incoming: Incoming::read(octets, self.judge),
            digest: Mail::digest(octets),
            source: format!("mailbox {name}, mail {number}"),
        });
        self.taker
            .take(mails.collect(), Clock::System.now_ms(), tally)
            .await
    }
}
