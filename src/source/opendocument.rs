//! Sheets in `OpenDocument` (.ods) as they are shown. The file has the text of each cell beside its value, and calamine
//! gives the value: so the value is taken out of the way, and the text is what is left.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use calamine::{Ods, Reader as _};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The part of the archive with the cells.
const CELLS: &str = "content.xml";
/// The tag of a cell. One whose neighbour covers it shows nothing.
const CELL: &str = "<table:table-cell ";
/// The kinds of values whose text depends on a format. What `true` is called depends on the country, so its value stays.
const FORMATTED: [&str; 5] = ["float", "percentage", "currency", "date", "time"];

/// Opens a workbook in which each number and day is the text that its sheet shows; none when it is no such workbook.
pub(super) fn open(path: &Path) -> Option<Ods<BufReader<File>>> {
    let file = with_texts(path).ok()?;
    Ods::new(BufReader::new(file)).ok()
}

fn with_texts(path: &Path) -> io::Result<File> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?))?;
    let mut cells = String::new();
    archive.by_name(CELLS)?.read_to_string(&mut cells)?;
    let mut out = ZipWriter::new(tempfile::tempfile()?);
    for index in 0..archive.len() {
        let part = archive.by_index_raw(index)?;
        if part.name()? == CELLS {
            drop(part);
            out.start_file(CELLS, SimpleFileOptions::default())?;
            out.write_all(as_shown(&cells).as_bytes())?;
        } else {
            out.raw_copy_file(part)?;
        }
    }
    let mut file = out.finish()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// The same cells without their values, where a text says what they show.
fn as_shown(xml: &str) -> String {
    let mut out = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some((before, cell)) = rest.find(CELL).and_then(|at| rest.split_at_checked(at)) {
        let (tag, after) = cell.split_at_checked(tag_end(cell)).unwrap_or((cell, ""));
        out.push_str(before);
        match without_value(tag).filter(|_| shows_text(after)) {
            Some(changed) => out.push_str(&changed),
            None => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where a tag ends: values may hold a `>`.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// A cell's tag as that of a text; none when its value is no number and no day.
fn without_value(tag: &str) -> Option<String> {
    let (before, rest) = tag.split_once(" office:value-type=\"")?;
    let (kind, after) = rest.split_once('"')?;
    if !FORMATTED.contains(&kind) {
        return None;
    }
    let mut text = format!("{before} office:value-type=\"string\"{after}");
    for value in [" office:value=", " office:date-value=", " office:time-value="] {
        text = text.replace(value, " office:former-value=");
    }
    Some(text)
}

/// Does a cell begin with a paragraph that has something in it?
fn shows_text(content: &str) -> bool {
    let content = content.trim_start();
    let paragraph = content.split("</text:p>").next().unwrap_or_default();
    let texts = paragraph.split('<').filter_map(|piece| piece.split_once('>'));
    content.starts_with("<text:p") && !content.starts_with("<text:p/") && {
        let mut texts = texts.map(|(_, text)| text.trim());
        texts.any(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_makes_way_for_the_text_that_is_shown() {
        for (cell, shown) in [
            (
                "<table:table-cell office:value-type=\"float\" office:value=\"123\" table:formula=\"of:=IF(1>0;1)\"><text:p>00123</text:p>",
                "<table:table-cell office:value-type=\"string\" office:former-value=\"123\" table:formula=\"of:=IF(1>0;1)\"><text:p>00123</text:p>",
            ),
            (
                "<table:table-cell office:value-type=\"date\" office:date-value=\"2026-11-23\"><text:p><text:span>23.11.</text:span></text:p>",
                "<table:table-cell office:value-type=\"string\" office:former-value=\"2026-11-23\"><text:p><text:span>23.11.</text:span></text:p>",
            ),
            (
                "<table:table-cell office:value-type=\"float\" office:value=\"1\"/><x/>",
                "",
            ),
            (
                "<table:table-cell office:value-type=\"float\" office:value=\"1\"><text:p/></table:table-cell>",
                "",
            ),
            (
                "<table:table-cell office:value-type=\"boolean\" office:boolean-value=\"true\"><text:p>WAHR</text:p>",
                "",
            ),
            (
                "<table:table-cell office:value-type=\"string\"><text:p>office:value=\"1\"</text:p>",
                "",
            ),
        ] {
            let shown = if shown.is_empty() { cell } else { shown };
            assert_eq!(as_shown(cell), shown);
        }
    }
}
