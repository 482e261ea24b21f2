//! `mailshot report`: what became of a campaign's mails, by what servers said; and what they said that no rule knows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::exit::{Coded, Exit};
use super::printer::{Form, Printer, number};
use super::{load, texts};
use crate::ledger::Tally;
use crate::ledger::read::{Heard, Reader};
use crate::mail::Class;
use crate::replies::Rules;
use crate::text;
use crate::words::Text;

/// Unknown replies shown; the rest are counted.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
#[command(after_help = texts::REPORT)]
pub(super) struct Args {
    /// The campaign: its file, or its name
    campaign: String,
}

/// What a report says.
#[derive(Serialize)]
struct Report {
    campaign: String,
    #[serde(flatten)]
    tally: Tally,
    /// Mails by what servers said to them last, unless that was a yes.
    replies: Vec<OfClass>,
    /// What no rule knows.
    unknown: Vec<Unknown>,
}

#[derive(Serialize)]
struct OfClass {
    class: String,
    mails: u32,
}

#[derive(Serialize)]
struct Unknown {
    stage: String,
    /// One of those that say the same but for numbers and addresses.
    reply: String,
    times: u32,
}

pub(super) fn run(args: &Args, printer: Printer) -> anyhow::Result<Exit> {
    let workspace = load::workspace(Some(args.campaign.as_str()))?;
    let name = load::campaign_name(&args.campaign, &workspace)?;
    let reader = Reader::open(&workspace.ledger)?;
    let known = reader
        .as_ref()
        .map(|reader| reader.campaign(&name))
        .transpose()?
        .flatten();
    let (Some(reader), Some(id)) = (reader, known) else {
        let what = text!("nothing of `{name}` was sent yet", name);
        let hint = text!("`mailshot status` lists what was");
        return Err(Coded::new(Exit::Data, what).hint(hint).into());
    };
    let report = Report {
        campaign: name,
        tally: reader.tally(id)?,
        replies: reader
            .last_classes(id)?
            .into_iter()
            .map(|(class, mails)| OfClass { class, mails })
            .collect(),
        unknown: alike(reader.unknown_replies(id)?),
    };
    match printer.form {
        Form::Json => printer.json(&report),
        Form::Text => show(&report, printer),
    }
    Ok(Exit::Ok)
}

/// Replies that differ only in numbers and addresses, together; the most frequent first.
fn alike(all: Vec<Heard>) -> Vec<Unknown> {
    let mut found: BTreeMap<(String, String), Unknown> = BTreeMap::new();
    for heard in all {
        let key = (heard.stage.clone(), shape(&heard.reply));
        found
            .entry(key)
            .and_modify(|unknown| unknown.times += heard.times)
            .or_insert(Unknown {
                stage: heard.stage,
                reply: heard.reply,
                times: heard.times,
            });
    }
    let mut found: Vec<Unknown> = found.into_values().collect();
    found.sort_by_key(|unknown| std::cmp::Reverse(unknown.times));
    found
}

/// A reply without what differs from mail to mail.
fn shape(reply: &str) -> String {
    let words = reply.split_whitespace().enumerate().map(|(place, word)| {
        // The code says what it is.
        let is_own = place > 0 && word.contains(|c: char| c.is_ascii_digit() || c == '@');
        if is_own { "…" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn show(report: &Report, printer: Printer) {
    let tally = &report.tally;
    let line = text!(
        "{campaign}: {sent} sent, {failed} failed, {doubt} in doubt, {pending} pending, {suppressed} suppressed, of {all}",
        campaign = report.campaign.as_str(),
        sent = number(tally.sent),
        failed = number(tally.failed),
        doubt = number(tally.in_doubt),
        pending = number(tally.pending),
        suppressed = number(tally.suppressed),
        all = number(tally.recipients)
    );
    printer.data(line);
    let rules = Rules::built_in();
    for OfClass { class, mails } in &report.replies {
        let meaning = class.parse::<Class>().ok();
        let meaning = meaning.map(|class| {
            rules
                .of_class(class, None)
                .meaning
                .in_lang(printer.lang)
                .to_owned()
        });
        printer.data(text!(
            "  {mails} {class}: {meaning}",
            mails = format!("{:>8}", number(u64::from(*mails))),
            class = class.as_str(),
            meaning = meaning.unwrap_or_default()
        ));
    }
    if report.unknown.is_empty() {
        return;
    }
    printer.data(Text::default());
    printer.data(text!("replies that no rule knows:"));
    for unknown in report.unknown.iter().take(SHOWN) {
        printer.data(text!(
            "  {times} × at {stage}: {reply}",
            times = number(u64::from(unknown.times)),
            stage = unknown.stage.as_str(),
            reply = unknown.reply.as_str()
        ));
    }
    if let Some(more) = report.unknown.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        printer.data(text!("  and {more} others", more));
    }
    printer.say(text!(
        "teach mailshot what they mean with [[rule]] in mailshot.toml"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_that_differ_in_numbers_and_addresses_are_one() {
        let heard = |reply: &str, times| Heard {
            stage: "rcpt".to_owned(),
            reply: reply.to_owned(),
            times,
        };
        let found = alike(vec![
            heard("550 go away <a@example.com> [id 17]", 1),
            heard("550 gone fishing", 2),
            heard("550 go away <b@example.com> [id 4711]", 3),
        ]);
        let counted: Vec<(u32, &str)> = found.iter().map(|one| (one.times, one.reply.as_str())).collect();
        assert_eq!(
            counted,
            [
                (4, "550 go away <a@example.com> [id 17]"),
                (2, "550 gone fishing")
            ]
        );
    }
}
