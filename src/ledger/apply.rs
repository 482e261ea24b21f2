//! Each command as SQL, inside the writer's transaction.
//!
//! A command's answer is made here and given after the commit: an intent that could still be rolled back is none.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::command::{
    Answer, AttemptId, Begin, CampaignId, Command, Delivery, DeliveryId, Finish, Intent, ListId, NewDelivery,
    Next, Registered, Resolution,
};
use super::quota::Usage;
use super::state::{Event, State};
use crate::mail::{Outcome, Place};

/// Gives the answer; called when the transaction is on disk.
pub(super) type Committed = Box<dyn FnOnce()>;

/// Why a delivery is suppressed when its row is gone. Such deliveries come back with their row.
pub(super) const WITHDRAWN: &str = "no longer on the list";
/// Why a delivery is in doubt when its run died.
const RUN_DIED: &str = "the run ended before the server's answer was recorded";

/// What the writer keeps in memory between transactions: nothing that could not be read again.
#[derive(Debug, Default)]
pub(super) struct Writer {
    usage: Usage,
}

fn later<T: 'static>(answer: Answer<T>, value: T) -> Committed {
    Box::new(move || {
        // Whoever asked may have been cancelled; the fact stays on disk.
        let _gone = answer.send(value);
    })
}

impl Writer {
    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    pub(super) fn apply(&mut self, db: &Connection, command: Command) -> rusqlite::Result<Committed> {
        Ok(match command {
            Command::Find { name, answer } => later(answer, find(db, &name)?),
            Command::Register {
                name,
                account,
                inputs,
                now_ms,
                answer,
            } => later(answer, register(db, &name, &account, &inputs, now_ms)?),
            Command::AddList {
                digest,
                path,
                email,
                answer,
            } => later(answer, add_list(db, &digest, &path, &email)?),
            Command::DropPartial { campaign, answer } => later(answer, drop_partial(db, campaign)?),
            Command::Enrol {
                campaign,
                list,
                rows,
                answer,
            } => later(answer, enrol(db, campaign, list, &rows)?),
            Command::Move { list, rows, answer } => later(answer, move_to(db, list, &rows)?),
            Command::Withdraw {
                campaign,
                list,
                answer,
            } => later(answer, withdraw(db, campaign, list)?),
            Command::Enrolled {
                campaign,
                account,
                inputs,
                now_ms,
                answer,
            } => {
                let sql = "UPDATE campaign SET enrolled_at_ms = ?2, account = ?3, inputs = ?4 WHERE id = ?1";
                db.execute(sql, params![campaign.0, now_ms, account, inputs])?;
                later(answer, ())
            }
            Command::Recover {
                campaign,
                now_ms,
                answer,
            } => later(answer, recover(db, campaign, now_ms)?),
            Command::Due {
                campaign,
                now_ms,
                most,
                answer,
            } => later(answer, due(db, campaign, now_ms, most)?),
            Command::NextDue { campaign, answer } => later(answer, next_due(db, campaign)?),
            Command::Begin { intent, answer } => later(answer, self.begin(db, &intent)?),
            Command::Finish { finish, answer } => later(answer, self.finish(db, &finish)?),
            Command::Resolve {
                campaign,
                key,
                how,
                answer,
            } => later(answer, resolve(db, campaign, key.as_deref(), how)?),
            Command::SetRun {
                campaign,
                run,
                answer,
            } => {
                let sql =
                    "UPDATE campaign SET run_state = ?2, run_until_ms = ?3, run_note = ?4 WHERE id = ?1";
                db.execute(sql, params![campaign.0, run.state, run.until_ms, run.note])?;
                later(answer, ())
            }
            Command::Suppress { rows, answer } => {
                let mut statement =
                    db.prepare_cached("INSERT OR IGNORE INTO suppression VALUES (?1, ?2, ?3, ?4)")?;
                let mut added = 0;
                for row in rows {
                    added += statement.execute(params![row.key, row.reason, row.source, row.at_ms])? as u64;
                }
                later(answer, added)
            }
            Command::Unsuppress { key, answer } => later(
                answer,
                db.execute("DELETE FROM suppression WHERE address_key = ?1", [key])? > 0,
            ),
            Command::LockAccount { event, answer } => {
                db.execute(
                    "INSERT INTO account_event (account, at_ms, until_ms, stage, reply) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![event.account, event.at_ms, event.until_ms, event.stage, event.reply],
                )?;
                later(answer, ())
            }
            Command::UnlockAccount {
                account,
                now_ms,
                answer,
            } => {
                let sql = "UPDATE account_event SET until_ms = ?2 WHERE account = ?1 AND until_ms > ?2";
                db.execute(sql, params![account, now_ms])?;
                later(answer, ())
            }
            Command::Left {
                account,
                quota,
                now_ms,
                answer,
            } => {
                self.usage.refresh(db)?;
                later(
                    answer,
                    quota.left(self.usage.of(db, &account, &quota, now_ms)?, now_ms),
                )
            }
        })
    }

    /// Everything that must still hold when a mail leaves is asked here, in the transaction that writes the intent.
    fn begin(&mut self, db: &Connection, intent: &Intent) -> rusqlite::Result<Begin> {
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
        if let Some(reason) = suppressed(db, &address.to_lowercase())? {
            step(db, intent.delivery, Event::Suppressed, Some(&reason))?;
            return Ok(Begin::Skip);
        }
        if let Some(until) = locked_until(db, &intent.account, intent.now_ms)? {
            return Ok(Begin::Locked(until));
        }
        if !intent.quota.rates.is_empty() {
            self.usage.refresh(db)?;
            let used = self.usage.of(db, &intent.account, &intent.quota, intent.now_ms)?;
            if let Some(spent) = intent.quota.spent(used, intent.now_ms) {
                self.usage.forget(&intent.account);
                return Ok(Begin::Wait(spent));
            }
            used.open += 1;
        }
        step(db, intent.delivery, Event::Begun, None)?;
        db.prepare_cached(
            "INSERT INTO attempt (delivery_id, account, began_at_ms, message_id, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![intent.delivery.0, intent.account, intent.now_ms, intent.message_id, intent.digest])?;
        Ok(Begin::Go(AttemptId(db.last_insert_rowid())))
    }

    fn finish(&mut self, db: &Connection, finish: &Finish) -> rusqlite::Result<()> {
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
            fault.map(|fault| format!("{:?}", fault.scope).to_lowercase()),
            reply.map(|reply| reply.code),
            reply.and_then(|reply| reply.enhanced).map(|enhanced| enhanced.to_string()),
            text,
        ])?;
        self.usage.end(&finish.account, finish.now_ms);
        let delivery = finish.delivery;
        match &finish.next {
            Next::Sent => step(db, delivery, Event::Accepted, None)?,
            Next::RetryAt(due_at_ms) => {
                let reason = fault.map(ToString::to_string);
                step(db, delivery, Event::Deferred, reason.as_deref())?;
                db.prepare_cached("UPDATE delivery SET due_at_ms = ?2 WHERE id = ?1")?
                    .execute(params![delivery.0, due_at_ms])?;
            }
            Next::GiveUp(reason) => step(db, delivery, Event::GivenUp, Some(reason))?,
            Next::Hold => return step(db, delivery, Event::AccountRefused, None),
            Next::Doubt => {
                let reason = fault.map(ToString::to_string);
                step(db, delivery, Event::Doubted, reason.as_deref())?;
            }
        }
        count_try(db, delivery, finish.attempt)
    }
}

/// The account's refusals are not counted as tries: the mail was not at fault.
fn count_try(db: &Connection, delivery: DeliveryId, attempt: AttemptId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE delivery SET tries = tries + 1,
         first_try_ms = coalesce(first_try_ms, (SELECT began_at_ms FROM attempt WHERE id = ?2)) WHERE id = ?1",
    )?
    .execute(params![delivery.0, attempt.0])?;
    Ok(())
}

/// Moves a delivery to the state that follows. A step that is not allowed is a bug and ends the writer.
fn step(db: &Connection, delivery: DeliveryId, event: Event, reason: Option<&str>) -> rusqlite::Result<()> {
    let state: String = db
        .prepare_cached("SELECT state FROM delivery WHERE id = ?1")?
        .query_row([delivery.0], |row| row.get(0))?;
    let state: State = state.parse().map_err(failure)?;
    let next = state.on(event).map_err(failure)?;
    db.prepare_cached("UPDATE delivery SET state = ?2, reason = ?3 WHERE id = ?1")?
        .execute(params![delivery.0, next.name(), reason])?;
    Ok(())
}

fn failure(what: impl std::fmt::Display) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(what.to_string().into())
}

fn find(db: &Connection, name: &str) -> rusqlite::Result<Option<Registered>> {
    let sql = "SELECT id, uid, account, inputs, enrolled_at_ms IS NOT NULL FROM campaign WHERE name = ?1";
    db.query_row(sql, [name], |row| {
        Ok(Registered {
            id: CampaignId(row.get(0)?),
            uid: row.get(1)?,
            account: row.get(2)?,
            inputs: row.get(3)?,
            is_enrolled: row.get(4)?,
        })
    })
    .optional()
}

fn register(
    db: &Connection,
    name: &str,
    account: &str,
    inputs: &str,
    now_ms: i64,
) -> rusqlite::Result<Registered> {
    db.execute(
        "INSERT INTO campaign (name, uid, account, inputs, created_at_ms) VALUES (?1, lower(hex(randomblob(8))), ?2, ?3, ?4)
         ON CONFLICT (name) DO NOTHING",
        params![name, account, inputs, now_ms],
    )?;
    find(db, name)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn add_list(db: &Connection, digest: &str, path: &str, email: &str) -> rusqlite::Result<ListId> {
    db.execute(
        "INSERT INTO list (digest, path, email) VALUES (?1, ?2, ?3)
         ON CONFLICT (digest) DO UPDATE SET path = excluded.path, email = excluded.email",
        params![digest, path, email],
    )?;
    db.query_row("SELECT id FROM list WHERE digest = ?1", [digest], |row| {
        row.get(0)
    })
    .map(ListId)
}

fn drop_partial(db: &Connection, campaign: CampaignId) -> rusqlite::Result<()> {
    // Nothing can have been attempted before the enrolment was complete; the foreign key of `attempt` would object.
    db.execute(
        "DELETE FROM delivery WHERE campaign_id = (SELECT id FROM campaign WHERE id = ?1 AND enrolled_at_ms IS NULL)",
        [campaign.0],
    )?;
    Ok(())
}

fn enrol(db: &Connection, campaign: CampaignId, list: ListId, rows: &[NewDelivery]) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached(
        "INSERT INTO delivery (campaign_id, list_id, line, offset, length, address, state, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let mut held = 0;
    for row in rows {
        let reason = suppressed(db, &row.key)?;
        held += u64::from(reason.is_some());
        let state = if reason.is_some() {
            State::Suppressed
        } else {
            State::Pending
        };
        statement.execute(params![
            campaign.0,
            list.0,
            i64::try_from(row.place.line).unwrap_or(i64::MAX),
            i64::try_from(row.place.offset).unwrap_or(i64::MAX),
            row.place.length,
            row.address,
            state.name(),
            reason,
        ])?;
    }
    Ok(held)
}

fn move_to(db: &Connection, list: ListId, rows: &[(DeliveryId, Place)]) -> rusqlite::Result<()> {
    let mut readmitted =
        db.prepare_cached("SELECT 1 FROM delivery WHERE id = ?1 AND state = 'suppressed' AND reason = ?2")?;
    // A mail that was handed over keeps the row it was made from; one in doubt may have to be made again.
    let mut statement = db.prepare_cached(
        "UPDATE delivery SET list_id = ?2, line = ?3, offset = ?4, length = ?5
         WHERE id = ?1 AND state IN ('pending', 'in_doubt')",
    )?;
    for (delivery, place) in rows {
        if readmitted.exists(params![delivery.0, WITHDRAWN])? {
            step(db, *delivery, Event::Readmitted, None)?;
        }
        statement.execute(params![
            delivery.0,
            list.0,
            i64::try_from(place.line).unwrap_or(i64::MAX),
            i64::try_from(place.offset).unwrap_or(i64::MAX),
            place.length
        ])?;
    }
    Ok(())
}

fn withdraw(db: &Connection, campaign: CampaignId, list: ListId) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM delivery WHERE campaign_id = ?1 AND state = 'pending' AND list_id <> ?2",
    )?;
    let rows = statement.query_map([campaign.0, list.0], |row| row.get::<_, i64>(0))?;
    let gone: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    for delivery in &gone {
        step(db, DeliveryId(*delivery), Event::Withdrawn, Some(WITHDRAWN))?;
    }
    Ok(gone.len() as u64)
}

fn recover(db: &Connection, campaign: CampaignId, now_ms: i64) -> rusqlite::Result<u64> {
    let mut statement =
        db.prepare_cached("SELECT id FROM delivery WHERE campaign_id = ?1 AND state = 'sending'")?;
    let lost: Vec<i64> = statement
        .query_map([campaign.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for delivery in &lost {
        step(db, DeliveryId(*delivery), Event::Doubted, Some(RUN_DIED))?;
        let attempt = db.query_row(
            "UPDATE attempt SET ended_at_ms = ?2, outcome = 'in-doubt', reply = ?3
             WHERE delivery_id = ?1 AND ended_at_ms IS NULL RETURNING id",
            params![delivery, now_ms, RUN_DIED],
            |row| row.get(0),
        )?;
        count_try(db, DeliveryId(*delivery), AttemptId(attempt))?;
    }
    Ok(lost.len() as u64)
}

fn due(db: &Connection, campaign: CampaignId, now_ms: i64, most: u32) -> rusqlite::Result<Vec<Delivery>> {
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

fn next_due(db: &Connection, campaign: CampaignId) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT min(due_at_ms) FROM delivery WHERE campaign_id = ?1 AND state = 'pending'";
    db.prepare_cached(sql)?.query_row([campaign.0], |row| row.get(0))
}

fn resolve(
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

fn suppressed(db: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT reason FROM suppression WHERE address_key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

fn locked_until(db: &Connection, account: &str, now_ms: i64) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT max(until_ms) FROM account_event WHERE account = ?1 AND until_ms > ?2")?
        .query_row(params![account, now_ms], |row| row.get(0))
}
