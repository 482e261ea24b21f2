//! A mail as it was saved: headers in their order, and the body. Whatever it is, reading it does not fail.

use crate::mail::Fields;

/// A header, unfolded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name as it is written.
    pub name: String,
    /// Its value on one line, without spaces around it.
    pub value: String,
}

/// A mail with CRLF line ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    bytes: Vec<u8>,
    headers: Vec<Header>,
    body_at: usize,
}

impl Mail {
    /// Takes a mail apart. Line ends that a mail program has saved in its own way become CRLF, and what a mailbox file puts
    /// before a mail is left out.
    pub fn parse(saved: &[u8]) -> Self {
        let saved = saved.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(saved);
        let mut bytes = Vec::with_capacity(saved.len() + saved.len() / 40);
        for (number, line) in saved.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if number == 0 && line.starts_with(b"From ") {
                continue;
            }
            match line.strip_suffix(b"\n") {
                Some(text) => {
                    bytes.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                    bytes.extend_from_slice(b"\r\n");
                }
                None => bytes.extend_from_slice(line),
            }
        }
        let (fields, body) = Fields::with_body(&bytes);
        let headers = fields
            .iter()
            .map(|field| Header {
                name: String::from_utf8_lossy(field.name).into_owned(),
                value: field.unfolded(),
            })
            .collect();
        let body_at = bytes.len() - body.len();
        Self {
            bytes,
            headers,
            body_at,
        }
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What follows the headers.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.body_at..).unwrap_or_default()
    }

    /// The headers, from the first to the last.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// The values of the headers with this name.
    pub fn all<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m str> {
        let named = self
            .headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value.as_str())
    }

    /// The value of the first header with this name.
    pub fn first<'m>(&'m self, name: &'m str) -> Option<&'m str> {
        self.all(name).next()
    }

    /// The Message-ID without its angle brackets.
    pub fn message_id(&self) -> Option<&str> {
        let id = self.first("Message-ID")?.trim_matches(['<', '>', ' ']);
        (!id.is_empty()).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_read_however_it_was_saved() {
        let plain = "Subject: a\r\n\tb\r\nFrom: x@b.example\r\n\r\nbody\r\n";
        let mail = Mail::parse(plain.as_bytes());
        assert_eq!(mail.first("subject"), Some("a b"));
        assert_eq!(mail.body(), b"body\r\n");
        let unix = format!("From x@b.example Mon Nov 23\n{}", plain.replace("\r\n", "\n"));
        assert_eq!(Mail::parse(unix.as_bytes()), mail);
        assert_eq!(Mail::parse(format!("\u{FEFF}{plain}").as_bytes()), mail);
        assert_eq!(Mail::parse(b"").headers(), []);
    }
}
