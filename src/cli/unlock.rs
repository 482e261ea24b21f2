//! `mailshot unlock`: lets an account connect again at once, and forgets what it has learned.

use std::collections::BTreeSet;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer};
use super::{confirm, load, lockout, runtime, status, texts};
use crate::campaign::Workspace;
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::ledger::read::Reader;
use crate::text;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::UNLOCK)]
pub(super) struct Args {
    /// The account, as mailshot.toml names it
    account: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let account = &args.account;
    check_known(account, &workspace)?;
    let now_ms = Clock::System.now_ms();
    let Some(reader) = Reader::open(&workspace.ledger)? else {
        return Ok(nothing(printer, account));
    };
    let zone = status::zone(&workspace, account);
    let lock = reader.account_lock(account, now_ms)?;
    let learned = reader.learned(account)?;
    let holds = learned.values().any(|learned| learned.holds(now_ms));
    if lock.is_none() && !holds {
        return Ok(nothing(printer, account));
    }
    if let Some(lock) = &lock {
        printer.say(lockout::said(lock, &zone));
        printer.say(if lock.is_locked_there {
            text!("the provider has locked it: whoever tries before that is over, may stay locked out for longer")
        } else {
            text!("most providers lock an account for an hour after a few wrong passwords")
        });
    }
    if learned.values().any(|learned| learned.paused_until_ms > now_ms) {
        printer.say(text!(
            "whoever goes on during a pause is refused, and perhaps blocked for longer"
        ));
    }
    for line in status::learned(&learned, now_ms, &zone) {
        printer.say(line);
    }
    confirm(
        printer,
        args.yes,
        text!("forget this, and connect again at once?"),
    )?;
    let unlocked = runtime()?.block_on(async {
        let ledger = Ledger::open(&workspace.ledger)?;
        ledger.unlearn(account).await?;
        ledger.unlock_account(account, now_ms).await
    });
    unlocked?;
    match printer.form {
        Form::Json => printer.json(&serde_json::json!({ "account": account, "unlocked": true })),
        Form::Text => printer.data(text!(
            "`{account}` may connect again; that it was refused stays on record",
            account
        )),
    }
    Ok(Exit::Ok)
}

fn check_known(account: &str, workspace: &Workspace) -> anyhow::Result<()> {
    // Mailboxes with a login of their own are accounts as well.
    let of_inboxes = workspace.inboxes.values().map(|inbox| &inbox.account.name);
    let known: BTreeSet<&str> = workspace
        .accounts
        .keys()
        .chain(of_inboxes)
        .map(String::as_str)
        .collect();
    if known.contains(account) {
        return Ok(());
    }
    let known: Vec<&str> = known.into_iter().collect();
    let what = text!("mailshot.toml has no account `{account}`", account);
    let hint = text!(
        "there are: {known}; nothing was changed",
        known = known.join(", ")
    );
    Err(Coded::new(Exit::Usage, what).hint(hint).into())
}

fn nothing(printer: Printer, account: &str) -> Exit {
    match printer.form {
        Form::Json => printer.json(&serde_json::json!({ "account": account, "unlocked": false })),
        Form::Text => printer.data(text!("`{account}` is not locked, and does not pause", account)),
    }
    Exit::Ok
}
