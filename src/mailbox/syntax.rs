//! How IMAP writes things, and what of its answers is of interest. Source: RFC 3501, 9.
//!
//! It takes what it needs and passes over the rest, so that what a server adds does not end the session.

use super::utf7;

pub(super) fn is_quotable(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' '..='~'))
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub(super) fn folder(name: &str) -> String {
    quoted(&utf7::encode(name))
}

/// Numbers as a set, in ranges where they follow one another: `1:3,7`.
pub(super) fn set(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            _ => ranges.push((*uid, *uid)),
        }
    }
    let ranges = ranges.into_iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}:{last}")
        }
    });
    ranges.collect::<Vec<_>>().join(",")
}

/// How many octets follow a line: `… {310}`.
pub(super) fn literal(line: &[u8]) -> Option<usize> {
    let (_, count) = std::str::from_utf8(line.strip_suffix(b"}")?).map_or_else(
        // Only the end is of interest.
        |_| {
            let text = line.rsplit(|byte| *byte == b'{').next()?;
            Some(("", std::str::from_utf8(text.strip_suffix(b"}")?).ok()?))
        },
        |text| text.rsplit_once('{'),
    )?;
    count.trim_end_matches('+').parse().ok()
}

/// The number of the mail that a FETCH is about.
pub(super) fn uid_of(text: &str) -> Option<u32> {
    let (_, fields) = text.split_once(" FETCH (")?;
    let number = number_after(&format!(" {fields}"), " UID ")?;
    u32::try_from(number).ok()
}

pub(super) fn number_after(text: &str, word: &str) -> Option<u64> {
    let (_, rest) = text.split_once(word)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.split_at_checked(end)?.0.parse().ok()
}

/// What stands between the names of folders, of `* LIST (\Noselect) "/" ""`.
pub(super) fn delimiter(text: &str) -> Option<char> {
    let (_, rest) = text.strip_prefix("* LIST ")?.split_once(") ")?;
    let mut chars = rest.strip_prefix('"')?.chars();
    match chars.next()? {
        '\\' => chars.next(),
        '"' => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_one_another_are_a_range() {
        for (uids, written) in [
            (&[7][..], "7"),
            (&[1, 2, 3, 7, 9, 10], "1:3,7,9:10"),
            (&[u32::MAX], "4294967295"),
        ] {
            assert_eq!(set(uids), written);
        }
    }

    #[test]
    fn what_follows_a_line_is_told_by_its_end() {
        for (line, count) in [
            (&b"* 1 FETCH (UID 3 BODY[]<0> {310}"[..], Some(310)),
            (b"* 1 FETCH (UID 3 BODY[]<0> {0+}", Some(0)),
            (b"* LIST () \"/\" \xff{4}", Some(4)),
            (b"* OK {what}", None),
            (b"* OK", None),
            (b"}", None),
        ] {
            assert_eq!(literal(line), count, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a_mail_is_told_by_its_number_wherever_that_stands() {
        for (text, uid) in [
            ("* 12 FETCH (UID 34 RFC822.SIZE 4411 FLAGS ())", Some(34)),
            ("* 12 FETCH (FLAGS (\\Seen) RFC822.SIZE 4411 UID 34)", Some(34)),
            ("* 12 FETCH (FLAGS (\\Seen))", None),
            ("* 12 EXISTS", None),
        ] {
            assert_eq!(uid_of(text), uid, "{text}");
        }
    }
}
