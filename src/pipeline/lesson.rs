//! What follows from a refusal for those who have not been refused yet: pauses, slower going, fewer connections. And
//! when the refused mail itself is tried again.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;

use super::run::{Ended, Shared};
use crate::campaign::Account;
use crate::campaign::pace::Lesson;
use crate::campaign::quota::{Quota, Reset, Unit};
use crate::campaign::retry::Span;
use crate::ledger::{About, AccountEvent, Alike, Bound, Delivery, Next};
use crate::mail::{Class, Content, Fault, Likeness, Outcome, Retry, Stage};

/// How long an account is left alone when it is not clear that the login was refused for good.
const SHORT_LOCKOUT: Span = Span(std::time::Duration::from_mins(5));
/// An account whose day begins anew at nobody knows when is asked again after so long, in ms: longer than a run waits by
/// itself.
const ASK_AGAIN_MS: i64 = 2 * 3_600_000;

impl Shared {
    /// Where a mail goes, and what may be sent there.
    pub(super) fn bound_for(&self, address: &str) -> Bound {
        let domain = address
            .rsplit('@')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let rules = self.run.judge.rules();
        let account = self.run.account();
        let family = rules.family_of(&domain);
        let destination = family.map_or_else(|| domain.clone(), str::to_owned);
        let limits = account.destinations.get(&destination);
        let limits = limits.or_else(|| account.destinations.get(&domain));
        Bound {
            destination,
            quota: Quota {
                rates: limits.cloned().unwrap_or_default(),
                day: account.quota.day.clone(),
            },
        }
    }

    /// What a mail says, and how many like it may leave, where the provider counts those.
    pub(super) fn alike(&self, content: &Content) -> Option<Alike> {
        let quota = self.run.account().similar.clone()?;
        let likeness = Likeness::of(&content.subject, &content.text);
        Some(Alike { likeness, quota })
    }

    /// What a refusal teaches, of a mail to this destination on a connection that has carried so many.
    pub(super) fn lesson(&self, outcome: &Outcome, destination: &str, carried: u32) -> Option<About> {
        let fault = outcome.fault().filter(|fault| fault.reply.is_some())?;
        let (verdict, now_ms) = (fault.verdict, self.run.clock.now_ms());
        let pauses = || {
            let known = self.run.judge.rules().of_class(verdict.class, None);
            known.pause.iter().map(in_ms).collect::<Vec<i64>>()
        };
        let (is_destinations, lesson) = match (verdict.class, verdict.retry) {
            (Class::TooManyConnections, _) => {
                let open = self.connections.load(Ordering::SeqCst);
                (
                    false,
                    Lesson::Connections(u16::try_from(open).unwrap_or(u16::MAX)),
                )
            }
            (Class::MessagesPerConnection, _) if carried > 1 => (false, Lesson::Messages(carried - 1)),
            (_, Retry::NextWindow) => (false, Lesson::SpentUntil(self.day_begins(now_ms))),
            (_, Retry::Backoff) if verdict.is_about_account() => (false, Lesson::TooFast(pauses())),
            // Said before any recipient was named, it is the provider that wants less.
            (_, Retry::Backoff | Retry::StopDestination) if verdict.is_about_destination() => {
                (fault.stage >= Stage::Mail, Lesson::TooFast(pauses()))
            }
            _ => return None,
        };
        let destination = if is_destinations { destination } else { "" };
        let mut domains = Vec::new();
        if is_destinations {
            domains = self.run.judge.rules().domains_of(destination);
            domains.push(destination.to_owned());
        }
        Some(About {
            destination: destination.to_owned(),
            domains,
            lesson,
            why: fault.to_string(),
        })
    }

    /// When a spent day of the account begins anew.
    fn day_begins(&self, now_ms: i64) -> i64 {
        let quota = &self.run.account().quota;
        match &quota.day {
            Reset::Midnight(_) => quota.day.next_ms(now_ms).unwrap_or(now_ms + Unit::Day.millis()),
            Reset::Rolling => now_ms + ASK_AGAIN_MS,
        }
    }

    /// When the refused mail is tried again, or that it is given up. `paused_ms`: nobody there is sent to before.
    pub(super) fn retry(
        &self,
        delivery: &Delivery,
        fault: &Fault,
        paused_ms: Option<i64>,
        now_ms: i64,
    ) -> Next {
        let policy = &self.run.retry;
        let tries = delivery.tries + 1;
        let first_ms = delivery.first_try_ms.unwrap_or(now_ms);
        // The mail is not at fault: it waits as long as the others there, and only grows too old.
        if let Some(paused_ms) = paused_ms.filter(|_| !policy.is_too_old(first_ms, now_ms)) {
            return Next::RetryAt(paused_ms.max(now_ms));
        }
        let seed = delivery.id.seed() + u64::from(tries);
        let meaning = self.run.judge.rules().of_class(fault.verdict.class, None);
        let pauses: Vec<i64> = if fault.verdict.is_about_destination() {
            Vec::new()
        } else {
            meaning.pause.iter().map(in_ms).collect()
        };
        let is_soft_over = fault.verdict.retry == Retry::Soft && tries as usize > pauses.len();
        let next = policy
            .next_ms(tries, &pauses, (first_ms, now_ms), seed)
            .filter(|_| !is_soft_over);
        match next {
            Some(due_ms) => Next::RetryAt(due_ms),
            // Nobody's mail goes through: the mail is not at fault, and waits for a better day.
            None if fault.breaks_off() && self.accepted() == 0 => Next::RetryAt(now_ms + policy.longest_ms()),
            None => Next::GiveUp(format!("given up after {tries} tries: {fault}")),
        }
    }

    /// Learns from a refusal before any mail was named; says until when the account pauses.
    pub(super) async fn learn_at_connect(&self, fault: Fault) -> anyhow::Result<Option<i64>> {
        let now_ms = self.run.clock.now_ms();
        let outcome = Outcome::Deferred(fault);
        let Some(about) = self.lesson(&outcome, "", 0) else {
            return Ok(None);
        };
        let account = &self.run.account().name;
        let known = self.run.ledger.learn(account, about, now_ms).await?;
        Ok(Some(known.learned.paused_until_ms))
    }

    /// The account was refused when connecting: everyone stops, and a refused login is kept, so that the next run does
    /// not knock again too early.
    pub(super) async fn account_refused(&self, fault: Fault) -> anyhow::Result<()> {
        let at_ms = self.run.clock.now_ms();
        if let Some(event) = refusal(self.run.account(), &fault, at_ms) {
            let refused = self.run.ledger.lock_account(event).await?;
            self.refused_logins.store(refused, Ordering::SeqCst);
        }
        self.end(Ended::Account(fault));
        Ok(())
    }
}

/// What goes on record when a login was refused: the account is left alone for its lock-out, or for a short while when it was
/// not about the password. None, when it was not the login that failed.
pub fn refusal(account: &Account, fault: &Fault, at_ms: i64) -> Option<AccountEvent> {
    if fault.stage != Stage::Auth {
        return None;
    }
    // What is not about the password is no step towards a lock-out.
    let is_password = matches!(fault.verdict.class, Class::AuthFailed | Class::AuthLocked);
    let lockout = if is_password {
        account.lockout
    } else {
        account.lockout.min(SHORT_LOCKOUT)
    };
    Some(AccountEvent {
        account: account.name.clone(),
        at_ms,
        until_ms: at_ms + i64::try_from(lockout.0.as_millis()).unwrap_or_default(),
        stage: fault.stage.to_string(),
        reply: fault.to_string(),
        class: fault.verdict.class,
    })
}

fn in_ms(pause: &SignedDuration) -> i64 {
    i64::try_from(pause.as_millis()).unwrap_or(i64::MAX / 4)
}
