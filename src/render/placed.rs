//! Places that templates leave for what we say: `{{{footer}}}`, `{{{enclosures}}}`.

use super::tags::{self, Kind};
use super::{enclosures, footer};

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
