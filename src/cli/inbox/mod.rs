//! Mailboxes of the workspace, as commands come to them: nobody knocks while a login is locked out, and what fails is said
//! in the user's words.

mod ended;
mod look;

use super::exit::{Coded, Exit};
use super::lockout::{self, Again};
use crate::campaign::{Inbox, Secret, Workspace};
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::mail::{Class, Fault as MailFault, Retry, Scope, Stage, Verdict};
use crate::mailbox::{Fault, Imap, MAIL_MAX, Pop3, Timeouts};
use crate::pipeline::refusal;
use crate::text;
use crate::words::Text;
pub(super) use ended::Ended;

/// Mails that are read at once, and put on record in one transaction.
const BATCH: usize = 100;
/// Octets that are read at once.
const BATCH_OCTETS: u64 = 16 * 1_024 * 1_024;

/// The mailbox of this name.
pub(super) fn named<'a>(name: &str, workspace: &'a Workspace) -> anyhow::Result<&'a Inbox> {
    let Some(inbox) = workspace.inboxes.get(name) else {
        let known: Vec<&str> = workspace.inboxes.keys().map(String::as_str).collect();
        let what = text!("mailshot.toml has no mailbox `{name}`", name);
        let hint = if known.is_empty() {
            text!("write `[mailbox.{name}]`; nothing was fetched", name)
        } else {
            text!(
                "there are: {known}; nothing was fetched",
                known = known.join(", ")
            )
        };
        return Err(Coded::new(Exit::Usage, what).hint(hint).into());
    };
    Ok(inbox)
}

/// A mailbox, and what has to be known to log in there.
#[derive(Clone, Copy)]
pub(super) struct Door<'a> {
    pub(super) inbox: &'a Inbox,
    pub(super) workspace: &'a Workspace,
    pub(super) ledger: &'a Ledger,
}

impl Door<'_> {
    /// Logs in by IMAP; no folder is open yet.
    pub(super) async fn imap(&self, again: Again) -> Result<Imap, Ended> {
        let secret = self.secret(again).await?;
        let opened = Imap::open(self.inbox, &secret, Timeouts::default()).await;
        self.let_in(opened).await
    }

    /// Logs in by POP3.
    pub(super) async fn pop3(&self, again: Again) -> Result<Pop3, Ended> {
        let secret = self.secret(again).await?;
        let opened = Pop3::open(self.inbox, &secret, Timeouts::default()).await;
        self.let_in(opened).await
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
pub(super) fn batches<T>(mails: &[T], size: impl Fn(&T) -> u64) -> Vec<&[T]> {
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
