//! What providers say became of mails: the events that they send or export. Each provider has its own form; what they
//! mean is the same.

mod json;
mod table;
mod words;

use crate::mail::{Class, Feedback, Severity};
use crate::replies::{Circumstances, Judge, pasted};
use words::Meant;

/// What happened to a mail, as a provider says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who says so: `ses`, `sendgrid`, …; `table` for a file of rows.
    pub provider: &'static str,
    /// The event's own name, where it has one.
    pub id: Option<String>,
    /// What it is.
    pub kind: Feedback,
    /// How bad a bounce is; none for one that is still being tried.
    pub severity: Option<Severity>,
    /// What kind of answer the recipient's server gave.
    pub class: Option<Class>,
    /// The recipient.
    pub address: String,
    /// The Message-ID, without angle brackets; providers may have given the mail another one.
    pub message_id: Option<String>,
    /// When, in ms since the epoch.
    pub at_ms: Option<i64>,
    /// What was said.
    pub said: String,
}

/// What a file or a request has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What concerns us.
    pub events: Vec<Event>,
    /// Events about opens, clicks and the like.
    pub passed_over: u64,
    /// What could not be understood: where it stands.
    pub strange: Vec<String>,
}

/// An event before its words are weighed.
#[derive(Clone, Debug, Default)]
struct Raw {
    provider: &'static str,
    id: Option<String>,
    /// What the provider calls it.
    what: String,
    /// More about it: the type of a bounce.
    more: String,
    address: String,
    message_id: Option<String>,
    at_ms: Option<i64>,
    said: String,
}

/// Reads events: JSON (an object, an array, or one a line), or a table with a header.
pub fn read(text: &str, judge: &Judge) -> Found {
    let text = text.trim_start_matches('\u{feff}').trim();
    let mut found = Found::default();
    if text.starts_with(['{', '[']) {
        json::read(text, judge, &mut found);
    } else {
        table::read(text, judge, &mut found);
    }
    found
}

impl Found {
    /// Takes an event in, if it concerns us; `place` is where it stands.
    fn take(&mut self, raw: Raw, place: &str, judge: &Judge) {
        let Some(meant) = words::meant(&raw.what, &raw.more) else {
            self.strange.push(place.to_owned());
            return;
        };
        let address = super::prose::addresses(&raw.address).next();
        match (meant, address) {
            (Meant::Nothing, _) => self.passed_over += 1,
            (_, None) => self.strange.push(place.to_owned()),
            (Meant::Kind(kind, said_severity), Some(address)) => {
                let (severity, class) = weigh(kind, said_severity, &raw, &address, judge);
                self.events.push(Event {
                    provider: raw.provider,
                    id: raw.id,
                    kind,
                    severity,
                    class,
                    address,
                    message_id: raw.message_id.map(|id| id.trim_matches(['<', '>']).to_owned()),
                    at_ms: raw.at_ms,
                    said: raw.said,
                });
            }
        }
    }
}

/// How bad a bounce is: as the rules say where they know the answer, else as the provider says.
fn weigh(
    kind: Feedback,
    said: Option<Severity>,
    raw: &Raw,
    address: &str,
    judge: &Judge,
) -> (Option<Severity>, Option<Class>) {
    if kind != Feedback::Bounce {
        return (None, None);
    }
    let (reply, _) = pasted(&raw.said);
    let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
    let circumstances = Circumstances {
        destination: domain.as_deref(),
        ..Circumstances::default()
    };
    let verdict = judge.rules().meaning(&reply, circumstances).verdict;
    let is_known = !matches!(
        verdict.class,
        Class::UnclassifiedPermanent | Class::UnclassifiedTransient | Class::Delivered
    );
    match said {
        // Still being tried, whatever was said.
        None => (None, is_known.then_some(verdict.class)),
        Some(_) if is_known && verdict.suppress => (Some(Severity::Hard), Some(verdict.class)),
        Some(_) if is_known => (Some(Severity::Soft), Some(verdict.class)),
        Some(said) => (Some(said), None),
    }
}

/// A moment as providers write it: seconds or milliseconds since the epoch, or a date.
fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        // Seconds of this century have ten digits.
        let ms = if number < 1e11 { number * 1e3 } else { number };
        #[expect(clippy::cast_possible_truncation, reason = "moments that computers know")]
        return (ms.is_finite() && ms > 0.0 && ms < 1e15).then_some(ms as i64);
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    if let Ok(at) = jiff::fmt::rfc2822::parse(text) {
        return Some(at.timestamp().as_millisecond());
    }
    let at = text.replace('/', "-").parse::<jiff::civil::DateTime>().ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::system()).ok()?;
    Some(at.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests;
