//! The SQL by which campaigns, lists and recipients come on record.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::command::{CampaignId, DeliveryId, ListId, NewDelivery, Registered, RunState};
use super::deliveries::{OF_CAMPAIGN, step};
use super::state::{Event, State};
use super::suppression::Suppressions;

/// Why a delivery is suppressed when its row is gone. Such deliveries come back with their row.
pub(super) const WITHDRAWN: &str = "no longer on the list";

pub(super) fn find(db: &Connection, name: &str) -> rusqlite::Result<Option<Registered>> {
    let sql = "SELECT id, uid, account, inputs, enrolled_at_ms IS NOT NULL, is_content_refused, held FROM campaign WHERE name = ?1";
    db.query_row(sql, [name], |row| {
        Ok(Registered {
            id: CampaignId(row.get(0)?),
            uid: row.get(1)?,
            account: row.get(2)?,
            inputs: row.get(3)?,
            is_enrolled: row.get(4)?,
            is_content_refused: row.get(5)?,
            held: row.get(6)?,
        })
    })
    .optional()
}

pub(super) fn register(
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

pub(super) fn add_list(db: &Connection, digest: &str, path: &str) -> rusqlite::Result<ListId> {
    db.execute(
        "INSERT INTO list (digest, path) VALUES (?1, ?2)
         ON CONFLICT (digest) DO UPDATE SET path = excluded.path",
        params![digest, path],
    )?;
    db.query_row("SELECT id FROM list WHERE digest = ?1", [digest], |row| {
        row.get(0)
    })
    .map(ListId)
}

pub(super) fn drop_partial(db: &Connection, campaign: CampaignId) -> rusqlite::Result<()> {
    // Nothing can have been attempted before the enrolment was complete; the foreign key of `attempt` would object.
    db.execute(
        &format!(
            "DELETE FROM delivery WHERE {OF_CAMPAIGN}
             AND (SELECT enrolled_at_ms IS NULL FROM campaign WHERE campaign.id = ?1)"
        ),
        [campaign.0],
    )?;
    Ok(())
}

pub(super) fn enrol(
    db: &Connection,
    suppressions: &mut Suppressions,
    campaign: CampaignId,
    list: ListId,
    rows: &[NewDelivery],
) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached(
        "INSERT INTO delivery (id, list_id, line, offset, length, address, state, reason, volume, cut)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let highest = format!("SELECT coalesce(max(id), ?1 << 32) FROM delivery WHERE {OF_CAMPAIGN}");
    let highest: i64 = db.query_row(&highest, [campaign.0], |row| row.get(0))?;
    let mut held = 0;
    for (id, row) in (highest + 1..).zip(rows) {
        let reason = suppressions.why(db, campaign, [Some(&row.key), row.written_key.as_deref()])?;
        held += u64::from(reason.is_some());
        let state = if reason.is_some() {
            State::Suppressed
        } else {
            State::Pending
        };
        statement.execute(params![
            id,
            list.0,
            signed(row.place.line),
            signed(row.place.offset),
            row.place.length,
            row.address,
            state.name(),
            reason,
            row.volume.get(),
            row.cut,
        ])?;
    }
    Ok(held)
}

pub(super) fn move_to(
    db: &Connection,
    list: ListId,
    rows: &[(DeliveryId, NewDelivery)],
) -> rusqlite::Result<()> {
    let mut readmitted =
        db.prepare_cached("SELECT 1 FROM delivery WHERE id = ?1 AND state = 'suppressed' AND reason = ?2")?;
    // A mail that was handed over keeps the row it was made from; one in doubt may have to be made again.
    let mut statement = db.prepare_cached(
        "UPDATE delivery SET list_id = ?2, line = ?3, offset = ?4, length = ?5, address = ?6, cut = ?7
         WHERE id = ?1 AND state IN ('pending', 'in_doubt')",
    )?;
    for (delivery, row) in rows {
        if readmitted.exists(params![delivery.0, WITHDRAWN])? {
            step(db, *delivery, Event::Readmitted, None)?;
        }
        statement.execute(params![
            delivery.0,
            list.0,
            signed(row.place.line),
            signed(row.place.offset),
            row.place.length,
            row.address,
            row.cut,
        ])?;
    }
    Ok(())
}

pub(super) fn withdraw(
    db: &Connection,
    campaign: CampaignId,
    list: ListId,
    surplus: Vec<DeliveryId>,
) -> rusqlite::Result<u64> {
    let mut statement = db.prepare(&format!(
        "SELECT id FROM delivery WHERE {OF_CAMPAIGN} AND state = 'pending' AND list_id <> ?2"
    ))?;
    let rows = statement.query_map([campaign.0, list.0], |row| row.get::<_, i64>(0))?;
    let mut gone: BTreeSet<DeliveryId> = rows
        .map(|id| id.map(DeliveryId))
        .collect::<rusqlite::Result<_>>()?;
    // Somebody may have been suppressed since they were counted.
    let mut waits = db.prepare_cached("SELECT 1 FROM delivery WHERE id = ?1 AND state = 'pending'")?;
    // In doubt for good, unless they are taken for sent: they stand on no list any more.
    let mut held =
        db.prepare_cached("UPDATE delivery SET list_id = ?2 WHERE id = ?1 AND state = 'in_doubt'")?;
    let nowhere = if surplus.is_empty() {
        list
    } else {
        add_list(db, "", "")?
    };
    for delivery in surplus {
        if waits.exists([delivery.0])? {
            gone.insert(delivery);
        }
        held.execute([delivery.0, nowhere.0])?;
    }
    for delivery in &gone {
        step(db, *delivery, Event::Withdrawn, Some(WITHDRAWN))?;
    }
    Ok(gone.len() as u64)
}

/// Marks the enrolment as complete, with what the campaign was checked with.
pub(super) fn enrolled(
    db: &Connection,
    campaign: CampaignId,
    account: &str,
    inputs: &str,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let sql = "UPDATE campaign SET enrolled_at_ms = ?2, account = ?3, inputs = ?4 WHERE id = ?1";
    db.execute(sql, params![campaign.0, now_ms, account, inputs])
        .map(drop)
}

/// Notes how a run stands.
pub(super) fn set_run(db: &Connection, campaign: CampaignId, run: &RunState) -> rusqlite::Result<()> {
    let sql = "UPDATE campaign SET run_state = ?2, run_until_ms = ?3, run_note = ?4, is_content_refused = ?5
               WHERE id = ?1";
    db.execute(
        sql,
        params![
            campaign.0,
            run.state,
            run.until_ms,
            run.note,
            run.is_content_refused
        ],
    )
    .map(drop)
}

/// SQLite's integers are signed; no list is so long that it matters.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
