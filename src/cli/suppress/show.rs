//! `mailshot suppress list|show`.

use serde::Serialize;

use super::super::exit::Exit;
use super::super::load;
use super::super::printer::{Form, Page, Printer, time};
use crate::ledger::read::{Came, Lifted, Reader, Suppression};
use crate::mail::{Reason, Whom};
use crate::text;
use crate::words::Text;

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Only those with this reason, such as unsubscribe or complaint
    #[arg(long, value_name = "REASON")]
    reason: Option<Reason>,
    /// Only those whose address contains this
    #[arg(long, value_name = "TEXT")]
    like: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The address
    #[arg(value_name = "ADDRESS")]
    address: String,
}

pub(super) fn list(args: &List, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let like = args.like.as_deref().unwrap_or_default().to_lowercase();
    let mut count = 0_u64;
    let mut page = printer.page();
    if let Some(reader) = Reader::open(&workspace.ledger)? {
        reader.each_suppression(|row| {
            let is_meant = args.reason.is_none_or(|reason| reason.name() == row.reason);
            if is_meant && row.address.contains(&like) {
                count += 1;
                print(&row, &mut page);
            }
            Ok(())
        })?;
    }
    page.close();
    if count == 0 {
        printer.say(text!("nobody is suppressed"));
    }
    Ok(Exit::Ok)
}

fn print(row: &Suppression, page: &mut Page) {
    match page.form() {
        Form::Json => page.json(row),
        Form::Text => page.data(text!(
            "{address}  {why} ({source}, {at})",
            address = row.address.as_str(),
            why = why(row),
            source = Text::kept(&row.source),
            at = at(row.at_ms)
        )),
    }
}

/// The reason, in the words of whoever gave it where they did, and for which list.
fn why(row: &Suppression) -> Text {
    let reason = row
        .reason
        .parse()
        .map_or_else(|_old| Text::from(row.reason.clone()), Reason::said);
    let why = match row.note.as_str() {
        "" => reason,
        note => text!("{reason}: {note}", reason, note),
    };
    match row.list.as_str() {
        "" => why,
        list => text!("{why}, only list {list}", why, list),
    }
}

fn at(ms: i64) -> String {
    time(ms, &jiff::tz::TimeZone::system())
}

/// Everything that is known of an address.
#[derive(Serialize)]
struct Known {
    address: String,
    suppressed: Vec<Suppression>,
    lifted: Vec<Lifted>,
    feedback: Vec<Came>,
}

pub(super) fn show(args: &Show, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let whom = super::change::parsed(std::slice::from_ref(&args.address))?.remove(0);
    let reader = Reader::open(&workspace.ledger)?;
    let known = match &reader {
        None => Known {
            address: whom.to_string(),
            suppressed: Vec::new(),
            lifted: Vec::new(),
            feedback: Vec::new(),
        },
        Some(reader) => Known {
            address: whom.to_string(),
            suppressed: reader.suppressions_of(&whom)?,
            lifted: reader.lifted(&whom.key())?,
            feedback: reader.feedback_of(&whom.key())?,
        },
    };
    match printer.form {
        Form::Json => printer.json(&known),
        Form::Text => say(&known, &whom, printer.page()),
    }
    Ok(Exit::Ok)
}

fn say(known: &Known, whom: &Whom, mut page: Page) {
    if known.suppressed.is_empty() {
        page.data(text!("{whom} is not suppressed", whom));
    }
    for row in &known.suppressed {
        print(row, &mut page);
    }
    for row in &known.lifted {
        page.data(text!(
            "  {at}: no longer suppressed ({was}, since {since}): {why}",
            at = at(row.lifted_at_ms),
            was = why(&row.was),
            since = at(row.was.at_ms),
            why = row.why.as_str()
        ));
    }
    for row in &known.feedback {
        let (at, what, source) = (at(row.at_ms), row.what(), Text::kept(&row.source));
        page.data(if row.said.is_empty() {
            text!("  {at}: {what} ({source})", at, what, source)
        } else {
            text!(
                "  {at}: {what} ({source}): {said}",
                at,
                what,
                source,
                said = row.said.as_str()
            )
        });
    }
    page.close();
}
