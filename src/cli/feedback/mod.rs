//! `mailshot feedback`: what comes back, from files and mailboxes.

mod became;
mod events;
mod fetch;
mod import;
mod taken;
mod tokens;

use super::exit::Exit;
use super::printer::Printer;
use super::texts;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::FEEDBACK)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Read bounces, complaints and wishes to unsubscribe from files
    Import(import::Args),
    /// Read what a provider says became of mails: events that it sent, or a table that it exported
    ImportEvents(events::Args),
    /// Unsubscribe those whose tokens something else has collected
    Tokens(tokens::Args),
    /// Read them from mailboxes, by IMAP or POP3
    Fetch(fetch::Args),
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    match &args.action {
        Action::Import(args) => import::run(args, printer),
        Action::ImportEvents(args) => events::run(args, printer),
        Action::Tokens(args) => tokens::run(args, printer),
        Action::Fetch(args) => fetch::run(args, printer),
    }
}
