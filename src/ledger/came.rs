//! What readers are told of suppressions, and of what came back.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::handles;
use super::read::Reader;
use super::suppression::identifier;
use super::told::{Addressed, Came, Lifted, Suppression};
use crate::mail::{DeliveryTag, Whom};

const SUPPRESSION: &str = "SELECT address_key, list, reason, note, source, at_ms FROM suppression";

impl Reader {
    /// Goes through all suppressions, by address. There may be millions.
    pub fn each_suppression(
        &self,
        mut each: impl FnMut(Suppression) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut statement = self
            .connection()
            .prepare(&format!("{SUPPRESSION} ORDER BY address_key, list"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(suppression(row)?)?;
        }
        Ok(())
    }

    /// Why somebody is mailed no more: by address, or by patterns that it fits.
    pub fn suppressions_of(&self, whom: &Whom) -> anyhow::Result<Vec<Suppression>> {
        let key = whom.key();
        let mut found = select(
            self.connection(),
            &format!("{SUPPRESSION} WHERE address_key = ?1"),
            &key,
        )?;
        if let Whom::Address(address) = whom {
            let sql = format!("{SUPPRESSION} WHERE address_key >= '@' AND address_key < 'A' AND ?1 <> ''");
            let mut patterns = select(self.connection(), &sql, &key)?;
            patterns.retain(
                |row| matches!(Whom::parse(&row.address), Ok(Whom::Pattern(look)) if look.fits(address)),
            );
            found.extend(patterns);
        }
        Ok(found)
    }

    /// Suppressions of a key that were lifted, the oldest first.
    pub fn lifted(&self, key: &str) -> anyhow::Result<Vec<Lifted>> {
        let sql = "SELECT address_key, list, reason, note, source, at_ms, lifted_at_ms, lifted_why
                   FROM suppression_lifted WHERE address_key = ?1 ORDER BY id";
        let mut statement = self.connection().prepare(sql)?;
        let rows = statement.query_map([key], |row| {
            Ok(Lifted {
                was: suppression(row)?,
                lifted_at_ms: row.get(6)?,
                why: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The mail that a tag names. Only the index is asked, which is behind until something comes back; see
    /// [`super::Ledger::receive`].
    pub fn addressed(&self, tag: DeliveryTag) -> anyhow::Result<Option<Addressed>> {
        let Some(found) = handles::by_tag(self.connection(), &[tag], None)? else {
            return Ok(None);
        };
        let sql = "SELECT name, inputs ->> '$.settings.from', inputs ->> '$.settings.list_id', inputs ->> '$.settings.lang',
                   inputs ->> '$.settings.language_column' IS NOT NULL,
                   (SELECT count(*) FROM suppression_lifted WHERE address_key = ?2)
                   FROM campaign WHERE id = ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        let key = found.address_key;
        let read = statement.query_row(params![found.delivery.campaign().0, key], |row| {
            let text =
                |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(column)?.unwrap_or_default());
            let named = text(2)?;
            let (list, has_languages) = (identifier(&named), row.get::<_, bool>(4)?);
            let name = named.split_once('<').map_or("", |(name, _)| name.trim());
            Ok(Addressed {
                campaign: row.get(0)?,
                from: text(1)?,
                list_name: if name.is_empty() {
                    list.clone()
                } else {
                    name.to_owned()
                },
                list,
                lang: Some(text(3)?).filter(|lang| !has_languages && !lang.is_empty()),
                lifted: row.get::<_, i64>(5)?.unsigned_abs(),
                address_key: key.clone(),
            })
        });
        Ok(read.optional()?)
    }

    /// What came back from an address, the oldest first.
    pub fn feedback_of(&self, key: &str) -> anyhow::Result<Vec<Came>> {
        let sql = "SELECT kind, severity, class, campaign.name, feedback.at_ms, source, said FROM feedback
                   LEFT JOIN campaign ON campaign.id = delivery_id >> 32
                   WHERE address_key = ?1 ORDER BY feedback.at_ms, feedback.id";
        let mut statement = self.connection().prepare(sql)?;
        let rows = statement.query_map([key], |row| {
            Ok(Came {
                kind: row.get(0)?,
                severity: row.get(1)?,
                class: row.get(2)?,
                campaign: row.get(3)?,
                at_ms: row.get(4)?,
                source: row.get(5)?,
                said: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn select(connection: &Connection, sql: &str, key: &str) -> anyhow::Result<Vec<Suppression>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(params![key], suppression)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn suppression(row: &Row<'_>) -> rusqlite::Result<Suppression> {
    let key: String = row.get(0)?;
    Ok(Suppression {
        address: Whom::from_key(&key).to_string(),
        list: row.get(1)?,
        reason: row.get(2)?,
        note: row.get(3)?,
        source: row.get(4)?,
        at_ms: row.get(5)?,
    })
}
