//! What is sent: the rendered content, and the bytes made from it.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use sha2::{Digest, Sha256};

use super::{Address, SentFile};

/// What templates made for one recipient. It holds the footer already: see [`crate::compose`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The subject as people read it: one line, decoded.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// Files that go with it.
    pub files: Vec<SentFile>,
}

/// Who sends and who gets it, as SMTP is told. Source: RFC 5321, 2.3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The return path.
    pub from: Address,
    /// The one recipient: a mail to several could not be personal, nor counted for each.
    pub to: Address,
}

/// Does this position of an HTML text lie in a comment, where nobody sees it?
pub fn is_in_comment(html: &str, at: usize) -> bool {
    comments(html).any(|comment| comment.contains(&at))
}

/// The comments of an HTML text, without the signs that open them. One that is never closed runs to the end.
pub fn comments(html: &str) -> impl Iterator<Item = Range<usize>> {
    // Made once: making one takes as long as searching a short text.
    static OPEN: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("<!--"));
    static CLOSE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("-->"));
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = html.get(from..)?;
        let open = from + OPEN.find(rest.as_bytes())?;
        // `<!-->` closes itself.
        let within = html.get(open..).unwrap_or_default();
        let close = CLOSE.find(within.as_bytes());
        from = close.map_or(html.len(), |at| open + at + CLOSE.needle().len());
        Some(open + OPEN.needle().len()..close.map_or(usize::MAX, |_| from))
    })
}

/// A mail ready to go: RFC 5322 bytes with CRLF line ends, and its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sends and who gets it.
    pub envelope: Envelope,
    /// The Message-ID without its angle brackets; the same for every try of one delivery.
    pub message_id: String,
    /// The mail, not dot-stuffed.
    pub bytes: Vec<u8>,
}

impl Message {
    /// The SHA-256 of the bytes: what the ledger keeps, so that a mail can be proved later.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_is_in_a_comment_when_one_is_open_before_it(html in "(<!--|-->|<!-->|-|>|a|é){0,8}") {
            for at in (0..=html.len()).filter(|at| html.is_char_boundary(*at)) {
                let (before, _) = html.split_at(at);
                let open = before.rfind("<!--").map(|open| before.split_at(open).1);
                let expected = open.is_some_and(|rest| !rest.contains("-->"));
                prop_assert_eq!(is_in_comment(&html, at), expected, "{} at {}", html, at);
            }
        }
    }
}
