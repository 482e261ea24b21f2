//! `mailshot feedback import-events`: what a provider says became of mails, from a file that it exported or sent.

use std::path::PathBuf;

use serde::Serialize;

use super::super::counted::events;
use super::super::exit::{Coded, Exit};
use super::super::printer::{Form, Printer};
use super::super::runtime;
use super::became::{self, Sum};
use super::taken::{recorder, surroundings};
use crate::campaign::plain;
use crate::clock::Clock;
use crate::feedback::events::{Event, Found, read};
use crate::feedback::record::of_events;
use crate::ledger::Received;
use crate::mail::reply::decoded;
use crate::mail::{Class, Feedback, Reason, Severity};
use crate::text;

/// Events that are put on record in one transaction.
const BATCH: usize = 1_000;
/// Places of what was not understood that are shown.
const SHOWN: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Events as JSON (one, a list, or one a line), or a CSV file with the recipient and what happened
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say what is understood; change nothing
    #[arg(long)]
    dry_run: bool,
}

/// A line about an event.
#[derive(Serialize)]
struct Line<'a> {
    provider: &'static str,
    kind: Feedback,
    recipient: &'a str,
    severity: Option<Severity>,
    class: Option<&'static str>,
    campaign: Option<&'a str>,
    new: Option<bool>,
    suppressed: Option<Reason>,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let file = args.file.display().to_string();
    let octets = std::fs::read(&args.file).map_err(|error| {
        let file = file.as_str();
        Coded::new(
            Exit::Io,
            text!("cannot read {file}: {why}", file, why = plain(&error)),
        )
    })?;
    let (workspace, judge) = surroundings(args.dry_run, printer)?;
    let found = read(&decoded(&octets), &judge);
    if found.events.is_empty() && found.passed_over == 0 {
        let what = text!("{file} has no events that can be understood", file);
        let hint = text!(
            "a CSV file needs a column for the recipient and one for what happened, such as `email,type`; nothing was changed"
        );
        return Err(Coded::new(Exit::Data, what).hint(hint).into());
    }
    let recorder = recorder(workspace.as_ref(), args.dry_run)?;
    let rows = of_events(&found.events, &file, Clock::System.now_ms());
    let received = runtime()?.block_on(async {
        let mut received = Vec::with_capacity(rows.len());
        if let Some(recorder) = &recorder {
            for batch in rows.chunks(BATCH) {
                received.extend(recorder.receive(batch.to_vec()).await?);
            }
        }
        anyhow::Ok(received)
    })?;
    for (at, event) in found.events.iter().enumerate() {
        say(event, received.get(at), printer);
    }
    sum_up(args, &found, &received, printer);
    Ok(if found.strange.is_empty() {
        Exit::Ok
    } else {
        Exit::Data
    })
}

fn say(event: &Event, received: Option<&Received>, printer: Printer) {
    let line = Line {
        provider: event.provider,
        kind: event.kind,
        recipient: &event.address,
        severity: event.severity,
        class: event.class.map(Class::name),
        campaign: received.and_then(|one| one.campaign.as_deref()),
        new: received.map(|one| one.is_new),
        suppressed: received.and_then(|one| one.suppressed),
    };
    if printer.form == Form::Json {
        return printer.json(&line);
    }
    let (who, what) = (event.address.as_str(), event.kind.said(event.severity));
    printer.data(became::line(text!("{who}: {what}", who, what), received));
}

fn sum_up(args: &Args, found: &Found, received: &[Received], printer: Printer) {
    printer.say(text!(
        "{events} read, {others} about other things",
        events = events(found.events.len() as u64),
        others = found.passed_over
    ));
    let mut sum = Sum::default();
    sum.count(received);
    sum.say(args.dry_run, printer);
    if !found.strange.is_empty() {
        let places: Vec<&str> = found.strange.iter().take(SHOWN).map(String::as_str).collect();
        printer.warn(text!(
            "not understood, and left alone: {events} (at {places})",
            events = events(found.strange.len() as u64),
            places = places.join(", ")
        ));
    }
}
