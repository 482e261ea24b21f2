//! The report in words.

use super::super::printer::{Printer, number};
use super::counts::Counts;
use super::{OfClass, Report, family};
use crate::campaign::limits::Limits;
use crate::mail::Class;
use crate::replies::Rules;
use crate::text;
use crate::words::{Lang, Text};

/// Unknown replies shown; the rest are counted.
const SHOWN: usize = 20;

pub(super) fn say(report: &Report, printer: Printer) {
    let tally = &report.counts.tally;
    printer.data(text!(
        "{campaign}: {sent} sent, {failed} failed, {doubt} in doubt, {pending} pending, {suppressed} suppressed, of {all}",
        campaign = report.campaign.as_str(),
        sent = number(tally.sent),
        failed = number(tally.failed),
        doubt = number(tally.in_doubt),
        pending = number(tally.pending + tally.sending),
        suppressed = number(tally.suppressed),
        all = number(tally.recipients)
    ));
    came_back(report, printer);
    replies(report, printer);
    families(report, printer);
    unknown(report, printer);
}

/// Counts of what came back, by their names, with their shares.
pub(super) fn returned(counts: &Counts) -> [(Text, u64); 4] {
    [
        (text!("bounced for good"), counts.bounced_hard),
        (text!("bounced for now"), counts.bounced_soft),
        (text!("complained"), counts.complained),
        (text!("unsubscribed"), counts.unsubscribed),
    ]
}

/// What a share of complaints means, if it is worth a word. Source: the bulk senders' rules of Gmail and Yahoo.
pub(super) fn warning(counts: &Counts, limits: Limits) -> Option<Text> {
    let (found, all) = (counts.complained, counts.answered());
    if limits.complaint_limit.is_exceeded(found, all) {
        Some(text!(
            "over {limit}: providers block senders for that",
            limit = limits.complaint_limit
        ))
    } else if Limits::COMPLAINTS_NOTED.is_exceeded(found, all) {
        Some(text!(
            "over {limit}: providers begin to take notice",
            limit = Limits::COMPLAINTS_NOTED
        ))
    } else {
        None
    }
}

fn came_back(report: &Report, printer: Printer) {
    let counts = &report.counts;
    for (what, count) in returned(counts) {
        if count > 0 {
            printer.data(text!(
                "  {count} {what} ({share})",
                count = format!("{:>8}", number(count)),
                what,
                share = counts.share(count)
            ));
        }
    }
    if let Some(warning) = warning(counts, report.limits) {
        printer.warn(text!("warning: complaints are {warning}", warning));
    }
    if let Some(why) = &report.held {
        printer.warn(text!(
            "the campaign is held: {why}; `mailshot send {campaign} --release` goes on",
            why = Text::kept(why),
            campaign = report.campaign.as_str()
        ));
    }
}

/// What a class means, in words.
pub(super) fn meaning(class: &str, lang: Lang) -> String {
    let class = class.parse::<Class>().ok();
    let rules = Rules::built_in();
    class
        .map(|class| rules.of_class(class, None).meaning.in_lang(lang).to_owned())
        .unwrap_or_default()
}

fn replies(report: &Report, printer: Printer) {
    for OfClass { class, mails } in &report.replies {
        printer.data(text!(
            "  {mails} {class}: {meaning}",
            mails = format!("{:>8}", number(u64::from(*mails))),
            class = class.as_str(),
            meaning = meaning(class, printer.lang)
        ));
    }
}

fn families(report: &Report, printer: Printer) {
    if report.families.len() < 2 {
        return;
    }
    printer.data(Text::default());
    printer.data(text!("by destination:"));
    for (name, counts) in &report.families {
        let tally = &counts.tally;
        let mut parts = vec![
            text!("{n} sent", n = number(tally.sent)),
            text!("{n} failed", n = number(tally.failed)),
        ];
        for (what, count) in returned(counts) {
            if count > 0 {
                let share = counts.share(count);
                parts.push(text!(
                    "{count} {what} ({share})",
                    count = number(count),
                    what,
                    share
                ));
            }
        }
        printer.data(text!(
            "  {family}: {parts}",
            family = family(name, printer.lang),
            parts = Text::joined(parts, ", ")
        ));
        if let Some(warning) = warning(counts, report.limits) {
            printer.data(text!("    complaints are {warning}", warning));
        }
    }
}

fn unknown(report: &Report, printer: Printer) {
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
