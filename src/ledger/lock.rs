//! One run per campaign and ledger: a lock on a file beside the ledger, which dies with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Held as long as a run goes on.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// The outcome of trying to lock.
#[derive(Debug)]
pub enum Locked {
    /// We have it.
    Mine(RunLock),
    /// Another run has it, and says so in these words.
    Theirs(String),
}

/// Tries to lock a campaign. `holder` is what a second run will be told about this one.
pub fn try_lock(ledger: &Path, campaign: &str, holder: &str) -> anyhow::Result<Locked> {
    let path = path(ledger, campaign);
    let failed = || format!("lock {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    let open = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let mut file = open.with_context(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)
                .and_then(|()| file.write_all(holder.as_bytes()))
                .with_context(failed)?;
            Ok(Locked::Mine(RunLock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.seek(SeekFrom::Start(0))
                .and_then(|_| file.read_to_string(&mut text))
                .with_context(failed)?;
            Ok(Locked::Theirs(text))
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(failed),
    }
}

/// Held while a ledger is opened or made; waits for others that do.
pub(super) fn opening(ledger: &Path) -> anyhow::Result<File> {
    let path = ledger.with_extension("open.lock");
    let failed = || format!("lock {}", path.display());
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(failed)?;
    file.lock().with_context(failed)?;
    Ok(file)
}

/// Does a run of this campaign go on right now?
pub fn is_running(ledger: &Path, campaign: &str) -> bool {
    let Ok(file) = File::open(path(ledger, campaign)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn path(ledger: &Path, campaign: &str) -> PathBuf {
    let stem = ledger.file_stem().unwrap_or_default().to_string_lossy();
    ledger.with_file_name(format!("{stem}.{campaign}.lock"))
}
