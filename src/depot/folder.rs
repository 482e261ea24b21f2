//! A folder that a web server shows. Every file lies in a folder with a name that nobody can guess. Links are signed as
//! nginx wants it (`ngx_http_secure_link_module`), so that it can refuse those that have expired; other servers ignore
//! the signature. What no link works for any longer is removed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use url::Url;

use super::folder_name;
use crate::campaign::{FolderSettings, Secret};
use crate::digest;
use crate::mail::BigFile;
use crate::text;
use crate::words::Text;

#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    url: Url,
    key: Secret,
}

impl Folder {
    pub(super) fn new(settings: &FolderSettings) -> anyhow::Result<Self> {
        let url =
            Url::parse(&settings.url).with_context(|| format!("the `url` in [files]: {}", settings.url))?;
        Ok(Self {
            root: settings.folder.clone(),
            url,
            key: settings.key()?,
        })
    }

    pub(super) fn link(&self, file: &BigFile, until_ms: i64) -> Result<String, Text> {
        let until = until_ms.div_euclid(1_000);
        let folder = self.folder_of(file);
        // The server signs the path as it is after decoding.
        let path = format!("{}/{folder}/{}", self.url.path().trim_end_matches('/'), file.name);
        let signed = Md5::digest(format!("{until}{path} {}", self.key.reveal()));
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| text!("{url} is no address in the web", url = self.url.as_str()))?
            .pop_if_empty()
            .extend([folder.as_str(), &file.name]);
        url.query_pairs_mut()
            .append_pair("expires", &until.to_string())
            .append_pair("signature", &BASE64_URL_SAFE_NO_PAD.encode(signed));
        Ok(url.into())
    }

    /// Where a file lies, or will.
    fn place_of(&self, file: &BigFile) -> PathBuf {
        self.root.join(self.folder_of(file)).join(&file.name)
    }

    /// Copies a file, unless it lies there already. It takes no more room when `twin`, the same under another name, does.
    pub(super) fn put(
        &self,
        file: &BigFile,
        twin: Option<&BigFile>,
        now: SystemTime,
    ) -> anyhow::Result<bool> {
        let folder = self.root.join(self.folder_of(file));
        let path = folder.join(&file.name);
        let is_there = fs::metadata(&path).is_ok_and(|there| there.len() == file.size);
        if !is_there {
            let failed = || format!("copy {} to {}", file.path.display(), path.display());
            fs::create_dir_all(&folder).with_context(failed)?;
            let part = folder.join(format!(".part-{}", std::process::id()));
            let linked = twin.is_some_and(|twin| fs::hard_link(self.place_of(twin), &part).is_ok());
            let made = if linked { Ok(()) } else { copy(file, &part) };
            let copied = made.and_then(|()| fs::rename(&part, &path).with_context(failed));
            if copied.is_err() {
                // The next run would begin it anew.
                let _unwanted = fs::remove_file(&part);
            }
            copied?;
        }
        touch(&path, now)?;
        Ok(!is_there)
    }

    /// A file was linked to until it was last touched.
    pub(super) fn sweep(&self, used: &[BigFile], now: SystemTime, lifetime: Duration) -> anyhow::Result<u64> {
        for file in used {
            touch(&self.place_of(file), now)?;
        }
        let mut removed = 0;
        for folder in entries(&self.root) {
            let is_ours = |name: &str| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !folder
                .file_name()
                .is_some_and(|name| name.to_str().is_some_and(is_ours))
            {
                continue;
            }
            for path in entries(&folder) {
                let touched = fs::metadata(&path).and_then(|metadata| metadata.modified());
                let age = touched.ok().and_then(|touched| now.duration_since(touched).ok());
                if age.is_some_and(|age| age > lifetime) && fs::remove_file(&path).is_ok() {
                    removed += 1;
                }
            }
            // Refused while something is in it.
            let _removed_when_empty = fs::remove_dir(&folder);
        }
        Ok(removed)
    }

    /// The same file under the same name lies in one place, which nobody finds who has no link.
    fn folder_of(&self, file: &BigFile) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.reveal().as_bytes()) else {
            return folder_name(&file.digest);
        };
        mac.update(&file.digest);
        mac.update(file.name.as_bytes());
        folder_name(&mac.finalize().into_bytes())
    }
}

fn copy(file: &BigFile, to: &Path) -> anyhow::Result<()> {
    let mut copy = File::create(to).with_context(|| format!("write {}", to.display()))?;
    let copied = digest::copy(&file.path, &mut copy)?;
    ensure!(
        copied == file.digest,
        "{} changed while it was read; try again",
        file.path.display()
    );
    copy.sync_all().with_context(|| format!("write {}", to.display()))
}

fn touch(path: &Path, now: SystemTime) -> anyhow::Result<()> {
    let file = File::options().write(true).open(path);
    file.and_then(|file| file.set_modified(now))
        .with_context(|| format!("note the use of {}", path.display()))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
