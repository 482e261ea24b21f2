//! What is sent: the rendered content, and the bytes made from it.

use sha2::{Digest, Sha256};

use super::Address;

/// What templates made for one recipient. It holds the footer already: see [`crate::compose`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The subject as people read it: one line, decoded.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
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
    let before = html.get(..at).unwrap_or_default();
    let open = before.rfind("<!--").and_then(|open| before.get(open..));
    open.is_some_and(|rest| !rest.contains("-->"))
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
