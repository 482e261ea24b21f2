//! Domains of addresses.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::AddressFault;

/// What is wrong with a domain that is none. Source of the lengths: RFC 1035, 2.3.4.
fn no_domain(domain: &str) -> String {
    let is_of_domains = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let stranger = domain.chars().find(|c| !is_of_domains(*c));
    let mut labels = domain.split('.');
    let why = if let Some(c) = stranger {
        format!("there can be no `{c}` in it")
    } else if labels.clone().any(str::is_empty) {
        "a dot at an end, or two dots in a row".to_owned()
    } else if labels.clone().any(|label| label.len() > 63) {
        "more than 63 characters without a dot".to_owned()
    } else if domain.len() > 253 {
        "more than 253 characters".to_owned()
    } else if labels.any(|label| label.starts_with('-') || label.ends_with('-')) {
        "a hyphen beside a dot or at an end".to_owned()
    } else {
        return format!("`{domain}` is not a domain name");
    };
    let shown: String = domain.chars().take(40).collect();
    let rest = if shown.len() < domain.len() { "…" } else { "" };
    format!("`{shown}{rest}` is not a domain name: {why}")
}

/// A domain as it travels. Source: UTS 46, and RFC 1035 for what is a domain.
pub(super) fn to_ascii(domain: &str) -> Result<Cow<'_, str>, AddressFault> {
    // UTS 46 would take them for what they look like; what was typed is shown to the user first.
    if let Some(c) = domain
        .chars()
        .find(|c| matches!(c, '。' | '｡' | '\u{ff01}'..='\u{ff5e}'))
    {
        return Err(AddressFault::new(format!("a full-width `{c}` in the domain")).hint("type it plain"));
    }
    if domain.starts_with('[') {
        return Err(AddressFault::new("a numeric address in brackets, not a domain"));
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
        return Err(AddressFault::new(format!(
            "`{domain}` has no dot; a domain looks like example.com"
        )));
    }
    if ascii
        .rsplit('.')
        .next()
        .is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(AddressFault::new(format!(
            "`{domain}` ends in a number; a domain looks like example.com"
        )));
    }
    Ok(ascii)
}
