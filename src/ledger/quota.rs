//! What accounts have used, read from their attempts and kept up to date while nobody else writes.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::campaign::quota::{Quota, Used};

/// An attempt without a result is over by then: the longest dialogue takes half as long. Its run is gone.
const LOST_AFTER_MS: i64 = 20 * 60 * 1_000;

/// The mails that windows may still hold, by account.
#[derive(Debug, Default)]
pub(super) struct Usage {
    accounts: HashMap<String, Used>,
}

impl Usage {
    /// Reads all accounts anew next time.
    pub(super) fn forget_all(&mut self) {
        self.accounts.clear();
    }

    /// What this account has used.
    pub(super) fn of(
        &mut self,
        connection: &Connection,
        account: &str,
        quota: &Quota,
        now_ms: i64,
    ) -> rusqlite::Result<&mut Used> {
        if !self.accounts.contains_key(account) {
            let used = load(connection, account, quota, now_ms)?;
            self.accounts.insert(account.to_owned(), used);
        }
        let used = self.accounts.entry(account.to_owned()).or_default();
        used.forget(quota, now_ms);
        Ok(used)
    }

    /// Notes that an attempt of this account ended.
    pub(super) fn end(&mut self, account: &str, now_ms: i64) {
        if let Some(used) = self.accounts.get_mut(account) {
            used.end(now_ms);
        }
    }

    /// Reads the account anew next time: an attempt that seemed under way may belong to a run that is gone.
    pub(super) fn forget(&mut self, account: &str) {
        self.accounts.remove(account);
    }
}

fn load(connection: &Connection, account: &str, quota: &Quota, now_ms: i64) -> rusqlite::Result<Used> {
    let lost = now_ms - LOST_AFTER_MS;
    let open: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM attempt WHERE account = ?1 AND ended_at_ms IS NULL AND began_at_ms > ?2",
        )?
        .query_row(params![account, lost], |row| row.get(0))?;
    let mut statement = connection.prepare_cached(
        "SELECT ended_at_ms FROM attempt WHERE account = ?1 AND ended_at_ms > ?2
         UNION ALL
         SELECT began_at_ms + ?4 FROM attempt
         WHERE account = ?1 AND ended_at_ms IS NULL AND began_at_ms <= ?3 AND began_at_ms + ?4 > ?2
         ORDER BY 1",
    )?;
    let oldest = now_ms - quota.longest_ms();
    let ended = statement
        .query_map(params![account, oldest, lost, LOST_AFTER_MS], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Used {
        open: usize::try_from(open).unwrap_or_default(),
        ended,
    })
}
