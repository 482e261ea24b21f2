//! `--watch`: waits until everybody sees the same and nothing of it is wrong.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Visit;
use crate::cli::printer::{Form, time};
use crate::cli::send::signal;
use crate::doctor::{Area, Finding, Severity, examine, is_blind};
use crate::text;
use crate::words::Text;

/// Asks again and again. Yes: all is as it should be. No: the time is over, or somebody said stop.
pub(super) async fn wait(visit: &Visit<'_>) -> anyhow::Result<bool> {
    let printer = visit.printer;
    let until_ms = visit.clock.now_ms() + visit.args.patience.millis();
    let is_shown = !printer.is_quiet && printer.form == Form::Text && console();
    let bar = spinner(is_shown);
    let stop = signal::any();
    tokio::pin!(stop);
    let mut said = None;
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
            bar.finish_and_clear();
            printer.say(text!("all see the same, and nothing is wrong"));
            return Ok(true);
        }
        let line = state(&open);
        if is_shown {
            bar.set_message(line.in_lang(printer.lang));
        } else if said.as_ref() != Some(&line) {
            // Elsewhere a line is printed when something has changed.
            said = Some(line.clone());
            let at = time(now_ms, &jiff::tz::TimeZone::system());
            printer.say(text!("{at}  {line}", at, line));
        }
        let next_ms = now_ms + visit.args.every.millis();
        if next_ms > until_ms {
            bar.finish_and_clear();
            printer.warn(text!(
                "not done after {after}: {state}",
                after = visit.args.patience,
                state = state(&open)
            ));
            printer.warn(text!("hint: run it again, or without --watch to see everything"));
            return Ok(false);
        }
        tokio::select! {
            () = visit.clock.wait_until(next_ms) => {}
            () = tick(&bar) => {}
            () = &mut stop => return Ok(false),
        }
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

fn state(open: &[Finding]) -> Text {
    let parts = open
        .iter()
        .map(|finding| text!("{about}: {what}", about = &finding.about, what = &finding.what));
    Text::joined(parts, "; ")
}

fn console() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal()
}
