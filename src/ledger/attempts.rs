//! The SQL of a mail on its way: the intent before it leaves, the result after it. Every mail passes here twice, so its
//! statements are prepared once for a whole transaction and touch as little as they can.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use super::accounts::Locks;
use super::command::{AttemptId, Begin, CampaignId, DeliveryId, Finish, Intent, Next};
use super::deliveries::{OF_CAMPAIGN, failure, step_from, was_there};
use super::feedback::{self, Held, NewFeedback, REPLY};
use super::pace::Paces;
use super::quota::{LONGEST_ATTEMPT_MS, Usage, Which};
use super::state::{Event, State};
use super::suppression::Suppressions;
use crate::campaign::quota::{Quota, Spent};
use crate::mail::{Address, Feedback, Likeness, Outcome, Scope, Severity};

/// Why a delivery is in doubt when its run died.
const RUN_DIED: &str = "the run ended before the server's answer was recorded";

/// What every mail needs.
pub(super) struct Statements<'db> {
    take: CachedStatement<'db>,
    insert: CachedStatement<'db>,
    complete: CachedStatement<'db>,
    sent: CachedStatement<'db>,
}

impl<'db> Statements<'db> {
    pub(super) fn prepare(db: &'db Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            // As most deliveries are when their turn comes; `take_any` knows the others. What it leaves alone costs
            // nothing: the index on `due_at_ms` is not looked at.
            take: db.prepare_cached(
                "UPDATE delivery SET state = 'sending', attempts = 1
                 WHERE id = ?1 AND state = 'pending' AND attempts = 0 AND due_at_ms IS NULL
                 AND NOT EXISTS (SELECT 1 FROM suppression WHERE address_key = ?2 AND list IN ('', ?3))",
            )?,
            insert: db.prepare_cached(
                "INSERT INTO attempt
                 (delivery_id, number, account, began_at_ms, found_at_ms, message_id, digest, destination, likeness)
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8)",
            )?,
            complete: db.prepare_cached(
                "UPDATE attempt SET ended_at_ms = ?3, outcome = ?4, stage = ?5, scope = ?6, class = ?7, code = ?8,
                 enhanced = ?9, reply = ?10 WHERE delivery_id = ?1 AND number = ?2",
            )?,
            sent: db.prepare_cached(
                "UPDATE delivery SET state = 'sent', reason = NULL, tries = tries + 1,
                 first_try_ms = coalesce(first_try_ms, ?2) WHERE id = ?1 AND state = 'sending'",
            )?,
        })
    }

    /// Takes a delivery for sending, and numbers the attempt; none when it must not be sent.
    fn take(
        &mut self,
        db: &Connection,
        suppressions: &mut Suppressions,
        intent: &Intent,
    ) -> rusqlite::Result<Option<i64>> {
        let campaign = intent.delivery.campaign();
        let keys = [Some(intent.key.as_str()), intent.written_key.as_deref()];
        let is_usual = intent.written_key.is_none() && suppressions.by_pattern(db, campaign, keys)?.is_none();
        let list = suppressions.list(db, campaign)?;
        // Few have two keys or fit a pattern: they are looked at more closely.
        if is_usual && self.take.execute(params![intent.delivery.0, intent.key, list])? == 1 {
            return Ok(Some(1));
        }
        take_any(db, suppressions, intent)
    }

    /// Everything that must still hold when a mail leaves is asked here, in the transaction that writes the intent.
    pub(super) fn begin(
        &mut self,
        db: &Connection,
        kept: Kept<'_>,
        intent: &Intent,
    ) -> rusqlite::Result<Begin> {
        let Kept {
            usage,
            locks,
            paces,
            suppressions,
            held,
        } = kept;
        if let Some(until) = locks.until(db, &intent.account, intent.now_ms)? {
            return Ok(Begin::Locked(until));
        }
        if let Some(until) = paces.account_until(db, &intent.account, intent.now_ms)? {
            return Ok(Begin::Paused(until));
        }
        if held.is_held(db, intent.delivery.campaign())? {
            return Ok(Begin::Held);
        }
        let first = intent.note_like(db, usage)?;
        if let Some(held) = intent.held_by_quota(db, usage, first)? {
            return Ok(held);
        }
        let bound = &intent.bound;
        let there = (!bound.quota.rates.is_empty()).then_some(Which::To(&bound.destination));
        let spent = there.map(|there| intent.spent(db, usage, there, &bound.quota));
        let free_ms = spent
            .transpose()?
            .flatten()
            .map_or(intent.now_ms, |spent| spent.until_ms);
        let times = (free_ms, intent.now_ms);
        if let Some(until) = paces.destination_until(db, &intent.account, bound, times)? {
            put_off(db, intent, until)?;
            return Ok(Begin::Later(until));
        }
        let Some(number) = self.take(db, suppressions, intent)? else {
            return Ok(Begin::Skip);
        };
        self.insert.execute(params![
            intent.delivery.0,
            number,
            intent.account,
            intent.now_ms,
            intent.message_id,
            intent.digest,
            there.is_some().then_some(&bound.destination),
            first.map(Likeness::to_bits),
        ])?;
        let all = intent.is_limited().then_some(Which::All);
        for which in [all, there, first.map(Which::Like)].into_iter().flatten() {
            usage.begin(&intent.account, which);
        }
        paces.begin(&intent.account, &bound.destination, intent.now_ms);
        Ok(Begin::Go(AttemptId {
            number,
            began_at_ms: intent.now_ms,
            like: first,
        }))
    }

    /// Writes down what an attempt came to.
    fn note(&mut self, finish: &Finish) -> rusqlite::Result<()> {
        let (name, fault) = match &finish.outcome {
            Outcome::Accepted(_) => ("accepted", None),
            Outcome::Deferred(fault) => ("deferred", Some(fault)),
            Outcome::Refused(fault) => ("refused", Some(fault)),
            Outcome::InDoubt(fault) => ("in-doubt", Some(fault)),
        };
        let reply = finish.outcome.reply();
        let enhanced = reply.and_then(|reply| reply.enhanced);
        let text = reply
            .map(|reply| &reply.text)
            .or_else(|| fault.map(|fault| &fault.note));
        self.complete
            .execute(params![
                finish.delivery.0,
                finish.attempt.number,
                finish.now_ms,
                name,
                fault.map(|fault| fault.stage.to_string()),
                fault.map(|fault| fault.verdict.scope.name()),
                fault.map(|fault| fault.verdict.class.name()),
                reply.map(|reply| reply.code),
                enhanced.map(|enhanced| enhanced.to_string()),
                text,
            ])
            .map(drop)
    }

    /// Completes an attempt, and moves its delivery to where it belongs now.
    pub(super) fn finish(
        &mut self,
        db: &Connection,
        usage: &mut Usage,
        finish: &Finish,
    ) -> rusqlite::Result<()> {
        self.note(finish)?;
        let fault = finish.outcome.fault();
        if finish.next == Next::Unsaid {
            db.prepare_cached("UPDATE attempt SET found_at_ms = 0 WHERE delivery_id = ?1 AND number = ?2")?
                .execute(params![finish.delivery.0, finish.attempt.number])?;
            for which in finish.counted() {
                usage.give_back(&finish.account, which);
            }
            return step_from(db, finish.delivery, State::Sending, Event::AccountRefused, None);
        }
        if finish.now_ms - finish.attempt.began_at_ms > LONGEST_ATTEMPT_MS {
            db.execute(
                "UPDATE attempt SET found_at_ms = ended_at_ms WHERE delivery_id = ?1 AND number = ?2",
                params![finish.delivery.0, finish.attempt.number],
            )?;
        }
        for which in finish.counted() {
            usage.end((&finish.account, which), finish.now_ms);
        }
        let fault = || fault.map(ToString::to_string);
        let (event, reason, due_at_ms) = match &finish.next {
            Next::Sent => {
                let changed = self
                    .sent
                    .execute(params![finish.delivery.0, finish.attempt.began_at_ms])?;
                return was_there(changed, State::Sending, Event::Accepted);
            }
            Next::Hold | Next::Unsaid => {
                return step_from(db, finish.delivery, State::Sending, Event::AccountRefused, None);
            }
            Next::RetryAt(due_at_ms) => (Event::Deferred, fault(), Some(*due_at_ms)),
            Next::GiveUp(reason) => (Event::GivenUp, Some(reason.clone()), None),
            Next::Doubt => (Event::Doubted, fault(), None),
        };
        if event == Event::GivenUp {
            came_back(db, finish)?;
        }
        let began = (finish.delivery, finish.attempt.began_at_ms);
        tried(db, began, event, reason.as_deref(), due_at_ms)
    }
}

impl Intent {
    fn is_limited(&self) -> bool {
        !self.quota.rates.is_empty()
    }

    /// Has the account sent what it may, of all mails or of those that are like this one?
    fn held_by_quota(
        &self,
        db: &Connection,
        usage: &mut Usage,
        first: Option<Likeness>,
    ) -> rusqlite::Result<Option<Begin>> {
        if self.is_limited()
            && let Some(spent) = self.spent(db, usage, Which::All, &self.quota)?
        {
            usage.forget(&self.account, Which::All);
            return Ok(Some(Begin::Wait(spent)));
        }
        if let (Some(alike), Some(first)) = (&self.alike, first)
            && let Some(spent) = self.spent(db, usage, Which::Like(first), &alike.quota)?
        {
            usage.forget(&self.account, Which::Like(first));
            return Ok(Some(Begin::Alike(spent)));
        }
        Ok(None)
    }

    /// Has the account sent of these mails what it may? Then it says until when.
    fn spent(
        &self,
        db: &Connection,
        usage: &mut Usage,
        which: Which<'_>,
        quota: &Quota,
    ) -> rusqlite::Result<Option<Spent>> {
        let used = usage.of(db, (&self.account, which), quota, self.now_ms)?;
        Ok(quota.spent(used, self.now_ms))
    }

    /// The first mail of the time that it is like, where those are counted; see [`Usage::note_like`].
    fn note_like(&self, db: &Connection, usage: &mut Usage) -> rusqlite::Result<Option<Likeness>> {
        let Some(alike) = &self.alike else {
            return Ok(None);
        };
        let mail = (self.account.as_str(), alike.likeness);
        usage.note_like(db, mail, &alike.quota, self.now_ms).map(Some)
    }
}

impl Finish {
    /// With which mails it was counted.
    fn counted(&self) -> impl Iterator<Item = Which<'_>> {
        let there = self.destination.as_deref().map(Which::To);
        let alike = self.attempt.like.map(Which::Like);
        [Some(Which::All), there, alike].into_iter().flatten()
    }
}

/// What the writer keeps in memory about accounts.
pub(super) struct Kept<'a> {
    pub(super) usage: &'a mut Usage,
    pub(super) locks: &'a mut Locks,
    pub(super) paces: &'a mut Paces,
    pub(super) suppressions: &'a mut Suppressions,
    pub(super) held: &'a mut Held,
}

/// The destination takes no more now: the delivery waits until then.
fn put_off(db: &Connection, intent: &Intent, until_ms: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE delivery SET due_at_ms = ?2 WHERE id = ?1 AND state = 'pending'")?
        .execute(params![intent.delivery.0, until_ms])
        .map(drop)
}

/// A refusal of this recipient counts as a bounce: whoever is not there is never mailed again, by whatever campaign.
fn came_back(db: &Connection, finish: &Finish) -> rusqlite::Result<()> {
    let Some(fault) = finish.outcome.fault() else {
        return Ok(());
    };
    if fault.reply.is_none() || !(fault.verdict.suppress || fault.verdict.scope == Scope::Recipient) {
        return Ok(());
    }
    let address: String = db
        .prepare_cached("SELECT address FROM delivery WHERE id = ?1")?
        .query_row([finish.delivery.0], |row| row.get(0))?;
    let name = format!("reply {} {}", finish.delivery.0, finish.attempt.number);
    let refusal = NewFeedback {
        severity: Some(if fault.verdict.suppress {
            Severity::Hard
        } else {
            Severity::Soft
        }),
        class: Some(fault.verdict.class),
        address: Some(Address::key_of(&address)),
        said: fault.to_string(),
        ..NewFeedback::new(Feedback::Bounce, name, REPLY.to_owned(), finish.now_ms)
    };
    feedback::note(
        db,
        &refusal,
        (finish.delivery, Address::key_of(&address)),
        finish.limits,
    )
    .map(drop)
}

/// Takes a delivery for sending, whatever became of it before, and numbers the attempt; none when it must not be sent.
fn take_any(
    db: &Connection,
    suppressions: &mut Suppressions,
    intent: &Intent,
) -> rusqlite::Result<Option<i64>> {
    let row = db
        .prepare_cached("SELECT state, due_at_ms, attempts FROM delivery WHERE id = ?1")?
        .query_row([intent.delivery.0], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<i64>>(1)?,
                row.get::<_, i64>(2)?,
            ))
        })
        .optional()?;
    let Some((state, due_at_ms, attempts)) = row else {
        return Ok(None);
    };
    if state != State::Pending.name() || due_at_ms > Some(intent.now_ms) {
        return Ok(None);
    }
    let keys = [Some(intent.key.as_str()), intent.written_key.as_deref()];
    if let Some(reason) = suppressions.why(db, intent.delivery.campaign(), keys)? {
        let event = Event::Suppressed;
        step_from(db, intent.delivery, State::Pending, event, Some(&reason))?;
        return Ok(None);
    }
    let next = State::Pending.on(Event::Begun).map_err(failure)?;
    db.prepare_cached(
        "UPDATE delivery SET state = ?2, due_at_ms = NULL, reason = NULL, attempts = ?3 WHERE id = ?1",
    )?
    .execute(params![intent.delivery.0, next.name(), attempts + 1])?;
    Ok(Some(attempts + 1))
}

/// Moves a delivery on after a try that counts. The account's refusals do not: the mail was not at fault.
fn tried(
    db: &Connection,
    (delivery, began_at_ms): (DeliveryId, i64),
    event: Event,
    reason: Option<&str>,
    due_at_ms: Option<i64>,
) -> rusqlite::Result<()> {
    let next = State::Sending.on(event).map_err(failure)?;
    let changed = db
        .prepare_cached(
            "UPDATE delivery SET state = ?2, reason = ?3, due_at_ms = ?4, tries = tries + 1,
             first_try_ms = coalesce(first_try_ms, ?5)
             WHERE id = ?1 AND state = 'sending'",
        )?
        .execute(params![delivery.0, next.name(), reason, due_at_ms, began_at_ms])?;
    was_there(changed, State::Sending, event)
}

/// Puts deliveries in doubt whose run is gone.
pub(super) fn recover(db: &Connection, campaign: CampaignId, now_ms: i64) -> rusqlite::Result<u64> {
    let mut statement = db.prepare(&format!(
        "SELECT id FROM delivery WHERE {OF_CAMPAIGN} AND state = 'sending'"
    ))?;
    let lost: Vec<i64> = statement
        .query_map([campaign.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for delivery in &lost {
        let began_at_ms = db.query_row(
            "UPDATE attempt SET ended_at_ms = ?2, found_at_ms = ?2, outcome = 'in-doubt', reply = ?3
             WHERE delivery_id = ?1 AND ended_at_ms IS NULL RETURNING began_at_ms",
            params![delivery, now_ms, RUN_DIED],
            |row| row.get(0),
        )?;
        let which = (DeliveryId(*delivery), began_at_ms);
        tried(db, which, Event::Doubted, Some(RUN_DIED), None)?;
    }
    Ok(lost.len() as u64)
}
