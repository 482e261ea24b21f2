//! What came back, and what follows from it: who is mailed no more, and which campaigns are held. All of it in one
//! transaction, so that a crash neither loses nor counts anything twice.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::command::{CampaignId, DeliveryId, NewSuppression};
use super::handles::{self, Found};
use super::suppression::suppress;
use crate::campaign::limits::Limits;
use crate::mail::{Class, DeliveryTag, Feedback, Reason, Severity};

/// The source of what a server said while it was sent to.
pub(super) const REPLY: &str = "what the server said";

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Mails that must have been sent before bounces hold a campaign: a few wrong addresses are no bad list.
const SENT_MIN: u64 = 200;

/// Complaints that hold a campaign when none of them names a mail of ours: one alone is easily forged.
const UNSURE_MIN: u64 = 3;

/// Something that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFeedback {
    /// A digest of the mail, or the name of the event: the same one twice changes nothing.
    pub evidence: String,
    /// What it is.
    pub kind: Feedback,
    /// How bad a bounce is; none for one that is still being tried.
    pub severity: Option<Severity>,
    /// What kind of answer it is.
    pub class: Option<Class>,
    /// What names the mail: of its Message-ID, of tokens whose signature is right.
    pub tags: Vec<DeliveryTag>,
    /// Is it one of several recipients of a report? Then a name of a mail may be that of another one's.
    pub is_one_of_several: bool,
    /// The key of the address that it names.
    pub address: Option<String>,
    /// A wish about one list alone, by the identifier of its List-ID; empty for all.
    pub list: String,
    /// When, in ms since the epoch.
    pub at_ms: i64,
    /// Does it come from where nobody can forge it? A mail in a mailbox may be anybody's, unless it names a mail of ours.
    pub is_trusted: bool,
    /// Where it came from.
    pub source: String,
    /// What it says.
    pub said: String,
}

impl NewFeedback {
    /// Something that names nobody yet, from where nobody can forge it.
    pub fn new(kind: Feedback, evidence: String, source: String, at_ms: i64) -> Self {
        Self {
            evidence,
            kind,
            severity: None,
            class: None,
            tags: Vec::new(),
            is_one_of_several: false,
            address: None,
            list: String::new(),
            at_ms,
            is_trusted: true,
            source,
            said: String::new(),
        }
    }
}

/// What became of something that came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Was it new? Else nothing was changed.
    pub is_new: bool,
    /// Of which campaign's mail it is, where that is known.
    pub campaign: Option<String>,
    /// The key of the address whose mail it is; none when it is of nobody that we have mailed.
    pub address: Option<String>,
    /// Why the address is mailed no more from now on, if that is new.
    pub suppressed: Option<Reason>,
    /// Why the campaign is held from now on, if that is new.
    pub held: Option<String>,
}

/// How much earlier than the mail a report about it may be dated: clocks differ.
const CLOCKS_MS: i64 = DAY_MS;

/// Takes in what came back; a trial changes nothing.
pub(super) fn try_or_receive(
    db: &Connection,
    rows: &[NewFeedback],
    limits: Limits,
    is_trial: bool,
) -> rusqlite::Result<Vec<Received>> {
    // The index says nothing new: a trial may bring it up to date, too.
    handles::catch_up(db)?;
    if !is_trial {
        return receive(db, rows, limits);
    }
    db.execute_batch("SAVEPOINT trial")?;
    let received = receive(db, rows, limits);
    db.execute_batch("ROLLBACK TO trial; RELEASE trial")?;
    received
}

fn receive(db: &Connection, rows: &[NewFeedback], limits: Limits) -> rusqlite::Result<Vec<Received>> {
    let mut all = Vec::with_capacity(rows.len());
    // Of each campaign that may have to be held: its last row, and whether one of them is sure to be true.
    let mut touched: HashMap<CampaignId, (usize, bool)> = HashMap::new();
    for row in rows {
        let Some((found, by)) = find(db, row)? else {
            all.push(Received::default());
            continue;
        };
        let delivery = found.delivery;
        let received = note(db, row, (delivery, found.address_key), limits)?;
        if received.is_new && matches!(row.kind, Feedback::Complaint | Feedback::Bounce) {
            let (last, is_sure) = touched.entry(delivery.campaign()).or_default();
            *last = all.len();
            *is_sure |= row.is_trusted || by == By::Tag;
        }
        all.push(received);
    }
    for (campaign, (last, is_sure)) in touched {
        if let (Some(why), Some(received)) = (hold(db, campaign, is_sure, limits)?, all.get_mut(last)) {
            received.held = Some(why);
        }
    }
    Ok(all)
}

/// How the mail was found that something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// By its name, which only we and the recipient know.
    Tag,
    /// By the address, which anybody may know.
    Address,
}

/// The mail that it is about: by its names, else the last one to the address. A wish is about the one who writes it, even
/// when it answers a mail that somebody else has passed on.
fn find(db: &Connection, row: &NewFeedback) -> rusqlite::Result<Option<(Found, By)>> {
    let is_wish = row.kind == Feedback::Unsubscribe;
    let key = row.address.as_deref();
    let named = handles::by_tag(db, &row.tags, key)?;
    if let Some(found) = named.as_ref().filter(|found| key == Some(&found.address_key)) {
        return Ok(Some((found.clone(), By::Tag)));
    }
    let named = named.map(|found| (found, By::Tag));
    let Some(key) = key else {
        return Ok(named);
    };
    let of_address = || -> rusqlite::Result<Option<(Found, By)>> {
        let found = handles::by_address(db, key, row.at_ms + CLOCKS_MS)?;
        // A wish counts whenever it was written, and before the first mail, too.
        let found = match found {
            None if is_wish => handles::any_to(db, key)?,
            found => found,
        };
        Ok(found.map(|found| (found, By::Address)))
    };
    if is_wish {
        return Ok(of_address()?.or(named));
    }
    match named {
        Some(named) if !row.is_one_of_several => Ok(Some(named)),
        _ => of_address(),
    }
}

/// Puts it on record, and suppresses whom it is about where that follows.
pub(super) fn note(
    db: &Connection,
    row: &NewFeedback,
    (delivery, key): (DeliveryId, String),
    limits: Limits,
) -> rusqlite::Result<Received> {
    let campaign = db
        .prepare_cached("SELECT name FROM campaign WHERE id = ?1")?
        .query_row([delivery.campaign().0], |row| row.get(0))
        .optional()?;
    let is_new =
        db.prepare_cached(
            "INSERT OR IGNORE INTO feedback
             (evidence, kind, severity, class, address_key, delivery_id, at_ms, source, said)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            row.evidence,
            row.kind.name(),
            row.severity.map(Severity::name),
            row.class.map(Class::name),
            key,
            delivery.0,
            row.at_ms,
            row.source,
            row.said,
        ])? > 0;
    let mut received = Received {
        is_new,
        campaign,
        address: Some(key.clone()),
        ..Received::default()
    };
    if let Some(reason) = is_new
        .then(|| follows(db, row, &key, limits))
        .transpose()?
        .flatten()
    {
        let suppression = NewSuppression {
            key,
            list: row.list.clone(),
            reason,
            note: row.said.clone(),
            source: row.source.clone(),
            at_ms: row.at_ms,
        };
        if suppress(db, &[suppression])? > 0 {
            received.suppressed = Some(reason);
        }
    }
    Ok(received)
}

/// Why the address is mailed no more, if that follows.
fn follows(
    db: &Connection,
    row: &NewFeedback,
    key: &str,
    limits: Limits,
) -> rusqlite::Result<Option<Reason>> {
    Ok(match (row.kind, row.severity) {
        (Feedback::Complaint, _) => Some(Reason::Complaint),
        (Feedback::Unsubscribe, _) => Some(Reason::Unsubscribe),
        (Feedback::Bounce, Some(Severity::Hard)) if row.class == Some(Class::SpamTrap) => {
            Some(Reason::SpamTrap)
        }
        (Feedback::Bounce, Some(Severity::Hard)) => Some(Reason::HardBounce),
        (Feedback::Bounce, Some(Severity::Soft)) => {
            is_enough(db, key, row.at_ms, limits)?.then_some(Reason::SoftBounces)
        }
        _ => None,
    })
}

/// Have so many mails come back softly: within some days, or one after another?
fn is_enough(db: &Connection, key: &str, at_ms: i64, limits: Limits) -> rusqlite::Result<bool> {
    if limits.soft_limit == 0 {
        return Ok(false);
    }
    let since_ms = at_ms - i64::from(limits.soft_days) * DAY_MS;
    let recent: u32 = db
        .prepare_cached(
            "SELECT count(DISTINCT delivery_id) FROM feedback
             WHERE address_key = ?1 AND kind = 'bounce' AND severity = 'soft' AND at_ms BETWEEN ?2 AND ?3",
        )?
        .query_row(params![key, since_ms, at_ms], |row| row.get(0))?;
    if recent >= limits.soft_limit {
        return Ok(true);
    }
    // Of the last mails to the address: is there one that did not come back?
    let (tried, returned): (u32, u32) = db
        .prepare_cached(
            "SELECT count(*), sum(returned) FROM (
                 SELECT EXISTS (SELECT 1 FROM feedback WHERE feedback.delivery_id = delivery.id AND kind = 'bounce'
                                AND severity = 'soft') AS returned
                 FROM delivery_handle JOIN delivery ON delivery.id = delivery_handle.delivery_id
                 WHERE delivery_handle.address = ?1 AND lower(delivery.address) = ?2 AND attempts > 0
                 ORDER BY first_try_ms DESC LIMIT ?3)",
        )?
        .query_row(params![handles::short(key), key, limits.soft_limit], |row| {
            Ok((row.get(0)?, row.get::<_, Option<u32>>(1)?.unwrap_or_default()))
        })?;
    Ok(tried >= limits.soft_limit && returned == tried)
}

/// Holds a campaign of which too many complain or bounce; says why, if that is new. `is_sure`: nobody can have forged it.
fn hold(
    db: &Connection,
    campaign: CampaignId,
    is_sure: bool,
    limits: Limits,
) -> rusqlite::Result<Option<String>> {
    let within = "delivery_id BETWEEN ?1 << 32 AND (?1 << 32) + 0xffffffff";
    let count = |what: &str| -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(DISTINCT delivery_id) FROM feedback WHERE {within} AND {what}");
        let found: i64 = db
            .prepare_cached(&sql)?
            .query_row([campaign.0], |row| row.get(0))?;
        Ok(found.unsigned_abs())
    };
    let sent: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM delivery WHERE id BETWEEN ?1 << 32 AND (?1 << 32) + 0xffffffff
             AND state IN ('sent', 'failed')",
        )?
        .query_row([campaign.0], |row| row.get(0))?;
    let sent = sent.unsigned_abs();
    let complaints = count("kind = 'complaint'")?;
    let bounces = count("kind = 'bounce' AND severity = 'hard'")?;
    let counts = is_sure || complaints >= UNSURE_MIN;
    let why = if counts && limits.complaint_limit.is_exceeded(complaints, sent) {
        format!("{complaints} of {sent} complained")
    } else if sent >= SENT_MIN && limits.bounce_limit.is_exceeded(bounces, sent) {
        format!("{bounces} of {sent} came back")
    } else {
        return Ok(None);
    };
    let changed = db
        .prepare_cached("UPDATE campaign SET held = ?2 WHERE id = ?1 AND held IS NULL")?
        .execute(params![campaign.0, why])?;
    Ok((changed > 0).then_some(why))
}

/// Lets a campaign go on. It is held again by the next complaint.
pub(super) fn release(db: &Connection, campaign: CampaignId) -> rusqlite::Result<()> {
    db.execute("UPDATE campaign SET held = NULL WHERE id = ?1", [campaign.0])
        .map(drop)
}

/// Which campaigns are held, as far as that was asked.
#[derive(Debug, Default)]
pub(super) struct Held(HashMap<CampaignId, bool>);

impl Held {
    /// Reads everything anew next time.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    pub(super) fn is_held(&mut self, db: &Connection, campaign: CampaignId) -> rusqlite::Result<bool> {
        if let Some(is_held) = self.0.get(&campaign) {
            return Ok(*is_held);
        }
        let sql = "SELECT held IS NOT NULL FROM campaign WHERE id = ?1";
        let is_held = db.query_row(sql, [campaign.0], |row| row.get(0)).optional()?;
        let is_held = is_held.unwrap_or_default();
        self.0.insert(campaign, is_held);
        Ok(is_held)
    }
}
