//! `mailshot suppress import`: people whom a list from elsewhere says not to mail; or what `export` wrote.

use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use super::super::cells::live;
use super::super::counted::{addresses, rows};
use super::super::exit::{Coded, Exit};
use super::super::list::ListFile;
use super::super::printer::{Form, Printer};
use super::super::{confirm, load, runtime};
use super::export::HEADER;
use crate::campaign::ListSettings;
use crate::clock::Clock;
use crate::ledger::{Ledger, NewSuppression};
use crate::mail::{Reason, Whom};
use crate::source::{List, Row};
use crate::text;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: ListFile,
    /// Why, for a list that does not say: a word of `suppress list`, or your own; kept with the addresses
    #[arg(long, default_value = "import")]
    reason: String,
    /// Only for campaigns of this list, by the identifier of its List-ID
    #[arg(long, value_name = "LIST")]
    list: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Suppressions written in one transaction.
const BATCH: usize = 5_000;

/// What an import found in its list.
#[derive(Default)]
struct Found {
    rows: Vec<NewSuppression>,
    /// People whom the list's own columns say one may mail.
    spared: u64,
    unusable: u64,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let file = &args.file;
    file.check_readable()?;
    if is_export(&file.path) {
        return import_export(args, printer);
    }
    let settings = ListSettings {
        allows_utf8: true,
        ..file.settings()
    };
    let list = List::open(&file.path, &settings)?;
    for note in &list.origin().notes {
        printer.say(note);
    }
    let workspace = load::workspace(None)?;
    let found = find(&list, args)?;
    let count = found.rows.len() as u64;
    let many = addresses(count);
    let question = if list.speaks_of_consent() {
        text!(
            "Never mail those again whom the list says not to mail: {many}?",
            many
        )
    } else {
        text!("Never mail everyone on this list again: {many}?", many)
    };
    confirm(printer, args.yes, &question)?;
    let added = write(&workspace.ledger, found.rows)?;
    say_imported(count, added, (found.spared, found.unusable), printer);
    if found.unusable == 0 {
        return Ok(Exit::Ok);
    }
    let what = text!(
        "{rows} cannot be read: whoever is meant there is not on the suppression list",
        rows = rows(found.unusable)
    );
    let hint = text!(
        "`mailshot list inspect {list}` shows them; the others are on it",
        list = list.path().display()
    );
    Err(Coded::new(Exit::Data, what).hint(hint).into())
}

/// Says what became of so many people of a list; those spared, and rows that cannot be read.
fn say_imported(count: u64, added: u64, (spared, unusable): (u64, u64), printer: Printer) {
    let known = count - added;
    if printer.form == Form::Json {
        printer.json(&json!({
            "added": added, "known": known, "spared": spared, "unusable": unusable,
        }));
    } else {
        printer.data(text!(
            "{addresses} added to the suppression list",
            addresses = addresses(added)
        ));
        if known > 0 {
            printer.say(text!(
                "{addresses} stood on it already",
                addresses = addresses(known)
            ));
        }
        if spared > 0 {
            printer.say(text!(
                "{addresses} not added: the list says that they may be mailed",
                addresses = addresses(spared)
            ));
        }
    }
}

/// Puts suppressions on record; says how many are new.
fn write(ledger: &Path, rows: Vec<NewSuppression>) -> anyhow::Result<u64> {
    runtime()?.block_on(async {
        let ledger = Ledger::open(ledger)?;
        let mut added = 0;
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            added += ledger.suppress(rows.by_ref().take(BATCH).collect()).await?;
        }
        anyhow::Ok(added)
    })
}

fn find(list: &List, args: &Args) -> anyhow::Result<Found> {
    let at_ms = Clock::System.now_ms();
    let name = list.path().file_name().unwrap_or_default().to_string_lossy();
    let source = format!("import of {name}");
    let mut found = Found::default();
    for row in list.rows()? {
        let (named, withheld) = match row? {
            Row::Withheld { recipient, why, .. } => (vec![recipient.address], Some(why)),
            Row::Usable(recipient) => (vec![recipient.address], None),
            Row::Rejected(rejected) => (rejected.named, rejected.withheld.map(|said| said.why)),
            Row::Duplicate { .. } | Row::NotMeant { .. } => continue,
        };
        if named.is_empty() {
            found.unusable += 1;
            continue;
        }
        if list.speaks_of_consent() && withheld.is_none() {
            found.spared += named.len() as u64;
            continue;
        }
        let (reason, note) = match withheld {
            Some(why) => why.reason(),
            None => super::reason(&args.reason, Reason::Import),
        };
        found.rows.extend(named.iter().map(|address| NewSuppression {
            key: address.key(),
            list: super::list_key(args.list.as_deref()),
            reason,
            note: note.clone(),
            source: source.clone(),
            at_ms,
        }));
    }
    Ok(found)
}

/// Is it a file that `suppress export` wrote?
fn is_export(path: &Path) -> bool {
    let opened = csv::Reader::from_path(path);
    let headers = opened.and_then(|mut reader| reader.headers().cloned());
    headers.is_ok_and(|headers| headers.iter().eq(HEADER))
}

/// A row of what `suppress export` wrote.
#[derive(Deserialize)]
struct Exported {
    email: String,
    list: String,
    reason: Reason,
    note: String,
    source: String,
    suppressed_at: jiff::Timestamp,
}

fn import_export(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let file = args.file.path.display().to_string();
    let failed = |error: csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        let error = error.to_string();
        let what = text!(
            "{file}:{line}: this row is not as `suppress export` writes it: {error}",
            file = file.as_str(),
            line,
            error
        );
        Coded::new(Exit::Data, what).hint(text!("nothing was changed"))
    };
    let mut reader = csv::Reader::from_path(&args.file.path).map_err(failed)?;
    let mut rows = Vec::new();
    for row in reader.deserialize() {
        let row: Exported = row.map_err(failed)?;
        let whom = Whom::parse(live(&row.email)).map_err(|fault| {
            let what = text!(
                "{file}: `{text}`: {fault}",
                file = file.as_str(),
                text = row.email.as_str(),
                fault
            );
            Coded::new(Exit::Data, what).hint(text!("nothing was changed"))
        })?;
        rows.push(NewSuppression {
            key: whom.key(),
            list: live(&row.list).to_owned(),
            reason: row.reason,
            note: live(&row.note).to_owned(),
            source: live(&row.source).to_owned(),
            at_ms: row.suppressed_at.as_millisecond(),
        });
    }
    let count = rows.len() as u64;
    confirm(
        printer,
        args.yes,
        text!(
            "Never mail everyone on this list again: {many}?",
            many = addresses(count)
        ),
    )?;
    let added = write(&workspace.ledger, rows)?;
    say_imported(count, added, (0, 0), printer);
    Ok(Exit::Ok)
}
