//! The footer: why one gets this mail, how to leave, and who sends it. It stands in every mail: where the template
//! puts `{{{footer}}}`, else at the end.

use crate::mail::message::is_in_comment;

/// The footer's name among templates and variables. It can be neither a column's nor a partial's.
pub(super) const NAME: &str = "@f";
/// The tag that puts the rendered footer there: a value and not a partial, for which Handlebars would copy the whole
/// context. It is not longer than `{{footer}}`, so that columns stay true.
pub(super) const TAG: &str = "{{&[@f]}}";
/// How it begins, also where it is longer.
pub(super) const TAG_START: &str = "{{&[@f]";
/// What stands between its braces.
pub(super) const INNER: &str = "[@f]";

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
