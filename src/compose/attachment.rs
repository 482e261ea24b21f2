//! Files that go with a mail: attachments, and images that the HTML shows.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::headers;
use crate::campaign::plain;
use crate::mail::{FileUse, SentFile};

/// Names that mailboxes throw away, or refuse the whole mail for. Source: Gmail's list of blocked file types.
const BLOCKED: [&str; 44] = [
    "ade",
    "adp",
    "apk",
    "appx",
    "appxbundle",
    "bat",
    "cab",
    "chm",
    "cmd",
    "com",
    "cpl",
    "diagcab",
    "diagcfg",
    "dll",
    "dmg",
    "exe",
    "hta",
    "img",
    "ins",
    "iso",
    "isp",
    "jar",
    "jnlp",
    "js",
    "jse",
    "lib",
    "lnk",
    "mde",
    "mjs",
    "msc",
    "msi",
    "msix",
    "msp",
    "mst",
    "nsh",
    "pif",
    "ps1",
    "scr",
    "sct",
    "vb",
    "vbe",
    "vbs",
    "wsc",
    "wsf",
];
/// The mark by which Excel on Windows knows UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Does a file of this name get a mail refused?
pub fn is_blocked(name: &str) -> bool {
    let ending = Path::new(name)
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    BLOCKED.contains(&ending.as_str())
}

/// A file, ready to be put into a mail.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Its headers and its content in Base64.
    part: Arc<[u8]>,
    is_inline: bool,
}

impl Attachment {
    pub(super) fn part(&self) -> &[u8] {
        &self.part
    }

    pub(super) fn is_inline(&self) -> bool {
        self.is_inline
    }
}

/// Reads files and keeps those that many mails share.
#[derive(Debug)]
pub struct Shelf {
    root: PathBuf,
    /// Files that the HTML names may stand beside it.
    beside: PathBuf,
    shared: Mutex<HashMap<SentFile, Attachment>>,
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
        }
    }

    /// The attachment that a file becomes; else why not.
    pub fn attachment(&self, file: &SentFile) -> Result<Attachment, String> {
        let shared = || self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = file.is_shared.then(|| shared().get(file).cloned()).flatten() {
            return Ok(kept);
        }
        let made = self.read(file)?;
        if file.is_shared {
            shared().insert(file.clone(), made.clone());
        }
        Ok(made)
    }

    /// A file's content type and what is in it.
    pub fn content(&self, file: &SentFile) -> Option<(String, Vec<u8>)> {
        let path = self.find(file).ok()?;
        let bytes = std::fs::read(&path).ok()?;
        Some((kind_of(&path.to_string_lossy()), bytes))
    }

    fn read(&self, file: &SentFile) -> Result<Attachment, String> {
        let path = self.find(file)?;
        let bytes = std::fs::read(&path)
            .map_err(|error| format!("cannot read `{}`: {}", file.path, plain(&error)))?;
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let name = file.name.as_deref().map_or(own, Cow::Borrowed);
        let name = name.trim();
        if name.is_empty() || name.chars().any(|c| c.is_control() || c == '/' || c == '\\') {
            return Err(format!("`{name}` cannot be the name of a file"));
        }
        let kind = kind_of(name);
        let bytes = if file.adds_bom {
            with_bom(&bytes, &kind)
        } else {
            Cow::Borrowed(bytes.as_slice())
        };
        let mut part = Vec::with_capacity(bytes.len() * 7 / 5 + 512);
        let mut line = |text: &str| part.extend_from_slice(format!("{text}\r\n").as_bytes());
        let kind = if kind.starts_with("text/") && std::str::from_utf8(&bytes).is_ok() {
            format!("{kind}; charset=utf-8")
        } else {
            kind
        };
        line(&format!(
            "Content-Type: {kind};\r\n name={}",
            headers::file_name(name)
        ));
        match &file.used {
            FileUse::Attached => {
                line(&format!(
                    "Content-Disposition: attachment;\r\n {}",
                    headers::file_name_parameters(name)
                ));
            }
            FileUse::Shown(cid) => {
                line(&format!("Content-ID: <{cid}>"));
                line(&format!(
                    "Content-Disposition: inline;\r\n {}",
                    headers::file_name_parameters(name)
                ));
            }
        }
        line("Content-Transfer-Encoding: base64\r\n");
        encodify::base64::MIME.encode_append(&bytes, &mut part);
        Ok(Attachment {
            part: part.into(),
            is_inline: matches!(file.used, FileUse::Shown(_)),
        })
    }

    /// What is in the list must not lead out of the folder that the campaign names.
    fn find(&self, file: &SentFile) -> Result<PathBuf, String> {
        let missing = || format!("there is no file `{}`", file.path);
        let found = match file.used {
            FileUse::Attached => standing([&self.root], &file.path),
            FileUse::Shown(_) => standing([&self.beside, &self.root], &file.path),
        };
        let (folder, path) = found.ok_or_else(missing)?;
        let Some(within) = &file.within else {
            return Ok(path);
        };
        let (Ok(real), Ok(bounds)) = (path.canonicalize(), folder.join(within).canonicalize()) else {
            return Err(missing());
        };
        if !real.starts_with(bounds) {
            return Err(format!(
                "`{}` comes from the list and leads out of the folder `{within}`",
                file.path
            ));
        }
        let is_image = || kind_of(&real.to_string_lossy()).starts_with("image/");
        if matches!(file.used, FileUse::Shown(_)) && !is_image() {
            return Err(format!("`{}` comes from the list and is no image", file.path));
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

fn kind_of(name: &str) -> String {
    mime_guess::from_path(name)
        .first_or_octet_stream()
        .essence_str()
        .to_owned()
}

/// Excel on Windows takes a CSV file for the country's old encoding unless it is marked.
fn with_bom<'b>(bytes: &'b [u8], kind: &str) -> Cow<'b, [u8]> {
    let is_table = matches!(kind, "text/csv" | "text/plain" | "text/tab-separated-values");
    if !is_table || bytes.is_ascii() || bytes.starts_with(BOM) || std::str::from_utf8(bytes).is_err() {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([BOM, bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, bytes: &[u8], file: impl FnOnce(&mut SentFile)) -> Result<String, String> {
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
        let said = part("a.pdf", b"", |file| file.name = Some("a\r\nBcc: x".to_owned()));
        assert!(said.unwrap_err().contains("cannot be the name of a file"));
    }
}
