//! When a run must stop by itself: what goes wrong again and again would go wrong for everyone.

use super::run::Ended;
use crate::mail::{Fault, Outcome, Scope};

/// Refusals of the message itself, one after another, after which the run ends: the next mails would meet it too.
const REFUSALS_IN_A_ROW: u32 = 20;
/// Connections lost with mails in doubt, one after another, after which the run ends: the server takes mails and does
/// not answer. Not counting one for each connection: a server that restarts cuts them all at once, and that is no
/// reason to stop.
const DOUBTS_IN_A_ROW: u64 = 5;
/// The same when mails are accepted in between: so many connections lost, and so few mails accepted for each.
const DOUBTS_IN_ALL: u64 = 10;
const ACCEPTED_FOR_A_DOUBT: u64 = 20;
/// Links lost one after another without a mail decided in between; then the server counts as unreachable.
const LOSSES_IN_A_ROW: u32 = 5;

/// What a run has met so far.
#[derive(Debug, Default)]
pub(super) struct Brakes {
    /// Mails accepted.
    accepted: u64,
    refusals_in_a_row: u32,
    doubts: u64,
    doubts_in_a_row: u64,
}

impl Brakes {
    /// Mails accepted in this run.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Draws the consequences of an outcome.
    pub(super) fn learn(&mut self, outcome: &Outcome) -> Option<Ended> {
        if !matches!(outcome, Outcome::InDoubt(_)) {
            self.doubts_in_a_row = 0;
        }
        match outcome {
            Outcome::Accepted(_) => {
                self.accepted += 1;
                self.refusals_in_a_row = 0;
                None
            }
            Outcome::Refused(fault) | Outcome::Deferred(fault) if fault.verdict.is_about_account() => {
                Some(Ended::Account(fault.clone()))
            }
            Outcome::Refused(fault) if fault.verdict.scope == Scope::Message => {
                self.refusals_in_a_row += 1;
                (self.refusals_in_a_row >= REFUSALS_IN_A_ROW).then(|| Ended::Content(fault.clone()))
            }
            Outcome::Deferred(_) | Outcome::Refused(_) | Outcome::InDoubt(_) => None,
        }
    }

    /// One of so many connections was lost with mails in doubt.
    pub(super) fn doubted(&mut self, fault: &Fault, connections: u64) -> Option<Ended> {
        self.doubts += 1;
        self.doubts_in_a_row += 1;
        let is_often =
            self.doubts >= DOUBTS_IN_ALL + connections && self.accepted < self.doubts * ACCEPTED_FOR_A_DOUBT;
        let is_always = self.doubts_in_a_row >= DOUBTS_IN_A_ROW + connections;
        (is_often || is_always).then(|| Ended::Unreachable(fault.clone()))
    }
}

/// What one worker has met: links that break off before any mail is decided.
#[derive(Debug, Default)]
pub(super) struct Losses {
    in_a_row: u32,
}

impl Losses {
    /// Counts links lost one after another, until a mail is decided.
    pub(super) fn learn(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Deferred(fault) | Outcome::Refused(fault) if fault.breaks_off() => self.in_a_row += 1,
            Outcome::Deferred(_) | Outcome::Refused(_) | Outcome::Accepted(_) => self.in_a_row = 0,
            // Counted by the run, once a connection.
            Outcome::InDoubt(_) => {}
        }
    }

    /// Links lost since a mail was decided.
    pub(super) fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// So many that it makes no sense to go on.
    pub(super) fn are_too_many(&self) -> bool {
        self.in_a_row >= LOSSES_IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Reply, Stage, Verdict};

    fn fault(scope: Scope) -> Fault {
        Fault {
            stage: Stage::Rcpt,
            verdict: Verdict {
                scope,
                ..Verdict::NETWORK
            },
            reply: None,
            note: String::new(),
        }
    }

    fn accepted() -> Outcome {
        Outcome::Accepted(Reply::from_lines([b"250 ok".as_slice()]).unwrap())
    }

    #[test]
    fn a_refused_account_ends_the_run_at_once() {
        let outcome = Outcome::Refused(fault(Scope::Account));
        assert!(matches!(
            Brakes::default().learn(&outcome),
            Some(Ended::Account(_))
        ));
    }

    #[test]
    fn content_refused_again_and_again_ends_the_run() {
        let mut brakes = Brakes::default();
        let refused = Outcome::Refused(fault(Scope::Message));
        let mut ended = |times: u32| (0..times).filter_map(|_| brakes.learn(&refused)).count();
        assert_eq!(ended(REFUSALS_IN_A_ROW - 1), 0);
        assert_eq!(ended(1), 1);
        brakes.learn(&accepted());
        assert!(brakes.learn(&refused).is_none());
    }

    #[test]
    fn doubts_end_the_run_when_they_come_one_after_another_or_too_often() {
        let fault = fault(Scope::Link);
        let mut brakes = Brakes::default();
        let first = (1..100).find(|_| brakes.doubted(&fault, 4).is_some());
        assert_eq!(first, Some(9));
        let doubts_with = |accepted_between: u32| {
            let mut brakes = Brakes::default();
            (1..100).find(|_| {
                (0..accepted_between).for_each(|_| drop(brakes.learn(&accepted())));
                brakes.doubted(&fault, 4).is_some()
            })
        };
        assert_eq!(doubts_with(4), Some(14), "every fifth mail");
        assert_eq!(doubts_with(20), None);
    }

    #[test]
    fn losses_count_until_a_mail_is_decided() {
        let mut losses = Losses::default();
        let lost = Outcome::Deferred(fault(Scope::Link));
        for _ in 0..4 {
            losses.learn(&lost);
            losses.learn(&Outcome::InDoubt(fault(Scope::Link)));
        }
        assert!(!losses.are_too_many());
        losses.learn(&Outcome::Refused(fault(Scope::Recipient)));
        (0..5).for_each(|_| losses.learn(&lost));
        assert!(losses.are_too_many());
    }
}
