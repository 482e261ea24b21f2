//! `mailshot check`: every row is read, every mail is made once, nothing is sent.

use serde_json::json;

use super::diagnostic;
use super::exit::{Coded, Exit};
use super::left_out::{LeftOutFile, REJECTED, WITHHELD};
use super::list::ListFlags;
use super::printer::{Form, Printer, addresses, count, number};
use super::secret::age::{self, Strictness};
use super::{load, texts};
use crate::campaign::octets::Octets;
use crate::campaign::{Campaign, Problems, Workspace};
use crate::check::{Findings, LeftOut, check};
use crate::clock::Clock;
use crate::pipeline::Maker;
use crate::source::List;
use crate::text;

/// Warnings shown on the screen.
const WARNINGS_SHOWN: usize = 20;
/// Repaired addresses named on the screen.
const REPAIRED_SHOWN: usize = 5;
/// Withheld people named on the screen.
const WITHHELD_SHOWN: usize = 5;

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
        LeftOut::Withheld(row) => withheld.write([&row.line.to_string(), &row.email, &row.reason]),
    })?;
    say_origin(list, printer);
    let mut problems = Problems::default();
    if invalid == Invalid::Refuse && findings.rejected > 0 {
        let title = format!(
            "{} of {} cannot be used",
            count(findings.rejected, "row"),
            campaign.recipients.display()
        );
        problems.title = Some(Box::new(title.into()));
        problems.extend(findings.row_problems.clone());
        problems.advice = Some(Box::new(text!(
            "fix the rows, or leave them out with `--skip-invalid`"
        )));
    }
    problems.extend(findings.mail_problems.clone());
    problems.or_ok(())?;
    if findings.rejected > 0 {
        printer.warn(format!(
            "{} left out; see {}",
            count(findings.rejected, "row"),
            rejected.path().display()
        ));
    }
    if findings.repaired > 0 {
        printer.say(format!("{} repaired", addresses(findings.repaired)));
        for row in findings.repaired_rows.iter().take(REPAIRED_SHOWN) {
            printer.say(format!("  line {}: {} → {}", row.line, row.from, row.to));
        }
        let more = findings.repaired.saturating_sub(REPAIRED_SHOWN as u64);
        if more > 0 {
            printer.say(format!("  and {} more", number(more)));
        }
    }
    if findings.withheld > 0 {
        printer.warn(format!(
            "{} not mailed, as the list itself says; see {}",
            people(findings.withheld),
            withheld.path().display()
        ));
        for row in findings.withheld_rows.iter().take(WITHHELD_SHOWN) {
            printer.say(format!("  line {}: {} ({})", row.line, row.email, row.reason));
        }
    }
    Ok(findings)
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
        printer.warn(diagnostic::warning(warning, printer.lang));
    }
    let more = findings.warnings.len().saturating_sub(WARNINGS_SHOWN) as u64;
    if more > 0 {
        printer.warn(format!("and {}", count(more, "more warning")));
    }
}

pub(super) fn describe(campaign: &Campaign, findings: &Findings, printer: Printer) {
    printer.data(format!("{}: all is well", campaign.name));
    printer.data(format!("  recipients   {}", number(findings.usable)));
    if findings.duplicates > 0 {
        let lines = findings
            .duplicate_lines
            .iter()
            .map(|(line, first)| format!("line {line} repeats line {first}"));
        let lines: Vec<String> = lines.take(5).collect();
        let more = if findings.duplicates > lines.len() as u64 {
            ", …"
        } else {
            ""
        };
        printer.data(format!(
            "  duplicates   {} kept once ({}{more})",
            number(findings.duplicates),
            lines.join(", ")
        ));
    }
    if findings.repaired > 0 {
        printer.data(format!("  repaired     {}", addresses(findings.repaired)));
    }
    if findings.withheld > 0 {
        printer.data(format!(
            "  withheld     {} not to be mailed, as the list says",
            number(findings.withheld)
        ));
    }
    for (many, why) in findings.not_meant.into_iter().zip(["where", "exclude", "sample"]) {
        if many > 0 {
            printer.data(format!("  not meant    {}, by `{why}`", number(many)));
        }
    }
    if findings.rejected > 0 {
        printer.data(format!("  left out     {}", count(findings.rejected, "row")));
    }
    for (name, people) in &findings.editions {
        let name = if name.is_empty() { "(no language)" } else { name };
        printer.data(format!("  edition      {name}: {}", number(*people)));
    }
    if findings.mails > findings.usable {
        let mails = number(findings.mails);
        printer.data(format!("  mails        {mails}: files come in volumes"));
    }
    printer.data(format!("  largest mail {}", Octets(findings.largest as u64)));
}

/// Nobody is left to mail: that must not look like success, from cron least of all.
pub(super) fn nobody(list: &List, findings: &Findings) -> anyhow::Error {
    let [by_where, by_exclude, by_sample] = findings.not_meant;
    let why: Vec<String> = [
        (by_where, "not meant by `where`"),
        (by_exclude, "on a list of `exclude`"),
        (by_sample, "not in the `sample`"),
        (findings.withheld, "withheld, as the list says"),
        (findings.rejected, "cannot be used"),
    ]
    .into_iter()
    .filter(|(many, _)| *many > 0)
    .map(|(many, why)| format!("{} {why}", number(many)))
    .collect();
    let why = if why.is_empty() {
        "it has no rows".to_owned()
    } else {
        why.join(", ")
    };
    let what = format!(
        "{} has nobody to mail: {why}; nothing was sent",
        list.path().display()
    );
    Coded::new(Exit::Data, what).into()
}

/// Says how a list was read that is not plain CSV in UTF-8, with a piece of it, so that a wrong guess is seen.
fn say_origin(list: &List, printer: Printer) {
    let origin = list.origin();
    let form = match (&origin.sheet, origin.encoding) {
        (Some(sheet), _) => Some(format!("sheet `{sheet}` of a workbook (.{})", origin.format)),
        (None, Some(encoding)) if !origin.is_text() => Some(format!("a table of a web page in {encoding}")),
        (None, Some("UTF-8") | None) => None,
        (None, Some(encoding)) => Some(encoding.to_owned()),
    };
    if let Some(form) = form {
        let sample = list
            .sample()
            .map(|sample| format!(": {sample}"))
            .unwrap_or_default();
        printer.say(format!("{} was read as {form}{sample}", list.path().display()));
    }
    for note in &origin.notes {
        printer.warn(format!("warning: {note}"));
    }
}

fn people(count: u64) -> String {
    format!(
        "{} {}",
        number(count),
        if count == 1 { "person is" } else { "people are" }
    )
}
