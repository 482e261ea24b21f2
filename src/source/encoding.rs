//! Which encoding a text list is in, and its text. Strict: a byte that means nothing is an error with its place, and no
//! replacement character ever gets into a mail unseen.
//!
//! A byte order mark decides, then UTF-8 if the whole file is, then UTF-16 by its NULs, then GB18030 if it reads like
//! Chinese. Nothing else is guessed: the user names it, and is told what it looks like.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use encoding_rs::{BIG5, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use crate::campaign::{Problem, plain};

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;
/// Bytes of a line that are looked at; more have no line end and are no list.
const LINE_MAX: u64 = 1 << 20;
/// Characters of a source line shown at most.
const SHOWN: usize = 200;
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
        |error: io::Error| Problem::with_file(path, format!("cannot be read: {}", plain(&error)));
    if let Some(encoding) = said {
        return Ok(encoding);
    }
    if let Some(encoding) = utf_16(head) {
        return Ok(encoding);
    }
    if is_utf8(file).map_err(unreadable)? {
        return Ok(UTF_8);
    }
    let lines = Lines::read(file).map_err(unreadable)?;
    if lines.is_gb18030() && !head.starts_with(BOM) && lines.mixed().is_none() {
        return Ok(GB18030);
    }
    Err(lines.explain(path))
}

/// The byte at which a text in UTF-8 begins, after its byte order mark.
pub(super) fn bom_of(mut file: &File) -> io::Result<u64> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(BOM.len() as u64).read_to_end(&mut head)?;
    Ok(if head == BOM { BOM.len() as u64 } else { 0 })
}

/// UTF-16 begins with a mark, or has a NUL beside nearly every ASCII character.
fn utf_16(head: &[u8]) -> Option<&'static Encoding> {
    if head.starts_with(b"\xff\xfe") {
        return Some(UTF_16LE);
    }
    if head.starts_with(b"\xfe\xff") {
        return Some(UTF_16BE);
    }
    let sample = head.get(..512.min(head.len())).unwrap_or_default();
    let nuls = |odd: usize| {
        let every_other = sample.iter().skip(odd).step_by(2);
        every_other.filter(|byte| **byte == 0).count()
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
    let failed = |error: io::Error| Problem::with_file(path, format!("cannot be read: {}", plain(&error)));
    let unwritten = |error: io::Error| {
        Problem::with_file(
            path,
            format!("cannot be decoded into a temporary file: {}", plain(&error)),
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
                DecoderResult::Malformed(..) => {
                    let what = format!("a byte that means nothing in {}", name(encoding));
                    let problem = Problem::at(path, place.line, place.column(), what);
                    let hint = "the list is in another encoding, or was damaged";
                    return Err(problem.hint(hint).source(place.shown(), 1));
                }
            }
        }
        if read == 0 {
            return Ok(());
        }
    }
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

/// What the lines of a file are in that is not UTF-8.
#[derive(Default)]
struct Lines {
    /// The first that is UTF-8 beyond doubt, and the first that is not UTF-8.
    utf8: Option<Line>,
    other: Option<Line>,
    /// Lines that are not UTF-8 and those of them that read like Chinese in GB18030.
    others: u64,
    chinese: u64,
    /// Lines that read like Big5.
    taiwanese: u64,
    looks_like: Option<&'static Encoding>,
}

struct Line {
    number: u64,
    bytes: Vec<u8>,
}

impl Lines {
    fn read(mut file: &File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(CHUNK, file);
        let mut lines = Self::default();
        let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes)?;
            if bytes.is_empty() {
                break;
            }
            if bytes.is_ascii() {
                continue;
            }
            detector.feed(&bytes, false);
            lines.look_at(number, &bytes);
        }
        detector.feed(&[], true);
        // A few lines are too little for the detector to find Big5 by.
        lines.looks_like = Some(if lines.taiwanese * 10 >= lines.others * 8 {
            BIG5
        } else {
            detector.guess(None, chardetng::Utf8Detection::Deny)
        });
        Ok(lines)
    }

    fn look_at(&mut self, number: u64, bytes: &[u8]) {
        let keep = |seen: &mut Option<Line>| {
            seen.get_or_insert_with(|| Line {
                number,
                bytes: bytes.to_owned(),
            });
        };
        match std::str::from_utf8(bytes) {
            // Two bytes in a row may be UTF-8 by chance; three hardly ever are.
            Ok(text) if text.chars().any(|c| c.len_utf8() > 2 && c != '\u{feff}') => keep(&mut self.utf8),
            Ok(_) => {}
            Err(_) => {
                keep(&mut self.other);
                self.others += 1;
                self.chinese += u64::from(reads_like_chinese(bytes));
                self.taiwanese += u64::from(reads_like_big5(bytes));
            }
        }
    }

    /// Do nearly all lines read like Chinese? A byte that speaks against it is found when decoding, with its place.
    fn is_gb18030(&self) -> bool {
        self.chinese * 10 >= self.others * 8
    }

    /// The two lines that show that a file has several encodings.
    fn mixed(&self) -> Option<(&Line, &Line)> {
        self.utf8.as_ref().zip(self.other.as_ref())
    }

    /// Why the file cannot be read as it is.
    fn explain(&self, path: &Path) -> Problem {
        let Some(other) = &self.other else {
            return Problem::with_file(
                path,
                "the end of this list is cut off in the middle of a character",
            );
        };
        if let Some((utf8, other)) = self.mixed() {
            return self.explain_mixed(path, utf8, other);
        }
        let what = "this list is not in UTF-8; the first byte that cannot be read is here";
        let problem = Problem::at(path, other.number, other.valid_characters() + 1, what);
        let looks = self.looks_like.and_then(|encoding| {
            let text = encoding.decode_without_bom_handling_and_without_replacement(&other.bytes)?;
            let text: String = text.trim_end().chars().take(SHOWN / 4).collect();
            Some((encoding.name().to_lowercase(), text))
        });
        problem
            .source(shown(&String::from_utf8_lossy(&other.bytes)), 1)
            .hint(match looks {
                Some((name, text)) => format!(
                    "if `{text}` reads right, say so: encoding = \"{name}\" in the campaign, or --encoding {name}; \
                     or save it in Excel as `CSV UTF-8`"
                ),
                None => "save it in Excel as `CSV UTF-8`, or say what it is in: encoding = \"windows-1252\" (or \
                         big5, shift_jis, …) in the campaign"
                    .to_owned(),
            })
    }

    /// Names the line at which the encoding changes first.
    fn explain_mixed(&self, path: &Path, utf8: &Line, other: &Line) -> Problem {
        let (other_name, other_text) = if self.is_gb18030() {
            (name(GB18030), GB18030.decode_without_bom_handling(&other.bytes).0)
        } else {
            ("another encoding", String::from_utf8_lossy(&other.bytes))
        };
        let utf8_text = String::from_utf8_lossy(&utf8.bytes);
        let ((before, before_name), (here, here_name, column, text)) = if utf8.number < other.number {
            let column = other.valid_characters() + 1;
            ((utf8, "UTF-8"), (other, other_name, column, other_text))
        } else {
            let column = utf8_text.chars().take_while(char::is_ascii).count() as u64 + 1;
            ((other, other_name), (utf8, "UTF-8", column, utf8_text))
        };
        let what = format!(
            "mixed encodings: line {} is in {before_name}, this line is in {here_name}",
            before.number
        );
        Problem::at(path, here.number, column, what)
            .source(shown(&text), 1)
            .hint("two files were joined; save each as `CSV UTF-8` and join them again")
    }
}

impl Line {
    /// Characters before the first byte that is not UTF-8.
    fn valid_characters(&self) -> u64 {
        let valid = std::str::from_utf8(&self.bytes).map_or_else(|error| error.valid_up_to(), str::len);
        let good = String::from_utf8_lossy(self.bytes.get(..valid).unwrap_or_default());
        good.trim_start_matches('\u{feff}').chars().count() as u64
    }
}

fn shown(line: &str) -> String {
    line.trim_start_matches('\u{feff}')
        .trim_end()
        .chars()
        .take(SHOWN)
        .collect()
}

/// GB18030 accepts nearly any bytes; Chinese text in it uses the common characters of GB 2312, whose both bytes are
/// high. Accented letters of Western encodings stand alone, and Big5 has low second bytes.
fn reads_like_chinese(bytes: &[u8]) -> bool {
    let is_common = |first: u8, second: u8| (0xA1..=0xF7).contains(&first) && second >= 0xA1;
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    text.is_some_and(|text| has_hanzi(&text)) && are_pairs(bytes, is_common)
}

/// The common characters of Big5 begin with these bytes; their second bytes may be low.
fn reads_like_big5(bytes: &[u8]) -> bool {
    let is_common = |first: u8, second: u8| (0xA4..=0xC6).contains(&first) && second >= 0x40;
    let text = BIG5.decode_without_bom_handling_and_without_replacement(bytes);
    text.is_some_and(|text| has_hanzi(&text)) && are_pairs(bytes, is_common)
}

fn has_hanzi(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// Are nearly all pairs that begin with a high byte common characters?
fn are_pairs(bytes: &[u8], is_common: impl Fn(u8, u8) -> bool) -> bool {
    let (mut pairs, mut common) = (0_usize, 0_usize);
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        if byte >= 0x80 {
            let second = rest.next().unwrap_or(0);
            if second.is_ascii_digit() {
                // Four bytes: letters of other scripts, which say nothing about the encoding.
                rest.by_ref().take(2).for_each(drop);
                continue;
            }
            pairs += 1;
            common += usize::from(is_common(byte, second));
        }
    }
    common * 10 >= pairs * 8
}

/// An encoding's name as people write it.
pub(super) fn name(encoding: &'static Encoding) -> &'static str {
    if encoding == GB18030 {
        "GB18030"
    } else {
        encoding.name()
    }
}
