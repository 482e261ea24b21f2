//! Puts the people of a list on record: a snapshot of the list, named by its content, and a delivery for each person.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest, Sha256};

use crate::campaign::{Problem, Problems};
use crate::digest;
use crate::ledger::read::Reader;
use crate::ledger::{CampaignId, DeliveryId, Ledger, ListId, NewDelivery, OnRecord, Receipt, State};
use crate::mail::token::hex;
use crate::mail::{Address, Mails, Recipient, Volume};
use crate::source::{List, Row};

/// Rows in one transaction.
const BATCH: usize = 5_000;
/// Batches that the ledger may be writing while the next one is read.
const WRITING: usize = 2;

/// A copy of a list that nobody edits: rows are read again from it while the campaign runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// SHA-256 of the list, in hexadecimal digits.
    pub digest: String,
    /// Where the copy lies.
    pub path: PathBuf,
}

/// Copies the plain text of a list into `lists/` beside the ledger, unless the same content lies there already.
pub fn snapshot(list: &Path, ledger: &Path) -> anyhow::Result<Snapshot> {
    let folder = ledger.with_file_name("lists");
    std::fs::create_dir_all(&folder).with_context(|| format!("make the folder {}", folder.display()))?;
    let digest = hex(&digest::of_file(list)?);
    let path = folder.join(format!("{digest}.csv"));
    if path.exists() {
        return Ok(Snapshot { digest, path });
    }
    let part = folder.join(format!("part-{}", std::process::id()));
    let failed = || format!("copy {} to {}", list.display(), path.display());
    let copy = || {
        let mut copy = File::create(&part).with_context(failed)?;
        // The list may have been edited between the two readings: what counts is what was copied.
        let copied = hex(&digest::copy(list, &mut copy)?);
        anyhow::ensure!(
            copied == digest,
            "{} changed while it was read; try again",
            list.display()
        );
        copy.sync_all().with_context(failed)?;
        std::fs::rename(&part, &path).with_context(failed)
    };
    if let Err(error) = copy() {
        // Nothing refers to it; the next run would begin it anew.
        let _unwanted = std::fs::remove_file(&part);
        return Err(error);
    }
    Ok(Snapshot { digest, path })
}

/// What a fresh list changes for a campaign that is already enrolled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Mails to people who are new on the list.
    pub added: u64,
    /// Mails to people who are gone from it and still wait.
    pub gone: u64,
    /// People who wait for volumes of files that are others now.
    pub recut: u64,
    /// Those of them who have some of the volumes already: the others could not be put together with these.
    pub torn: Vec<Address>,
}

/// Who is to be enrolled.
#[derive(Clone, Copy)]
pub struct Roll<'a> {
    /// The list.
    pub list: &'a List,
    /// The mails that a recipient gets.
    pub mails: &'a dyn Fn(&Recipient) -> Result<Mails, Problem>,
}

/// Counts what a fresh list changes, without changing anything.
pub fn compare(reader: &Reader, campaign: CampaignId, roll: Roll<'_>) -> anyhow::Result<Changes> {
    let mut known = Known::read(reader, campaign)?;
    let mut changes = Changes::default();
    for row in roll.list.rows()? {
        let Row::Usable(recipient) = row? else { continue };
        let mails = (roll.mails)(&recipient).map_err(Problems::from)?;
        let address_key = recipient.address.key();
        match known.standing(&address_key, mails.cut) {
            Standing::Same => {}
            Standing::Recut => changes.recut += 1,
            Standing::Torn => changes.torn.push(recipient.address),
            Standing::Done => continue,
        }
        for volume in (1..=mails.count).map(Volume::new) {
            changes.added += u64::from(known.take(&address_key, volume).is_none());
        }
    }
    changes.gone = known.deliveries.values().filter(|one| one.is_pending()).count() as u64;
    Ok(changes)
}

/// Calls `each` with everyone on this list who still waits for a mail.
pub fn each_waiting(
    reader: &Reader,
    campaign: CampaignId,
    list: &List,
    mut each: impl FnMut(&Recipient),
) -> anyhow::Result<()> {
    let known = Known::read(reader, campaign)?;
    for row in list.rows()? {
        let Row::Usable(recipient) = row? else { continue };
        if known.waits(&recipient.address.key()) {
            each(&recipient);
        }
    }
    Ok(())
}

/// What became of an enrolment.
#[derive(Debug, Default)]
pub struct Enrolled {
    /// How many of the new ones are suppressed.
    pub suppressed: u64,
    /// What waits and is no longer meant: mails to people who are gone, volumes that are too many.
    pub surplus: Vec<DeliveryId>,
}

/// Enrols everyone on the list who is not enrolled yet.
///
/// People who are enrolled already are pointed to their rows in this list.
pub async fn enrol(
    ledger: &Ledger,
    reader: Option<&Reader>,
    campaign: CampaignId,
    roll: Roll<'_>,
    list_id: ListId,
) -> anyhow::Result<Enrolled> {
    let mut known = match reader {
        Some(reader) => Known::read(reader, campaign)?,
        None => Known::default(),
    };
    let mut batch = Batch {
        campaign,
        list: list_id,
        new: Vec::new(),
        moved: Vec::new(),
        enrolled: Enrolled::default(),
        writing: VecDeque::new(),
    };
    for row in roll.list.rows()? {
        let Row::Usable(recipient) = row? else { continue };
        let written = roll.list.written(&recipient);
        let mails = (roll.mails)(&recipient).map_err(Problems::from)?;
        let address_key = recipient.address.key();
        let wanted = match known.standing(&address_key, mails.cut) {
            Standing::Same | Standing::Recut => mails.count,
            Standing::Torn | Standing::Done => 0,
        };
        for volume in (1..=wanted).map(Volume::new) {
            let new = new_delivery(&recipient, &address_key, written.as_ref(), (volume, mails.cut));
            match known.take(&address_key, volume) {
                Some(one) => batch.moved.push((one.id, new)),
                None => batch.new.push(new),
            }
        }
        if batch.new.len() + batch.moved.len() >= BATCH {
            batch.write(ledger).await?;
        }
    }
    batch.write(ledger).await?;
    batch.wait_for_all_but(0).await?;
    // Who is not meant any longer may well stand on the list as it was: `where` and `exclude` are no part of it.
    let may_be_sent = |one: &&OnRecord| matches!(one.state, State::Pending | State::InDoubt);
    let left = known.deliveries.values().filter(may_be_sent);
    batch.enrolled.surplus = left.map(|one| one.id).collect();
    Ok(batch.enrolled)
}

struct Batch {
    campaign: CampaignId,
    list: ListId,
    new: Vec<NewDelivery>,
    moved: Vec<(DeliveryId, NewDelivery)>,
    enrolled: Enrolled,
    /// What is on its way to the disk while the list is read on.
    writing: VecDeque<Receipt<u64>>,
}

impl Batch {
    async fn write(&mut self, ledger: &Ledger) -> anyhow::Result<()> {
        let (new, moved) = (std::mem::take(&mut self.new), std::mem::take(&mut self.moved));
        let receipt = ledger.enrol(self.campaign, self.list, new, moved).await;
        self.writing.push_back(receipt);
        self.wait_for_all_but(WRITING).await
    }

    async fn wait_for_all_but(&mut self, few: usize) -> anyhow::Result<()> {
        while self.writing.len() > few
            && let Some(written) = self.writing.pop_front()
        {
            self.enrolled.suppressed += written.await?;
        }
        Ok(())
    }
}

fn new_delivery(
    recipient: &Recipient,
    address_key: &str,
    written: Option<&Address>,
    (volume, cut): (Volume, Option<i64>),
) -> NewDelivery {
    NewDelivery {
        volume,
        cut,
        address: recipient.address.as_str().to_owned(),
        key: address_key.to_owned(),
        written_key: written.map(Address::key),
        place: recipient.place,
    }
}

/// How somebody who is enrolled already stands to files in volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The files are those on record, or nothing is on record.
    Same,
    /// They are others, and no mail has left.
    Recut,
    /// They are others; some mails have left, and others wait.
    Torn,
    /// They are others, and nothing waits any more.
    Done,
}

/// Who is enrolled already: by a digest of the address, which is smaller than the address itself.
#[derive(Default)]
struct Known {
    deliveries: HashMap<[u8; 16], OnRecord>,
    /// The highest number of a volume.
    volumes: u32,
}

impl Known {
    fn read(reader: &Reader, campaign: CampaignId) -> anyhow::Result<Self> {
        let mut known = Self::default();
        reader.each_delivery(campaign, |address, delivery| {
            known.volumes = known.volumes.max(delivery.volume.get());
            let key = key(&Address::key_of(address), delivery.volume);
            known.deliveries.insert(key, delivery);
        })?;
        Ok(known)
    }

    fn find(&self, address_key: &str, volume: Volume) -> Option<&OnRecord> {
        if self.deliveries.is_empty() {
            return None;
        }
        self.deliveries.get(&key(address_key, volume))
    }

    /// The same, and it is no longer known.
    fn take(&mut self, address_key: &str, volume: Volume) -> Option<OnRecord> {
        if self.deliveries.is_empty() {
            return None;
        }
        self.deliveries.remove(&key(address_key, volume))
    }

    /// The mails to one recipient.
    fn of(&self, address_key: &str) -> impl Iterator<Item = &OnRecord> {
        (1..=self.volumes).map_while(move |number| self.find(address_key, Volume::new(number)))
    }

    fn standing(&self, address_key: &str, cut: Option<i64>) -> Standing {
        let has = |is: fn(&OnRecord) -> bool| self.of(address_key).any(is);
        let is_of_another = |one: &OnRecord| (one.has_left() || one.is_pending()) && one.cut != cut;
        if !self.of(address_key).any(is_of_another) {
            return Standing::Same;
        }
        match (has(OnRecord::has_left), has(OnRecord::is_pending)) {
            (false, _) => Standing::Recut,
            (true, true) => Standing::Torn,
            (true, false) => Standing::Done,
        }
    }

    /// Does one of the mails to this recipient wait?
    fn waits(&self, address_key: &str) -> bool {
        self.of(address_key).any(OnRecord::is_pending)
    }
}

fn key(address_key: &str, volume: Volume) -> [u8; 16] {
    let mut digest = Sha256::new();
    digest.update(address_key.as_bytes());
    volume.mark(&mut digest);
    let mut key = [0; 16];
    key.iter_mut()
        .zip(digest.finalize())
        .for_each(|(to, from)| *to = from);
    key
}
