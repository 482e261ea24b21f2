//! Domains of addresses: what is one, and what is odd about one.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::AddressFault;
use crate::text;
use crate::words::Text;

/// Letters of other scripts that look like Latin ones, and those.
const ALIKE: [(char, char); 27] = [
    ('а', 'a'),
    ('в', 'b'),
    ('с', 'c'),
    ('ԁ', 'd'),
    ('е', 'e'),
    ('һ', 'h'),
    ('н', 'h'),
    ('і', 'i'),
    ('ј', 'j'),
    ('к', 'k'),
    ('ӏ', 'l'),
    ('м', 'm'),
    ('о', 'o'),
    ('р', 'p'),
    ('ѕ', 's'),
    ('т', 't'),
    ('у', 'y'),
    ('х', 'x'),
    ('α', 'a'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'u'),
    ('χ', 'x'),
];

/// What is wrong with a domain that is none. Source of the lengths: RFC 1035, 2.3.4.
fn no_domain(domain: &str) -> Text {
    let is_of_domains = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let stranger = domain.chars().find(|c| !is_of_domains(*c));
    let mut labels = domain.split('.');
    let why = if let Some(c) = stranger {
        text!("there can be no `{c}` in it", c)
    } else if labels.clone().any(str::is_empty) {
        text!("a dot at an end, or two dots in a row")
    } else if labels.clone().any(|label| label.len() > 63) {
        text!("more than 63 characters without a dot")
    } else if domain.len() > 253 {
        text!("more than 253 characters")
    } else if labels.any(|label| label.starts_with('-') || label.ends_with('-')) {
        text!("a hyphen beside a dot or at an end")
    } else {
        return text!("`{domain}` is not a domain name", domain);
    };
    let shown: String = domain.chars().take(40).collect();
    let rest = if shown.len() < domain.len() { "…" } else { "" };
    text!("`{shown}{rest}` is not a domain name: {why}", shown, rest, why)
}

/// Is this domain the other, or below it? In any case.
pub fn is_within(domain: &str, other: &str) -> bool {
    let rest = domain.len().checked_sub(other.len());
    let parts = rest.and_then(|at| domain.split_at_checked(at));
    parts.is_some_and(|(before, end)| {
        end.eq_ignore_ascii_case(other) && (before.is_empty() || before.ends_with('.'))
    })
}

/// A domain as it travels. Source: UTS 46, and RFC 1035 for what is a domain.
pub(super) fn to_ascii(domain: &str) -> Result<Cow<'_, str>, AddressFault> {
    // UTS 46 would take them for what they look like; what was typed is shown to the user first.
    if let Some(c) = domain
        .chars()
        .find(|c| matches!(c, '。' | '｡' | '\u{ff01}'..='\u{ff5e}'))
    {
        return Err(
            AddressFault::new(text!("a full-width `{c}` in the domain", c)).hint(text!("type it plain"))
        );
    }
    if domain.starts_with('[') {
        return Err(AddressFault::new(text!(
            "a numeric address in brackets, not a domain"
        )));
    }
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_detail| AddressFault::new(no_domain(domain)))?;
    let is_dotted = ascii.contains('.');
    if !is_dotted && ascii != "localhost" {
        return Err(AddressFault::new(text!(
            "`{domain}` has no dot; a domain looks like example.com",
            domain
        )));
    }
    if ascii
        .rsplit('.')
        .next()
        .is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(AddressFault::new(text!(
            "`{domain}` ends in a number; a domain looks like example.com",
            domain
        )));
    }
    Ok(ascii)
}

/// What is odd about a domain in its ASCII form, and what to do about it.
pub fn odd(domain: &str) -> Option<(Text, Text)> {
    let Some((_, top)) = domain.rsplit_once('.') else {
        let what = text!("`{domain}` is this machine: nobody else is reached there", domain);
        return Some((what, text!("give the domain that the mailbox has elsewhere")));
    };
    if top.len() == 1 {
        let what = text!("`{domain}` ends in one letter; no domain does", domain);
        return Some((what, text!("something was cut off, or typed wrong")));
    }
    if !domain.contains("xn--") {
        return None;
    }
    let (shown, _) = Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    let latin = shown
        .split('.')
        .map(as_latin)
        .collect::<Option<Vec<String>>>()?
        .join(".");
    (latin != shown).then(|| {
        let what = text!(
            "`{shown}` looks like `{latin}`, in letters of another script",
            shown,
            latin
        );
        (
            what,
            text!("mail would go to somebody else than it seems; type the domain anew"),
        )
    })
}

/// A label with Latin letters for those that only look so; none when it has others, and so is a word of its own.
fn as_latin(label: &str) -> Option<String> {
    let one = |c: char| match ALIKE.iter().find(|(other, _)| *other == c) {
        Some((_, latin)) => Some(*latin),
        None => c.is_ascii().then_some(c),
    };
    label.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Address;

    #[test]
    fn domains_where_nobody_is_or_somebody_else_are_odd() {
        let odd = |address: &str| odd(Address::parse(address).unwrap().domain()).map(|(what, _)| what);
        for (address, what) in [
            (
                "p@localhost",
                "`localhost` is this machine: nobody else is reached there",
            ),
            ("p@example.c", "`example.c` ends in one letter; no domain does"),
            (
                "p@gmаil.com",
                "`gmаil.com` looks like `gmail.com`, in letters of another script",
            ),
            (
                "p@аррӏе.com",
                "`аррӏе.com` looks like `apple.com`, in letters of another script",
            ),
        ] {
            assert_eq!(
                odd(address).map(|what| what.to_string()).as_deref(),
                Some(what),
                "{address}"
            );
        }
        for address in [
            "p@example.com",
            "p@bücher.example",
            "p@例子.中国",
            "p@почта.рф",
            "p@пример.com",
        ] {
            assert_eq!(odd(address), None, "{address}");
        }
    }
}
