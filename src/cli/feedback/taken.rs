//! Takes mails in that have come back, and says a line about each.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::super::counted::mails;
use super::super::load;
use super::super::printer::{Form, Printer};
use super::became::{self, Sum};
use crate::campaign::Workspace;
use crate::feedback::record::Recorder;
use crate::feedback::{Action, Incoming, Kind, Returned};
use crate::ledger::{Ledger, Received};
use crate::mail::token::hex;
use crate::mail::{Feedback, Reason, Severity};
use crate::replies::{Judge, Rules};
use crate::text;
use crate::words::Text;

/// A mail that came back.
pub(super) struct Mail {
    /// What it says.
    pub(super) incoming: Incoming,
    /// Of its octets: names it where it has no Message-ID.
    pub(super) digest: String,
    /// Where it was found.
    pub(super) source: String,
}

impl Mail {
    pub(super) fn digest(octets: &[u8]) -> String {
        hex(&Sha256::digest(octets))
    }
}

/// Takes mails in.
pub(super) struct Taker {
    /// None without a ledger: then nothing can be looked up.
    recorder: Option<Recorder>,
    printer: Printer,
    others: Others,
}

/// Is there a line about mails that are no reports, too?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    Said,
    /// No: they are somebody's letters.
    Unsaid,
}

/// What became of them all.
#[derive(Default)]
pub(super) struct Tally {
    mails: u64,
    bounces: u64,
    complaints: u64,
    wishes: u64,
    replies: u64,
    others: u64,
    sum: Sum,
}

/// A line about a mail.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    kind: Kind,
    recipient: Option<&'a str>,
    severity: Option<Severity>,
    class: Option<&'static str>,
    campaign: Option<&'a str>,
    /// Was it taken in for the first time? None when there is nothing to take in.
    new: Option<bool>,
    /// Why the address is mailed no more from now on.
    suppressed: Option<Reason>,
    /// All of them, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recipients: Vec<About<'a>>,
}

/// One of several recipients.
#[derive(Serialize)]
struct About<'a> {
    recipient: &'a str,
    severity: Option<Severity>,
    class: Option<&'static str>,
    campaign: Option<&'a str>,
    suppressed: Option<Reason>,
}

/// The workspace, which a dry run can do without, and who says what words of servers mean.
pub(super) fn surroundings(is_dry: bool, printer: Printer) -> anyhow::Result<(Option<Workspace>, Judge)> {
    let workspace = if is_dry {
        load::workspace_if_any(printer)
    } else {
        Some(load::workspace(None)?)
    };
    let rules = workspace
        .as_ref()
        .map_or_else(Rules::built_in, |workspace| Rules::with(&workspace.rules));
    Ok((workspace, Judge::new(rules, Vec::new())))
}

/// Opens the record. A dry run changes nothing, and needs none.
pub(super) fn recorder(workspace: Option<&Workspace>, is_dry: bool) -> anyhow::Result<Option<Recorder>> {
    let Some(workspace) = workspace.filter(|workspace| !is_dry || workspace.ledger.exists()) else {
        return Ok(None);
    };
    Ok(Some(Recorder {
        ledger: Ledger::open(&workspace.ledger)?,
        keys: workspace.unsubscribe.keys_if_any()?,
        limits: workspace.limits,
        is_trial: is_dry,
    }))
}

impl Taker {
    pub(super) fn open(
        workspace: Option<&Workspace>,
        is_dry: bool,
        printer: Printer,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            recorder: recorder(workspace, is_dry)?,
            printer,
            others: Others::Said,
        })
    }

    /// The same, where letters of people are among the mails.
    pub(super) fn of_mailbox(self) -> Self {
        Self {
            others: Others::Unsaid,
            ..self
        }
    }

    /// Takes mails in, all in one transaction, and says a line about each. Tells of each whether it is done with: answers of
    /// programs, and whatever is about somebody on record. Who wrote the others, or whom they are about, is for people.
    pub(super) async fn take(
        &self,
        mails: Vec<Mail>,
        now_ms: i64,
        tally: &mut Tally,
    ) -> anyhow::Result<Vec<bool>> {
        let rows = |mail: &Mail| match &self.recorder {
            Some(recorder) => recorder.rows(&mail.incoming, (&mail.digest, &mail.source), now_ms),
            None => Vec::new(),
        };
        let rows: Vec<_> = mails.iter().map(rows).collect();
        let counts: Vec<usize> = rows.iter().map(Vec::len).collect();
        let received = match &self.recorder {
            Some(recorder) => recorder.receive(rows.into_iter().flatten().collect()).await?,
            None => Vec::new(),
        };
        let mut received = received.into_iter();
        let mut done = Vec::with_capacity(mails.len());
        for (mail, count) in mails.iter().zip(counts) {
            let received: Vec<Received> = received.by_ref().take(count).collect();
            tally.count(&mail.incoming, &received);
            let is_known = received.iter().any(|one| one.address.is_some());
            done.push(is_known || mail.incoming.kind == Kind::AutoReply);
            if mail.incoming.kind != Kind::Other || self.others == Others::Said {
                self.say(mail, &received);
            }
        }
        Ok(done)
    }

    fn say(&self, mail: &Mail, received: &[Received]) {
        let first = mail.incoming.about.first();
        let taken = received.first();
        // Redacted reports name nobody, and wishes by token somebody else: the ledger knows whose mail it was.
        let known = taken.and_then(|taken| taken.address.as_deref());
        let named = first.map(|one| one.address.as_str());
        let is_wish = mail.incoming.kind == Kind::Unsubscribe;
        let line = Line {
            file: &mail.source,
            kind: mail.incoming.kind,
            recipient: if is_wish { known.or(named) } else { named.or(known) },
            severity: first.and_then(Returned::severity),
            class: first.and_then(class),
            campaign: taken.and_then(|taken| taken.campaign.as_deref()),
            new: taken.map(|taken| taken.is_new),
            suppressed: taken.and_then(|taken| taken.suppressed),
            recipients: several(&mail.incoming, received),
        };
        match self.printer.form {
            Form::Json => self.printer.json(&line),
            Form::Text => self.printer.data(line.said(first.map(|one| one.action), taken)),
        }
    }
}

fn class(about: &Returned) -> Option<&'static str> {
    about.verdict.map(|verdict| verdict.class.name())
}

fn several<'a>(incoming: &'a Incoming, received: &'a [Received]) -> Vec<About<'a>> {
    if incoming.about.len() < 2 {
        return Vec::new();
    }
    let about = incoming.about.iter().enumerate().map(|(at, about)| About {
        recipient: &about.address,
        severity: about.severity(),
        class: class(about),
        campaign: received.get(at).and_then(|one| one.campaign.as_deref()),
        suppressed: received.get(at).and_then(|one| one.suppressed),
    });
    about.collect()
}

impl Line<'_> {
    fn said(&self, action: Option<Action>, received: Option<&Received>) -> Text {
        let severity = self.severity.filter(|_| action != Some(Action::Delayed));
        let what = match self.kind {
            Kind::Bounce => Feedback::Bounce.said(severity),
            Kind::Complaint => Feedback::Complaint.said(None),
            Kind::Unsubscribe => Feedback::Unsubscribe.said(None),
            Kind::AutoReply => text!("automatic reply"),
            Kind::Other => text!("not a report"),
        };
        let file = self.file;
        let who = self.recipient.unwrap_or("–");
        let class = self.class.unwrap_or_default();
        became::line(
            text!("{file}: {what}  {who} {class}", file, what, who, class),
            received,
        )
    }
}

impl Tally {
    fn count(&mut self, incoming: &Incoming, received: &[Received]) {
        self.mails += 1;
        let kind = match incoming.kind {
            Kind::Bounce => &mut self.bounces,
            Kind::Complaint => &mut self.complaints,
            Kind::Unsubscribe => &mut self.wishes,
            Kind::AutoReply => &mut self.replies,
            Kind::Other => &mut self.others,
        };
        *kind += 1;
        self.sum.count(received);
    }

    /// Was there nothing?
    pub(super) fn is_empty(&self) -> bool {
        self.mails == 0
    }

    /// Says it.
    pub(super) fn say(&self, is_dry: bool, printer: Printer) {
        printer.say(text!(
            "{mails} read – bounces: {bounces}, complaints: {complaints}, wishes to unsubscribe: {wishes}, automatic replies: \
             {replies}, others: {others}",
            mails = mails(self.mails),
            bounces = self.bounces,
            complaints = self.complaints,
            wishes = self.wishes,
            replies = self.replies,
            others = self.others
        ));
        self.sum.say(is_dry, printer);
    }
}
