//! How recipients leave, and the keys that sign their links: `[unsubscribe]` of `mailshot.toml`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use toml::Spanned;

use super::file::File;
use super::problem::Problems;
use super::secret;
use crate::mail::{Address, UnsubscribeKey, UnsubscribeKeys};
use crate::text;

/// Stands behind the name of the key file in those of the keys before it.
const OLD: &str = ".old-";

/// How recipients leave: by a link, by mail, or by either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Where the link leads, without a final slash; https, for one-click.
    pub url: Option<String>,
    /// Where a mail leads.
    pub mailto: Option<Address>,
    /// The secret that signs tokens.
    pub key_file: PathBuf,
    /// Secrets that signed tokens before, beside those that `mailshot secret unsubscribe-key rotate` keeps.
    pub old_key_files: Vec<PathBuf>,
    /// What one click leaves.
    pub scope: Scope,
}

/// What somebody leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Every campaign of the workspace.
    #[default]
    All,
    /// Campaigns of the mail's list.
    List,
}

impl Unsubscribe {
    /// Reads the key that signs tokens; makes it when it is not there.
    pub fn key(&self) -> anyhow::Result<UnsubscribeKey> {
        let text = secret::key_text(&self.key_file)?;
        parse(&text, &self.key_file)
    }

    /// Reads all keys: tokens of any of them are ours.
    pub fn keys(&self) -> anyhow::Result<UnsubscribeKeys> {
        let read = |path: &PathBuf| -> anyhow::Result<UnsubscribeKey> {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("read the old key {}", path.display()))?;
            parse(&text, path)
        };
        let old = self.old_keys()?.iter().map(read).collect::<Result<_, _>>()?;
        Ok(UnsubscribeKeys::new(self.key()?, old))
    }

    /// The same where there is a key at all; none is made.
    pub fn keys_if_any(&self) -> anyhow::Result<Option<UnsubscribeKeys>> {
        self.key_file.exists().then(|| self.keys()).transpose()
    }

    /// The files of the keys before this one: those that are named, then those beside it.
    pub fn old_keys(&self) -> anyhow::Result<Vec<PathBuf>> {
        let name = self.key_file.file_name().unwrap_or_default().to_string_lossy();
        let start = format!("{name}{OLD}");
        let mut beside = Vec::new();
        let folder = self.key_file.parent().unwrap_or(Path::new("."));
        match std::fs::read_dir(folder) {
            Ok(entries) => {
                for entry in entries {
                    let entry = entry.with_context(|| format!("read the folder {}", folder.display()))?;
                    if entry.file_name().to_string_lossy().starts_with(&start) {
                        beside.push(entry.path());
                    }
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("read the folder {}", folder.display())),
        }
        beside.sort();
        beside.retain(|path| !self.old_key_files.contains(path));
        Ok(self.old_key_files.iter().cloned().chain(beside).collect())
    }

    /// Puts a new key in place of the one that signs, which is kept beside it under a name with `stamp`; says where. At
    /// every moment there is a key, and the old one is never only in memory.
    pub fn rotate(&self, stamp: &str) -> anyhow::Result<PathBuf> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        // What cannot be read is not replaced: its tokens would be lost.
        self.keys()?;
        let named = |end: &str| {
            let mut name = self.key_file.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        let old = named(&format!("{OLD}{stamp}"));
        let part = named(&format!(".part-{}", std::process::id()));
        let text = UnsubscribeKey::generate().context("no random numbers for a key")?;
        let replace = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&part)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::hard_link(&self.key_file, &old)?;
            std::fs::rename(&part, &self.key_file)
        };
        let replaced = replace();
        if replaced.is_err() {
            // It may not have been made.
            let _removed = std::fs::remove_file(&part);
        }
        replaced.with_context(|| format!("replace the key {}", self.key_file.display()))?;
        Ok(old)
    }
}

fn parse(text: &str, path: &Path) -> anyhow::Result<UnsubscribeKey> {
    let Some(key) = UnsubscribeKey::from_text(text) else {
        bail!(text!(
            "{path} is too short for a key; it needs {least} characters",
            path = path.display(),
            least = UnsubscribeKey::TEXT_MIN
        ));
    };
    Ok(key)
}

/// `[unsubscribe]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUnsubscribe {
    url: Option<Spanned<String>>,
    mailto: Option<Spanned<String>>,
    key_file: Option<PathBuf>,
    #[serde(default)]
    old_key_files: Vec<Spanned<PathBuf>>,
    #[serde(default)]
    scope: Scope,
}

impl RawUnsubscribe {
    pub(super) fn check<T>(&self, root: &Path, file: &File<'_, T>, problems: &mut Problems) -> Unsubscribe {
        let url = file.parse(self.url.as_ref(), problems, |text| {
            let is_plain = text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"<>\"'`&".contains(&byte));
            let is_https = text.starts_with("https://") && text.len() > "https://".len();
            if is_https && is_plain {
                Ok(text.trim_end_matches('/').to_owned())
            } else {
                Err(text!(
                    "the unsubscribe link must be an https address; one-click needs it (RFC 8058)"
                ))
            }
        });
        let mailto = file.parse(self.mailto.as_ref(), problems, |text| {
            Address::parse(text).map_err(|fault| fault.what)
        });
        if self.url.is_none() && self.mailto.is_none() {
            let what = text!("no way to unsubscribe: every mail must offer one");
            problems.push(
                file.problem_in_table("unsubscribe", what)
                    .hint(text!("set `url` or `mailto` in [unsubscribe]")),
            );
        }
        for old in &self.old_key_files {
            file.check_readable(Some(old), root, problems);
        }
        let key_file = self
            .key_file
            .as_deref()
            .unwrap_or(Path::new(".mailshot/unsubscribe.key"));
        let old = self.old_key_files.iter();
        Unsubscribe {
            url,
            mailto,
            key_file: root.join(key_file),
            old_key_files: old.map(|path| root.join(path.get_ref())).collect(),
            scope: self.scope,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{DeliveryTag, Volume};

    fn unsubscribe(folder: &Path) -> Unsubscribe {
        Unsubscribe {
            url: None,
            mailto: None,
            key_file: folder.join("unsubscribe.key"),
            old_key_files: Vec::new(),
            scope: Scope::All,
        }
    }

    #[test]
    fn a_new_key_signs_and_the_tokens_of_those_before_it_stay_valid() {
        let folder = tempfile::tempdir().unwrap();
        let settings = unsubscribe(folder.path());
        let tag = DeliveryTag::derive("c", &Address::parse("li@example.com").unwrap(), Volume::FIRST);
        let mut tokens = vec![settings.key().unwrap().sign(tag)];
        for stamp in ["1", "2"] {
            let old = settings.rotate(stamp).unwrap();
            assert!(old.is_file(), "{}", old.display());
            tokens.push(settings.key().unwrap().sign(tag));
        }
        let keys = settings.keys().unwrap();
        assert!(tokens.iter().all(|token| keys.verify(token) == Some(tag)));
        tokens.dedup();
        assert_eq!(tokens.len(), 3);
        assert!(settings.rotate("2").is_err(), "no old key is overwritten");
        assert_eq!(settings.keys().unwrap().verify(&tokens[2]), Some(tag));
    }

    #[test]
    fn no_key_is_made_for_those_who_only_read() {
        let folder = tempfile::tempdir().unwrap();
        assert!(unsubscribe(folder.path()).keys_if_any().unwrap().is_none());
        assert!(!folder.path().join("unsubscribe.key").exists());
    }
}
