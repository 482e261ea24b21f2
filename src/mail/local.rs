//! What may stand before the `@`. Sources: RFC 5321, 4.1.2 and 4.5.3.1; RFC 6531, 3.3.

use unicode_normalization::UnicodeNormalization as _;

use super::AddressFault;

use crate::text;

/// Octets in a local part at most. Source: RFC 5321, 4.5.3.1.1.
const LOCAL_MAX: usize = 64;

/// What nearly every server takes.
pub(super) fn check_local(local: &str) -> Result<(), AddressFault> {
    if !local.is_ascii() {
        check_utf8_local(local)?;
        return Err(AddressFault::new(text!(
            "letters outside ASCII before the `@`; most mail servers cannot take them (SMTPUTF8)"
        ))
        .hint(text!(
            "if your server offers SMTPUTF8: `smtputf8 = true` in the account"
        )));
    }
    check_local_length(local)?;
    if local.contains(char::is_whitespace) && !local.starts_with('"') {
        return Err(AddressFault::new(text!("a space inside the address")));
    }
    // What nearly all addresses are is looked at once, and nothing is copied.
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(is_atom);
    if local.split('.').all(is_plain) {
        return Ok(());
    }
    // The domain is ours to check; lettre knows what RFC 5321 allows in a local part.
    lettre::Address::new(local, "example.com")
        .map(drop)
        .map_err(|fault| {
            let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
            AddressFault::new(if dots {
                text!("a dot at an end, or two dots in a row, before the `@`")
            } else {
                text!(
                    "what stands before the `@` is not allowed there ({fault})",
                    fault = fault.to_string()
                )
            })
        })
}

fn check_local_length(local: &str) -> Result<(), AddressFault> {
    if local.len() <= LOCAL_MAX {
        return Ok(());
    }
    let what = text!(
        "{length} octets before the `@`; {most} is the most",
        length = local.len(),
        most = LOCAL_MAX
    );
    Err(AddressFault::new(what))
}

/// Letters and digits of any script, and what ASCII allows; not what only looks like something else, such as a
/// full-width `Ａ`. Source: RFC 6531, 3.3; RFC 6532, 3.1.
pub(super) fn check_utf8_local(local: &str) -> Result<(), AddressFault> {
    check_local_length(local)?;
    if !local.nfkc().eq(local.chars()) {
        let what = text!("characters before the `@` that stand for others, such as full-width letters");
        return Err(AddressFault::new(what).hint(text!("type them plain")));
    }
    let is_atom = |c: char| c.is_alphanumeric() || is_mark(c) || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_plain = |part: &str| !part.is_empty() && part.chars().all(is_atom);
    if local.split('.').all(is_plain) {
        Ok(())
    } else {
        Err(AddressFault::new(text!(
            "what stands before the `@` is not allowed there"
        )))
    }
}

/// Vowel signs and accents that stand on the letter before.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}
