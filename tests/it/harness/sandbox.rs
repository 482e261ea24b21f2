//! The sandbox server in a process of its own: it survives whatever happens to the program that sends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tempfile::TempDir;

use super::program::Wrapped;
use super::{Running, wait_for};

/// A server that counts mails and keeps a journal of them.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: TempDir,
    running: Running,
    pub(crate) port: u16,
}

/// What the server has done, as it says when it ends.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Counts {
    pub(crate) connections: u64,
    pub(crate) logins_ok: u64,
    pub(crate) logins_refused: u64,
    pub(crate) mails: u64,
}

/// A mail the server has accepted.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at_ms: i64,
    pub(crate) to: Vec<String>,
    pub(crate) message_id: String,
}

impl Sandbox {
    /// Starts a server with these further arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let counting = ["--discard", "--journal", "journal"];
        Self::run(&[counting.as_slice(), arguments].concat())
    }

    /// Starts a server that keeps what it accepts.
    pub(crate) fn keeping_mails() -> Self {
        Self::keeping_mails_with(&[])
    }

    /// The same with further arguments.
    pub(crate) fn keeping_mails_with(arguments: &[&str]) -> Self {
        Self::run(&[["--dir", "mails"].as_slice(), arguments].concat())
    }

    fn run(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let fixed = ["sandbox", "--json", "--listen", "127.0.0.1:0"];
        let all: Vec<&str> = fixed.iter().chain(arguments).copied().collect();
        let mut running = Running::start(&mut Wrapped::plain().command(folder.path(), &all));
        let line = wait_for("the sandbox to listen", || {
            assert!(!running.has_ended(), "the sandbox ended: {}", running.stderr());
            running.stdout().split_once('\n').map(|(line, _)| line.to_owned())
        });
        let listens: serde_json::Value = serde_json::from_str(&line).unwrap();
        let (_, port) = listens["listen"].as_str().unwrap().rsplit_once(':').unwrap();
        Self {
            port: port.parse().unwrap(),
            folder,
            running,
        }
    }

    /// A file in the server's folder, such as its certificate.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Where it listens, on this machine.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The lines of `[account.main]` that lead here.
    pub(crate) fn account(&self) -> String {
        format!("host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n", self.port)
    }

    /// The mails that a server has kept so far, in the order of their names.
    pub(crate) fn mails(&self) -> Vec<Vec<u8>> {
        eml_files(&self.folder.path().join("mails"))
    }

    /// The mails it has accepted so far.
    pub(crate) fn journal(&self) -> Vec<Entry> {
        read_journal(&self.folder.path().join("journal"))
    }

    /// How many mails it has accepted so far; quicker than reading what they are.
    pub(crate) fn journal_lines(&self) -> usize {
        let bytes = std::fs::read(self.folder.path().join("journal")).unwrap_or_default();
        bytes.split(|byte| *byte == b'\n').count() - 1
    }

    /// How many mails each recipient got.
    pub(crate) fn arrived(&self) -> BTreeMap<String, usize> {
        let mut arrived = BTreeMap::new();
        for to in self.journal().into_iter().flat_map(|entry| entry.to) {
            *arrived.entry(to).or_default() += 1;
        }
        arrived
    }

    /// Stops the server; says what it has seen.
    pub(crate) fn stop(self) -> Counts {
        self.running.terminate();
        let ended = self.running.wait().expect(0);
        serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap()
    }
}

fn read_journal(path: &Path) -> Vec<Entry> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The `.eml` files of a folder, read, in the order of their names.
pub(crate) fn eml_files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}
