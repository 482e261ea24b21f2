//! The footer: why one gets this mail, how to leave, and who sends it. It stands in every mail: where the template
//! puts `{{{footer}}}`, else at the end.

use std::path::{Path, PathBuf};

use super::Flavour;
use super::source::Source;
use super::tags::{self, Kind};
use crate::campaign::{Lang, Problem};
use crate::mail::message::is_in_comment;

/// The footer's name among templates and variables. It can be neither a column's nor a partial's.
pub(super) const NAME: &str = "@f";
/// The tag that puts the rendered footer there: a value and not a partial, for which Handlebars would copy the whole
/// context. It is not longer than `{{footer}}`, so that columns stay true.
pub(super) const TAG: &str = "{{&[@f]}}";
/// What stands between its braces.
pub(super) const INNER: &str = "[@f]";

/// The footer of a language: the workspace's own, else the one built in.
pub(super) fn read(workspace_root: &Path, lang: Lang, flavour: Flavour) -> Result<Source, Problem> {
    let path = path(workspace_root, lang, flavour);
    if path.is_file() {
        return Source::read(&path);
    }
    let text = match (lang, flavour) {
        (Lang::En, Flavour::Html) => include_str!("../../templates/footer/en.html.hbs"),
        (Lang::En, Flavour::Text) => include_str!("../../templates/footer/en.txt.hbs"),
        (Lang::Zh, Flavour::Html) => include_str!("../../templates/footer/zh.html.hbs"),
        (Lang::Zh, Flavour::Text) => include_str!("../../templates/footer/zh.txt.hbs"),
    };
    Ok(Source::new(&path, text))
}

fn path(workspace_root: &Path, lang: Lang, flavour: Flavour) -> PathBuf {
    workspace_root.join(format!(
        "templates/footer/{}.{}.hbs",
        lang.code(),
        flavour.extension()
    ))
}

/// Replaces `{{{footer}}}` and `{{footer}}` by our tag, in the same number of bytes.
pub(super) fn place(text: &str) -> String {
    let mut placed = text.to_owned();
    for tag in tags::find(text) {
        let is_footer = tag.kind == Kind::Expression && tag.inner(text) == "footer";
        // `{{~footer~}}` keeps its length too: the tildes become spaces.
        let length = tag.range.len();
        if is_footer && length >= TAG.len() {
            let padding = " ".repeat(length - TAG.len());
            placed.replace_range(tag.range, &TAG.replace("}}", &format!("{padding}}}}}")));
        }
    }
    placed
}

/// The last `</body>` that is not in a comment.
pub(super) fn before_body_end(html: &str) -> Option<usize> {
    let lower = html.to_ascii_lowercase();
    let is_live = |at: &usize| !is_in_comment(&lower, *at);
    lower.rmatch_indices("</body").map(|(at, _)| at).find(is_live)
}

/// The byte after `<body …>`.
pub(super) fn after_body_start(html: &str) -> Option<usize> {
    let lower = html.to_ascii_lowercase();
    let is_tag = |at: &usize| {
        let next = lower.as_bytes().get(at + "<body".len());
        next.is_some_and(|byte| *byte == b'>' || byte.is_ascii_whitespace()) && !is_in_comment(&lower, *at)
    };
    let start = lower.match_indices("<body").map(|(at, _)| at).find(is_tag)?;
    super::html::end_of_element_tag(html, start)
}
