//! A checked mailbox. Inside the program an address is an [`Address`], never a `String`.
//!
//! The rules are RFC 5321 (4.1.2 syntax, 4.5.3.1 lengths) and UTS 46 for domains in other scripts, which become
//! A-labels. Local parts in other scripts need SMTPUTF8 (RFC 6531) and are refused with that reason.

use std::fmt;

use super::domain;
use super::local::{check_local, check_utf8_local};
use super::repair::is_invisible;
use super::several::looks_like_several;
use crate::text;
use crate::words::{Gap, Say, Shown, Text};

/// Octets in a whole address at most: a path of 256 less its angle brackets. Source: RFC 5321, 4.5.3.1.3.
const ADDRESS_MAX: usize = 254;

/// A mailbox one can send to: local part, `@`, and a domain in its ASCII form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    text: String,
    at: usize,
}

/// Why a text is not an address, said for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressFault {
    /// What is wrong, in a few words.
    pub what: Text,
    /// What to do about it, where one can tell.
    pub hint: Option<Text>,
}

impl AddressFault {
    pub(super) fn new(what: impl Say) -> Self {
        Self {
            what: what.said(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Say) -> Self {
        self.hint = Some(hint.said());
        self
    }
}

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

impl std::error::Error for AddressFault {}

impl Gap for AddressFault {
    fn gap(&self) -> Text {
        self.what.clone()
    }
}

impl Address {
    /// Parses one bare address. White space around it is dropped; nothing else is repaired.
    pub fn parse(input: &str) -> Result<Self, AddressFault> {
        Self::parse_with(input, check_local)
    }

    /// The same with letters of any script before the `@`, as RFC 6531 allows them.
    pub fn parse_utf8(input: &str) -> Result<Self, AddressFault> {
        Self::parse_with(input, |local| {
            if local.is_ascii() {
                check_local(local)
            } else {
                check_utf8_local(local)
            }
        })
    }

    fn parse_with(
        input: &str,
        check_local: impl Fn(&str) -> Result<(), AddressFault>,
    ) -> Result<Self, AddressFault> {
        let input = input.trim();
        refuse_what_is_not_one_bare_address(input)?;
        let (local, domain) = split_at_sign(input)?;
        check_local(local)?;
        let domain = domain::to_ascii(domain)?;
        let mut text = String::with_capacity(local.len() + 1 + domain.len());
        text.extend([local, "@", &domain]);
        if text.len() > ADDRESS_MAX {
            return Err(AddressFault::new(text!(
                "{length} octets long; an address has {most} at most",
                length = text.len(),
                most = ADDRESS_MAX
            )));
        }
        Ok(Self {
            at: local.len(),
            text,
        })
    }

    /// The whole address as it goes on the wire.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Can only a server that offers SMTPUTF8 take it?
    pub fn needs_smtputf8(&self) -> bool {
        !self.text.is_ascii()
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What stands after the `@`: A-labels, lower case.
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// The form in which two spellings of one mailbox are equal.
    ///
    /// RFC 5321 lets a server tell `Li@` from `li@`; none in use does, and mailing a person twice is worse.
    pub fn key(&self) -> String {
        Self::key_of(&self.text)
    }

    /// The key of an address that was checked before, such as one from the ledger.
    pub fn key_of(address: &str) -> String {
        // Addresses are ASCII; what else a ledger may hold takes the tables.
        if address.is_ascii() {
            address.to_ascii_lowercase()
        } else {
            address.to_lowercase()
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Shown for Address {}

/// Tells apart the things that people put into an address column and that need another hint than "wrong".
fn refuse_what_is_not_one_bare_address(input: &str) -> Result<(), AddressFault> {
    if input.is_empty() {
        return Err(AddressFault::new(text!("no address in this row")));
    }
    if input.chars().any(char::is_control) {
        return Err(AddressFault::new(text!(
            "a control character (a line break or NUL) in the address"
        )));
    }
    if let Some(c) = input.chars().find(|c| is_invisible(*c)) {
        let what = text!(
            "an invisible character (U+{c}) in the address",
            c = format!("{:04X}", u32::from(c))
        );
        return Err(AddressFault::new(what).hint(text!("type the address anew")));
    }
    if input
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("mailto:"))
    {
        return Err(
            AddressFault::new(text!("a `mailto:` link, not a bare address")).hint(text!("remove `mailto:`"))
        );
    }
    if input.contains('\u{ff20}') {
        return Err(AddressFault::new(text!("a full-width `＠`")).hint(text!("type a plain `@`")));
    }
    if looks_like_several(input) {
        return Err(AddressFault::new(text!("several addresses, not one"))
            .hint(text!("give each address a row of its own")));
    }
    if !input.contains('"') && input.contains('<') {
        return Err(AddressFault::new(text!("a name before the address")).hint(text!(
            "keep only what stands between `<` and `>`; put the name into a column of its own"
        )));
    }
    Ok(())
}

fn split_at_sign(input: &str) -> Result<(&str, &str), AddressFault> {
    let Some((local, domain)) = input.rsplit_once('@') else {
        return Err(AddressFault::new(text!("no `@`; an address is name@domain")));
    };
    let quoted = local.starts_with('"') && local.ends_with('"') && local.len() > 1;
    if local.contains('@') && !quoted {
        return Err(AddressFault::new(if local.matches('@').count() == 1 {
            text!("two `@`; an address has one")
        } else {
            text!("several `@`; an address has one")
        }));
    }
    if local.is_empty() {
        return Err(AddressFault::new(text!("nothing before the `@`")));
    }
    if domain.is_empty() {
        return Err(AddressFault::new(text!("nothing after the `@`")));
    }
    Ok((local, domain))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn good_addresses_keep_their_local_part_and_get_an_ascii_domain() {
        for (input, expected) in [
            ("li@example.com", "li@example.com"),
            (" Wang.Xiao+news@Example.COM ", "Wang.Xiao+news@example.com"),
            ("info@bücher.example", "info@xn--bcher-kva.example"),
            ("联系@例子.中国", ""),
            ("info@例子.中国", "info@xn--fsqu00a.xn--fiqs8s"),
            ("o'brien@example.com", "o'brien@example.com"),
            ("\"quoted local\"@example.com", "\"quoted local\"@example.com"),
            ("dev@localhost", "dev@localhost"),
        ] {
            assert_eq!(
                Address::parse(input).map(|a| a.text).unwrap_or_default(),
                expected,
                "{input}"
            );
        }
    }

    #[test]
    fn bad_addresses_say_what_is_wrong() {
        for (input, expected) in [
            ("", "no address in this row"),
            ("plain", "no `@`; an address is name@domain"),
            ("a@", "nothing after the `@`"),
            ("@b.com", "nothing before the `@`"),
            ("a@b", "`b` has no dot; a domain looks like example.com"),
            (
                "a..b@example.com",
                "a dot at an end, or two dots in a row, before the `@`",
            ),
            (
                "联系@例子.中国",
                "letters outside ASCII before the `@`; most mail servers cannot take them (SMTPUTF8)",
            ),
            (
                "a@b_c.com",
                "`b_c.com` is not a domain name: there can be no `_` in it",
            ),
            (
                "a@b..com",
                "`b..com` is not a domain name: a dot at an end, or two dots in a row",
            ),
            (
                "a@-b.com",
                "`-b.com` is not a domain name: a hyphen beside a dot or at an end",
            ),
            ("a@[192.0.2.1]", "a numeric address in brackets, not a domain"),
            (
                "a@192.0.2.1",
                "`192.0.2.1` ends in a number; a domain looks like example.com",
            ),
            ("a@example.com;b@example.com", "several addresses, not one"),
            (
                "A <a@example.com>, B <b@example.com>",
                "several addresses, not one",
            ),
            ("a@example.com|b@example.com", "several addresses, not one"),
            ("张三<a@example.com>", "a name before the address"),
            ("mailto:a@example.com", "a `mailto:` link, not a bare address"),
            ("wang@@example.com", "two `@`; an address has one"),
            ("zhang＠example.com", "a full-width `＠`"),
            ("a b@example.com", "a space inside the address"),
            (
                "a@exa mple.com",
                "`exa mple.com` is not a domain name: there can be no ` ` in it",
            ),
            (
                "a\n@example.com",
                "a control character (a line break or NUL) in the address",
            ),
            (
                "a@example.com\u{200b}x",
                "an invisible character (U+200B) in the address",
            ),
            ("li@example。com", "a full-width `。` in the domain"),
        ] {
            let fault = Address::parse(input).unwrap_err();
            assert_eq!(fault.what, expected, "{input}");
        }
    }

    #[test]
    fn letters_of_any_script_are_taken_only_where_they_are_wanted() {
        let parse = |text: &str| {
            Address::parse_utf8(text)
                .map(|address| address.to_string())
                .map_err(|fault| fault.what)
        };
        assert_eq!(
            parse("联系@例子.中国").as_deref(),
            Ok("联系@xn--fsqu00a.xn--fiqs8s")
        );
        assert_eq!(
            parse("jürgen.müller@example.com").as_deref(),
            Ok("jürgen.müller@example.com")
        );
        assert!(Address::parse_utf8("联系@example.com").unwrap().needs_smtputf8());
        for wrong in [
            "Ａ@example.com",
            "a b联@example.com",
            "联..系@example.com",
            "联\u{202e}系@example.com",
            "联<系@example.com",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(
            parse(&format!("{}@example.com", "联".repeat(22))).is_err(),
            "66 octets"
        );
    }

    #[test]
    fn lengths_stop_at_the_limits_of_rfc_5321() {
        let local = |n: usize| format!("{}@example.com", "a".repeat(n));
        assert!(Address::parse(&local(64)).is_ok());
        assert!(Address::parse(&local(65)).is_err());
        let labels = |n: usize| format!("a@{}.com", vec!["b".repeat(60); n].join("."));
        assert!(Address::parse(&labels(4)).is_ok());
        assert!(Address::parse(&labels(5)).is_err());
    }

    #[test]
    fn two_spellings_of_one_mailbox_have_one_key() {
        let key = |text: &str| Address::parse(text).unwrap().key();
        assert_eq!(key("Li@Example.com"), key("li@EXAMPLE.COM"));
        assert_ne!(key("li@example.com"), key("li@example.org"));
    }

    proptest! {
        #[test]
        fn plain_local_parts_are_those_that_lettre_allows(local in "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}") {
            let is_allowed = lettre::Address::new(&local, "example.com").is_ok();
            prop_assert_eq!(check_local(&local).is_ok(), is_allowed, "{}", local);
        }

        #[test]
        fn what_parses_is_safe_on_the_wire(input in "\\PC{0,40}") {
            if let Ok(address) = Address::parse(&input) {
                prop_assert!(address.as_str().is_ascii());
                prop_assert!(!address.as_str().contains(['\r', '\n', '\0']));
                prop_assert!(address.as_str().len() <= ADDRESS_MAX);
                prop_assert_eq!(Address::parse(address.as_str()), Ok(address.clone()));
            }
            if let Ok(address) = Address::parse_utf8(&input) {
                prop_assert!(!address.as_str().contains(['\r', '\n', '\0', ' ', '<', '>']) || address.as_str().starts_with('"'));
                prop_assert!(address.domain().is_ascii());
            }
        }
    }
}
