//! When a run must stop by itself: what goes wrong again and again would go wrong for everyone.

use std::collections::VecDeque;

use super::run::Ended;
use crate::mail::{Class, Fault, Outcome, Retry, Scope};

/// Refusals of the message itself, one after another, after which the run ends: the next mails would meet it too.
const REFUSALS_IN_A_ROW: u32 = 20;
/// The same when the content is taken for spam: every further one harms the sender's name.
const SPAM_IN_A_ROW: u32 = 3;
/// Of so many mails, more unknown recipients than this are a list that must be cleaned first: providers block senders
/// who guess addresses. Source: `NetEase`, HL:REP.
const LAST_MAILS: usize = 200;
const UNKNOWN_PERCENT: usize = 5;
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
    /// Of the last mails that were decided, which had an unknown recipient.
    unknown: VecDeque<bool>,
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
        if let Some(ended) = self.look_at_list(outcome) {
            return Some(ended);
        }
        match outcome {
            Outcome::Accepted(_) => {
                self.accepted += 1;
                self.refusals_in_a_row = 0;
                None
            }
            // What a pause mends is waited for.
            Outcome::Refused(fault) | Outcome::Deferred(fault)
                if fault.verdict.is_about_account()
                    && !matches!(fault.verdict.retry, Retry::Backoff | Retry::NextWindow) =>
            {
                Some(Ended::Account(fault.clone()))
            }
            Outcome::Refused(fault) if fault.verdict.scope == Scope::Message => {
                self.refusals_in_a_row += 1;
                let most = match fault.verdict.class {
                    Class::Virus | Class::BadAttachment => 1,
                    Class::SpamContent => SPAM_IN_A_ROW,
                    _ => REFUSALS_IN_A_ROW,
                };
                (self.refusals_in_a_row >= most).then(|| Ended::Content(fault.clone()))
            }
            Outcome::Deferred(_) | Outcome::Refused(_) | Outcome::InDoubt(_) => None,
        }
    }

    /// Are there so many unknown recipients that the list cannot be right?
    fn look_at_list(&mut self, outcome: &Outcome) -> Option<Ended> {
        let is_unknown = match outcome {
            Outcome::Accepted(_) => false,
            Outcome::Refused(fault) => matches!(
                fault.verdict.class,
                Class::UnknownUser | Class::BadDomain | Class::Inactive | Class::SpamTrap
            ),
            Outcome::Deferred(_) | Outcome::InDoubt(_) => return None,
        };
        if self.unknown.len() == LAST_MAILS {
            self.unknown.pop_front();
        }
        self.unknown.push_back(is_unknown);
        let unknown = self.unknown.iter().filter(|is_unknown| **is_unknown).count();
        // Before so many were decided, the percentage is one of as many.
        let is_dirty = is_unknown && unknown > LAST_MAILS * UNKNOWN_PERCENT / 100;
        is_dirty.then_some(Ended::List {
            unknown,
            of: self.unknown.len(),
        })
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

    fn refused_as(class: Class) -> Outcome {
        let mut fault = fault(Scope::Message);
        fault.verdict.class = class;
        Outcome::Refused(fault)
    }

    #[test]
    fn what_looks_like_spam_or_a_virus_ends_the_run_sooner() {
        for (class, times) in [(Class::Virus, 1), (Class::SpamContent, 3), (Class::TooBig, 20)] {
            let mut brakes = Brakes::default();
            let ended = (1..50).find(|_| brakes.learn(&refused_as(class)).is_some());
            assert_eq!(ended, Some(times), "{class}");
        }
    }

    #[test]
    fn more_than_one_unknown_recipient_in_twenty_ends_the_run() {
        let unknown = refused_as(Class::UnknownUser);
        let ended_after = |accepted_between: usize| {
            let mut brakes = Brakes::default();
            (1..=100).find(|_| {
                (0..accepted_between).for_each(|_| assert!(brakes.learn(&accepted()).is_none()));
                brakes.learn(&unknown).is_some()
            })
        };
        assert_eq!(ended_after(0), Some(11));
        assert_eq!(ended_after(10), Some(11));
        assert_eq!(ended_after(20), None, "one in twenty-one is just within");
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
