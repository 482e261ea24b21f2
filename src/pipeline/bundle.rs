//! The files of one mail: those that come with it, the links to those that do not, and its volume of those that are
//! split.

use sha2::{Digest as _, Sha256};

use crate::compose::{self, Attachment, Shelf};
use crate::depot::Depot;
use crate::mail::{BigFile, Enclosure, FileUse, Mails, SentFile, Volume};
use crate::text;
use crate::words::Text;

/// What becomes of the files of one mail.
#[derive(Debug, Default)]
pub(super) struct Bundle {
    /// What comes with it.
    pub(super) attachments: Vec<Attachment>,
    /// What it says of the others.
    pub(super) enclosures: Vec<Enclosure>,
    cut: Cut,
}

/// The volumes of the files of one recipient, and a digest of where they are cut.
#[derive(Debug, Default)]
struct Cut {
    volumes: u32,
    digest: Sha256,
}

impl Cut {
    /// Adds a file; says in how many volumes it comes, and how many of its octets each has.
    fn add(&mut self, big: &BigFile, wire: u64) -> Result<(u32, u64), Text> {
        let (count, each) = compose::volumes(big, wire)?;
        self.volumes += count;
        self.digest.update((big.name.len() as u64).to_be_bytes());
        self.digest.update(&big.name);
        self.digest.update(big.digest);
        self.digest.update(each.to_be_bytes());
        Ok((count, each))
    }

    fn mails(&self) -> Mails {
        if self.volumes == 0 {
            return Mails::ONE;
        }
        let digest = self.digest.clone().finalize();
        Mails {
            count: self.volumes,
            cut: digest.first_chunk().map(|begin| i64::from_be_bytes(*begin)),
        }
    }
}

/// The mails in which these files come. No volume is read for it.
pub(super) fn mails(shelf: &Shelf, files: &[SentFile]) -> Result<Mails, Text> {
    let mut cut = Cut::default();
    for file in files {
        if let FileUse::Volumes(wire) = file.used {
            cut.add(&*shelf.big(file)?, wire)?;
        }
    }
    Ok(cut.mails())
}

/// Where files are, and where links lead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stores<'a> {
    /// Has the files.
    pub(super) shelf: &'a Shelf,
    /// Signs links.
    pub(super) depot: Option<&'a Depot>,
}

impl Bundle {
    /// The files of one of the mails to a recipient, as of this moment.
    pub(super) fn new(
        stores: Stores<'_>,
        files: &[SentFile],
        volume: Volume,
        now_ms: i64,
    ) -> Result<Self, Text> {
        let mut bundle = Self::default();
        for file in files {
            match file.used {
                // What is attached as a whole comes once; what the text shows is there every time.
                FileUse::Attached if volume != Volume::FIRST => {}
                FileUse::Attached | FileUse::Shown(_) => {
                    bundle.attachments.push(stores.shelf.attachment(file)?);
                }
                FileUse::Linked => bundle.enclosures.push(link(stores, file, now_ms)?),
                FileUse::Volumes(wire) => bundle.split(stores, file, wire, volume)?,
            }
        }
        Ok(bundle)
    }

    /// The mails in which the files of this recipient come.
    pub(super) fn mails(&self) -> Mails {
        self.cut.mails()
    }

    /// Volumes of several files are numbered on.
    fn split(&mut self, stores: Stores<'_>, file: &SentFile, wire: u64, volume: Volume) -> Result<(), Text> {
        let big = stores.shelf.big(file)?;
        let before = self.cut.volumes;
        let (count, each) = self.cut.add(&big, wire)?;
        let number = volume.get().checked_sub(before);
        let here = number.filter(|number| (1..=count).contains(number));
        if let Some(number) = here {
            self.attachments.push(compose::volume(file, &big, each, number)?);
        }
        self.enclosures.push(Enclosure::Volumes {
            file: big,
            count,
            here,
        });
        Ok(())
    }
}

fn link(stores: Stores<'_>, file: &SentFile, now_ms: i64) -> Result<Enclosure, Text> {
    let big = stores.shelf.big(file)?;
    let depot = stores.depot.ok_or_else(|| {
        text!(
            "nothing says where `{path}` is to lie for its link",
            path = file.path
        )
    })?;
    let link = depot.link(&big, now_ms)?;
    Ok(Enclosure::Link {
        file: big,
        url: link.url,
        until_ms: link.until_ms,
    })
}
