//! `mailshot client-config`: the settings of an account for mail programs. No password is in them.

mod text;
mod xml;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer};
use super::{load, providers, texts};
use crate::campaign::provider::{Kind, PasswordKind, Preset, Tls, Username, built_in};
use crate::campaign::{Account, Workspace};
use crate::mail::Address;
use crate::text;
use crate::words::{Both, Lang};

#[derive(Debug, clap::Args)]
#[command(after_help = texts::CLIENT_CONFIG)]
pub(super) struct Args {
    /// An account of mailshot.toml, or a provider
    #[arg(value_name = "ACCOUNT|PROVIDER")]
    name: String,
    /// The mail program
    #[arg(long = "for", value_name = "PROGRAM", value_enum)]
    program: Option<Program>,
    /// The mailbox; else the account's
    #[arg(long)]
    address: Option<String>,
    /// Write it to this file, which must not be there yet
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A mail program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Program {
    // (Doc comments here would make the help longer.)
    Outlook,
    Foxmail,
    Thunderbird,
    Apple,
}

/// A server with its port and protection.
#[derive(Clone, Debug)]
struct Server {
    host: String,
    port: u16,
    tls: Tls,
}

/// What a mail program has to be told.
#[derive(Clone, Debug)]
struct Settings {
    /// What the provider, or the server, is called.
    title: String,
    /// A short name: the account's, or the provider's.
    name: String,
    /// The mailbox; none: whoever sets it up knows.
    address: Option<Address>,
    /// The login name.
    username: Name,
    smtp: Server,
    imap: Option<Server>,
    pop: Option<Server>,
    password: Vec<PasswordKind>,
    hint: Option<Both>,
    /// Does nobody log in?
    is_open: bool,
    /// Does the provider send only, and has no mailboxes?
    is_send_only: bool,
}

/// The name to log in by.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// The whole address of the mailbox.
    Address,
    /// This one.
    Known(String),
    /// The one that the provider gave together with the password.
    Given,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace_if_any(printer);
    let address = args.address.as_deref().map(address).transpose()?;
    let settings = settings(&args.name, address, workspace.as_ref(), printer.lang)?;
    let made = match (args.program, printer.form) {
        (_, Form::Json) => as_json(&settings),
        (program @ (None | Some(Program::Outlook | Program::Foxmail)), Form::Text) => {
            text::page(&settings, program, printer.lang)
        }
        (Some(Program::Thunderbird), Form::Text) => xml::autoconfig(&settings)?,
        (Some(Program::Apple), Form::Text) => xml::mobileconfig(&settings)?,
    };
    let Some(path) = &args.output else {
        printer.raw(made.as_bytes());
        return Ok(Exit::Ok);
    };
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    if file
        .as_ref()
        .is_err_and(|error| error.kind() == std::io::ErrorKind::AlreadyExists)
    {
        let what = text!(
            "{path} is already there; nothing was written",
            path = path.display().to_string()
        );
        return Err(Coded::new(Exit::Io, what).hint(text!("name another file")).into());
    }
    let written = file.and_then(|mut file| file.write_all(made.as_bytes()));
    written.with_context(|| format!("write {}", path.display()))?;
    printer.say(text!("written to {path}", path = path.display().to_string()));
    if args.program == Some(Program::Thunderbird)
        && let Some(address) = &settings.address
    {
        printer.say(text!(
            "Thunderbird looks for it at https://autoconfig.{domain}/mail/config-v1.1.xml",
            domain = address.domain()
        ));
    }
    Ok(Exit::Ok)
}

fn address(text: &str) -> anyhow::Result<Address> {
    let address = Address::parse(text);
    Ok(address.map_err(|fault| Coded::new(Exit::Usage, text!("`{text}`: {fault}", text, fault)))?)
}

/// The settings of an account, or else of a provider.
fn settings(
    name: &str,
    address: Option<Address>,
    workspace: Option<&Workspace>,
    lang: Lang,
) -> anyhow::Result<Settings> {
    let book = workspace.map_or(built_in(), |workspace| &workspace.providers);
    if let Some(account) = workspace.and_then(|workspace| workspace.accounts.get(name)) {
        let preset = account.provider.as_deref().and_then(|name| book.preset(name));
        if account.is_unresolved() {
            let what = text!("account `{name}` names no provider and no host", name);
            let hint = text!(
                "`mailshot providers --for ADDRESS` finds the provider; or name it in place of the account"
            );
            return Err(Coded::new(Exit::Config, what).hint(hint).into());
        }
        return Ok(of_account(account, preset.as_ref(), address, lang));
    }
    let Ok(preset) = providers::preset(book, name) else {
        let accounts = workspace.map(|workspace| workspace.accounts.keys().cloned().collect::<Vec<_>>());
        let what = text!("`{name}` is neither an account here nor a provider", name);
        let accounts = accounts.filter(|accounts| !accounts.is_empty());
        let hint = accounts.map_or_else(
            || text!("`mailshot providers` lists them"),
            |accounts| {
                text!(
                    "accounts: {accounts}; `mailshot providers` lists the others",
                    accounts = accounts.join(", ")
                )
            },
        );
        return Err(Coded::new(Exit::Usage, what).hint(hint).into());
    };
    let port = preset.port();
    let smtp = Server {
        host: preset.host().to_owned(),
        port: port.map_or(0, |port| port.number),
        tls: port.map_or(Tls::Tls, |port| port.tls),
    };
    Ok(of_preset(&preset, smtp, address, lang))
}

fn of_preset(preset: &Preset, smtp: Server, address: Option<Address>, lang: Lang) -> Settings {
    let values = &preset.values;
    // Ports of incoming mail stand for TLS from the first byte.
    let incoming = |server: Option<&crate::campaign::provider::Endpoint>| {
        server.map(|server| Server {
            host: server.host.clone(),
            port: server.port,
            tls: Tls::Tls,
        })
    };
    Settings {
        title: preset.title(lang),
        name: preset.name.clone(),
        address,
        username: match &values.username {
            Some(Username::Word(word)) => Name::Known(word.clone()),
            Some(Username::Given | Username::Token) => Name::Given,
            _ => Name::Address,
        },
        smtp,
        imap: incoming(values.imap.as_ref()),
        pop: incoming(values.pop.as_ref()),
        password: values.password.clone(),
        hint: values.password_hint.clone(),
        is_open: values.username == Some(Username::None),
        is_send_only: values.kind == Some(Kind::Bulk),
    }
}

fn of_account(account: &Account, preset: Option<&Preset>, address: Option<Address>, lang: Lang) -> Settings {
    let smtp = Server {
        host: account.host.clone(),
        port: account.port,
        tls: account.tls,
    };
    let own = || Address::parse(&account.username).ok();
    let address = address.or_else(own);
    let mut settings = match preset {
        Some(preset) => of_preset(preset, smtp, address, lang),
        None => Settings {
            title: account.host.clone(),
            name: String::new(),
            address,
            username: Name::Address,
            smtp,
            imap: None,
            pop: None,
            password: Vec::new(),
            hint: None,
            is_open: account.username.is_empty(),
            is_send_only: false,
        },
    };
    settings.name.clone_from(&account.name);
    // A mailbox logs in by its own address, whichever it is.
    let is_address = own().is_some();
    if !account.username.is_empty() && !is_address {
        settings.username = Name::Known(account.username.clone());
    }
    settings
}

impl Settings {
    /// The login name, where it is known.
    fn login(&self) -> Option<String> {
        match &self.username {
            Name::Known(name) => Some(name.clone()),
            Name::Address => self.address.as_ref().map(ToString::to_string),
            Name::Given => None,
        }
    }

    /// Does the provider want OAuth 2 before anything else?
    fn is_by_token(&self) -> bool {
        self.password.first() == Some(&PasswordKind::Oauth2)
    }

    /// Files with a login name in them cannot be made without it.
    fn refuse_without_name(&self) -> anyhow::Result<()> {
        if self.is_open || self.username != Name::Given {
            return Ok(());
        }
        let what = text!(
            "the login name at {title} is not known: the provider gives it together with the password",
            title = self.title.as_str()
        );
        let hint = text!("write `username` in mailshot.toml, and name the account here; nothing was written");
        Err(Coded::new(Exit::Usage, what).hint(hint).into())
    }
}

fn as_json(settings: &Settings) -> String {
    let server =
        |server: &Server| json!({ "host": server.host, "port": server.port, "tls": server.tls.name() });
    let value = json!({
        "name": settings.name,
        "address": settings.address.as_ref().map(ToString::to_string),
        "username": settings.login(),
        "smtp": server(&settings.smtp),
        "imap": settings.imap.as_ref().map(server),
        "pop": settings.pop.as_ref().map(server),
        "password": settings.password.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
        "password_hint": settings.hint.as_ref().map(|hint| hint.in_lang(Lang::En)),
    });
    format!("{value}\n")
}
