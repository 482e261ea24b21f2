//! Mails in files: one a file, a folder of them, a Maildir, an mbox. Read one after another, never all at once.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// Octets of a mail that is read at most; what is longer is cut: reports say what they have to say at the beginning.
const SIZE_MAX: u64 = 32 * 1024 * 1024;

/// A mail in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The file, and which of several mails it is in an mbox: `bounces.mbox:3`.
    pub name: String,
    /// The mail as it was saved.
    pub octets: Vec<u8>,
}

/// A file that cannot be read.
#[derive(Debug)]
pub struct Unread {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: std::io::Error,
}

/// Goes through the mails of a file or folder. After a file that cannot be read it goes on with the next.
#[derive(Debug)]
pub struct Store {
    /// Files that are still to be opened, the last one first.
    files: Vec<PathBuf>,
    open: Option<Mbox>,
}

impl Store {
    /// Opens a mail, an mbox, a Maildir or any folder of mails; folders are gone through in the order of names.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let mut files = Vec::new();
        if std::fs::metadata(path)?.is_dir() {
            list(path, &mut files)?;
            files.sort();
            files.reverse();
        } else {
            files.push(path.to_owned());
        }
        Ok(Self { files, open: None })
    }

    fn next_mail(&mut self) -> Result<Option<Stored>, Unread> {
        loop {
            if let Some(mut mbox) = self.open.take() {
                match mbox.next() {
                    Ok(None) => {}
                    Ok(stored) => {
                        self.open = Some(mbox);
                        return Ok(stored);
                    }
                    Err(error) => {
                        let path = mbox.path;
                        return Err(Unread { path, error });
                    }
                }
            }
            let Some(path) = self.files.pop() else {
                return Ok(None);
            };
            match begin(&path) {
                Ok(Begun::Mail(octets)) => {
                    let name = path.display().to_string();
                    return Ok(Some(Stored { name, octets }));
                }
                Ok(Begun::Mbox(lines)) => self.open = Some(Mbox::new(path, lines)),
                Err(error) => return Err(Unread { path, error }),
            }
        }
    }
}

impl Iterator for Store {
    type Item = Result<Stored, Unread>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_mail().transpose()
    }
}

/// What a file turns out to be.
enum Begun {
    /// One mail, which is short enough to be read at once.
    Mail(Vec<u8>),
    /// Mails one after another.
    Mbox(BufReader<File>),
}

fn begin(path: &Path) -> std::io::Result<Begun> {
    let mut lines = BufReader::new(File::open(path)?);
    let begin = lines.fill_buf()?;
    let begin = begin.strip_prefix(MARK).unwrap_or(begin).trim_ascii_start();
    if begin.starts_with(b"From ") && may_be_mbox(path) {
        return Ok(Begun::Mbox(lines));
    }
    let mut octets = Vec::new();
    lines.take(SIZE_MAX).read_to_end(&mut octets)?;
    Ok(Begun::Mail(octets))
}

/// What some programs on Windows write before a text.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Files of a folder and of those in it. A Maildir's `tmp` holds what is not complete; names that begin with a dot are
/// not mails.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let is_maildir = folder.join("cur").is_dir() && folder.join("new").is_dir();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if (name.starts_with('.') && !path.is_dir()) || (is_maildir && name == "tmp") {
            continue;
        }
        // A link to nowhere is a file that cannot be read.
        let metadata = std::fs::metadata(&path);
        if metadata.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            list(&path, files)?;
        } else if metadata.map_or(true, |metadata| metadata.is_file()) {
            files.push(path);
        }
    }
    Ok(())
}

/// Files of a Maildir, and those that say so, hold one mail each, whatever stands in it.
fn may_be_mbox(path: &Path) -> bool {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let is_eml = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("eml"));
    !is_eml && folder != "cur" && folder != "new"
}

/// Mails one after another in a file, each after a line that begins with `From `. Source: RFC 4155.
#[derive(Debug)]
struct Mbox {
    path: PathBuf,
    lines: BufReader<File>,
    number: usize,
    /// The line that begins the next mail.
    head: Vec<u8>,
    /// Do the lines between the mails have a date? Then others are lines of a text.
    has_dates: bool,
}

impl Mbox {
    fn new(path: PathBuf, lines: BufReader<File>) -> Self {
        Self {
            path,
            lines,
            number: 0,
            head: Vec::new(),
            has_dates: false,
        }
    }

    fn next(&mut self) -> std::io::Result<Option<Stored>> {
        let mut octets = std::mem::take(&mut self.head);
        let mut is_after_blank = false;
        loop {
            let mut line = Vec::new();
            if (&mut self.lines).take(SIZE_MAX).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let line = line.strip_prefix(MARK).unwrap_or(&line);
            let is_blank = line.trim_ascii().is_empty();
            if octets.is_empty() {
                if is_blank {
                    continue;
                }
                self.has_dates = has_time(line);
            } else if is_after_blank && self.is_between(line) {
                line.clone_into(&mut self.head);
                break;
            }
            is_after_blank = is_blank;
            if (octets.len() as u64) < SIZE_MAX {
                octets.extend_from_slice(unquoted(line));
            }
        }
        if octets.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let file = self.path.display();
        let is_only = self.number == 1 && self.head.is_empty();
        Ok(Some(Stored {
            name: if is_only {
                file.to_string()
            } else {
                format!("{file}:{}", self.number)
            },
            octets,
        }))
    }

    /// Does a mail begin here? The word stands in texts, too.
    fn is_between(&self, line: &[u8]) -> bool {
        line.starts_with(b"From ") && (has_time(line) || !self.has_dates)
    }
}

/// Is there a time of day, such as `09:05`?
fn has_time(line: &[u8]) -> bool {
    line.windows(5)
        .any(|at| matches!(at, [a, b, b':', c, d] if [a, b, c, d].into_iter().all(u8::is_ascii_digit)))
}

/// `>From ` stands for a line of the mail that begins with `From `.
fn unquoted(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|byte| **byte == b'>').count();
    let is_quoted = marks > 0 && line.get(marks..).is_some_and(|rest| rest.starts_with(b"From "));
    if is_quoted {
        line.get(1..).unwrap_or(line)
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, octets: &[u8]) -> Vec<Stored> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, octets).unwrap();
        Store::open(&path).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_sentence_that_begins_with_from_begins_no_mail() {
        let mbox = "From MAILER-DAEMON Mon Nov  2 10:00:00 2026\nSubject: 1\n\nHello\n\nFrom now on it works.\n\n\
                    From MAILER-DAEMON Mon Nov  2 10:05:00 2026\nSubject: 2\n\nHello\n";
        let mails = read("back.mbox", mbox.as_bytes());
        assert_eq!(mails.len(), 2);
        assert!(mails[0].octets.ends_with(b"it works.\n\n"));
        // Where no line has a date, each of them begins a mail.
        let plain = mbox
            .replace("Mon Nov  2 10:00:00 2026", "")
            .replace("From now", "now");
        assert_eq!(read("back.mbox", plain.as_bytes()).len(), 2);
    }

    #[test]
    fn an_mbox_is_known_behind_what_editors_put_before_it() {
        for before in ["\u{feff}", "\n\n", "\r\n"] {
            let mbox = format!(
                "{before}From a@b Mon Nov  2 10:00:00 2026\nSubject: 1\n\nx\n\nFrom a@b Mon Nov  2 10:00:00 2026\nSubject: 2\n\nx\n"
            );
            let names: Vec<String> = read("b.mbox", mbox.as_bytes())
                .into_iter()
                .map(|mail| mail.name.rsplit(':').next().unwrap_or_default().to_owned())
                .collect();
            assert_eq!(names, ["1", "2"], "{before:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.eml"), "Subject: 1\n\nx\n").unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("b.eml")).unwrap();
        std::fs::write(folder.path().join("c.eml"), "Subject: 2\n\nx\n").unwrap();
        let all: Vec<_> = Store::open(folder.path()).unwrap().collect();
        let read: Vec<bool> = all.iter().map(Result::is_ok).collect();
        assert_eq!(read, [true, false, true]);
    }
}
