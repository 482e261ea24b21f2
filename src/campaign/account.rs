//! A provider login with its sender and its limits.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::egress::Egress;
use super::file::File;
use super::octets::Octets;
use super::problem::{Problem, Problems};
use super::provider::{self, Preset, Tls};
use super::quota::{Quota, Rate, Reset};
use super::retry::Span;
use super::secret::{Secret, SecretSource};
use crate::replies::Rules;

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

/// How we prove who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// No login: a local mail server, or one that knows us by our IP.
    None,
    /// User name and password: AUTH PLAIN, else LOGIN.
    Password(SecretSource),
    /// User name and OAuth 2 token: AUTH XOAUTH2.
    Token(SecretSource),
}

/// A provider account, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name in `mailshot.toml`.
    pub name: String,
    /// The provider that was named, if one was.
    pub provider: Option<String>,
    /// Who takes the mail.
    pub transport: Transport,
    /// Host name of the SMTP server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the link is protected.
    pub tls: Tls,
    /// Certificates to trust besides the public ones, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Allows a login without TLS to another machine.
    pub allow_plaintext: bool,
    /// The login name.
    pub username: String,
    /// How we log in.
    pub login: Login,
    /// What may be sent in which time.
    pub quota: Quota,
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
    /// The `sendmail` command.
    pub sendmail_command: PathBuf,
}

/// `[account.NAME]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAccount {
    provider: Option<Spanned<String>>,
    transport: Transport,
    host: Option<Spanned<String>>,
    port: Option<u16>,
    tls: Option<Tls>,
    ca_file: Option<PathBuf>,
    allow_plaintext: bool,
    username: Option<Spanned<String>>,
    password_command: Option<Spanned<String>>,
    password_env: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    token_command: Option<Spanned<String>>,
    rates: Option<Vec<Rate>>,
    day_resets: Option<Spanned<String>>,
    destinations: BTreeMap<Spanned<String>, Vec<Rate>>,
    connections: Option<Spanned<u16>>,
    messages_per_connection: Option<NonZeroU32>,
    smtputf8: bool,
    size_max: Option<Octets>,
    lockout: Option<Span>,
    hello: Option<String>,
    egress_allow: Option<Spanned<Vec<String>>>,
    sendmail_command: Option<PathBuf>,
}

/// Mails on one connection unless the account says otherwise. Source: facts of several relays, `docs/decisions.md`.
const MESSAGES_PER_CONNECTION: u32 = 100;
/// Connections of one account at most.
const CONNECTIONS_MAX: u16 = 100;

impl RawAccount {
    pub(super) fn check<T>(&self, name: &str, root: &Path, file: &File<'_, T>) -> Result<Account, Problems> {
        let mut problems = Problems::default();
        let preset = self.preset(file, &mut problems);
        let server = self.server(preset.as_ref());
        if server.0.is_empty() && self.provider.is_none() && self.transport == Transport::Smtp {
            problems.push(
                file.problem_in_table(&format!("account.{name}"), "no server: `host` is missing")
                    .hint("give `host`, `port` and `tls`, or a `provider`"),
            );
        }
        let day = self.reset(preset.as_ref(), file, &mut problems);
        let login = self.login(root, file, &mut problems);
        let connections = self.connections(preset.as_ref(), file, &mut problems);
        let destinations = self.destinations(file, &mut problems);
        let egress = self.egress(file, &mut problems);
        let (host, port, tls) = server;
        problems.or_ok(Account {
            name: name.to_owned(),
            provider: self.provider.as_ref().map(|provider| provider.get_ref().clone()),
            transport: self.transport,
            host,
            port,
            tls,
            ca_file: self.ca_file.as_ref().map(|path| root.join(path)),
            allow_plaintext: self.allow_plaintext,
            username: self
                .username
                .as_ref()
                .map(|name| name.get_ref().clone())
                .unwrap_or_default(),
            login,
            quota: Quota {
                rates: self
                    .rates
                    .clone()
                    .or(preset.as_ref().map(|preset| preset.rates.clone()))
                    .unwrap_or_default(),
                day,
            },
            destinations,
            connections,
            messages_per_connection: self
                .messages_per_connection
                .map_or(MESSAGES_PER_CONNECTION, NonZeroU32::get),
            smtputf8: self.smtputf8,
            size_max: self
                .size_max
                .or(preset.as_ref().and_then(|preset| preset.size_max)),
            lockout: self
                .lockout
                .or(preset.as_ref().map(|preset| preset.lockout))
                .unwrap_or(provider::LOCKOUT),
            hello: self.hello.clone(),
            egress,
            sendmail_command: self
                .sendmail_command
                .clone()
                .unwrap_or_else(|| "/usr/sbin/sendmail".into()),
        })
    }

    /// Host, port and protection; the usual port of the protection when none is given.
    fn server(&self, preset: Option<&Preset>) -> (String, u16, Tls) {
        let host = self.host.as_ref().map(|host| host.get_ref().clone());
        let host = host.or_else(|| Some(preset?.host.clone())).unwrap_or_default();
        let tls = self.tls.or(preset.map(|preset| preset.tls)).unwrap_or(Tls::Tls);
        let usual = match tls {
            Tls::None => 25,
            Tls::Starttls => 587,
            Tls::Tls => 465,
        };
        // A port of the preset belongs to the preset's protection.
        let known = preset
            .filter(|preset| preset.tls == tls && self.host.is_none())
            .map(|preset| preset.port);
        (host, self.port.or(known).unwrap_or(usual), tls)
    }

    fn preset<T>(&self, file: &File<'_, T>, problems: &mut Problems) -> Option<Preset> {
        let name = self.provider.as_ref()?;
        let preset = provider::preset(name.get_ref());
        if preset.is_none() {
            let known = provider::names();
            let problem = file.problem(name, format!("unknown provider `{}`", name.get_ref()));
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            problems.push(match super::explain::closest(name.get_ref(), &known) {
                Some(known) => problem.hint(format!("did you mean `{known}`? else give host, port and tls")),
                None => problem.hint(format!(
                    "known: {}; else give host, port and tls",
                    known.join(", ")
                )),
            });
        }
        preset
    }

    fn reset<T>(&self, preset: Option<&Preset>, file: &File<'_, T>, problems: &mut Problems) -> Reset {
        let Some(text) = &self.day_resets else {
            return preset.map(|preset| preset.day_resets.clone()).unwrap_or_default();
        };
        text.get_ref().parse().unwrap_or_else(|what| {
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
                let what = format!("`{destination}` is neither a domain nor a family of destinations");
                problems.push(file.problem(name, what).hint(format!("known families: {known}")));
            }
            found.insert(family.map_or(destination.clone(), str::to_owned), rates.clone());
        }
        found
    }

    fn connections<T>(&self, preset: Option<&Preset>, file: &File<'_, T>, problems: &mut Problems) -> u16 {
        let Some(connections) = &self.connections else {
            return preset.map_or(1, |preset| preset.connections);
        };
        if !(1..=CONNECTIONS_MAX).contains(connections.get_ref()) {
            problems.push(file.problem(connections, format!("connections go from 1 to {CONNECTIONS_MAX}")));
        }
        *connections.get_ref()
    }

    fn egress<T>(&self, file: &File<'_, T>, problems: &mut Problems) -> Egress {
        let Some(networks) = &self.egress_allow else {
            return Egress::default();
        };
        Egress::parse(networks.get_ref().iter().map(String::as_str)).unwrap_or_else(|wrong| {
            let what = format!("`{wrong}` is neither a network nor an address");
            let problem = file.problem_at_text(networks, wrong, what);
            problems.push(problem.hint("write them like \"203.0.113.0/24\" or \"203.0.113.7\""));
            Egress::default()
        })
    }

    fn login<T>(&self, root: &Path, file: &File<'_, T>, problems: &mut Problems) -> Login {
        let sources = [
            (&self.password_command, false),
            (&self.password_env, false),
            (&self.password_file, false),
            (&self.token_command, true),
        ];
        let given: Vec<_> = sources
            .iter()
            .filter_map(|(source, token)| Some((source.as_ref()?, *token)))
            .collect();
        if let [_, second, ..] = given.as_slice() {
            problems.push(
                file.problem(second.0, "a second place for the password")
                    .hint("keep one of them"),
            );
        }
        let source = if let Some(command) = &self.password_command {
            SecretSource::Command(command.get_ref().clone())
        } else if let Some(variable) = &self.password_env {
            SecretSource::Env(variable.get_ref().clone())
        } else if let Some(path) = &self.password_file {
            SecretSource::File(root.join(path.get_ref()))
        } else if let Some(command) = &self.token_command {
            return Login::Token(SecretSource::Command(command.get_ref().clone()));
        } else {
            if let Some(username) = self
                .username
                .as_ref()
                .filter(|_| self.transport == Transport::Smtp)
            {
                problems.push(missing_secret(file, username));
            }
            return Login::None;
        };
        if let (None, Some((at, _))) = (&self.username, given.first()) {
            problems.push(file.problem(at, "a password without a `username`"));
        }
        Login::Password(source)
    }
}

fn missing_secret<T>(file: &File<'_, T>, username: &Spanned<String>) -> Problem {
    file.problem(username, "a `username` without a place for its password")
        .hint("add `password_command`, `password_env` or `password_file`; never the password itself")
}

impl Account {
    /// Fetches the password or token: runs the command, or reads the variable or file. None without a login.
    pub fn secret(&self, root: &Path) -> anyhow::Result<Option<Secret>> {
        let (Login::Password(source) | Login::Token(source)) = &self.login else {
            return Ok(None);
        };
        let what = format!("the password of account `{}`", self.name);
        source.fetch(root, &what).map(Some)
    }
}
