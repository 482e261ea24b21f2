//! Makes a text template from an HTML template, once per campaign, and text of values that are HTML.
//!
//! First the HTML is reduced: see `reduce`. html2text makes text of the rest, and the tags are put back. Tables go first
//! because HTML does not allow text between their rows: a parser would move `{{#each}}` out of the table that it repeats.

use super::plain::Bare;
use super::reduce::{Reduced, reduce};
use super::tags;
use super::tokens::{escape_braces, put_back, tidy};

/// Wide enough that html2text never breaks a line: mail programs do that, and a tag must not be broken.
const WIDTH: usize = 100_000;

/// The text template made from an HTML template, or why there is none.
pub(super) fn from_html(html: &str) -> Result<String, String> {
    let reduced = reduce(html, tags::find(html));
    let text = text(&reduced, escape_braces)?;
    Ok(if reduced.has_lines {
        format!("{text}\n")
    } else {
        text
    })
}

/// The text of a value that is HTML. What looks like a tag of Handlebars in there is text.
pub(super) fn of_value(html: &str) -> Result<String, String> {
    if !html.contains(['<', '&']) {
        return Ok(html.to_owned());
    }
    text(&reduce(html, Vec::new()), str::to_owned)
}

fn text(reduced: &Reduced, write: fn(&str) -> String) -> Result<String, String> {
    let config = html2text::config::with_decorator(Bare)
        .link_footnotes(false)
        .allow_width_overflow();
    let text = config
        .string_from_read(reduced.html.as_bytes(), WIDTH)
        .map_err(|error| format!("no text can be made from this HTML: {error}"))?;
    Ok(put_back(&tidy(&text, &reduced.tokens), &reduced.tokens, write))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, &str)]) {
        for (html, expected) in cases {
            assert_eq!(from_html(html).unwrap().trim_end(), *expected, "{html}");
        }
    }

    #[test]
    fn a_link_says_its_address_once() {
        check(&[
            (
                "<a href=\"https://a.example/?a=1&amp;b=2\">https://a.example/?a=1&amp;b=2</a>",
                "https://a.example/?a=1&b=2",
            ),
            ("<a href=\"https://a.example/\">a.example</a>", "a.example"),
            ("<a href=\"http://www.a.example\">a.example</a>", "a.example"),
            ("<a href=\"tel:+4912\">+49 12</a>", "+49 12"),
            ("<a href=\"mailto:a@b.example\">a@b.example</a>", "a@b.example"),
            ("<a href=\"{{url}}\">{{url}}</a>", "{{url}}"),
            (
                "<a href=\"https://a.example/x\">Read</a>",
                "Read <https://a.example/x>",
            ),
        ]);
    }

    #[test]
    fn a_picture_that_leads_where_a_text_leads_is_left_out() {
        let icon = "<a href=\"https://a.example/i\"><img src=\"i.png\" alt=\"\"></a>";
        check(&[
            (icon, "<https://a.example/i>"),
            (
                &format!("<p>{icon}</p><p><a href=\"https://a.example/i\">Shop</a></p>"),
                "Shop <https://a.example/i>",
            ),
        ]);
    }

    #[test]
    fn what_nobody_sees_is_left_out() {
        check(&[
            ("<div style=\"max-height:0;overflow:hidden\">x</div><p>a</p>", "a"),
            (
                "<p style=\"visibility: hidden\">x</p><p style=\"display:none!important\">x</p><p>a</p>",
                "a",
            ),
        ]);
    }

    #[test]
    fn values_that_are_html_become_text() {
        check(&[
            ("<p>{{{offer}}}</p>", "{{plain offer}}"),
            (
                "{{&[My offer]}} {{{default a \"b\"}}}",
                "{{plain [My offer]}} {{plain (default a \"b\")}}",
            ),
        ]);
        let value = "<p>Tea &amp; <b>cups</b></p><style>p { color: red }</style><script>x</script>{{a}}";
        assert_eq!(of_value(value).unwrap(), "Tea & cups\n\n{{a}}");
        assert_eq!(of_value("no HTML\n").unwrap(), "no HTML\n");
    }
}
