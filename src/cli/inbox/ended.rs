//! Why a mailbox could not be gone through: in words, and what follows from it.

use super::super::exit::{Coded, Exit};
use crate::campaign::Inbox;
use crate::campaign::retry::Span;
use crate::mailbox::Fault;
use crate::text;
use crate::words::Text;

/// What ended a visit.
#[derive(Debug)]
pub(in super::super) enum Ended {
    /// Something with the mailbox.
    Fault(Fault),
    /// Something here.
    Here(anyhow::Error),
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<anyhow::Error> for Ended {
    fn from(error: anyhow::Error) -> Self {
        Self::Here(error)
    }
}

impl Ended {
    /// As the user reads it.
    pub(in super::super) fn into_error(self, inbox: &Inbox) -> anyhow::Error {
        match self {
            Self::Fault(fault) => coded(inbox, &fault).into(),
            Self::Here(error) => error,
        }
    }
}

fn coded(inbox: &Inbox, fault: &Fault) -> Coded {
    let (name, server) = (inbox.name.as_str(), inbox.server());
    let (exit, why, hint) = match fault {
        Fault::Link(why) => (
            Exit::Unavailable,
            why.clone(),
            text!(
                "check `host`, `port` and `tls` in [mailbox.{name}], or run it again later; what was handled until then is \
                 on record, the rest is where it was",
                name
            ),
        ),
        Fault::Tls(why) => (
            Exit::Unavailable,
            why.clone(),
            text!(
                "no password was sent, and nothing was fetched; `host` must be the name in the server's certificate, and \
                 `ca_file` names the authority of one that is not public"
            ),
        ),
        Fault::Login { said, is_password } => (
            Exit::NoPerm,
            text!("{server} refused the login: {said}", server, said = said.as_str()),
            if *is_password {
                wrong_password(inbox)
            } else {
                refused_for_now(inbox)
            },
        ),
        Fault::Refused { command, said } => refused(inbox, command, said),
        Fault::Config(why) => (
            Exit::Config,
            why.clone(),
            text!("nothing was fetched; see [mailbox.{name}] in mailshot.toml", name),
        ),
    };
    Coded::new(exit, text!("mailbox `{name}`: {why}", name, why)).hint(hint)
}

fn wrong_password(inbox: &Inbox) -> Text {
    text!(
        "nothing was fetched, and `{account}` is left alone for {lockout}: more tries could lock it. Set the right password \
         and add --login-again. Many providers want {protocol} switched on in the mailbox's settings, and a password made \
         for mail programs",
        account = inbox.account.name.as_str(),
        lockout = Span(inbox.account.lockout.0).to_string(),
        protocol = inbox.protocol.name().to_uppercase()
    )
}

fn refused_for_now(inbox: &Inbox) -> Text {
    text!(
        "it is not about the password; nothing was fetched, and `{account}` is left alone for a few minutes",
        account = inbox.account.name.as_str()
    )
}

fn refused(inbox: &Inbox, command: &str, said: &str) -> (Exit, Text, Text) {
    match command {
        "SELECT" | "EXAMINE" => (
            Exit::Config,
            text!(
                "the folder `{folder}` cannot be opened: {said}",
                folder = inbox.folder.as_str(),
                said
            ),
            text!(
                "nothing was fetched; `folder` in [mailbox.{name}] says which one it is",
                name = inbox.name.as_str()
            ),
        ),
        "CREATE" | "MOVE" | "COPY" => (
            Exit::TempFail,
            text!(
                "mails cannot be moved to `{folder}`: {said}",
                folder = inbox.handled.as_str(),
                said
            ),
            text!(
                "they are on record, and counted once; when `handled` in [mailbox.{name}] is right, or has room, run it again",
                name = inbox.name.as_str()
            ),
        ),
        _ => (
            Exit::TempFail,
            text!("the server refused {command}: {said}", command, said),
            text!("what was handled until then is on record; run it again later"),
        ),
    }
}
