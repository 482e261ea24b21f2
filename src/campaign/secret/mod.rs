//! Passwords, tokens and keys: where they are kept. The only place that reads the environment and asks for secrets.

mod age;
mod command;
mod lint;
mod store;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use super::file::plain;
use crate::mail::UnsubscribeKey;
use crate::text;
use crate::words::Text;

pub use age::{Age, Ages, STALE_FROM, TOO_OLD_FROM};
pub use lint::{Flaw, flaws};
pub use store::Slot;

/// A password or token. It is never shown, logged or stored.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the login alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret is kept. The secret itself never stands in a file of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The first line a command prints.
    Command(String),
    /// An environment variable.
    Env(String),
    /// The first line of a file that others may not read.
    File(PathBuf),
    /// The keyring of the person who is logged in, under this name.
    Keyring(String),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "password_command = {command:?}"),
            Self::Env(variable) => write!(f, "password_env = {variable:?}"),
            Self::File(path) => write!(f, "password_file = {:?}", path.display().to_string()),
            Self::Keyring(_) => f.write_str("password_keyring = true"),
        }
    }
}

impl SecretSource {
    /// Fetches the secret: runs the command, or reads the variable or file. `what` it is, for errors.
    pub(super) fn fetch(&self, root: &Path, what: &Text) -> anyhow::Result<Secret> {
        let text = self.whole(root)?;
        let secret = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            bail!(text!("{what} is empty ({place})", what, place = self.to_string()));
        }
        // The server would refuse it, and may lock the account for that.
        if let Some(flaw) = Flaw::fatal(secret) {
            bail!("{what} cannot be right ({self}): {}", flaw.said());
        }
        Ok(Secret::new(secret))
    }

    /// Everything that stands where the secret is kept, for those who look for what is wrong with it.
    pub fn whole(&self, root: &Path) -> anyhow::Result<String> {
        match self {
            Self::Command(command) => {
                // A workspace that is this very folder has an empty path.
                let folder = if root.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    root
                };
                command::output(&self.to_string(), command, folder, command::LIMIT)
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads the environment"
            )]
            Self::Env(variable) => std::env::var(variable)
                .map_err(|_unset| anyhow!(text!(
                    "{place}: this environment variable is not set; `export {variable}=…` first, also in cron's own table",
                    place = self.to_string(),
                    variable
                ))),
            Self::File(path) => {
                refuse_if_others_may_read(path)?;
                std::fs::read_to_string(path).with_context(|| format!("read {self}"))
            }
            Self::Keyring(name) => store::from_keyring(name, Slot::Current)?
                .with_context(|| text!(
                    "{place}: the keyring has no password for {name}",
                    place = self.to_string(),
                    name
                )),
        }
    }
}

fn refuse_if_others_may_read(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).map_err(|error| {
        anyhow!(text!(
            "cannot read {path}: {error}",
            path = path.display(),
            error = plain(&error)
        ))
    })?;
    if !metadata.is_file() {
        bail!(text!("{path} is not a file", path = path.display()));
    }
    if metadata.mode() & 0o077 != 0 {
        bail!(text!(
            "others may read {path}; run `chmod 600 {path2}` first",
            path = path.display(),
            path2 = path.display()
        ));
    }
    Ok(())
}

/// The text of a key file. Made when it is not there: it appears whole or not at all, and the first one stays, since two
/// runs may begin together.
pub(super) fn key_text(path: &Path) -> anyhow::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_key(path),
        Err(error) => Err(error).with_context(|| format!("read the key {}", path.display())),
    }
}

fn make_key(path: &Path) -> anyhow::Result<String> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let text = UnsubscribeKey::generate().context("no random numbers for a key")?;
    let part = path.with_extension(format!("part-{}", std::process::id()));
    let make = || -> std::io::Result<String> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let linked = std::fs::hard_link(&part, path);
        std::fs::remove_file(&part)?;
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
            _ => std::fs::read_to_string(path),
        }
    };
    make().with_context(|| format!("make the key {}", path.display()))
}
