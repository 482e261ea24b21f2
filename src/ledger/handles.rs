//! How deliveries are found from outside: by what their mails are named with, and by the address. The index is brought up
//! to date when something comes back, so that sending pays nothing for it.

use rusqlite::{Connection, Rows, params};
use sha2::{Digest, Sha256};

use super::command::DeliveryId;
use super::deliveries::failure;
use crate::mail::{Address, DeliveryTag, Volume};

/// A delivery that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) delivery: DeliveryId,
    pub(super) address_key: String,
}

/// Enters the deliveries that the index does not have yet.
pub(super) fn catch_up(db: &Connection) -> rusqlite::Result<()> {
    let campaigns: Vec<(i64, String)> = db
        .prepare_cached("SELECT id, uid FROM campaign WHERE enrolled_at_ms IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut last = db.prepare_cached(
        "SELECT coalesce(max(delivery_id), ?1 << 32) FROM delivery_handle
         WHERE delivery_id BETWEEN ?1 << 32 AND (?1 << 32) + 0xffffffff",
    )?;
    let mut newer = db.prepare_cached(
        "SELECT id, address, volume FROM delivery WHERE id > ?2 AND id <= (?1 << 32) + 0xffffffff",
    )?;
    let mut insert = db.prepare_cached("INSERT OR REPLACE INTO delivery_handle VALUES (?1, ?2, ?3)")?;
    for (campaign, uid) in campaigns {
        let last: i64 = last.query_row([campaign], |row| row.get(0))?;
        let mut rows = newer.query([campaign, last])?;
        while let Some(row) = rows.next()? {
            let address: String = row.get(1)?;
            let tag = tag(&uid, &address, row.get(2)?)?;
            insert.execute(params![
                row.get::<_, i64>(0)?,
                tag.short(),
                short(&Address::key_of(&address))
            ])?;
        }
    }
    Ok(())
}

/// The delivery that these tags name: the one to this address, if there is one, else the first.
pub(super) fn by_tag(
    db: &Connection,
    tags: &[DeliveryTag],
    key: Option<&str>,
) -> rusqlite::Result<Option<Found>> {
    let mut statement = db.prepare_cached(
        "SELECT delivery.id, uid, delivery.address, volume FROM delivery_handle
         JOIN delivery ON delivery.id = delivery_handle.delivery_id JOIN campaign ON campaign.id = campaign_id WHERE tag = ?1",
    )?;
    let mut first = None;
    for wanted in tags {
        let mut rows = statement.query([wanted.short()])?;
        while let Some(row) = rows.next()? {
            let (uid, address): (String, String) = (row.get(1)?, row.get(2)?);
            if tag(&uid, &address, row.get(3)?)? != *wanted {
                continue;
            }
            let found = Found {
                delivery: DeliveryId(row.get(0)?),
                address_key: Address::key_of(&address),
            };
            if key.is_none_or(|key| key == found.address_key) {
                return Ok(Some(found));
            }
            first.get_or_insert(found);
        }
    }
    Ok(first)
}

/// The mail to an address that was tried last, up to a moment; of those tried at all.
pub(super) fn by_address(db: &Connection, key: &str, until_ms: i64) -> rusqlite::Result<Option<Found>> {
    let mut statement = db.prepare_cached(
        "SELECT delivery.id, delivery.address FROM delivery_handle JOIN delivery ON delivery.id = delivery_handle.delivery_id
         JOIN attempt ON attempt.delivery_id = delivery.id AND attempt.number = delivery.attempts
         WHERE delivery_handle.address = ?1 AND began_at_ms <= ?2 ORDER BY began_at_ms DESC",
    )?;
    first_to(statement.query(params![short(key), until_ms])?, key)
}

/// A mail to an address, whether it was tried or not: the last that was enrolled.
pub(super) fn any_to(db: &Connection, key: &str) -> rusqlite::Result<Option<Found>> {
    let mut statement = db.prepare_cached(
        "SELECT delivery.id, delivery.address FROM delivery_handle
         JOIN delivery ON delivery.id = delivery_handle.delivery_id
         WHERE delivery_handle.address = ?1 ORDER BY delivery.id DESC",
    )?;
    first_to(statement.query([short(key)])?, key)
}

/// The first delivery that really goes to this address: the index has only a part of its digest.
fn first_to(mut rows: Rows<'_>, key: &str) -> rusqlite::Result<Option<Found>> {
    while let Some(row) = rows.next()? {
        let address_key = Address::key_of(&row.get::<_, String>(1)?);
        if address_key == key {
            return Ok(Some(Found {
                delivery: DeliveryId(row.get(0)?),
                address_key,
            }));
        }
    }
    Ok(None)
}

fn tag(uid: &str, address: &str, volume: u32) -> rusqlite::Result<DeliveryTag> {
    // It was one when it was enrolled.
    let address = Address::parse_utf8(address).map_err(failure)?;
    Ok(DeliveryTag::derive(uid, &address, Volume::new(volume)))
}

/// Eight octets of a digest.
pub(super) fn short(key: &str) -> i64 {
    let digest = Sha256::digest(key.as_bytes());
    let mut octets = [0; 8];
    octets.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    i64::from_be_bytes(octets)
}
