//! The SQL of the suppression list, and what of it the writer keeps in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::command::{CampaignId, NewSuppression};
use crate::mail::{Reason, Whom};

/// Where keys of patterns begin and end; see [`Whom::key`].
const PATTERNS: &str = "address_key >= '@' AND address_key < 'A'";

/// What is asked for every mail, and seldom changes.
#[derive(Debug, Default)]
pub(super) struct Suppressions {
    /// The list of each campaign.
    lists: HashMap<i64, String>,
    /// None: to be read.
    patterns: Option<Vec<Pattern>>,
}

#[derive(Debug)]
struct Pattern {
    whom: Whom,
    list: String,
    said: String,
}

impl Suppressions {
    /// Reads everything anew next time.
    pub(super) fn forget(&mut self) {
        self.lists.clear();
        self.patterns = None;
    }

    /// The list that a campaign's people stand on: the identifier of its List-ID.
    pub(super) fn list(&mut self, db: &Connection, campaign: CampaignId) -> rusqlite::Result<&str> {
        match self.lists.entry(campaign.0) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => Ok(unknown.insert(list_of(db, campaign)?)),
        }
    }

    /// Why a person gets no mail of this campaign, if so: by a pattern that their address fits.
    pub(super) fn by_pattern(
        &mut self,
        db: &Connection,
        campaign: CampaignId,
        keys: [Option<&str>; 2],
    ) -> rusqlite::Result<Option<String>> {
        if self.patterns.is_none() {
            self.patterns = Some(read_patterns(db)?);
        }
        if self.patterns.as_ref().is_none_or(Vec::is_empty) {
            return Ok(None);
        }
        let list = self.list(db, campaign)?.to_owned();
        let meant = self.patterns.iter().flatten().find(|pattern| {
            let Whom::Pattern(look) = &pattern.whom else {
                return false;
            };
            (pattern.list.is_empty() || pattern.list == list)
                && keys.iter().flatten().any(|key| look.fits(key))
        });
        Ok(meant.map(|pattern| pattern.said.clone()))
    }

    /// Why a person gets no mail of this campaign, if so: under their address, or as the list writes it.
    pub(super) fn why(
        &mut self,
        db: &Connection,
        campaign: CampaignId,
        keys: [Option<&str>; 2],
    ) -> rusqlite::Result<Option<String>> {
        let list = self.list(db, campaign)?.to_owned();
        for key in keys.into_iter().flatten() {
            if let Some(said) = suppressed(db, key, &list)? {
                return Ok(Some(said));
            }
        }
        self.by_pattern(db, campaign, keys)
    }
}

fn list_of(db: &Connection, campaign: CampaignId) -> rusqlite::Result<String> {
    let sql = "SELECT coalesce(inputs ->> '$.settings.list_id', '') FROM campaign WHERE id = ?1";
    let named: Option<String> = db.query_row(sql, [campaign.0], |row| row.get(0)).optional()?;
    Ok(identifier(&named.unwrap_or_default()))
}

/// The identifier of a List-ID such as `News <news.example.com>`.
pub(super) fn identifier(named: &str) -> String {
    let id = named.rsplit_once('<').map_or(named, |(_, id)| id);
    id.trim_end_matches('>').to_lowercase()
}

fn read_patterns(db: &Connection) -> rusqlite::Result<Vec<Pattern>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT address_key, list, reason, note FROM suppression WHERE {PATTERNS}"
    ))?;
    let rows = statement.query_map([], |row| {
        let key: String = row.get(0)?;
        Ok(Pattern {
            whom: Whom::from_key(&key),
            list: row.get(1)?,
            said: said(&row.get::<_, String>(2)?, &row.get::<_, String>(3)?),
        })
    })?;
    rows.collect()
}

/// Why this address is suppressed in campaigns of this list, if it is.
fn suppressed(db: &Connection, key: &str, list: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT reason, note FROM suppression WHERE address_key = ?1 AND list IN ('', ?2)")?
        .query_row([key, list], |row| {
            Ok(said(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?))
        })
        .optional()
}

/// The reason as it stands with a delivery.
fn said(reason: &str, note: &str) -> String {
    match note {
        "" => reason.to_owned(),
        note => format!("{reason}: {note}"),
    }
}

/// Adds suppressions; says how many are new. Whoever is suppressed already stays so for the first reason, unless this
/// one is their own wish or complaint.
pub(super) fn suppress(db: &Connection, rows: &[NewSuppression]) -> rusqlite::Result<u64> {
    let mut insert =
        db.prepare_cached("INSERT OR IGNORE INTO suppression VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut replace = db.prepare_cached(
        "UPDATE suppression SET reason = ?3, note = ?4, source = ?5, at_ms = ?6
         WHERE address_key = ?1 AND list = ?2 AND reason NOT IN ('unsubscribe', 'complaint')",
    )?;
    let mut added = 0;
    for row in rows {
        let values = params![
            row.key,
            row.list,
            row.reason.name(),
            row.note,
            row.source,
            row.at_ms
        ];
        let is_new = insert.execute(values)? > 0;
        added += u64::from(is_new);
        if !is_new && matches!(row.reason, Reason::Unsubscribe | Reason::Complaint) {
            replace.execute(values)?;
        }
    }
    Ok(added)
}

/// Lifts the suppressions of a key: of one list, or all of them. Says how many there were.
pub(super) fn lift(
    db: &Connection,
    key: &str,
    list: Option<&str>,
    (why, now_ms): (&str, i64),
) -> rusqlite::Result<u64> {
    db.execute(
        "INSERT INTO suppression_lifted (address_key, list, reason, note, source, at_ms, lifted_at_ms, lifted_why)
         SELECT address_key, list, reason, note, source, at_ms, ?3, ?4 FROM suppression
         WHERE address_key = ?1 AND (?2 IS NULL OR list = ?2)",
        params![key, list, now_ms, why],
    )?;
    let lifted = db.execute(
        "DELETE FROM suppression WHERE address_key = ?1 AND (?2 IS NULL OR list = ?2)",
        params![key, list],
    )?;
    Ok(lifted as u64)
}
