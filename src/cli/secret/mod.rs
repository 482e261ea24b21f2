//! `mailshot secret`: keeps the passwords of accounts, tries them, and says how old they are. None is ever shown.

pub(super) mod age;
mod dkim;
mod login;
mod terminal;

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::exit::{Coded, Exit};
use super::lockout::Again;
use super::printer::{Form, Printer};
use super::{confirm, load, texts};
use crate::campaign::secret::{Ages, Flaw, Slot, flaws};
use crate::campaign::{Account, Login, Secret, SecretSource, Workspace, closest};
use crate::clock::Clock;
use crate::text;
use crate::words::Text;
use age::Strictness;
use login::Tried;

/// Characters of a password at most: tokens and keys are long, files piped in by mistake are longer.
const LENGTH_MAX: u64 = 16_384;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::SECRET)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Keep a password: from the terminal, or from stdin; never from the command line
    #[command(after_help = texts::SECRET_SET)]
    Set {
        /// The account
        account: String,
        /// Keep it in this file, which only you can read, whatever mailshot.toml says
        #[arg(long, value_name = "PATH")]
        file: Option<PathBuf>,
        /// Do not ask before a password is replaced
        #[arg(long, short)]
        yes: bool,
    },
    /// Replace a password, and try the new one with one login before the old one goes
    #[command(after_help = texts::SECRET_ROTATE)]
    Rotate {
        /// The account
        account: String,
        /// Log in although a login was refused a short while ago
        #[arg(long)]
        login_again: bool,
    },
    /// Log in once, and send nothing
    #[command(after_help = texts::SECRET_TEST)]
    Test {
        /// The account
        account: String,
        /// Fail when the password is 90 days old or more
        #[arg(long)]
        strict: bool,
        /// Log in although a login was refused a short while ago
        #[arg(long)]
        login_again: bool,
    },
    /// Say what looks wrong with a password, without showing it
    #[command(after_help = texts::SECRET_LINT)]
    Lint {
        /// The account
        account: String,
    },
    /// Make a key to sign mails with, and print the record for it
    #[command(after_help = texts::SECRET_DKIM_KEYGEN)]
    DkimKeygen(dkim::Args),
}

/// An account that logs in, with the place of its secret.
struct Place {
    workspace: Workspace,
    account: Account,
    source: SecretSource,
    printer: Printer,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    match &args.action {
        Action::Set { account, file, yes } => {
            let mut place = Place::of(account, printer)?;
            if let Some(file) = file {
                place.source = SecretSource::File(absolute(file)?);
            }
            place.set(*yes)
        }
        Action::Rotate { account, login_again } => {
            Place::of(account, printer)?.rotate(Again::from_flag(*login_again))
        }
        Action::Test {
            account,
            strict,
            login_again,
        } => {
            let strictness = Strictness::from_flag(*strict);
            Place::of(account, printer)?.test(strictness, Again::from_flag(*login_again))
        }
        Action::Lint { account } => Place::of(account, printer)?.lint(),
        Action::DkimKeygen(args) => dkim::run(args, printer),
    }
}

/// The whole path: what mailshot.toml names begins at its folder, what is typed begins here.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("find {}", path.display()))
}

impl Place {
    fn of(name: &str, printer: Printer) -> anyhow::Result<Self> {
        let workspace = load::workspace(None)?;
        let Some(account) = workspace.accounts.get(name).cloned() else {
            let known: Vec<&str> = workspace.accounts.keys().map(String::as_str).collect();
            let unknown = Coded::new(Exit::Usage, text!("mailshot.toml has no account `{name}`", name));
            return Err(match closest(name, &known) {
                Some(known) => unknown.hint(text!("did you mean `{known}`?", known)),
                None => unknown.hint(text!("it has: {known}", known = known.join(", "))),
            }
            .into());
        };
        let (Login::Password(source) | Login::Token(source)) = account.login.clone() else {
            let what = text!("account `{name}` does not log in: it has no password", name);
            let hint = text!(
                "write `username`, and `password_file = \"…\"` or `password_keyring = true`, in mailshot.toml first"
            );
            return Err(Coded::new(Exit::Config, what).hint(hint).into());
        };
        Ok(Self {
            workspace,
            account,
            source,
            printer,
        })
    }

    fn name(&self) -> &str {
        &self.account.name
    }

    /// A password can be kept only where mailshot writes.
    fn refuse_what_is_not_ours(&self) -> anyhow::Result<()> {
        if self.source.is_ours_to_write() {
            return Ok(());
        }
        let what = text!(
            "account `{account}` keeps its password elsewhere ({place})",
            account = self.name(),
            place = self.kept_in()
        );
        let hint = text!(
            "set it there; or write `password_keyring = true` or `password_file = \"…\"` in mailshot.toml instead"
        );
        Err(Coded::new(Exit::Config, what).hint(hint).into())
    }

    fn set(&self, is_confirmed: bool) -> anyhow::Result<Exit> {
        self.refuse_what_is_not_ours()?;
        if self.source.kept(Slot::Current)?.is_some() {
            let question = text!(
                "Replace the password of account `{account}`? `mailshot secret rotate` tries the new one first.",
                account = self.name()
            );
            confirm(self.printer, is_confirmed, question)?;
        }
        let secret = self.ask()?;
        self.source.keep(Slot::Current, &secret)?;
        let is_used = self.is_used()?;
        if is_used {
            self.note(&secret)?;
        }
        if self.printer.form == Form::Json {
            self.printer
                .json(&json!({ "account": self.name(), "kept_in": self.kept_in() }));
        }
        self.printer.say(text!(
            "the password of account `{account}` is kept ({place}); `mailshot secret test {account}` tries it",
            account = self.name(),
            place = self.kept_in()
        ));
        if !is_used {
            self.printer.warn(text!(
                "mailshot.toml does not say so yet: write `{place}` in [account.{account}]",
                place = self.source.to_string(),
                account = self.name()
            ));
        }
        Ok(Exit::Ok)
    }

    /// Is this the place that mailshot.toml names?
    fn is_used(&self) -> anyhow::Result<bool> {
        Ok(match (&self.account.login, &self.source) {
            (
                Login::Password(SecretSource::File(named)) | Login::Token(SecretSource::File(named)),
                SecretSource::File(ours),
            ) => absolute(named)? == absolute(ours)?,
            (Login::Password(named) | Login::Token(named), ours) => named == ours,
            (Login::None, _) => false,
        })
    }

    fn kept_in(&self) -> String {
        self.source.to_string()
    }

    /// The password is new today.
    fn note(&self, secret: &Secret) -> anyhow::Result<()> {
        let ages = Ages::beside(&self.workspace.ledger);
        ages.set(self.name(), secret, Clock::System.now_ms()).map(drop)
    }

    /// Asks for a password: without showing it on a terminal, else all that comes from stdin.
    fn ask(&self) -> anyhow::Result<Secret> {
        let whole = if std::io::stdin().is_terminal() {
            let question = text!(
                "Password of account `{account}` (not shown): ",
                account = self.name()
            );
            terminal::ask_hidden(&question.in_lang(self.printer.lang))?
        } else {
            let mut text = String::new();
            std::io::stdin()
                .take(LENGTH_MAX)
                .read_to_string(&mut text)
                .context("read the password from stdin")?;
            text
        };
        let found = flaws(&whole, &self.account);
        let fatal = found
            .iter()
            .find(|flaw| flaw.is_fatal() || **flaw == Flaw::MoreLines);
        if let Some(flaw) = fatal {
            let what = text!("this password cannot be right: {said}", said = flaw.said());
            return Err(Coded::new(Exit::Data, what)
                .hint(text!("nothing was kept; copy it again"))
                .into());
        }
        for flaw in found {
            self.printer.warn(text!("warning: {said}", said = flaw.said()));
        }
        Ok(Secret::new(whole.lines().next().unwrap_or_default()))
    }

    fn rotate(&self, again: Again) -> anyhow::Result<Exit> {
        self.refuse_what_is_not_ours()?;
        login::respect(self, again)?;
        // After a server that could not be reached, the one before is still the one that was seen to work.
        let proved = match self.source.kept(Slot::Previous)? {
            Some(previous) => Some(previous),
            None => self.source.kept(Slot::Current)?,
        };
        let new = self.ask()?;
        if let Some(proved) = &proved {
            self.source.keep(Slot::Previous, proved)?;
        }
        self.source.keep(Slot::Current, &new)?;
        let account = self.name();
        match login::once(self, new.clone())? {
            Tried::Works => {
                self.source.wipe(Slot::Previous)?;
                self.note(&new)?;
                match self.printer.form {
                    Form::Json => self.printer.json(&json!({ "account": account, "works": true })),
                    Form::Text => self.printer.data(text!(
                        "the new password of account `{account}` works; the old one is wiped",
                        account
                    )),
                }
                Ok(Exit::Ok)
            }
            Tried::Refused(reply) => {
                match &proved {
                    Some(proved) => self.source.keep(Slot::Current, proved)?,
                    None => self.source.wipe(Slot::Current)?,
                }
                self.source.wipe(Slot::Previous)?;
                let what = text!(
                    "the server refused the new password of account `{account}` ({reply})",
                    account,
                    reply
                );
                let hint = text!(
                    "the old one is put back; the account is left alone for {lockout}. If it was a slip: \
                     `mailshot secret rotate {account} --login-again`, but not again and again: providers count",
                    lockout = self.account.lockout,
                    account
                );
                Err(Coded::new(Exit::NoPerm, what).hint(hint).into())
            }
            Tried::Unreachable(why) => {
                let what = text!(
                    "the new password of account `{account}` could not be tried: {why}",
                    account,
                    why
                );
                let hint = text!(
                    "it is kept, and the old one beside it until `mailshot secret test` has seen the new one work"
                );
                Err(Coded::new(Exit::Unavailable, what).hint(hint).into())
            }
        }
    }

    fn test(&self, strictness: Strictness, again: Again) -> anyhow::Result<Exit> {
        login::respect(self, again)?;
        let secret = self.secret()?;
        let age = age::look_at(
            &self.workspace,
            &self.account,
            Some(&secret),
            strictness,
            self.printer,
        )?;
        match login::once(self, secret)? {
            Tried::Works => {
                if self.source.kept(Slot::Previous)?.is_some() {
                    self.source.wipe(Slot::Previous)?;
                    self.printer.say(text!("the password before it is wiped"));
                }
                let days = age.map_or(0, |age| age.days);
                match self.printer.form {
                    Form::Json => self
                        .printer
                        .json(&json!({ "account": self.name(), "works": true, "age": age })),
                    Form::Text => self.printer.data(text!(
                        "account `{account}`: the login works; nothing was sent (password: {days} days old)",
                        account = self.name(),
                        days
                    )),
                }
                Ok(Exit::Ok)
            }
            Tried::Refused(reply) => {
                let what = text!(
                    "the server refused the login of account `{account}` ({reply})",
                    account = self.name(),
                    reply
                );
                let hint = match &self.account.provider {
                    Some(provider) => text!(
                        "`mailshot providers {provider}` says which password it wants; nobody knocks again until the lock-out is over",
                        provider
                    ),
                    None => {
                        text!("check user name and password; nobody knocks again until the lock-out is over")
                    }
                };
                Err(Coded::new(Exit::NoPerm, what).hint(hint).into())
            }
            Tried::Unreachable(why) => Err(Coded::new(Exit::Unavailable, why)
                .hint(text!("the password was not tried"))
                .into()),
        }
    }

    fn secret(&self) -> anyhow::Result<Secret> {
        let secret = self.account.secret(&self.workspace.root).map_err(|error| {
            Coded::new(Exit::Config, Text::error(&error)).hint(text!("`mailshot secret set` keeps one"))
        })?;
        Ok(secret.unwrap_or_else(|| Secret::new("")))
    }

    fn lint(&self) -> anyhow::Result<Exit> {
        let whole = self.source.whole(&self.workspace.root);
        let whole = whole.map_err(|error| Coded::new(Exit::Config, Text::error(&error)))?;
        let found = flaws(&whole, &self.account);
        match self.printer.form {
            Form::Json => self
                .printer
                .json(&json!({ "account": self.name(), "flaws": found })),
            Form::Text => {
                for flaw in &found {
                    self.printer.data(text!(
                        "account `{account}`: {said}",
                        account = self.name(),
                        said = flaw.said()
                    ));
                }
                if found.is_empty() {
                    self.printer.data(text!(
                        "account `{account}`: nothing looks wrong",
                        account = self.name()
                    ));
                }
            }
        }
        Ok(if found.is_empty() { Exit::Ok } else { Exit::Data })
    }
}
