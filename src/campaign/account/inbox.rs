//! `[mailbox.NAME]`: where mails come back to, and how we get in.
//!
//! A mailbox logs in as an account does, so that is what it has: one of `[account.NAME]`, or one of its own that is called
//! `mailbox.NAME` wherever accounts are named.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::{Account, Around, Login, RawAccount};
use crate::campaign::closest;
use crate::campaign::problem::{Problem, Problems};
use crate::campaign::provider::{Book, Preset, Tls};
use crate::text;

/// What is spoken with the server of a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// IMAP. Source: RFC 9051, 3501.
    #[default]
    Imap,
    /// POP3. Source: RFC 1939.
    Pop3,
}

impl Protocol {
    /// As `mailshot.toml` writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
        }
    }

    /// Its usual port. Source: RFC 8314, 3501, 1939.
    fn port(self, tls: Tls) -> u16 {
        match (self, tls) {
            (Self::Imap, Tls::Tls) => 993,
            (Self::Imap, Tls::Starttls | Tls::None) => 143,
            (Self::Pop3, Tls::Tls) => 995,
            (Self::Pop3, Tls::Starttls | Tls::None) => 110,
        }
    }
}

/// A mailbox that mails come back to, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// Its name in `mailshot.toml`.
    pub name: String,
    /// Who logs in: name, secret, lock-out, networks. Its server is the one for sending.
    pub account: Account,
    /// What is spoken.
    pub protocol: Protocol,
    /// Host name of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the link is protected.
    pub tls: Tls,
    /// Certificates to trust besides the public ones, in PEM.
    pub ca_file: Option<PathBuf>,
    /// The folder that is read.
    pub folder: String,
    /// The folder that handled mails are moved to.
    pub handled: String,
    /// Are handled mails deleted? Only by POP3, which has no folders.
    pub delete_handled: bool,
}

impl Inbox {
    /// The server as people write it: `host:port`.
    pub fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Names the mailbox for good, whatever it is called in `mailshot.toml`.
    pub fn url(&self) -> String {
        let (protocol, user) = (self.protocol.name(), &self.account.username);
        match self.protocol {
            Protocol::Imap => format!("{protocol}://{user}@{}/{}", self.server(), self.folder),
            Protocol::Pop3 => format!("{protocol}://{user}@{}", self.server()),
        }
    }
}

/// `[mailbox.NAME]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::campaign) struct RawInbox {
    account: Option<Spanned<String>>,
    provider: Option<Spanned<String>>,
    region: Option<Spanned<String>>,
    protocol: Protocol,
    host: Option<Spanned<String>>,
    port: Option<u16>,
    tls: Option<Tls>,
    ca_file: Option<PathBuf>,
    allow_plaintext: bool,
    username: Option<Spanned<String>>,
    password_command: Option<Spanned<String>>,
    password_env: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    password_keyring: Option<Spanned<bool>>,
    token_command: Option<Spanned<String>>,
    folder: Option<Spanned<String>>,
    handled: Option<Spanned<String>>,
    delete_handled: Option<Spanned<bool>>,
}

impl RawInbox {
    pub(in crate::campaign) fn check<T>(
        &self,
        name: &str,
        accounts: &BTreeMap<String, Account>,
        around: &Around<'_, T>,
    ) -> Result<Inbox, Problems> {
        let mut problems = Problems::default();
        let account = match &self.account {
            Some(named) => self.of_account(named, accounts, around, &mut problems),
            None => self.own_account(name, around, &mut problems),
        };
        let provider = account.as_ref().and_then(|account| account.provider.as_deref());
        let preset = provider.and_then(|provider| preset(around.book, provider));
        let (host, port, tls) = self.server(preset.as_ref());
        let head = format!("mailbox.{name}");
        // Without its account nobody knows what else is missing.
        if host.is_empty() && account.is_some() {
            let what = text!("no server: `host` is missing");
            let hint = text!(
                "write `host = \"{protocol}.example.com\"`; the account's provider names no such server",
                protocol = self.protocol.name()
            );
            problems.push(around.file.problem_in_table(&head, what).hint(hint));
        }
        if let Some(account) = &account
            && account.login == Login::None
        {
            let what = text!("nothing says how to log in");
            let hint = text!(
                "write `account = \"main\"`, or `username` with `password_env` or another place of the password"
            );
            problems.push(around.file.problem_in_table(&head, what).hint(hint));
        }
        let folder = self.folder(self.folder.as_ref(), "INBOX", around, &mut problems);
        let handled = self.folder(self.handled.as_ref(), "mailshot/handled", around, &mut problems);
        if folder.eq_ignore_ascii_case(&handled) {
            let what = text!("handled mails cannot go to the folder that is read");
            problems.push(around.file.problem_in_table(&head, what));
        }
        self.check_protocol(around, &mut problems);
        let ca_file = self.ca_file.as_ref().map(|path| around.root.join(path));
        let Some(account) = account else {
            return Err(problems);
        };
        problems.or_ok(Inbox {
            name: name.to_owned(),
            ca_file: ca_file.or_else(|| account.ca_file.clone()),
            account: Account {
                allow_plaintext: account.allow_plaintext || self.allow_plaintext,
                ..account
            },
            protocol: self.protocol,
            host,
            port,
            tls,
            folder,
            handled,
            delete_handled: self
                .delete_handled
                .as_ref()
                .is_some_and(|wanted| *wanted.get_ref()),
        })
    }

    /// The account that is named. What says how to log in stands there alone.
    fn of_account<T>(
        &self,
        named: &Spanned<String>,
        accounts: &BTreeMap<String, Account>,
        around: &Around<'_, T>,
        problems: &mut Problems,
    ) -> Option<Account> {
        let file = around.file;
        let own = [
            &self.username,
            &self.password_command,
            &self.password_env,
            &self.password_file,
            &self.token_command,
            &self.provider,
        ];
        if let Some(second) = own.into_iter().flatten().next() {
            let what = text!("the account says how to log in, and this says it again");
            problems.push(file.problem(second, what).hint(text!("keep `account`, or this")));
        }
        let found = accounts.get(named.get_ref());
        // An account with a fault of its own is no unknown one.
        if found.is_none() && !file.text.contains(&format!("[account.{}]", named.get_ref())) {
            let what = text!("mailshot.toml has no account `{name}`", name = named.get_ref());
            let known: Vec<&str> = accounts.keys().map(String::as_str).collect();
            let hint = match closest(named.get_ref(), &known) {
                Some(meant) => text!("did you mean `{meant}`?", meant),
                None => text!("it has: {known}", known = known.join(", ")),
            };
            problems.push(file.problem(named, what).hint(hint));
        }
        found.cloned()
    }

    /// An account that is the mailbox's own.
    fn own_account<T>(&self, name: &str, around: &Around<'_, T>, problems: &mut Problems) -> Option<Account> {
        let raw = RawAccount {
            provider: self.provider.clone(),
            region: self.region.clone(),
            host: self.host.clone(),
            ca_file: self.ca_file.clone(),
            allow_plaintext: self.allow_plaintext,
            username: self.username.clone(),
            password_command: self.password_command.clone(),
            password_env: self.password_env.clone(),
            password_file: self.password_file.clone(),
            password_keyring: self.password_keyring.clone(),
            token_command: self.token_command.clone(),
            ..RawAccount::default()
        };
        let alone = Around {
            found: None,
            ..*around
        };
        match raw.check(&format!("mailbox.{name}"), &alone) {
            Ok(account) => Some(account),
            Err(found) => {
                problems.extend(found);
                None
            }
        }
    }

    /// Host, port and protection: as written, else as the provider has them.
    fn server(&self, preset: Option<&Preset>) -> (String, u16, Tls) {
        let tls = self.tls.unwrap_or(Tls::Tls);
        let usual = self.port.unwrap_or(self.protocol.port(tls));
        if let Some(host) = &self.host {
            return (host.get_ref().clone(), usual, tls);
        }
        let known = preset.and_then(|preset| match self.protocol {
            Protocol::Imap => preset.values.imap.as_ref(),
            Protocol::Pop3 => preset.values.pop.as_ref(),
        });
        // Ports of presets stand for TLS from the first byte.
        match known {
            Some(known) if tls == Tls::Tls => (known.host.clone(), self.port.unwrap_or(known.port), tls),
            Some(known) => (known.host.clone(), usual, tls),
            None => (String::new(), usual, tls),
        }
    }

    fn folder<T>(
        &self,
        written: Option<&Spanned<String>>,
        usual: &str,
        around: &Around<'_, T>,
        problems: &mut Problems,
    ) -> String {
        let Some(written) = written else {
            return usual.to_owned();
        };
        let text = written.get_ref();
        if self.protocol == Protocol::Pop3 {
            let what = text!("POP3 has no folders");
            problems.push(
                around
                    .file
                    .problem(written, what)
                    .hint(text!("remove it, or use IMAP")),
            );
        } else if text.trim().is_empty() || text.chars().any(char::is_control) {
            problems.push(around.file.problem(written, text!("this is no name of a folder")));
        }
        text.clone()
    }

    fn check_protocol<T>(&self, around: &Around<'_, T>, problems: &mut Problems) {
        if let (Protocol::Imap, Some(at)) = (self.protocol, &self.delete_handled) {
            let what = text!("by IMAP handled mails are moved, and never deleted");
            let problem: Problem = around.file.problem(at, what);
            problems.push(problem.hint(text!("remove it; `handled` names the folder they are moved to")));
        }
    }
}

/// A provider by its name, behind which its region may stand: `alibaba-sg`.
fn preset(book: &Book, name: &str) -> Option<Preset> {
    book.preset(name).or_else(|| {
        name.match_indices('-').find_map(|(at, _)| {
            let (name, region) = name.split_at_checked(at)?;
            book.in_region(book.preset(name)?, region.trim_start_matches('-'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Workspace;

    fn load(account: &str, mailbox: &str) -> Inbox {
        let folder = tempfile::tempdir().unwrap();
        let login = "username = \"a@b.example\"\npassword_env = \"X\"\n";
        let text = format!(
            "[unsubscribe]\nmailto = \"a@b.example\"\n[account.main]\n{account}\n{login}\n[mailbox.it]\n{mailbox}\n"
        );
        std::fs::write(folder.path().join("mailshot.toml"), text).unwrap();
        let mut workspace = Workspace::load(folder.path()).unwrap();
        workspace.inboxes.remove("it").unwrap()
    }

    #[test]
    fn the_server_is_the_one_that_is_written_or_that_of_the_provider_and_its_region() {
        let of_account = "account = \"main\"";
        let pop3 = "account = \"main\"\nprotocol = \"pop3\"";
        let own = "provider = \"163\"\nusername = \"c@163.com\"\npassword_env = \"Y\"";
        let plain = "account = \"main\"\nhost = \"mx.b.example\"\ntls = \"starttls\"";
        for (account, mailbox, server, lock) in [
            (
                "provider = \"alimail\"",
                of_account,
                "imap.qiye.aliyun.com:993",
                "main",
            ),
            ("provider = \"alimail\"", pop3, "pop.qiye.aliyun.com:995", "main"),
            (
                "provider = \"alimail\"\nregion = \"sg\"",
                of_account,
                "imap.sg.aliyun.com:993",
                "main",
            ),
            ("host = \"mx.b.example\"", own, "imap.163.com:993", "mailbox.it"),
            ("host = \"smtp.b.example\"", plain, "mx.b.example:143", "main"),
        ] {
            let inbox = load(account, mailbox);
            assert_eq!(
                (inbox.server().as_str(), inbox.account.name.as_str()),
                (server, lock),
                "{account} {mailbox}"
            );
        }
    }
}
