//! Where a mail ends: the lines after DATA (RFC 5321, 4.5.2) and the chunks of BDAT (RFC 3030).
//!
//! Only CRLF.CRLF ends a mail. A server that also takes `\n.\n` or `\r\n.\r\r\n` lets a sender smuggle a
//! second mail into the first, so this one would hide such a fault in what we send.

use std::io::BufRead as _;

/// The longest line of a mail, without its CRLF (RFC 5322, 2.1.1).
const LINE_MAX: usize = 998;

/// Reads what follows DATA: finds its end and takes the stuffed dots away.
#[derive(Debug, Default)]
pub(super) struct DataReader {
    place: Place,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// After CRLF. The CRLF of the DATA command counts, so a lone dot ends an empty mail.
    #[default]
    LineStart,
    /// After a dot at the start of a line.
    Dot,
    /// After dot and CR at the start of a line.
    DotCr,
    Inside,
    /// Inside a line, after CR.
    InsideCr,
}

impl DataReader {
    /// Moves what belongs to the mail from `input` to `mail`. True once the mail has ended; what is left in
    /// `input` then comes after it.
    pub(super) fn read(&mut self, input: &mut &[u8], mail: &mut Vec<u8>) -> bool {
        while let Some((&byte, after)) = input.split_first() {
            match (self.place, byte) {
                (Place::LineStart, b'.') => {
                    self.place = Place::Dot;
                    *input = after;
                }
                (Place::Dot, b'\r') => {
                    self.place = Place::DotCr;
                    *input = after;
                }
                (Place::DotCr, b'\n') => {
                    *input = after;
                    return true;
                }
                (Place::DotCr, _) => {
                    mail.push(b'\r');
                    self.place = Place::InsideCr;
                }
                (Place::LineStart | Place::Dot | Place::Inside | Place::InsideCr, _) => {
                    self.take_line(input, mail);
                }
            }
        }
        false
    }

    fn take_line(&mut self, input: &mut &[u8], mail: &mut Vec<u8>) {
        let had_cr = matches!(self.place, Place::InsideCr);
        let length = line_length(input).unwrap_or(input.len());
        let (line, after) = input.split_at_checked(length).unwrap_or((input, &[]));
        mail.extend_from_slice(line);
        *input = after;
        self.place = match line {
            [.., b'\r', b'\n'] => Place::LineStart,
            [b'\n'] if had_cr => Place::LineStart,
            [.., b'\r'] => Place::InsideCr,
            _ => Place::Inside,
        };
    }
}

/// Bytes up to and with the first line feed.
pub(super) fn line_length(mut input: &[u8]) -> Option<usize> {
    let whole = input;
    // The standard library's own search is several times as fast as `position`, and this is the hot path.
    let length = input.skip_until(b'\n').ok()?;
    let ends_with_newline = length > 0 && whole.get(length - 1) == Some(&b'\n');
    ends_with_newline.then_some(length)
}

/// Whether a line is longer than a mail may have.
pub(super) fn has_long_line(mut mail: &[u8]) -> bool {
    while let Some(length) = line_length(mail) {
        if length > LINE_MAX + 2 {
            return true;
        }
        mail = mail.get(length..).unwrap_or_default();
    }
    mail.len() > LINE_MAX
}

/// The value of a header field, unfolded; `name` is compared without case.
pub(super) fn header(mail: &[u8], name: &str) -> Option<String> {
    let mut value: Option<Vec<u8>> = None;
    let mut rest = mail;
    while let Some(length) = line_length(rest) {
        let (line, after) = rest.split_at_checked(length)?;
        let line = line.trim_ascii_end();
        match (&mut value, line) {
            // A fold is white space in the value.
            (Some(value), [b' ' | b'\t', ..]) => value.extend_from_slice(line),
            (_, []) | (Some(_), _) => break,
            (None, _) => value = field_value(line, name).map(<[u8]>::to_vec),
        }
        rest = after;
    }
    value.map(|value| String::from_utf8_lossy(value.trim_ascii()).into_owned())
}

fn field_value<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    let value = value.strip_prefix(b":")?;
    found.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str) -> Option<(String, String)> {
        let mut mail = Vec::new();
        let mut rest = input.as_bytes();
        let ended = DataReader::default().read(&mut rest, &mut mail);
        ended.then(|| {
            (
                String::from_utf8(mail).unwrap(),
                String::from_utf8(rest.to_vec()).unwrap(),
            )
        })
    }

    #[test]
    fn stuffed_dots_are_taken_away_and_what_follows_is_left() {
        let cases = [
            ("hi\r\n.\r\nQUIT\r\n", "hi\r\n", "QUIT\r\n"),
            (".\r\nRSET\r\n", "", "RSET\r\n"),
            ("..\r\n...a\r\n.b\r\n.\r\n", ".\r\n..a\r\nb\r\n", ""),
            ("a.\r\n.\r\n", "a.\r\n", ""),
        ];
        for (input, mail, rest) in cases {
            assert_eq!(read(input), Some((mail.to_owned(), rest.to_owned())), "{input:?}");
        }
    }

    #[test]
    fn nothing_but_crlf_dot_crlf_ends_a_mail() {
        for input in [
            "a\n.\n",
            "a\n.\r\n",
            "a\r\n.\n",
            "a\r.\r",
            "a\r.\r\n",
            "a\r\n.\r",
            "a\r\n.\r\r\n",
            "a\r\n.\rx\n",
            "\n.\r\n",
        ] {
            assert_eq!(read(input), None, "{input:?}");
        }
    }

    #[test]
    fn a_bare_carriage_return_after_the_dot_stays_in_the_mail() {
        assert_eq!(
            read("a\r\n.\r\r\n.\r\n"),
            Some(("a\r\n\r\r\n".to_owned(), String::new()))
        );
    }

    #[test]
    fn any_split_of_the_input_reads_the_same() {
        let input = b"x\r\n..\r\n.\rq\r\n\n.\n\r\n.\r\nREST";
        let whole = read("x\r\n..\r\n.\rq\r\n\n.\n\r\n.\r\nREST").unwrap();
        for at in 0..input.len() {
            let (mut first, mut second) = input.split_at(at);
            let mut reader = DataReader::default();
            let mut mail = Vec::new();
            if !reader.read(&mut first, &mut mail) {
                assert!(first.is_empty());
                assert!(reader.read(&mut second, &mut mail));
            }
            assert_eq!(mail, whole.0.as_bytes(), "split at {at}");
        }
    }

    #[test]
    fn headers_are_found_in_any_case_and_unfolded() {
        let mail = b"Subject: one\r\n two\r\nMESSAGE-id:\r\n <a@b>\r\n\r\nMessage-ID: <not@me>\r\nX: y\r\n";
        assert_eq!(header(mail, "Message-ID").as_deref(), Some("<a@b>"));
        assert_eq!(header(mail, "subject").as_deref(), Some("one two"));
        assert_eq!(header(mail, "X"), None);
    }

    #[test]
    fn a_line_of_998_is_allowed_and_one_more_is_not() {
        assert!(!has_long_line(&[&b"a".repeat(998)[..], b"\r\nb\r\n"].concat()));
        assert!(has_long_line(&[&b"a".repeat(999)[..], b"\r\nb\r\n"].concat()));
        assert!(has_long_line(&b"a".repeat(999)));
    }
}
