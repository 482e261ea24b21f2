//! Finds placeholders of other tools. A literal `*|FNAME|*` in the inbox is the classic disaster of moving house.

use std::ops::Range;

use super::known::Known;
use super::tags::{Kind, Tag};
use crate::text;
use crate::words::Text;

/// A placeholder of another tool.
#[derive(Debug)]
pub(super) struct Foreign {
    pub(super) range: Range<usize>,
    /// Whose it is.
    pub(super) tool: &'static str,
    /// What to write in its place.
    pub(super) advice: Text,
}

/// `DirectMail`'s names, each between single braces. Source: its guide to recipient lists.
const DIRECT_MAIL: [(&str, &str); 6] = [
    ("EAddr", "email"),
    ("UserName", "username"),
    ("NickName", "nickname"),
    ("Gender", "gender"),
    ("Birthday", "birthday"),
    ("Mobile", "mobile"),
];

/// phpList's names, each between brackets. Only these, so that `[NEW]` in a subject stays what it is.
const PHPLIST: [(&str, &str); 20] = [
    ("FIRSTNAME", "first_name"),
    ("FIRST NAME", "first_name"),
    ("LASTNAME", "last_name"),
    ("LAST NAME", "last_name"),
    ("NAME", "name"),
    ("EMAIL", "email"),
    ("USERID", ""),
    ("UNSUBSCRIBE", "unsubscribe_url"),
    ("UNSUBSCRIBEURL", "unsubscribe_url"),
    ("BLACKLIST", "unsubscribe_url"),
    ("BLACKLISTURL", "unsubscribe_url"),
    ("FOOTER", "{footer}"),
    ("SIGNATURE", ""),
    ("PREFERENCES", ""),
    ("PREFERENCESURL", ""),
    ("FORWARD", ""),
    ("FORWARDURL", ""),
    ("CONFIRMATIONURL", ""),
    ("SUBSCRIBEURL", ""),
    ("USERTRACK", ""),
];

/// Names that listmonk, Keila, Brevo and `SendGrid` put between double braces, unless the list has such a column.
const IN_BRACES: [(&str, &str, &str); 14] = [
    ("UnsubscribeURL", "listmonk", "unsubscribe_url"),
    ("ManageURL", "listmonk", "unsubscribe_url"),
    ("OptinURL", "listmonk", ""),
    ("MessageURL", "listmonk", ""),
    ("ArchiveURL", "listmonk", ""),
    ("RootURL", "listmonk", ""),
    ("TrackView", "listmonk", ""),
    ("TrackLink", "listmonk", ""),
    ("unsubscribe_link", "Keila", "unsubscribe_url"),
    ("unsubscribe", "Brevo or SendGrid", "unsubscribe_url"),
    ("unsubscribe_preferences", "SendGrid", "unsubscribe_url"),
    ("mirror", "Brevo", ""),
    ("end", "Go templates (listmonk)", "/if"),
    ("endif", "Jinja or Liquid", "/if"),
];

/// All placeholders of other tools in a text whose Handlebars tags are known.
pub(super) fn find(text: &str, tags: &[Tag], known: &Known) -> Vec<Foreign> {
    let mut found: Vec<Foreign> = tags.iter().filter_map(|tag| in_tag(text, tag, known)).collect();
    let mut from = 0;
    for tag in tags
        .iter()
        .map(|tag| tag.range.clone())
        .chain(std::iter::once(text.len()..text.len()))
    {
        if let Some(plain) = text.get(from..tag.start) {
            between_tags(plain, from, known, &mut found);
        }
        from = tag.end;
    }
    found.sort_by_key(|foreign| foreign.range.start);
    found
}

fn in_tag(text: &str, tag: &Tag, known: &Known) -> Option<Foreign> {
    if !matches!(tag.kind, Kind::Expression | Kind::Else) {
        return None;
    }
    let inner = tag.inner(text);
    let foreign = |tool, advice| {
        Some(Foreign {
            range: tag.range.clone(),
            tool,
            advice,
        })
    };
    let mut parts = inner.split(|c: char| c.is_whitespace() || c == '(');
    if let Some(path) = parts.find(|part| is_go_path(part)) {
        return foreign("Go templates (listmonk)", write(known, &last_part(path)));
    }
    let is_filter = inner.contains('|') && !inner.contains(" as |") && !inner.contains(['"', '\'', '[']);
    if is_filter || inner.contains("|default(") {
        let advice =
            text!("write a helper, as in `{{{{default first_name \"there\"}}}}` or `{{{{upper city}}}}`");
        return foreign("Jinja or Liquid", advice);
    }
    None
}

/// Whose placeholder a variable is that the list does not have, and what to write in its place.
pub(super) fn variable(path: &str, known: &Known) -> Option<(&'static str, Text)> {
    if let Some(path) = path.strip_prefix("contact.") {
        let last = path.rsplit('.').next().unwrap_or_default();
        let is_brevo = !last.contains(|c: char| c.is_lowercase());
        return Some((
            if is_brevo { "Brevo" } else { "Keila" },
            write(known, &last_part(path)),
        ));
    }
    let (_, tool, ours) = IN_BRACES.iter().find(|(name, _, _)| *name == path)?;
    Some((tool, write(known, ours)))
}

/// `.Subscriber.Name`: a dot, then a letter; or the dot alone. Handlebars writes `./name` and `this`.
fn is_go_path(part: &str) -> bool {
    part == "."
        || part
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic()))
}

fn between_tags(plain: &str, shift: usize, known: &Known, found: &mut Vec<Foreign>) {
    let mut add = |range: Range<usize>, tool, advice| {
        found.push(Foreign {
            range: shift + range.start..shift + range.end,
            tool,
            advice,
        });
    };
    for (range, name) in enclosed(plain, "*|", "|*") {
        add(range, "Mailchimp", write(known, mailchimp(name)));
    }
    for (range, _) in enclosed(plain, "{%", "%}") {
        let advice = text!("write `{{{{#if name}}}} … {{{{/if}}}}` or `{{{{#each list}}}} … {{{{/each}}}}`");
        add(range, "Jinja or Liquid", advice);
    }
    for (range, name) in enclosed(plain, "{", "}") {
        if let Some((_, ours)) = DIRECT_MAIL.iter().find(|(theirs, _)| *theirs == name) {
            add(range, "DirectMail", write(known, ours));
        }
    }
    for (range, name) in enclosed(plain, "[", "]") {
        if let Some((_, ours)) = PHPLIST.iter().find(|(theirs, _)| *theirs == name) {
            add(range, "phpList", write(known, ours));
        }
    }
    for (start, mark) in plain.match_indices("@TrackLink") {
        add(start..start + mark.len(), "listmonk", text!("take it out"));
    }
}

/// Pieces of one line between two marks, with what stands between.
fn enclosed<'a>(
    text: &'a str,
    open: &'a str,
    close: &'a str,
) -> impl Iterator<Item = (Range<usize>, &'a str)> {
    text.match_indices(open).filter_map(move |(start, _)| {
        let body = text.get(start + open.len()..)?;
        let inner = body.get(..body.find(close)?)?;
        let is_short = inner.len() <= 200 && !inner.contains('\n') && !inner.is_empty();
        is_short.then(|| (start..start + open.len() + inner.len() + close.len(), inner))
    })
}

fn mailchimp(name: &str) -> &str {
    match name {
        "FNAME" => "first_name",
        "LNAME" => "last_name",
        "EMAIL" => "email",
        "UNSUB" => "unsubscribe_url",
        "LIST:ADDRESS" | "LIST:ADDRESSLINE" | "HTML:LIST_ADDRESS_HTML" => "postal_address",
        name if name.contains(':') => "",
        name => name,
    }
}

/// `Attribs.FirstName` as `first_name`.
fn last_part(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or_default();
    let mut name = String::new();
    let mut was_lower = false;
    for c in last.chars().filter(|c| c.is_alphanumeric() || *c == '_') {
        if c.is_uppercase() && was_lower {
            name.push('_');
        }
        was_lower = c.is_lowercase();
        name.extend(c.to_lowercase());
    }
    match name.as_str() {
        "firstname" => "first_name".to_owned(),
        "lastname" => "last_name".to_owned(),
        _ => name,
    }
}

fn write(known: &Known, name: &str) -> Text {
    if name.is_empty() {
        return text!("take it out: there is nothing like it here");
    }
    let name = name.to_lowercase();
    match known.closest(&name) {
        _ if name.starts_with(['/', '{']) => {
            let tag = format!("{{{{{name}}}}}").replace("{{{{footer}}}}", "{{{footer}}}");
            text!("write `{tag}`", tag)
        }
        Some(known) => text!("write `{{{{{known}}}}}`", known),
        None => text!(
            "write `{{{{{name}}}}}`, once the list has that column; {columns_hint}",
            name,
            columns_hint = known.columns_hint()
        ),
    }
}
