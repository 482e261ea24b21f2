//! What text in an unknown encoding looks like, byte by byte: Chinese in GB18030, or something that only the user can
//! tell, with a name for the hint.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, KOI8_U, SHIFT_JIS};

/// Encodings whose text passes for Chinese byte by byte.
const EASTERN: [&Encoding; 5] = [BIG5, EUC_JP, EUC_KR, KOI8_U, SHIFT_JIS];
/// So many syllables that all lie where Korean has its own are hardly ever Chinese: half of its characters lie behind.
const KOREAN_LEAST: usize = 8;

/// What the lines look like that are not UTF-8.
pub(super) struct Looks {
    detector: EncodingDetector,
    lines: u64,
    /// Lines that read like Chinese in GB18030, and like Big5.
    chinese: u64,
    taiwanese: u64,
    has_hanzi: bool,
    pairs: Pairs,
}

/// Pairs of bytes whose first is high.
#[derive(Clone, Copy, Default)]
struct Pairs {
    all: usize,
    /// Among the most frequent characters of GB 2312.
    frequent: usize,
    /// Among the characters of GB 2312, its punctuation and full-width letters.
    common: usize,
    /// Where GB 2312 has its characters, and EUC-KR its syllables and characters.
    letters: usize,
    /// Those of them that are syllables in EUC-KR.
    syllables: usize,
    /// Among the most frequent characters of Big5, and those of them with a low second byte.
    big5: usize,
    low: usize,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
            lines: 0,
            chinese: 0,
            taiwanese: 0,
            has_hanzi: false,
            pairs: Pairs::default(),
        }
    }
}

impl Looks {
    /// Looks at one more line.
    pub(super) fn add(&mut self, line: &[u8]) {
        self.detector.feed(line, false);
        self.lines += 1;
        let pairs = Pairs::of(line);
        if let Some(text) = GB18030.decode_without_bom_handling_and_without_replacement(line) {
            // Names have rare characters: half of them is enough where it cannot be Big5.
            let least = if pairs.reads_like_big5(line) { 80 } else { 50 };
            self.has_hanzi |= has_hanzi(&text);
            self.chinese += u64::from(pairs.common * 100 >= pairs.all * least);
        }
        self.taiwanese += u64::from(pairs.reads_like_big5(line));
        self.pairs = self.pairs.and(pairs);
    }

    /// The encoding that it looks like most.
    pub(super) fn guess(&mut self) -> &'static Encoding {
        self.detector.feed(&[], true);
        let guess = self.detector.guess(None, Utf8Detection::Deny);
        let pairs = self.pairs;
        let is_all_korean = pairs.letters > 0 && pairs.syllables == pairs.letters;
        // The detector wants more text than a few lines. A third of Big5's second bytes is low.
        if self.taiwanese * 10 >= self.lines * 8 && pairs.low * 5 >= pairs.all {
            BIG5
        } else if is_all_korean && (guess == EUC_KR || pairs.letters >= KOREAN_LEAST) {
            EUC_KR
        } else if guess == BIG5 && pairs.low == 0
            || guess == EUC_KR && pairs.are_frequent()
            || pairs.are_marks()
        {
            GBK
        } else {
            guess
        }
    }

    /// Are all characters common ones of GB 2312?
    pub(super) fn are_common(&self) -> bool {
        self.has_hanzi && self.pairs.common == self.pairs.all
    }

    /// Do nearly all lines read like Chinese? Text in other encodings can look like it, byte by byte; what it looks
    /// like on the whole must not be one of them. A byte that speaks against it is found when decoding, with its place.
    pub(super) fn is_gb18030(&self, guess: &'static Encoding) -> bool {
        let is_likely = guess == GBK || !EASTERN.contains(&guess) && self.pairs.are_frequent();
        is_likely && self.has_hanzi && self.chinese * 10 >= self.lines * 8
    }
}

impl Pairs {
    fn of(line: &[u8]) -> Self {
        let mut found = Self::default();
        let mut rest = line.iter().copied();
        while let Some(first) = rest.next() {
            if first < 0x80 {
                continue;
            }
            let second = rest.next().unwrap_or(0);
            if second.is_ascii_digit() {
                // Four bytes: letters of other scripts, which say nothing about the encoding.
                rest.by_ref().take(2).for_each(drop);
                continue;
            }
            let is_high = second >= 0xA1;
            let is = |from: u8, to: u8| usize::from(is_high && (from..=to).contains(&first));
            let is_big5 = (0xA4..=0xC6).contains(&first) && second >= 0x40;
            found = found.and(Self {
                all: 1,
                frequent: is(0xB0, 0xD7),
                common: is(0xA1, 0xA3) + is(0xB0, 0xF7),
                letters: is(0xB0, 0xFE),
                syllables: is(0xB0, 0xC8),
                big5: usize::from(is_big5),
                low: usize::from(is_big5 && second < 0x7F),
            });
        }
        found
    }

    fn and(self, more: Self) -> Self {
        Self {
            all: self.all + more.all,
            frequent: self.frequent + more.frequent,
            common: self.common + more.common,
            letters: self.letters + more.letters,
            syllables: self.syllables + more.syllables,
            big5: self.big5 + more.big5,
            low: self.low + more.low,
        }
    }

    /// Nearly all frequent characters, or punctuation?
    fn are_frequent(self) -> bool {
        let marks = self.all.saturating_sub(self.letters);
        self.common == self.all && (self.frequent + marks) * 10 >= self.all * 8
    }

    /// Nothing but punctuation and full-width letters?
    fn are_marks(self) -> bool {
        self.all > 0 && self.letters == 0 && self.common == self.all
    }

    /// The common characters of Big5 begin with certain bytes; their second bytes may be low.
    fn reads_like_big5(self, line: &[u8]) -> bool {
        let text = BIG5.decode_without_bom_handling_and_without_replacement(line);
        text.is_some_and(|text| has_hanzi(&text)) && self.big5 * 10 >= self.all * 8
    }
}

pub(super) fn has_hanzi(text: &str) -> bool {
    text.chars()
        .any(|c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}'))
}
