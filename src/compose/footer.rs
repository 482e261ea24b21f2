//! The footer must stand in both parts: the way to unsubscribe, and the postal address. The templates place it; this
//! is the check without which no mail is composed.

use crate::mail::Content;

/// What the footer of one mail must show.
#[derive(Clone, Copy, Debug)]
pub struct Footer<'a> {
    /// The link by which the recipient leaves.
    pub unsubscribe_link: &'a str,
    /// The postal address as it stands in text.
    pub postal_text: &'a str,
    /// The postal address as it stands in HTML.
    pub postal_html: &'a str,
}

/// The footer is not there: which half, in which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {part} part has no {what}; `{{{{{{footer}}}}}}` must not be hidden by a condition")]
pub struct FooterMissing {
    /// `text` or `HTML`.
    pub part: &'static str,
    /// What is missing.
    pub what: &'static str,
}

impl Footer<'_> {
    pub(super) fn check(&self, content: &Content) -> Result<(), FooterMissing> {
        let parts = [
            ("text", &content.text, self.postal_text),
            ("HTML", &content.html, self.postal_html),
        ];
        for (part, body, postal) in parts {
            if !body.contains(self.unsubscribe_link) || self.unsubscribe_link.is_empty() {
                return Err(FooterMissing {
                    part,
                    what: "unsubscribe link",
                });
            }
            if !body.contains(postal) || postal.is_empty() {
                return Err(FooterMissing {
                    part,
                    what: "postal address",
                });
            }
        }
        Ok(())
    }
}
