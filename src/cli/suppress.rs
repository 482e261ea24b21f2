//! `mailshot suppress`: addresses that get no mail any more, of any campaign.

use serde_json::json;

use super::counted::{addresses, rows};
use super::exit::{Coded, Exit};
use super::list::ListFile;
use super::printer::{Form, Printer, time};
use super::{confirm, load, runtime, texts};
use crate::campaign::{ListSettings, Workspace};
use crate::clock::Clock;
use crate::ledger::read::Reader;
use crate::ledger::{Ledger, NewSuppression};
use crate::mail::Address;
use crate::source::{List, Row};
use crate::text;
use crate::words::Text;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::SUPPRESS)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Never mail these addresses again
    Add {
        /// The addresses
        #[arg(required_unless_present = "token")]
        addresses: Vec<String>,
        /// A token of an unsubscribe link, in place of the address it stands for
        #[arg(long, value_name = "TOKEN")]
        token: Vec<String>,
        /// Why; kept with the address
        #[arg(long, default_value = "manual")]
        reason: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Mail these addresses again
    Remove {
        /// The addresses
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Never mail the people of a list again: those whom its columns say not to mail, or everyone if it has no such
    /// column
    Import {
        #[command(flatten)]
        file: ListFile,
        /// Why, for a list that does not say; kept with the addresses
        #[arg(long, default_value = "import")]
        reason: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// List suppressed addresses
    List,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    match &args.action {
        Action::Add {
            addresses,
            token,
            reason,
            yes,
        } => {
            let workspace = load::workspace(None)?;
            let mut keys = keys(addresses)?;
            keys.extend(behind(token, &workspace)?);
            add(&workspace, keys, reason, *yes, printer)
        }
        Action::Import { file, reason, yes } => import(file, reason, *yes, printer),
        Action::Remove { addresses, yes } => remove(addresses, *yes, printer),
        Action::List => list(printer),
    }
}

fn keys(addresses: &[String]) -> anyhow::Result<Vec<String>> {
    let key = |text: &String| match Address::parse_utf8(text) {
        Ok(address) => Ok(address.key()),
        Err(fault) => Err(Coded::new(
            Exit::Usage,
            text!("`{text}`: {fault}; nothing was changed", text, fault),
        )
        .into()),
    };
    addresses.iter().map(key).collect()
}

/// The addresses that tokens of unsubscribe links stand for.
fn behind(tokens: &[String], workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let key = workspace.unsubscribe.key()?;
    let reader = Reader::open(&workspace.ledger)?;
    let mut keys = Vec::new();
    for token in tokens {
        let Some(tag) = key.verify(token) else {
            let what = text!(
                "`{token}` is not a token of this workspace; nothing was changed",
                token
            );
            return Err(Coded::new(Exit::Data, what).into());
        };
        let found = reader
            .as_ref()
            .map(|reader| reader.address_of(tag))
            .transpose()?
            .flatten();
        let Some(address) = found else {
            let what = text!(
                "`{token}` belongs to nobody in the ledger; nothing was changed",
                token
            );
            return Err(Coded::new(Exit::Data, what).into());
        };
        keys.push(Address::key_of(&address));
    }
    Ok(keys)
}

fn add(
    workspace: &Workspace,
    keys: Vec<String>,
    reason: &str,
    is_confirmed: bool,
    printer: Printer,
) -> anyhow::Result<Exit> {
    confirm(
        printer,
        is_confirmed,
        text!("Never mail {keys} again?", keys = keys.join(", ")),
    )?;
    let at_ms = Clock::System.now_ms();
    let row = |key: String| NewSuppression {
        key,
        reason: reason.to_owned(),
        source: "command line".to_owned(),
        at_ms,
    };
    let added = runtime()?.block_on(async {
        Ledger::open(&workspace.ledger)?
            .suppress(keys.into_iter().map(row).collect())
            .await
    })?;
    match printer.form {
        Form::Json => printer.json(&json!({ "added": added })),
        Form::Text => printer.data(text!(
            "{addresses} added to the suppression list",
            addresses = addresses(added)
        )),
    }
    Ok(Exit::Ok)
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

fn import(file: &ListFile, reason: &str, is_confirmed: bool, printer: Printer) -> anyhow::Result<Exit> {
    file.check_readable()?;
    let settings = ListSettings {
        allows_utf8: true,
        ..file.settings()
    };
    let list = List::open(&file.path, &settings)?;
    for note in &list.origin().notes {
        printer.say(note);
    }
    let workspace = load::workspace(None)?;
    let found = find(&list, reason)?;
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
    confirm(printer, is_confirmed, &question)?;
    let added = runtime()?.block_on(async {
        let ledger = Ledger::open(&workspace.ledger)?;
        let mut added = 0;
        let mut rows = found.rows.into_iter().peekable();
        while rows.peek().is_some() {
            added += ledger.suppress(rows.by_ref().take(BATCH).collect()).await?;
        }
        anyhow::Ok(added)
    })?;
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

fn find(list: &List, reason: &str) -> anyhow::Result<Found> {
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
        found.rows.extend(named.iter().map(|address| NewSuppression {
            key: address.key(),
            reason: withheld.map_or(reason, |why| why.reason()).to_owned(),
            source: source.clone(),
            at_ms,
        }));
    }
    Ok(found)
}

fn remove(wanted: &[String], is_confirmed: bool, printer: Printer) -> anyhow::Result<Exit> {
    let keys = keys(wanted)?;
    confirm(
        printer,
        is_confirmed,
        text!("Mail {keys} again?", keys = keys.join(", ")),
    )?;
    let workspace = load::workspace(None)?;
    let removed = runtime()?.block_on(async {
        let ledger = Ledger::open(&workspace.ledger)?;
        let mut removed = 0_u64;
        for key in keys {
            removed += u64::from(ledger.unsuppress(key).await?);
        }
        anyhow::Ok(removed)
    })?;
    match printer.form {
        Form::Json => printer.json(&json!({ "removed": removed })),
        Form::Text => {
            printer.data(text!(
                "{addresses} removed from the suppression list",
                addresses = addresses(removed)
            ));
            if removed > 0 {
                printer.say(text!(
                    "campaigns that have left it out already do not go back to it"
                ));
            }
        }
    }
    Ok(if removed > 0 { Exit::Ok } else { Exit::Data })
}

fn list(printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let rows = match Reader::open(&workspace.ledger)? {
        Some(reader) => reader.suppressions()?,
        None => Vec::new(),
    };
    for row in &rows {
        match printer.form {
            Form::Json => printer.json(row),
            Form::Text => {
                let at = time(row.at_ms, &jiff::tz::TimeZone::system());
                printer.data(text!(
                    "{address}  {reason} ({source}, {at})",
                    address = row.address,
                    reason = Text::kept(&row.reason),
                    source = Text::kept(&row.source),
                    at
                ));
            }
        }
    }
    if rows.is_empty() {
        printer.say(text!("nobody is suppressed"));
    }
    Ok(Exit::Ok)
}
