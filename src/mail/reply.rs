//! What the server said. Source: RFC 5321, 4.2, and RFC 3463 for enhanced codes.
//!
//! Any three digits are a code: Alibaba answers 561 and 563, `NetEase` 460.

use std::borrow::Cow;
use std::fmt;

/// Characters of reply text that are kept. Some servers answer with a page of text.
const TEXT_MAX: usize = 1_000;

/// An enhanced status code such as 5.7.1. Source: RFC 3463, 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enhanced {
    /// 2 success, 4 for now, 5 for good.
    pub class: u8,
    /// What it is about: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// The detail within the subject.
    pub detail: u16,
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Enhanced {
    /// Parses `5.7.1` and nothing longer, so that an IP address is never taken for a code.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        let is_number =
            |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if parts.next().is_some()
            || !matches!(class, "2" | "4" | "5")
            || !is_number(subject)
            || !is_number(detail)
        {
            return None;
        }
        Some(Self {
            class: class.parse().ok()?,
            subject: subject.parse().ok()?,
            detail: detail.parse().ok()?,
        })
    }
}

/// One reply of a server: a code, an enhanced code where there is one, and the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits; of several lines, those of the last.
    pub code: u16,
    /// The enhanced code, when the text begins with one.
    pub enhanced: Option<Enhanced>,
    /// The text of all lines, joined by spaces, without codes; at most 1,000 characters.
    pub text: String,
}

impl Reply {
    /// Builds a reply from its complete lines, without their line ends.
    ///
    /// Bytes that are neither UTF-8 nor GB18030 are shown as U+FFFD: a reply is read by people and by rules, never sent on.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut reply: Option<Self> = None;
        for line in lines {
            let digits = line.get(..3)?;
            let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
            let text = decoded(line.get(4..).unwrap_or_default());
            let (enhanced, text) = split_enhanced(text.trim());
            let reply = reply.get_or_insert(Self {
                code,
                enhanced: None,
                text: String::new(),
            });
            reply.code = code;
            reply.enhanced = reply.enhanced.or(enhanced);
            push_text(&mut reply.text, text);
        }
        reply.map(Self::with_enhanced)
    }

    /// The same with the enhanced code that stands in its text, where none stood at the beginning: `(#5.1.1)`.
    #[must_use]
    pub fn with_enhanced(mut self) -> Self {
        let class = u8::try_from(self.code / 100).unwrap_or_default();
        if self.enhanced.is_none() && matches!(class, 0 | 4 | 5) {
            let words = self
                .text
                .split(|c: char| c.is_whitespace() || "()[]<>:;,#-".contains(c));
            let mut codes = words.filter_map(|word| Enhanced::parse(word.trim_end_matches('.')));
            // Versions of programs look like codes, but no code has such a subject.
            self.enhanced = codes.find(|code| (code.class == class || class == 0) && code.subject <= 7);
        }
        self
    }

    /// Is it a yes (2yz)?
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Does it say "go on" (3yz)?
    pub fn is_intermediate(&self) -> bool {
        (300..400).contains(&self.code)
    }

    /// Does the basic code say that trying again may help (4yz)?
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        if !self.text.is_empty() {
            write!(f, " {}", self.text)?;
        }
        Ok(())
    }
}

fn split_enhanced(text: &str) -> (Option<Enhanced>, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match Enhanced::parse(first) {
        Some(enhanced) => (Some(enhanced), rest.trim_start()),
        None => (None, text),
    }
}

/// A line as text. Chinese servers write GB18030 where they do not write UTF-8.
pub fn decoded(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_other) => encoding_rs::GB18030.decode_without_bom_handling(line).0,
    }
}

fn push_text(all: &mut String, text: &str) {
    if !all.is_empty() && !text.is_empty() {
        all.push(' ');
    }
    let left = TEXT_MAX.saturating_sub(all.chars().count());
    all.extend(text.chars().filter(|c| !c.is_control()).take(left));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(lines: &[&str]) -> Option<(u16, String, String)> {
        let reply = Reply::from_lines(lines.iter().map(|line| line.as_bytes()))?;
        Some((
            reply.code,
            reply.enhanced.map(|e| e.to_string()).unwrap_or_default(),
            reply.text,
        ))
    }

    #[test]
    fn any_three_digits_are_a_code() {
        assert_eq!(
            reply(&["561 Honeypot rcptto [@out060104]"]),
            Some((561, String::new(), "Honeypot rcptto [@out060104]".into()))
        );
        assert_eq!(reply(&["250"]), Some((250, String::new(), String::new())));
        assert_eq!(reply(&["2x0 ok"]), None);
        assert_eq!(reply(&["25"]), None);
    }

    #[test]
    fn lines_are_joined_and_the_repeated_code_is_dropped() {
        assert_eq!(
            reply(&["550-5.1.1 no such", "550-5.1.1 user here", "550 5.1.1 bye"]),
            Some((550, "5.1.1".into(), "no such user here bye".into()))
        );
        assert_eq!(
            reply(&["550-#-5.1.0-Address rejected."]),
            Some((550, "5.1.0".into(), "#-5.1.0-Address rejected.".into()))
        );
    }

    #[test]
    fn an_ip_address_is_not_an_enhanced_code() {
        assert_eq!(Enhanced::parse("5.7.1.2"), None);
        assert_eq!(Enhanced::parse("192.0.2"), None);
        assert_eq!(Enhanced::parse("5.7.515").map(|e| e.detail), Some(515));
        assert_eq!(reply(&["552 1 Requested action aborted"]).unwrap().1, "");
    }

    #[test]
    fn a_page_of_text_is_cut_and_control_characters_are_dropped() {
        let long = format!("550 {}", "x".repeat(10_000));
        assert_eq!(reply(&[&long]).unwrap().2.len(), TEXT_MAX);
        assert_eq!(reply(&["550 a\u{1b}[31mb\0c"]).unwrap().2, "a[31mbc");
    }
}
