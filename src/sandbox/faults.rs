//! Faults that a recipient's local part asks for.
//!
//! A list of test addresses is a test plan: `drop-after-data-17@example.com` says in the list itself what
//! will happen to that mail. Only the part before any `+` counts, in any case of letters. [`LOCAL_PARTS`]
//! is the one table of them; the command line prints it.

use super::script::Stage;

/// What a local part makes the server do: the pattern, and what happens.
///
/// Each word may be followed by `-` and anything, so that many can stand in one list: `slow-1@`, `slow-2@`.
pub const LOCAL_PARTS: &[(&str, &str)] = &[
    ("4xx, 5xx", "RCPT is answered with that code, as in `550-anna@`"),
    ("421", "RCPT is answered 421 4.7.0 and the connection is closed"),
    ("fail", "RCPT is answered 550 5.1.1, always"),
    ("tempfail", "RCPT is answered 451 4.3.0, always"),
    (
        "greylist",
        "RCPT is answered 450 4.2.0 the first time this address is seen, then accepted",
    ),
    (
        "data-4xx, data-5xx",
        "the end of data is answered with that code, as in `data-550-anna@`",
    ),
    (
        "drop, drop-at-rcpt",
        "the connection is closed instead of the reply to RCPT",
    ),
    (
        "drop-at-data",
        "the connection is closed instead of the reply to DATA",
    ),
    (
        "drop-in-data",
        "the connection is closed after about 1 KiB of the mail",
    ),
    (
        "drop-after-data",
        "the mail is read to its end and thrown away; the connection is closed without a reply",
    ),
    (
        "accept-then-drop",
        "the mail is accepted and kept; the connection is closed without a reply",
    ),
    (
        "slow",
        "the reply to the end of data comes late, after 2 seconds as a rule",
    ),
];

/// What the server does because of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Answer RCPT with this code.
    Refuse(u16),
    /// Answer RCPT with 450 once for each address.
    Greylist,
    /// Answer the end of data with this code.
    RefuseData(u16),
    /// Close the connection without a word at this stage.
    DropAt(Stage),
    /// Answer the end of data late.
    Slow,
}

/// The words, longest first: `drop-at-data` must not be taken for `drop`.
const WORDS: &[(&str, Fault)] = &[
    ("accept-then-drop", Fault::DropAt(Stage::AfterStore)),
    ("drop-after-data", Fault::DropAt(Stage::EndOfData)),
    ("drop-at-data", Fault::DropAt(Stage::Data)),
    ("drop-at-rcpt", Fault::DropAt(Stage::Recipient)),
    ("drop-in-data", Fault::DropAt(Stage::InData)),
    ("greylist", Fault::Greylist),
    ("tempfail", Fault::Refuse(451)),
    ("drop", Fault::DropAt(Stage::Recipient)),
    ("fail", Fault::Refuse(550)),
    ("slow", Fault::Slow),
];

/// The fault that this address asks for, if any.
pub(super) fn asked_by(address: &str) -> Option<Fault> {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let local = local.split_once('+').map_or(local, |(base, _)| base);
    if let Some(code) = leading_code(local) {
        return Some(Fault::Refuse(code));
    }
    if is_word(local, "data") {
        return local
            .get("data-".len()..)
            .and_then(leading_code)
            .map(Fault::RefuseData);
    }
    WORDS
        .iter()
        .find(|(word, _)| is_word(local, word))
        .map(|(_, fault)| *fault)
}

/// The enhanced code and the text that go with a refusal.
pub(super) fn words_for(code: u16) -> (&'static str, &'static str) {
    match code {
        421 => ("4.7.0", "try again later, closing the connection"),
        450 => ("4.2.0", "mailbox busy, try again later"),
        451 => ("4.3.0", "local error, try again later"),
        452 => ("4.2.2", "mailbox full, try again later"),
        454 => ("4.7.0", "temporarily refused by policy"),
        550 => ("5.1.1", "no such mailbox"),
        551 => ("5.1.6", "the mailbox has moved"),
        552 => ("5.2.2", "mailbox full"),
        553 => ("5.1.3", "mailbox name not allowed"),
        554 => ("5.7.1", "refused by policy"),
        400..=499 => ("4.0.0", "temporary failure, as the address asked"),
        _ => ("5.0.0", "permanent failure, as the address asked"),
    }
}

/// The code of `550` and `550-anything`, if it is 4xx or 5xx.
fn leading_code(text: &str) -> Option<u16> {
    let digits = text.get(..3)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !is_word(text, digits) {
        return None;
    }
    digits.parse().ok().filter(|code| (400..600).contains(code))
}

fn is_word(local: &str, word: &str) -> bool {
    local
        .get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
        && matches!(local.as_bytes().get(word.len()), None | Some(b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_table_is_understood() {
        for (pattern, _) in LOCAL_PARTS {
            for word in pattern.split(", ") {
                let address = format!(
                    "{}-17@example.com",
                    word.replace("4xx", "451").replace("5xx", "550")
                );
                assert!(asked_by(&address).is_some(), "{address}");
            }
        }
    }

    #[test]
    fn the_table_in_the_documentation_is_this_table() {
        let header: Vec<&str> = include_str!("mod.rs")
            .lines()
            .filter(|line| line.starts_with("//! | `"))
            .collect();
        let table: Vec<String> = LOCAL_PARTS
            .iter()
            .map(|(pattern, what)| format!("//! | `{}` | {what} |", pattern.replace(", ", "`, `")))
            .collect();
        assert_eq!(header, table);
    }

    #[test]
    fn the_longest_word_wins_and_case_and_tags_do_not_matter() {
        let cases = [
            ("drop@example.com", Some(Fault::DropAt(Stage::Recipient))),
            ("drop-17@example.com", Some(Fault::DropAt(Stage::Recipient))),
            ("Drop-At-Data-17@example.com", Some(Fault::DropAt(Stage::Data))),
            (
                "drop-after-data+x@example.com",
                Some(Fault::DropAt(Stage::EndOfData)),
            ),
            (
                "accept-then-drop-2@example.com",
                Some(Fault::DropAt(Stage::AfterStore)),
            ),
            ("FAIL+tag@example.com", Some(Fault::Refuse(550))),
            ("561-honeypot@example.com", Some(Fault::Refuse(561))),
            ("421@example.com", Some(Fault::Refuse(421))),
            ("data-451-x@example.com", Some(Fault::RefuseData(451))),
        ];
        for (address, fault) in cases {
            assert_eq!(asked_by(address), fault, "{address}");
        }
    }

    #[test]
    fn ordinary_people_are_left_alone() {
        for address in [
            "ming.wang@example.com",
            "failure@example.com",
            "dropbox@example.com",
            "5501234@qq.com",
            "250-x@example.com",
            "data@example.com",
            "data-science@example.com",
            "slowly@example.com",
            "王550@example.com",
            "me+fail@example.com",
        ] {
            assert_eq!(asked_by(address), None, "{address}");
        }
    }
}
