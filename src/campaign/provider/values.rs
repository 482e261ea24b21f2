//! The values of a preset: what may stand under each key, in `providers.toml` as in mailshot.toml.

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::str::FromStr;

use serde::Deserialize;

use super::headers::HeaderRules;
use crate::campaign::octets::Octets;
use crate::campaign::quota::Reset;
use crate::campaign::retry::Span;
use crate::text;
use crate::words::{Both, Text};

/// How the link is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: only towards this machine, or when `allow_plaintext` says so.
    #[serde(alias = "None", alias = "NONE")]
    None,
    /// Plain at first, then STARTTLS, which the server must offer. Source: RFC 3207.
    #[serde(alias = "STARTTLS", alias = "StartTLS")]
    Starttls,
    /// TLS from the first byte. Source: RFC 8314, 3.3.
    #[serde(alias = "TLS", alias = "ssl", alias = "SSL")]
    Tls,
}

impl Tls {
    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Starttls => "starttls",
            Self::Tls => "tls",
        }
    }
}

/// Makes a type readable from a text in TOML, by its `FromStr`.
macro_rules! from_text {
    ($($kind:ty),*) => {$(
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    )*};
}

from_text!(Port, Username, Kind, PasswordKind, Scope, Day, Endpoint);

/// A port with its protection: `465 tls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The number.
    pub number: u16,
    /// How the link is protected there.
    pub tls: Tls,
}

impl FromStr for Port {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            text!(
                "`{text}` is not a port; write it like \"465 tls\", \"587 starttls\" or \"25 none\"",
                text
            )
        };
        let (number, tls) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let number = number.parse::<NonZeroU16>().map_err(|_not_a_number| wrong())?;
        let known = [Tls::None, Tls::Starttls, Tls::Tls];
        let tls = known.into_iter().find(|known| known.name() == tls.trim());
        Ok(Self {
            number: number.get(),
            tls: tls.ok_or_else(wrong)?,
        })
    }
}

/// A host with its port: `imap.example.com:993`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The host's name.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for Endpoint {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            text!(
                "`{text}` is not a server; write it like \"imap.example.com:993\"",
                text
            )
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        Ok(Self {
            host: host.to_owned(),
            port: port.parse().map_err(|_not_a_number| wrong())?,
        })
    }
}

/// What the login name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Username {
    /// The whole address of the mailbox.
    Address,
    /// The sender's address, which is set up in the provider's console.
    Sender,
    /// A name that the provider gives.
    Given,
    /// The same token as the password.
    Token,
    /// Nobody logs in.
    None,
    /// Always this word.
    Word(String),
}

impl FromStr for Username {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "address" => Self::Address,
            "sender" => Self::Sender,
            "given" => Self::Given,
            "token" => Self::Token,
            "none" => Self::None,
            word => match word.strip_prefix('=').filter(|word| !word.is_empty()) {
                Some(word) => Self::Word(word.to_owned()),
                None => {
                    return Err(text!(
                        "`{text}` is no rule for user names; there are address, sender, given, token, none and =word",
                        text
                    ));
                }
            },
        })
    }
}

impl Username {
    /// The rule in words.
    pub fn said(&self) -> Text {
        match self {
            Self::Address => text!("the whole address"),
            Self::Sender => text!("the sender's address"),
            Self::Given => text!("a name that the provider gives"),
            Self::Token => text!("the same token as the password"),
            Self::None => text!("none"),
            Self::Word(word) => text!("always `{word}`", word),
        }
    }
}

/// Names of variants as users write them, and what they are in words.
macro_rules! named {
    ($(#[$about:meta])* $kind:ident, $what:expr; $($(#[$doc:meta])* $variant:ident = $name:literal $said:expr),* $(,)?) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind {
            $($(#[$doc])* $variant),*
        }

        impl FromStr for $kind {
            type Err = Text;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(text!(
                        "`{text}` is no {what}; there are: {known}",
                        text,
                        what = $what,
                        known = [$($name),*].join(", ")
                    )),
                }
            }
        }

        impl $kind {
            /// Its name in settings.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it is, in words.
            pub fn said(self) -> Text {
                match self { $(Self::$variant => $said),* }
            }
        }
    };
}

named! {
    /// What a provider is for.
    Kind, text!("kind of provider");
    /// Mailboxes of people.
    Mailbox = "mailbox" text!("mailboxes of people"),
    /// A service that sends mail to many.
    Bulk = "bulk" text!("a service that sends to many"),
    /// A relay for an organisation's mail.
    Relay = "relay" text!("a relay"),
    /// A mail server of one's own.
    Local = "local" text!("a server of your own"),
}

named! {
    /// What is to be written as password.
    PasswordKind, text!("kind of password");
    /// The password of the web page.
    Login = "login password" text!("the login password"),
    /// One made for mail programs, as Alibaba and Tencent call it.
    Client = "client password" text!("a client password"),
    /// One made for mail programs, as QQ and 163 call it.
    Authorisation = "authorisation code" text!("an authorisation code"),
    /// One made for one program.
    App = "app password" text!("an app password"),
    /// A key that programs use.
    ApiKey = "API key" text!("an API key"),
    /// Made for SMTP in the provider's console.
    Smtp = "SMTP credentials" text!("an SMTP password from the console"),
    /// A token that ends soon: `token_command`.
    Oauth2 = "OAuth 2" text!("an OAuth 2 token"),
}

named! {
    /// What shares the day's limit.
    Scope, text!("scope");
    /// Each account by itself.
    Account = "account" text!("each account"),
    /// All accounts of a domain.
    Domain = "domain" text!("the whole domain"),
    /// All accounts of a customer.
    Tenant = "tenant" text!("the whole tenant"),
}

/// When a day's limit begins anew, as written and as it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day(pub Reset);

impl FromStr for Day {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What is known about a provider. What is not known is none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each is said in the head of providers.toml")]
pub struct Values {
    pub like: Option<String>,
    pub title: Option<Both>,
    pub family: Option<String>,
    pub kind: Option<Kind>,
    pub host: Option<String>,
    pub regions: BTreeMap<String, String>,
    pub imap: Option<Endpoint>,
    pub region_imap: BTreeMap<String, Endpoint>,
    pub pop: Option<Endpoint>,
    pub ports: Vec<Port>,
    pub auth: Vec<String>,
    pub username: Option<Username>,
    pub password: Vec<PasswordKind>,
    pub password_length: Option<u16>,
    pub password_hint: Option<Both>,
    pub from_is_login: Option<bool>,
    pub per_second: Option<NonZeroU32>,
    pub per_minute: Option<NonZeroU32>,
    pub per_hour: Option<NonZeroU32>,
    pub per_day: Option<NonZeroU32>,
    pub scope: Option<Scope>,
    pub day_resets: Option<Day>,
    pub same_recipient: Option<Both>,
    pub recipients_per_message: Option<NonZeroU32>,
    pub similar_per_minute: Option<NonZeroU32>,
    pub connections: Option<NonZeroU16>,
    pub messages_per_connection: Option<NonZeroU32>,
    pub size_max: Option<Octets>,
    pub lockout_after: Option<NonZeroU32>,
    pub lockout: Option<Span>,
    pub lockout_extends: Option<bool>,
    pub domains: Vec<String>,
    pub mx: Vec<String>,
    pub region_mx: BTreeMap<String, Vec<String>>,
    pub mx_sets: Vec<Vec<String>>,
    pub spf: Vec<String>,
    pub dkim: Vec<String>,
    pub headers: Option<HeaderRules>,
    pub quirks: Vec<Both>,
    pub unknown: Vec<String>,
    pub none: Vec<String>,
}
