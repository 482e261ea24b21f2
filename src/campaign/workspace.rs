//! A workspace: the folder with a `mailshot.toml`. Every path in its files begins there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::account::{Account, Around, Inbox, RawAccount, RawInbox};
use super::depot::{DepotSettings, RawDepot};
use super::file::File;
use super::limits::Limits;
use super::problem::{Problem, Problems};
use super::provider::{self, Book, RawProviders};
use super::retry::{RetryPolicy, Span};
use super::serve::{RawServe, ServeSettings};
use super::unsubscribe::{RawUnsubscribe, Unsubscribe};
use crate::mail::Mailbox;
use crate::replies::Rule;
use crate::text;
use crate::words::Text;

/// The file that makes a folder a workspace.
pub const FILE: &str = "mailshot.toml";

/// A workspace, read and checked.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The folder.
    pub root: PathBuf,
    /// The sender, unless a campaign names another.
    pub from: Option<Mailbox>,
    /// Where the sender is written.
    pub from_at: Option<Problem>,
    /// Where answers go.
    pub reply_to: Option<Mailbox>,
    /// The postal address that stands in every mail.
    pub postal_address: String,
    /// Accounts by name.
    pub accounts: BTreeMap<String, Account>,
    /// Mailboxes that mails come back to, by name.
    pub inboxes: BTreeMap<String, Inbox>,
    /// All providers: those that mailshot knows, with what `[provider.NAME]` says.
    pub providers: Book,
    /// How recipients leave.
    pub unsubscribe: Unsubscribe,
    /// Where it is answered.
    pub serve: ServeSettings,
    /// The ledger's file.
    pub ledger: PathBuf,
    /// When deferred mails are tried again.
    pub retry: RetryPolicy,
    /// How much may come back before nobody is mailed any more.
    pub limits: Limits,
    /// Where files lie that mails link to.
    pub depot: Option<DepotSettings>,
    /// What replies mean that mailshot does not know, or knows otherwise.
    pub rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWorkspace {
    #[serde(default)]
    sender: RawSender,
    #[serde(default)]
    account: BTreeMap<String, RawAccount>,
    #[serde(default)]
    mailbox: BTreeMap<String, RawInbox>,
    #[serde(default)]
    provider: RawProviders,
    #[serde(default)]
    unsubscribe: RawUnsubscribe,
    #[serde(default)]
    serve: RawServe,
    #[serde(default)]
    ledger: RawLedger,
    #[serde(default)]
    retry: RawRetry,
    #[serde(default)]
    feedback: Limits,
    files: Option<RawDepot>,
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSender {
    from: Option<Spanned<String>>,
    reply_to: Option<Spanned<String>>,
    #[serde(default)]
    postal_address: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLedger {
    url: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRetry {
    delays: Option<Vec<Span>>,
    tries: Option<u32>,
    give_up_after: Option<Span>,
}

impl Workspace {
    /// Finds the workspace that `start` lies in: the nearest folder upwards with a `mailshot.toml`.
    pub fn find(start: &Path) -> Option<PathBuf> {
        let start = std::path::absolute(start).ok()?;
        start
            .ancestors()
            .find(|folder| folder.join(FILE).is_file())
            .map(Path::to_owned)
    }

    /// Reads and checks the workspace in this folder.
    pub fn load(root: &Path) -> Result<Self, Problems> {
        Self::load_with(root, None)
    }

    /// The same, with the provider that was found for accounts that name neither provider nor host.
    pub fn load_with(root: &Path, found: Option<&str>) -> Result<Self, Problems> {
        let path = root.join(FILE);
        let file = File::<RawWorkspace>::read(&path)?;
        let mut problems = Problems::default();
        let mut accounts = BTreeMap::new();
        let book = provider::built_in().with(&file.value.provider, &file, &mut problems);
        let around = Around {
            root,
            file: &file,
            book: &book,
            found,
        };
        for (name, raw) in &file.value.account {
            match raw.check(name, &around) {
                Ok(account) => drop(accounts.insert(name.clone(), account)),
                Err(found) => problems.extend(found),
            }
        }
        let inboxes = inboxes(&accounts, &around, &mut problems);
        let sender = &file.value.sender;
        let mailbox = |text: &str| Mailbox::parse(text).map_err(|fault| fault.what);
        let retry = &file.value.retry;
        let default = RetryPolicy::default();
        let workspace = Self {
            root: root.to_owned(),
            from: file.parse(sender.from.as_ref(), &mut problems, mailbox),
            from_at: sender
                .from
                .as_ref()
                .map(|from| file.problem(from, Text::default())),
            reply_to: file.parse(sender.reply_to.as_ref(), &mut problems, mailbox),
            postal_address: sender.postal_address.trim().to_owned(),
            accounts,
            inboxes,
            providers: book.clone(),
            unsubscribe: file.value.unsubscribe.check(root, &file, &mut problems),
            serve: file.value.serve.check(root, &file, &mut problems),
            ledger: file.value.ledger.check(root, &file, &mut problems),
            depot: file
                .value
                .files
                .as_ref()
                .and_then(|raw| raw.check(root, &file, &mut problems)),
            rules: file.value.rule.clone(),
            limits: file.value.feedback,
            retry: RetryPolicy {
                is_users: retry.delays.is_some(),
                delays: retry
                    .delays
                    .clone()
                    .filter(|delays| !delays.is_empty())
                    .unwrap_or(default.delays),
                tries_max: retry.tries.unwrap_or(default.tries_max).max(1),
                give_up_after: retry.give_up_after.unwrap_or(default.give_up_after),
            },
        };
        problems.or_ok(workspace)
    }
}

fn inboxes(
    accounts: &BTreeMap<String, Account>,
    around: &Around<'_, RawWorkspace>,
    problems: &mut Problems,
) -> BTreeMap<String, Inbox> {
    let mut inboxes = BTreeMap::new();
    for (name, raw) in &around.file.value.mailbox {
        match raw.check(name, accounts, around) {
            Ok(inbox) => drop(inboxes.insert(name.clone(), inbox)),
            Err(found) => problems.extend(found),
        }
    }
    inboxes
}

impl Workspace {
    /// An account names no server: where, and what to do about it.
    pub fn no_server(&self, account: &str, hint: Text) -> Problem {
        let path = self.root.join(FILE);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let head = format!("[account.{account}]");
        let start = text.find(&head).unwrap_or(0);
        let what = text!("no server: `host` is missing");
        Problem::in_text(&path, &text, start..start + head.len(), what).hint(hint)
    }
}

impl RawLedger {
    fn check<T>(&self, root: &Path, file: &File<'_, T>, problems: &mut Problems) -> PathBuf {
        let path = file.parse(self.url.as_ref(), problems, |url| {
            match url.strip_prefix("sqlite:") {
                Some(path) if !path.is_empty() => Ok(root.join(path)),
                _ => Err(text!("the ledger is a SQLite file: write \"sqlite:PATH\"")),
            }
        });
        path.unwrap_or_else(|| root.join(".mailshot/ledger.db"))
    }
}
