//! What accounts have used, read from their attempts and kept up to date while nobody else writes.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::command::Bound;
use crate::campaign::quota::{Quota, Used};

/// An attempt without a result is over by then: the longest dialogue takes half as long. Its run is gone.
const LOST_AFTER_MS: i64 = 20 * 60 * 1_000;

/// How much later than `found_at_ms` an attempt can have ended.
pub(super) const LONGEST_MS: i64 = 60 * 60 * 1_000;

/// The mails that windows may still hold, by account.
#[derive(Debug, Default)]
pub(super) struct Usage {
    accounts: HashMap<String, Used>,
    /// To be read anew in the next transaction.
    stale: Vec<String>,
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
            let used = load(connection, (account, None), quota, now_ms)?;
            self.accounts.insert(account.to_owned(), used);
        }
        let used = self.accounts.entry(account.to_owned()).or_default();
        used.forget(quota, now_ms);
        Ok(used)
    }

    /// What this account has used of what it may send to one destination.
    pub(super) fn of_destination(
        &mut self,
        connection: &Connection,
        account: &str,
        bound: &Bound,
        now_ms: i64,
    ) -> rusqlite::Result<&mut Used> {
        let key = there(account, &bound.destination);
        if !self.accounts.contains_key(&key) {
            let of = Some(bound.destination.as_str());
            let used = load(connection, (account, of), &bound.quota, now_ms)?;
            self.accounts.insert(key.clone(), used);
        }
        let used = self.accounts.entry(key).or_default();
        used.forget(&bound.quota, now_ms);
        Ok(used)
    }

    /// Notes that an attempt of this account began.
    pub(super) fn begin(&mut self, account: &str) {
        if let Some(used) = self.accounts.get_mut(account) {
            used.open += 1;
        }
    }

    /// Notes that an attempt of this account ended.
    pub(super) fn end(&mut self, account: &str, now_ms: i64) {
        if let Some(used) = self.accounts.get_mut(account) {
            used.end(now_ms);
        }
    }

    /// Notes that an attempt of this account came to nothing before anything was said.
    pub(super) fn give_back(&mut self, account: &str) {
        if let Some(used) = self.accounts.get_mut(account) {
            used.open = used.open.saturating_sub(1);
        }
    }

    /// Reads the account anew in the next transaction: an attempt that seemed under way may belong to a run that is
    /// gone. Not in this one, where many intents may meet the same spent quota.
    pub(super) fn forget(&mut self, account: &str) {
        self.stale.push(account.to_owned());
    }

    /// To be called when a transaction begins.
    pub(super) fn forget_stale(&mut self) {
        for account in self.stale.drain(..) {
            self.accounts.remove(&account);
        }
    }
}

/// How what an account has sent to one destination is kept beside what it has sent in all.
pub(super) fn there(account: &str, destination: &str) -> String {
    format!("{account}\n{destination}")
}

fn load(
    connection: &Connection,
    (account, destination): (&str, Option<&str>),
    quota: &Quota,
    now_ms: i64,
) -> rusqlite::Result<Used> {
    let lost = now_ms - LOST_AFTER_MS;
    let oldest = now_ms - quota.longest_ms();
    let mut statement = connection.prepare_cached(
        match destination {
            None => "SELECT began_at_ms, ended_at_ms FROM attempt WHERE account = ?1 AND found_at_ms > ?2 AND ?3 IS NULL",
            Some(_) => {
                "SELECT began_at_ms, ended_at_ms FROM attempt
                 WHERE account = ?1 AND found_at_ms > ?2 AND destination = ?3"
            }
        },
    )?;
    let mut rows = statement.query(params![account, oldest - LONGEST_MS, destination])?;
    let mut open = 0;
    let mut ended = Vec::new();
    while let Some(row) = rows.next()? {
        let began_at_ms: i64 = row.get(0)?;
        match row.get::<_, Option<i64>>(1)? {
            None if began_at_ms > lost => open += 1,
            None => ended.push(began_at_ms + LOST_AFTER_MS),
            Some(ended_at_ms) => ended.push(ended_at_ms),
        }
    }
    ended.retain(|at_ms| *at_ms > oldest);
    ended.sort_unstable();
    Ok(Used {
        open,
        ended: ended.into(),
    })
}
