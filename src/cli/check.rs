//! `mailshot check`: every row is read, every mail is made once, nothing is sent.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::exit::Exit;
use super::printer::{Form, Printer, count, number};
use super::{load, texts};
use crate::campaign::{Campaign, Problems, Workspace};
use crate::check::{Findings, check};
use crate::clock::Clock;
use crate::pipeline::Maker;
use crate::source::{List, Rejected};

/// Gmail cuts mails off from about this size on, and the footer with them.
const CLIPPED_FROM: usize = 102 * 1_024;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::CHECK)]
pub(super) struct Args {
    /// The campaign: its file, or its name
    campaign: String,
    /// Leave out rows that cannot be used; they go to rejected.csv
    #[arg(long)]
    skip_invalid: bool,
}

/// What to do with rows that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    /// They are problems.
    Refuse,
    /// They are left out, and written to `rejected.csv`.
    Skip,
}

impl Invalid {
    pub(super) fn from_flag(skip_invalid: bool) -> Self {
        if skip_invalid { Self::Skip } else { Self::Refuse }
    }
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let (workspace, campaign) = load::campaign(&args.campaign)?;
    let (list, maker) = load::maker(&workspace, &campaign, load::uid(&workspace, &campaign)?)?;
    let findings = all(
        &workspace,
        &list,
        &maker,
        Invalid::from_flag(args.skip_invalid),
        printer,
    )?;
    match printer.form {
        Form::Json => {
            printer.json(&json!({ "campaign": campaign.name, "problems": [], "findings": findings }));
        }
        Form::Text => describe(&campaign, &findings, printer),
    }
    Ok(Exit::Ok)
}

/// Checks everything. Problems are an error; rows left out are counted and written to `rejected.csv`.
pub(super) fn all(
    workspace: &Workspace,
    list: &List,
    maker: &Maker,
    invalid: Invalid,
    printer: Printer,
) -> anyhow::Result<Findings> {
    let mut file = RejectedFile {
        path: workspace.root.join("rejected.csv"),
        file: None,
    };
    let findings = check(maker, list, Clock::System.now_ms(), |row| match invalid {
        Invalid::Skip => file.write(row),
        Invalid::Refuse => Ok(()),
    })?;
    let campaign = maker.campaign();
    let mut problems = Problems::default();
    if invalid == Invalid::Refuse && findings.rejected > 0 {
        problems.title = Some(format!(
            "{} of {} cannot be used",
            count(findings.rejected, "row"),
            campaign.recipients.display()
        ));
        problems.extend(named(findings.row_problems.clone(), list.path(), campaign));
        problems.advice = Some("fix the rows, or leave them out with `--skip-invalid`".to_owned());
    }
    problems.extend(findings.mail_problems.clone());
    problems.or_ok(())?;
    if findings.rejected > 0 {
        printer.warn(&format!(
            "{} left out; see {}",
            count(findings.rejected, "row"),
            file.path.display()
        ));
    }
    Ok(findings)
}

/// Problems of the snapshot are problems of the user's file.
pub(super) fn named(mut problems: Problems, snapshot: &Path, campaign: &Campaign) -> Problems {
    for problem in problems
        .kept
        .iter_mut()
        .filter(|problem| problem.file == snapshot)
    {
        problem.file.clone_from(&campaign.recipients);
    }
    problems
}

pub(super) fn describe(campaign: &Campaign, findings: &Findings, printer: Printer) {
    printer.data(&format!("{}: all is well", campaign.name));
    printer.data(&format!("  recipients   {}", number(findings.usable)));
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
        printer.data(&format!(
            "  duplicates   {} kept once ({}{more})",
            number(findings.duplicates),
            lines.join(", ")
        ));
    }
    if findings.rejected > 0 {
        printer.data(&format!("  left out     {}", count(findings.rejected, "row")));
    }
    printer.data(&format!(
        "  largest mail {} kB",
        number(findings.largest.div_ceil(1_000) as u64)
    ));
    if findings.largest > CLIPPED_FROM {
        printer.warn("warning: Gmail cuts off mails of more than about 102 kB, and the footer with them");
    }
    if findings.usable == 0 {
        printer.warn("warning: there is nobody to mail");
    }
}

/// Rows left out, with the reason beside each: made only when there is one.
struct RejectedFile {
    path: PathBuf,
    file: Option<std::io::BufWriter<std::fs::File>>,
}

impl RejectedFile {
    fn write(&mut self, row: &Rejected) -> anyhow::Result<()> {
        let failed = || format!("write {}", self.path.display());
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let mut file = std::io::BufWriter::new(std::fs::File::create(&self.path).with_context(failed)?);
            writeln!(file, "line,column,reason,row").with_context(failed)?;
            self.file.insert(file)
        };
        let mut line = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(Vec::new());
        let (at, column) = (row.place.line.to_string(), row.problem.column.to_string());
        line.write_record([&at, &column, &row.problem.what, &row.raw])?;
        file.write_all(&line.into_inner()?).with_context(failed)
    }
}
