//! What an attempt came to. A refused mail is data, recorded and counted; it is never an error of ours.

use std::fmt;

use serde::Serialize;

use super::Reply;

/// How far the dialogue had come when it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// TCP or TLS did not come about.
    Connect,
    /// Greeting, EHLO or STARTTLS.
    Hello,
    /// The login.
    Auth,
    /// MAIL FROM: about the sender.
    Mail,
    /// RCPT TO: about the recipient.
    Rcpt,
    /// DATA, or the body on its way: the server has not been told that the mail is complete.
    Data,
    /// The end of data has left: from here the mail may have been accepted.
    EndOfData,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Hello => "hello",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::EndOfData => "end-of-data",
        })
    }
}

/// Whose failure it is; it decides who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Only this recipient.
    Recipient,
    /// The mail itself: size, content. Every other recipient is likely to meet it too.
    Message,
    /// Login, sender, quota, suspension: all workers stop and deliveries stay pending.
    Account,
    /// The connection: connect again.
    Link,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recipient => "recipient",
            Self::Message => "message",
            Self::Account => "account",
            Self::Link => "link",
        })
    }
}

/// Why a mail was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How far it had come.
    pub stage: Stage,
    /// Whose failure it is.
    pub scope: Scope,
    /// What the server said; none when the link was lost.
    pub reply: Option<Reply>,
    /// What happened, in words, when there is no reply.
    pub note: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reply {
            Some(reply) => write!(f, "{reply}"),
            None => f.write_str(&self.note),
        }
    }
}

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 2yz to the end of data: the server has taken charge of it.
    Accepted(Reply),
    /// Not now: trying again later may help.
    Deferred(Fault),
    /// Never: trying again will not help.
    Refused(Fault),
    /// The end of data had left and no answer came: it may or may not have been accepted.
    InDoubt(Fault),
}

impl Outcome {
    /// The fault, unless the mail was accepted.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Accepted(_) => None,
            Self::Deferred(fault) | Self::Refused(fault) | Self::InDoubt(fault) => Some(fault),
        }
    }

    /// The server's reply, if one came.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Accepted(reply) => Some(reply),
            Self::Deferred(fault) | Self::Refused(fault) | Self::InDoubt(fault) => fault.reply.as_ref(),
        }
    }
}
