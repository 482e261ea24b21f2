//! Writes values into what is rendered: escaped for HTML, and with the line ends that are wanted.

use memchr::memchr2;

/// How lines end in what is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// As in templates and data: to be shown.
    AsWritten,
    /// With CRLF, as in a mail: to be sent. Source: RFC 2045, 4.
    Canonical,
}

/// How values are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    pub(super) is_escaped: bool,
    pub(super) lines: Lines,
}

impl Writer {
    /// Writes a value.
    pub(super) fn write(self, text: &str, out: &mut String) {
        let mut rest = text;
        while let Some((before, special)) = self.find(rest).and_then(|at| rest.split_at_checked(at)) {
            out.push_str(before);
            let mut after = special.chars();
            out.push_str(match after.next() {
                Some('&') => "&amp;",
                Some('<') => "&lt;",
                Some('>') => "&gt;",
                Some('"') => "&quot;",
                Some('\'') => "&#39;",
                Some('\n') => "\r\n",
                // A lone CR is no line end, and of a CRLF the LF brings its own.
                _ => "",
            });
            rest = after.as_str();
        }
        out.push_str(rest);
    }

    /// The same for what stands at the end of `out` already.
    pub(super) fn rewrite(self, out: &mut String, start: usize) {
        let has_special = out.get(start..).is_some_and(|tail| self.find(tail).is_some());
        if has_special {
            let tail = out.split_off(start);
            self.write(&tail, out);
        }
    }

    /// The first byte that is not written as it is.
    fn find(self, text: &str) -> Option<usize> {
        let mut bytes = text.as_bytes().iter();
        let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let is_markup = |byte: &u8| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'');
        match (self.is_escaped, self.lines) {
            (false, Lines::AsWritten) => None,
            (false, Lines::Canonical) => memchr2(b'\r', b'\n', text.as_bytes()),
            (true, Lines::AsWritten) => bytes.position(is_markup),
            (true, Lines::Canonical) => bytes.position(|byte| is_markup(byte) || is_line_end(byte)),
        }
    }
}

/// Text as it stands in HTML, also between quotes of either kind: what would be markup is written as references.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let writer = Writer {
        is_escaped: true,
        lines: Lines::AsWritten,
    };
    writer.write(text, &mut escaped);
    escaped
}
