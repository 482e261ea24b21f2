//! An SPF record as written. Source: RFC 7208, 4.6 and 12.

use crate::text;
use crate::words::Text;

/// What a match means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qualifier {
    /// `+`, or nothing.
    Pass,
    /// `-`
    Fail,
    /// `~`
    SoftFail,
    /// `?`
    Neutral,
}

/// One word of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// `all`
    All(Qualifier),
    /// `include:domain`
    Include(String),
    /// `a`, with another domain if there is one.
    A(Option<String>),
    /// `mx`, with another domain if there is one.
    Mx(Option<String>),
    /// `ptr`
    Ptr,
    /// `exists:domain`
    Exists(String),
    /// `ip4:` or `ip6:`
    Ip,
    /// `redirect=domain`
    Redirect(String),
    /// `exp=` and modifiers that nobody knows.
    Other,
}

/// A record, and what is odd about how it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spf {
    /// Its words.
    pub terms: Vec<Term>,
    /// What makes receivers give up on it (permerror).
    pub faults: Vec<Text>,
    /// Words behind `all`, which nobody reads.
    pub after_all: Vec<String>,
}

/// Is this text an SPF record? Source: RFC 7208, 4.5.
pub fn is_spf(text: &str) -> bool {
    let is_version = text
        .get(..6)
        .is_some_and(|start| start.eq_ignore_ascii_case("v=spf1"));
    is_version && matches!(text.as_bytes().get(6), None | Some(b' '))
}

/// Does it look as if it were meant to be one, though receivers do not take it for one?
pub fn is_meant(text: &str) -> bool {
    let plain: String = narrow(text)
        .chars()
        .filter(|c| !c.is_whitespace() && !is_quote(*c))
        .collect();
    let plain = plain.to_ascii_lowercase();
    !is_spf(text) && (plain.contains("v=spf") || plain.starts_with("spf1"))
}

/// Full-width characters as what they were meant to be.
fn narrow(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    text.nfkc().collect()
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '“' | '”' | '‘' | '’' | '「' | '」')
}

impl Spf {
    /// Reads a record.
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        if !text.is_ascii() {
            let odd: Vec<String> = text
                .chars()
                .filter(|c| !c.is_ascii())
                .map(|c| format!("`{c}`"))
                .collect();
            let odd = odd.join(" ");
            found.faults.push(text!(
                "characters that do not belong there: {odd} (full-width signs, copied from a web page?)",
                odd
            ));
        }
        let mut is_over = false;
        for word in text.split_ascii_whitespace().skip(1) {
            let is_modifier = word.contains('=') && !word.contains(':');
            if is_over && !is_modifier {
                found.after_all.push(word.to_owned());
                continue;
            }
            match term(word) {
                Ok(term) => {
                    is_over |= matches!(term, Term::All(_));
                    found.terms.push(term);
                }
                Err(fault) if text.is_ascii() || word.is_ascii() => found.faults.push(fault),
                Err(_said_already) => {}
            }
        }
        let redirects = found
            .terms
            .iter()
            .filter(|term| matches!(term, Term::Redirect(_)));
        if redirects.count() > 1 {
            found
                .faults
                .push(text!("`redirect=` stands there more than once"));
        }
        found
    }

    /// What its `all` means, if it has one.
    pub fn all(&self) -> Option<Qualifier> {
        self.terms.iter().find_map(|term| match term {
            Term::All(qualifier) => Some(*qualifier),
            _ => None,
        })
    }

    /// Where it sends receivers that nothing matched. Ignored where there is an `all`.
    pub fn redirect(&self) -> Option<&str> {
        self.terms.iter().find_map(|term| match term {
            Term::Redirect(domain) if self.all().is_none() => Some(domain.as_str()),
            _ => None,
        })
    }
}

fn term(word: &str) -> Result<Term, Text> {
    if let Some((name, value)) = word
        .split_once('=')
        .filter(|(name, _)| !name.contains([':', '/']))
    {
        return Ok(match name.to_ascii_lowercase().as_str() {
            "redirect" if !value.is_empty() => Term::Redirect(value.to_owned()),
            "redirect" => return Err(text!("`{word}` names no domain", word)),
            _ => Term::Other,
        });
    }
    let (qualifier, rest) = match word.as_bytes().first() {
        Some(b'+') => (Qualifier::Pass, 1),
        Some(b'-') => (Qualifier::Fail, 1),
        Some(b'~') => (Qualifier::SoftFail, 1),
        Some(b'?') => (Qualifier::Neutral, 1),
        _ => (Qualifier::Pass, 0),
    };
    let rest = word.get(rest..).unwrap_or_default();
    let (name, value) = rest
        .split_once(':')
        .map_or((rest, None), |(name, value)| (name, Some(value)));
    let name = name.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let domain = value.map(|value| value.split('/').next().unwrap_or_default().to_owned());
    if domain.as_deref().is_some_and(|domain| domain.contains(':')) && !name.starts_with("ip") {
        return Err(text!("`{word}` is two words without a space between", word));
    }
    match (name.as_str(), domain) {
        ("all", None) => Ok(Term::All(qualifier)),
        ("include", Some(domain)) if !domain.is_empty() => Ok(Term::Include(domain)),
        ("exists", Some(domain)) if !domain.is_empty() => Ok(Term::Exists(domain)),
        ("a", domain) => Ok(Term::A(domain)),
        ("mx", domain) => Ok(Term::Mx(domain)),
        ("ptr", _) => Ok(Term::Ptr),
        ("ip4" | "ip6", Some(_)) => ip(word, &name, value.unwrap_or_default()),
        ("include" | "exists", _) => Err(text!("`{word}` names no domain", word)),
        _ => Err(text!("`{word}` is no word of SPF", word)),
    }
}

fn ip(word: &str, name: &str, value: &str) -> Result<Term, Text> {
    let is_net = match name {
        "ip4" => value.parse::<ipnet::Ipv4Net>().is_ok() || value.parse::<std::net::Ipv4Addr>().is_ok(),
        _ => value.parse::<ipnet::Ipv6Net>().is_ok() || value.parse::<std::net::Ipv6Addr>().is_ok(),
    };
    if is_net {
        Ok(Term::Ip)
    } else {
        Err(text!("`{word}` is no network", word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_from_what_only_looks_like_one() {
        for record in ["v=spf1", "v=spf1 -all", "V=SPF1 mx -all"] {
            assert!(is_spf(record) && !is_meant(record), "{record}");
        }
        for near in [
            "v=spf10 -all",
            "v=spf1include:a.b",
            "\"v=spf1 -all\"",
            "ｖ＝spf1 -all",
            "“v=spf1 -all”",
            "spf1 -all",
        ] {
            assert!(!is_spf(near) && is_meant(near), "{near}");
        }
        for other in ["google-site-verification=x", "", "é"] {
            assert!(!is_spf(other) && !is_meant(other), "{other}");
        }
    }

    #[test]
    fn every_word_is_read() {
        let spf = Spf::parse(
            "v=spf1 a mx:b.example/24 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:c.example exists:%{i}.d ptr exp=e ?all x",
        );
        assert!(spf.faults.is_empty());
        assert_eq!(spf.terms.len(), 9);
        assert_eq!(spf.terms[1], Term::Mx(Some("b.example".to_owned())));
        assert_eq!(spf.all(), Some(Qualifier::Neutral));
        assert_eq!(spf.after_all, ["x"]);
    }

    #[test]
    fn what_makes_receivers_give_up_is_named() {
        for (record, said) in [
            ("v=spf1 include:a.exampleinclude:b.example -all", "two words"),
            ("v=spf1 includ:a.example -all", "no word of SPF"),
            ("v=spf1 include: -all", "names no domain"),
            ("v=spf1 ip4:192.0.2.300 -all", "no network"),
            ("v=spf1 include：a.example -all", "full-width"),
            ("v=spf1 redirect=a.example redirect=b.example", "more than once"),
        ] {
            let faults = Spf::parse(record).faults;
            assert!(
                faults.len() == 1 && faults[0].to_string().contains(said),
                "{record}: {faults:?}"
            );
        }
    }
}
