//! Finds the files that go with mails, reads them, and keeps what many mails share.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Attachment;
use crate::campaign::plain;
use crate::digest;
use crate::mail::file::{kind_of, volume_name};
use crate::mail::{BigFile, FileUse, SentFile};
use crate::text;
use crate::words::Text;

/// Octets that one line of Base64 holds, and what the line takes on the wire. Source: RFC 2045, 6.8.
const LINE: (u64, u64) = (57, 78);
/// Volumes of one file at most: their names have three digits.
const VOLUMES_MAX: u64 = 999;

/// Reads files and keeps those that many mails share.
#[derive(Debug)]
pub struct Shelf {
    root: PathBuf,
    /// Files that the HTML names may stand beside it.
    beside: PathBuf,
    shared: Mutex<HashMap<SentFile, Attachment>>,
    big: Mutex<HashMap<SentFile, Arc<BigFile>>>,
}

impl Shelf {
    /// Files of this workspace, and those beside this HTML template.
    pub fn new(root: &Path, html: &Path) -> Self {
        Self {
            // A workspace that is this folder has no name.
            root: if root.as_os_str().is_empty() {
                ".".into()
            } else {
                root.to_owned()
            },
            beside: html.parent().unwrap_or(root).to_owned(),
            shared: Mutex::default(),
            big: Mutex::default(),
        }
    }

    /// The attachment that a file becomes; else why not.
    pub fn attachment(&self, file: &SentFile) -> Result<Attachment, Text> {
        if let Some(kept) = file
            .is_shared
            .then(|| lock(&self.shared).get(file).cloned())
            .flatten()
        {
            return Ok(kept);
        }
        let path = self.find(file)?;
        let bytes = std::fs::read(&path).map_err(|error| unreadable(file, &error))?;
        let made = Attachment::new(file, &name_of(file, &path)?, &bytes);
        if file.is_shared {
            lock(&self.shared).insert(file.clone(), made.clone());
        }
        Ok(made)
    }

    /// A file's content type and what is in it.
    pub fn content(&self, file: &SentFile) -> Option<(String, Vec<u8>)> {
        let path = self.find(file).ok()?;
        let bytes = std::fs::read(&path).ok()?;
        Some((kind_of(&path.to_string_lossy()), bytes))
    }

    /// What is to be known of a file that is too big for a mail. It is read once.
    pub fn big(&self, file: &SentFile) -> Result<Arc<BigFile>, Text> {
        if let Some(kept) = lock(&self.big).get(file) {
            return Ok(Arc::clone(kept));
        }
        let path = self.find(file)?;
        let about = std::fs::metadata(&path).map_err(|error| unreadable(file, &error))?;
        let made = Arc::new(BigFile {
            name: name_of(file, &path)?,
            digest: digest::of_file(&path).map_err(|error| Text::error(&error))?,
            path,
            size: about.len(),
            changed_at: about.modified().ok(),
        });
        lock(&self.big).insert(file.clone(), Arc::clone(&made));
        Ok(made)
    }

    /// The files that mails made so far link to.
    pub fn linked(&self) -> Vec<BigFile> {
        let big = lock(&self.big);
        let linked = big.iter().filter(|(file, _)| file.used == FileUse::Linked);
        linked.map(|(_, big)| BigFile::clone(big)).collect()
    }

    /// What is in the list must not lead out of the folder that the campaign names.
    fn find(&self, file: &SentFile) -> Result<PathBuf, Text> {
        let missing = || text!("there is no file `{path}`", path = file.path);
        let found = match file.used {
            FileUse::Shown(_) => standing([&self.beside, &self.root], &file.path),
            FileUse::Attached | FileUse::Linked | FileUse::Volumes(_) => standing([&self.root], &file.path),
        };
        let (folder, path) = found.ok_or_else(missing)?;
        let Some(within) = &file.within else {
            return Ok(path);
        };
        let (Ok(real), Ok(bounds)) = (path.canonicalize(), folder.join(within).canonicalize()) else {
            return Err(missing());
        };
        if !real.starts_with(bounds) {
            return Err(text!(
                "`{path}` comes from the list and leads out of the folder `{within}`",
                path = file.path,
                within
            ));
        }
        let is_image = || kind_of(&real.to_string_lossy()).starts_with("image/");
        if matches!(file.used, FileUse::Shown(_)) && !is_image() {
            return Err(text!(
                "`{path}` comes from the list and is no image",
                path = file.path
            ));
        }
        Ok(path)
    }

    /// Where an image that all mails share stands.
    pub fn image(&self, path: &str) -> Option<PathBuf> {
        standing([&self.beside, &self.root], path).map(|(_, path)| path)
    }
}

/// The first of these folders that has a file of this path, and where it is.
fn standing<'f, const N: usize>(folders: [&'f PathBuf; N], path: &str) -> Option<(&'f PathBuf, PathBuf)> {
    let mut places = folders.into_iter().map(|folder| (folder, folder.join(path)));
    places.find(|(_, path)| path.is_file())
}

/// In how many volumes a file comes, and how many of its octets each has, when one takes so many on the wire at most.
pub fn volumes(file: &BigFile, wire: u64) -> Result<(u32, u64), Text> {
    let (octets, line) = LINE;
    let each = (wire / line * octets).max(octets);
    let count = file.size.div_ceil(each).max(1);
    let few = u32::try_from(count).ok().filter(|_| count <= VOLUMES_MAX);
    few.map(|count| (count, each)).ok_or_else(|| {
        text!(
            "`{name}` would come in {count} volumes; {most} are the most: set a larger `volume`, or send it as a link",
            name = file.name,
            count,
            most = VOLUMES_MAX
        )
    })
}

/// A volume as an attachment; 1 is the first. It is not made of a file that was changed since it was first read: people
/// who have the volumes before it could not put them together.
pub fn volume(file: &SentFile, big: &BigFile, each: u64, number: u32) -> Result<Attachment, Text> {
    let mut bytes = Vec::new();
    let mut read = || -> std::io::Result<bool> {
        let mut source = File::open(&big.path)?;
        source.seek(SeekFrom::Start(u64::from(number - 1) * each))?;
        (&mut source).take(each).read_to_end(&mut bytes)?;
        let about = source.metadata()?;
        Ok((about.len(), about.modified().ok()) == (big.size, big.changed_at))
    };
    if !read().map_err(|error| unreadable(file, &error))? {
        return Err(text!(
            "`{path}` was changed while its volumes were sent",
            path = file.path
        ));
    }
    let plain = SentFile {
        adds_bom: false,
        ..file.clone()
    };
    Ok(Attachment::new(&plain, &volume_name(&big.name, number), &bytes))
}

/// The name that people see.
fn name_of(file: &SentFile, path: &Path) -> Result<String, Text> {
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    let name = file.name.as_deref().map_or(own, Cow::Borrowed);
    let name = name.trim();
    // In a folder that a web server shows, a name with a dot in front may mean something to the server.
    let is_special =
        matches!(name, "" | "." | "..") || (file.used == FileUse::Linked && name.starts_with('.'));
    if is_special || name.chars().any(|c| c.is_control() || c == '/' || c == '\\') {
        return Err(text!("`{name}` cannot be the name of a file", name));
    }
    Ok(name.to_owned())
}

fn unreadable(file: &SentFile, error: &std::io::Error) -> Text {
    text!(
        "cannot read `{path}`: {error}",
        path = file.path,
        error = plain(error)
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(name: &str, bytes: &[u8], file: impl FnOnce(&mut SentFile)) -> Result<String, Text> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let mut sent = SentFile {
            path: name.to_owned(),
            name: None,
            used: FileUse::Attached,
            is_shared: true,
            within: None,
            adds_bom: true,
        };
        file(&mut sent);
        let shelf = Shelf::new(folder.path(), &folder.path().join("body.html"));
        shelf
            .attachment(&sent)
            .map(|made| String::from_utf8(made.part().to_vec()).unwrap())
    }

    #[test]
    fn names_stand_there_in_both_forms() {
        let made = part("发票.pdf", b"%PDF", |_| {}).unwrap();
        assert_eq!(
            made,
            "Content-Type: application/pdf;\r\n name=\"=?UTF-8?B?5Y+R56WoLnBkZg==?=\"\r\n\
             Content-Disposition: attachment;\r\n filename=\"=?UTF-8?B?5Y+R56WoLnBkZg==?=\";\r\n \
             filename*=UTF-8''%E5%8F%91%E7%A5%A8.pdf\r\n\
             Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n"
        );
        let made = part("a.pdf", b"%PDF", |file| {
            file.name = Some("Invoice 7.pdf".to_owned());
        })
        .unwrap();
        assert!(made.contains("name=\"Invoice 7.pdf\"\r\n"), "{made}");
        assert!(!made.contains("filename*"), "{made}");
    }

    #[test]
    fn a_mail_as_a_file_can_be_opened() {
        let made = part("old.eml", b"Subject: x\n\nhi", |_| {}).unwrap();
        assert!(
            made.starts_with("Content-Type: application/octet-stream;"),
            "{made}"
        );
    }

    #[test]
    fn tables_that_excel_would_misread_are_marked() {
        for (name, text, is_marked) in [
            ("a.csv", "姓名\n", true),
            ("a.txt", "你好", true),
            ("a.csv", "name\n", false),
            ("a.csv", "\u{feff}姓名\n", false),
            ("a.json", "{\"姓名\": 1}", false),
            ("a.html", "<p>姓名</p>", false),
        ] {
            let made = part(name, text.as_bytes(), |_| {}).unwrap();
            let body = made.split("\r\n\r\n").nth(1).unwrap();
            let starts = text.starts_with('\u{feff}') || is_marked;
            assert_eq!(body.starts_with("77u/"), starts, "{name} {text}");
        }
        let made = part("a.csv", "姓名".as_bytes(), |file| file.adds_bom = false).unwrap();
        assert!(!made.contains("77u/"), "{made}");
    }

    #[test]
    fn what_is_in_the_list_does_not_lead_out_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        };
        for name in ["mailshot.toml", "lists/a.csv", "bills/7.pdf", "bills/logo.png"] {
            write(name);
        }
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("bills/out.pdf")).unwrap();
        let shelf = Shelf::new(folder.path(), &folder.path().join("body.html"));
        for (path, used, is_taken) in [
            ("bills/7.pdf", FileUse::Attached, true),
            ("bills/../mailshot.toml", FileUse::Attached, false),
            ("bills/../lists/a.csv", FileUse::Attached, false),
            ("bills/out.pdf", FileUse::Attached, false),
            ("/etc/passwd", FileUse::Attached, false),
            ("bills/logo.png", FileUse::Shown("c".to_owned()), true),
            ("bills/7.pdf", FileUse::Shown("c".to_owned()), false),
        ] {
            let sent = SentFile {
                path: path.to_owned(),
                name: None,
                used,
                is_shared: false,
                within: Some("bills/".to_owned()),
                adds_bom: true,
            };
            let made = shelf.attachment(&sent);
            assert_eq!(made.is_ok(), is_taken, "{path}: {made:?}");
        }
        for (name, used) in [
            ("a\r\nBcc: x", FileUse::Attached),
            ("..", FileUse::Attached),
            ("../a.pdf", FileUse::Linked),
            (".htaccess", FileUse::Linked),
        ] {
            let said = part("a.pdf", b"", |file| {
                file.name = Some(name.to_owned());
                file.used = used.clone();
            });
            assert!(
                said.unwrap_err()
                    .to_string()
                    .contains("cannot be the name of a file"),
                "{name}"
            );
        }
    }

    #[test]
    fn no_volume_is_made_of_a_file_that_was_changed_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        std::fs::write(&path, [1; 300]).unwrap();
        let shelf = Shelf::new(folder.path(), &folder.path().join("body.html"));
        let sent = SentFile {
            path: "a.bin".to_owned(),
            name: None,
            used: FileUse::Volumes(78),
            is_shared: true,
            within: None,
            adds_bom: true,
        };
        let big = shelf.big(&sent).unwrap();
        assert!(volume(&sent, &big, 57, 2).is_ok());
        std::fs::write(&path, [2; 200]).unwrap();
        let said = volume(&sent, &big, 57, 2).unwrap_err();
        assert_eq!(said, "`a.bin` was changed while its volumes were sent");
    }

    proptest! {
        #[test]
        fn volumes_hold_the_whole_file_and_each_fits(size in 0_u64..50_000_000, wire in 100_000_u64..30_000_000) {
            let big = BigFile { name: "a".to_owned(), path: PathBuf::new(), size, digest: [0; 32], changed_at: None };
            let (count, each) = volumes(&big, wire).unwrap();
            prop_assert!(u64::from(count) * each >= size && (u64::from(count) - 1) * each <= size);
            let encoded = encodify::base64::MIME.encoded_len(usize::try_from(each).unwrap());
            prop_assert!(encoded as u64 <= wire, "{encoded} of {wire}");
        }
    }
}
