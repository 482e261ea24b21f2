//! What a server offers in its answer to EHLO. Source: RFC 5321, 4.1.1.1.

use std::net::IpAddr;

/// What the server offers. Unknown keywords are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an extension of SMTP")]
pub struct Capabilities {
    /// RFC 2920: commands in groups.
    pub pipelining: bool,
    /// RFC 3030: the message as a chunk of so many octets, which the next command may follow at once.
    pub chunking: bool,
    /// RFC 1870: the largest mail the server takes, in octets; none when it does not say.
    pub size_max: Option<u64>,
    /// RFC 6531: addresses and headers in UTF-8.
    pub smtputf8: bool,
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 4954: the names of login mechanisms, upper case.
    pub auth: Vec<String>,
    /// Our address as the server sees it, where its first line says so: `250-mx at your service, [203.0.113.7]`.
    pub seen_as: Option<IpAddr>,
}

impl Capabilities {
    pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut found = Self::default();
        let mut lines = lines;
        found.seen_as = lines.next().and_then(seen_as);
        for line in lines {
            let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default()).to_ascii_uppercase();
            // Old servers write `AUTH=PLAIN LOGIN`; newer ones say the same again in the right form.
            let text = text.replacen("AUTH=", "AUTH ", 1);
            let mut words = text.split_ascii_whitespace();
            match words.next() {
                Some("PIPELINING") => found.pipelining = true,
                Some("CHUNKING") => found.chunking = true,
                // 0 means that there is no fixed limit.
                Some("SIZE") => {
                    found.size_max = words
                        .next()
                        .and_then(|size| size.parse().ok())
                        .filter(|size| *size > 0);
                }
                Some("SMTPUTF8") => found.smtputf8 = true,
                Some("STARTTLS") => found.starttls = true,
                Some("AUTH") => found.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        found
    }
}

/// The one address in brackets of a line. Two would leave open which of them is ours.
fn seen_as(line: &[u8]) -> Option<IpAddr> {
    let text = String::from_utf8_lossy(line);
    let bracketed = text.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
    let mut ips = bracketed.filter_map(|(ip, _)| ip.strip_prefix("IPv6:").unwrap_or(ip).parse().ok());
    let first = ips.next();
    first.filter(|_| ips.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_in_any_case_and_form() {
        let lines = [
            "250-mail.example.com greets you",
            "250-8bitmime",
            "250-AUTH=PLAIN LOGIN XALIOAUTH",
            "250-auth PLAIN LOGIN XOAUTH2",
            "250-SIZE 35882577",
            "250-CHUNKING",
            "250 Pipelining",
        ];
        let found = Capabilities::parse(lines.iter().map(|line| line.as_bytes()));
        assert!(found.pipelining && found.chunking && !found.starttls);
        assert!(found.auth.iter().any(|name| name == "XOAUTH2"));
        assert!(found.auth.iter().any(|name| name == "LOGIN"));
    }

    #[test]
    fn our_address_is_what_the_server_says_once_in_brackets() {
        let seen = |line: &str| seen_as(line.as_bytes()).map(|ip| ip.to_string());
        assert_eq!(
            seen("250-smtp.gmail.com at your service, [203.0.113.7]"),
            Some("203.0.113.7".to_owned())
        );
        assert_eq!(
            seen("250-mx Hello [IPv6:2001:db8::1]"),
            Some("2001:db8::1".to_owned())
        );
        assert_eq!(seen("250-mx [10.0.0.1] greets [203.0.113.7]"), None);
        assert_eq!(seen("250 smtp.example.com"), None);
    }
}
