//! What a file is in that is not UTF-8, judged line by line: Chinese in GB18030, a mixture, or something that only the
//! user can tell.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, KOI8_U, SHIFT_JIS};

use super::encoding::name;
use crate::campaign::Problem;

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;
/// Bytes of a line that are looked at; more have no line end and are no list.
const LINE_MAX: u64 = 1 << 20;
/// Characters of a source line shown at most.
const SHOWN: usize = 200;
/// Encodings whose text passes for Chinese byte by byte.
const EASTERN: [&Encoding; 5] = [BIG5, EUC_JP, EUC_KR, KOI8_U, SHIFT_JIS];

/// What the lines of a file are in that is not UTF-8.
#[derive(Default)]
pub(super) struct Lines {
    /// The first that is UTF-8 beyond doubt, and the first that is not UTF-8.
    utf8: Option<Line>,
    other: Option<Line>,
    /// Lines that are not UTF-8 and those of them that read like Chinese in GB18030.
    others: u64,
    chinese: u64,
    /// Lines that read like Big5.
    taiwanese: u64,
    /// Pairs of high bytes in all of them, and those among the most frequent characters of GB 2312.
    pairs: u64,
    frequent: u64,
    looks_like: Option<&'static Encoding>,
}

pub(super) struct Line {
    number: u64,
    bytes: Vec<u8>,
}

impl Lines {
    pub(super) fn read(mut file: &File) -> io::Result<Self> {
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
                let (pairs, frequent) = count_pairs(bytes, |first, second| {
                    (0xB0..=0xD7).contains(&first) && second >= 0xA1
                });
                self.pairs += pairs as u64;
                self.frequent += frequent as u64;
                self.taiwanese += u64::from(reads_like_big5(bytes));
            }
        }
    }

    /// Do nearly all lines read like Chinese? Text in other encodings can look like it, byte by byte; what it looks
    /// like on the whole must not be one of them. A byte that speaks against it is found when decoding, with its place.
    pub(super) fn is_gb18030(&self) -> bool {
        let is_frequent = self.frequent * 2 >= self.pairs;
        let is_likely = match self.looks_like {
            Some(guess) if guess == GBK => true,
            Some(guess) => !EASTERN.contains(&guess) && is_frequent,
            None => is_frequent,
        };
        is_likely && self.chinese * 10 >= self.others * 8
    }

    /// The two lines that show that a file has several encodings.
    pub(super) fn mixed(&self) -> Option<(&Line, &Line)> {
        self.utf8.as_ref().zip(self.other.as_ref())
    }

    /// Why the file cannot be read as it is.
    pub(super) fn explain(&self, path: &Path) -> Problem {
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
    // Names have rare characters: half of them is enough where it cannot be Big5.
    let least = if reads_like_big5(bytes) { 80 } else { 50 };
    text.is_some_and(|text| has_hanzi(&text)) && common_pairs(bytes, is_common) >= least
}

/// The common characters of Big5 begin with these bytes; their second bytes may be low.
fn reads_like_big5(bytes: &[u8]) -> bool {
    let is_common = |first: u8, second: u8| (0xA4..=0xC6).contains(&first) && second >= 0x40;
    let text = BIG5.decode_without_bom_handling_and_without_replacement(bytes);
    text.is_some_and(|text| has_hanzi(&text)) && common_pairs(bytes, is_common) >= 80
}

fn has_hanzi(text: &str) -> bool {
    text.chars()
        .any(|c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}'))
}

/// How many of a hundred pairs that begin with a high byte are common characters.
fn common_pairs(bytes: &[u8], is_common: impl Fn(u8, u8) -> bool) -> usize {
    let (pairs, common) = count_pairs(bytes, is_common);
    (common * 100).checked_div(pairs).unwrap_or(100)
}

/// Counts pairs that begin with a high byte, and those among them that are common.
fn count_pairs(bytes: &[u8], is_common: impl Fn(u8, u8) -> bool) -> (usize, usize) {
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
    (pairs, common)
}
