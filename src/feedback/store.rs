//! Mails in files: one a file, a folder of them, a Maildir, an mbox. Read one after another, never all at once.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Take};
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

/// Goes through the mails of a file or folder.
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

    fn next_mail(&mut self) -> std::io::Result<Option<Stored>> {
        loop {
            if let Some(mbox) = &mut self.open {
                if let Some(stored) = mbox.next()? {
                    return Ok(Some(stored));
                }
                self.open = None;
            }
            let Some(path) = self.files.pop() else {
                return Ok(None);
            };
            let mut reader = BufReader::new(File::open(&path)?);
            if reader.fill_buf()?.starts_with(b"From ") && may_be_mbox(&path) {
                self.open = Some(Mbox::new(path, reader));
                continue;
            }
            let mut octets = Vec::new();
            reader.take(SIZE_MAX).read_to_end(&mut octets)?;
            return Ok(Some(Stored {
                name: path.display().to_string(),
                octets,
            }));
        }
    }
}

impl Iterator for Store {
    type Item = std::io::Result<Stored>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_mail().transpose()
    }
}

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
        let metadata = std::fs::metadata(&path)?;
        if metadata.is_dir() {
            list(&path, files)?;
        } else if metadata.is_file() {
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
    lines: Take<BufReader<File>>,
    number: usize,
    /// The line that begins the next mail.
    head: Vec<u8>,
}

impl Mbox {
    fn new(path: PathBuf, reader: BufReader<File>) -> Self {
        Self {
            path,
            lines: reader.take(u64::MAX),
            number: 0,
            head: Vec::new(),
        }
    }

    fn next(&mut self) -> std::io::Result<Option<Stored>> {
        let mut octets = std::mem::take(&mut self.head);
        let mut is_after_blank = false;
        loop {
            let mut line = Vec::new();
            if self.lines.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            // A mail begins after an empty line; the word stands in texts, too.
            if line.starts_with(b"From ") && is_after_blank {
                self.head = line;
                break;
            }
            is_after_blank = line.trim_ascii().is_empty();
            if (octets.len() as u64) < SIZE_MAX {
                octets.extend_from_slice(unquoted(&line));
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
