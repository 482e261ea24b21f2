//! From the user's file to plain text: CSV in UTF-8.
//!
//! What is plain already is read where it lies. Everything else is decoded or converted into a temporary file, and
//! [`Origin`] says what was done, for the user to see.

use std::fs::File;
use std::io::{self, BufWriter, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde::Serialize;
use tempfile::{NamedTempFile, TempPath};

use super::attributes::{Added, Attributes};
use super::encoding::{self, BOM};
use super::page;
use super::table::Numbering;
use super::workbook::Workbook;
use crate::campaign::{ListSettings, Problem, plain};
use crate::text;
use crate::words::Text;

/// Bytes by which a file is recognised.
const HEAD: u64 = 4_096;

/// A list's file, recognised, and its text in plain CSV.
#[derive(Clone, Debug)]
pub struct Intake {
    /// The user's file.
    pub(super) path: PathBuf,
    text: PlainText,
    pub(super) origin: Origin,
    pub(super) numbering: Numbering,
    /// Columns that are not the file's own.
    pub(super) added: Option<Added>,
}

/// Where the plain text lies.
#[derive(Clone, Debug)]
enum PlainText {
    /// Here, and it is not ours to delete.
    Kept(PathBuf),
    /// In a temporary file.
    Made(Arc<TempPath>),
}

impl PlainText {
    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Made(path) => path,
        }
    }
}

/// What a list came as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// `csv`, `xlsx`, `xls`, `xlsb`, `ods` or `html`.
    pub format: &'static str,
    /// The encoding by its name in the Encoding Standard; none for workbooks, which do not need one.
    pub encoding: Option<&'static str>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// What the user should know about how it was read.
    pub notes: Vec<Text>,
}

impl Origin {
    /// Is it text with something between the cells?
    pub fn is_text(&self) -> bool {
        self.format == "csv"
    }
}

impl Intake {
    /// Recognises a list by its content, and makes it plain.
    pub fn open(path: &Path, settings: &ListSettings) -> Result<Self, Problem> {
        let unreadable = |error: io::Error| {
            Problem::with_file(path, text!("cannot be read: {error}", error = plain(&error)))
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut head = Vec::new();
        file.by_ref()
            .take(HEAD)
            .read_to_end(&mut head)
            .map_err(unreadable)?;
        let text = head.strip_prefix(BOM).unwrap_or(&head);
        // A longer file may begin with blank lines.
        if text.trim_ascii().is_empty() && (head.len() as u64) < HEAD {
            return Err(is_empty(path));
        }
        if head.starts_with(b"PK\x03\x04") {
            return Self::from_workbook(path, "xlsx", settings);
        }
        if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            return Self::from_workbook(path, "xls", settings);
        }
        let start = encoding::utf_16(&head).unwrap_or(UTF_8).decode(&head).0;
        if page::is_markup(&start) {
            return Self::from_page(path, &file, &head, settings);
        }
        Self::from_text(path, &file, &head, settings)
    }

    fn from_text(path: &Path, file: &File, head: &[u8], settings: &ListSettings) -> Result<Self, Problem> {
        let encoding = encoding::find(path, file, head, settings.encoding)?;
        if let Some(sheet) = &settings.sheet {
            return Err(has_no_sheets(path, sheet));
        }
        let origin = Origin {
            format: "csv",
            encoding: Some(encoding::name(encoding)),
            sheet: None,
            notes: Vec::new(),
        };
        let text = if settings.encoding.is_none() && encoding == UTF_8 {
            PlainText::Kept(path.to_owned())
        } else {
            let mut out = temporary(path)?;
            encoding::decode(path, file, encoding, &mut out)?;
            made(path, out)?
        };
        let intake = Self {
            path: path.to_owned(),
            text,
            origin,
            numbering: Numbering::default(),
            added: None,
        };
        intake.with_attributes()
    }

    /// The same, with a column for each attribute of a column of JSON.
    fn with_attributes(mut self) -> Result<Self, Problem> {
        let path = self.path.clone();
        let unread = |error: io::Error| {
            Problem::with_file(&path, text!("cannot be read: {error}", error = plain(&error)))
        };
        let Some(attributes) = Attributes::find(self.text()).map_err(unread)? else {
            return Ok(self);
        };
        let mut out = temporary(&self.path)?;
        self.numbering = attributes.write(self.text(), &mut out).map_err(unread)?;
        self.added = Some(attributes.added());
        let headers: Vec<&str> = attributes.headers().collect();
        self.origin.notes.push(text!(
            "attributes became columns: {headers}",
            headers = headers.join(", ")
        ));
        self.text = made(&self.path, out)?;
        Ok(self)
    }

    fn from_page(path: &Path, file: &File, head: &[u8], settings: &ListSettings) -> Result<Self, Problem> {
        if let Some(sheet) = &settings.sheet {
            return Err(has_no_sheets(path, sheet));
        }
        let found = encoding::find(path, file, head, settings.encoding);
        let is_certain = |found: &&&'static Encoding| [UTF_8, UTF_16LE, UTF_16BE].contains(found);
        let certain = settings
            .encoding
            .or(found.as_ref().ok().filter(is_certain).copied());
        let encoding = match certain.or_else(|| page::declared(head)) {
            Some(encoding) => encoding,
            None => found?,
        };
        let mut text = temporary(path)?;
        encoding::decode(path, file, encoding, &mut text)?;
        let text = made(path, text)?;
        let mut out = temporary(path)?;
        let (tables, numbering) = page::write(path, text.path(), &mut out)?;
        let start = encoding.decode(head).0;
        let note = if page::is_spreadsheet(&start) {
            text!("this is an XML spreadsheet; lines are its rows, and numbers are read without their format")
        } else {
            text!("this is a web page; its table was read, and lines are the rows of the table")
        };
        let mut notes = vec![note];
        if tables > 1 {
            notes.push(text!(
                "the page has {tables} tables, of which the longest was read",
                tables
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            text: made(path, out)?,
            origin: Origin {
                format: "html",
                encoding: Some(encoding::name(encoding)),
                sheet: None,
                notes,
            },
            numbering,
            added: None,
        })
    }

    fn from_workbook(path: &Path, kind: &str, settings: &ListSettings) -> Result<Self, Problem> {
        let mut book = Workbook::open(path, kind)?;
        let mut out = temporary(path)?;
        let (sheet, numbering) = book.write(settings.sheet.as_deref(), &mut out)?;
        let format = book.format();
        let mut notes: Vec<Text> = book.note().into_iter().collect();
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        if !["xlsx", "xlsm", "xltx", "xls", "xlsb", "ods", "et"].contains(&ending.as_str()) {
            notes.push(text!("this is an Excel workbook (.{format}) under the name of a .{ending} file; read as a workbook", format, ending));
        }
        Ok(Self {
            path: path.to_owned(),
            text: made(path, out)?,
            origin: Origin {
                format,
                encoding: None,
                sheet: Some(sheet),
                notes,
            },
            numbering,
            added: None,
        })
    }

    /// What it came as.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Where the plain text lies.
    pub fn text(&self) -> &Path {
        self.text.path()
    }

    /// The same list, whose text now lies elsewhere.
    #[must_use]
    pub fn kept_at(self, path: PathBuf) -> Self {
        Self {
            text: PlainText::Kept(path),
            ..self
        }
    }
}

/// A list without even a header.
pub(super) fn is_empty(path: &Path) -> Problem {
    Problem::with_file(path, text!("this list is empty")).hint(text!(
        "its first row names the columns, each further row is a person"
    ))
}

fn has_no_sheets(path: &Path, sheet: &str) -> Problem {
    Problem::with_file(
        path,
        text!("this is no workbook, and has no sheet `{sheet}`", sheet),
    )
    .hint(text!("name the workbook, or take `sheet` out"))
}

fn temporary(list: &Path) -> Result<BufWriter<NamedTempFile>, Problem> {
    let file = NamedTempFile::new().map_err(|error| unwritten(list, &error))?;
    Ok(BufWriter::new(file))
}

fn made(list: &Path, out: BufWriter<NamedTempFile>) -> Result<PlainText, Problem> {
    let file = out.into_inner().map_err(|error| unwritten(list, error.error()))?;
    Ok(PlainText::Made(Arc::new(file.into_temp_path())))
}

fn unwritten(list: &Path, error: &io::Error) -> Problem {
    let folder = std::env::temp_dir();
    let what = text!(
        "its text cannot be written to {folder}: {error}",
        folder = folder.display(),
        error = plain(error)
    );
    Problem::with_file(list, what).hint(text!("TMPDIR says where temporary files go"))
}
