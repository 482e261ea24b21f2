//! `mailshot report`: what became of a campaign's mails: how they stand, what servers said, what came back; for people, for
//! spreadsheets, and as a page.

mod counts;
mod page;
mod said;
mod story;
mod unknown;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer};
use super::{load, texts};
use crate::campaign::limits::Limits;
use crate::campaign::plain;
use crate::ledger::read::{Came, Fate, Reader};
use crate::ledger::{CampaignId, DeliveryId};
use crate::replies::Rules;
use crate::text;
use crate::words::Lang;
use counts::{Counts, Families, agree};
use unknown::{Unknown, alike};

#[derive(Debug, clap::Args)]
#[command(after_help = texts::REPORT)]
pub(super) struct Args {
    /// The campaign: its file, or its name
    campaign: String,
    /// Write every recipient with their story to this CSV file; `-` writes to stdout
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the report as a page, with charts; it prints well
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// What a report says.
#[derive(Serialize)]
struct Report {
    campaign: String,
    #[serde(flatten)]
    counts: Counts,
    /// Why the campaign is held, if it is.
    held: Option<String>,
    /// By family of destinations; the empty name has those of none.
    families: Families,
    /// Mails by what servers said to them last, unless that was a yes.
    replies: Vec<OfClass>,
    /// What no rule knows.
    unknown: Vec<Unknown>,
    /// How much may come back.
    #[serde(skip)]
    limits: Limits,
}

#[derive(Serialize)]
struct OfClass {
    class: String,
    mails: u32,
}

/// A campaign on record.
struct Book {
    reader: Reader,
    id: CampaignId,
    came: HashMap<DeliveryId, Vec<Came>>,
    rules: std::sync::Arc<Rules>,
}

impl Book {
    /// Goes through all mails, with what came back from each and the family of its destination.
    fn each(&self, mut each: impl FnMut(&Fate, &[Came], &str) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.reader.each_fate(self.id, |fate| {
            let came = self.came.get(&fate.id).map(Vec::as_slice).unwrap_or_default();
            let domain = fate.address.rsplit_once('@').map_or("", |(_, domain)| domain);
            let family = self
                .rules
                .family_of(&domain.to_lowercase())
                .unwrap_or_default()
                .to_owned();
            each(&fate, came, &family)
        })
    }
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(Some(args.campaign.as_str()))?;
    let name = load::campaign_name(&args.campaign, &workspace)?;
    let reader = Reader::open(&workspace.ledger)?;
    let known = reader
        .as_ref()
        .map(|reader| reader.campaign(&name))
        .transpose()?
        .flatten();
    let (Some(reader), Some(id)) = (reader, known) else {
        let what = text!("nothing of `{name}` was sent yet", name);
        let hint = text!("`mailshot status` lists what was");
        return Err(Coded::new(Exit::Data, what).hint(hint).into());
    };
    let book = Book {
        came: reader.came_back(id)?,
        rules: Rules::with(&workspace.rules),
        reader,
        id,
    };
    let report = report(&book, name, workspace.limits)?;
    if let Some(path) = &args.csv {
        csv(&book, path, printer)?;
    }
    if let Some(path) = &args.html {
        let page = page::page(&report, printer.lang)?;
        std::fs::write(path, page).map_err(|error| cannot_write(path, &error))?;
        printer.say(text!("the report is in {file}", file = path.display()));
    }
    match printer.form {
        Form::Json => printer.json(&report),
        // A table on stdout is all that belongs there.
        Form::Text if args.csv.as_deref() == Some(Path::new("-")) => {}
        Form::Text => said::say(&report, printer),
    }
    Ok(Exit::Ok)
}

fn report(book: &Book, campaign: String, limits: Limits) -> anyhow::Result<Report> {
    let mut all = Counts::default();
    let mut families = Families::new();
    book.each(|fate, came, family| {
        all.add(fate, came);
        match families.get_mut(family) {
            Some(counts) => counts.add(fate, came),
            None => families.entry(family.to_owned()).or_default().add(fate, came),
        }
        Ok(())
    })?;
    anyhow::ensure!(agree(&all, &families), "the counts of {campaign} do not agree");
    let classes = book.reader.last_classes(book.id)?;
    Ok(Report {
        campaign,
        counts: all,
        held: book.reader.held(book.id)?,
        families,
        replies: classes
            .into_iter()
            .map(|(class, mails)| OfClass { class, mails })
            .collect(),
        unknown: alike(book.reader.unknown_replies(book.id)?),
        limits,
    })
}

fn csv(book: &Book, path: &Path, printer: Printer) -> anyhow::Result<()> {
    if path == Path::new("-") {
        return story::write(book, std::io::stdout().lock()).map(drop);
    }
    let file = std::fs::File::create(path).map_err(|error| cannot_write(path, &error))?;
    let mut file = std::io::BufWriter::new(file);
    // Spreadsheets read UTF-8 where this stands before it.
    file.write_all("\u{feff}".as_bytes()).context("write the table")?;
    let rows = story::write(book, file)?;
    printer.say(text!(
        "{rows} in {file}",
        rows = super::counted::rows(rows),
        file = path.display()
    ));
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Coded {
    let file = path.display().to_string();
    Coded::new(
        Exit::Io,
        text!("cannot write {file}: {why}", file, why = plain(error)),
    )
}

/// The name of a family, as people know it.
fn family(name: &str, lang: Lang) -> String {
    match name {
        "" => text!("others").in_lang(lang),
        name => name.to_owned(),
    }
}
