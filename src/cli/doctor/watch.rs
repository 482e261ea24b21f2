//! `--watch`: waits until everybody sees the same and nothing of it is wrong.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Visit;
use crate::campaign::retry::Span;
use crate::cli::printer::{Form, Printer, time};
use crate::cli::send::signal;
use crate::doctor::{Area, Finding, Severity, examine, is_blind};
use crate::text;
use crate::words::Text;

/// Names that are shown of those of which the same is said.
const NAMES_SHOWN: usize = 3;

/// Asks again and again. Yes: all is as it should be. No: the time is over, or somebody said stop.
pub(super) async fn wait(visit: &Visit<'_>) -> anyhow::Result<bool> {
    let until_ms = visit.clock.now_ms() + visit.args.patience.millis();
    let mut told = Told::new(visit.printer);
    let stop = signal::any();
    tokio::pin!(stop);
    loop {
        let mut open = Vec::new();
        for subject in &visit.scope.subjects {
            let looking = examine(subject, &visit.setup);
            let findings = tokio::select! {
                findings = looking => findings,
                () = &mut stop => return Ok(false),
            };
            // Where nothing at all is known, nothing has arrived.
            let is_blind = is_blind(&findings);
            open.extend(
                findings
                    .into_iter()
                    .filter(|finding| is_blind || is_open(finding)),
            );
        }
        let now_ms = visit.clock.now_ms();
        if open.is_empty() {
            told.bar.finish_and_clear();
            visit.printer.say(text!("all see the same, and nothing is wrong"));
            return Ok(true);
        }
        told.say(now_ms, lines(&open));
        let next_ms = now_ms + visit.args.every.millis();
        if next_ms > until_ms {
            told.give_up(visit.args.patience);
            return Ok(false);
        }
        tokio::select! {
            () = visit.clock.wait_until(next_ms) => {}
            () = tick(&told.bar) => {}
            () = &mut stop => return Ok(false),
        }
    }
}

/// What has been said so far. At a console one line always shows what is open; elsewhere a line is printed for what is new,
/// and for what is settled.
struct Told {
    printer: Printer,
    bar: ProgressBar,
    is_console: bool,
    open: Vec<Text>,
}

impl Told {
    fn new(printer: Printer) -> Self {
        let is_console = !printer.is_quiet && printer.form == Form::Text && console();
        Self {
            printer,
            bar: spinner(is_console),
            is_console,
            open: Vec::new(),
        }
    }

    fn say(&mut self, now_ms: i64, open: Vec<Text>) {
        if self.is_console {
            let line = Text::joined(open.iter().cloned(), "; ");
            self.bar.set_message(line.in_lang(self.printer.lang));
        } else {
            let at = time(now_ms, &jiff::tz::TimeZone::system());
            for line in open.iter().filter(|line| !self.open.contains(line)) {
                self.printer.say(text!("{at}  {line}", at = &at, line));
            }
            for line in self.open.iter().filter(|line| !open.contains(line)) {
                self.printer.say(text!("{at}  settled: {line}", at = &at, line));
            }
        }
        self.open = open;
    }

    fn give_up(&self, after: Span) {
        self.bar.finish_and_clear();
        if self.is_console || self.printer.is_quiet {
            let state = Text::joined(self.open.iter().cloned(), "; ");
            self.printer
                .warn(text!("not done after {after}: {state}", after, state));
        } else {
            // It stands above.
            self.printer
                .warn(text!("not done after {after}: still as said above", after));
        }
        self.printer
            .warn(text!("hint: run it again, or without --watch to see everything"));
    }
}

fn spinner(is_shown: bool) -> ProgressBar {
    let target = if is_shown {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Turns the spinner; never ends.
async fn tick(bar: &ProgressBar) {
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        bar.tick();
    }
}

/// Is this something to wait for: a difference between servers, a record that is wrong, or one that nobody answers about?
/// A resolver that is silent is not: some never answer from here.
fn is_open(finding: &Finding) -> bool {
    let is_about_records = matches!(finding.area(), Area::Mx | Area::Spf | Area::Dkim | Area::Dmarc);
    match finding.severity {
        Severity::Error => true,
        Severity::Warning => matches!(finding.id, "PROP-01" | "NS-01"),
        Severity::Unknown => is_about_records,
        Severity::Ok | Severity::Info => false,
    }
}

/// What is open, each thing once: what is said of several names is said of them together.
fn lines(open: &[Finding]) -> Vec<Text> {
    let mut all: Vec<(&Text, Vec<&str>)> = Vec::new();
    for finding in open {
        let about = finding.about.as_str();
        match all.iter_mut().find(|(what, _)| **what == finding.what) {
            Some((_, names)) if names.contains(&about) => {}
            Some((_, names)) => names.push(about),
            None => all.push((&finding.what, vec![about])),
        }
    }
    let line = |(what, names): (&Text, Vec<&str>)| {
        let more = names.len().saturating_sub(NAMES_SHOWN);
        let shown: Vec<&str> = names.into_iter().take(NAMES_SHOWN).collect();
        let about = shown.join(", ");
        if more == 0 {
            text!("{about}: {what}", about, what)
        } else {
            text!("{about} and {more} more: {what}", about, more, what)
        }
    };
    all.into_iter().map(line).collect()
}

fn console() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_several_names_is_said_once() {
        let silent = || text!("no answer in time");
        let names = ["a.test", "a.test", "b.test", "c.test", "d.test", "e.test"];
        let mut open: Vec<Finding> = names
            .into_iter()
            .map(|name| Finding::new("MX-01", Severity::Unknown, name, silent()))
            .collect();
        open.insert(1, Finding::error("SPF-01", "a.test", text!("not asked yet")));
        let said: Vec<String> = lines(&open).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "a.test, b.test, c.test and 2 more: no answer in time",
                "a.test: not asked yet"
            ]
        );
    }
}
