//! The report as a page: one file, no script, charts as drawings, black on white when printed.

use handlebars::Handlebars;
use serde_json::{Value, json};

use super::super::printer::number;
use super::counts::Counts;
use super::said::{meaning, returned, warning};
use super::{Report, family};
use crate::text;
use crate::words::{Lang, Text};

/// How wide the longest bar is, in units of the drawing.
const WIDEST: u64 = 600;

pub(super) fn page(report: &Report, lang: Lang) -> anyhow::Result<String> {
    let mut pages = Handlebars::new();
    pages.set_strict_mode(true);
    let say = |text: Text| text.in_lang(lang);
    let tally = &report.counts.tally;
    let states = [
        ("sent", text!("sent"), tally.sent),
        ("failed", text!("failed"), tally.failed),
        ("doubt", text!("in doubt"), tally.in_doubt),
        ("pending", text!("pending"), tally.pending + tally.sending),
        ("suppressed", text!("suppressed"), tally.suppressed),
    ];
    let most = states
        .iter()
        .map(|(_, _, count)| *count)
        .max()
        .unwrap_or_default();
    let states = states.into_iter().map(|(kind, name, count)| {
        json!({ "kind": kind, "name": say(name), "count": number(count), "width": width(count, most),
                "share": of_all(count, tally.recipients) })
    });
    let came = returned(&report.counts);
    let came_most = came.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let came = came.into_iter().map(|(name, count)| {
        json!({ "name": say(name), "count": number(count), "share": report.counts.share(count),
                "width": width(count, came_most) })
    });
    let replies = report.replies.iter().map(|of| {
        json!({ "class": of.class, "mails": number(u64::from(of.mails)), "meaning": meaning(&of.class, lang) })
    });
    let families = report
        .families
        .iter()
        .map(|(name, counts)| row(&family(name, lang), counts, report, lang));
    let text = pages.render_template(
        include_str!("page.html.hbs"),
        &json!({
            "lang": if lang == Lang::Zh { "zh-CN" } else { "en" },
            "campaign": report.campaign,
            "all": number(tally.recipients),
            "made": jiff::Timestamp::from_millisecond(crate::clock::Clock::System.now_ms())?
                .to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M %Z").to_string(),
            "held": report.held.as_ref().map(|why| say(Text::kept(why))),
            "warning": warning(&report.counts, report.limits).map(say),
            "states": states.collect::<Vec<_>>(),
            "came": came.collect::<Vec<_>>(),
            "replies": replies.collect::<Vec<_>>(),
            "families": families.collect::<Vec<_>>(),
            "say": labels(lang),
        }),
    )?;
    Ok(text)
}

fn row(name: &str, counts: &Counts, report: &Report, lang: Lang) -> Value {
    let came: Vec<Value> = returned(counts)
        .into_iter()
        .map(|(_, count)| json!({ "count": number(count), "share": counts.share(count) }))
        .collect();
    json!({
        "name": name,
        "recipients": number(counts.tally.recipients),
        "sent": number(counts.tally.sent),
        "failed": number(counts.tally.failed),
        "came": came,
        "warning": warning(counts, report.limits).map(|text| text.in_lang(lang)),
    })
}

/// A bar's width: something that is there is seen.
fn width(count: u64, most: u64) -> u64 {
    let width = count.saturating_mul(WIDEST).checked_div(most).unwrap_or_default();
    width.max(u64::from(count > 0) * 2)
}

fn of_all(count: u64, all: u64) -> String {
    let tenths = (count.saturating_mul(1_000) + all / 2)
        .checked_div(all)
        .unwrap_or_default();
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// The page's own words.
fn labels(lang: Lang) -> Value {
    let say = |text: Text| text.in_lang(lang);
    json!({
        "title": say(text!("Report")),
        "recipients": say(text!("recipients")),
        "made": say(text!("as of")),
        "held": say(text!("held")),
        "how": say(text!("How the mails stand")),
        "came": say(text!("What came back")),
        "of": say(text!("shares are of mails that were sent or refused")),
        "replies": say(text!("What servers said last, where it was no yes")),
        "families": say(text!("By destination")),
        "family": say(text!("destination")),
        "class": say(text!("class")),
        "mails": say(text!("mails")),
        "meaning": say(text!("meaning")),
        "sent": say(text!("sent")),
        "failed": say(text!("failed")),
        "bounced": say(text!("bounced for good")),
        "soft": say(text!("bounced for now")),
        "complained": say(text!("complained")),
        "unsubscribed": say(text!("unsubscribed")),
        "complaints": say(text!("complaints")),
    })
}
