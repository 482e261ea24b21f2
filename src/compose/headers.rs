//! Header values: words in other scripts, display names, dates. Sources: RFC 5322, RFC 2047.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::mail::{Address, token};

/// Characters of a header line with encoded words at most. Source: RFC 2047, 2.
const LINE_MAX: usize = 76;
/// `=?UTF-8?B?` and `?=`.
const WORD_FRAME: usize = 12;
/// Octets in an encoded word at most, so that it has 75 characters at most. Source: RFC 2047, 2.
const WORD_OCTETS_MAX: usize = 45;
/// Characters of one piece of a parameter, so that its line has 78 at most. Source: RFC 2231, 3.
const PARAMETER_MAX: usize = 54;
/// A word of plain text longer than this could not be folded into lines of 998 (RFC 5322, 2.1.1).
const PLAIN_WORD_MAX: usize = 900;

/// An unstructured value such as a subject: plain when it can be, else in encoded words.
pub(super) fn text<'a>(header: &str, value: &'a str) -> Cow<'a, str> {
    let value = clean(value);
    let is_short = value.len() <= PLAIN_WORD_MAX || value.split(' ').all(|word| word.len() <= PLAIN_WORD_MAX);
    if is_short && is_printable(&value) && !has_encoded_word(&value) {
        value
    } else {
        Cow::Owned(encoded_words(&value, header.len() + 2))
    }
}

/// `Name <address>`: the name as atoms, as a quoted string, or in encoded words. Source: RFC 5322, 3.4.
pub(super) fn mailbox(header: &str, name: Option<&str>, address: &Address) -> String {
    let Some(name) = name.map(clean).filter(|name| !name.is_empty()) else {
        return address.to_string();
    };
    // Some readers decode what looks like an encoded word even inside quotes.
    let is_plain = name.len() <= PLAIN_WORD_MAX && is_printable(&name) && !has_encoded_word(&name);
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~ ".contains(&byte);
    if is_plain && name.bytes().all(is_atom) {
        return format!("{name} <{address}>");
    }
    if is_plain {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{quoted}\" <{address}>");
    }
    format!("{} <{address}>", encoded_words(&name, header.len() + 2))
}

/// A file's name as the value of `name` and `filename`: quoted, or in encoded words, which RFC 2047 does not allow there
/// and QQ, 163 and old Outlook read all the same.
pub(super) fn file_name(name: &str) -> String {
    let name = clean(name);
    if is_printable(&name) && !has_encoded_word(&name) {
        return format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    format!("\"{}\"", encoded_words(&name, 10).replace(' ', "\r\n "))
}

/// `filename` in both forms: the old one first, so that readers of RFC 2231 take the new one.
pub(super) fn file_name_parameters(name: &str) -> String {
    let old = format!("filename={}", file_name(name));
    let name = clean(name);
    if name.is_ascii() {
        return old;
    }
    let mut pieces = vec![String::new()];
    for c in name.chars() {
        let mut encoded = String::new();
        for byte in c.to_string().into_bytes() {
            // Source: RFC 5987, 3.2.1: attr-char.
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                let digit = |half: u8| {
                    char::from_digit(u32::from(half), 16)
                        .unwrap_or('0')
                        .to_ascii_uppercase()
                };
                encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
        let is_full = pieces
            .last()
            .is_some_and(|piece| piece.len() + encoded.len() > PARAMETER_MAX);
        if is_full {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(&encoded);
        }
    }
    let new = match pieces.as_slice() {
        [only] => format!("filename*=UTF-8''{only}"),
        pieces => {
            let numbered = pieces.iter().enumerate().map(|(number, piece)| {
                let charset = if number == 0 { "UTF-8''" } else { "" };
                format!("filename*{number}*={charset}{piece}")
            });
            numbered.collect::<Vec<_>>().join(";\r\n ")
        }
    };
    format!("{old};\r\n {new}")
}

fn is_printable(value: &str) -> bool {
    value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn has_encoded_word(value: &str) -> bool {
    value.as_bytes().windows(2).any(|pair| pair == b"=?")
}

/// Nothing that could end a header line gets this far; should it, it becomes a space.
fn clean(value: &str) -> Cow<'_, str> {
    if !value.chars().any(char::is_control) {
        return Cow::Borrowed(value.trim());
    }
    let spaced: String = value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    Cow::Owned(spaced.trim().to_owned())
}

/// Cuts a text into encoded words, never inside a grapheme: a reader may show each word by itself.
fn encoded_words(value: &str, column: usize) -> String {
    let mut words = String::with_capacity(value.len() * 2 + WORD_FRAME);
    let mut word = 0..0;
    let mut room = octets_that_fit(column);
    while word.end < value.len() {
        // What fits into one word is not looked into.
        if word.is_empty() && value.len() - word.start <= room {
            break;
        }
        let grapheme = first_grapheme(value.get(word.end..).unwrap_or_default());
        // Emoji families can be too long for any word: then their characters are cut apart.
        let is_too_long = grapheme.len() > WORD_OCTETS_MAX;
        for piece in grapheme.split_inclusive(|_: char| is_too_long) {
            if !word.is_empty() && word.len() + piece.len() > room {
                push_word(value.get(word.clone()).unwrap_or_default(), &mut words);
                word.start = word.end;
                room = WORD_OCTETS_MAX;
            }
            word.end += piece.len();
        }
    }
    push_word(value.get(word.start..).unwrap_or_default(), &mut words);
    words
}

fn push_word(word: &str, words: &mut String) {
    words.push_str(if words.is_empty() { "" } else { " " });
    words.push_str("=?UTF-8?B?");
    BASE64_STANDARD.encode_string(word, words);
    words.push_str("?=");
}

/// A letter before a letter, both of ASCII, is a grapheme; the rest takes tables.
fn first_grapheme(text: &str) -> &str {
    match text.as_bytes() {
        [b' '..=b'~', b' '..=b'~', ..] => text.get(..1).unwrap_or_default(),
        _ => text.graphemes(true).next().unwrap_or_default(),
    }
}

fn octets_that_fit(column: usize) -> usize {
    let digits = LINE_MAX.saturating_sub(column + WORD_FRAME);
    (digits / 4 * 3).min(WORD_OCTETS_MAX)
}

/// The date in English and UTC, whatever the machine's language and zone are. Source: RFC 5322, 3.3.
pub(super) fn date(at: Timestamp) -> String {
    // Years beyond 9999 are the only ones that cannot be printed.
    DateTimePrinter::new()
        .zoned_to_string(&at.to_zoned(TimeZone::UTC))
        .unwrap_or_default()
}

/// `campaign:account:bulk:mailshot`, never anything about the recipient. Source: Google's feedback loop.
pub(super) fn feedback_id(campaign: &str, account: &str) -> String {
    format!("{}:{}:bulk:mailshot", label(campaign), label(account))
}

/// A name as letters that the field allows; a name in another script becomes a short digest of itself.
fn label(name: &str) -> String {
    let plain: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .collect();
    if plain.is_empty() {
        let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        return token::hex(digest.get(..4).unwrap_or_default());
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(value: &str) -> String {
        let words = value.split(' ').map(|word| {
            let inner = word
                .strip_prefix("=?UTF-8?B?")
                .and_then(|word| word.strip_suffix("?="));
            String::from_utf8(BASE64_STANDARD.decode(inner.unwrap()).unwrap()).unwrap()
        });
        words.collect()
    }

    #[test]
    fn plain_words_stay_plain() {
        assert_eq!(text("Subject", "Spring is here"), "Spring is here");
        assert!(text("Subject", "a =?fake?= word").starts_with("=?UTF-8?B?"));
    }

    #[test]
    fn words_end_between_graphemes() {
        let family = "👨‍👩‍👧‍👦";
        let value = format!("【双十一】{}", family.repeat(8));
        let encoded = text("Subject", &value);
        assert_eq!(decode(&encoded), value);
        for word in encoded.split(' ') {
            assert!(word.len() <= 75, "{word}");
            assert_eq!(
                decode(word).matches('👨').count(),
                decode(word).matches('👦').count(),
                "{word}"
            );
        }
        assert!("Subject: ".len() + encoded.split(' ').next().unwrap().len() <= 76);
    }

    #[test]
    fn display_names_are_atoms_quoted_or_encoded() {
        let address = Address::parse("li@example.com").unwrap();
        let show = |name| mailbox("To", name, &address);
        assert_eq!(show(None), "li@example.com");
        assert_eq!(show(Some("Li Lei")), "Li Lei <li@example.com>");
        assert_eq!(
            show(Some("Lei, Li \"LL\"")),
            "\"Lei, Li \\\"LL\\\"\" <li@example.com>"
        );
        assert!(show(Some("=?utf-8?q?a=0d=0aBcc:x?=")).starts_with("=?UTF-8?B?"));
        assert_eq!(show(Some("张三")), "=?UTF-8?B?5byg5LiJ?= <li@example.com>");
    }

    #[test]
    fn dates_are_english_and_numeric() {
        let at: Timestamp = "2026-11-23T05:10:22Z".parse().unwrap();
        assert_eq!(date(at), "Mon, 23 Nov 2026 05:10:22 +0000");
    }

    #[test]
    fn the_feedback_id_has_four_fields() {
        assert_eq!(
            feedback_id("spring sale", "main"),
            "springsale:main:bulk:mailshot"
        );
        assert_eq!(feedback_id("双十一", "main").split(':').count(), 4);
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_never_breaks_a_line(value in "\\PC{0,120}|[\\x00-\\x7f]{0,60}") {
            let encoded = text("Subject", &value);
            prop_assert!(encoded.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{encoded:?}");
            if encoded.starts_with("=?UTF-8?B?") {
                prop_assert_eq!(decode(&encoded), clean(&value));
            } else {
                prop_assert_eq!(encoded, clean(&value));
            }
        }

        #[test]
        fn words_are_filled_as_far_as_graphemes_go(
            value in "(a|bc |é|e\u{301}|中|🇩🇪|🇫|👨‍👩‍👧‍👦|\u{200d}|\u{1f3fd}|नि|क्ष|가|ᄀ){1,60}",
            column in 0_usize..80,
        ) {
            let mut words = vec![String::new()];
            let mut room = octets_that_fit(column);
            for grapheme in value.graphemes(true) {
                let is_too_long = grapheme.len() > WORD_OCTETS_MAX;
                for piece in grapheme.split_inclusive(|_: char| is_too_long) {
                    let word = words.last_mut().unwrap();
                    if word.is_empty() || word.len() + piece.len() <= room {
                        word.push_str(piece);
                    } else {
                        words.push(piece.to_owned());
                        room = WORD_OCTETS_MAX;
                    }
                }
            }
            let encoded = encoded_words(&value, column);
            let decoded: Vec<String> = encoded.split(' ').map(decode).collect();
            prop_assert_eq!(decoded, words);
        }
    }
}
