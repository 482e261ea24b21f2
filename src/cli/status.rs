//! `mailshot status`: how campaigns stand.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::counted::{mails, recipients};
use super::exit::{Coded, Exit};
use super::printer::{Form, Printer, number, padded, time};
use super::{load, lockout, texts};
use crate::campaign::pace::Learned;
use crate::campaign::quota::Reset;
use crate::campaign::{Campaign, Workspace};
use crate::clock::Clock;
use crate::ledger::read::{AccountLock, Reader, Status};
use crate::ledger::{State, Tally};
use crate::mail::Address;
use crate::text;
use crate::words::Text;

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
        let what = text!("the ledger knows no campaign `{name}`", name);
        return Err(Coded::new(Exit::Data, what)
            .hint(text!("`mailshot status` lists those it knows"))
            .into());
    };
    let variants = match &reader {
        Some(reader) => variants(reader, argument, &workspace)?,
        None => Vec::new(),
    };
    let now_ms = Clock::System.now_ms();
    let mut kept = match &reader {
        Some(reader) => reader.learned(&status.account)?,
        None => BTreeMap::new(),
    };
    kept.retain(|_, learned| learned.holds(now_ms));
    let lock = lock_of(reader.as_ref(), &status.account, now_ms)?;
    match printer.form {
        Form::Json => printer.json(&WithVariants {
            status,
            lock,
            learned: kept,
            variants,
        }),
        Form::Text => {
            describe(&workspace, &status, printer);
            say_lock(&workspace, &status.account, lock.as_ref(), printer);
            for line in learned(&kept, now_ms, &zone(&workspace, &status.account)) {
                printer.data(text!("  {line}", line));
            }
            compare(&variants, printer);
            if let Some(reader) = &reader {
                list(reader, &name, State::InDoubt, printer)?;
                list(reader, &name, State::Failed, printer)?;
            }
        }
    }
    Ok(Exit::Ok)
}

/// What an account has learned and still keeps to, in words.
pub(super) fn learned(all: &BTreeMap<String, Learned>, now_ms: i64, zone: &TimeZone) -> Vec<Text> {
    let mut lines = Vec::new();
    for (destination, learned) in all {
        let who = || match destination.as_str() {
            "" => text!("the account"),
            name => Text::from(name),
        };
        let why = || learned.why.as_str();
        if learned.paused_until_ms > now_ms {
            let until = time(learned.paused_until_ms, zone);
            lines.push(text!(
                "{who} pauses until {until}: {why}",
                who = who(),
                until,
                why = why()
            ));
        }
        if let Some(rate) = learned.per_hour_at(now_ms) {
            let rate = number(u64::from(rate));
            lines.push(text!(
                "{who} goes at {rate} an hour and is recovering: {why}",
                who = who(),
                rate,
                why = why()
            ));
        }
        if let Some(most) = learned.connections_at(now_ms) {
            lines.push(text!(
                "{who} takes {most} connections at most: {why}",
                who = who(),
                most,
                why = why()
            ));
        }
        if let Some(most) = learned.messages_at(now_ms) {
            lines.push(text!(
                "{who} takes {most} mails on one connection: {why}",
                who = who(),
                most,
                why = why()
            ));
        }
    }
    lines
}

#[derive(Serialize)]
struct WithVariants {
    #[serde(flatten)]
    status: Status,
    /// Its login was refused, and it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<AccountLock>,
    /// What the account has learned and still keeps to, by destination; the account itself has no name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    learned: BTreeMap<String, Learned>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantTally>,
}

/// How the mails of a variant stand.
#[derive(Serialize)]
struct VariantTally {
    variant: String,
    #[serde(flatten)]
    tally: Tally,
}

/// How the variants of a campaign stand, as its file has them; none when it has none, or cannot be read any longer.
fn variants(reader: &Reader, argument: &str, workspace: &Workspace) -> anyhow::Result<Vec<VariantTally>> {
    let file = load::campaign_file(argument, workspace).ok();
    let campaign = file.and_then(|file| Campaign::load(&file, workspace).ok());
    let Some(campaign) = campaign.filter(|campaign| !campaign.variants.is_empty()) else {
        return Ok(Vec::new());
    };
    let Some(id) = reader.campaign(&campaign.name)? else {
        return Ok(Vec::new());
    };
    let mut tallies = vec![Tally::default(); campaign.variants.len()];
    let lots = campaign.lots();
    reader.each_delivery(id, |address, delivery| {
        let drawn = Address::parse_utf8(address).map(|address| lots.draw(&address));
        if let Some(tally) = drawn.ok().and_then(|number| tallies.get_mut(number)) {
            tally.add(delivery.state, 1);
        }
    })?;
    let names = campaign.variants.into_iter().map(|variant| variant.name);
    let both = names.zip(tallies);
    Ok(both
        .map(|(variant, tally)| VariantTally { variant, tally })
        .collect())
}

/// Shows variants under one another.
fn compare(variants: &[VariantTally], printer: Printer) {
    if variants.is_empty() {
        return;
    }
    let say = |text: Text| text.in_lang(printer.lang);
    let head = say(text!("variant"));
    let longest = variants.iter().map(|one| one.variant.width()).max();
    let width = longest.unwrap_or_default().max(head.width());
    let line = |name: &str, cells: [String; 5]| {
        let cells: Vec<String> = cells
            .iter()
            .map(|cell| format!("{}{cell}", padded("", 10_usize.saturating_sub(cell.width()))))
            .collect();
        printer.data(Text::from(format!("  {}{}", padded(name, width), cells.concat())));
    };
    printer.data(Text::default());
    let heads = [
        text!("mails"),
        text!("sent"),
        text!("failed"),
        text!("in doubt"),
        text!("pending"),
    ];
    line(&head, heads.map(say));
    for VariantTally { variant, tally } in variants {
        let counts = [
            tally.recipients,
            tally.sent,
            tally.failed,
            tally.in_doubt,
            tally.pending,
        ];
        line(variant, counts.map(number));
    }
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
        printer.data(text!("no campaign was sent yet"));
    }
    let now_ms = Clock::System.now_ms();
    for status in found {
        let lock = lock_of(reader, &status.account, now_ms)?;
        match printer.form {
            Form::Json => printer.json(&WithVariants {
                status,
                lock,
                learned: BTreeMap::new(),
                variants: Vec::new(),
            }),
            Form::Text => {
                describe(workspace, &status, printer);
                say_lock(workspace, &status.account, lock.as_ref(), printer);
            }
        }
    }
    Ok(Exit::Ok)
}

fn lock_of(reader: Option<&Reader>, account: &str, now_ms: i64) -> anyhow::Result<Option<AccountLock>> {
    let found = reader.map(|reader| reader.account_lock(account, now_ms));
    Ok(found.transpose()?.flatten())
}

fn say_lock(workspace: &Workspace, account: &str, lock: Option<&AccountLock>, printer: Printer) {
    if let Some(lock) = lock {
        let said = lockout::said(lock, &zone(workspace, account));
        printer.data(text!("  the account is {said}", said));
    }
}

/// Shows a campaign's counts and how it goes on.
pub(super) fn describe(workspace: &Workspace, status: &Status, printer: Printer) {
    let tally = &status.tally;
    let people = recipients(status.people);
    let whom = if tally.recipients == status.people {
        people
    } else {
        text!("{mails} to {people}", mails = mails(tally.recipients), people)
    };
    printer.data(text!(
        "{campaign}: {state}, {whom}",
        campaign = status.campaign,
        state = state(&status.state),
        whom
    ));
    let withdrawn = if status.withdrawn > 0 {
        text!(" ({n} no longer on the list)", n = number(status.withdrawn))
    } else {
        Text::default()
    };
    let died = if status.state == "running" {
        Text::default()
    } else {
        text!(" (the run died: in doubt)")
    };
    let none = Text::default;
    for (name, count, more) in [
        (text!("sent"), tally.sent, none()),
        (text!("pending"), tally.pending, none()),
        (text!("sending"), tally.sending, died),
        (text!("failed"), tally.failed, none()),
        (text!("in doubt"), tally.in_doubt, none()),
        (text!("suppressed"), tally.suppressed, withdrawn),
    ] {
        if count > 0 {
            let name = padded(&name.in_lang(printer.lang), 11);
            let count = format!("{:>9}", number(count));
            printer.data(text!("  {name} {count}{more}", name, count, more));
        }
    }
    standing(workspace, status, printer);
}

/// The rules a campaign is sent by, why it stands still, and when it goes on.
fn standing(workspace: &Workspace, status: &Status, printer: Printer) {
    let rules = &status.rules;
    if let Some(laws) = &rules.laws {
        printer.data(text!("  laws        {laws}", laws));
    }
    if let Some(basis) = &rules.legal_basis {
        printer.data(text!("  legal basis {basis}, set in the campaign", basis));
    }
    if rules.ignore_consent {
        printer.data(text!("  consent     ignored, as the campaign was told"));
    }
    if !status.note.is_empty() && status.state != "finished" {
        printer.data(text!("  {line}", line = &status.note));
    }
    if let Some(next_ms) = status.next_ms.filter(|_| status.state == "paused") {
        let at = time(next_ms, &zone(workspace, &status.account));
        printer.data(text!("  next: {at}", at));
    }
}

/// How a campaign stands, in words.
fn state(name: &str) -> Text {
    match name {
        "draft" => text!("draft"),
        "running" => text!("running"),
        "paused" => text!("paused"),
        "stopped" => text!("stopped"),
        "finished" => text!("finished"),
        other => Text::from(other),
    }
}

/// The zone an account's days are counted in; the machine's own when it has none.
pub(super) fn zone(workspace: &Workspace, account: &str) -> TimeZone {
    match workspace.accounts.get(account).map(|account| &account.quota.day) {
        Some(Reset::Midnight(zone)) => zone.clone(),
        Some(Reset::Rolling) | None => TimeZone::system(),
    }
}

/// The state of a delivery, in words.
pub(super) fn in_words(state: State) -> Text {
    match state {
        State::Pending => text!("pending"),
        State::Sending => text!("sending"),
        State::Sent => text!("sent"),
        State::Failed => text!("failed"),
        State::InDoubt => text!("in doubt"),
        State::Suppressed => text!("suppressed"),
    }
}

/// Names the deliveries in one state.
pub(super) fn list(reader: &Reader, campaign: &str, state: State, printer: Printer) -> anyhow::Result<()> {
    let found = reader.in_state(campaign, state, LISTED + 1)?;
    if found.is_empty() {
        return Ok(());
    }
    printer.data(text!("\n{state}:", state = in_words(state)));
    for one in found.iter().take(LISTED as usize) {
        printer.data(text!(
            "  {to}  {reason}",
            to = one.to(),
            reason = Text::kept(&one.reason)
        ));
    }
    if found.len() > LISTED as usize {
        printer.data(Text::from("  …"));
    }
    Ok(())
}
