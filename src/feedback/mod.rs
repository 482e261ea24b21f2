//! What comes back to a sender: reports that a mail could not be delivered, complaints, wishes to be left alone, and
//! answers that programs write. Plain functions over the octets of a mail; nobody here knows the ledger.

mod fields;
mod opened;
mod status;
mod prose;
mod automatic;
mod complaint;
mod judged;
mod wish;
pub mod events;
pub mod store;
pub mod record;
pub mod tokens;

use serde::Serialize;

use crate::mail::{Class, Feedback, Reply, Retry, Scope, Severity, Stage, Verdict};
use crate::replies::{Judge, pasted};
use opened::Opened;

/// What kind of mail it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A mail of ours could not be delivered, or not yet.
    Bounce,
    /// Somebody calls a mail of ours spam.
    Complaint,
    /// Somebody wants no more mails.
    Unsubscribe,
    /// A program answered in somebody's name.
    AutoReply,
    /// Anything else.
    Other,
}

/// What became of the mail that a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is given up.
    Failed,
    /// It is still being tried.
    Delayed,
    /// It has arrived, or was handed on.
    Delivered,
}

/// One recipient that a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The address that could not be reached.
    pub address: String,
    /// The address that the mail was sent to, where that is another one.
    pub original: Option<String>,
    /// What became of the mail.
    pub action: Action,
    /// What was said; its code is 0 where there is none.
    pub reply: Reply,
    /// How far the dialogue had come, where that is said.
    pub stage: Option<Stage>,
    /// What that means.
    pub verdict: Option<Verdict>,
}

impl Returned {
    /// Somebody who is named, of whom nothing more is said.
    fn named(address: String) -> Self {
        Self {
            address,
            original: None,
            action: Action::Delivered,
            reply: Reply {
                code: 0,
                enhanced: None,
                text: String::new(),
            },
            stage: None,
            verdict: None,
        }
    }

    /// How bad it is for the address; none for a mail that has arrived.
    pub fn severity(&self) -> Option<Severity> {
        match (self.action, self.verdict) {
            (Action::Delivered, _) => None,
            (Action::Failed, Some(verdict)) if verdict.suppress => Some(Severity::Hard),
            _ => Some(Severity::Soft),
        }
    }
}

/// A mail that came back, as far as it can be understood by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its own Message-ID.
    pub id: Option<String>,
    /// When it was written, in ms since the epoch, as far as it says.
    pub date_ms: Option<i64>,
    /// What kind of mail it is.
    pub kind: Kind,
    /// Whom a bounce or a complaint is about; of a wish, who wishes.
    pub about: Vec<Returned>,
    /// Message-IDs of the mail that it is about, without angle brackets.
    pub message_ids: Vec<String>,
    /// What may be a token of an unsubscribe link, where those who wish something write it.
    pub tokens: Vec<String>,
    /// What may be a token of an unsubscribe link of the mail that it is about.
    pub returned_tokens: Vec<String>,
    /// The Feedback-ID of the mail that it is about.
    pub feedback_id: Option<String>,
}

/// Recipients of a report that are looked at; a mail of ours has one.
const RECIPIENTS_MAX: usize = 50;

impl Incoming {
    /// Reads a mail.
    pub fn read(octets: &[u8], judge: &Judge) -> Self {
        let opened = Opened::read(octets);
        let opened = opened.within().unwrap_or(opened);
        if let Some(incoming) = Self::of_event(&opened, judge) {
            return incoming;
        }
        let (kind, mut about) = sort(&opened);
        about.truncate(RECIPIENTS_MAX);
        for returned in &mut about {
            // A report for programs says itself whom it is still trying.
            let is_prose = opened.status.is_empty();
            if is_prose && returned.action == Action::Failed && judged::is_still_tried(&opened) {
                returned.action = Action::Delayed;
            }
            returned.verdict = judged::verdict(returned, &opened, judge);
        }
        let date = opened
            .headers
            .get("date")
            .and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        Self {
            id: own_id(&opened),
            date_ms: date.map(|date| date.timestamp().as_millisecond()),
            kind,
            about,
            message_ids: message_ids(&opened),
            tokens: wish::tokens(&opened),
            returned_tokens: wish::returned_tokens(&opened),
            feedback_id: opened.returned.get("feedback-id").map(str::to_owned),
        }
    }
}

impl Incoming {
    /// A mail whose text is an event of a provider: Amazon's notifications come by mail, too.
    fn of_event(opened: &Opened, judge: &Judge) -> Option<Self> {
        let text = opened.human.trim();
        let json = text.starts_with('{').then(|| text.rfind('}')).flatten()?;
        let text = text.get(..=json)?;
        let mut found = events::read(text, judge);
        if found.events.is_empty() {
            // Servers on the way break long lines, wherever that is.
            found = events::read(&text.replace(['\r', '\n'], ""), judge);
        }
        let first = found.events.first()?;
        let kind = match first.kind {
            Feedback::Bounce => Kind::Bounce,
            Feedback::Complaint => Kind::Complaint,
            Feedback::Unsubscribe => Kind::Unsubscribe,
            Feedback::Delivered => Kind::Other,
        };
        Some(Self {
            id: own_id(opened),
            date_ms: first.at_ms,
            kind,
            about: found.events.iter().map(returned).collect(),
            message_ids: first.message_id.iter().cloned().collect(),
            tokens: Vec::new(),
            returned_tokens: Vec::new(),
            feedback_id: None,
        })
    }
}

/// Whom an event is about.
fn returned(event: &events::Event) -> Returned {
    let (reply, stage) = pasted(&event.said);
    Returned {
        action: match (event.kind, event.severity) {
            (Feedback::Bounce, Some(_)) => Action::Failed,
            (Feedback::Bounce, None) => Action::Delayed,
            _ => Action::Delivered,
        },
        reply,
        stage,
        verdict: event.severity.map(|severity| Verdict {
            class: event.class.unwrap_or(Class::UnclassifiedPermanent),
            scope: Scope::Recipient,
            retry: Retry::Never,
            suppress: severity == Severity::Hard,
        }),
        ..Returned::named(event.address.clone())
    }
}

fn own_id(opened: &Opened) -> Option<String> {
    let id = opened.headers.get("message-id")?;
    let id = id.trim().trim_matches(['<', '>']).to_owned();
    (!id.is_empty()).then_some(id)
}

fn sort(opened: &Opened) -> (Kind, Vec<Returned>) {
    if let Some(about) = complaint::about(opened) {
        return (Kind::Complaint, about);
    }
    let reported = status::recipients(&opened.status);
    if !reported.is_empty() {
        let is_bounce = reported.iter().any(|one| one.action != Action::Delivered);
        return (if is_bounce { Kind::Bounce } else { Kind::Other }, reported);
    }
    if judged::is_bounce(opened) {
        let about = prose::recipients(opened);
        if !about.is_empty() {
            return (Kind::Bounce, about);
        }
    }
    // Mail programs write wishes in people's names.
    if let Some(by) = wish::in_subject(opened) {
        return (Kind::Unsubscribe, vec![by]);
    }
    if automatic::is_reply(opened) {
        return (Kind::AutoReply, Vec::new());
    }
    match wish::in_text(opened) {
        Some(by) => (Kind::Unsubscribe, vec![by]),
        None => (Kind::Other, Vec::new()),
    }
}

/// The Message-IDs of the mail that it is about: of the mail that it brings back, else of the one that it answers.
fn message_ids(opened: &Opened) -> Vec<String> {
    let returned = opened.returned.all("message-id");
    let answered = ["in-reply-to", "references"]
        .into_iter()
        .flat_map(|name| opened.headers.all(name));
    let ids = returned
        .chain(answered)
        .flat_map(|value| value.split_whitespace());
    let mut ids: Vec<String> = ids
        .map(|id| id.trim_matches(['<', '>', ',']).to_owned())
        .filter(|id| id.contains('@'))
        .collect();
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    ids
}

#[cfg(test)]
mod tests;
