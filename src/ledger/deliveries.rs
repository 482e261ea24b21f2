//! The SQL of the loop: what is due, intents, results, doubts.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::accounts::Locks;
use super::command::{
    AttemptId, Begin, CampaignId, Delivery, DeliveryId, Finish, Intent, ListId, Next, Resolution,
};
use super::quota::Usage;
use super::state::{Event, State};
use super::suppression::suppressed;
use crate::mail::{Address, Outcome, Place};

/// Why a delivery is in doubt when its run died.
const RUN_DIED: &str = "the run ended before the server's answer was recorded";

/// Everything that must still hold when a mail leaves is asked here, in the transaction that writes the intent.
pub(super) fn begin(
    db: &Connection,
    usage: &mut Usage,
    locks: &mut Locks,
    intent: &Intent,
) -> rusqlite::Result<Begin> {
    let row = db
        .prepare_cached("SELECT state, due_at_ms, address FROM delivery WHERE id = ?1")?
        .query_row([intent.delivery.0], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .optional()?;
    let Some((state, due_at_ms, address)) = row else {
        return Ok(Begin::Skip);
    };
    if state != State::Pending.name() || due_at_ms > intent.now_ms {
        return Ok(Begin::Skip);
    }
    if let Some(reason) = suppressed(db, &Address::key_of(&address))? {
        step_from(
            db,
            intent.delivery,
            State::Pending,
            Event::Suppressed,
            Some(&reason),
        )?;
        return Ok(Begin::Skip);
    }
    if let Some(until) = locks.until(db, &intent.account, intent.now_ms)? {
        return Ok(Begin::Locked(until));
    }
    if !intent.quota.rates.is_empty() {
        let used = usage.of(db, &intent.account, &intent.quota, intent.now_ms)?;
        if let Some(spent) = intent.quota.spent(used, intent.now_ms) {
            usage.forget(&intent.account);
            return Ok(Begin::Wait(spent));
        }
        used.open += 1;
    }
    step_from(db, intent.delivery, State::Pending, Event::Begun, None)?;
    db.prepare_cached(
        "INSERT INTO attempt (delivery_id, account, began_at_ms, message_id, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![intent.delivery.0, intent.account, intent.now_ms, intent.message_id, intent.digest])?;
    Ok(Begin::Go(AttemptId(db.last_insert_rowid())))
}

/// Completes an attempt, and moves its delivery to where it belongs now.
pub(super) fn finish(db: &Connection, usage: &mut Usage, finish: &Finish) -> rusqlite::Result<()> {
    let (name, fault) = match &finish.outcome {
        Outcome::Accepted(_) => ("accepted", None),
        Outcome::Deferred(fault) => ("deferred", Some(fault)),
        Outcome::Refused(fault) => ("refused", Some(fault)),
        Outcome::InDoubt(fault) => ("in-doubt", Some(fault)),
    };
    let reply = finish.outcome.reply();
    let text = reply
        .map(|reply| reply.text.clone())
        .or_else(|| fault.map(|fault| fault.note.clone()));
    db.prepare_cached(
        "UPDATE attempt SET ended_at_ms = ?2, outcome = ?3, stage = ?4, scope = ?5, code = ?6, enhanced = ?7,
         reply = ?8 WHERE id = ?1",
    )?
    .execute(params![
        finish.attempt.0,
        finish.now_ms,
        name,
        fault.map(|fault| fault.stage.to_string()),
        fault.map(|fault| fault.scope.to_string()),
        reply.map(|reply| reply.code),
        reply
            .and_then(|reply| reply.enhanced)
            .map(|enhanced| enhanced.to_string()),
        text,
    ])?;
    usage.end(&finish.account, finish.now_ms);
    let fault = || fault.map(ToString::to_string);
    let (event, reason, due_at_ms) = match &finish.next {
        Next::Sent => (Event::Accepted, None, None),
        Next::RetryAt(due_at_ms) => (Event::Deferred, fault(), Some(*due_at_ms)),
        Next::GiveUp(reason) => (Event::GivenUp, Some(reason.clone()), None),
        Next::Hold => return step_from(db, finish.delivery, State::Sending, Event::AccountRefused, None),
        Next::Doubt => (Event::Doubted, fault(), None),
    };
    tried(
        db,
        (finish.delivery, finish.attempt),
        event,
        reason.as_deref(),
        due_at_ms,
    )
}

/// Moves a delivery on after a try that counts. The account's refusals do not: the mail was not at fault.
fn tried(
    db: &Connection,
    (delivery, attempt): (DeliveryId, AttemptId),
    event: Event,
    reason: Option<&str>,
    due_at_ms: Option<i64>,
) -> rusqlite::Result<()> {
    let next = State::Sending.on(event).map_err(failure)?;
    let changed = db
        .prepare_cached(
            "UPDATE delivery SET state = ?2, reason = ?3, due_at_ms = coalesce(?4, due_at_ms), tries = tries + 1,
             first_try_ms = coalesce(first_try_ms, (SELECT began_at_ms FROM attempt WHERE id = ?5))
             WHERE id = ?1 AND state = 'sending'",
        )?
        .execute(params![delivery.0, next.name(), reason, due_at_ms, attempt.0])?;
    was_there(changed, State::Sending, event)
}

/// Moves a delivery whose state is known to the state that follows.
fn step_from(
    db: &Connection,
    delivery: DeliveryId,
    state: State,
    event: Event,
    reason: Option<&str>,
) -> rusqlite::Result<()> {
    let next = state.on(event).map_err(failure)?;
    let changed = db
        .prepare_cached("UPDATE delivery SET state = ?3, reason = ?4 WHERE id = ?1 AND state = ?2")?
        .execute(params![delivery.0, state.name(), next.name(), reason])?;
    was_there(changed, state, event)
}

/// A step that is not allowed is a bug and ends the writer.
fn was_there(changed: usize, state: State, event: Event) -> rusqlite::Result<()> {
    if changed == 1 {
        return Ok(());
    }
    Err(failure(format!("a delivery that meets {event:?} is not {state}")))
}

/// Moves a delivery to the state that follows.
pub(super) fn step(
    db: &Connection,
    delivery: DeliveryId,
    event: Event,
    reason: Option<&str>,
) -> rusqlite::Result<()> {
    let state: String = db
        .prepare_cached("SELECT state FROM delivery WHERE id = ?1")?
        .query_row([delivery.0], |row| row.get(0))?;
    step_from(db, delivery, state.parse().map_err(failure)?, event, reason)
}

fn failure(what: impl std::fmt::Display) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(what.to_string().into())
}

pub(super) fn recover(db: &Connection, campaign: CampaignId, now_ms: i64) -> rusqlite::Result<u64> {
    let mut statement =
        db.prepare_cached("SELECT id FROM delivery WHERE campaign_id = ?1 AND state = 'sending'")?;
    let lost: Vec<i64> = statement
        .query_map([campaign.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for delivery in &lost {
        let attempt = db.query_row(
            "UPDATE attempt SET ended_at_ms = ?2, outcome = 'in-doubt', reply = ?3
             WHERE delivery_id = ?1 AND ended_at_ms IS NULL RETURNING id",
            params![delivery, now_ms, RUN_DIED],
            |row| row.get(0),
        )?;
        let which = (DeliveryId(*delivery), AttemptId(attempt));
        tried(db, which, Event::Doubted, Some(RUN_DIED), None)?;
    }
    Ok(lost.len() as u64)
}

pub(super) fn due(
    db: &Connection,
    campaign: CampaignId,
    now_ms: i64,
    most: u32,
) -> rusqlite::Result<Vec<Delivery>> {
    // Retries that are due go first: a long list must not keep them waiting until they are too old.
    let retries = "due_at_ms > 0 AND due_at_ms <= ?2";
    let fresh = "due_at_ms = 0 AND 0 <= ?2";
    let mut found = Vec::new();
    for which in [retries, fresh] {
        let left = most.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        if left == 0 {
            break;
        }
        let mut statement = db.prepare_cached(&format!(
            "SELECT id, list_id, line, offset, length, address, tries, first_try_ms FROM delivery
             WHERE campaign_id = ?1 AND state = 'pending' AND {which} ORDER BY due_at_ms, id LIMIT ?3"
        ))?;
        let rows = statement.query_map(params![campaign.0, now_ms, left], read_delivery)?;
        for row in rows {
            found.push(row?);
        }
    }
    Ok(found)
}

fn read_delivery(row: &rusqlite::Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: DeliveryId(row.get(0)?),
        list: ListId(row.get(1)?),
        place: read_place(row, 2)?,
        address: row.get(5)?,
        tries: row.get(6)?,
        first_try_ms: row.get(7)?,
    })
}

/// Reads line, offset and length, which stand beside one another from column `first` on.
pub(super) fn read_place(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Place> {
    Ok(Place {
        line: u64::try_from(row.get::<_, i64>(first)?).unwrap_or_default(),
        offset: u64::try_from(row.get::<_, i64>(first + 1)?).unwrap_or_default(),
        length: row.get(first + 2)?,
    })
}

pub(super) fn next_due(db: &Connection, campaign: CampaignId) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT min(due_at_ms) FROM delivery WHERE campaign_id = ?1 AND state = 'pending'";
    db.prepare_cached(sql)?.query_row([campaign.0], |row| row.get(0))
}

pub(super) fn resolve(
    db: &Connection,
    campaign: CampaignId,
    key: Option<&str>,
    how: Resolution,
) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM delivery WHERE campaign_id = ?1 AND state = 'in_doubt' AND (?2 IS NULL OR lower(address) = ?2)",
    )?;
    let rows = statement.query_map(params![campaign.0, key], |row| row.get::<_, i64>(0))?;
    let doubtful: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    for delivery in &doubtful {
        let (event, reason) = match how {
            Resolution::Resend => (Event::Resend, "to be sent again: it was in doubt"),
            Resolution::AssumeSent => (Event::AssumeSent, "taken for sent: it was in doubt"),
        };
        step(db, DeliveryId(*delivery), event, Some(reason))?;
        db.prepare_cached("UPDATE delivery SET due_at_ms = 0 WHERE id = ?1")?
            .execute([delivery])?;
    }
    Ok(doubtful.len() as u64)
}

/// Those whose last attempt was refused because of the message itself: now that it has been changed, they wait again.
pub(super) fn revive(db: &Connection, campaign: CampaignId) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM delivery WHERE campaign_id = ?1 AND state = 'failed'
         AND (SELECT scope FROM attempt WHERE delivery_id = delivery.id ORDER BY attempt.id DESC LIMIT 1) = 'message'",
    )?;
    let rows = statement.query_map([campaign.0], |row| row.get::<_, i64>(0))?;
    let refused: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    for delivery in &refused {
        step(db, DeliveryId(*delivery), Event::Corrected, None)?;
    }
    Ok(refused.len() as u64)
}
