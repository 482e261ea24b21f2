//! `mailshot suppress add|remove`.

use serde_json::json;

use super::super::counted::addresses;
use super::super::exit::{Coded, Exit};
use super::super::printer::{Form, Printer};
use super::super::{confirm, load, runtime};
use crate::campaign::Workspace;
use crate::clock::Clock;
use crate::ledger::read::Reader;
use crate::ledger::{Ledger, NewSuppression};
use crate::mail::{Address, Reason, Whom};
use crate::text;

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Addresses, domains (@example.com), or patterns (info@*)
    #[arg(required_unless_present = "token", value_name = "WHOM")]
    whom: Vec<String>,
    /// A token of an unsubscribe link, in place of the address it stands for
    #[arg(long, value_name = "TOKEN")]
    token: Vec<String>,
    /// Why: in your words, or one of the reasons that `suppress list --json` shows, such as complaint
    #[arg(long, default_value = "manual")]
    reason: String,
    /// Only for campaigns of this list, by the identifier of its List-ID
    #[arg(long, value_name = "LIST")]
    list: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// Addresses, domains or patterns, as `suppress list` shows them
    #[arg(required = true, value_name = "WHOM")]
    whom: Vec<String>,
    /// Why they may be mailed again; kept
    #[arg(long, value_name = "WHY", required = true)]
    reason: String,
    /// Only what was said about this list
    #[arg(long, value_name = "LIST")]
    list: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn add(args: &Add, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let mut whom = parsed(&args.whom)?;
    whom.extend(behind(&args.token, &workspace)?);
    confirm(
        printer,
        args.yes,
        text!("Never mail {keys} again?", keys = said(&whom)),
    )?;
    let (reason, note) = super::reason(&args.reason, Reason::Manual);
    let rows = whom.iter().map(|whom| NewSuppression {
        key: whom.key(),
        list: super::list_key(args.list.as_deref()),
        reason,
        note: note.clone(),
        source: "command line".to_owned(),
        at_ms: Clock::System.now_ms(),
    });
    let rows = rows.collect();
    let added = runtime()?.block_on(async { Ledger::open(&workspace.ledger)?.suppress(rows).await })?;
    match printer.form {
        Form::Json => printer.json(&json!({ "added": added })),
        Form::Text => printer.data(text!(
            "{addresses} added to the suppression list",
            addresses = addresses(added)
        )),
    }
    Ok(Exit::Ok)
}

pub(super) fn remove(args: &Remove, printer: Printer) -> anyhow::Result<Exit> {
    let whom = parsed(&args.whom)?;
    if args.reason.trim().is_empty() {
        let what = text!("--reason is empty: say why they may be mailed again; nothing was changed");
        return Err(Coded::new(Exit::Usage, what).into());
    }
    confirm(printer, args.yes, text!("Mail {keys} again?", keys = said(&whom)))?;
    let workspace = load::workspace(None)?;
    let list = args.list.as_deref().map(|list| super::list_key(Some(list)));
    let now_ms = Clock::System.now_ms();
    let removed = runtime()?.block_on(async {
        let ledger = Ledger::open(&workspace.ledger)?;
        let mut removed = 0_u64;
        for whom in &whom {
            let lifted = ledger.lift(whom.key(), list.clone(), args.reason.clone(), now_ms);
            removed += u64::from(lifted.await? > 0);
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

pub(super) fn parsed(texts: &[String]) -> anyhow::Result<Vec<Whom>> {
    let parse = |text: &String| match Whom::parse(text) {
        Ok(whom) => Ok(whom),
        Err(fault) => {
            let coded = Coded::new(
                Exit::Usage,
                text!("`{text}`: {fault}; nothing was changed", text, fault = &fault),
            );
            Err(match fault.hint {
                Some(hint) => coded.hint(hint).into(),
                None => coded.into(),
            })
        }
    };
    texts.iter().map(parse).collect()
}

fn said(whom: &[Whom]) -> String {
    let all: Vec<String> = whom.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// The addresses that tokens of unsubscribe links stand for.
fn behind(tokens: &[String], workspace: &Workspace) -> anyhow::Result<Vec<Whom>> {
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    let key = workspace.unsubscribe.key()?;
    let reader = Reader::open(&workspace.ledger)?;
    let mut found = Vec::new();
    for token in tokens {
        let Some(tag) = key.verify(token) else {
            let what = text!(
                "`{token}` is not a token of this workspace; nothing was changed",
                token
            );
            return Err(Coded::new(Exit::Data, what).into());
        };
        let address = reader
            .as_ref()
            .map(|reader| reader.address_of(tag))
            .transpose()?
            .flatten();
        let Some(address) = address else {
            let what = text!(
                "`{token}` belongs to nobody in the ledger; nothing was changed",
                token
            );
            return Err(Coded::new(Exit::Data, what).into());
        };
        found.push(Whom::Address(Address::key_of(&address)));
    }
    Ok(found)
}
