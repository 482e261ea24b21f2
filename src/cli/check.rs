//! `mailshot check`: every row is read, every mail is made once, nothing is sent.

use std::path::Path;

use serde_json::json;

use super::counted::{addresses, rows};
use super::diagnostic;
use super::exit::{Coded, Exit};
use super::left_out::{LeftOutFile, REJECTED, WITHHELD};
use super::list::ListFlags;
use super::printer::{Form, Printer, number};
use super::secret::age::{self, Strictness};
use super::{load, texts};
use crate::campaign::octets::Octets;
use crate::campaign::{Campaign, Problems, Workspace};
use crate::check::{Findings, LeftOut, check};
use crate::clock::Clock;
use crate::pipeline::Maker;
use crate::source::List;
use crate::text;
use crate::words::Text;

/// Warnings shown on the screen.
const WARNINGS_SHOWN: usize = 20;
/// Repaired addresses named on the screen.
const REPAIRED_SHOWN: usize = 5;
/// Withheld people named on the screen.
const WITHHELD_SHOWN: usize = 5;
/// Duplicates named on the screen.
const DUPLICATES_SHOWN: usize = 5;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::CHECK)]
pub(super) struct Args {
    /// The campaign: its file, or its name
    campaign: String,
    /// Leave out rows that cannot be used; they go to rejected-CAMPAIGN.csv
    #[arg(long)]
    skip_invalid: bool,
    /// Take warnings for errors, and passwords of 90 days or more
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    list: ListFlags,
}

/// What to do with rows that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    /// They are problems.
    Refuse,
    /// They are left out, and written to `rejected-CAMPAIGN.csv`.
    Skip,
}

impl Invalid {
    pub(super) fn from_flag(skip_invalid: bool) -> Self {
        if skip_invalid { Self::Skip } else { Self::Refuse }
    }
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let (workspace, campaign) = load::campaign(&args.campaign, Some(args.list), printer)?;
    let (list, maker) = load::maker(&workspace, &campaign, load::uid(&workspace, &campaign)?)?;
    let findings = all(
        &workspace,
        &list,
        &maker,
        Invalid::from_flag(args.skip_invalid),
        printer,
    )?;
    if findings.usable == 0 {
        return Err(nobody(&list, &findings));
    }
    if args.strict && !findings.warnings.is_empty() {
        return Err(strictly(&findings).into());
    }
    let strictness = Strictness::from_flag(args.strict);
    age::look_at(&workspace, &campaign.account, None, strictness, printer)?;
    match printer.form {
        Form::Json => {
            printer.json(&json!({ "campaign": campaign.name, "problems": [], "findings": findings }));
        }
        Form::Text => {
            describe(&campaign, &findings, printer);
            warn(&findings, printer);
        }
    }
    Ok(Exit::Ok)
}

/// Checks everything. Problems are an error; rows left out are counted and written to files of the campaign's own.
pub(super) fn all(
    workspace: &Workspace,
    list: &List,
    maker: &Maker,
    invalid: Invalid,
    printer: Printer,
) -> anyhow::Result<Findings> {
    let campaign = maker.campaign();
    let beside = |kind: &str| workspace.root.join(format!("{kind}-{}.csv", campaign.name));
    let mut rejected = LeftOutFile::new(beside("rejected"), REJECTED);
    let mut withheld = LeftOutFile::new(beside("withheld"), WITHHELD);
    let findings = check(maker, list, Clock::System.now_ms(), |row| match row {
        LeftOut::Rejected(_) if invalid == Invalid::Refuse => Ok(()),
        LeftOut::Rejected(row) => rejected.write_rejected(row),
        LeftOut::Withheld(row) => {
            withheld.write([&row.line.to_string(), &row.email, &row.reason.to_string()])
        }
    })?;
    say_origin(list, printer);
    let mut problems = Problems::default();
    if invalid == Invalid::Refuse && findings.rejected > 0 {
        problems.title = Some(Box::new(text!(
            "{rows} of {list} cannot be used",
            rows = rows(findings.rejected),
            list = campaign.recipients.display()
        )));
        problems.extend(findings.row_problems.clone());
        problems.advice = Some(Box::new(text!(
            "fix the rows, or leave them out with `--skip-invalid`"
        )));
    }
    problems.extend(findings.mail_problems.clone());
    problems.or_ok(())?;
    say_left_out(&findings, rejected.path(), withheld.path(), printer);
    Ok(findings)
}

/// Says who is left out, why, and in which file they are, and what was repaired.
fn say_left_out(findings: &Findings, rejected: &Path, withheld: &Path, printer: Printer) {
    if findings.rejected > 0 {
        printer.warn(text!(
            "{rows} left out; see {path}",
            rows = rows(findings.rejected),
            path = rejected.display()
        ));
    }
    if findings.repaired > 0 {
        printer.say(text!(
            "{addresses} repaired",
            addresses = addresses(findings.repaired)
        ));
        for row in findings.repaired_rows.iter().take(REPAIRED_SHOWN) {
            printer.say(text!(
                "  line {line}: {from} → {to}",
                line = row.line,
                from = row.from,
                to = row.to
            ));
        }
        let more = findings.repaired.saturating_sub(REPAIRED_SHOWN as u64);
        if more > 0 {
            printer.say(text!("  and {more} more", more = number(more)));
        }
    }
    if findings.withheld > 0 {
        let path = withheld.display();
        printer.warn(if findings.withheld == 1 {
            text!(
                "1 person is not mailed, as the list itself says; see {path}",
                path
            )
        } else {
            text!(
                "{n} people are not mailed, as the list itself says; see {path}",
                n = number(findings.withheld),
                path
            )
        });
        for row in findings.withheld_rows.iter().take(WITHHELD_SHOWN) {
            printer.say(text!(
                "  line {line}: {email} ({reason})",
                line = row.line,
                email = row.email,
                reason = row.reason
            ));
        }
    }
}

/// Warnings, taken for errors.
pub(super) fn strictly(findings: &Findings) -> Problems {
    let mut problems = Problems::default();
    findings
        .warnings
        .iter()
        .cloned()
        .for_each(|warning| problems.push(warning));
    problems.advice = Some(Box::new(text!("without --strict these are warnings")));
    problems
}

/// Shows warnings; a few of them, when they are many.
pub(super) fn warn(findings: &Findings, printer: Printer) {
    for warning in findings.warnings.iter().take(WARNINGS_SHOWN) {
        printer.warn(Text::from(diagnostic::warning(warning, printer.lang)));
    }
    let more = findings.warnings.len().saturating_sub(WARNINGS_SHOWN) as u64;
    if more > 0 {
        printer.warn(if more == 1 {
            text!("and 1 more warning")
        } else {
            text!("and {n} more warnings", n = number(more))
        });
    }
}

pub(super) fn describe(campaign: &Campaign, findings: &Findings, printer: Printer) {
    printer.data(text!("{name}: all is well", name = campaign.name));
    printer.data(text!("  recipients   {usable}", usable = number(findings.usable)));
    if findings.duplicates > 0 {
        let shown = findings.duplicate_lines.iter().take(DUPLICATES_SHOWN);
        let mut lines: Vec<Text> = shown
            .map(|(line, first)| text!("line {line} repeats line {first}", line = *line, first = *first))
            .collect();
        if findings.duplicates > lines.len() as u64 {
            lines.push(Text::from("…"));
        }
        printer.data(text!(
            "  duplicates   {n} kept once ({lines})",
            n = number(findings.duplicates),
            lines = Text::joined(lines, ", ")
        ));
    }
    if findings.repaired > 0 {
        printer.data(text!(
            "  repaired     {addresses}",
            addresses = addresses(findings.repaired)
        ));
    }
    if findings.withheld > 0 {
        printer.data(text!(
            "  withheld     {withheld} not to be mailed, as the list says",
            withheld = number(findings.withheld)
        ));
    }
    describe_rest(findings, printer);
}

/// Who is not meant or left out, and what the mails are like.
fn describe_rest(findings: &Findings, printer: Printer) {
    for (many, why) in findings.not_meant.into_iter().zip(["where", "exclude", "sample"]) {
        if many > 0 {
            printer.data(text!(
                "  not meant    {many}, by `{why}`",
                many = number(many),
                why
            ));
        }
    }
    if findings.rejected > 0 {
        printer.data(text!(
            "  left out     {rejected}",
            rejected = rows(findings.rejected)
        ));
    }
    for (name, people) in &findings.editions {
        let name = if name.is_empty() {
            text!("(no language)")
        } else {
            Text::from(name)
        };
        printer.data(text!(
            "  edition      {name}: {people}",
            name,
            people = number(*people)
        ));
    }
    if findings.mails > findings.usable {
        let mails = number(findings.mails);
        printer.data(text!("  mails        {mails}: files come in volumes", mails));
    }
    printer.data(text!(
        "  largest mail {size}",
        size = Octets(findings.largest as u64)
    ));
}

/// Nobody is left to mail: that must not look like success, from cron least of all.
pub(super) fn nobody(list: &List, findings: &Findings) -> anyhow::Error {
    let [by_where, by_exclude, by_sample] = findings.not_meant;
    let why: Vec<Text> = [
        (by_where, text!("{n} not meant by `where`", n = number(by_where))),
        (
            by_exclude,
            text!("{n} on a list of `exclude`", n = number(by_exclude)),
        ),
        (by_sample, text!("{n} not in the `sample`", n = number(by_sample))),
        (
            findings.withheld,
            text!("{n} withheld, as the list says", n = number(findings.withheld)),
        ),
        (
            findings.rejected,
            text!("{n} cannot be used", n = number(findings.rejected)),
        ),
    ]
    .into_iter()
    .filter(|(many, _)| *many > 0)
    .map(|(_, why)| why)
    .collect();
    let why = if why.is_empty() {
        text!("it has no rows")
    } else {
        Text::joined(why, ", ")
    };
    let what = text!(
        "{list} has nobody to mail: {why}; nothing was sent",
        list = list.path().display(),
        why
    );
    Coded::new(Exit::Data, what).into()
}

/// Says how a list was read that is not plain CSV in UTF-8, with a piece of it, so that a wrong guess is seen.
fn say_origin(list: &List, printer: Printer) {
    let origin = list.origin();
    let form = match (&origin.sheet, origin.encoding) {
        (Some(sheet), _) => Some(text!(
            "sheet `{sheet}` of a workbook (.{format})",
            sheet,
            format = origin.format
        )),
        (None, Some(encoding)) if !origin.is_text() => {
            Some(text!("a table of a web page in {encoding}", encoding))
        }
        (None, Some("UTF-8") | None) => None,
        (None, Some(encoding)) => Some(Text::from(encoding)),
    };
    if let Some(form) = form {
        let list_shown = list.path().display();
        printer.say(match list.sample() {
            Some(sample) => text!(
                "{list} was read as {form}: {sample}",
                list = list_shown,
                form,
                sample
            ),
            None => text!("{list} was read as {form}", list = list_shown, form),
        });
    }
    for note in &origin.notes {
        printer.warn(text!("warning: {note}", note));
    }
}
