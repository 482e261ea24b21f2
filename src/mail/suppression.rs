//! Who is never mailed again, and why.

use std::fmt;

use super::{Address, AddressFault};
use crate::text;
use crate::words::{Shown, Text};

words! {
    /// Why somebody is never mailed again.
    Reason {
        /// They said so.
        Unsubscribe = "unsubscribe",
        /// There is no such mailbox.
        HardBounce = "hard_bounce",
        /// Mails came back again and again.
        SoftBounces = "soft_bounces",
        /// They called a mail spam.
        Complaint = "complaint",
        /// The address exists only to catch senders of bad lists.
        SpamTrap = "spam_trap",
        /// Somebody here said so.
        Manual = "manual",
        /// A list from elsewhere said so.
        Import = "import",
    }
}

words! {
    /// How bad it is for an address that a mail came back from it.
    Severity {
        /// Another mail may arrive.
        Soft = "soft",
        /// No mail will arrive there again.
        Hard = "hard",
    }
}

words! {
    /// What comes back from a mail after it was handed over.
    Feedback {
        /// It could not be delivered, or not yet.
        Bounce = "bounce",
        /// Somebody called it spam.
        Complaint = "complaint",
        /// Somebody wants no more of them.
        Unsubscribe = "unsubscribe",
        /// It has arrived.
        Delivered = "delivered",
    }
}

impl Feedback {
    /// What it is in words; a bounce without a severity is one that is still being tried.
    pub fn said(self, severity: Option<Severity>) -> Text {
        match (self, severity) {
            (Self::Bounce, Some(Severity::Hard)) => text!("hard bounce"),
            (Self::Bounce, Some(Severity::Soft)) => text!("soft bounce"),
            (Self::Bounce, None) => text!("delayed"),
            (Self::Complaint, _) => text!("complaint"),
            (Self::Unsubscribe, _) => text!("unsubscribed"),
            (Self::Delivered, _) => text!("delivered"),
        }
    }
}

impl Reason {
    /// The reason in words.
    pub fn said(self) -> Text {
        match self {
            Self::Unsubscribe => text!("unsubscribed"),
            Self::HardBounce => text!("no such mailbox"),
            Self::SoftBounces => text!("mails came back again and again"),
            Self::Complaint => text!("complained"),
            Self::SpamTrap => text!("a spam trap"),
            Self::Manual => text!("by hand"),
            Self::Import => text!("imported"),
        }
    }
}

/// Whom a suppression is about: an address, everyone at a domain, or all addresses that look alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    /// One address, by its key.
    Address(String),
    /// Addresses that fit; `*` stands for anything.
    Pattern(Pattern),
}

/// What a pattern of addresses looks like, in lower case; `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

impl Pattern {
    /// Does an address with this key fit?
    pub fn fits(&self, key: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else {
            return self.0 == key;
        };
        let Some(mut key) = key.strip_prefix(first) else {
            return false;
        };
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return key.ends_with(part);
            }
            let Some(at) = key.find(part) else {
                return false;
            };
            key = key.get(at + part.len()..).unwrap_or_default();
        }
        true
    }
}

/// Marks patterns where they are kept with addresses. No address begins with it.
const MARK: char = '@';

impl Whom {
    /// Under which key it is kept.
    pub fn key(&self) -> String {
        match self {
            Self::Address(key) => key.clone(),
            Self::Pattern(pattern) => format!("{MARK}{}", pattern.0),
        }
    }

    /// What was kept under a key.
    pub fn from_key(key: &str) -> Self {
        match key.strip_prefix(MARK) {
            Some(pattern) => Self::Pattern(Pattern(pattern.to_owned())),
            None => Self::Address(key.to_owned()),
        }
    }

    /// Reads what people write: an address, `@example.com` for a domain, or a pattern with `*`.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let text = text.trim();
        if !text.contains('*') && !text.starts_with(MARK) {
            let address = Address::parse_utf8(text)?;
            return Ok(Self::Address(address.key()));
        }
        let pattern = if text.starts_with(MARK) {
            format!("*{text}")
        } else {
            text.to_owned()
        };
        let (local, domain) = pattern.split_once('@').ok_or_else(no_pattern)?;
        let is_part =
            |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
        // Everyone everywhere is nobody in particular: that would be a slip.
        let is_anyone = pattern.chars().all(|c| matches!(c, '*' | '@' | '.'));
        if !is_part(local) || !is_part(domain) || is_anyone {
            return Err(no_pattern());
        }
        Ok(Self::Pattern(Pattern(pattern.to_lowercase())))
    }
}

fn no_pattern() -> AddressFault {
    let hint = text!("write it like \"@example.com\", \"*@*.example.com\" or \"info@*\"");
    AddressFault::new(text!("not a pattern of addresses")).hint(hint)
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(key) => f.write_str(key),
            // A whole domain, as people write it.
            Self::Pattern(pattern) => f.write_str(
                pattern
                    .0
                    .strip_prefix('*')
                    .filter(|rest| rest.starts_with('@') && !rest.contains('*'))
                    .unwrap_or(&pattern.0),
            ),
        }
    }
}

impl Shown for Whom {}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, address: &str) -> bool {
        match Whom::parse(pattern).unwrap() {
            Whom::Address(key) => key == address,
            Whom::Pattern(pattern) => pattern.fits(address),
        }
    }

    #[test]
    fn a_pattern_fits_whom_it_describes_and_nobody_else() {
        for (pattern, yes, no) in [
            ("li@Example.com", "li@example.com", "wu@example.com"),
            ("@example.com", "li@example.com", "li@mail.example.com"),
            ("*@example.com", "li@example.com", "li@example.com.cn"),
            ("@*.example.com", "li@mail.example.com", "li@example.com"),
            ("info@*", "info@example.com", "an-info@example.com"),
            ("*-test@example.*", "a-test@example.org", "a-test@sample.org"),
            ("a*b*c@example.com", "aXbYc@example.com", "aXcYb@example.com"),
        ] {
            assert!(
                fits(pattern, &yes.to_lowercase()) || fits(pattern, yes),
                "{pattern} {yes}"
            );
            assert!(!fits(pattern, no), "{pattern} {no}");
        }
    }

    #[test]
    fn a_slip_that_would_be_everyone_is_refused() {
        for text in ["*", "*@*", "@", "@*", "*@*.*", "* @example.com", "li@", "a*b"] {
            assert!(Whom::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_kept_is_read_back() {
        for text in ["li@example.com", "@example.com", "info@*", "*@*.example.com"] {
            let whom = Whom::parse(text).unwrap();
            assert_eq!(Whom::from_key(&whom.key()), whom);
            assert_eq!(whom.to_string(), text);
        }
    }
}
