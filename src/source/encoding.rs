//! Lists are in UTF-8. Anything else is recognised, so that the message can name it and say what to do.
//!
//! Nothing is converted here: a wrong guess would put broken names into every mail.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

use crate::campaign::{Problem, plain};

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;
/// Bytes before and after a bad byte that are looked at.
const AROUND: usize = 1 << 16;
/// Characters of a source line shown at most.
const SHOWN: usize = 200;
const BOM: &[u8] = b"\xef\xbb\xbf";
const SAVE_AS: &str = "save it in Excel as `CSV UTF-8`";

/// Reads the whole file once. Gives the byte at which the text begins, after a byte order mark.
pub(super) fn check(path: &Path, file: &File) -> Result<u64, Problem> {
    let unreadable =
        |error: io::Error| Problem::with_file(path, format!("cannot be read: {}", plain(&error)));
    let head = read(file, 0, CHUNK).map_err(unreadable)?;
    if let Some(problem) = other_format(path, &head) {
        return Err(problem);
    }
    if let Some(bad) = first_bad_byte(file).map_err(unreadable)? {
        return Err(explain(path, file, &bad).map_err(unreadable)?);
    }
    Ok(if head.starts_with(BOM) {
        BOM.len() as u64
    } else {
        0
    })
}

/// Recognises files that are no text lists at all, by how they begin.
fn other_format(path: &Path, head: &[u8]) -> Option<Problem> {
    let text = head.strip_prefix(BOM).unwrap_or(head);
    if text.trim_ascii().is_empty() {
        return Some(
            Problem::with_file(path, "this list is empty")
                .hint("its first row names the columns, each further row is a person"),
        );
    }
    let open_and_save = format!("open it in Excel and {}", SAVE_AS.replacen("it in Excel ", "", 1));
    let (what, hint) = if head.starts_with(b"PK\x03\x04") {
        ("this is an Excel workbook (.xlsx), not a CSV file", open_and_save)
    } else if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        (
            "this is an old Excel workbook (.xls), not a CSV file",
            open_and_save,
        )
    } else if is_markup(text) {
        (
            "this is a web page, not a CSV file; some sites name their HTML exports .xls or .csv",
            open_and_save,
        )
    } else if let Some(encoding) = utf_16(head) {
        let (line, _, _) = encoding.decode(head);
        let line: String = line
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(SHOWN)
            .collect();
        let what = "this list is in UTF-16 (Excel's `Unicode Text`), not in UTF-8";
        return Some(Problem::at(path, 1, 1, what).hint(SAVE_AS).source(line, 1));
    } else {
        return None;
    };
    Some(Problem::with_file(path, what).hint(hint))
}

fn is_markup(text: &[u8]) -> bool {
    let start: Vec<u8> = text
        .trim_ascii_start()
        .iter()
        .take(16)
        .map(u8::to_ascii_lowercase)
        .collect();
    [
        &b"<!doctype"[..],
        b"<html",
        b"<table",
        b"<?xml",
        b"<meta",
        b"<head",
    ]
    .iter()
    .any(|tag| start.starts_with(tag))
}

/// UTF-16 begins with a mark, or has a NUL beside nearly every ASCII character.
fn utf_16(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    if head.starts_with(b"\xff\xfe") {
        return Some(UTF_16LE);
    }
    if head.starts_with(b"\xfe\xff") {
        return Some(UTF_16BE);
    }
    let sample = head.get(..512.min(head.len())).unwrap_or_default();
    let nuls = |odd: usize| {
        sample
            .iter()
            .skip(odd)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd) = (nuls(0), nuls(1));
    let many = sample.len() / 6;
    if odd > many && even * 8 < odd {
        Some(UTF_16LE)
    } else if even > many && odd * 8 < even {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Where UTF-8 ends.
struct BadByte {
    /// Its place in the file, from 0.
    offset: u64,
    /// Its line, from 1.
    line: u64,
}

fn first_bad_byte(file: &File) -> io::Result<Option<BadByte>> {
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    loop {
        let bytes = read_into(file, offset, &mut buffer)?;
        let (good, is_bad) = match std::str::from_utf8(bytes) {
            Ok(text) => (text.len(), false),
            Err(error) => (
                error.valid_up_to(),
                error.error_len().is_some() || bytes.len() < CHUNK,
            ),
        };
        if is_bad {
            let offset = offset + good as u64;
            let line = line_at(file, offset)?;
            return Ok(Some(BadByte { offset, line }));
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        offset += good as u64;
    }
}

/// The line of a byte, counted only where there is something to say about it.
fn line_at(file: &File, end: u64) -> io::Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let (mut offset, mut line, mut previous) = (0, 1, 0);
    while offset < end {
        let bytes = read_into(file, offset, &mut buffer)?;
        let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
        let bytes = bytes.get(..left).unwrap_or(bytes);
        if bytes.is_empty() {
            break;
        }
        line += line_ends(bytes, &mut previous);
        offset += bytes.len() as u64;
    }
    Ok(line)
}

/// Counts LF, CR and CRLF as one line end each; `previous` is the byte before.
fn line_ends(bytes: &[u8], previous: &mut u8) -> u64 {
    let mut count = 0;
    for byte in bytes {
        let is_end = *byte == b'\r' || (*byte == b'\n' && *previous != b'\r');
        count += u64::from(is_end);
        *previous = *byte;
    }
    count
}

fn explain(path: &Path, file: &File, bad: &BadByte) -> io::Result<Problem> {
    let before = read(
        file,
        bad.offset.saturating_sub(AROUND as u64),
        usize::try_from(bad.offset).map_or(AROUND, |at| at.min(AROUND)),
    )?;
    let after = read(file, bad.offset, AROUND)?;
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let start = before.iter().rposition(is_end).map_or(0, |at| at + 1);
    let end = after.iter().position(is_end).unwrap_or(after.len());
    let line_start = before.get(start..).unwrap_or_default();
    let column = String::from_utf8_lossy(line_start)
        .trim_start_matches('\u{feff}')
        .chars()
        .count() as u64
        + 1;
    let line: Vec<u8> = line_start.iter().chain(after.iter().take(end)).copied().collect();
    let is_chinese = is_gb18030(&after);
    let shown = if is_chinese {
        GB18030.decode(&line).0
    } else {
        String::from_utf8_lossy(&line)
    };
    let shown: String = shown.trim_start_matches('\u{feff}').chars().take(SHOWN).collect();
    let problem = if is_chinese {
        Problem::at(path, bad.line, column, "this list is in GB18030, not in UTF-8").hint(SAVE_AS)
    } else {
        Problem::at(
            path,
            bad.line,
            column,
            "this list is not in UTF-8; the first byte that cannot be read is here",
        )
        .hint(format!(
            "{SAVE_AS}, or convert it, for example with `iconv -f WINDOWS-1252 -t UTF-8`"
        ))
    };
    Ok(problem.source(shown, 1))
}

/// GB18030 accepts nearly any bytes; Chinese text in it uses the common characters of GB 2312, whose both bytes are
/// high. Accented letters of Western encodings stand alone, and Big5 has low second bytes.
fn is_gb18030(bytes: &[u8]) -> bool {
    let end = bytes
        .iter()
        .rposition(|byte| matches!(byte, b'\r' | b'\n'))
        .unwrap_or(bytes.len());
    let whole = if bytes.len() < AROUND {
        bytes
    } else {
        bytes.get(..end).unwrap_or_default()
    };
    let Some(text) = GB18030.decode_without_bom_handling_and_without_replacement(whole) else {
        return false;
    };
    if !text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) {
        return false;
    }
    let (mut pairs, mut common) = (0_usize, 0_usize);
    let mut rest = whole.iter().copied();
    while let Some(byte) = rest.next() {
        if byte >= 0x80 {
            let second = rest.next().unwrap_or(0);
            if second.is_ascii_digit() {
                // Four bytes: letters of other scripts, which say nothing about the encoding.
                rest.by_ref().take(2).for_each(drop);
                continue;
            }
            pairs += 1;
            common += usize::from((0xA1..=0xF7).contains(&byte) && second >= 0xA1);
        }
    }
    common * 10 >= pairs * 8
}

fn read(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let filled = read_into(file, offset, &mut bytes)?.len();
    bytes.truncate(filled);
    Ok(bytes)
}

/// Fills the buffer as far as the file goes.
fn read_into<'b>(file: &File, offset: u64, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let mut filled = 0;
    while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
        match file.read_at(free, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.get(..filled).unwrap_or_default())
}
