//! The SQL of the suppression list.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::command::NewSuppression;

/// Adds suppressions; says how many are new.
pub(super) fn suppress(db: &Connection, rows: &[NewSuppression]) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached("INSERT OR IGNORE INTO suppression VALUES (?1, ?2, ?3, ?4)")?;
    let mut added = 0;
    for row in rows {
        added += statement.execute(params![row.key, row.reason, row.source, row.at_ms])? as u64;
    }
    Ok(added)
}

/// Removes a suppression; says whether it was there.
pub(super) fn unsuppress(db: &Connection, key: &str) -> rusqlite::Result<bool> {
    Ok(db.execute("DELETE FROM suppression WHERE address_key = ?1", [key])? > 0)
}

/// Why a person is suppressed, if they are: under their address, or as the list writes it.
pub(super) fn either_suppressed(
    db: &Connection,
    key: &str,
    written_key: Option<&str>,
) -> rusqlite::Result<Option<String>> {
    match (suppressed(db, key)?, written_key) {
        (None, Some(written)) => suppressed(db, written),
        (found, _) => Ok(found),
    }
}

/// Why this address is suppressed, if it is.
fn suppressed(db: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT reason FROM suppression WHERE address_key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}
