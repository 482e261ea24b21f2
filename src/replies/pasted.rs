//! Reads a reply as people paste it: from a log, from a bounce, with several lines in one.

use std::sync::LazyLock;

use regex::Regex;

use crate::mail::{Reply, Stage};

/// What stands for a line break in texts that have been copied.
const BREAKS: [&str; 4] = ["\r\n", "\\r\\n", "\\n", "⏎"];

/// Where a reply begins in a line of a log: `said: 550 …`, `SMTP; 550 …`.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static BEGINNING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^([2-5]\d\d)|[\s:;(=>]([45]\d\d))(?:[ \-;#:]|$)").unwrap());

/// Where mail servers write the command that was refused.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)in reply to (?:the )?(end of data|\w+)|after (end of data|\w+)(?: command)?[: ]")
        .unwrap()
});

/// Codes that nothing but a login is answered with, when the words are of a login.
const OF_LOGINS: [u16; 11] = [435, 454, 460, 523, 524, 525, 526, 530, 534, 535, 538];

/// Words of logins.
const LOGIN_WORDS: [&str; 5] = ["auth", "login", "log in", "passw", "credential"];

/// The reply in a text, and the stage where the text says it.
pub fn pasted(text: &str) -> (Reply, Option<Stage>) {
    let (reply, told) = read(text);
    let words = reply.text.to_lowercase();
    let is_login = OF_LOGINS.contains(&reply.code) && LOGIN_WORDS.iter().any(|word| words.contains(word));
    let stage = told.or_else(|| is_login.then_some(Stage::Auth));
    (reply, stage)
}

fn read(text: &str) -> (Reply, Option<Stage>) {
    let mut text = text.trim().to_owned();
    for broken in BREAKS {
        text = text.replace(broken, "\n");
    }
    let stage = COMMAND.captures(&text).and_then(|found| {
        let word = found.get(1).or(found.get(2))?.as_str();
        word.parse().ok()
    });
    let without_code = || Reply {
        code: 0,
        enhanced: None,
        text: text.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let begins = BEGINNING
        .captures(&text)
        .and_then(|found| found.get(1).or(found.get(2)));
    let Some(reply) = begins.and_then(|code| text.get(code.start()..)) else {
        return (Reply::with_enhanced(without_code()), stage);
    };
    // Lines without a code go on with the one before.
    let mut lines: Vec<String> = Vec::new();
    for line in reply.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let has_code = line
            .get(..3)
            .is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
        match lines.last_mut() {
            Some(last) if !has_code => last.extend([" ", line]),
            _ => lines.push(line.to_owned()),
        }
    }
    let reply = Reply::from_lines(lines.iter().map(String::as_bytes)).unwrap_or_else(without_code);
    (reply, stage)
}
