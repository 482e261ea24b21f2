//! The footer must stand in both parts: the way to unsubscribe, and the postal address. The templates place it; this
//! is the check without which no mail is composed.

use std::ops::Range;

use memchr::memmem::Finder;

use super::{Links, lines};
use crate::mail::message::comments;

/// What the footer of one mail must show.
#[derive(Clone, Copy, Debug)]
pub struct Footer<'a> {
    /// How the recipient leaves.
    pub links: &'a Links,
    /// Who sends.
    pub postal: &'a Postal,
}

/// The postal address of a campaign, ready to be looked for.
#[derive(Clone, Debug)]
pub struct Postal {
    text: Finder<'static>,
    html: Finder<'static>,
}

impl Postal {
    /// The address as it stands in text, and as it stands in HTML.
    pub fn new(text: &str, html: &str) -> Self {
        let finder = |postal| Finder::new(lines::piece(postal).as_bytes()).into_owned();
        Self {
            text: finder(text),
            html: finder(html),
        }
    }
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
    /// Looks into both parts in their canonical form: what is sent. `start` is how all links of the campaign begin: to
    /// make a finder for every mail takes longer than to look.
    pub(super) fn check(&self, start: &Finder<'_>, text: &str, html: &str) -> Result<(), FooterMissing> {
        let link = self.links.preferred();
        for (part, body, postal) in [
            ("text", text, &self.postal.text),
            ("HTML", html, &self.postal.html),
        ] {
            let hidden: Vec<Range<usize>> = comments(body).collect();
            if !stands(body, &hidden, start, link) {
                return Err(FooterMissing {
                    part,
                    what: "unsubscribe link",
                });
            }
            if !stands(body, &hidden, postal, "") {
                return Err(FooterMissing {
                    part,
                    what: "postal address",
                });
            }
        }
        Ok(())
    }
}

/// Does `start` stand there, and at the same place the whole? What stands in a comment, also in one for a single mail
/// program, is not there for most people.
fn stands(body: &str, hidden: &[Range<usize>], start: &Finder<'_>, whole: &str) -> bool {
    let is_seen = |at: usize| !hidden.iter().any(|comment| comment.contains(&at));
    let is_whole = |at: usize| body.get(at..).is_some_and(|rest| rest.starts_with(whole));
    !start.needle().is_empty()
        && start
            .find_iter(body.as_bytes())
            .any(|at| is_whole(at) && is_seen(at))
}
