//! What the ledger tells people: how campaigns and deliveries stand, and what became of each try.

use serde::Serialize;

use super::command::Tally;
use super::state::State;
use crate::mail::Feedback;
use crate::words::Text;

/// How a campaign stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The campaign's name.
    pub campaign: String,
    /// draft, running, paused, stopped or finished.
    pub state: String,
    /// To how many people its mails go; each gets several when files are split.
    pub people: u64,
    /// The counts of its mails.
    #[serde(flatten)]
    pub tally: Tally,
    /// Of the suppressed: those whose rows are gone from the list.
    pub withdrawn: u64,
    /// The account it goes out by.
    pub account: String,
    /// When it can go on, in ms since the epoch.
    pub next_ms: Option<i64>,
    /// Why it paused or stopped.
    pub note: Text,
    /// The laws it is held to, and what its files set against their rules.
    #[serde(flatten)]
    pub rules: Rules,
}

/// The rules of law that a campaign was enrolled under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// Such as `cn, eu`.
    pub laws: Option<String>,
    /// On what ground people are mailed whose consent does not stand on the list.
    pub legal_basis: Option<String>,
    /// Are people mailed of whom the list says not to?
    pub ignore_consent: bool,
}

/// A delivery that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The address it goes to.
    pub recipient: String,
    /// Which of the mails to it; 1 is the first, and mostly the only one.
    pub volume: u32,
    /// Why.
    pub reason: String,
}

impl Standing {
    /// To whom it goes, and which mail it is, if that is not the first.
    pub fn to(&self) -> String {
        match self.volume {
            1 => self.recipient.clone(),
            volume => format!("{} (mail {volume})", self.recipient),
        }
    }
}

/// A delivery as people ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// The address it goes to.
    pub recipient: String,
    /// Where it stands.
    pub state: State,
    /// Why, when it is failed, in doubt or suppressed.
    pub reason: Option<String>,
    /// Tries so far.
    pub tries: u32,
    /// When it is due, in ms since the epoch; 0 means at once.
    pub due_at_ms: i64,
    /// The line of its row in the list.
    pub line: u64,
    /// Which of the mails to this recipient; 1 is the first, and mostly the only one.
    pub volume: u32,
    /// Every try, oldest first.
    pub attempts: Vec<Try>,
}

/// One try, as it is on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Try {
    /// When it began, in ms since the epoch.
    pub began_at_ms: i64,
    /// When it ended; none while it is under way.
    pub ended_at_ms: Option<i64>,
    /// The Message-ID, without angle brackets.
    pub message_id: String,
    /// SHA-256 of the mail, in hexadecimal digits.
    pub digest: String,
    /// accepted, deferred, refused or in-doubt.
    pub outcome: Option<String>,
    /// How far the dialogue had come.
    pub stage: Option<String>,
    /// The reply's code.
    pub code: Option<u16>,
    /// The reply's enhanced code.
    pub enhanced: Option<String>,
    /// The reply's text, or what happened instead.
    pub reply: Option<String>,
}

/// Somebody who is mailed no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// The address's comparison key, a domain or a pattern.
    pub address: String,
    /// Only in campaigns of this list; empty for all.
    pub list: String,
    /// Why: a name of [`crate::mail::Reason`].
    pub reason: String,
    /// The same in the words of whoever said so.
    pub note: String,
    /// Where it came from.
    pub source: String,
    /// When, in ms since the epoch.
    pub at_ms: i64,
}

/// A suppression that was lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lifted {
    /// What it was.
    #[serde(flatten)]
    pub was: Suppression,
    /// When it was lifted, in ms since the epoch.
    pub lifted_at_ms: i64,
    /// Why.
    pub why: String,
}

/// Something that came back from an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Came {
    /// A name of [`crate::mail::Feedback`].
    pub kind: String,
    /// Of a bounce: soft or hard.
    pub severity: Option<String>,
    /// What kind of answer it is: a name of [`crate::mail::Class`].
    pub class: Option<String>,
    /// Of which campaign's mail.
    pub campaign: Option<String>,
    /// When, in ms since the epoch.
    pub at_ms: i64,
    /// Where it came from.
    pub source: String,
    /// What it says.
    pub said: String,
}

impl Came {
    /// What it is, for programs: `bounce hard UNKNOWN_USER`.
    pub fn name(&self) -> String {
        let parts = [Some(&self.kind), self.severity.as_ref(), self.class.as_ref()];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        parts.join(" ")
    }

    /// What it is, in words.
    pub fn what(&self) -> Text {
        let severity = self.severity.as_deref().and_then(|name| name.parse().ok());
        match self.kind.parse::<Feedback>() {
            Ok(kind) => kind.said(severity),
            Err(_newer) => Text::from(self.kind.as_str()),
        }
    }
}

/// A refused login that is still waited out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountLock {
    /// When it was refused, in ms since the epoch.
    pub at_ms: i64,
    /// Until when nobody connects.
    pub until_ms: i64,
    /// What the server said.
    pub reply: String,
    /// Was the account locked already, by its provider?
    pub is_locked_there: bool,
}

/// Something that servers said, so often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// How far the dialogue had come.
    pub stage: String,
    /// With its codes.
    pub reply: String,
    /// How often.
    pub times: u32,
}

/// The mail of a Message-ID, as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Of which campaign.
    pub campaign: String,
    /// What the campaign's Message-IDs derive from.
    pub uid: String,
    /// To whom.
    pub address: String,
    /// Which of the mails to this recipient.
    pub volume: u32,
    /// When the last try began, in ms since the epoch.
    pub began_at_ms: i64,
    /// The SHA-256 of what was sent then.
    pub digest: Vec<u8>,
}

/// The mail that a link to unsubscribe was in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// Its campaign's name.
    pub campaign: String,
    /// The key of its recipient.
    pub address_key: String,
    /// The sender, as the mail shows it.
    pub from: String,
    /// The campaign's list: the identifier of its List-ID; empty where it has none.
    pub list: String,
    /// The list's name, as people read it.
    pub list_name: String,
    /// The campaign's language; none where people get it in languages of their own.
    pub lang: Option<String>,
    /// How often a suppression of the recipient was lifted: after that, the same wish is a new one.
    pub lifted: u64,
}
