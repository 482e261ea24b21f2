//! What accounts have used, read from their attempts and kept up to date while nobody else writes.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::campaign::quota::{Quota, Used};
use crate::mail::Likeness;

/// An attempt without a result is over by then: the longest dialogue takes half as long. Its run is gone.
const LOST_AFTER_MS: i64 = 20 * 60 * 1_000;

/// How much later than `found_at_ms` an attempt can have ended.
pub(super) const LONGEST_ATTEMPT_MS: i64 = 60 * 60 * 1_000;

/// Mails of an account that are counted together.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    /// All of them.
    All,
    /// Those to one destination that has a limit of its own.
    To(&'a str),
    /// Those that are like this one; see [`Usage::note_like`].
    Like(Likeness),
}

impl Which<'_> {
    /// Under which key they are counted.
    fn key(self, account: &str) -> Cow<'_, str> {
        match self {
            Self::All => Cow::Borrowed(account),
            Self::To(destination) => Cow::Owned(format!("{account}\n{destination}")),
            Self::Like(first) => Cow::Owned(format!("{account}\n={}", first.to_bits())),
        }
    }
}

/// The mails that windows may still hold.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// By [`Which::key`].
    counts: HashMap<String, Used>,
    /// By account: mails that others are like, and when one of those came last; the last at the end.
    firsts: HashMap<String, VecDeque<(Likeness, i64)>>,
    /// Keys that are to be read anew in the next transaction.
    stale: Vec<String>,
}

impl Usage {
    /// Reads everything anew next time.
    pub(super) fn forget_all(&mut self) {
        self.counts.clear();
        self.firsts.clear();
    }

    /// What has been used of what this account may send, of all its mails or of some.
    pub(super) fn of(
        &mut self,
        connection: &Connection,
        (account, which): (&str, Which<'_>),
        quota: &Quota,
        now_ms: i64,
    ) -> rusqlite::Result<&mut Used> {
        let key = which.key(account);
        if !self.counts.contains_key(key.as_ref()) {
            let used = load(connection, (account, which), quota, now_ms)?;
            self.counts.insert(key.to_string(), used);
        }
        let used = self.counts.entry(key.into_owned()).or_default();
        used.forget(quota, now_ms);
        Ok(used)
    }

    /// The first mail of the time that this one is like, which is now remembered for longer; it itself, when there is
    /// none.
    pub(super) fn note_like(
        &mut self,
        connection: &Connection,
        (account, likeness): (&str, Likeness),
        quota: &Quota,
        now_ms: i64,
    ) -> rusqlite::Result<Likeness> {
        let oldest = now_ms - quota.longest_ms() - LONGEST_ATTEMPT_MS;
        if !self.firsts.contains_key(account) {
            let firsts = load_firsts(connection, account, oldest)?;
            self.firsts.insert(account.to_owned(), firsts);
        }
        let firsts = self.firsts.entry(account.to_owned()).or_default();
        while firsts.front().is_some_and(|(_, seen_ms)| *seen_ms <= oldest) {
            firsts.pop_front();
        }
        let known = firsts.iter().position(|(first, _)| first.is_near(likeness));
        let first = known
            .and_then(|at| firsts.remove(at))
            .map_or(likeness, |(first, _)| first);
        firsts.push_back((first, now_ms));
        Ok(first)
    }

    /// Notes that an attempt began with one of these mails.
    pub(super) fn begin(&mut self, account: &str, which: Which<'_>) {
        if let Some(used) = self.counts.get_mut(which.key(account).as_ref()) {
            used.open += 1;
        }
    }

    /// Notes that an attempt with one of these mails ended.
    pub(super) fn end(&mut self, (account, which): (&str, Which<'_>), now_ms: i64) {
        if let Some(used) = self.counts.get_mut(which.key(account).as_ref()) {
            used.end(now_ms);
        }
    }

    /// Notes that an attempt with one of these mails came to nothing before anything was said.
    pub(super) fn give_back(&mut self, account: &str, which: Which<'_>) {
        if let Some(used) = self.counts.get_mut(which.key(account).as_ref()) {
            used.open = used.open.saturating_sub(1);
        }
    }

    /// Counts these mails anew in the next transaction: an attempt that seemed under way may belong to a run that is
    /// gone. Not in this one, where many intents may meet the same spent quota.
    pub(super) fn forget(&mut self, account: &str, which: Which<'_>) {
        self.stale.push(which.key(account).into_owned());
    }

    /// To be called when a transaction begins.
    pub(super) fn forget_stale(&mut self) {
        for key in self.stale.drain(..) {
            self.counts.remove(&key);
        }
    }
}

/// The mails of the time that others may be like, and when one of those came last.
fn load_firsts(
    connection: &Connection,
    account: &str,
    oldest_ms: i64,
) -> rusqlite::Result<VecDeque<(Likeness, i64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT likeness, max(found_at_ms) AS seen_ms FROM attempt
         WHERE account = ?1 AND found_at_ms > ?2 AND likeness IS NOT NULL GROUP BY likeness ORDER BY seen_ms",
    )?;
    let rows = statement.query_map(params![account, oldest_ms], |row| {
        Ok((Likeness::from_bits(row.get(0)?), row.get(1)?))
    })?;
    rows.collect()
}

fn load(
    connection: &Connection,
    (account, which): (&str, Which<'_>),
    quota: &Quota,
    now_ms: i64,
) -> rusqlite::Result<Used> {
    let lost = now_ms - LOST_AFTER_MS;
    let oldest = now_ms - quota.longest_ms();
    let (also, value) = match which {
        Which::All => ("?3 IS NULL", Value::Null),
        Which::To(destination) => ("destination = ?3", Value::from(destination.to_owned())),
        Which::Like(first) => ("likeness = ?3", Value::from(first.to_bits())),
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT began_at_ms, ended_at_ms FROM attempt WHERE account = ?1 AND found_at_ms > ?2 AND {also}"
    ))?;
    let mut rows = statement.query(params![account, oldest - LONGEST_ATTEMPT_MS, value])?;
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
