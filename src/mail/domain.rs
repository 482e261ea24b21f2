//! What is odd about a domain that is one: nobody can be reached there, or it only looks like another.

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

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

/// What is odd about a domain in its ASCII form, and what to do about it.
pub fn odd(domain: &str) -> Option<(String, &'static str)> {
    let Some((_, top)) = domain.rsplit_once('.') else {
        let what = format!("`{domain}` is this machine: nobody else is reached there");
        return Some((what, "give the domain that the mailbox has elsewhere"));
    };
    if top.len() == 1 {
        let what = format!("`{domain}` ends in one letter; no domain does");
        return Some((what, "something was cut off, or typed wrong"));
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
        let what = format!("`{shown}` looks like `{latin}`, in letters of another script");
        (
            what,
            "mail would go to somebody else than it seems; type the domain anew",
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
            assert_eq!(odd(address).as_deref(), Some(what), "{address}");
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
