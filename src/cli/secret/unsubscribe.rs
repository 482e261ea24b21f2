//! `mailshot secret unsubscribe-key`: the key that signs links to unsubscribe, and those before it.

use serde_json::json;

use super::super::exit::Exit;
use super::super::printer::{Form, Printer};
use super::super::{confirm, load, texts};
use crate::campaign::plain;
use crate::clock::Clock;
use crate::text;
use crate::words::Text;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::SECRET_UNSUBSCRIBE_KEY)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Sign with a new key from now on; links that were signed before stay valid
    Rotate {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Say which keys are valid, and since when
    List,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    match args.action {
        Action::Rotate { yes } => rotate(yes, printer),
        Action::List => list(printer),
    }
}

fn rotate(is_confirmed: bool, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let unsubscribe = &workspace.unsubscribe;
    confirm(
        printer,
        is_confirmed,
        text!("Sign links to unsubscribe with a new key? Those of mails that were sent stay valid."),
    )?;
    let now = jiff::Timestamp::from_millisecond(Clock::System.now_ms())?;
    let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let old = unsubscribe.rotate(&stamp)?;
    let (key, old) = (
        unsubscribe.key_file.display().to_string(),
        old.display().to_string(),
    );
    match printer.form {
        Form::Json => printer.json(&json!({ "key_file": key, "old_key_file": old })),
        Form::Text => {
            printer.data(text!("{key} has a new key; the one before it is {old}", key, old));
            printer.say(text!(
                "keep it for as long as its mails are read, 60 days at least: its links work as long as it is there"
            ));
            printer.say(text!(
                "a run that is under way goes on with the old key; `serve` takes the new one up by itself"
            ));
        }
    }
    Ok(Exit::Ok)
}

fn list(printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(None)?;
    let unsubscribe = &workspace.unsubscribe;
    let old = unsubscribe.old_keys()?;
    // Said before they are read, so that whatever is wrong with one is found with its name.
    let current = std::iter::once((&unsubscribe.key_file, true)).filter(|(path, _)| path.exists());
    for (path, is_signing) in current.chain(old.iter().map(|path| (path, false))) {
        let since = std::fs::metadata(path).and_then(|file| file.modified());
        let since = since.ok().and_then(|at| jiff::Timestamp::try_from(at).ok());
        let since = since.map(|at| at.strftime("%Y-%m-%d").to_string());
        let file = path.display().to_string();
        if printer.form == Form::Json {
            printer.json(&json!({ "key_file": file, "signs": is_signing, "since": since }));
            continue;
        }
        let since = since.map_or_else(|| plain(&std::io::ErrorKind::NotFound.into()), Text::from);
        printer.data(if is_signing {
            text!("{file}: signs, since {since}", file, since)
        } else {
            text!("{file}: signed before, made {since}", file, since)
        });
    }
    drop(unsubscribe.keys_if_any()?);
    Ok(Exit::Ok)
}
