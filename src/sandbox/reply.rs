//! A reply whose exact text was given by the script.

use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use crate::text;
use crate::words::Text;

/// A reply as it goes over the wire, such as `561 Honeypot rcptto [@out060104]`. Cheap to clone.
///
/// It is read from text: `\n` (or a real line break) separates the lines of a longer reply, and the code
/// need only stand in the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    wire: Arc<str>,
}

impl Reply {
    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The whole reply, every line with its CRLF.
    pub fn wire(&self) -> &str {
        &self.wire
    }

    /// Whether the reply refuses what was asked (4xx or 5xx).
    pub fn is_refusal(&self) -> bool {
        self.code >= 400
    }
}

impl FromStr for Reply {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            text!(
                "`{text}` is not a reply; write a code from 200 to 599, a space and a text, as in `550 5.1.1 no such user`",
                text
            )
        };
        let unescaped = text.replace("\\n", "\n");
        let digits = unescaped.get(..3).ok_or_else(wrong)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) || rest_of(&unescaped, digits).is_none() {
            return Err(wrong());
        }
        let code = digits
            .parse()
            .ok()
            .filter(|code| (200..600).contains(code))
            .ok_or_else(wrong)?;
        if unescaped.chars().any(|c| c.is_control() && c != '\n') {
            return Err(wrong());
        }
        Ok(Self {
            code,
            wire: wire_form(digits, &unescaped).into(),
        })
    }
}

fn wire_form(digits: &str, text: &str) -> String {
    let mut wire = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let words = rest_of(line, digits).unwrap_or(line);
        let separator = match (lines.peek(), words) {
            (Some(_), _) => "-",
            (None, "") => "",
            (None, _) => " ",
        };
        // Writing to a String cannot fail.
        let _ignored: std::fmt::Result = write!(wire, "{digits}{separator}{words}\r\n");
    }
    wire
}

/// What follows the code in `550 text`, `550-text` and `550`; nothing if the line has no such code.
fn rest_of<'a>(line: &'a str, digits: &str) -> Option<&'a str> {
    match line.strip_prefix(digits)? {
        "" => Some(""),
        rest => rest
            .strip_prefix([' ', '-'])
            .or_else(|| rest.starts_with('\n').then_some("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_keeps_its_exact_text() {
        let cases = [
            (
                "561 Honeypot rcptto [@out060104]",
                "561 Honeypot rcptto [@out060104]\r\n",
            ),
            (
                "526 Authentication failure[0]",
                "526 Authentication failure[0]\r\n",
            ),
            ("550 first\\nsecond", "550-first\r\n550 second\r\n"),
            ("550-first\n550 second", "550-first\r\n550 second\r\n"),
            ("554", "554\r\n"),
        ];
        for (text, wire) in cases {
            assert_eq!(text.parse::<Reply>().unwrap().wire(), wire);
        }
    }

    #[test]
    fn a_text_without_a_code_is_explained() {
        for text in ["", "no", "99 x", "600 x", "55012 x", "550\tx", "5五0 x"] {
            let error = text.parse::<Reply>().unwrap_err();
            assert!(
                error.to_string().contains("is not a reply; write a code"),
                "{error}"
            );
        }
    }
}
