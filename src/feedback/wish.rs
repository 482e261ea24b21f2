//! Wishes to get no more mails, written by people or by their mail programs.

use std::sync::LazyLock;

use regex::Regex;

use super::Returned;
use super::opened::Opened;
use super::prose::addresses;
use crate::mail::UnsubscribeKey;

/// Characters of a text that is a wish and nothing more.
const WORDS_MAX: usize = 200;

/// Words that are nothing but a wish, without what [`POLITE`] takes away. Source: what mail programs and people write.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static WISH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^(",
        r"un-?subscri(be|ption)( me)?( (from|to) .{0,40})?|opt[ -]?(me )?out( of .{0,40})?|cancel (my |the |this )?subscription|",
        r"(take|remove|delete) (me|us|my (e-?mail|address|name|e-?mail address)|this (e-?mail|address))( (off|from|out of) .{0,40})?|remove|",
        r"stop( (e-?mailing|mailing|spamming|contacting)( me| us)?)?|stop (sending|these|the|all|your|with).{0,40}|(be )?(removed|unsubscribed)( from .{0,40})?|no more (of )?(these |your )?(e-?mails?|mails?|newsletters?)|",
        r"(do not|don.?t|never) (e-?mail|mail|contact|write|send|spam).{0,40}|",
        r"td|tui ?ding|退订(此|该|本|这个|所有|全部|你们的?|贵司的?)?(邮件|列表|订阅|信息|广告)?|取消(订阅|訂閱)(此|该|本|所有)?(邮件|列表|信息)?|退訂|不再订阅|拒收(邮件|广告)?|",
        r"([请請]?(勿|不要|别|停止)(再)?(给我|給我|向我|往这个邮箱)?(发|發|寄|推送|发送|打扰).{0,12})|不(想|要|需要|愿)(再)?(收到|接收|收).{0,12}|(别|勿)(扰|打扰)(我)?|",
        r"([把将將]我|[把将將]我的?(邮箱|地址|邮件地址|名字))?从.{0,14}(移除|删除|剔除|去掉|移出|删掉).{0,6}|(删除|移除)我的?(邮箱|地址|邮件地址|信息)?|",
        r"abmelden|austragen|abbestellen|newsletter (abbestellen|abmelden)|désabonne(r|ment|z).{0,20}|désinscri.{0,20}|",
        r"darse de baja|(dar|dame) de baja.{0,20}|baja|cancelar (la )?suscripción|disiscri.{0,20}|cancellami.{0,20}|afmelden|uitschrijven|cancelar (a )?inscrição|descadastrar|",
        r"отписаться|отпишите.{0,20}|配信停止.{0,10}|購読解除|退会|수신거부)$"
    ))
    .unwrap()
});

/// What people write around a wish. It is taken away as often as it is found.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static POLITE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^(re|aw|sv|回复|回覆|答复|答覆)\s*[:：]|",
        r"^(hi|hello|hey|dear|good (morning|day|afternoon))( (all|there|team|sir|madam|sirs|sir or madam|you|everyone))?\b|^(please|pls|plz|kindly|just)\b|",
        r"^(i|we)( would|.?d)? (want|wish|like|need|ask you|request) to( be)?\b|^(can|could|would|will) you\b|^bitte\b|^por favor\b|^merci de\b|",
        r"\b(please|pls|plz|thanks?( you)?( very much| in advance| so much)?|thx|cheers|now|at once|immediately|asap|today|bitte|danke|gracias|merci)$|",
        r"^(你好|您好|亲|麻烦(你|您)?(们)?|请你?们?|請|帮(我|忙)?|我(们)?(想要?|要(求)?|需要|申请)|申请|回复)|(一下|了|吧|哦|啊|呀|谢谢(你|您|你们)?|謝謝|多谢|感谢|拜托)$"
    ))
    .unwrap()
});

/// Lines of a text of which one may be the wish: people greet before it, and sign after it.
const LINES_MAX: usize = 4;

/// Is it a wish, and nothing but a wish?
fn is_wish(line: &str) -> bool {
    let mut rest = line;
    loop {
        rest = rest.trim_matches(|c: char| !c.is_alphanumeric());
        if WISH.is_match(rest) {
            return true;
        }
        let Some(found) = POLITE.find(rest).filter(|found| !found.is_empty()) else {
            return false;
        };
        rest = if found.start() == 0 {
            rest.get(found.end()..).unwrap_or_default()
        } else {
            rest.get(..found.start()).unwrap_or_default()
        };
    }
}

/// Who wishes to get no more mails, if the subject says nothing else or has a token.
pub(super) fn in_subject(opened: &Opened) -> Option<Returned> {
    // The subject that our links ask for is a token, and hardly anything else.
    let is_token =
        opened.subject.split_whitespace().count() <= 2 && like_tokens(&opened.subject).next().is_some();
    let is_wish = is_wish(&opened.subject) || is_token;
    is_wish.then(|| by(opened)).flatten()
}

/// Who wishes to get no more mails, if the text says hardly anything else.
pub(super) fn in_text(opened: &Opened) -> Option<Returned> {
    let is_short = own_lines(&opened.human)
        .map(|line| line.chars().count())
        .sum::<usize>()
        < WORDS_MAX;
    let mut first = own_lines(&opened.human)
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(LINES_MAX);
    let is_wish = is_short && first.any(is_wish);
    is_wish.then(|| by(opened)).flatten()
}

fn by(opened: &Opened) -> Option<Returned> {
    let from = opened
        .headers
        .get("from")
        .and_then(|value| addresses(value).last())?;
    Some(Returned::named(from))
}

/// What may be a token of ours, written by the one who wishes: in the subject, in the address that it came to.
pub(super) fn tokens(opened: &Opened) -> Vec<String> {
    let to = ["to", "delivered-to", "x-original-to"]
        .into_iter()
        .flat_map(|name| opened.headers.all(name));
    let mut all: Vec<String> = like_tokens(&opened.subject)
        .chain(to.flat_map(like_tokens))
        .collect();
    all.dedup();
    all
}

/// What may be a token of ours in the links of the mail that comes back.
pub(super) fn returned_tokens(opened: &Opened) -> Vec<String> {
    let links = opened.returned.all("list-unsubscribe");
    let mut all: Vec<String> = links.flat_map(like_tokens).collect();
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

/// What the writer wrote: not what they quote.
fn own_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| !line.trim_start().starts_with('>'))
}
