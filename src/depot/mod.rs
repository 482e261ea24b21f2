//! Files behind links: what is too big for a mail is put into a folder that a web server shows, or into a bucket, and
//! the mail has a signed link that expires.

mod bucket;
mod folder;

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};

use crate::campaign::octets::Octets;
use crate::campaign::{DepotPlace, DepotSettings};
use crate::mail::BigFile;
use crate::mail::token::hex;
use crate::text;
use crate::words::Text;
use bucket::Bucket;
use folder::Folder;

/// How long to wait for a link that is tried.
const TRY_TIMEOUT: Duration = Duration::from_secs(30);

/// A link to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub url: String,
    /// Until when it works; milliseconds since 1970.
    pub until_ms: i64,
}

/// What a depot may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Put files there, and sign links.
    Full,
    /// Nothing: no secret is asked for, and a bucket's links are signed in vain. For checks, previews and try-outs.
    None,
}

/// Where files lie that mails link to.
#[derive(Debug)]
pub struct Depot {
    place: Place,
    lifetime: Duration,
    is_tried: bool,
}

#[derive(Debug)]
enum Place {
    Folder(Folder),
    Bucket(Box<Bucket>),
}

impl Depot {
    /// The depot of a workspace. With full access the secret is fetched.
    pub fn open(settings: &DepotSettings, root: &Path, access: Access) -> anyhow::Result<Self> {
        let place = match &settings.place {
            DepotPlace::Folder(folder) => Place::Folder(Folder::new(folder)?),
            DepotPlace::Bucket(bucket) => Place::Bucket(Box::new(Bucket::new(bucket, root, access)?)),
        };
        Ok(Self {
            place,
            lifetime: settings.lifetime.0,
            is_tried: settings.is_tried,
        })
    }

    /// A link to a file for a mail of this moment.
    pub fn link(&self, file: &BigFile, now_ms: i64) -> Result<Link, Text> {
        let lifetime_ms = i64::try_from(self.lifetime.as_millis()).unwrap_or(i64::MAX);
        let until_ms = now_ms.saturating_add(lifetime_ms);
        let url = match &self.place {
            Place::Folder(folder) => folder.link(file, until_ms),
            Place::Bucket(bucket) => bucket.link(file, self.lifetime),
        };
        Ok(Link { url: url?, until_ms })
    }

    /// Puts files there that are not there yet, and tries their links; says how many were put there, and their size.
    pub async fn put(&self, files: &[BigFile], now_ms: i64) -> anyhow::Result<(u64, Octets)> {
        let (mut count, mut size) = (0, 0);
        let mut by_content = HashMap::new();
        for file in files {
            let twin = by_content.insert(file.digest, file);
            let is_new = match &self.place {
                Place::Folder(folder) => folder.put(file, twin, moment(now_ms))?,
                Place::Bucket(bucket) => bucket.put(file).await?,
            };
            if is_new {
                count += 1;
                size += file.size;
            }
        }
        // One link shows whether all work; each file of its own would be asked for as often as there are people.
        if let Some(file) = files.first().filter(|_| self.is_tried) {
            let link = self.link(file, now_ms)?;
            try_link(&link.url).await.with_context(|| {
                format!(
                    "the link to `{}` does not work: {}",
                    file.name,
                    without_query(&link.url)
                )
            })?;
        }
        Ok((count, Octets(size)))
    }

    /// Notes that these files were linked to until now, and removes those from the folder to which no link works any
    /// longer; says how many. Buckets have rules of their own for that.
    pub fn sweep(&self, used: &[BigFile], now_ms: i64) -> anyhow::Result<u64> {
        match &self.place {
            Place::Folder(folder) => folder.sweep(used, moment(now_ms), self.lifetime),
            Place::Bucket(_) => Ok(0),
        }
    }
}

/// A time as file systems have it.
fn moment(now_ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(now_ms).unwrap_or_default())
}

/// Asks for the first octet.
async fn try_link(url: &str) -> anyhow::Result<()> {
    let client = http()?;
    let answer = client
        .get(url)
        .header("Range", "bytes=0-0")
        .timeout(TRY_TIMEOUT)
        .send()
        .await
        .map_err(|error| anyhow::anyhow!(cause(&error.without_url())))?;
    if !answer.status().is_success() {
        bail!(text!(
            "the server answers {status}",
            status = answer.status().to_string()
        ));
    }
    Ok(())
}

fn http() -> anyhow::Result<reqwest::Client> {
    use_ring();
    reqwest::Client::builder()
        .build()
        .context("prepare for asking web servers")
}

/// TLS by the library that all our links use.
fn use_ring() {
    // Another part of the program may have said so already.
    let _said = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
}

/// The first cause of an error, in a line: what is above it says that something failed, and how often it was tried.
fn cause(error: &(dyn Error + 'static)) -> String {
    let causes = anyhow::Chain::new(error);
    causes.last().map(ToString::to_string).unwrap_or_default()
}

/// Signatures are not for logs.
fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// The name of the folder in which a file lies.
fn folder_name(digest: &[u8]) -> String {
    hex(digest.get(..16).unwrap_or(digest))
}

#[cfg(test)]
mod tests;
