//! What readers are told of each delivery of a campaign: how it stands, and what came back.

use std::collections::HashMap;

use rusqlite::params;

use super::command::{CampaignId, DeliveryId};
use super::read::Reader;
use super::state::State;
use super::told::Came;

/// How a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Which delivery.
    pub id: DeliveryId,
    /// The address it goes to.
    pub address: String,
    /// The line of its row in the list.
    pub line: u64,
    /// Which of the mails to this recipient.
    pub volume: u32,
    /// Where it stands.
    pub state: State,
    /// Why, when it is failed, in doubt or suppressed.
    pub reason: Option<String>,
    /// Tries so far.
    pub tries: u32,
    /// When the last try began, in ms since the epoch.
    pub began_at_ms: Option<i64>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// The Message-ID of the last try.
    pub message_id: Option<String>,
    /// What kind of answer the last try got: a name of [`crate::mail::Class`].
    pub class: Option<String>,
    /// The last answer, with its codes.
    pub reply: Option<String>,
}

impl Reader {
    /// Goes through all deliveries of a campaign, in the order of the list.
    pub fn each_fate(
        &self,
        campaign: CampaignId,
        mut each: impl FnMut(Fate) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let sql = "SELECT delivery.id, address, line, volume, state, reason, tries, began_at_ms, ended_at_ms, message_id,
                   class, code || coalesce(' ' || enhanced, '') || coalesce(' ' || reply, '')
                   FROM delivery LEFT JOIN attempt ON attempt.delivery_id = delivery.id AND number = attempts
                   WHERE delivery.id BETWEEN ?1 << 32 AND (?1 << 32) + 0xffffffff ORDER BY delivery.id";
        let mut statement = self.connection().prepare(sql)?;
        let mut rows = statement.query([campaign.0])?;
        while let Some(row) = rows.next()? {
            let state: String = row.get(4)?;
            let line: i64 = row.get(2)?;
            each(Fate {
                id: DeliveryId(row.get(0)?),
                address: row.get(1)?,
                line: line.unsigned_abs(),
                volume: row.get(3)?,
                state: state.parse().map_err(anyhow::Error::msg)?,
                reason: row.get(5)?,
                tries: row.get(6)?,
                began_at_ms: row.get(7)?,
                ended_at_ms: row.get(8)?,
                message_id: row.get(9)?,
                class: row.get(10)?,
                reply: row.get(11)?,
            })?;
        }
        Ok(())
    }

    /// What came back from a campaign's mails, the oldest first.
    pub fn came_back(&self, campaign: CampaignId) -> anyhow::Result<HashMap<DeliveryId, Vec<Came>>> {
        let sql = "SELECT delivery_id, kind, severity, class, at_ms, source, said FROM feedback
                   WHERE delivery_id BETWEEN ?1 << 32 AND (?1 << 32) + 0xffffffff ORDER BY at_ms, id";
        let mut statement = self.connection().prepare(sql)?;
        let mut rows = statement.query(params![campaign.0])?;
        let mut found: HashMap<DeliveryId, Vec<Came>> = HashMap::new();
        while let Some(row) = rows.next()? {
            let came = Came {
                kind: row.get(1)?,
                severity: row.get(2)?,
                class: row.get(3)?,
                campaign: None,
                at_ms: row.get(4)?,
                source: row.get(5)?,
                said: row.get(6)?,
            };
            found.entry(DeliveryId(row.get(0)?)).or_default().push(came);
        }
        Ok(found)
    }

    /// Why a campaign is held, if it is.
    pub fn held(&self, campaign: CampaignId) -> anyhow::Result<Option<String>> {
        let sql = "SELECT held FROM campaign WHERE id = ?1";
        Ok(self.connection().query_row(sql, [campaign.0], |row| row.get(0))?)
    }
}
