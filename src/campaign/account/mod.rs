//! A provider login with its sender and its limits.

mod dkim;
mod inbox;
mod login;
mod server;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::egress::Egress;
use super::file::File;
use super::octets::Octets;
use super::problem::{Problem, Problems};
use super::provider::{self, Book, HeaderRules, Port, Preset, Tls, Username};
use super::quota::{Quota, Rate, Reset, Unit};
use super::retry::Span;
use super::secret::Secret;
use super::sender;
use crate::mail::Address;
use crate::replies::Rules;
use crate::text;
use crate::words::Text;
use dkim::RawKeys;

pub(super) use dkim::check_alignment;
pub use dkim::{Dkim, KeyFile};
pub(super) use inbox::RawInbox;
pub use inbox::{Inbox, Protocol};
pub use login::Login;

/// Who takes the mail from us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A mail provider, by SMTP.
    #[default]
    Smtp,
    /// The `sendmail` command of a mail server on this machine.
    Sendmail,
}

/// A provider account, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name in `mailshot.toml`.
    pub name: String,
    /// Its provider, as in `mailshot providers`; none when only a server is given.
    pub provider: Option<String>,
    /// Whose rules for replies hold.
    pub family: Option<String>,
    /// Who takes the mail.
    pub transport: Transport,
    /// Host name of the SMTP server; empty while nothing says which.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the link is protected.
    pub tls: Tls,
    /// Ports to try after it, in this order, where the account leaves the choice to its provider.
    pub other_ports: Vec<Port>,
    /// Certificates to trust besides the public ones, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Allows a login without TLS to another machine.
    pub allow_plaintext: bool,
    /// The login name.
    pub username: String,
    /// How we log in.
    pub login: Login,
    /// Does the provider refuse mails whose From is not the login?
    pub from_is_login: bool,
    /// Other senders that the provider lets this login use.
    pub aliases: Vec<Address>,
    /// Characters that its passwords have, where all have as many.
    pub password_length: Option<u16>,
    /// The headers that its provider reads.
    pub headers: HeaderRules,
    /// The provider's stream, or configuration set.
    pub stream: Option<String>,
    /// What may be sent in which time.
    pub quota: Quota,
    /// How many mails that say nearly the same may be sent, where the provider counts those.
    pub similar: Option<Quota>,
    /// What may be sent to one destination: a domain, or a family of them such as `tencent`.
    pub destinations: BTreeMap<String, Vec<Rate>>,
    /// Connections at most, from 1 to 100.
    pub connections: u16,
    /// Mails on one connection before it is closed and opened anew.
    pub messages_per_connection: u32,
    /// Is its server said to take addresses with letters of any script? Source: RFC 6531.
    pub smtputf8: bool,
    /// The largest mail it takes, as it goes on the wire, where that is known.
    pub size_max: Option<Octets>,
    /// How long the account is left alone after a refused login.
    pub lockout: Span,
    /// Our name in EHLO; the address of our end of the link when absent. Source: RFC 5321, 4.1.3.
    pub hello: Option<String>,
    /// From where it may log in.
    pub egress: Egress,
    /// How its mails are signed.
    pub dkim: Vec<Dkim>,
    /// The `sendmail` command.
    pub sendmail_command: PathBuf,
    /// What is not wrong with it, and yet is hardly meant.
    pub warnings: Vec<Problem>,
}

/// `[account.NAME]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAccount {
    provider: Option<Spanned<String>>,
    region: Option<Spanned<String>>,
    transport: Transport,
    host: Option<Spanned<String>>,
    port: Option<u16>,
    tls: Option<Tls>,
    ca_file: Option<PathBuf>,
    allow_plaintext: bool,
    username: Option<Spanned<String>>,
    aliases: Vec<Spanned<String>>,
    stream: Option<Spanned<String>>,
    password_command: Option<Spanned<String>>,
    password_env: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    password_keyring: Option<Spanned<bool>>,
    token_command: Option<Spanned<String>>,
    rates: Option<Vec<Rate>>,
    day_resets: Option<Spanned<String>>,
    similar_per_minute: Option<u32>,
    destinations: BTreeMap<Spanned<String>, Vec<Rate>>,
    connections: Option<Spanned<u16>>,
    messages_per_connection: Option<NonZeroU32>,
    smtputf8: bool,
    size_max: Option<Octets>,
    lockout: Option<Span>,
    hello: Option<String>,
    egress_allow: Option<Spanned<Vec<String>>>,
    dkim: RawKeys,
    sendmail_command: Option<PathBuf>,
}

/// Mails on one connection unless the account says otherwise. Source: facts of several relays, `docs/decisions.md`.
const MESSAGES_PER_CONNECTION: u32 = 100;
/// Characters of a stream's name at most.
const STREAM_MAX: usize = 64;
/// Connections of one account at most.
const CONNECTIONS_MAX: u16 = 100;

/// What an account is read with.
pub(super) struct Around<'a, T> {
    /// The folder of the workspace.
    pub(super) root: &'a Path,
    /// `mailshot.toml`.
    pub(super) file: &'a File<'a, T>,
    /// All providers.
    pub(super) book: &'a Book,
    /// The provider that was found for an account that names neither provider nor host.
    pub(super) found: Option<&'a str>,
}

impl RawAccount {
    pub(super) fn check<T>(&self, name: &str, around: &Around<'_, T>) -> Result<Account, Problems> {
        let Around { root, file, .. } = *around;
        let mut problems = Problems::default();
        let preset = self.preset(around, &mut problems);
        let values = preset
            .as_ref()
            .map(|preset| preset.values.clone())
            .unwrap_or_default();
        let (host, port, tls) = self.server(preset.as_ref());
        let quota = self.quota(preset.as_ref(), file, &mut problems);
        let username = self.username(preset.as_ref());
        let login = self.login([&username, &host], around, &mut problems);
        let address = |text: &Spanned<String>| {
            file.parse(Some(text), &mut problems, |text| {
                Address::parse(text).map_err(|fault| fault.what)
            })
        };
        let aliases = self.aliases.iter().filter_map(address).collect();
        let stream = file.parse(self.stream.as_ref(), &mut problems, stream);
        let connections = self.connections(preset.as_ref(), file, &mut problems);
        let destinations = self.destinations(file, &mut problems);
        let egress = self.egress(file, &mut problems);
        let dkim = self.dkim.check(root, file, &mut problems);
        problems.or_ok(Account {
            name: name.to_owned(),
            provider: preset.as_ref().map(|preset| preset.name.clone()),
            family: preset.as_ref().map(|preset| preset.family().to_owned()),
            warnings: sender::doubts([&self.username, &self.stream], &host, preset.as_ref(), file),
            transport: self.transport,
            host,
            port,
            tls,
            other_ports: self.other_ports(preset.as_ref()),
            ca_file: self.ca_file.as_ref().map(|path| root.join(path)),
            allow_plaintext: self.allow_plaintext,
            username,
            login,
            from_is_login: values.from_is_login.unwrap_or(false),
            aliases,
            password_length: values.password_length,
            headers: values.headers.unwrap_or_default(),
            stream,
            quota,
            similar: self.similar(preset.as_ref()),
            destinations,
            connections,
            messages_per_connection: self
                .messages_per_connection
                .or(values.messages_per_connection)
                .map_or(MESSAGES_PER_CONNECTION, NonZeroU32::get),
            smtputf8: self.smtputf8,
            size_max: self.size_max.or(values.size_max),
            lockout: self.lockout.or(values.lockout).unwrap_or(provider::LOCKOUT),
            hello: self.hello.clone(),
            egress,
            dkim,
            sendmail_command: self
                .sendmail_command
                .clone()
                .unwrap_or_else(|| "/usr/sbin/sendmail".into()),
        })
    }

    /// The preset that is named, or that was found, in its region.
    fn preset<T>(&self, around: &Around<'_, T>, problems: &mut Problems) -> Option<Preset> {
        let Around {
            file, book, found, ..
        } = *around;
        let Some(name) = &self.provider else {
            let found = found.filter(|_| self.host.is_none() && self.transport == Transport::Smtp);
            return book.preset(found?);
        };
        let Some(preset) = book.preset(name.get_ref()) else {
            if book.is_broken(name.get_ref()) {
                return None;
            }
            let problem = file.problem(name, text!("unknown provider `{name}`", name = name.get_ref()));
            problems.push(problem.hint(book.closest(name.get_ref()).map_or_else(
                || text!("`mailshot providers` lists them; else give host, port and tls"),
                |known| text!("did you mean `{known}`? else give host, port and tls", known),
            )));
            return None;
        };
        let Some(region) = &self.region else {
            return Some(preset);
        };
        let known: Vec<&str> = preset.values.regions.keys().map(String::as_str).collect();
        let known = if known.is_empty() {
            text!("it has no regions")
        } else {
            text!("it has: {known}", known = known.join(", "))
        };
        let in_region = book.in_region(preset, region.get_ref());
        if in_region.is_none() {
            let what = text!(
                "provider `{name}` has no region `{region}`",
                name = name.get_ref(),
                region = region.get_ref()
            );
            problems.push(file.problem(region, what).hint(known));
        }
        in_region
    }

    /// The login name: as written, else the word that the provider always takes.
    fn username(&self, preset: Option<&Preset>) -> String {
        let rule = preset.and_then(|preset| preset.values.username.as_ref());
        match (&self.username, rule) {
            (Some(name), _) => name.get_ref().clone(),
            (None, Some(Username::Word(word))) => word.clone(),
            (None, _) => String::new(),
        }
    }

    fn quota<T>(&self, preset: Option<&Preset>, file: &File<'_, T>, problems: &mut Problems) -> Quota {
        let rates = self.rates.clone().or(preset.map(Preset::rates));
        Quota {
            rates: rates.unwrap_or_default(),
            day: self.reset(preset, file, problems),
        }
    }

    /// As written, where 0 means that nobody counts, or as the provider has it.
    fn similar(&self, preset: Option<&Preset>) -> Option<Quota> {
        let known = || preset?.values.similar_per_minute;
        let limit = self.similar_per_minute.map_or_else(known, NonZeroU32::new)?;
        let unit = Unit::Minute;
        Some(Quota {
            rates: vec![Rate { limit, unit }],
            day: Reset::Rolling,
        })
    }

    fn reset<T>(&self, preset: Option<&Preset>, file: &File<'_, T>, problems: &mut Problems) -> Reset {
        let Some(text) = &self.day_resets else {
            return preset.map(Preset::day_resets).unwrap_or_default();
        };
        text.get_ref().parse().unwrap_or_else(|what: Text| {
            problems.push(file.problem(text, what));
            Reset::default()
        })
    }

    fn destinations<T>(&self, file: &File<'_, T>, problems: &mut Problems) -> BTreeMap<String, Vec<Rate>> {
        let rules = Rules::built_in();
        let mut found = BTreeMap::new();
        for (name, rates) in &self.destinations {
            let destination = name.get_ref().to_lowercase();
            let family = rules.family_of(&destination);
            if family.is_none() && !destination.contains('.') {
                let known = rules.families().join(", ");
                let what = text!(
                    "`{destination}` is neither a domain nor a family of destinations",
                    destination
                );
                problems.push(
                    file.problem(name, what)
                        .hint(text!("known families: {known}", known)),
                );
            }
            found.insert(family.map_or(destination.clone(), str::to_owned), rates.clone());
        }
        found
    }

    fn connections<T>(&self, preset: Option<&Preset>, file: &File<'_, T>, problems: &mut Problems) -> u16 {
        let Some(connections) = &self.connections else {
            let known = preset.and_then(|preset| preset.values.connections);
            return known.map_or(1, |known| known.get().min(CONNECTIONS_MAX));
        };
        if !(1..=CONNECTIONS_MAX).contains(connections.get_ref()) {
            problems.push(file.problem(
                connections,
                text!("connections go from 1 to {most}", most = CONNECTIONS_MAX),
            ));
        }
        *connections.get_ref()
    }

    fn egress<T>(&self, file: &File<'_, T>, problems: &mut Problems) -> Egress {
        let Some(networks) = &self.egress_allow else {
            return Egress::default();
        };
        Egress::parse(networks.get_ref().iter().map(String::as_str)).unwrap_or_else(|wrong| {
            let what = text!("`{wrong}` is neither a network nor an address", wrong);
            let problem = file.problem_at_text(networks, wrong, what);
            problems.push(problem.hint(text!("write them like \"203.0.113.0/24\" or \"203.0.113.7\"")));
            Egress::default()
        })
    }
}

/// The name of a stream or configuration set, which becomes the value of a header.
fn stream(text: &str) -> Result<String, Text> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > STREAM_MAX || !text.chars().all(is_plain) {
        return Err(text!(
            "a stream has up to {most} letters of ASCII, digits, `-`, `_` and `.`",
            most = STREAM_MAX
        ));
    }
    Ok(text.to_owned())
}

impl Account {
    /// Does nothing say yet which server takes its mail?
    pub fn is_unresolved(&self) -> bool {
        self.transport == Transport::Smtp && self.host.is_empty()
    }

    /// May it send as this address, as far as its provider's rules are known?
    pub fn may_send_as(&self, from: &Address) -> bool {
        let key = from.key();
        let is_login = !self.username.contains('@') || Address::key_of(&self.username) == key;
        !self.from_is_login
            || self.transport == Transport::Sendmail
            || is_login
            || self.aliases.iter().any(|alias| alias.key() == key)
    }

    /// Fetches the password or token: runs the command, or reads the variable or file. None without a login.
    pub fn secret(&self, root: &Path) -> anyhow::Result<Option<Secret>> {
        let (Login::Password(source) | Login::Token(source)) = &self.login else {
            return Ok(None);
        };
        let what = text!("the password of account `{account}`", account = self.name);
        source.fetch(root, &what).map(Some)
    }
}
