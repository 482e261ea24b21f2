//! What an attempt came to. A refused mail is data, recorded and counted; it is never an error of ours.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{Reply, Retry, Verdict};
use crate::text;
use crate::words::Text;

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

impl FromStr for Stage {
    type Err = Text;

    /// Reads a stage, also as logs and other programs write it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "connect" | "conn" | "tcp" => Self::Connect,
            "hello" | "helo" | "ehlo" | "greeting" | "banner" | "starttls" => Self::Hello,
            "auth" | "login" => Self::Auth,
            "mail" | "from" => Self::Mail,
            "rcpt" | "to" => Self::Rcpt,
            "data" | "bdat" => Self::Data,
            "end-of-data" | "end of data" | "dot" | "eod" => Self::EndOfData,
            _ => {
                return Err(text!(
                    "`{text}` is no stage: there are connect, ehlo, auth, mail, rcpt, data and dot",
                    text
                ));
            }
        })
    }
}

/// Why a mail was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How far it had come.
    pub stage: Stage,
    /// What follows from it.
    pub verdict: Verdict,
    /// What the server said; none when the link was lost.
    pub reply: Option<Reply>,
    /// What happened, in words, when there is no reply.
    pub note: String,
}

impl Fault {
    /// Does the server itself want fewer mails or none for a while, before it has heard of any?
    pub fn wants_a_pause(&self) -> bool {
        let is_early = self.stage < Stage::Mail && self.reply.is_some();
        is_early && matches!(self.verdict.retry, Retry::Backoff | Retry::NextWindow)
    }

    /// What the server said, in its words; or what happened, in ours.
    pub fn said(&self) -> Text {
        match &self.reply {
            Some(reply) => Text::from(reply.to_string()),
            None => Text::kept(&self.note),
        }
    }

    /// Is the connection lost with it? 421 closes it, whatever else it says. Source: RFC 5321, 3.8.
    pub fn breaks_off(&self) -> bool {
        self.verdict.is_about_link() || self.reply.as_ref().is_some_and(|reply| reply.code == 421)
    }
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
