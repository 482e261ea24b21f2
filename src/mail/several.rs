//! The addresses that one cell names: none, one with its slips of the keyboard, or several.

use super::Address;
use super::repair::repair;

/// What may stand between several addresses.
const BETWEEN: [char; 10] = [',', ';', '；', '，', '、', '/', '|', ' ', '\n', '\r'];

/// All addresses that a text names which is not one itself: the one that was most likely meant, or several, if each of
/// them is clear.
pub fn named(input: &str) -> Vec<Address> {
    if let Some(repair) = repair(input) {
        return vec![repair.address];
    }
    let one = |part: &str| {
        Address::parse_utf8(part)
            .ok()
            .or_else(|| repair(part).map(|repair| repair.address))
    };
    let all = |parts: Vec<&str>| {
        parts
            .into_iter()
            .map(one)
            .collect::<Option<_>>()
            .unwrap_or_default()
    };
    if let Some(bracketed) = in_brackets(input) {
        return all(bracketed);
    }
    // Address books write ` ::: `.
    let is_address = |part: &&str| !part.trim_matches(':').is_empty();
    all(input.split(BETWEEN).map(str::trim).filter(is_address).collect())
}

/// Do several addresses stand in this text, as far as one sees at a glance?
pub(super) fn looks_like_several(input: &str) -> bool {
    let is_quoted = input.contains('"');
    input.matches('@').count() > 1 && (in_brackets(input).is_some() || !is_quoted && input.contains(BETWEEN))
}

/// Of `Anna <a@example.com>; "Li, Bo" <b@example.com>`, what stands in the brackets; none when an address stands
/// outside of them.
fn in_brackets(input: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = input
        .split('<')
        .skip(1)
        .map(|rest| rest.split_once('>').map(|(inner, _)| inner.trim()))
        .collect::<Option<_>>()?;
    let is_each_one = parts.iter().all(|part| part.matches('@').count() == 1);
    (parts.len() > 1 && is_each_one && input.matches('@').count() == parts.len()).then_some(parts)
}

/// The one address that a text names, its slips of the keyboard and all.
pub fn as_written(input: &str) -> Option<Address> {
    if let Ok(address) = Address::parse_utf8(input) {
        return Some(address);
    }
    match named(input).as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_in_one_cell_are_taken_apart_when_each_is_clear() {
        for input in [
            "a@b.com;c@d.com",
            "a@b.com|c@d.com",
            "a@b.com ::: c@d.com",
            "Anna <a@b.com>; Carl <c@d.com>",
            "\"Li, Anna\" <a@b.com>, \"Wu, Carl\" <c@d.com>",
            "<a@b.com><c@d.com>",
        ] {
            let found: Vec<String> = named(input).iter().map(Address::to_string).collect();
            assert_eq!(found, ["a@b.com", "c@d.com"], "{input}");
            assert!(looks_like_several(input), "{input}");
        }
        for input in [
            "Anna <a@b.com>; c@d.com",
            "Anna <a@b.com>; Carl <c@>",
            "a@b@c.com",
            "a@b.com; Carl",
        ] {
            assert!(named(input).is_empty(), "{input}");
        }
    }
}
