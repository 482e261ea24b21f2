//! Templates that the program brings along: the footer, and what is said of files too big for a mail. A workspace may
//! have its own in their place.

use std::path::Path;

use super::Flavour;
use super::source::Source;
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
