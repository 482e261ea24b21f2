//! `mailshot status`: how campaigns stand.

use anyhow::Context as _;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer, count, number, time};
use super::{load, texts};
use crate::campaign::Workspace;
use crate::campaign::quota::Reset;
use crate::ledger::State;
use crate::ledger::read::{Reader, Status};

/// Deliveries listed by name; the rest are counted.
const LISTED: u32 = 20;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::STATUS)]
pub(super) struct Args {
    /// The campaign: its file, or its name; all of them when absent
    campaign: Option<String>,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(args.campaign.as_deref())?;
    let reader = Reader::open(&workspace.ledger)?;
    let Some(argument) = &args.campaign else {
        return all(&workspace, reader.as_ref(), printer);
    };
    let name = load::campaign_name(argument, &workspace)?;
    let status = match &reader {
        Some(reader) => reader.status(&name)?,
        None => None,
    };
    let is_file = load::campaign_file(argument, &workspace).is_ok();
    let Some(status) = status.or_else(|| is_file.then(|| draft(&name))) else {
        let what = format!("the ledger knows no campaign `{name}`");
        return Err(Coded::new(Exit::Data, what)
            .hint("`mailshot status` lists those it knows")
            .into());
    };
    match printer.form {
        Form::Json => printer.json(&status),
        Form::Text => {
            describe(&workspace, &status, printer);
            if let Some(reader) = &reader {
                list(reader, &name, State::InDoubt, printer)?;
                list(reader, &name, State::Failed, printer)?;
            }
        }
    }
    Ok(Exit::Ok)
}

/// A campaign that was never sent.
fn draft(name: &str) -> Status {
    Status {
        campaign: name.to_owned(),
        state: "draft".to_owned(),
        ..Status::default()
    }
}

fn all(workspace: &Workspace, reader: Option<&Reader>, printer: Printer) -> anyhow::Result<Exit> {
    let mut found = Vec::new();
    if let Some(reader) = reader {
        for name in reader.campaigns()? {
            found.push(
                reader
                    .status(&name)?
                    .context("a campaign that was there is gone")?,
            );
        }
    }
    if found.is_empty() && printer.form == Form::Text {
        printer.data("no campaign was sent yet");
    }
    for status in &found {
        match printer.form {
            Form::Json => printer.json(status),
            Form::Text => describe(workspace, status, printer),
        }
    }
    Ok(Exit::Ok)
}

/// Shows a campaign's counts and how it goes on.
pub(super) fn describe(workspace: &Workspace, status: &Status, printer: Printer) {
    let tally = &status.tally;
    let people = count(status.people, "recipient");
    let whom = if tally.recipients == status.people {
        people
    } else {
        format!("{} to {people}", count(tally.recipients, "mail"))
    };
    printer.data(&format!("{}: {}, {whom}", status.campaign, status.state));
    let withdrawn = if status.withdrawn > 0 {
        format!(" ({} no longer on the list)", number(status.withdrawn))
    } else {
        String::new()
    };
    for (name, count, more) in [
        ("sent", tally.sent, ""),
        ("pending", tally.pending, ""),
        (
            "sending",
            tally.sending,
            if status.state == "running" {
                ""
            } else {
                " (the run died: in doubt)"
            },
        ),
        ("failed", tally.failed, ""),
        ("in doubt", tally.in_doubt, ""),
        ("suppressed", tally.suppressed, withdrawn.as_str()),
    ] {
        if count > 0 {
            printer.data(&format!("  {name:<11} {:>9}{more}", number(count)));
        }
    }
    let rules = &status.rules;
    if let Some(laws) = &rules.laws {
        printer.data(&format!("  laws        {laws}"));
    }
    if let Some(basis) = &rules.legal_basis {
        printer.data(&format!("  legal basis {basis}, set in the campaign"));
    }
    if rules.ignore_consent {
        printer.data("  consent     ignored, as the campaign was told");
    }
    if !status.note.is_empty() && status.state != "finished" {
        printer.data(&format!("  {}", status.note));
    }
    if let Some(next_ms) = status.next_ms.filter(|_| status.state == "paused") {
        printer.data(&format!(
            "  next: {}",
            time(next_ms, &zone(workspace, &status.account))
        ));
    }
}

/// The zone an account's days are counted in; the machine's own when it has none.
pub(super) fn zone(workspace: &Workspace, account: &str) -> jiff::tz::TimeZone {
    match workspace.accounts.get(account).map(|account| &account.quota.day) {
        Some(Reset::Midnight(zone)) => zone.clone(),
        Some(Reset::Rolling) | None => jiff::tz::TimeZone::system(),
    }
}

/// Names the deliveries in one state.
pub(super) fn list(reader: &Reader, campaign: &str, state: State, printer: Printer) -> anyhow::Result<()> {
    let found = reader.in_state(campaign, state, LISTED + 1)?;
    if found.is_empty() {
        return Ok(());
    }
    printer.data(&format!("\n{state}:"));
    for (address, reason) in found.iter().take(LISTED as usize) {
        printer.data(&format!("  {address}  {reason}"));
    }
    if found.len() > LISTED as usize {
        printer.data("  …");
    }
    Ok(())
}
