//! The SQL of deliveries: what is due, the steps from state to state, doubts.

use rusqlite::{Connection, params};

use super::command::{CampaignId, Delivery, DeliveryId, ListId, Resolution, Settled};
use super::state::{Event, State};
use crate::mail::{Place, Volume};

/// Which deliveries belong to the campaign that is the first parameter; see the schema.
pub(super) const OF_CAMPAIGN: &str = "id BETWEEN ?1 << 32 AND (?1 << 32) + 0xffffffff";

/// When somebody is due again who need not wait: before anything that is due at a time.
const AT_ONCE: i64 = 0;

const DELIVERY: &str = "SELECT id, list_id, line, offset, length, address, due_at_ms, tries, first_try_ms, volume, cut FROM delivery";

/// Moves a delivery whose state is known to the state that follows. If that is pending, it is so at once.
pub(super) fn step_from(
    db: &Connection,
    delivery: DeliveryId,
    state: State,
    event: Event,
    reason: Option<&str>,
) -> rusqlite::Result<()> {
    let next = state.on(event).map_err(failure)?;
    let changed = db
        .prepare_cached(
            "UPDATE delivery SET state = ?3, reason = ?4, due_at_ms = ?5 WHERE id = ?1 AND state = ?2",
        )?
        .execute(params![
            delivery.0,
            state.name(),
            next.name(),
            reason,
            (next == State::Pending).then_some(AT_ONCE),
        ])?;
    was_there(changed, state, event)
}

/// A step that is not allowed is a bug and ends the writer.
pub(super) fn was_there(changed: usize, state: State, event: Event) -> rusqlite::Result<()> {
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

pub(super) fn failure(what: impl std::fmt::Display) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(what.to_string().into())
}

pub(super) fn due(
    db: &Connection,
    campaign: CampaignId,
    now_ms: i64,
    after: Option<DeliveryId>,
    most: u32,
) -> rusqlite::Result<Vec<Delivery>> {
    // Retries that are due go first: a long list must not keep them waiting until they are too old.
    let mut found = due_again(db, campaign, now_ms, most)?;
    let left = most.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    if left > 0 {
        found.extend(in_turn(db, campaign, after, left)?);
    }
    Ok(found)
}

fn due_again(
    db: &Connection,
    campaign: CampaignId,
    now_ms: i64,
    most: u32,
) -> rusqlite::Result<Vec<Delivery>> {
    db.prepare_cached(&format!(
        "{DELIVERY} WHERE state = 'pending' AND campaign_id = ?1 AND due_at_ms <= ?2 ORDER BY due_at_ms, id LIMIT ?3"
    ))?
    .query_map(params![campaign.0, now_ms, most], read_delivery)?
    .collect()
}

fn in_turn(
    db: &Connection,
    campaign: CampaignId,
    after: Option<DeliveryId>,
    most: u32,
) -> rusqlite::Result<Vec<Delivery>> {
    let after = after.map_or(campaign.0 << 32, |after| after.0);
    // One lower bound: SQLite would begin at the first of two, which reads all that were sent again and again.
    db.prepare_cached(&format!(
        "{DELIVERY} WHERE state = 'pending' AND id > ?2 AND id <= (?1 << 32) + 0xffffffff AND due_at_ms IS NULL
         ORDER BY id LIMIT ?3"
    ))?
    .query_map(params![campaign.0, after, most], read_delivery)?
    .collect()
}

fn read_delivery(row: &rusqlite::Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: DeliveryId(row.get(0)?),
        list: ListId(row.get(1)?),
        place: read_place(row, 2)?,
        address: row.get(5)?,
        due_at_ms: row.get(6)?,
        tries: row.get(7)?,
        first_try_ms: row.get(8)?,
        volume: Volume::new(row.get(9)?),
        cut: row.get(10)?,
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
    let sql = format!(
        "SELECT min(coalesce(due_at_ms, ?2)) FROM delivery WHERE {OF_CAMPAIGN} AND state = 'pending'"
    );
    db.query_row(&sql, params![campaign.0, AT_ONCE], |row| row.get(0))
}

/// Those in doubt who may be settled in this way: nobody is sent to again who is no longer on the list.
fn doubtful(
    db: &Connection,
    campaign: CampaignId,
    key: Option<&str>,
    how: Resolution,
) -> rusqlite::Result<Vec<DeliveryId>> {
    let mut statement = db.prepare(&format!(
        "SELECT id FROM delivery WHERE {OF_CAMPAIGN} AND state = 'in_doubt' AND (?2 IS NULL OR lower(address) = ?2)
         AND (?3 OR list_id = (SELECT list.id FROM campaign JOIN list ON list.digest = campaign.inputs ->> 'list'
                               WHERE campaign.id = ?1))"
    ))?;
    let is_anyone = how == Resolution::AssumeSent;
    let rows = statement.query_map(params![campaign.0, key, is_anyone], |row| {
        row.get(0).map(DeliveryId)
    })?;
    rows.collect()
}

fn event(how: Resolution) -> Event {
    match how {
        Resolution::Resend => Event::Resend,
        Resolution::AssumeSent => Event::AssumeSent,
    }
}

/// Settles doubts as the user says.
pub(super) fn resolve(
    db: &Connection,
    campaign: CampaignId,
    key: Option<&str>,
    how: Resolution,
) -> rusqlite::Result<u64> {
    let reason = match how {
        Resolution::Resend => "to be sent again: it was in doubt",
        Resolution::AssumeSent => "taken for sent: it was in doubt",
    };
    let doubtful = doubtful(db, campaign, key, how)?;
    for delivery in &doubtful {
        step(db, *delivery, event(how), Some(reason))?;
    }
    Ok(doubtful.len() as u64)
}

/// Settles doubts one by one, as far as they are still in doubt; says how many.
pub(super) fn settle(db: &Connection, campaign: CampaignId, settled: &[Settled]) -> rusqlite::Result<u64> {
    let mut count = 0;
    for how in [Resolution::AssumeSent, Resolution::Resend] {
        let doubtful = doubtful(db, campaign, None, how)?;
        for one in settled
            .iter()
            .filter(|one| one.how == how && doubtful.contains(&one.delivery))
        {
            step(db, one.delivery, event(how), Some(&one.evidence))?;
            count += 1;
        }
    }
    Ok(count)
}

/// Those whose last attempt was refused because of the message itself: now that it has been changed, they wait again.
pub(super) fn revive(db: &Connection, campaign: CampaignId) -> rusqlite::Result<u64> {
    let mut statement = db.prepare(&format!(
        "SELECT id FROM delivery WHERE {OF_CAMPAIGN} AND state = 'failed'
         AND (SELECT scope FROM attempt WHERE delivery_id = delivery.id ORDER BY number DESC LIMIT 1) = 'message'"
    ))?;
    let rows = statement.query_map([campaign.0], |row| row.get::<_, i64>(0))?;
    let refused: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    for delivery in &refused {
        step(db, DeliveryId(*delivery), Event::Corrected, None)?;
    }
    Ok(refused.len() as u64)
}
