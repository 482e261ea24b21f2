//! The SQL of accounts that must be left alone after a refused login.

use rusqlite::{Connection, params};

use super::command::AccountEvent;

/// Notes that an account must be left alone.
pub(super) fn lock(db: &Connection, event: &AccountEvent) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO account_event (account, at_ms, until_ms, stage, reply) VALUES (?1, ?2, ?3, ?4, ?5)";
    db.execute(
        sql,
        params![
            event.account,
            event.at_ms,
            event.until_ms,
            event.stage,
            event.reply
        ],
    )
    .map(drop)
}

/// Lets an account connect again at once. That it was refused stays on record.
pub(super) fn unlock(db: &Connection, account: &str, now_ms: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE account_event SET until_ms = ?2 WHERE account = ?1 AND until_ms > ?2";
    db.execute(sql, params![account, now_ms]).map(drop)
}

/// Until when an account must be left alone, if it must.
pub(super) fn locked_until(db: &Connection, account: &str, now_ms: i64) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT max(until_ms) FROM account_event WHERE account = ?1 AND until_ms > ?2")?
        .query_row(params![account, now_ms], |row| row.get(0))
}
