//! Where accepted mails go: a folder of `.eml` files, or nowhere.
//!
//! A mail is accepted only once it is here, so whoever kills the server can still read what it has promised.
//! Kept is written, not synced: it survives the death of the server, not that of the machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::body;

/// What happens to accepted mails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Store {
    /// They are counted. With a journal, one line of JSON is written for each.
    #[default]
    Discard,
    /// Each is written to this folder as an `.eml` file, and a line about it to `index.jsonl` there.
    Folder(PathBuf),
}

/// A mail with its envelope.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    /// Who handed it in: the text of the `Received` header up to the number.
    pub(super) received_from: String,
    /// The mail itself, dots unstuffed.
    pub(super) content: Vec<u8>,
}

/// One line of `index.jsonl` and of the journal.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Entry {
    /// 1 for the first mail of this store, in the order of acceptance.
    pub n: u64,
    /// When it was accepted: milliseconds since 1970.
    pub at_ms: i64,
    /// The sender of the envelope, empty for `<>`.
    pub from: String,
    /// The recipients of the envelope that were accepted.
    pub to: Vec<String>,
    /// With its angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// As it stands in the mail, so maybe encoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Length of the mail, without the headers that the server added.
    pub bytes: usize,
    /// The file in the same folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// An open store.
#[derive(Debug)]
pub(super) enum Shelf {
    Nowhere { last: AtomicU64 },
    Journal(Mutex<Journal>),
    Folder(Arc<Mutex<Folder>>),
}

impl Shelf {
    /// Opens the store; the numbers go on where an earlier server stopped.
    pub(super) fn open(store: &Store, journal: Option<&Path>) -> anyhow::Result<Self> {
        match (store, journal) {
            (Store::Discard, None) => Ok(Self::Nowhere {
                last: AtomicU64::new(0),
            }),
            (Store::Discard, Some(path)) => Ok(Self::Journal(Mutex::new(Journal::open(path)?))),
            (Store::Folder(path), _) => Ok(Self::Folder(Arc::new(Mutex::new(Folder::open(path)?)))),
        }
    }

    /// Takes a mail in and gives its number. The mail comes back, so that its memory can be used again.
    pub(super) async fn keep(&self, mail: Mail) -> (Mail, io::Result<u64>) {
        match self {
            Self::Nowhere { last } => (mail, Ok(last.fetch_add(1, Relaxed) + 1)),
            Self::Journal(journal) => {
                let mut journal = lock(journal);
                let n = journal.last + 1;
                let added = journal.add(&entry(n, &mail, None));
                drop(journal);
                (mail, added.map(|()| n))
            }
            Self::Folder(folder) => {
                let folder = Arc::clone(folder);
                // Disk work waits on a thread of its own, not on one that serves other connections.
                let written = tokio::task::spawn_blocking(move || {
                    let kept = lock(&folder).keep(&mail);
                    (mail, kept)
                });
                written
                    .await
                    .unwrap_or_else(|error| (Mail::default(), Err(io::Error::other(error))))
            }
        }
    }

    /// Writes out what was kept; called before any reply leaves, so that no 250 runs ahead of its line.
    pub(super) fn flush(&self) -> io::Result<()> {
        match self {
            Self::Journal(journal) => lock(journal).flush(),
            Self::Nowhere { .. } | Self::Folder(_) => Ok(()),
        }
    }
}

/// Lines of JSON in a file, written together.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    unwritten: Vec<u8>,
    last: u64,
}

impl Journal {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let opened = || -> io::Result<Self> {
            let file = OpenOptions::new()
                .create(true)
                .read(true)
                .append(true)
                .open(path)?;
            let (last, is_torn) = last_number(&file)?;
            // A server that was killed may have left half a line; the next one must not grow on it.
            let unwritten = if is_torn { b"\n".to_vec() } else { Vec::new() };
            Ok(Self {
                file,
                unwritten,
                last,
            })
        };
        opened().with_context(|| format!("open {}", path.display()))
    }

    fn add(&mut self, entry: &Entry) -> io::Result<()> {
        serde_json::to_writer(&mut self.unwritten, entry)?;
        self.unwritten.push(b'\n');
        self.last = entry.n;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.unwritten);
        self.unwritten.clear();
        written
    }
}

/// The number of the last whole line, and whether the file ends in half a line.
fn last_number(file: &File) -> io::Result<(u64, bool)> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut last = 0;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok((last, false));
        }
        if !line.ends_with(b"\n") {
            return Ok((last, true));
        }
        if let Ok(entry) = serde_json::from_slice::<Entry>(&line) {
            last = last.max(entry.n);
        }
    }
}

/// A folder of mails with its index.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    index: Journal,
}

impl Folder {
    fn open(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("create folder {}", path.display()))?;
        let mut index = Journal::open(&path.join("index.jsonl"))?;
        // A server that was killed may have left a file that the index does not know.
        let files = fs::read_dir(path).with_context(|| format!("read folder {}", path.display()))?;
        for file in files {
            let name = file
                .with_context(|| format!("read folder {}", path.display()))?
                .file_name();
            let number = name
                .to_str()
                .and_then(|name| name.split_once('-')?.0.parse().ok());
            index.last = index.last.max(number.unwrap_or(0));
        }
        Ok(Self {
            path: path.to_owned(),
            index,
        })
    }

    fn keep(&mut self, mail: &Mail) -> io::Result<u64> {
        let n = self.index.last + 1;
        // Taken at once: a mail that fails half-way must not lend its number to the next.
        self.index.last = n;
        let recipient = mail.to.first().map_or("nobody", String::as_str);
        let name = format!("{n:06}-{}.eml", file_part(recipient));
        let entry = entry(n, mail, Some(name));
        let name = entry.file.as_deref().unwrap_or_default();
        // Written beside and renamed, so that a reader never sees half a mail.
        let unfinished = self.path.join(format!(".{name}.unfinished"));
        let mut file = File::create(&unfinished)?;
        file.write_all(added_headers(&entry, mail).as_bytes())?;
        file.write_all(&mail.content)?;
        drop(file);
        fs::rename(&unfinished, self.path.join(name))?;
        self.index.add(&entry)?;
        self.index.flush()?;
        Ok(n)
    }
}

fn entry(n: u64, mail: &Mail, file: Option<String>) -> Entry {
    Entry {
        n,
        at_ms: now_ms(),
        from: mail.from.clone(),
        to: mail.to.clone(),
        message_id: body::header(&mail.content, "message-id"),
        subject: body::header(&mail.content, "subject"),
        bytes: mail.content.len(),
        file,
    }
}

fn added_headers(entry: &Entry, mail: &Mail) -> String {
    let mut headers = format!("Return-Path: <{}>\r\n", mail.from);
    for recipient in &mail.to {
        headers.push_str("Delivered-To: ");
        headers.push_str(recipient);
        headers.push_str("\r\n");
    }
    let date = Timestamp::from_millisecond(entry.at_ms)
        .and_then(|at| jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_string(&at))
        .unwrap_or_default();
    headers + &format!("Received: {} id {};\r\n\t{date}\r\n", mail.received_from, entry.n)
}

/// A part of a file name that says who, and is a safe name everywhere.
fn file_part(address: &str) -> String {
    let mut name = String::new();
    for c in address.chars() {
        let is_safe = c.is_alphanumeric() || matches!(c, '.' | '@' | '_' | '+' | '-' | '=');
        // 255 bytes is what most file systems take; the number and the ending need some.
        if name.len() + c.len_utf8() > 200 {
            break;
        }
        name.push(if is_safe { c } else { '_' });
    }
    name
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of the sandbox that reads the clock: the stamp on a mail"
)]
fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// A panic while the lock was held cannot leave half an entry behind, so a poisoned lock is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &[&str]) -> Mail {
        Mail {
            from: "news@example.org".to_owned(),
            to: to.iter().map(|&to| to.to_owned()).collect(),
            received_from: "from test".to_owned(),
            content: b"Subject: hello\r\nMessage-Id: <1@example.org>\r\n\r\nhi\r\n".to_vec(),
        }
    }

    fn entries(path: &Path) -> Vec<Entry> {
        let text = fs::read_to_string(path).unwrap();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    #[test]
    fn a_mail_shows_its_envelope_and_stands_in_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let mut open = Folder::open(folder.path()).unwrap();
        assert_eq!(
            open.keep(&mail(&["ming.wang@example.com", "b@example.com"]))
                .unwrap(),
            1
        );
        let text = fs::read_to_string(folder.path().join("000001-ming.wang@example.com.eml")).unwrap();
        assert!(
            text.starts_with(
                "Return-Path: <news@example.org>\r\nDelivered-To: ming.wang@example.com\r\nDelivered-To: b@example.com\r\nReceived: from test id 1;\r\n\t"
            ),
            "{text}"
        );
        assert!(text.ends_with("\r\n\r\nhi\r\n"));
        let entries = entries(&folder.path().join("index.jsonl"));
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].message_id.as_deref(), Some("<1@example.org>"));
        assert_eq!(entries[0].subject.as_deref(), Some("hello"));
        assert_eq!(
            entries[0].file.as_deref(),
            Some("000001-ming.wang@example.com.eml")
        );
        assert_eq!(entries[0].to, ["ming.wang@example.com", "b@example.com"]);
    }

    #[test]
    fn a_second_server_goes_on_counting_after_half_a_line_and_an_unlisted_file() {
        let folder = tempfile::tempdir().unwrap();
        Folder::open(folder.path())
            .unwrap()
            .keep(&mail(&["a@example.com"]))
            .unwrap();
        let index = folder.path().join("index.jsonl");
        OpenOptions::new()
            .append(true)
            .open(&index)
            .unwrap()
            .write_all(b"{\"n\":2,\"at")
            .unwrap();
        fs::write(folder.path().join("000002-b@example.com.eml"), "").unwrap();
        let n = Folder::open(folder.path())
            .unwrap()
            .keep(&mail(&["c@example.com"]))
            .unwrap();
        assert_eq!(n, 3);
        let numbers: Vec<u64> = entries(&index).iter().map(|entry| entry.n).collect();
        assert_eq!(numbers, [1, 3]);
    }

    #[test]
    fn no_recipient_can_write_outside_the_folder() {
        assert_eq!(file_part("../../etc/passwd@x"), ".._.._etc_passwd@x");
        assert_eq!(file_part("a/b\\c:d\"e\u{7}@x"), "a_b_c_d_e_@x");
        assert_eq!(file_part("王小明@例子.中国"), "王小明@例子.中国");
        assert!(file_part(&"王".repeat(200)).len() <= 200);
    }
}
