//! `mailshot show`: everything known about one recipient of a campaign.

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer, time};
use super::{load, status, texts};
use crate::ledger::State;
use crate::ledger::read::{Reader, Story, Try};
use crate::mail::Address;
use crate::text;
use crate::words::Text;

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
    let address = Address::parse_utf8(&args.address).map_err(|fault| {
        Coded::new(
            Exit::Usage,
            text!("`{address}`: {fault}", address = args.address, fault),
        )
    })?;
    let stories = match Reader::open(&workspace.ledger)? {
        Some(reader) => reader.stories(&name, &address.key())?,
        None => Vec::new(),
    };
    if stories.is_empty() {
        let what = text!("{address} is not enrolled in `{name}`", address, name);
        return Err(Coded::new(Exit::Data, what)
            .hint(text!("recipients are enrolled by the first `mailshot send`"))
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
    let reason = story.reason.as_ref();
    let reason = reason.map(|reason| text!(": {reason}", reason = Text::kept(reason)));
    let which = if mails == 1 {
        Text::default()
    } else {
        text!(" (mail {number} of {mails})", number = story.volume, mails)
    };
    printer.data(text!(
        "{recipient}{which} is {state}{reason}",
        recipient = story.recipient,
        which,
        state = status::in_words(story.state),
        reason = reason.unwrap_or_default()
    ));
    printer.data(text!("  row at line {line} of the list", line = story.line));
    if story.state == State::Pending && story.due_at_ms > 0 {
        printer.data(text!("  due {at}", at = time(story.due_at_ms, &zone)));
    }
    for (index, attempt) in story.attempts.iter().enumerate() {
        printer.data(text!(
            "  try {number} at {at}: {outcome}",
            number = index + 1,
            at = time(attempt.began_at_ms, &zone),
            outcome = outcome(attempt)
        ));
        printer.data(text!(
            "    Message-ID <{message_id}>",
            message_id = attempt.message_id
        ));
        printer.data(text!("    SHA-256    {digest}", digest = attempt.digest));
    }
}

fn outcome(attempt: &Try) -> Text {
    let Some(outcome) = &attempt.outcome else {
        return text!("under way");
    };
    let code = attempt.code.map(|code| format!(" {code}")).unwrap_or_default();
    let enhanced = attempt
        .enhanced
        .as_ref()
        .map(|code| format!(" {code}"))
        .unwrap_or_default();
    let reply = match (&attempt.reply, attempt.code) {
        (None, _) => Text::default(),
        (Some(reply), Some(_)) => Text::from(format!(" {reply}")),
        (Some(note), None) => text!(" {note}", note = Text::kept(note)),
    };
    let outcome = match outcome.as_str() {
        "accepted" => text!("accepted"),
        "deferred" => text!("deferred"),
        "refused" => text!("refused"),
        "in_doubt" => text!("in doubt"),
        other => Text::from(other),
    };
    let said = text!("{code}{enhanced}{reply}", code, enhanced, reply);
    match &attempt.stage {
        Some(stage) => text!("{outcome} at {stage},{said}", outcome, stage, said),
        None => text!("{outcome},{said}", outcome, said),
    }
}
