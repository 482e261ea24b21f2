//! Tokens that something else has collected: a list of them, or the log of a web server that answers nobody.
//!
//! In a log only POST counts: programs that look for viruses visit links too, and nobody is unsubscribed by a visit.

use std::sync::LazyLock;

use jiff::fmt::strtime;
use regex::Regex;

use super::wish::like_tokens;

/// The method of a request, as logs have it: in capitals, or as the value of a field.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static METHOD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:GET|HEAD|OPTIONS|POST|PUT|DELETE|PATCH|CONNECT|TRACE|PROPFIND)\b|",
        r#"(?i:["=:]\s*["']?(?:get|head|options|post|put|delete|patch|connect|trace|propfind)\b)"#
    ))
    .unwrap()
});

/// When it was, in the common and the combined format. Source: Apache httpd, `%t` of custom logs.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[(\d\d/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]").unwrap());

/// What a line has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Nothing that looks like a token.
    Nothing,
    /// Somebody has only looked.
    Visit,
    /// A request that wishes, and when it was. One of these is its token.
    Wish(Vec<String>, Option<i64>),
    /// A list of tokens, or a row of one.
    Tokens(Vec<String>),
}

impl Line {
    /// Reads a line.
    pub fn read(line: &str) -> Self {
        let mut tokens: Vec<String> = like_tokens(line).collect();
        tokens.dedup();
        if tokens.is_empty() {
            return Self::Nothing;
        }
        match METHOD.find(line) {
            None => Self::Tokens(tokens),
            Some(method) if method.as_str().to_ascii_lowercase().ends_with("post") => {
                Self::Wish(tokens, at_ms(line))
            }
            Some(_) => Self::Visit,
        }
    }
}

fn at_ms(line: &str) -> Option<i64> {
    let time = TIME.captures(line)?.get(1)?.as_str();
    let time = strtime::parse("%d/%b/%Y:%H:%M:%S %z", time).ok()?;
    Some(time.to_timestamp().ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "ATTZNqLE8-IqR4T_9OIfQPiQeNgidAp5qvVP_bzWeGwd";

    #[test]
    fn only_requests_that_wish_count_in_a_log() {
        let wish = |at_ms| Line::Wish(vec![TOKEN.to_owned()], at_ms);
        let tokens = Line::Tokens(vec![TOKEN.to_owned()]);
        let at = Some(1_795_492_800_000);
        for (line, read) in [
            (
                format!("1.2.3.4 - - [24/Nov/2026:04:00:00 +0000] \"POST /u/{TOKEN} HTTP/1.1\" 405 0"),
                wish(at),
            ),
            (
                format!(
                    "1.2.3.4 - - [24/Nov/2026:12:00:00 +0800] \"POST /u/{TOKEN} HTTP/1.1\" 200 0 \"https://x/u/{TOKEN}\" \"a\""
                ),
                wish(at),
            ),
            (
                format!(
                    "1.2.3.4 - - [24/Nov/2026:04:00:00 +0000] \"GET /u/{TOKEN} HTTP/1.1\" 200 0 \"-\" \"POST\""
                ),
                Line::Visit,
            ),
            (
                format!("1.2.3.4 - - [24/Nov/2026:04:00:00 +0000] \"HEAD /u/{TOKEN} HTTP/1.1\" 200 0"),
                Line::Visit,
            ),
            (
                format!("2026-11-24 04:00:00 1.2.3.4 GET example.com /u/{TOKEN} 200"),
                Line::Visit,
            ),
            (
                format!("{{\"method\":\"get\",\"uri\":\"/u/{TOKEN}\"}}"),
                Line::Visit,
            ),
            (
                format!("{{\"method\": \"POST\",\"uri\":\"/u/{TOKEN}\"}}"),
                wish(None),
            ),
            (format!("method=post uri=/u/{TOKEN}"), wish(None)),
            (TOKEN.to_owned(), tokens.clone()),
            (format!("  {TOKEN}\r"), tokens.clone()),
            (format!("unsubscribe-{TOKEN}"), tokens.clone()),
            (
                format!("7,\"please get me off, and post nothing\",{TOKEN},2026-11-24"),
                tokens.clone(),
            ),
            (format!("https://news.example.com/u/{TOKEN}?a=b"), tokens),
            (format!("{TOKEN}A"), Line::Nothing),
            (String::new(), Line::Nothing),
            ("token,when".to_owned(), Line::Nothing),
        ] {
            assert_eq!(Line::read(&line), read, "{line}");
        }
    }
}
