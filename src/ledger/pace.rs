//! The SQL of what accounts have learned, kept in memory while nobody else writes; and when the next mail to a
//! destination may begin.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::command::Bound;
use super::deliveries::failure;
use crate::campaign::pace::{Learned, Lesson};
use crate::campaign::quota::Unit;
use crate::mail::domain::is_within;

/// Attempts this far back say how fast it goes, in ms.
const SEEN_MS: i64 = 10 * 60_000;
/// The shortest time that says it, in ms.
const SEEN_AT_LEAST_MS: i64 = 60_000;
/// Nobody is put off for longer than this at once, so that what is learned meanwhile counts, in ms.
const HORIZON_MS: i64 = 3_600_000;

/// What one account has learned, and when its mails began last.
#[derive(Debug, Default)]
struct Account {
    own: Learned,
    destinations: HashMap<String, Learned>,
    /// When the account's last mail began.
    began_ms: i64,
    /// The lines before destinations that have a gap between mails.
    lines: HashMap<String, Line>,
}

/// Who waits for a destination: each is told a time of its own.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// When a mail to it began last.
    began_ms: i64,
    /// The first time that nobody was told.
    next_ms: i64,
}

/// What accounts have learned.
#[derive(Debug, Default)]
pub(super) struct Paces(HashMap<String, Account>);

impl Paces {
    /// Reads them anew next time.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Until when the account pauses or goes slowly, if it must wait now.
    pub(super) fn account_until(
        &mut self,
        db: &Connection,
        account: &str,
        now_ms: i64,
    ) -> rusqlite::Result<Option<i64>> {
        let known = self.of(db, account)?;
        let next = known.began_ms + known.own.gap_ms(now_ms);
        let until = known.own.paused_until_ms.max(next);
        Ok((until > now_ms).then_some(until))
    }

    /// When a mail to a destination may begin; none: now. `free_ms`: when its quota lets one out.
    pub(super) fn destination_until(
        &mut self,
        db: &Connection,
        account: &str,
        bound: &Bound,
        (free_ms, now_ms): (i64, i64),
    ) -> rusqlite::Result<Option<i64>> {
        let known = self.of(db, account)?;
        let learned = known.destinations.get(&bound.destination);
        let paused_ms = learned.map_or(0, |learned| learned.paused_until_ms);
        let gap_ms = learned
            .map_or(0, |learned| learned.gap_ms(now_ms))
            .max(spacing_ms(bound));
        let open_ms = paused_ms.max(free_ms);
        if gap_ms == 0 {
            return Ok((open_ms > now_ms).then_some(open_ms.min(now_ms + HORIZON_MS)));
        }
        let line = known.lines.entry(bound.destination.clone()).or_default();
        let open_ms = open_ms.max(line.began_ms + gap_ms);
        if open_ms <= now_ms {
            return Ok(None);
        }
        let slot = line.next_ms.max(open_ms);
        // Beyond the horizon all come back at its end, and are told anew.
        if slot <= now_ms + HORIZON_MS {
            line.next_ms = slot + gap_ms;
        }
        Ok(Some(slot.min(now_ms + HORIZON_MS)))
    }

    /// Notes that a mail of this account to this destination began.
    pub(super) fn begin(&mut self, account: &str, destination: &str, now_ms: i64) {
        if let Some(known) = self.0.get_mut(account) {
            known.began_ms = now_ms;
            if let Some(line) = known.lines.get_mut(destination) {
                line.began_ms = now_ms;
            }
        }
    }

    fn of(&mut self, db: &Connection, account: &str) -> rusqlite::Result<&mut Account> {
        if !self.0.contains_key(account) {
            let read = read(db, account)?;
            self.0.insert(account.to_owned(), read);
        }
        Ok(self.0.entry(account.to_owned()).or_default())
    }

    /// Learns from a refusal; answers what is known now.
    pub(super) fn learn(
        &mut self,
        db: &Connection,
        account: &str,
        about: &About,
        now_ms: i64,
    ) -> rusqlite::Result<Known> {
        let seen = seen_per_hour(db, account, &about.domains, now_ms)?;
        let known = self.of(db, account)?;
        let before = match about.destination.as_str() {
            "" => &mut known.own,
            name => known.destinations.entry(name.to_owned()).or_default(),
        };
        let Some(after) = before.after(&about.lesson, seen, now_ms, &about.why) else {
            return Ok(Known {
                learned: before.clone(),
                is_new: false,
            });
        };
        before.clone_from(&after);
        known.lines.remove(&about.destination);
        let json = serde_json::to_string(&after).map_err(failure)?;
        db.execute(
            "INSERT INTO pace (account, destination, learned) VALUES (?1, ?2, ?3)
             ON CONFLICT (account, destination) DO UPDATE SET learned = excluded.learned",
            params![account, about.destination, json],
        )?;
        Ok(Known {
            learned: after,
            is_new: true,
        })
    }
}

/// What is known after a lesson.
#[derive(Clone, Debug)]
pub struct Known {
    /// All of it.
    pub learned: Learned,
    /// Was it not known before?
    pub is_new: bool,
}

/// Something to learn.
#[derive(Clone, Debug)]
pub struct About {
    /// The family of destinations, or a domain; empty for the account itself.
    pub destination: String,
    /// The domains that belong to it; none for the account itself.
    pub domains: Vec<String>,
    /// What there is to learn.
    pub lesson: Lesson,
    /// What the server said.
    pub why: String,
}

/// How far apart mails are by a destination's own limits, in ms. Hours and days are not spread out.
fn spacing_ms(bound: &Bound) -> i64 {
    let rates = bound.quota.rates.iter();
    let short = rates.filter(|rate| matches!(rate.unit, Unit::Second | Unit::Minute));
    short
        .map(|rate| rate.unit.millis() / i64::from(rate.limit.get()))
        .max()
        .unwrap_or_default()
}

/// Forgets what an account has learned, and its pauses with it.
pub(super) fn unlearn(db: &Connection, account: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM pace WHERE account = ?1", [account])
        .map(drop)
}

fn read(db: &Connection, account: &str) -> rusqlite::Result<Account> {
    let mut found = Account::default();
    for (destination, learned) in all(db, account)? {
        if destination.is_empty() {
            found.own = learned;
        } else {
            found.destinations.insert(destination, learned);
        }
    }
    let sql = "SELECT found_at_ms FROM attempt WHERE account = ?1 ORDER BY found_at_ms DESC LIMIT 1";
    let began = db.prepare_cached(sql)?.query_row([account], |row| row.get(0));
    found.began_ms = began.optional()?.unwrap_or_default();
    Ok(found)
}

/// What an account has learned, by destination.
pub(super) fn all(db: &Connection, account: &str) -> rusqlite::Result<Vec<(String, Learned)>> {
    let mut statement =
        db.prepare_cached("SELECT destination, learned FROM pace WHERE account = ?1 ORDER BY destination")?;
    let rows = statement.query_map([account], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (destination, json) = row?;
        Ok((destination, serde_json::from_str(&json).map_err(failure)?))
    })
    .collect()
}

/// How fast it went of late, in mails an hour: to these domains, or to all when there are none.
fn seen_per_hour(db: &Connection, account: &str, domains: &[String], now_ms: i64) -> rusqlite::Result<u32> {
    let mut statement = db.prepare_cached(
        "SELECT address, began_at_ms FROM attempt JOIN delivery ON delivery.id = delivery_id
         WHERE account = ?1 AND found_at_ms > ?2",
    )?;
    let mut rows = statement.query(params![account, now_ms - SEEN_MS])?;
    let (mut count, mut first_ms) = (0_i64, now_ms);
    while let Some(row) = rows.next()? {
        let address = row.get_ref(0)?.as_str()?;
        let domain = address.rsplit('@').next().unwrap_or_default();
        if domains.is_empty() || domains.iter().any(|one| is_within(domain, one)) {
            count += 1;
            first_ms = first_ms.min(row.get(1)?);
        }
    }
    let time_ms = (now_ms - first_ms).max(SEEN_AT_LEAST_MS);
    Ok(u32::try_from(count * 3_600_000 / time_ms).unwrap_or(u32::MAX))
}
