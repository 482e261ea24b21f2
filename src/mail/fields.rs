//! The header fields of a mail as they stand in it: raw octets in their order, with their folds. Nothing is decoded, and no
//! mail makes reading fail: what is not a field is passed over. Source: RFC 5322, 2.2.

/// A header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'m> {
    /// Its name as it is written, without spaces before the colon.
    pub name: &'m [u8],
    /// What follows the colon, with folds and the line end.
    pub value: &'m [u8],
    /// All of it.
    pub whole: &'m [u8],
}

impl Field<'_> {
    /// Is this its name?
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Its value on one line, without spaces around it. Octets that are not UTF-8 are replaced: this is for reading.
    pub fn unfolded(&self) -> String {
        let text = String::from_utf8_lossy(self.value);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.join(" ").trim().to_owned()
    }
}

/// The fields of a mail, from the first to the last; lines may end in CRLF or in LF.
#[derive(Clone, Debug)]
pub struct Fields<'m> {
    rest: &'m [u8],
    is_over: bool,
}

impl<'m> Fields<'m> {
    /// Those of this mail.
    pub fn of(mail: &'m [u8]) -> Self {
        Self {
            rest: mail,
            is_over: false,
        }
    }

    /// The fields, and the body behind the empty line.
    pub fn with_body(mail: &'m [u8]) -> (Vec<Field<'m>>, &'m [u8]) {
        let mut fields = Self::of(mail);
        let mut all = Vec::with_capacity(24);
        all.extend(fields.by_ref());
        (all, fields.rest)
    }

    /// The next line, with those that begin with a space and so go on with it. None behind the last.
    fn folded(&mut self) -> Option<&'m [u8]> {
        let mut end = 0;
        while !self.is_over && end < self.rest.len() {
            let from = self.rest.get(end..).unwrap_or_default();
            let length = memchr::memchr(b'\n', from).map_or(from.len(), |at| at + 1);
            let line = from.get(..length).unwrap_or_default();
            if end == 0 && matches!(line, b"\n" | b"\r\n") {
                self.is_over = true;
                self.rest = self.rest.get(length..).unwrap_or_default();
                return None;
            }
            end += length;
            if !matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                let (folded, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some(folded);
            }
        }
        self.is_over = true;
        None
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = Field<'m>;

    fn next(&mut self) -> Option<Field<'m>> {
        loop {
            let whole = self.folded()?;
            let Some(colon) = memchr::memchr2(b':', b'\n', whole) else {
                continue;
            };
            let (name, value) = whole.split_at(colon);
            let is_named = !name.first().is_none_or(u8::is_ascii_whitespace);
            if let Some(value) = value.strip_prefix(b":").filter(|_| is_named) {
                let name = name.trim_ascii_end();
                return Some(Field { name, value, whole });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(mail: &str) -> (Vec<(String, String)>, String) {
        let (fields, body) = Fields::with_body(mail.as_bytes());
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let fields = fields
            .iter()
            .map(|field| (text(field.name), text(field.value)))
            .collect();
        (fields, text(body))
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn fields_keep_their_order_their_octets_and_their_folds() {
        let (fields, body) = read("To : a\r\nSubject: b\r\n\tc: d\r\n \r\nto:e\r\n\r\nX: not a field\r\n");
        assert_eq!(
            fields,
            [
                pair("To", " a\r\n"),
                pair("Subject", " b\r\n\tc: d\r\n \r\n"),
                pair("to", "e\r\n")
            ]
        );
        assert_eq!(body, "X: not a field\r\n");
        let mail = b"A: \xE9\r\n \t b \r\n\r\n";
        let (fields, _) = Fields::with_body(mail);
        assert_eq!(fields[0].value, b" \xE9\r\n \t b \r\n");
        assert_eq!(fields[0].whole, &mail[..mail.len() - 2]);
        assert_eq!(fields[0].unfolded(), "\u{FFFD} b");
    }

    #[test]
    fn what_is_no_field_is_passed_over() {
        for (mail, names, body) in [
            ("", vec![], ""),
            ("\r\nbody", vec![], "body"),
            (" at: first\r\nA: b\n\nbody\n", vec!["A"], "body\n"),
            ("words\r\n with: a colon\r\nA: b", vec!["A"], ""),
            (":\r\nA:\r\n", vec!["A"], ""),
            ("A: b\r\n\n\n", vec!["A"], "\n"),
        ] {
            let (fields, rest) = read(mail);
            let found: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!((found, rest.as_str()), (names, body), "{mail:?}");
        }
    }

    proptest! {
        #[test]
        fn fields_and_body_are_parts_of_the_mail(mail in "([A-C]|:| |\t|\r\n|\n|é){0,40}") {
            let (fields, body) = Fields::with_body(mail.as_bytes());
            prop_assert!(mail.as_bytes().ends_with(body));
            let mut from = 0;
            for field in fields {
                let at = memchr::memmem::find(&mail.as_bytes()[from..], field.whole);
                from += at.unwrap() + field.whole.len();
                prop_assert!(field.whole.starts_with(field.name) && field.whole.ends_with(field.value));
            }
        }
    }
}
