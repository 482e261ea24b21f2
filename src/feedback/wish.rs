//! Wishes to get no more mails, written by people or by their mail programs.

use std::sync::LazyLock;

use regex::Regex;

use super::Returned;
use super::opened::Opened;
use super::prose::addresses;
use crate::mail::UnsubscribeKey;

/// Characters of a text that is a wish and nothing more.
const WORDS_MAX: usize = 200;

/// Words that are nothing but a wish. Source: what mail programs and people write.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static WISH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^\W*((re|aw|回复|答复)\s*[:：]\s*)*\W*(please )?(unsubscribe( me)?( from .{0,40})?|remove( me)?( from .{0,40})?|opt.?out|stop|take me off.{0,40}|",
        r"no more (e-?mails|mails)|退订|取消订阅|请?(勿|不要)再(发|寄).{0,12}|拒收|别再发.{0,8}|abmelden|austragen|désabonne(r|ment|z).{0,20}|désinscri.{0,20}|",
        r"darse de baja|baja|cancelar (la )?suscripción|disiscri.{0,20}|afmelden|отписаться|配信停止|購読解除|수신거부)\W*$"
    ))
    .unwrap()
});

/// Who wishes to get no more mails, if the subject says nothing else or has a token.
pub(super) fn in_subject(opened: &Opened) -> Option<Returned> {
    // The subject that our links ask for is a token, and hardly anything else.
    let is_token =
        opened.subject.split_whitespace().count() <= 2 && like_tokens(&opened.subject).next().is_some();
    let is_wish = WISH.is_match(&opened.subject) || is_token;
    is_wish.then(|| by(opened)).flatten()
}

/// Who wishes to get no more mails, if the text says hardly anything else.
pub(super) fn in_text(opened: &Opened) -> Option<Returned> {
    let is_wish = own_words(&opened.human) < WORDS_MAX && WISH.is_match(first_line(&opened.human));
    is_wish.then(|| by(opened)).flatten()
}

fn by(opened: &Opened) -> Option<Returned> {
    let from = opened
        .headers
        .get("from")
        .and_then(|value| addresses(value).last())?;
    Some(Returned::named(from))
}

/// What may be a token of ours: in the subject, in the address that it came to, in the links of the mail that it answers.
pub(super) fn tokens(opened: &Opened) -> Vec<String> {
    let mut all: Vec<String> = like_tokens(&opened.subject).collect();
    let to = ["to", "delivered-to", "x-original-to"]
        .into_iter()
        .flat_map(|name| opened.headers.all(name));
    let links = opened.returned.all("list-unsubscribe");
    all.extend(to.chain(links).flat_map(like_tokens));
    all.dedup();
    all
}

pub(super) fn like_tokens(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    let words = words.flat_map(|word| [word, word.strip_prefix("unsubscribe-").unwrap_or_default()]);
    words
        .filter(|word| word.len() == UnsubscribeKey::TOKEN_LENGTH)
        .map(str::to_owned)
}

fn first_line(text: &str) -> &str {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
}

/// Characters that the writer wrote: not what they quote.
fn own_words(text: &str) -> usize {
    let own = text
        .lines()
        .take_while(|line| !line.trim_start().starts_with('>'));
    own.map(|line| line.chars().count()).sum()
}
