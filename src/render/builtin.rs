//! Templates that the program brings along: the footer, and what is said of files too big for a mail. A workspace may
//! have its own in their place.

use std::path::Path;

use super::source::Source;
use super::tags::{self, Kind};
use super::{Flavour, enclosures, footer};
use crate::campaign::{Lang, Problem};

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    Footer,
    Enclosures,
}

/// That of a language: `templates/footer/en.html.hbs` in the workspace, else ours.
pub(super) fn read(root: &Path, which: Builtin, lang: Lang, flavour: Flavour) -> Result<Source, Problem> {
    let folder = match which {
        Builtin::Footer => "footer",
        Builtin::Enclosures => "enclosures",
    };
    let path = root.join(format!(
        "templates/{folder}/{}.{}.hbs",
        lang.code(),
        flavour.extension()
    ));
    if path.is_file() {
        return Source::read(&path);
    }
    let text = match (which, lang, flavour) {
        (Builtin::Footer, Lang::En, Flavour::Html) => include_str!("../../templates/footer/en.html.hbs"),
        (Builtin::Footer, Lang::En, Flavour::Text) => include_str!("../../templates/footer/en.txt.hbs"),
        (Builtin::Footer, Lang::Zh, Flavour::Html) => include_str!("../../templates/footer/zh.html.hbs"),
        (Builtin::Footer, Lang::Zh, Flavour::Text) => include_str!("../../templates/footer/zh.txt.hbs"),
        (Builtin::Enclosures, Lang::En, Flavour::Html) => {
            include_str!("../../templates/enclosures/en.html.hbs")
        }
        (Builtin::Enclosures, Lang::En, Flavour::Text) => {
            include_str!("../../templates/enclosures/en.txt.hbs")
        }
        (Builtin::Enclosures, Lang::Zh, Flavour::Html) => {
            include_str!("../../templates/enclosures/zh.html.hbs")
        }
        (Builtin::Enclosures, Lang::Zh, Flavour::Text) => {
            include_str!("../../templates/enclosures/zh.txt.hbs")
        }
    };
    Ok(Source::new(&path, text))
}

/// Replaces `{{{footer}}}` and `{{footer}}` by our tag, and the same for enclosures, each in the same number of bytes.
pub(super) fn place(text: &str) -> String {
    let mut placed = text.to_owned();
    for tag in tags::find(text) {
        let ours = match tag.inner(text) {
            _ if tag.kind != Kind::Expression => continue,
            "footer" => footer::TAG,
            "enclosures" => enclosures::TAG,
            _ => continue,
        };
        // `{{~footer~}}` keeps its length too: the tildes become spaces.
        let length = tag.range.len();
        if length >= ours.len() {
            let padding = " ".repeat(length - ours.len());
            placed.replace_range(tag.range, &ours.replace("}}", &format!("{padding}}}}}")));
        }
    }
    placed
}
