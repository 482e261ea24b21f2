//! The SQL of accounts that must be left alone after a refused login.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::command::AccountEvent;

/// Notes that an account must be left alone; says how many of its logins were refused within the minute.
pub(super) fn lock(db: &Connection, event: &AccountEvent) -> rusqlite::Result<u32> {
    let sql = "INSERT INTO account_event (account, at_ms, until_ms, stage, reply, class)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.execute(
        sql,
        params![
            event.account,
            event.at_ms,
            event.until_ms,
            event.stage,
            event.reply,
            event.class.name(),
        ],
    )?;
    refused_lately(db, &event.account, event.at_ms)
}

/// How many logins of an account were refused within the minute.
pub(super) fn refused_lately(db: &Connection, account: &str, now_ms: i64) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM account_event WHERE account = ?1 AND at_ms > ?2";
    db.query_row(sql, params![account, now_ms - 60_000], |row| row.get(0))
}

/// Lets an account connect again at once. That it was refused stays on record.
pub(super) fn unlock(db: &Connection, account: &str, now_ms: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE account_event SET until_ms = ?2 WHERE account = ?1 AND until_ms > ?2";
    db.execute(sql, params![account, now_ms]).map(drop)
}

/// Until when accounts must be left alone, kept while nobody else writes.
#[derive(Debug, Default)]
pub(super) struct Locks(HashMap<String, Option<i64>>);

impl Locks {
    /// Reads them anew next time.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Until when this account must be left alone, if it must.
    pub(super) fn until(
        &mut self,
        db: &Connection,
        account: &str,
        now_ms: i64,
    ) -> rusqlite::Result<Option<i64>> {
        if let Some(until) = self.0.get(account) {
            return Ok(until.filter(|until| *until > now_ms));
        }
        let until: Option<i64> = db
            .prepare_cached("SELECT max(until_ms) FROM account_event WHERE account = ?1")?
            .query_row([account], |row| row.get(0))?;
        self.0.insert(account.to_owned(), until);
        Ok(until.filter(|until| *until > now_ms))
    }
}
