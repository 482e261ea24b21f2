//! Which encoding a text list is in, and its text. Strict: a byte that means nothing is an error with its place, and no
//! replacement character ever gets into a mail unseen.
//!
//! A byte order mark decides, then UTF-8 if the whole file is, then UTF-16 by its NULs, then GB18030 if it reads like
//! Chinese. Nothing else is guessed: the user names it, and is told what it looks like.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use encoding_rs::{DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::lines::{self, Lines};
use crate::campaign::{Problem, plain};
use crate::text;

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;
/// Pairs with a NUL that a list in UTF-16 has at least: one address.
const ASCII_LEAST: usize = 6;
/// UTF-8's byte order mark.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// Finds a text file's encoding, or takes the one that the user says.
pub(super) fn find(
    path: &Path,
    file: &File,
    head: &[u8],
    said: Option<&'static Encoding>,
) -> Result<&'static Encoding, Problem> {
    let unreadable =
        |error: io::Error| Problem::with_file(path, text!("cannot be read: {error}", error = plain(&error)));
    if let Some(said) = said {
        let is_unicode = [UTF_8, UTF_16LE, UTF_16BE].contains(&said);
        return match other_than(said, file, head).map_err(unreadable)? {
            Some(found) if !is_unicode => Err(Problem::with_file(
                path,
                text!(
                    "this list is in {found}, not in {said}",
                    found = name(found),
                    said = name(said)
                ),
            )
            .hint(text!(
                "take out `encoding`, or --encoding: it is found out without"
            ))),
            _ => Ok(said),
        };
    }
    if head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff") {
        let problem = Problem::with_file(path, text!("this list is in UTF-32, which cannot be read"));
        return Err(problem.hint(text!("save it as `CSV UTF-8`")));
    }
    if let Some(encoding) = utf_16(head) {
        return Ok(encoding);
    }
    if is_utf8(file).map_err(unreadable)? {
        return Ok(UTF_8);
    }
    let lines = Lines::read(file).map_err(unreadable)?;
    if lines.is_gb18030() {
        return Ok(GB18030);
    }
    Err(lines.explain(path))
}

/// The Unicode that a file is in beyond doubt, whatever is said of it: an export of this year need not be in the encoding
/// of the last one, and characters of another would make names out of it that nobody has.
fn other_than(said: &'static Encoding, file: &File, head: &[u8]) -> io::Result<Option<&'static Encoding>> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok(Some(encoding));
    }
    let is_sure = is_utf8(file)? && Lines::read(file)?.are_utf8(said);
    Ok(is_sure.then_some(UTF_8))
}

/// The byte at which a text in UTF-8 begins, after its byte order mark.
pub(super) fn bom_of(mut file: &File) -> io::Result<u64> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(BOM.len() as u64).read_to_end(&mut head)?;
    Ok(if head == BOM { BOM.len() as u64 } else { 0 })
}

/// UTF-16 begins with a mark, or has a NUL beside each ASCII character and makes sense.
pub(super) fn utf_16(head: &[u8]) -> Option<&'static Encoding> {
    if head.starts_with(b"\xff\xfe") {
        return Some(UTF_16LE);
    }
    if head.starts_with(b"\xfe\xff") {
        return Some(UTF_16BE);
    }
    // An address has more ASCII characters than this.
    let is_likely = |units: &[u16]| {
        let ascii = units.iter().filter(|unit| (1..0x80).contains(*unit)).count();
        let sensible = char::decode_utf16(units.iter().copied())
            .filter(|c| c.as_ref().is_ok_and(|c| makes_sense(*c)))
            .count();
        ascii >= ASCII_LEAST && sensible * 20 >= units.len() * 19
    };
    let (pairs, _) = head.as_chunks::<2>();
    let units = |of: fn([u8; 2]) -> u16| pairs.iter().map(|pair| of(*pair)).collect::<Vec<u16>>();
    if is_likely(&units(u16::from_le_bytes)) {
        Some(UTF_16LE)
    } else if is_likely(&units(u16::from_be_bytes)) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// What lists are written in: letters, CJK characters and their punctuation, full-width forms.
pub(super) fn makes_sense(c: char) -> bool {
    matches!(c, '\t' | '\r' | '\n' | ' '..='~' | '\u{a0}'..='\u{6ff}' | '\u{e00}'..='\u{e7f}' | '\u{2010}'..='\u{203b}'
        | '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ffe6}')
}

fn is_utf8(mut file: &File) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; CHUNK];
    // The bytes of a character that the end of a chunk has cut off.
    let mut held = 0;
    loop {
        let read = file.read(buffer.get_mut(held..).unwrap_or_default())?;
        let bytes = buffer.get(..held + read).unwrap_or_default();
        if read == 0 {
            return Ok(held == 0);
        }
        let good = match std::str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Ok(false),
        };
        held += read;
        buffer.copy_within(good..held, 0);
        held -= good;
    }
}

/// Writes the text of a file in UTF-8, without a byte order mark. The first byte that means nothing is a problem.
pub(super) fn decode(
    path: &Path,
    mut file: &File,
    encoding: &'static Encoding,
    out: &mut impl Write,
) -> Result<(), Problem> {
    let failed =
        |error: io::Error| Problem::with_file(path, text!("cannot be read: {error}", error = plain(&error)));
    let unwritten = |error: io::Error| {
        Problem::with_file(
            path,
            text!(
                "cannot be decoded into a temporary file: {error}",
                error = plain(&error)
            ),
        )
    };
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut input = vec![0; CHUNK];
    let mut text = vec![0; CHUNK * 3];
    let mut place = TextPlace::default();
    loop {
        let read = file.read(&mut input).map_err(failed)?;
        let mut rest = input.get(..read).unwrap_or_default();
        loop {
            let (result, used, made) = decoder.decode_to_utf8_without_replacement(rest, &mut text, read == 0);
            let written = text.get(..made).unwrap_or_default();
            place.pass(written);
            out.write_all(written).map_err(unwritten)?;
            rest = rest.get(used..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) if read == 0 => {
                    return Err(lines::cut_off(path, (place.line, place.column())));
                }
                DecoderResult::Malformed(..) => {
                    let what = text!(
                        "a byte that means nothing in {encoding}",
                        encoding = name(encoding)
                    );
                    let problem = Problem::at(path, place.line, place.column(), what);
                    let hint = text!("the list is in another encoding, or was damaged");
                    return Err(problem.hint(hint).source(place.shown(), 1));
                }
            }
        }
        if read == 0 {
            return Ok(());
        }
    }
}

/// Would these bytes be text if the last character had all of its bytes?
pub(super) fn is_cut_off(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    let text = |bytes: &[u8]| {
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
        text.is_some()
    };
    let but_one = bytes.split_last().map_or(bytes, |(_, rest)| rest);
    !text(bytes) && text(but_one)
}

/// Where in a text one has come.
struct TextPlace {
    line: u64,
    so_far: Vec<u8>,
    previous: u8,
}

impl Default for TextPlace {
    fn default() -> Self {
        Self {
            line: 1,
            so_far: Vec::new(),
            previous: 0,
        }
    }
}

impl TextPlace {
    fn pass(&mut self, text: &[u8]) {
        for byte in text {
            match (self.previous, byte) {
                (b'\r', b'\n') => {}
                (_, b'\r' | b'\n') => {
                    self.line += 1;
                    self.so_far.clear();
                }
                _ => self.so_far.push(*byte),
            }
            self.previous = *byte;
        }
    }

    fn column(&self) -> u64 {
        String::from_utf8_lossy(&self.so_far).chars().count() as u64 + 1
    }

    /// The line up to here, and a mark for what cannot be read.
    fn shown(&self) -> String {
        let mut line: String = String::from_utf8_lossy(&self.so_far).into_owned();
        line.push('\u{fffd}');
        line
    }
}

/// An encoding's name as people write it.
pub(super) fn name(encoding: &'static Encoding) -> &'static str {
    if encoding == GB18030 {
        "GB18030"
    } else {
        encoding.name()
    }
}
