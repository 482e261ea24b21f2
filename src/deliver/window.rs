//! How many mails may be under way on one connection: as few as bring the speed.
//!
//! After a crash every mail under way may be in doubt, so that the window is opened with care: from one mail at first,
//! by one for each that is accepted, up to eight as a rule, and up to sixteen only while that sends more mails a
//! second. What goes wrong halves it.

use std::time::{Duration, Instant};

use crate::mail::{Outcome, Scope};

/// Mails under way as a rule.
pub const RULE: usize = 8;
/// Mails under way at most, whatever the speed.
pub const MOST: usize = 16;
/// By how much the window is opened to see whether it helps.
const STEP: usize = 4;
/// Windows full of mails in one measurement.
const ROUNDS: u32 = 4;
/// How much faster a larger window must be to be kept, in per cent.
const GAIN_PERCENT: u32 = 5;
/// Failures that make it more careful; further ones do not.
const FAILURES_REMEMBERED: u32 = 4;

/// The window of one worker; it outlives connections.
#[derive(Clone, Debug)]
pub struct Window {
    size: usize,
    /// Up to where it opens mail by mail. Halved by every failure, and back at the rule with time.
    ceiling: usize,
    /// Failures so far. Each doubles the time after which the ceiling is raised again: where connections are lost all
    /// the time, few mails at once are in doubt.
    failures: u32,
    accepted: u32,
    since: Option<Instant>,
    /// Time for a mail with the window before this one, when this one is being tried.
    before: Option<Duration>,
    /// A larger one was tried and brought nothing.
    is_settled: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            size: 1,
            ceiling: RULE,
            failures: 0,
            accepted: 0,
            since: None,
            before: None,
            is_settled: false,
        }
    }
}

impl Window {
    /// Mails that may be under way now.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Draws the consequences of what became of a mail.
    pub fn learn(&mut self, outcome: &Outcome, now: Instant) {
        match outcome {
            Outcome::Accepted(_) => self.grow(now),
            // About one person, or about the mail itself: that has nothing to do with how many are under way.
            Outcome::Refused(fault) | Outcome::Deferred(fault)
                if matches!(fault.verdict.scope, Scope::Recipient | Scope::Message) => {}
            Outcome::Refused(_) | Outcome::Deferred(_) | Outcome::InDoubt(_) => self.shrink(),
        }
    }

    fn shrink(&mut self) {
        let size = (self.size / 2).max(1);
        *self = Self {
            size,
            ceiling: size,
            failures: self.failures + 1,
            ..Self::default()
        };
    }

    fn grow(&mut self, now: Instant) {
        if self.size < self.ceiling {
            self.size += 1;
            return;
        }
        let since = *self.since.get_or_insert(now);
        self.accepted += 1;
        let rounds = ROUNDS << self.failures.saturating_sub(1).min(FAILURES_REMEMBERED);
        if self.accepted <= rounds * u32::try_from(self.size).unwrap_or(1) {
            return;
        }
        let each = now.saturating_duration_since(since) / (self.accepted - 1);
        (self.accepted, self.since) = (0, None);
        if self.ceiling < RULE {
            // It went well for a while.
            self.ceiling += 1;
            return;
        }
        match self.before.take() {
            Some(before) if each * (100 + GAIN_PERCENT) > before * 100 => {
                self.size -= STEP;
                self.is_settled = true;
            }
            _ if self.is_settled || self.size + STEP > MOST => {}
            _ => {
                self.before = Some(each);
                self.size += STEP;
            }
        }
        self.ceiling = self.size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Fault, Reply, Stage, Verdict};

    /// A connection with this round trip, on which a mail takes `cost` to send.
    struct Line {
        window: Window,
        now: Instant,
        round_trip: Duration,
        cost: Duration,
    }

    impl Line {
        fn new(round_trip_ms: u64, cost_us: u64) -> Self {
            Self {
                window: Window::default(),
                now: Instant::now(),
                round_trip: Duration::from_millis(round_trip_ms),
                cost: Duration::from_micros(cost_us),
            }
        }

        fn accept(&mut self, mails: usize) -> usize {
            let accepted = Outcome::Accepted(Reply::from_lines([b"250 ok".as_slice()]).unwrap());
            for _ in 0..mails {
                let size = u32::try_from(self.window.size()).unwrap();
                self.now += (self.round_trip / size).max(self.cost);
                self.window.learn(&accepted, self.now);
                assert!(self.window.size() <= MOST);
            }
            self.window.size()
        }

        fn fail(&mut self, scope: Scope) -> usize {
            let fault = Fault {
                stage: Stage::Rcpt,
                verdict: Verdict {
                    scope,
                    ..Verdict::NETWORK
                },
                reply: None,
                note: String::new(),
            };
            self.window.learn(&Outcome::Deferred(fault), self.now);
            self.window.size()
        }
    }

    #[test]
    fn it_begins_with_one_mail_and_opens_to_eight() {
        let mut line = Line::new(50, 100);
        assert_eq!(line.window.size(), 1);
        assert_eq!(line.accept(3), 4);
        assert_eq!(line.accept(4), RULE);
    }

    #[test]
    fn on_a_long_line_it_opens_to_sixteen() {
        assert_eq!(Line::new(50, 100).accept(200), MOST);
    }

    #[test]
    fn where_a_larger_window_brings_nothing_it_stays_at_eight() {
        let mut line = Line::new(0, 100);
        assert_eq!(line.accept(200), RULE);
        assert_eq!(line.accept(10_000), RULE);
    }

    #[test]
    fn every_failure_of_the_link_or_the_account_halves_it() {
        for scope in [Scope::Link, Scope::Account] {
            let mut line = Line::new(50, 100);
            line.accept(200);
            let sizes: Vec<usize> = (0..5).map(|_| line.fail(scope)).collect();
            assert_eq!(sizes, [8, 4, 2, 1, 1]);
            assert!(line.accept(500) < RULE, "it is careful for a while");
            assert_eq!(line.accept(5_000), MOST, "and opens again when all goes well");
        }
    }

    #[test]
    fn a_refused_recipient_says_nothing_about_the_window() {
        let mut line = Line::new(50, 100);
        line.accept(200);
        assert_eq!(line.fail(Scope::Recipient), MOST);
        assert_eq!(line.fail(Scope::Message), MOST);
    }
}
