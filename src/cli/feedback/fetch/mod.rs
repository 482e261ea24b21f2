//! `mailshot feedback fetch`: mails that have come back, from mailboxes.

mod follow;
mod place;
mod visit;

use super::super::exit::{Coded, Exit};
use super::super::inbox::{self, Door};
use super::super::lockout::Again;
use super::super::printer::Printer;
use super::super::send::signal;
use super::super::{diagnostic, exit, load, runtime, texts};
use super::taken::Taker;
use crate::campaign::{Inbox, Workspace};
use crate::ledger::Ledger;
use crate::replies::{Judge, Rules};
use crate::text;
use visit::Visit;

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, clap::Args)]
#[command(after_help = texts::FETCH)]
pub(super) struct Args {
    /// The mailbox, as mailshot.toml names it; else all of them
    name: Option<String>,
    /// Go through it once; this is what happens without --follow
    #[arg(long, conflicts_with = "follow")]
    once: bool,
    /// Stay, and handle mails as they arrive
    #[arg(long)]
    follow: bool,
    /// Only say what is understood; change nothing
    #[arg(long, conflicts_with = "follow")]
    dry_run: bool,
    /// Log in although the login was refused not long ago: the password is right now
    #[arg(long)]
    login_again: bool,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let inboxes = inboxes(args.name.as_deref(), &workspace)?;
    // It is needed in a dry run too: a refused login must be kept.
    let ledger = Ledger::open(&workspace.ledger)?;
    let taker = Taker::open(Some(&workspace), args.dry_run, printer)?.of_mailbox();
    let judge = Judge::new(Rules::with(&workspace.rules), Vec::new());
    let visits: Vec<Visit<'_>> = inboxes
        .into_iter()
        .map(|inbox| Visit {
            door: Door {
                inbox,
                workspace: &workspace,
                ledger: &ledger,
            },
            taker: &taker,
            judge: &judge,
            is_dry: args.dry_run,
            again: Again::from_flag(args.login_again),
            printer,
        })
        .collect();
    runtime()?.block_on(async {
        if args.follow && !args.once {
            stay(&visits, printer).await
        } else {
            Ok(once(&visits, printer).await)
        }
    })
}

/// The mailbox of this name, or all.
fn inboxes<'a>(name: Option<&str>, workspace: &'a Workspace) -> anyhow::Result<Vec<&'a Inbox>> {
    let Some(name) = name else {
        if workspace.inboxes.is_empty() {
            let what = text!("mailshot.toml has no mailbox");
            let hint = text!(
                "write `[mailbox.bounces]` with `account = \"main\"`, or with host, username and password_env of its own; \
                 nothing was fetched"
            );
            return Err(Coded::new(Exit::Config, what).hint(hint).into());
        }
        return Ok(workspace.inboxes.values().collect());
    };
    Ok(vec![inbox::named(name, workspace)?])
}

/// Goes through each; one that fails is no reason to leave the others alone.
async fn once(visits: &[Visit<'_>], printer: Printer) -> Exit {
    let mut worst = Exit::Ok;
    for visit in visits {
        if let Err(error) = visit.once().await {
            if worst == Exit::Ok {
                worst = exit::code(&error);
            }
            diagnostic::show(printer, &error);
        }
    }
    worst
}

/// Stays at all of them until somebody asks to stop, or one cannot go on.
async fn stay(visits: &[Visit<'_>], printer: Printer) -> anyhow::Result<Exit> {
    let all = visits.iter().map(Visit::follow).collect();
    tokio::select! {
        error = follow::first(all) => Err(error),
        () = signal::any() => {
            printer.say(text!("stopped; what was handled until now is on record"));
            Ok(if signal::is_from_keyboard() { Exit::Interrupted } else { Exit::Ok })
        }
    }
}
