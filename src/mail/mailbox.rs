//! A mailbox as people write it: a name and an address.

use std::fmt;

use super::{Address, AddressFault};

use crate::text;

/// A display name with an address, as From and Reply-To carry it. Source: RFC 5322, 3.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name shown to people, decoded; none when only the address was given.
    pub name: Option<String>,
    /// Where the mail goes.
    pub address: Address,
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => self.address.fmt(f),
        }
    }
}

impl Mailbox {
    /// Parses `Name <address>`, `"Name" <address>` or a bare address.
    pub fn parse(input: &str) -> Result<Self, AddressFault> {
        let input = input.trim();
        let Some((name, rest)) = input.rsplit_once('<') else {
            return Ok(Self {
                name: None,
                address: Address::parse(input)?,
            });
        };
        let Some(address) = rest.strip_suffix('>') else {
            return Err(AddressFault::new(text!("a `<` without its `>`"))
                .hint(text!("write `Name <name@example.com>`")));
        };
        if name.chars().any(char::is_control) {
            return Err(AddressFault::new(text!("a control character in the name")));
        }
        let name = name.trim();
        let bare = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let name = bare.map_or_else(
            || name.to_owned(),
            |quoted| quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
        );
        Ok(Self {
            name: Some(name).filter(|name| !name.is_empty()),
            address: Address::parse(address)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_has_a_name_and_an_address() {
        let parse =
            |text: &str| Mailbox::parse(text).map(|m| (m.name.unwrap_or_default(), m.address.to_string()));
        let expect = |name: &str, address: &str| Ok((name.to_owned(), address.to_owned()));
        assert_eq!(
            parse("Aurora Home <news@a.example>"),
            expect("Aurora Home", "news@a.example")
        );
        assert_eq!(
            parse("\"Müller, 张\" <m@a.example>"),
            expect("Müller, 张", "m@a.example")
        );
        assert_eq!(parse("news@a.example"), expect("", "news@a.example"));
        assert!(parse("Aurora <news@a.example").is_err());
        assert!(parse("Au\r\nBcc: x <news@a.example>").is_err());
    }
}
