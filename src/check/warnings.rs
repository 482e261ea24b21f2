//! What is not wrong, and yet hurts: in templates, in cells, in sizes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::Findings;
use crate::campaign::list::Consent;
use crate::campaign::{Campaign, Law, Problem, SentAs};
use crate::compose::is_blocked;
use crate::mail::domain;
use crate::mail::repair::meant_domain;
use crate::mail::{Content, FileUse, Recipient, SentFile};
use crate::pipeline::Maker;
use crate::render::{AddressOf, Editions};
use crate::source::List;
use crate::text;
use crate::words::{Say, Text};

/// Mistyped addresses named in the report.
const SLIPS_SHOWN: usize = 20;
/// Columns that say since when a person is on the list, or did business.
const SINCE: [&str; 9] = [
    "consent_at",
    "consent_date",
    "consented_at",
    "opt_in_date",
    "optin_time",
    "opt_in_time",
    "subscribed_at",
    "confirm_time",
    "last_order",
];
/// Unknown languages named in the report.
const LANGUAGES_SHOWN: usize = 20;
/// Gmail cuts the HTML off from about this size on, and the footer with it.
const CLIPPED_FROM: usize = 102 * 1_024;
/// From here on it may happen to somebody.
const NEARLY_CLIPPED: usize = 90 * 1_024;

const REFUSED: Text = text!("mailboxes throw away files of this kind, or refuse the mail");

/// Rows that have something about them: how many, and the line of the first.
#[derive(Clone, Copy, Debug, Default)]
struct Rows {
    count: u64,
    first: u64,
}

impl Rows {
    fn add(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }

    fn in_words(self, all: u64) -> Text {
        if all == 1 {
            text!("{count} of 1 row", count = self.count)
        } else {
            text!("{count} of {all} rows", count = self.count, all)
        }
    }
}

/// What is seen in the cells of a list while it is read.
pub(super) struct Cells {
    /// Columns whose values stand in the mail as they are: the rows that have nothing there.
    empty: BTreeMap<usize, Rows>,
    /// Columns whose values begin an address: where the template has it, and the rows where it is none.
    addresses: BTreeMap<(usize, AddressOf), (Problem, Rows)>,
    /// Languages that the list names and the campaign does not have.
    languages: BTreeMap<String, Rows>,
    /// Columns that say since when, where consent that is implied grows old, and the rows where it is too old.
    since: BTreeMap<usize, Rows>,
    /// The day before which it is: implied consent counts for two years in Canada.
    oldest: Date,
    /// Addresses that look mistyped.
    slips: Vec<(u64, String, &'static str)>,
    /// Lines of domains that are odd, and what is.
    odd: Vec<(u64, Text, Text)>,
}

impl Cells {
    pub(super) fn new(maker: &Maker, list: &List, now_ms: i64) -> Self {
        let templates = maker.templates();
        let names = list.columns().names.iter().enumerate();
        let since =
            names.filter(|(_, name)| maker.campaign().laws.imply_consent() && SINCE.contains(&name.as_str()));
        let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
        let today = TimeZone::UTC.to_datetime(now).date();
        let empty = templates.bare_columns().into_iter();
        let addresses = templates.address_columns().into_iter();
        Self {
            empty: empty.map(|column| (column, Rows::default())).collect(),
            addresses: addresses
                .map(|(column, at)| (column, (at, Rows::default())))
                .collect(),
            languages: BTreeMap::new(),
            since: since.map(|(column, _)| (column, Rows::default())).collect(),
            oldest: today.saturating_sub(24.months()),
            slips: Vec::new(),
            odd: Vec::new(),
        }
    }

    pub(super) fn look_at(&mut self, recipient: &Recipient, editions: &Editions) {
        let line = recipient.place.line;
        let cell = |column: usize| recipient.values.get(column).unwrap_or_default().trim();
        for (column, rows) in &mut self.empty {
            if cell(*column).is_empty() {
                rows.add(line);
            }
        }
        for ((column, what), (_, rows)) in &mut self.addresses {
            if !is_address(*what, cell(*column)) && !cell(*column).is_empty() {
                rows.add(line);
            }
        }
        for (column, rows) in &mut self.since {
            let day = cell(*column).get(..10).and_then(|day| day.parse::<Date>().ok());
            if day.is_some_and(|day| day < self.oldest) {
                rows.add(line);
            }
        }
        if let Some(language) = editions.unknown_language(recipient)
            && (self.languages.len() < LANGUAGES_SHOWN || self.languages.contains_key(language))
        {
            self.languages.entry(language.to_owned()).or_default().add(line);
        }
        if self.odd.len() < SLIPS_SHOWN
            && let Some((what, hint)) = domain::odd(recipient.address.domain())
        {
            self.odd.push((line, what, hint));
        }
        if self.slips.len() < SLIPS_SHOWN
            && let Some(meant) = meant_domain(recipient.address.domain())
        {
            self.slips.push((line, recipient.address.to_string(), meant));
        }
    }

    fn warnings<'a>(&'a self, list: &'a List, usable: u64) -> impl Iterator<Item = Problem> + 'a {
        let name = |column: usize| list.columns().names.get(column).map_or("", String::as_str);
        let some = |rows: &Rows| rows.count > 0;
        let empty = self.empty.iter().filter(move |(_, rows)| some(rows));
        let empty = empty.map(move |(column, rows)| {
            let name = name(*column);
            let rows_said = rows.in_words(usable);
            let what = text!(
                "`{name}` is empty in {rows_said}, and stands in the mail as it is",
                name,
                rows_said
            );
            let hint = text!(
                "write `{{{{default {name} \"…\"}}}}`, or `{{{{#if {name}}}}}…{{{{/if}}}}`",
                name
            );
            Problem::at(list.path(), rows.first, 1, what).hint(hint)
        });
        let addresses = self.addresses.iter().filter(move |(_, (_, rows))| some(rows));
        let addresses = addresses.map(move |((column, of), (at, rows))| {
            let name = name(*column);
            let (so, hint) = match of {
                AddressOf::Image => (
                    text!("no image is shown"),
                    text!("for files of your own put their folder before the tag: `src=\"images/{{{{{name}}}}}\"`", name),
                ),
                AddressOf::Link => (text!("the link leads nowhere"), text!("an address begins with `https://`")),
            };
            let what = text!("`{name}` is no address of the web in {rows}: {so}", name, rows = rows.in_words(usable), so);
            let seen = text!("seen first in line {first} of {list}", first = rows.first, list = list.path().display());
            Problem { what, ..at.clone() }.hint(text!("{seen}; {hint}", seen, hint))
        });
        let slips = self.slips.iter().map(|(line, address, meant)| {
            let what = text!("{address}: a slip of the keyboard?", address);
            let hint = text!("did you mean {meant}? `--fix` makes it so", meant);
            Problem::at(list.path(), *line, 1, what).hint(hint)
        });
        let odd = self.odd.iter().map(|(line, what, hint)| {
            let problem = Problem::at(list.path(), *line, 1, what);
            problem.hint(hint)
        });
        let languages = self.languages.iter().map(move |(language, rows)| {
            let what = text!("the campaign has no language `{language}`: {rows} get its own", language, rows = rows.in_words(usable));
            let hint = text!("write `[language.…]` with what is its own; an empty one says that the campaign's own is meant");
            Problem::at(list.path(), rows.first, 1, what).hint(hint)
        });
        let old = self.since.iter().filter(move |(_, rows)| some(rows));
        let old = old.map(move |(column, rows)| {
            let what = text!("`{column}` is more than two years ago in {rows}", column = name(*column), rows = rows.in_words(usable));
            let hint = text!("consent that is implied by business counts for two years in Canada; leave these people out with `where`");
            Problem::at(list.path(), rows.first, 1, what).hint(hint)
        });
        empty
            .chain(old)
            .chain(addresses)
            .chain(languages)
            .chain(slips)
            .chain(odd)
    }
}

fn is_address(what: AddressOf, cell: &str) -> bool {
    let is = |start: &str| {
        let begin = cell.get(..start.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    let is_other = || ["mailto:", "tel:", "sms:"].into_iter().any(is);
    is("https://") || is("http://") || (what == AddressOf::Link && is_other())
}

/// Files of rows that mailboxes do not take: how many rows have one, and the first of them.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    rows: Rows,
    file: String,
}

impl Blocked {
    pub(super) fn look_at(&mut self, content: &Content, recipient: &Recipient) {
        let name = |file: &SentFile| file.name.clone().unwrap_or_else(|| file.path.clone());
        let own = content
            .files
            .iter()
            .filter(|file| !file.is_shared && file.used == FileUse::Attached);
        let blocked = own.map(name).find(|name| is_blocked(name));
        if let Some(name) = blocked {
            let rows = Rows {
                count: 1,
                first: recipient.place.line,
            };
            self.add(Self { rows, file: name });
        }
    }

    /// Adds what others saw.
    pub(super) fn add(&mut self, other: Self) {
        let is_first = self.rows.count == 0 || other.rows.first < self.rows.first;
        if other.rows.count > 0 && is_first {
            self.rows.first = other.rows.first;
            self.file = other.file;
        }
        self.rows.count += other.rows.count;
    }

    pub(super) fn warning(&self, list: &List, usable: u64) -> Option<Problem> {
        let what = text!(
            "{refused}: {rows} have one, the first is `{file}`",
            refused = REFUSED,
            rows = self.rows.in_words(usable),
            file = self.file
        );
        let problem = Problem::at(list.path(), self.rows.first, 1, what);
        (self.rows.count > 0).then(|| problem.hint(text!("send it `as = \"link\"`")))
    }
}

/// All warnings about a campaign.
pub(super) fn all(maker: &Maker, list: &List, findings: &Findings, cells: &Cells) -> Vec<Problem> {
    let campaign = maker.campaign();
    let mut warnings = campaign.warnings.clone();
    warnings.extend(maker.templates().lint(campaign.laws.include(Law::Cn)));
    warnings.extend(against_law(campaign));
    warnings.extend(ground(campaign, list));
    warnings.extend(clipped(maker, findings.largest_html));
    warnings.extend(cells.warnings(list, findings.usable));
    let blocked = campaign
        .attachments
        .iter()
        .filter(|attachment| attachment.sent_as == SentAs::Attachment)
        .map(|attachment| (attachment, attachment.name.as_deref().unwrap_or(&attachment.file)))
        .filter(|(_, name)| is_blocked(name) && !name.contains("{{"));
    warnings.extend(blocked.map(|(attachment, _)| {
        let what = text!("{refused}: `{file}`", refused = REFUSED, file = attachment.file);
        said(campaign, &attachment.file, what).hint(text!("send it `as = \"link\"`"))
    }));
    warnings
}

/// A value of the campaign's file, where it stands.
fn said(campaign: &Campaign, value: &str, what: impl Say) -> Problem {
    let text = std::fs::read_to_string(&campaign.file).unwrap_or_default();
    let at = text.find(value).unwrap_or(0);
    Problem::in_text(&campaign.file, &text, at..at + value.len(), what)
}

/// What was set against the rules of a law: it is done, and kept on record.
fn against_law(campaign: &Campaign) -> Option<Problem> {
    let laws = &campaign.laws;
    let is_against = campaign.list.consent == Consent::Ignored && laws.want_consent();
    is_against.then(|| {
        let what = text!("people are mailed whatever the list says of their consent, which these laws want");
        said(campaign, "laws", what).hint(text!(
            "set `legal_basis`, or take `ignore_consent` away; the ledger keeps it on record"
        ))
    })
}

/// Canada wants consent, express or implied: somebody has to know which.
fn ground(campaign: &Campaign, list: &List) -> Option<Problem> {
    let laws = &campaign.laws;
    let is_open = laws.include(Law::Ca) && laws.legal_basis.is_none() && !list.speaks_of_consent();
    is_open.then(|| {
        let what = text!("the law of Canada wants consent, and no column says who gave it");
        said(campaign, "laws", what)
            .hint(text!("say the ground: `legal_basis = \"implied-consent\"` for business of the last two years, or \"consent\""))
    })
}

/// Gmail does not show the whole of a long mail.
fn clipped(maker: &Maker, largest_html: usize) -> Option<Problem> {
    let hint = match largest_html {
        size if size > CLIPPED_FROM => text!("the footer with the way to leave is cut off; make it shorter"),
        size if size > NEARLY_CLIPPED => text!("a longer value may be cut off"),
        _ => return None,
    };
    let what = text!(
        "Gmail shows only the first 102 KB; the largest HTML has {size} KB",
        size = largest_html / 1_024
    );
    Some(Problem::at(&maker.campaign().html, 1, 1, what).hint(hint))
}
