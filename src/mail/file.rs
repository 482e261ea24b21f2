//! Files that go with mails, and those that are too big for one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

/// A file that goes with a mail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SentFile {
    /// Its path, from the workspace or, for an image, from the template.
    pub path: String,
    /// The name that people see, if not the file's own.
    pub name: Option<String>,
    /// What for.
    pub used: FileUse,
    /// Is it the same for everyone?
    pub is_shared: bool,
    /// The folder that it must be in, where a part of the path comes from the list.
    pub within: Option<String>,
    /// Is a table of text in UTF-8 marked as such?
    pub adds_bom: bool,
}

/// What a file of a mail is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FileUse {
    /// To be kept.
    Attached,
    /// To be fetched by a link.
    Linked,
    /// To be put together from several mails, each with so many of its octets at most.
    Volumes(u64),
    /// The HTML shows it, by this Content-ID.
    Shown(String),
}

/// A file too big for a mail: people fetch it by a link, or put it together from its volumes, and check its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BigFile {
    /// The name that people see.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its octets.
    pub size: u64,
    /// Its SHA-256.
    pub digest: [u8; 32],
    /// When it was last changed, as far as the file system says.
    pub changed_at: Option<SystemTime>,
}

impl BigFile {
    /// Its content type, by its name.
    pub fn kind(&self) -> String {
        kind_of(&self.name)
    }
}

/// The content type of a file of this name.
pub fn kind_of(name: &str) -> String {
    let guess = mime_guess::from_path(name);
    guess.first_or_octet_stream().essence_str().to_owned()
}

/// The mails that one recipient gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mails {
    /// How many: several when files are split.
    pub count: u32,
    /// A digest of the files that come in volumes, and of where they are cut. Volumes of different cuts cannot be put
    /// together.
    pub cut: Option<i64>,
}

impl Mails {
    /// One mail, of which no file is split.
    pub const ONE: Self = Self { count: 1, cut: None };
}

/// Which of the mails to one recipient: there are several when files are split. 1 is the first, and mostly the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Volume(u32);

impl Volume {
    /// The first.
    pub const FIRST: Self = Self(1);

    /// The one of this number; what is less than 1 is the first.
    pub fn new(number: u32) -> Self {
        Self(number.max(1))
    }

    /// Its number.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Makes a digest this volume's. That of the first is what it was before there were volumes.
    pub fn mark(self, digest: &mut Sha256) {
        if self != Self::FIRST {
            digest.update([0]);
            digest.update(self.0.to_be_bytes());
        }
    }
}

/// What a mail says of a big file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enclosure {
    /// Where it is to be fetched.
    Link {
        /// The file.
        file: Arc<BigFile>,
        /// Where the link leads.
        url: String,
        /// Until when it works; milliseconds since 1970.
        until_ms: i64,
    },
    /// In how many mails it comes.
    Volumes {
        /// The file.
        file: Arc<BigFile>,
        /// Its volumes.
        count: u32,
        /// The one in this mail, if it is one of this file: 1 is the first.
        here: Option<u32>,
    },
}

/// The name of a volume of a file: `film.mp4.001`.
pub fn volume_name(file: &str, number: u32) -> String {
    format!("{}.{number:03}", plain_name(file))
}

/// A file's name as it can be given to any shell in quotes.
pub fn plain_name(file: &str) -> String {
    file.replace(|c: char| c.is_control() || "\"'`$%!^&|<>*?;:\\/".contains(c), "_")
}
