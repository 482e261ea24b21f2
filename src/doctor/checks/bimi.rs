//! BIMI: a logo beside the mail. Source: draft-brand-indicators-for-message-identification; draft-svg-tiny-ps-abrotman.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::dmarc::Policy;
use super::policies::records;
use super::tags::Tags;
use crate::doctor::dns::book::{Page, PageQuestion};
use crate::doctor::dns::{Book, Name, Unsaid};
use crate::doctor::finding::{Checked, Finding};
use crate::text;
use crate::words::Text;

/// Octets of a logo at most. Source: the BIMI group's advice, which receivers hold to.
const SIZE_MAX: usize = 32 * 1_024;
/// Its media type.
const KIND: &str = "image/svg+xml";

/// The record, and the logo that it names.
pub fn check(book: &Book, domain: &Name, policy: Option<&Policy>) -> Checked {
    let name = domain.below("default._bimi");
    let found = records(book, &name, "BIMI1")?;
    let Some(record) = found.first() else {
        return Ok(Vec::new());
    };
    let tags = Tags::parse(record);
    let url = tags.get("l").unwrap_or_default();
    let mut findings = vec![if found.len() > 1 {
        Finding::warning("BIMI-01", name, text!("several BIMI records: none counts")).fix(text!("keep one"))
    } else if url.is_empty() && tags.get("l").is_some() {
        return Ok(vec![Finding::info(
            "BIMI-01",
            name,
            text!("the domain says that it has no logo"),
        )]);
    } else if !url.starts_with("https://") {
        let what = text!("the logo (`l=`) must have an https address");
        return Ok(vec![
            Finding::warning("BIMI-01", name, what).fix(text!("write `l=https://….svg`")),
        ]);
    } else if !policy.is_some_and(Policy::is_enforced) {
        let what = text!("a logo is only shown when DMARC is quarantine or reject");
        Finding::warning("BIMI-01", name, what).fix(text!("first see to DMARC-02"))
    } else if tags.get("a").unwrap_or_default().is_empty() {
        let what = text!("a logo without a certificate (`a=`): Gmail and Apple do not show it");
        Finding::info("BIMI-01", name, what)
    } else {
        Finding::ok("BIMI-01", name, text!("one record: {record}", record))
    }];
    findings.push(logo(book, url)?);
    Ok(findings)
}

/// The logo at this address.
fn logo(book: &Book, url: &str) -> Result<Finding, Unsaid> {
    const ID: &str = "BIMI-02";
    let host = url::Url::parse(url)
        .ok()
        .and_then(|url| Name::parse(url.host_str()?));
    let Some(host) = host else {
        let what = text!("the logo's address cannot be read");
        return Ok(Finding::warning(ID, url, what).fix(text!("write `l=https://….svg`")));
    };
    let ips = book.addresses(&host)?;
    if ips.is_empty() {
        let what = text!("the logo cannot be fetched: its host has no address");
        let fix = text!("publish the logo there, or write `l=` to where it is");
        return Ok(Finding::warning(ID, url, what).fix(fix));
    }
    let question = PageQuestion {
        url: url.to_owned(),
        host,
        ips,
        is_any_answer: false,
    };
    Ok(match book.page(&question)? {
        Err(why) => {
            let what = text!("the logo cannot be fetched: {why}", why);
            let fix = text!("it must be there itself, without a redirect, and with a valid certificate");
            Finding::warning(ID, url, what).fix(fix)
        }
        Ok(page) => {
            let faults = faults(page);
            if faults.is_empty() {
                Finding::ok(ID, url, text!("the logo is as receivers want it (SVG Tiny PS)"))
            } else {
                let faults = Text::joined(faults, "; ");
                let what = text!("the logo is not as receivers want it: {faults}", faults);
                let fix = text!("save it anew in the form SVG Tiny PS; bimigroup.org has programs that do");
                Finding::warning(ID, url, what).fix(fix)
            }
        }
    })
}

/// What receivers would not show a logo for.
fn faults(page: &Page) -> Vec<Text> {
    let mut faults = Vec::new();
    let kind = page.kind.as_deref().unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case(KIND) {
        faults.push(if media.is_empty() {
            text!("the web server names no type; {wanted} is wanted", wanted = KIND)
        } else {
            text!(
                "the web server calls it {media}; {wanted} is wanted",
                media,
                wanted = KIND
            )
        });
    }
    if page.text.len() > SIZE_MAX {
        faults.push(text!(
            "it has {size} octets; {most} are the most",
            size = page.text.len(),
            most = SIZE_MAX
        ));
    }
    faults.extend(drawing(&page.text));
    faults
}

/// What of a drawing is known so far.
#[derive(Default)]
struct Drawing {
    depth: usize,
    is_in_title: bool,
    has_title: bool,
    faults: Vec<Text>,
}

fn drawing(svg: &str) -> Vec<Text> {
    let broken = || vec![text!("it is not XML as it should be")];
    let mut reader = Reader::from_str(svg);
    reader.config_mut().expand_empty_elements = true;
    let mut drawing = Drawing::default();
    let mut has_root = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                if drawing.depth > 0 {
                    drawing.element(&element);
                } else if has_root {
                    return broken();
                } else if element.local_name().as_ref() == "svg" {
                    has_root = true;
                    drawing.root(&element);
                } else {
                    return vec![text!("it is not an SVG drawing")];
                }
                drawing.is_in_title = drawing.depth == 1 && element.local_name().as_ref() == "title";
                drawing.depth += 1;
            }
            Ok(Event::End(_)) => {
                drawing.is_in_title = false;
                drawing.depth = drawing.depth.saturating_sub(1);
            }
            Ok(Event::Text(text)) if drawing.is_in_title => {
                drawing.has_title |= !text.trim().is_empty();
            }
            Ok(Event::Eof) if has_root && drawing.depth == 0 => break,
            Err(_) | Ok(Event::Eof) => return broken(),
            Ok(_) => {}
        }
    }
    if !drawing.has_title {
        drawing.note(text!("it has no `<title>`, which names the brand"));
    }
    drawing.faults
}

impl Drawing {
    /// Notes a fault, once.
    fn note(&mut self, fault: Text) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn root(&mut self, svg: &BytesStart<'_>) {
        let of = |name: &str| value(svg, name).unwrap_or_default();
        for (name, wanted) in [("baseProfile", "tiny-ps"), ("version", "1.2")] {
            let is = of(name);
            if is != wanted {
                self.note(text!(
                    "`{name}` must be \"{wanted}\", and is \"{is}\"",
                    name,
                    wanted,
                    is
                ));
            }
        }
        let numbers: Vec<f64> = of("viewBox")
            .split([' ', ',', '\t', '\n', '\r'])
            .filter_map(|number| number.parse().ok())
            .collect();
        let is_square = match numbers.as_slice() {
            [_, _, width, height] => *width > 0.0 && (width - height).abs() < 0.001,
            _ => false,
        };
        if !is_square {
            self.note(text!("its `viewBox` is not a square"));
        }
        self.links(svg);
    }

    fn element(&mut self, element: &BytesStart<'_>) {
        let name = element.local_name().as_ref().to_owned();
        if matches!(name.as_str(), "script" | "handler" | "listener") {
            self.note(text!("it has a script (`<{name}>`)", name));
        }
        self.links(element);
    }

    /// Scripts and addresses in attributes.
    fn links(&mut self, element: &BytesStart<'_>) {
        for attribute in element.attributes().flatten() {
            let name = attribute.key.local_name().as_ref().to_owned();
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .unwrap_or_default();
            let value = value.trim();
            let is_namespace = attribute.key.as_namespace_binding().is_some();
            if name.len() > 2 && name.starts_with("on") {
                self.note(text!("it has a script (`{name}`)", name));
            }
            let is_link = name == "href" && !value.is_empty() && !value.starts_with('#');
            let is_far = value.contains("url(") && value.contains("//");
            if !is_namespace && (is_link || is_far) {
                self.note(text!(
                    "it refers to something outside: `{value}`",
                    value = value.chars().take(60).collect::<String>()
                ));
            }
        }
    }
}

/// The value of an attribute.
fn value(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok().flatten()?;
    let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGO: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.2\" \
                        baseProfile=\"tiny-ps\" viewBox=\"0 0 64 64\">\n<title>Aurora</title>\n<g><path d=\"M0 0h64\" \
                        fill=\"url(#a)\"/></g><use href=\"#a\"/>\n</svg>\n";

    fn said(kind: &str, text: &str) -> Vec<String> {
        let page = Page {
            text: text.to_owned(),
            kind: Some(kind.to_owned()),
            ..Page::default()
        };
        faults(&page).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_logo_in_the_right_form_has_no_fault() {
        assert_eq!(said("image/svg+xml; charset=utf-8", LOGO), Vec::<String>::new());
    }

    #[test]
    fn each_fault_of_a_logo_is_named() {
        for (from, to, fault) in [
            (
                "tiny-ps",
                "tiny",
                "`baseProfile` must be \"tiny-ps\", and is \"tiny\"",
            ),
            ("version=\"1.2\"", "", "`version` must be \"1.2\", and is \"\""),
            ("0 0 64 64", "0 0 64 32", "its `viewBox` is not a square"),
            ("viewBox", "box", "its `viewBox` is not a square"),
            (
                "<title>Aurora</title>",
                "",
                "it has no `<title>`, which names the brand",
            ),
            ("Aurora", " ", "it has no `<title>`, which names the brand"),
            ("<g>", "<g><script>x</script>", "it has a script (`<script>`)"),
            ("<g>", "<g onload=\"x()\">", "it has a script (`onload`)"),
            (
                "href=\"#a\"",
                "xlink:href=\"https://b.example/a.png\"",
                "it refers to something outside: `https://b.example/a.png`",
            ),
            (
                "url(#a)",
                "url(https://b.example/a)",
                "it refers to something outside: `url(https://b.example/a)`",
            ),
            ("</svg>", "", "it is not XML as it should be"),
            ("</g>", "</h>", "it is not XML as it should be"),
            ("<svg ", "<html><svg ", "it is not an SVG drawing"),
        ] {
            let changed = LOGO.replacen(from, to, 1);
            assert_eq!(said(KIND, &changed), [fault], "{from} → {to}");
        }
        assert_eq!(
            said("text/html", LOGO),
            ["the web server calls it text/html; image/svg+xml is wanted"]
        );
        let long = LOGO.replace("<g>", &format!("<g><!--{}-->", "x".repeat(SIZE_MAX)));
        assert_eq!(said(KIND, &long).len(), 1);
        assert_eq!(said(KIND, "\u{1f}\u{8b}"), ["it is not XML as it should be"]);
    }
}
