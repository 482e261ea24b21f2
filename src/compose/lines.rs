//! Text in its canonical form: every line ends with CRLF, and the text with one line end. Source: RFC 2045, 4.

use std::borrow::Cow;

use memchr::memchr2;

/// The text in its canonical form; borrowed, when it has it already.
pub(super) fn canonical(text: &str) -> Cow<'_, str> {
    if is_canonical(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(with_crlf(text))
    }
}

/// A piece of text as it stands in the canonical form of the whole.
pub(super) fn piece(text: &str) -> Cow<'_, str> {
    if memchr2(b'\r', b'\n', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    push(text, &mut out);
    Cow::Owned(out)
}

/// Looks at every byte and never stops early: that is what vector units are good at.
fn is_canonical(text: &str) -> bool {
    let bytes = text.as_bytes();
    let after = bytes.get(1..).unwrap_or_default();
    let broken = bytes.iter().zip(after).fold(0, |broken, (a, b)| {
        broken | u8::from((*a == b'\r') != (*b == b'\n'))
    });
    broken == 0 && !text.starts_with('\n') && text.ends_with("\r\n") && !text.ends_with("\r\n\r\n")
}

fn with_crlf(text: &str) -> String {
    let text = text.trim_end_matches(['\r', '\n']);
    let mut out = String::with_capacity(text.len() + text.len() / 32 + 2);
    push(text, &mut out);
    out.push_str("\r\n");
    out
}

fn push(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((before, after)) =
        memchr2(b'\r', b'\n', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
    {
        out.push_str(before);
        // A lone CR is no line end anywhere; some servers refuse it.
        if after.starts_with('\n') {
            out.push_str("\r\n");
        }
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lone_carriage_returns_do_not_reach_the_wire() {
        assert_eq!(canonical("a\rb\r\nc\nd\n\n"), "ab\r\nc\r\nd\r\n");
    }

    proptest! {
        #[test]
        fn only_what_is_canonical_stays_as_it_is(text in "[a\r\n]{0,6}|(a|\r\n){0,6}") {
            let made = with_crlf(&text);
            prop_assert_eq!(is_canonical(&text), text == made);
            prop_assert!(is_canonical(&made));
            prop_assert_eq!(canonical(&text), made);
        }

        #[test]
        fn a_piece_stands_in_the_whole(before in "[a\r\n]{0,4}", piece_ in "[a\r\n]{0,4}b", after in "[a\r\n]{0,4}") {
            let whole = format!("{before}{piece_}{after}");
            let made = canonical(&whole);
            prop_assert!(made.contains(&*piece(&piece_)));
        }
    }
}
