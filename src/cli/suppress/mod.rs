//! `mailshot suppress`: who gets no mail any more, of any campaign or of those of one list.

mod change;
mod export;
mod import;
mod show;

use super::exit::Exit;
use super::printer::Printer;
use super::texts;
use crate::mail::Reason;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::SUPPRESS)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Never mail these addresses again
    Add(change::Add),
    /// Mail these addresses again
    Remove(change::Remove),
    /// Never mail the people of a list again: those whom its columns say not to mail, or everyone if it has no such
    /// column
    Import(import::Args),
    /// Write the suppression list to a CSV file, which `suppress import` reads
    Export(export::Args),
    /// List who is mailed no more
    List(show::List),
    /// Show everything known about an address: why it is suppressed, what came back, what was lifted
    Show(show::Show),
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    match &args.action {
        Action::Add(args) => change::add(args, printer),
        Action::Remove(args) => change::remove(args, printer),
        Action::Import(args) => import::run(args, printer),
        Action::Export(args) => export::run(args, printer),
        Action::List(args) => show::list(args, printer),
        Action::Show(args) => show::show(args, printer),
    }
}

/// A reason as people give it: one of the words there are, or words of their own.
fn reason(said: &str, usual: Reason) -> (Reason, String) {
    match said.trim().parse() {
        Ok(reason) => (reason, String::new()),
        Err(_words) => (usual, said.trim().to_owned()),
    }
}

/// Under what a list is kept: the identifier of its List-ID, without brackets. Empty for all lists.
fn list_key(list: Option<&str>) -> String {
    let id = list.unwrap_or_default();
    let id = id.rsplit_once('<').map_or(id, |(_, id)| id);
    id.trim_end_matches('>').trim().to_lowercase()
}
