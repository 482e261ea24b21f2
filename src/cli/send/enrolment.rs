//! From the user's files to a campaign on record: checked, compared with what it was begun with, enrolled.
//!
//! It is as long as it is because each way in which a campaign may differ from what it began with is refused in words of
//! its own.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;

use super::super::check::{self, Invalid};
use super::super::counted::{deliveries, duplicates, files, mails, recipients, waiting, warnings};
use super::super::exit::{Coded, Exit};
use super::super::load;
use super::super::printer::{Printer, number};
use super::{Job, OnDoubt};
use crate::campaign::octets::Octets;
use crate::campaign::{Inputs, Problem, Problems, folder_before_tags};
use crate::depot::{Access, Depot};
use crate::enrol::{self, Changes, Roll, Snapshot};
use crate::ledger::read::Reader;
use crate::ledger::{CampaignId, Ledger, Registered};
use crate::mail::{Address, BigFile, Mails, Recipient};
use crate::pipeline::Maker;
use crate::source::{Intake, List, RowReader};
use crate::text;
use crate::words::Text;

/// A campaign that is checked, but of which nothing new is on record yet.
pub(super) struct Enrolment {
    /// What the ledger knows of it already.
    pub(super) known: Option<Registered>,
    /// Lines that say what will happen.
    pub(super) plan: Vec<Text>,
    /// Mails that wait to be sent.
    pub(super) waiting: u64,
    list: List,
    maker: Maker,
    snapshot: Snapshot,
    inputs: String,
    is_changed: bool,
    /// What a changed list changes for a campaign that has begun.
    changes: Changes,
    /// What mails link to.
    linked: Vec<BigFile>,
    /// Where it lies, once it was put there.
    depot: Option<Arc<Depot>>,
}

/// A campaign whose recipients are all on record.
pub(super) struct Enrolled {
    /// Its number in the ledger.
    pub(super) id: CampaignId,
    /// Mails that wait to be sent.
    pub(super) waiting: u64,
    /// Makes its mails.
    pub(super) maker: Maker,
    /// Reads its rows again.
    pub(super) rows: RowReader,
    /// What mails link to, and where it lies.
    pub(super) published: Option<(Arc<Depot>, Vec<BigFile>)>,
}

impl Enrolment {
    /// Checks the campaign, unless it was checked with the very same inputs before.
    pub(super) async fn prepare(job: &Job<'_>, ledger: &Ledger) -> anyhow::Result<Self> {
        let campaign = &job.campaign;
        let intake = Intake::open(&campaign.recipients, &campaign.list).map_err(Problems::from)?;
        let snapshot = enrol::snapshot(intake.text(), &job.workspace.ledger)?;
        let known = ledger
            .find(&campaign.name)
            .await?
            .filter(|known| known.is_enrolled);
        let list = List::of(intake.kept_at(snapshot.path.clone()), &campaign.list)?;
        let maker = load::maker_for(&job.workspace, campaign, &list, String::new())?;
        let root = &job.workspace.root;
        let sources = maker.templates().sources().map(|(path, text)| {
            (
                path.strip_prefix(root).unwrap_or(path).display().to_string(),
                text,
            )
        });
        let inputs = Inputs::new(campaign, &snapshot.digest, sources)
            .with_files(shared_files(job).chain(maker.images()));
        let text = serde_json::to_string(&inputs).context("note the inputs")?;
        let is_changed = known.as_ref().is_none_or(|known| known.inputs != text);
        let mut enrolment = Self {
            known,
            plan: Vec::new(),
            waiting: 0,
            list,
            maker,
            snapshot,
            inputs: text,
            is_changed,
            changes: Changes::default(),
            linked: Vec::new(),
            depot: None,
        };
        // Files in volumes may be one recipient's own, which are no inputs of all mails.
        let is_compared = is_changed || campaign.has_volumes();
        if let Some(known) = enrolment.known.as_ref().filter(|_| is_compared) {
            let reader = Reader::open(&job.workspace.ledger)?.context("the ledger is gone")?;
            let changes = {
                let mails = enrolment.mails_each(job);
                enrol::compare(&reader, known.id, enrolment.roll(&mails))?
            };
            enrolment.is_changed |= changes.recut > 0;
            enrolment.changes = changes;
        }
        let is_changed = enrolment.is_changed;
        enrolment.refuse_the_same_content(job)?;
        enrolment.refuse_torn()?;
        if is_changed {
            enrolment.refuse_changes(job, &inputs)?;
            enrolment.check(job)?;
        } else if enrolment.maker.templates().have_own_files() {
            enrolment.check_files(job)?;
        }
        enrolment.count_waiting(job)?;
        enrolment.note_links()?;
        Ok(enrolment)
    }

    /// Reads every row and makes every mail once.
    fn check(&mut self, job: &Job<'_>) -> anyhow::Result<()> {
        let invalid = Invalid::from_flag(job.args.skip_invalid);
        let found = check::all(&job.workspace, &self.list, &self.maker, invalid, job.printer)?;
        self.waiting = found.mails;
        if job.args.strict && !found.warnings.is_empty() {
            return Err(check::strictly(&found).into());
        }
        if !found.warnings.is_empty() {
            self.plan.push(text!(
                "{warnings}: `mailshot check {name}` has them",
                warnings = warnings(found.warnings.len() as u64),
                name = job.campaign.name
            ));
        }
        let checked = recipients(found.usable);
        self.plan.push(match found.duplicates {
            0 => text!("{recipients} checked", recipients = checked),
            many => text!(
                "{recipients} checked, {duplicates} kept once",
                recipients = checked,
                duplicates = duplicates(many)
            ),
        });
        if found.mails > found.usable {
            self.plan.push(text!(
                "{mails}: files come in volumes",
                mails = mails(found.mails)
            ));
        }
        if found.usable == 0 && self.known.is_none() {
            return Err(check::nobody(&self.list, &found));
        }
        Ok(())
    }

    /// The mails that each recipient gets.
    fn mails_each(&self, job: &Job<'_>) -> impl Fn(&Recipient) -> Result<Mails, Problem> {
        let now_ms = job.clock.now_ms();
        move |recipient| self.maker.mails(recipient, now_ms)
    }

    fn roll<'a>(&'a self, mails: &'a dyn Fn(&Recipient) -> Result<Mails, Problem>) -> Roll<'a> {
        Roll {
            list: &self.list,
            mails,
        }
    }

    /// Puts the files where links lead to, before anybody gets a link. From now on links are signed for real.
    pub(super) async fn publish(mut self, job: &Job<'_>) -> anyhow::Result<Self> {
        if job.access == Access::None {
            return Ok(self);
        }
        let hint = text!("nothing was sent; see [files] in mailshot.toml");
        let refused = |error: anyhow::Error| Coded::new(Exit::Io, Text::error(&error)).hint(&hint);
        let Some(depot) = load::depot(&job.workspace, &job.campaign, job.access).map_err(refused)? else {
            return Ok(self);
        };
        let (new, size) = depot
            .put(&self.linked, job.clock.now_ms())
            .await
            .map_err(refused)?;
        if new > 0 {
            job.printer.say(text!(
                "{files} put behind links, {size}",
                files = files(new),
                size
            ));
        }
        let depot = Arc::new(depot);
        self.maker = self.maker.with_depot(Arc::clone(&depot));
        self.depot = Some(depot);
        Ok(self)
    }

    /// Files that are one recipient's may have gone since the campaign began: they are no inputs of all mails.
    fn check_files(&self, job: &Job<'_>) -> anyhow::Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        let reader = Reader::open(&job.workspace.ledger)?.context("the ledger is gone")?;
        let now_ms = job.clock.now_ms();
        let mut problems = Problems::default();
        enrol::each_waiting(&reader, known.id, &self.list, |recipient| {
            if let Err(problem) = self.maker.make_to_check(recipient, now_ms) {
                problems.push(problem);
            }
        })?;
        Ok(problems.or_ok(())?)
    }

    /// All that mails link to is known by now.
    fn note_links(&mut self) -> anyhow::Result<()> {
        self.linked = self.maker.linked().map_err(Problems::from)?;
        if !self.linked.is_empty() {
            let files = files(self.linked.len() as u64);
            let size = Octets(self.linked.iter().map(|file| file.size).sum());
            self.plan.push(text!("{files} behind links, {size}", files, size));
        }
        Ok(())
    }

    fn count_waiting(&mut self, job: &Job<'_>) -> anyhow::Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        let reader = Reader::open(&job.workspace.ledger)?.context("the ledger is gone")?;
        let tally = reader.tally(known.id)?;
        self.waiting = (tally.pending + self.changes.added).saturating_sub(self.changes.gone);
        self.plan.push(text!(
            "goes on: {sent} of {all} sent, {waiting}",
            sent = number(tally.sent),
            all = number(tally.recipients + self.changes.added),
            waiting = waiting(self.waiting)
        ));
        let held = tally.in_doubt;
        if held > 0 && job.args.on_doubt == OnDoubt::Hold {
            let (name, many) = (&job.campaign.name, deliveries(held));
            self.plan.push(if held == 1 {
                text!(
                    "{many} in doubt is held back; see `mailshot resolve {name}`",
                    many,
                    name
                )
            } else {
                text!(
                    "{many} in doubt are held back; see `mailshot resolve {name}`",
                    many,
                    name
                )
            });
        }
        Ok(())
    }

    /// What the server refused again and again is not offered to it again: it would fail person after person.
    fn refuse_the_same_content(&self, job: &Job<'_>) -> anyhow::Result<()> {
        let is_refused = self.known.as_ref().is_some_and(|known| known.is_content_refused);
        if !is_refused || self.is_changed {
            return Ok(());
        }
        let what = text!(
            "the server refused the mails of `{name}` again and again; they are not offered again",
            name = job.campaign.name
        );
        let hint = text!(
            "nothing was sent; change what it objects to (`mailshot status` has its words), and go on with \
                    --accept-changes: those who were refused are tried again"
        );
        Err(Coded::new(Exit::TempFail, what).hint(hint).into())
    }

    /// Volumes of a file as it was and as it is cannot be put together, whatever the user says.
    fn refuse_torn(&self) -> anyhow::Result<()> {
        let torn = &self.changes.torn;
        if torn.is_empty() {
            return Ok(());
        }
        let some: Vec<&str> = torn.iter().take(5).map(Address::as_str).collect();
        let more = if torn.len() > some.len() { ", …" } else { "" };
        let what = text!(
            "{recipients} got some volumes of files that were edited since; the others would not fit them: {addresses}",
            recipients = recipients(torn.len() as u64),
            addresses = format!("{}{more}", some.join(", "))
        );
        let hint = text!(
            "nothing was sent; put the files back as they were until these volumes are out, or leave these \
                    people out with `exclude`, and mail them by a campaign of a new name"
        );
        Err(Coded::new(Exit::Data, what).hint(hint).into())
    }

    /// A campaign that was begun with other inputs goes on only when the user says so.
    fn refuse_changes(&self, job: &Job<'_>, inputs: &Inputs) -> anyhow::Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        let before = inputs_of(known)?;
        let mut lines = before.differences(inputs);
        if before.list != inputs.list {
            lines.push(text!(
                "list {list} was edited: {added} new, {gone} gone who still waited",
                list = job.campaign.recipients.display(),
                added = recipients(self.changes.added),
                gone = number(self.changes.gone)
            ));
        }
        if self.changes.recut > 0 && lines.is_empty() {
            let many = recipients(self.changes.recut);
            lines.push(text!("files in volumes were edited, those of {many}", many));
        }
        // An enrolment was cut short, and its changes were undone: it is only gone through again.
        if lines.is_empty() {
            return Ok(());
        }
        if job.args.accept_changes {
            job.printer
                .say(text!("changed since `{name}` began:", name = job.campaign.name));
            for line in &lines {
                job.printer.say(text!("  {line}", line));
            }
            return Ok(());
        }
        let what = text!(
            "`{name}` has changed since it began:\n  {lines}",
            name = job.campaign.name,
            lines = Text::joined(lines, "\n  ")
        );
        let hint = text!(
            "nothing was sent; undo the changes, or go on with them with --accept-changes \
                    (what was sent stays sent, people gone from the list are left out); \
                    for a new mailing give the campaign a new name"
        );
        Err(Coded::new(Exit::Data, what).hint(hint).into())
    }

    /// Puts everyone on record.
    pub(super) async fn finish(self, job: &Job<'_>, ledger: &Ledger) -> anyhow::Result<Enrolled> {
        let campaign = &job.campaign;
        let (account, now_ms) = (&campaign.account.name, job.clock.now_ms());
        let path = campaign.recipients.display().to_string();
        let registered = match &self.known {
            Some(known) => known.clone(),
            None => {
                ledger
                    .register(&campaign.name, account, &self.inputs, now_ms)
                    .await?
            }
        };
        let list_id = ledger.add_list(&self.snapshot.digest, &path).await?;
        if self.is_changed {
            let reader = match self.known {
                Some(_) => Reader::open(&job.workspace.ledger)?,
                None => None,
            };
            if reader.is_none() {
                ledger.drop_partial(registered.id).await?;
            }
            if let Some(known) = &self.known {
                let mut before = inputs_of(known)?;
                before.is_under_way = true;
                let text = serde_json::to_string(&before).context("note the inputs")?;
                ledger.enrolled(known.id, &known.account, &text, now_ms).await?;
            }
            // Before those who wait are pointed to their rows: whoever has none in this list is withdrawn.
            let revived = ledger.revive(registered.id).await?;
            say_revived(revived, job.printer);
            let mails = self.mails_each(job);
            let roll = self.roll(&mails);
            let enrolled = enrol::enrol(ledger, reader.as_ref(), registered.id, roll, list_id).await?;
            say_suppressed(enrolled.suppressed, job.printer);
            // Before the inputs are: a run that is killed here has to find out again who is not meant.
            ledger.withdraw(registered.id, list_id, enrolled.surplus).await?;
            ledger
                .enrolled(registered.id, account, &self.inputs, now_ms)
                .await?;
        } else {
            ledger.withdraw(registered.id, list_id, Vec::new()).await?;
        }
        let rows = self.list.row_reader()?;
        Ok(Enrolled {
            id: registered.id,
            waiting: self.waiting,
            maker: self.maker.known_as(registered.uid),
            rows,
            published: self.depot.map(|depot| (depot, self.linked)),
        })
    }
}

/// Says how many wait again that were refused for their content, which has changed.
fn say_revived(revived: u64, printer: Printer) {
    if revived > 0 {
        printer.say(text!(
            "{deliveries} refused for their content wait again",
            deliveries = deliveries(revived)
        ));
    }
}

/// Says how many are never to be mailed.
fn say_suppressed(suppressed: u64, printer: Printer) {
    if suppressed == 1 {
        printer.say(text!("1 recipient is on the suppression list and left out"));
    } else if suppressed > 1 {
        printer.say(text!(
            "{n} recipients are on the suppression list and left out",
            n = number(suppressed)
        ));
    }
}

/// Files that all mails share, and lists that say who is not meant. What is one recipient's is read when it is sent.
fn shared_files(job: &Job<'_>) -> impl Iterator<Item = (String, PathBuf)> {
    let root = job.workspace.root.clone();
    let own = root.clone();
    let attached = job
        .campaign
        .attachments
        .iter()
        .map(move |attachment| (attachment.file.clone(), own.join(&attachment.file)));
    let excluded = job.campaign.list.exclude.iter().map(move |path| {
        (
            path.strip_prefix(&root).unwrap_or(path).display().to_string(),
            path.clone(),
        )
    });
    attached
        .filter(|(name, _)| folder_before_tags(name).is_none())
        .chain(excluded)
}

/// What a campaign was checked with when it last ran.
fn inputs_of(known: &Registered) -> anyhow::Result<Inputs> {
    serde_json::from_str(&known.inputs).context("read the inputs of the last run")
}
