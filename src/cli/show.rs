//! `mailshot show`: everything known about one recipient of a campaign.

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer, time};
use super::{load, texts};
use crate::ledger::State;
use crate::ledger::read::{Reader, Story, Try};
use crate::mail::Address;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::SHOW)]
pub(super) struct Args {
    /// The campaign: its file, or its name
    campaign: String,
    /// The recipient's address
    address: String,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(Some(&args.campaign))?;
    let name = load::campaign_name(&args.campaign, &workspace)?;
    let address = Address::parse_utf8(&args.address)
        .map_err(|fault| Coded::new(Exit::Usage, format!("`{}`: {fault}", args.address)))?;
    let stories = match Reader::open(&workspace.ledger)? {
        Some(reader) => reader.stories(&name, &address.key())?,
        None => Vec::new(),
    };
    if stories.is_empty() {
        let what = format!("{address} is not enrolled in `{name}`");
        return Err(Coded::new(Exit::Data, what)
            .hint("recipients are enrolled by the first `mailshot send`")
            .into());
    }
    for story in &stories {
        match printer.form {
            Form::Json => printer.json(story),
            Form::Text => describe(story, stories.len(), printer),
        }
    }
    Ok(Exit::Ok)
}

fn describe(story: &Story, mails: usize, printer: Printer) {
    let zone = jiff::tz::TimeZone::system();
    let reason = story
        .reason
        .as_ref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let which = match mails {
        1 => String::new(),
        _ => format!(" (mail {} of {mails})", story.volume),
    };
    printer.data(format!("{}{which} is {}{reason}", story.recipient, story.state));
    printer.data(format!("  row at line {} of the list", story.line));
    if story.state == State::Pending && story.due_at_ms > 0 {
        printer.data(format!("  due {}", time(story.due_at_ms, &zone)));
    }
    for (index, attempt) in story.attempts.iter().enumerate() {
        printer.data(format!(
            "  try {} at {}: {}",
            index + 1,
            time(attempt.began_at_ms, &zone),
            outcome(attempt)
        ));
        printer.data(format!("    Message-ID <{}>", attempt.message_id));
        printer.data(format!("    SHA-256    {}", attempt.digest));
    }
}

fn outcome(attempt: &Try) -> String {
    let Some(outcome) = &attempt.outcome else {
        return "under way".to_owned();
    };
    let code = attempt.code.map(|code| format!(" {code}")).unwrap_or_default();
    let enhanced = attempt
        .enhanced
        .as_ref()
        .map(|code| format!(" {code}"))
        .unwrap_or_default();
    let text = attempt
        .reply
        .as_ref()
        .map(|text| format!(" {text}"))
        .unwrap_or_default();
    let stage = attempt
        .stage
        .as_ref()
        .map(|stage| format!(" at {stage}"))
        .unwrap_or_default();
    format!("{outcome}{stage},{code}{enhanced}{text}")
}
