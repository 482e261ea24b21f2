//! What a reply means: its class, whose failure it is, whether trying again helps, and whether the person is mailed
//! again at all. The words of scopes and of retrying are those that `explain --json` prints.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;
use crate::words::Text;

/// Words of a closed list, by which values are written and read.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$meaning])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = Text;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().find(|known| known.name().eq_ignore_ascii_case(text));
                found.copied().ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|known| known.name()).collect();
                    text!("`{text}` is none of {known}", text, known = known.join(", "))
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

words! {
    /// What kind of answer it is. What follows from each stands in `src/replies/rules.toml`.
    Class {
        /// The server has taken charge of the mail.
        Delivered = "DELIVERED",
        /// There is no such mailbox.
        UnknownUser = "UNKNOWN_USER",
        /// The domain takes no mail.
        BadDomain = "BAD_DOMAIN",
        /// The mailbox was closed, or is not used any more.
        Inactive = "INACTIVE",
        /// This is no address.
        BadSyntax = "BAD_SYNTAX",
        /// The mailbox has no room.
        MailboxFull = "MAILBOX_FULL",
        /// The provider itself mails this person no more.
        SuppressedRemote = "SUPPRESSED_REMOTE",
        /// An address that exists only to catch senders of bad lists.
        SpamTrap = "SPAM_TRAP",
        /// Those who are not known are put off; they are let in later.
        Greylist = "GREYLIST",
        /// This person gets too many mails at present.
        RecipientRate = "RCPT_RATE",
        /// The destination takes no more from us at present.
        DomainRate = "DOMAIN_RATE",
        /// The account sends too fast.
        AccountRate = "ACCOUNT_RATE",
        /// The account has sent all it may for now.
        QuotaDay = "QUOTA_DAY",
        /// Too many recipients for this connection or mail.
        TooManyRecipients = "TOO_MANY_RCPT",
        /// Too many connections at the same time.
        TooManyConnections = "TOO_MANY_CONN",
        /// Enough mails for this connection.
        MessagesPerConnection = "MSG_PER_CONN",
        /// The destination blocks our IP or domain.
        ReputationBlock = "REPUTATION_BLOCK",
        /// SPF, DKIM, DMARC or reverse DNS is not as it must be.
        AuthPolicy = "AUTH_POLICY",
        /// The content looks like spam.
        SpamContent = "SPAM_CONTENT",
        /// The content looks dangerous.
        Virus = "VIRUS",
        /// This kind of file is not taken.
        BadAttachment = "BAD_ATTACHMENT",
        /// The mail is too large.
        TooBig = "TOO_BIG",
        /// User name or password is wrong.
        AuthFailed = "AUTH_FAILED",
        /// Too many refused logins: locked for a while.
        AuthLocked = "AUTH_LOCKED",
        /// This way of logging in is not taken.
        AuthMethod = "AUTH_METHOD",
        /// The account may not send as this sender.
        SenderRejected = "SENDER_REJECTED",
        /// The provider has closed the account, or its sending.
        AccountSuspended = "ACCOUNT_SUSPENDED",
        /// The server does not send mail for us.
        RelayDenied = "RELAY_DENIED",
        /// Our IP is not on the provider's list.
        EgressIp = "EGRESS_IP",
        /// No TLS came about.
        TlsFail = "TLS_FAIL",
        /// Settings of ours that the server does not take.
        Config = "CONFIG",
        /// The server did not understand us.
        ProtocolBug = "PROTOCOL_BUG",
        /// The server or the destination is out of order for now.
        TransientSystem = "TRANSIENT_SYSTEM",
        /// The network or the connection broke.
        Network = "NETWORK",
        /// The connection broke after the end of data: nobody knows.
        Uncertain = "UNCERTAIN",
        /// Not known: a refusal for now.
        UnclassifiedTransient = "UNCLASSIFIED_4xx",
        /// Not known: a refusal for good.
        UnclassifiedPermanent = "UNCLASSIFIED_5xx",
    }
}

words! {
    /// Whose failure it is; it decides who waits.
    Scope {
        /// Only this recipient.
        Recipient = "rcpt",
        /// The mail itself: size, content. Every other recipient is likely to meet it too.
        Message = "message",
        /// Everyone at this recipient's provider.
        Destination = "dest_domain",
        /// The server we talk to.
        Server = "dest",
        /// Our IP, at this destination.
        Ip = "ip",
        /// The domain of our sender: everywhere.
        SenderDomain = "from_domain",
        /// The account: login, quota, suspension.
        Account = "account",
        /// Something to be set right by hand.
        Config = "config",
        /// The connection: connect again.
        Link = "connection",
    }
}

words! {
    /// Whether trying again helps, and when.
    Retry {
        /// There is nothing to try again.
        None = "none",
        /// It does not help.
        Never = "never",
        /// By the schedule of retries.
        Schedule = "schedule",
        /// A few times, and in later campaigns; then never.
        Soft = "soft",
        /// After a pause, and slower.
        Backoff = "backoff",
        /// When the quota begins anew.
        NextWindow = "next_window",
        /// When the lock-out is over.
        Cooldown = "cooldown",
        /// At once, on another connection.
        NewConnection = "new_conn",
        /// Not for hours: everyone at this destination waits.
        StopDestination = "stop_dest",
    }
}

/// What follows from a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Verdict {
    /// What kind of answer it is.
    pub class: Class,
    /// Whose failure it is.
    pub scope: Scope,
    /// Whether trying again helps.
    pub retry: Retry,
    /// Is the person never to be mailed again?
    pub suppress: bool,
}

impl Verdict {
    /// The network or the connection broke before the mail was complete.
    pub const NETWORK: Self = Self::of_link(Class::Network, Retry::Schedule);
    /// The connection broke after the end of data.
    pub const UNCERTAIN: Self = Self {
        scope: Scope::Message,
        ..Self::of_link(Class::Uncertain, Retry::Never)
    };
    /// No TLS came about.
    pub const TLS: Self = Self::of_link(Class::TlsFail, Retry::Schedule);
    /// Settings and server do not fit together.
    pub const CONFIG: Self = Self {
        scope: Scope::Config,
        ..Self::of_link(Class::Config, Retry::Never)
    };

    const fn of_link(class: Class, retry: Retry) -> Self {
        Self {
            class,
            scope: Scope::Link,
            retry,
            suppress: false,
        }
    }

    /// May trying again help, now or later?
    pub fn is_transient(self) -> bool {
        !matches!(self.retry, Retry::Never | Retry::None)
    }

    /// Does it stop everyone who sends by this account? Then no mail is at fault.
    pub fn is_about_account(self) -> bool {
        matches!(self.scope, Scope::Account | Scope::Config | Scope::SenderDomain)
    }

    /// Is it about the connection, or the server at its other end? Then no mail is at fault.
    pub fn is_about_link(self) -> bool {
        matches!(self.scope, Scope::Link | Scope::Server)
    }

    /// Does everyone at the recipient's provider wait?
    pub fn is_about_destination(self) -> bool {
        matches!(self.scope, Scope::Destination | Scope::Ip)
    }

    /// Did no rule know the reply?
    pub fn is_unclassified(self) -> bool {
        matches!(
            self.class,
            Class::UnclassifiedTransient | Class::UnclassifiedPermanent
        )
    }
}
