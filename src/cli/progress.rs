//! What a run shows while it goes on: a bar on a terminal, a plain line every few seconds elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::tz::TimeZone;
use serde_json::json;

use super::printer::{Form, Printer, number, time};
use crate::campaign::quota::Left;
use crate::mail::Outcome;
use crate::pipeline::{Happened, Held, Waits, Watcher};
use crate::text;
use crate::words::Text;

/// A plain line is printed this often.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// The speed is taken over about this long.
const SPEED_OVER: Duration = Duration::from_secs(15);

/// Counts of this run; the ledger has those of the campaign.
#[derive(Debug, Default)]
pub(super) struct Counts {
    sent: AtomicU64,
    deferred: AtomicU64,
    failed: AtomicU64,
    in_doubt: AtomicU64,
}

impl Counts {
    fn note(&self, happened: &Happened<'_>) {
        let field = match happened.outcome {
            Outcome::Accepted(_) => &self.sent,
            Outcome::InDoubt(_) => &self.in_doubt,
            _ if happened.is_final => &self.failed,
            Outcome::Deferred(_) | Outcome::Refused(_) => &self.deferred,
        };
        field.fetch_add(1, Ordering::Relaxed);
    }

    /// Mails accepted in this run.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn settled(&self) -> u64 {
        self.sent() + self.failed.load(Ordering::Relaxed) + self.in_doubt.load(Ordering::Relaxed)
    }
}

/// Shows how a run goes on.
pub(super) struct Progress {
    pub(super) counts: Arc<Counts>,
    /// What the run waits for.
    pub(super) waits: Waits,
    zone: TimeZone,
    printer: Printer,
    bar: ProgressBar,
    total: u64,
    last_line: Instant,
    /// Moments and how many mails were settled by then, for the speed.
    past: std::collections::VecDeque<(Instant, u64)>,
}

impl Progress {
    /// Shows a run that has `total` mails before it.
    pub(super) fn new(printer: Printer, total: u64, zone: TimeZone) -> Self {
        let is_shown = !printer.is_quiet && printer.form == Form::Text && console_is_terminal();
        let target = if is_shown {
            ProgressDrawTarget::stderr_with_hz(5)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}") {
            bar.set_style(style);
        }
        let past = std::iter::once((Instant::now(), 0)).collect();
        Self {
            counts: Arc::new(Counts::default()),
            waits: Arc::default(),
            zone,
            printer,
            bar,
            total,
            last_line: Instant::now(),
            past,
        }
    }

    /// Told of every outcome: counts it, and prints it as an event line for `--json`.
    pub(super) fn watcher(&self) -> Watcher {
        let (counts, printer) = (Arc::clone(&self.counts), self.printer);
        Arc::new(move |happened| {
            counts.note(happened);
            if printer.form == Form::Json {
                printer.json(&event(happened));
            }
        })
    }

    /// Shows where the run stands.
    pub(super) fn tick(&mut self, left: &[Left]) {
        let now = Instant::now();
        self.past.push_back((now, self.counts.settled()));
        while self.past.len() > 2 && self.past.front().is_some_and(|(at, _)| now - *at > SPEED_OVER) {
            self.past.pop_front();
        }
        let text = self.text(left);
        self.bar.set_position(self.counts.settled());
        self.bar.set_message(text.in_lang(self.printer.lang));
        if self.bar.is_hidden() && self.printer.form == Form::Text && now - self.last_line >= LINE_EVERY {
            self.last_line = now;
            self.printer.say(text!(
                "{settled}/{total}  {text}",
                settled = number(self.counts.settled()),
                total = number(self.total),
                text
            ));
        }
    }

    /// Says something that must not be missed, above the bar.
    pub(super) fn warn(&self, line: &Text) {
        self.bar.suspend(|| self.printer.warn(line));
    }

    /// Takes the bar away; what comes next is the summary.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn text(&self, left: &[Left]) -> Text {
        let counts = &self.counts;
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut parts = vec![text!("{n} sent", n = number(counts.sent()))];
        let others = [
            (
                count(&counts.deferred),
                text!("{n} deferred", n = number(count(&counts.deferred))),
            ),
            (
                count(&counts.failed),
                text!("{n} failed", n = number(count(&counts.failed))),
            ),
            (
                count(&counts.in_doubt),
                text!("{n} in doubt", n = number(count(&counts.in_doubt))),
            ),
        ];
        parts.extend(
            others
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(_, said)| said),
        );
        let held = *self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held {
            let until = time(held.until_ms(), &self.zone);
            parts.push(text!("waiting until {until}: {why}", until, why = why(held)));
            return Text::joined(parts, " · ");
        }
        let speed = self.speed();
        parts.push(text!("{speed}/s", speed = format!("{speed:.1}")));
        if let Some(longest) = left.iter().max_by_key(|left| left.rate.unit) {
            parts.push(text!(
                "{left} of {rate} left",
                left = number(longest.left.into()),
                rate = longest.rate
            ));
        }
        parts.extend(self.expected_end(speed, left));
        Text::joined(parts, " · ")
    }

    fn speed(&self) -> f64 {
        let (Some(first), Some(last)) = (self.past.front(), self.past.back()) else {
            return 0.0;
        };
        let seconds = (last.0 - first.0).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a speed for people")]
        let mails = (last.1 - first.1) as f64;
        if seconds > 0.0 { mails / seconds } else { 0.0 }
    }

    fn expected_end(&self, speed: f64, left: &[Left]) -> Option<Text> {
        let waiting = self.total.saturating_sub(self.counts.settled());
        if left
            .iter()
            .any(|left| u64::from(left.left) < waiting && left.rate.unit == crate::campaign::quota::Unit::Day)
        {
            return Some(text!("today's quota ends before the list"));
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        let seconds = (speed > 0.0).then(|| waiting as f64 / speed)?;
        let length = duration(Duration::try_from_secs_f64(seconds).ok()?);
        Some(text!("{length} to go", length))
    }
}

/// Why nothing leaves.
fn why(held: Held) -> Text {
    match held {
        Held::Quota(spent) => text!("{rate} are used up", rate = spent.rate),
        Held::Alike(spent) => text!(
            "{rate} mails that say nearly the same have left",
            rate = spent.rate
        ),
        Held::Pause(_) => text!("the provider wants a pause"),
        Held::Later(_) => text!("the rest is due then, or its destination takes no more now"),
    }
}

fn console_is_terminal() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal()
}

/// `45 s`, `12 min`, `3 h 20 min`.
pub(super) fn duration(length: Duration) -> Text {
    let seconds = length.as_secs();
    match seconds {
        0..=119 => text!("{seconds} s", seconds),
        120..=7_199 => text!("{minutes} min", minutes = seconds / 60),
        _ => text!(
            "{hours} h {minutes} min",
            hours = seconds / 3_600,
            minutes = seconds % 3_600 / 60
        ),
    }
}

/// An outcome under the names that mail log shippers parse (`KumoMTA`'s records).
fn event(happened: &Happened<'_>) -> serde_json::Value {
    let kind = match happened.outcome {
        Outcome::Accepted(_) => "Delivery",
        Outcome::InDoubt(_) => "InDoubt",
        _ if happened.is_final => "Bounce",
        Outcome::Deferred(_) | Outcome::Refused(_) => "TransientFailure",
    };
    let reply = happened.outcome.reply();
    let enhanced = reply.and_then(|reply| reply.enhanced);
    let enhanced =
        enhanced.map(|code| json!({ "class": code.class, "subject": code.subject, "detail": code.detail }));
    let fault = happened.outcome.fault();
    json!({
        "type": kind,
        "id": happened.message_id,
        "recipient": happened.recipient,
        "response": {
            "code": reply.map(|reply| reply.code),
            "enhanced_code": enhanced,
            "content": reply.map_or_else(|| fault.map(ToString::to_string).unwrap_or_default(), |reply| reply.text.clone()),
            "command": fault.map(|fault| fault.stage),
        },
        "timestamp": happened.at_ms / 1_000,
        "num_attempts": happened.tries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_people_say_them() {
        let say = |seconds| duration(Duration::from_secs(seconds)).to_string();
        assert_eq!([say(45), say(720), say(12_000)], ["45 s", "12 min", "3 h 20 min"]);
    }

    #[test]
    fn whoever_waits_is_told_until_when_and_for_what() {
        let printer = Printer {
            form: Form::Text,
            is_quiet: true,
            lang: crate::words::Lang::En,
        };
        let progress = Progress::new(printer, 100, TimeZone::UTC);
        for (held, said) in [
            (Held::Later(60_000), "its destination takes no more now"),
            (Held::Pause(60_000), "the provider wants a pause"),
        ] {
            *progress.waits.lock().unwrap() = Some(held);
            let text = progress.text(&[]).to_string();
            assert!(
                text.starts_with("0 sent · waiting until ") && text.ends_with(said),
                "{text}"
            );
        }
    }
}
