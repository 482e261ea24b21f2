//! Questions to the ledger, on a connection of their own that cannot write.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::command::{CampaignId, OnRecord, Tally};
use super::deliveries::{OF_CAMPAIGN, read_place};
use super::enrolment::WITHDRAWN;
use super::lock;
use super::sqlite::{SCHEMA_VERSION, check_version, explain};
use super::state::State;
use crate::campaign::pace::Learned;
use crate::mail::{Address, Class, DeliveryTag, Volume};
use crate::words::Text;

pub use super::fates::Fate;
pub use super::told::{
    AccountLock, Addressed, Came, Heard, Lifted, Rules, Sending, Standing, Status, Story, Suppression, Try,
};

/// A reader of the ledger.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    ledger: std::path::PathBuf,
}

impl Reader {
    /// Opens the ledger; none when there is no file yet.
    pub fn open(path: &Path) -> anyhow::Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let open = || -> anyhow::Result<Connection> {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            if check_version(&connection)? < SCHEMA_VERSION {
                // Brought up to date by whoever may write; what is read stands in the new tables.
                drop(super::sqlite::open(path)?);
            }
            Ok(connection)
        };
        let connection = open().map_err(|error| explain(path, &error))?;
        Ok(Some(Self {
            connection,
            ledger: path.to_owned(),
        }))
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The names of all campaigns, newest first.
    pub fn campaigns(&self) -> anyhow::Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare("SELECT name FROM campaign ORDER BY id DESC")?;
        let names = statement
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(names)
    }

    /// How a campaign stands; none when the ledger does not know it.
    pub fn status(&self, campaign: &str) -> anyhow::Result<Option<Status>> {
        let sql = "SELECT id, account, run_state, run_until_ms, run_note, inputs ->> '$.settings.laws',
                   inputs ->> '$.settings.legal_basis', inputs ->> '$.settings.ignore_consent'
                   FROM campaign WHERE name = ?1";
        let row = self.connection.query_row(sql, [campaign], |row| {
            let id: i64 = row.get(0)?;
            Ok((
                id,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get(3)?,
                row.get::<_, String>(4)?,
                Rules {
                    laws: row.get(5)?,
                    legal_basis: row.get(6)?,
                    ignore_consent: row.get::<_, Option<String>>(7)?.is_some(),
                },
            ))
        });
        let Some((id, account, state, next_ms, note, rules)) = row.optional()? else {
            return Ok(None);
        };
        let (tally, [withdrawn, people]) = self.counts(CampaignId(id))?;
        let is_running = lock::is_running(&self.ledger, campaign);
        Ok(Some(Status {
            campaign: campaign.to_owned(),
            // Only a run that died leaves "running" behind.
            state: match (is_running, state.as_str()) {
                (true, _) => "running".to_owned(),
                (false, "running") => "stopped".to_owned(),
                (false, _) => state,
            },
            people,
            tally,
            withdrawn,
            account,
            next_ms,
            note: Text::recalled(&note),
            rules,
        }))
    }

    /// Counts a campaign's states.
    pub fn tally(&self, campaign: CampaignId) -> anyhow::Result<Tally> {
        Ok(self.counts(campaign)?.0)
    }

    /// Counts a campaign's states; then of the suppressed those whose rows are gone, and the people. The counts come from
    /// one statement, so that they always sum up, and each delivery is looked at once.
    fn counts(&self, campaign: CampaignId) -> anyhow::Result<(Tally, [u64; 2])> {
        let counts = State::ALL.map(|state| format!("count(*) FILTER (WHERE state = '{}')", state.name()));
        let sql = format!(
            "SELECT count(*) FILTER (WHERE state = 'suppressed' AND reason = ?2), count(*) FILTER (WHERE volume = 1), {}
             FROM delivery WHERE {OF_CAMPAIGN}",
            counts.join(", ")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let counted = statement.query_row(params![campaign.0, WITHDRAWN], |row| {
            let count = |column| {
                Ok::<_, rusqlite::Error>(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
            };
            let mut tally = Tally::default();
            for (state, column) in State::ALL.into_iter().zip(2..) {
                tally.add(state, count(column)?);
            }
            Ok((tally, [count(0)?, count(1)?]))
        })?;
        Ok(counted)
    }

    /// The number of a campaign.
    pub fn campaign(&self, name: &str) -> anyhow::Result<Option<CampaignId>> {
        let sql = "SELECT id FROM campaign WHERE name = ?1";
        let found = self
            .connection
            .query_row(sql, [name], |row| row.get(0).map(CampaignId));
        Ok(found.optional()?)
    }

    /// The deliveries of a campaign in one state, with their reasons, in the order of the list.
    pub fn in_state(&self, campaign: &str, state: State, most: u32) -> anyhow::Result<Vec<Standing>> {
        let Some(campaign) = self.campaign(campaign)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.connection.prepare(&format!(
            "SELECT address, volume, coalesce(reason, '') FROM delivery WHERE {OF_CAMPAIGN} AND state = ?2 ORDER BY id LIMIT ?3"
        ))?;
        let rows = statement.query_map(params![campaign.0, state.name(), most], |row| {
            Ok(Standing {
                recipient: row.get(0)?,
                volume: row.get(1)?,
                reason: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Everything known about the mails to one recipient of a campaign, found by the address's key: there are several
    /// when files are split.
    pub fn stories(&self, campaign: &str, key: &str) -> anyhow::Result<Vec<Story>> {
        let Some(campaign) = self.campaign(campaign)? else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT id, address, state, reason, tries, due_at_ms, line, offset, length, volume FROM delivery
             WHERE {OF_CAMPAIGN} AND lower(address) = ?2 ORDER BY volume"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let found = statement.query_map(params![campaign.0, key], |row| {
            let place = read_place(row, 6)?;
            let story = Story {
                recipient: row.get(1)?,
                state: State::Pending,
                reason: row.get(3)?,
                tries: row.get(4)?,
                due_at_ms: row.get::<_, Option<i64>>(5)?.unwrap_or_default(),
                line: place.line,
                volume: row.get(9)?,
                attempts: Vec::new(),
            };
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(2)?, story))
        })?;
        let mut stories = Vec::new();
        for one in found {
            let (id, state, story) = one?;
            stories.push(Story {
                state: state.parse().map_err(anyhow::Error::msg)?,
                attempts: self.attempts(id)?,
                ..story
            });
        }
        Ok(stories)
    }

    /// The mail that was sent with this Message-ID; of several tries the last.
    pub fn sending(&self, message_id: &str) -> anyhow::Result<Option<Sending>> {
        let sql = "SELECT campaign.name, campaign.uid, delivery.address, delivery.volume, attempt.began_at_ms, attempt.digest
                   FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
                   JOIN campaign ON campaign.id = delivery.campaign_id
                   WHERE attempt.message_id = ?1 ORDER BY attempt.number DESC LIMIT 1";
        let found = self.connection.query_row(sql, [message_id], |row| {
            Ok(Sending {
                campaign: row.get(0)?,
                uid: row.get(1)?,
                address: row.get(2)?,
                volume: row.get(3)?,
                began_at_ms: row.get(4)?,
                digest: row.get(5)?,
            })
        });
        Ok(found.optional()?)
    }

    fn attempts(&self, delivery: i64) -> anyhow::Result<Vec<Try>> {
        let mut statement = self.connection.prepare(
            "SELECT began_at_ms, ended_at_ms, message_id, lower(hex(digest)), outcome, stage, code, enhanced, reply
             FROM attempt WHERE delivery_id = ?1 ORDER BY number",
        )?;
        let rows = statement.query_map([delivery], |row| {
            Ok(Try {
                began_at_ms: row.get(0)?,
                ended_at_ms: row.get(1)?,
                message_id: row.get(2)?,
                digest: row.get(3)?,
                outcome: row.get(4)?,
                stage: row.get(5)?,
                code: row.get(6)?,
                enhanced: row.get(7)?,
                reply: row.get(8)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The `uid` of a campaign: its Message-IDs derive from it.
    pub fn uid(&self, campaign: &str) -> anyhow::Result<Option<String>> {
        let sql = "SELECT uid FROM campaign WHERE name = ?1";
        Ok(self
            .connection
            .query_row(sql, [campaign], |row| row.get(0))
            .optional()?)
    }

    /// Calls `each` with the address of every delivery of a campaign, and how it stands.
    pub fn each_delivery(
        &self,
        campaign: CampaignId,
        mut each: impl FnMut(&str, OnRecord),
    ) -> anyhow::Result<()> {
        let sql = format!("SELECT id, address, volume, state, cut FROM delivery WHERE {OF_CAMPAIGN}");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([campaign.0])?;
        while let Some(row) = rows.next()? {
            let text = |column| -> anyhow::Result<&str> { Ok(row.get_ref(column)?.as_str()?) };
            let delivery = OnRecord {
                id: super::DeliveryId(row.get(0)?),
                volume: Volume::new(row.get(2)?),
                state: text(3)?.parse().map_err(anyhow::Error::msg)?,
                cut: row.get(4)?,
            };
            each(text(1)?, delivery);
        }
        Ok(())
    }

    /// The address that a tag stands for, in whichever campaign; every recipient is looked at.
    pub fn address_of(&self, tag: DeliveryTag) -> anyhow::Result<Option<String>> {
        let mut statement = self.connection.prepare(
            "SELECT uid, address, volume FROM delivery JOIN campaign ON campaign.id = delivery.campaign_id ORDER BY delivery.id DESC",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (uid, address): (String, String) = (row.get(0)?, row.get(1)?);
            let volume = Volume::new(row.get(2)?);
            if Address::parse(&address).is_ok_and(|parsed| DeliveryTag::derive(&uid, &parsed, volume) == tag)
            {
                return Ok(Some(address));
            }
        }
        Ok(None)
    }

    /// How many mails of a campaign have not been taken, by the class of what the server said last.
    pub fn last_classes(&self, campaign: CampaignId) -> anyhow::Result<Vec<(String, u32)>> {
        let sql = "SELECT class, count(*) FROM attempt JOIN delivery ON delivery.id = delivery_id
                   WHERE delivery_id BETWEEN ?1 << 32 AND (?1 << 32) + 0xffffffff AND number = attempts
                   AND class IS NOT NULL GROUP BY class ORDER BY count(*) DESC, class";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([campaign.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What servers said to a campaign's mails that no rule knew.
    pub fn unknown_replies(&self, campaign: CampaignId) -> anyhow::Result<Vec<Heard>> {
        let sql =
            "SELECT stage, code || coalesce(' ' || enhanced, '') || coalesce(' ' || reply, ''), count(*)
                   FROM attempt WHERE delivery_id BETWEEN ?1 << 32 AND (?1 << 32) + 0xffffffff
                   AND class LIKE 'UNCLASSIFIED%' AND code IS NOT NULL GROUP BY 1, 2";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([campaign.0], |row| {
            Ok(Heard {
                stage: row.get(0)?,
                reply: row.get(1)?,
                times: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What an account has learned, by destination; the account itself is the destination without a name.
    pub fn learned(&self, account: &str) -> anyhow::Result<BTreeMap<String, Learned>> {
        Ok(super::pace::all(&self.connection, account)?.into_iter().collect())
    }

    /// The lock of an account that lasts longest, if one lasts beyond now.
    pub fn account_lock(&self, account: &str, now_ms: i64) -> anyhow::Result<Option<AccountLock>> {
        let sql =
            "SELECT at_ms, until_ms, reply, class FROM account_event WHERE account = ?1 AND until_ms > ?2
                   ORDER BY until_ms DESC LIMIT 1";
        let found = self.connection.query_row(sql, params![account, now_ms], |row| {
            Ok(AccountLock {
                at_ms: row.get(0)?,
                until_ms: row.get(1)?,
                reply: row.get(2)?,
                is_locked_there: row.get::<_, Option<String>>(3)?.as_deref()
                    == Some(Class::AuthLocked.name()),
            })
        });
        Ok(found.optional()?)
    }

    /// How many logins of an account were refused within the minute.
    pub fn refused_lately(&self, account: &str, now_ms: i64) -> anyhow::Result<u32> {
        Ok(super::accounts::refused_lately(
            &self.connection,
            account,
            now_ms,
        )?)
    }
}
