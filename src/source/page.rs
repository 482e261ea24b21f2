//! Web pages (HTML) as tables of text: many web sites name a page with a table `.xls` and call it an export.
//!
//! Of several tables the longest is the list. Rows are counted from 1 in that table, as spreadsheets count them. A cell
//! is its text as a browser shows it: white space is one space, `<br>` begins a line.
//!
//! The XML spreadsheets of Excel 2003 are read by the same code: rows and cells have other names there.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use encoding_rs::{Encoding, GB18030, GBK};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::table::{Numbering, SheetWriter};
use crate::campaign::{Problem, plain};
use crate::text;

/// Bytes read at a time.
const CHUNK: usize = 1 << 16;

/// Does a text begin as a web page does?
pub(super) fn is_markup(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(16).collect();
    let start = start.to_ascii_lowercase();
    let tags = [
        "<!doctype",
        "<html",
        "<table",
        "<?xml",
        "<meta",
        "<head",
        "<body",
        "<style",
        "<div",
    ];
    tags.iter().any(|tag| start.starts_with(tag))
}

/// Is it an XML spreadsheet and no web page?
pub(super) fn is_spreadsheet(text: &str) -> bool {
    text.contains("urn:schemas-microsoft-com:office:spreadsheet")
}

/// The encoding that a page says it is in: `<meta charset="gbk">`.
pub(super) fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, rest) = head.split_once("charset=")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_:".contains(c);
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    let name = rest.split(|c| !is_name(c)).next()?;
    let encoding = Encoding::for_label(name.as_bytes())?;
    // What calls itself GBK holds characters of GB18030; the reverse is a subset.
    Some(if encoding == GBK { GB18030 } else { encoding })
}

/// Writes the longest table of a page, whose text is at `text`, as CSV. Says how many tables there are.
pub(super) fn write(path: &Path, text: &Path, out: impl Write) -> Result<(usize, Numbering), Problem> {
    let unread =
        |error: io::Error| Problem::with_file(path, text!("cannot be read: {error}", error = plain(&error)));
    let counted = read(text, Reader::<io::Sink>::default()).map_err(unread)?;
    let longest = counted
        .tables
        .iter()
        .enumerate()
        .max_by_key(|(at, rows)| (**rows, usize::MAX - at));
    let Some((wanted, _)) = longest.filter(|(_, rows)| **rows > 0) else {
        let what = text!("this is a web page without a table, not a list");
        let hint = text!("the site may have answered with a page to log in; download the export again");
        return Err(Problem::with_file(path, what).hint(hint));
    };
    let reader = Reader {
        wanted: Some(wanted),
        out: Some(SheetWriter::new(out)),
        ..Reader::default()
    };
    let read = read(text, reader).map_err(unread)?;
    if let Some((row, column)) = read.merged {
        let what = text!("this cell of the table goes over several rows (`rowspan`)");
        let hint = text!(
            "nothing was read; open it in a spreadsheet, take the merged cells apart, and save it as `CSV UTF-8`"
        );
        return Err(Problem::at(path, u64::from(row), u64::from(column), what).hint(hint));
    }
    let numbering = match (read.failed, read.out) {
        (Some(error), _) => Err(error),
        (None, Some(out)) => out.finish(),
        (None, None) => Ok(Numbering::default()),
    };
    Ok((counted.tables.len(), numbering.map_err(unread)?))
}

fn read<W: Write>(text: &Path, reader: Reader<W>) -> io::Result<Reader<W>> {
    let tokenizer = Tokenizer::new(Sink(RefCell::new(reader)), TokenizerOpts::default());
    let mut file = File::open(text)?;
    let mut bytes = Vec::new();
    loop {
        let read = Read::take(&mut file, CHUNK as u64).read_to_end(&mut bytes)?;
        let whole = match std::str::from_utf8(&bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = bytes.split_off(whole);
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from_slice(
            std::str::from_utf8(&bytes).unwrap_or_default(),
        ));
        // It stops early only for scripts that are to be run.
        let _done = tokenizer.feed(&queue);
        bytes = rest;
        if read == 0 {
            break;
        }
    }
    tokenizer.end();
    let mut reader = tokenizer.sink.0.into_inner();
    reader.end_cell();
    Ok(reader)
}

/// What was understood of a page so far.
struct Reader<W: Write> {
    /// Rows of each table.
    tables: Vec<u64>,
    /// Tables within one another that are not closed yet.
    open: Vec<usize>,
    /// Which table is written.
    wanted: Option<usize>,
    out: Option<SheetWriter<W>>,
    /// Where the next cell stands, from 0.
    column: u32,
    width: u32,
    cell: Option<String>,
    /// A cell that goes over several rows, from 1.
    merged: Option<(u32, u32)>,
    failed: Option<io::Error>,
}

impl<W: Write> Default for Reader<W> {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            open: Vec::new(),
            wanted: None,
            out: None,
            column: 0,
            width: 1,
            cell: None,
            merged: None,
            failed: None,
        }
    }
}

impl<W: Write> Reader<W> {
    fn tag(&mut self, tag: &Tag) {
        match (tag.kind, &*tag.name) {
            (TagKind::StartTag, "table") => {
                self.open.push(self.tables.len());
                self.tables.push(0);
            }
            (TagKind::EndTag, "table") => {
                self.end_cell_here();
                self.open.pop();
            }
            (TagKind::StartTag, "tr" | "row") => {
                self.end_cell_here();
                if let Some(rows) = self.open.last().and_then(|table| self.tables.get_mut(*table)) {
                    // Blank rows are left out, and the next one says its number.
                    *rows = number(tag, "ss:index")
                        .map_or(*rows + 1, u64::from)
                        .max(*rows + 1);
                }
                if self.is_here() {
                    self.column = 0;
                }
            }
            (TagKind::StartTag, "td" | "th" | "cell") if self.is_here() => self.begin_cell(tag),
            (TagKind::EndTag, "td" | "th" | "tr" | "cell" | "row") => self.end_cell_here(),
            (TagKind::StartTag, "br" | "p" | "div") if self.is_here() => {
                if let Some(cell) = self.cell.as_mut().filter(|cell| !cell.is_empty()) {
                    cell.push('\n');
                }
            }
            _ => {}
        }
    }

    /// Is this within the wanted table, and not in a table of a cell of it?
    fn is_here(&self) -> bool {
        self.wanted.is_some() && self.open.last().copied() == self.wanted
    }

    /// The row one is in, from 1.
    fn row(&self) -> u32 {
        let rows = self.wanted.and_then(|table| self.tables.get(table)).copied();
        u32::try_from(rows.unwrap_or_default()).unwrap_or(u32::MAX)
    }

    fn begin_cell(&mut self, tag: &Tag) {
        self.end_cell();
        self.column = number(tag, "ss:index").map_or(self.column, |column| column.saturating_sub(1));
        if number(tag, "rowspan") > Some(1) || number(tag, "ss:mergedown") > Some(0) {
            self.merged.get_or_insert((self.row(), self.column + 1));
        }
        let more = number(tag, "ss:mergeacross").map(|more| more.saturating_add(1));
        self.width = number(tag, "colspan").or(more).unwrap_or(1).clamp(1, 1_000);
        self.cell = Some(String::new());
    }

    fn end_cell_here(&mut self) {
        if self.is_here() {
            self.end_cell();
        }
    }

    fn end_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        let at = (self.row().saturating_sub(1), self.column);
        self.column = self.column.saturating_add(self.width);
        let lines = cell
            .split('\n')
            .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
        let text = lines.collect::<Vec<_>>().join("\n");
        if let Some(out) = &mut self.out
            && let Err(error) = out.cell(at, text.trim().to_owned())
        {
            self.failed.get_or_insert(error);
        }
    }

    fn text(&mut self, text: &str) {
        if self.is_here()
            && let Some(cell) = &mut self.cell
        {
            // A line of the page is none of the cell.
            cell.push_str(&text.replace(['\r', '\n'], " "));
        }
    }
}

/// A number among the attributes of a tag.
fn number(tag: &Tag, name: &str) -> Option<u32> {
    let said = tag.attrs.iter().find(|attribute| &*attribute.name.local == name);
    said?.value.trim().parse().ok()
}

struct Sink<W: Write>(RefCell<Reader<W>>);

impl<W: Write> TokenSink for Sink<W> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reader = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => {
                reader.tag(&tag);
                if tag.kind == TagKind::StartTag {
                    match &*tag.name {
                        "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                        "style" | "xmp" | "noframes" => return TokenSinkResult::RawData(RawKind::Rawtext),
                        "title" | "textarea" => return TokenSinkResult::RawData(RawKind::Rcdata),
                        _ => {}
                    }
                }
            }
            Token::CharacterTokens(text) => reader.text(&text),
            Token::NullCharacterToken => reader.text("\0"),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}
