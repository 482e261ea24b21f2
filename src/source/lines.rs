//! What a file is in that is not UTF-8, judged line by line: Chinese in GB18030, UTF-8 that was damaged, a mixture, or
//! something that only the user can tell.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use encoding_rs::{BIG5, Encoding, GB18030, GBK, WINDOWS_1252};
use memchr::memchr2;

use super::encoding::{BOM, is_cut_off, makes_sense, name};
use super::looks::{Looks, has_hanzi};
use crate::campaign::Problem;
use crate::text;
use crate::words::Text;

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;
/// Bytes of a line that are looked at; more have no line end and are no list.
const LINE_MAX: usize = 1 << 20;
/// Characters of a source line shown at most.
const SHOWN: usize = 200;

/// What the lines of a file are in that is not UTF-8.
pub(super) struct Lines {
    /// The first line that is UTF-8 beyond doubt, and the first that is so if the others are Western.
    utf8: Option<Line>,
    western_utf8: Option<Line>,
    /// The first line that is UTF-8 with a bad place in it, and the first that is so if the others are UTF-8.
    damaged: Option<Line>,
    scarred: Option<Line>,
    /// The first line that is something else.
    other: Option<Line>,
    /// Where the file ends within a character of UTF-8.
    cut_off: Option<(u64, u64)>,
    /// Does it begin with the mark of UTF-8?
    is_marked: bool,
    is_chinese: bool,
    looks_like: &'static Encoding,
}

#[derive(Clone)]
pub(super) struct Line {
    number: u64,
    bytes: Vec<u8>,
}

impl Lines {
    pub(super) fn read(mut file: &File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(CHUNK, file);
        let mut lines = Self {
            utf8: None,
            western_utf8: None,
            damaged: None,
            scarred: None,
            other: None,
            cut_off: None,
            is_marked: false,
            is_chinese: false,
            looks_like: GBK,
        };
        let mut looks = Looks::default();
        let mut bytes = Vec::new();
        for number in 1.. {
            read_line(&mut reader, &mut bytes)?;
            if bytes.is_empty() {
                break;
            }
            if number == 1 && bytes.starts_with(BOM) {
                lines.is_marked = true;
                bytes.drain(..BOM.len());
            }
            if !bytes.is_ascii() {
                lines.look_at(number, &bytes, &mut looks);
            }
        }
        lines.looks_like = looks.guess();
        // Of a line or two nobody can tell an encoding; what stands in the lines beside them helps.
        let is_chinese = lines.utf8.as_ref().is_some_and(Line::is_chinese);
        if is_chinese && lines.looks_like != BIG5 && looks.are_common() {
            lines.looks_like = GBK;
        }
        lines.is_chinese = looks.is_gb18030(lines.looks_like);
        Ok(lines)
    }

    fn look_at(&mut self, number: u64, bytes: &[u8], looks: &mut Looks) {
        let keep = |seen: &mut Option<Line>, bytes: &[u8]| {
            seen.get_or_insert_with(|| Line {
                number,
                bytes: bytes.to_owned(),
            });
        };
        let is_last = !bytes.ends_with(b"\n") && !bytes.ends_with(b"\r");
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => {
                if is_long(text) {
                    keep(&mut self.utf8, bytes);
                } else if has_western_letter(text) {
                    keep(&mut self.western_utf8, bytes);
                }
                return;
            }
            Err(error) => error,
        };
        let whole = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let (good, bad) = count(bytes);
        if is_last && error.error_len().is_none() {
            let column = String::from_utf8_lossy(whole).chars().count() as u64 + 1;
            self.cut_off = Some((number, column));
        }
        let is_first = self.other.is_none() && self.scarred.is_none();
        let tail = bytes.len() - whole.len();
        if self.cut_off.is_some()
            && (is_long(&String::from_utf8_lossy(whole)) || is_first && tail > 1 && whole.is_ascii())
        {
            keep(&mut self.utf8, whole);
        } else if good > bad {
            keep(&mut self.damaged, bytes);
        } else {
            let is_scar = bad == 1 && !holds_western_letter(bytes);
            keep(
                if is_scar {
                    &mut self.scarred
                } else {
                    &mut self.other
                },
                bytes,
            );
            // The last character of a file may lack a byte.
            let is_cut = is_last && is_cut_off(GB18030, bytes);
            looks.add(bytes.get(..bytes.len() - usize::from(is_cut)).unwrap_or_default());
        }
    }

    /// Chinese, and nothing else?
    pub(super) fn is_gb18030(&self) -> bool {
        self.is_chinese && !self.is_marked && self.utf8().is_none() && self.damaged.is_none()
    }

    /// Is one line UTF-8 beyond doubt, though the file is said to be in this encoding, and none anything else?
    pub(super) fn are_utf8(&self, said: &'static Encoding) -> bool {
        let others = [&self.other, &self.damaged, &self.scarred];
        let is_one = self.utf8.is_some() || self.western_utf8.is_some() && said.is_single_byte();
        is_one && others.into_iter().all(Option::is_none)
    }

    /// A line that shows that UTF-8 is in the file.
    fn utf8(&self) -> Option<&Line> {
        // A Chinese character can pass for a Western one, byte by byte.
        let is_western = self.looks_like.is_single_byte();
        self.utf8
            .as_ref()
            .or(self.western_utf8.as_ref().filter(|_| is_western))
    }

    /// Why the file cannot be read as it is.
    pub(super) fn explain(&self, path: &Path) -> Problem {
        let utf8 = self.utf8();
        let is_utf8 = utf8.is_some() || self.damaged.is_some() || self.is_marked;
        match (&self.other, utf8) {
            (Some(other), Some(utf8)) => return self.explain_mixed(path, utf8, other),
            (Some(other), None) if self.is_marked => return explain_marked(path, other),
            (Some(other), None) if !is_utf8 => return self.explain_other(path, other),
            _ => {}
        }
        let first = [&self.damaged, &self.scarred].into_iter().flatten();
        match (first.min_by_key(|line| line.number), self.cut_off) {
            (Some(line), Some((last, _))) if is_utf8 && line.number < last => explain_damaged(path, line),
            (Some(line), None) if is_utf8 => explain_damaged(path, line),
            (Some(line), _) if !is_utf8 => self.explain_other(path, line),
            (_, place) => cut_off(path, place.unwrap_or_default()),
        }
    }

    fn explain_other(&self, path: &Path, other: &Line) -> Problem {
        let what = text!("this list is not in UTF-8; the first byte that cannot be read is here");
        let problem = Problem::at(path, other.number, other.valid_characters() + 1, what);
        problem
            .source(shown(&String::from_utf8_lossy(&other.bytes)), 1)
            .hint(match self.read_as(other) {
                Some((name, text)) => text!("if `{sample}` reads right, say so: encoding = \"{name}\" in the campaign, or --encoding {name}; or \
                     save it in Excel as `CSV UTF-8`", sample = text.trim_end().chars().take(SHOWN / 4).collect::<String>(), name = name.to_lowercase()),
                None => text!("save it in Excel as `CSV UTF-8`, or say what it is in: encoding = \"windows-1252\" (or \
                         big5, shift_jis, …) in the campaign")
                    .to_owned(),
            })
    }

    /// A line in the encoding that it looks like, and that encoding's name.
    fn read_as(&self, line: &Line) -> Option<(&'static str, String)> {
        let encoding = if self.looks_like == GBK {
            GB18030
        } else {
            self.looks_like
        };
        let text = encoding.decode_without_bom_handling_and_without_replacement(&line.bytes)?;
        Some((name(encoding), text.into_owned()))
    }

    /// Names the line at which the encoding changes first.
    fn explain_mixed(&self, path: &Path, utf8: &Line, other: &Line) -> Problem {
        let (other_name, other_text) = match self.read_as(other) {
            Some((name, text)) => (Text::from(name), text),
            None => (
                text!("another encoding"),
                String::from_utf8_lossy(&other.bytes).into_owned(),
            ),
        };
        let utf8_text = String::from_utf8_lossy(&utf8.bytes).into_owned();
        let ((before, before_name), (here, here_name, column, text)) = if utf8.number < other.number {
            let column = other.valid_characters() + 1;
            (
                (utf8, Text::from("UTF-8")),
                (other, other_name, column, other_text),
            )
        } else {
            let column = utf8_text.chars().take_while(char::is_ascii).count() as u64 + 1;
            (
                (other, other_name),
                (utf8, Text::from("UTF-8"), column, utf8_text),
            )
        };
        let what = text!(
            "mixed encodings: line {before} is in {before_name}, this line is in {here_name}",
            before = before.number,
            before_name,
            here_name
        );
        Problem::at(path, here.number, column, what)
            .source(shown(&text), 1)
            .hint(text!(
                "two files were joined; save each as `CSV UTF-8` and join them again"
            ))
    }
}

/// Reads a line with its end, which is CR, LF or both; nothing at the end of the file. No more of it than is looked at.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    line.clear();
    loop {
        let bytes = reader.fill_buf()?;
        let is_ended = line.ends_with(b"\r");
        let used = if is_ended {
            usize::from(bytes.starts_with(b"\n"))
        } else {
            memchr2(b'\r', b'\n', bytes).map_or(bytes.len(), |end| end + 1)
        };
        line.extend_from_slice(bytes.get(..used).unwrap_or_default());
        reader.consume(used);
        if is_ended || used == 0 || line.ends_with(b"\n") || line.len() >= LINE_MAX {
            return Ok(());
        }
    }
}

/// The mark says UTF-8, and this line is in something else.
fn explain_marked(path: &Path, line: &Line) -> Problem {
    let what = text!("this list begins with the mark of UTF-8, and here it is not UTF-8");
    Problem::at(path, line.number, line.valid_characters() + 1, what)
        .source(shown(&String::from_utf8_lossy(&line.bytes)), 1)
        .hint(text!("export the list again, as `CSV UTF-8`"))
}

/// UTF-8 with a place that is none.
fn explain_damaged(path: &Path, line: &Line) -> Problem {
    let what = text!("bytes that mean nothing in UTF-8, in which the rest of this list is");
    Problem::at(path, line.number, line.valid_characters() + 1, what)
        .source(shown(&String::from_utf8_lossy(&line.bytes)), 1)
        .hint(text!(
            "this place was damaged: type it anew, or export the list again"
        ))
}

/// The last character lacks a byte.
pub(super) fn cut_off(path: &Path, (line, column): (u64, u64)) -> Problem {
    let what = text!("the end of this list is cut off in the middle of a character");
    Problem::at(path, line, column, what)
        .hint(text!("rows may be missing: export it again, or copy it again"))
}

impl Line {
    /// Characters that Chinese has, and none of its neighbours?
    fn is_chinese(&self) -> bool {
        let text = String::from_utf8_lossy(&self.bytes);
        let is_neighbour = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}');
        has_hanzi(&text) && !text.contains(is_neighbour)
    }

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

/// Two bytes in a row may be UTF-8 by chance; three that make sense hardly ever are.
fn is_long(text: &str) -> bool {
    let mut long = text
        .chars()
        .filter(|c| c.len_utf8() > 2 && *c != '\u{feff}')
        .peekable();
    long.peek().is_some() && long.all(|c| c.len_utf8() > 3 || makes_sense(c))
}

/// `ü` in `Jürgen`.
fn has_western_letter(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    chars.windows(2).any(|pair| {
        let is_western = |c: &char| ('\u{c0}'..='\u{24f}').contains(c);
        pair.iter().any(is_western) && pair.iter().any(char::is_ascii_alphabetic)
    })
}

/// The same in Windows-1252.
fn holds_western_letter(bytes: &[u8]) -> bool {
    let bad = bytes.utf8_chunks().find_map(|chunk| match chunk.invalid() {
        [byte] => Some((chunk.valid().chars().last(), *byte)),
        _ => None,
    });
    bad.is_some_and(|(before, byte)| {
        let letter = [byte];
        let (text, _, _) = WINDOWS_1252.decode(&letter);
        let follows = bytes.iter().skip_while(|other| **other != byte).nth(1);
        text.chars().all(char::is_alphabetic)
            && (before.is_some_and(|c| c.is_ascii_alphabetic())
                || follows.is_some_and(u8::is_ascii_alphabetic))
    })
}

/// Characters of three bytes and more in UTF-8, and places that are none.
fn count(bytes: &[u8]) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| c.len_utf8() > 2).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    (good, bad)
}
