//! The SQLite ledger: one thread, one connection, group commit.
//!
//! `synchronous=FULL`, because with NORMAL a power cut may forget an intent that was already acted on. Whatever error
//! SQLite reports ends the writer: a mailer that cannot write must not send.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::mpsc;

use super::Broken;
use super::apply::{Committed, Writer};
use super::attempts::Statements;
use super::command::Command;
use crate::text;

/// The schema this program writes.
pub(super) const SCHEMA_VERSION: u32 = 7;
/// How a ledger comes to each version, beginning with the first.
const STEPS: [&str; SCHEMA_VERSION as usize] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
];
/// Commands in one transaction at most: as many as may wait.
const BATCH_MAX: usize = super::QUEUE_MAX;
/// Pages of the write-ahead log after which it is taken into the file, which takes two more writes that are waited for.
/// 4 KiB each.
const CHECKPOINT_PAGES: u32 = 8_000;
/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(30);

/// What became of the writer, for those whose commands are no longer answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Fate(Arc<OnceLock<String>>);

impl Fate {
    pub(super) fn why(&self) -> String {
        // Answers are dropped a moment before the reason is known.
        self.0.wait().clone()
    }
}

/// Sees to it that the writer does not end without a word, not even by a panic: somebody may be waiting for it.
struct LastWord(Fate);

impl LastWord {
    fn say(&self, why: String) {
        // The first word counts.
        let _first = self.0.0.set(why);
    }
}

impl Drop for LastWord {
    fn drop(&mut self) {
        self.say("the ledger is closed".to_owned());
    }
}

/// Opens the file and starts the writer's thread. It ends when nobody holds the other end of the queue; whoever waits
/// for it then finds everything in the one file.
pub(super) fn start(path: &Path, queue: mpsc::Receiver<Command>) -> anyhow::Result<(Fate, JoinHandle<()>)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    }
    let connection = open(path).map_err(|error| explain(path, &error))?;
    let fate = Fate::default();
    let shared = fate.clone();
    let file = path.display().to_string();
    let thread = std::thread::Builder::new()
        .name("ledger".to_owned())
        .spawn(move || {
            let last_word = LastWord(shared);
            if let Err(error) = write(connection, queue) {
                last_word.say(format!("cannot write the ledger {file}: {}", plain(&error)));
            }
        })
        .context("start the ledger's thread")?;
    Ok((fate, thread))
}

fn write(mut connection: Connection, mut queue: mpsc::Receiver<Command>) -> rusqlite::Result<()> {
    let mut writer = Writer::default();
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while queue.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        writer.refresh(&transaction)?;
        let mut committed: Vec<Committed> = Vec::with_capacity(batch.len());
        let mut statements = Statements::prepare(&transaction)?;
        for command in batch.drain(..) {
            committed.push(writer.apply(&transaction, &mut statements, command)?);
        }
        drop(statements);
        transaction.commit()?;
        for answer in committed {
            answer();
        }
    }
    Ok(())
}

pub(super) fn open(path: &Path) -> anyhow::Result<Connection> {
    // SQLite does not wait for the lock that making a file and its log needs; two first runs would collide.
    let _opening = super::lock::opening(path)?;
    if path.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        bail!(text!(
            "the file is empty: what was sent is no longer known; restore it, or remove it to begin anew"
        ));
    }
    let is_new = !path.exists();
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        bail!(text!(
            "SQLite cannot keep a write-ahead log there (journal mode {mode})",
            mode
        ));
    }
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    migrate(&mut connection, is_new || !has_lists(path))?;
    Ok(connection)
}

/// Lists are kept beside a ledger as soon as a campaign is on record.
fn has_lists(ledger: &Path) -> bool {
    ledger.with_file_name("lists").exists()
}

fn migrate(connection: &mut Connection, may_be_new: bool) -> anyhow::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let is_new: bool =
        transaction.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    if is_new && !may_be_new {
        bail!(text!(
            "there is nothing in it, and campaigns were sent from here: was it copied without the files beside it \
             (`-wal`, `-shm`)? restore it whole, or remove it together with `lists` to begin anew"
        ));
    }
    let version = if is_new { 0 } else { check_version(&transaction)? };
    for step in STEPS.iter().skip(version as usize) {
        transaction.execute_batch(step)?;
    }
    if version < SCHEMA_VERSION {
        transaction.execute(
            "INSERT INTO meta VALUES ('schema_version', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [SCHEMA_VERSION.to_string()],
        )?;
    }
    transaction.commit()?;
    Ok(())
}

/// The version of a ledger. A file that a newer mailshot, or another program, has written is refused.
pub(super) fn check_version(connection: &Connection) -> anyhow::Result<u32> {
    let version = connection.query_row("SELECT value FROM meta WHERE key = 'schema_version'", [], |row| {
        row.get::<_, String>(0)
    });
    let version: u32 = match version {
        Ok(version) => version
            .parse()
            .with_context(|| format!("schema version {version:?}"))?,
        Err(rusqlite::Error::SqliteFailure(error, Some(_))) if error.code == ErrorCode::Unknown => {
            bail!(text!("it is a SQLite file, but not a ledger of mailshot"))
        }
        Err(error) => return Err(error.into()),
    };
    if version > SCHEMA_VERSION {
        bail!(text!(
            "a newer mailshot wrote it (schema {version}; this one knows {known}); use the newer program, or another [ledger] url",
            version,
            known = SCHEMA_VERSION
        ));
    }
    Ok(version)
}

/// Adds the file's name and plain words to what SQLite says.
pub(super) fn explain(path: &Path, error: &anyhow::Error) -> anyhow::Error {
    let what = match error.downcast_ref::<rusqlite::Error>() {
        Some(sqlite) => plain(sqlite),
        None => error.to_string(),
    };
    Broken(format!("cannot open the ledger {}: {what}", path.display())).into()
}

fn plain(error: &rusqlite::Error) -> String {
    let code = error.sqlite_error_code();
    match code {
        Some(ErrorCode::NotADatabase) => {
            "it is not a SQLite file; move it away, or set another [ledger] url".to_owned()
        }
        Some(ErrorCode::DiskFull) => "the disk is full; make room and run the same command again".to_owned(),
        Some(ErrorCode::ReadOnly) => {
            "it can only be read; check the file's and its folder's permissions".to_owned()
        }
        Some(ErrorCode::CannotOpen) => "it cannot be opened; check the folder's permissions".to_owned(),
        Some(ErrorCode::DatabaseBusy) => "another program holds it locked".to_owned(),
        Some(ErrorCode::DatabaseCorrupt) => {
            "the file is damaged; restore it from a backup before anything is sent".to_owned()
        }
        _ => error.to_string(),
    }
}
