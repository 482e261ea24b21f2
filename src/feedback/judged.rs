//! Whether a mail is a report of a failure at all, and what the words of such a report mean.

use std::sync::LazyLock;

use regex::Regex;

use super::opened::Opened;
use super::{Action, Returned, prose};
use crate::mail::{Class, Enhanced, Reply, Stage, Verdict};
use crate::replies::{Circumstances, Judge, pasted};

/// Names and mailboxes of programs that write reports; where somebody works says nothing.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static DAEMON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)mailer.?daemon|post.?master|mail.?(delivery|deliver|system|admin|router)|delivery.?(sub)?system|deliver(y)? (report|status)|",
        r"mdaemon|\bdaemon\b|mail_service|system administrator|\bndr$|mmdf|uucp|mail ?gate|邮件系统|postoffice"
    ))
    .unwrap()
});

/// Names of machines, and of people who work with them.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static MACHINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)bounce|microsoft outlook|exchange|antispam|virus|系统").unwrap());

/// Subjects of reports.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)undeliver|returned? (mail|to sender|message)|(mail|message|delivery|e-?mail) .{0,30}(fail|error|status|problem|rejected|refused|blocked|could not|not delivered)|",
        r"failure (notice|delivery|notification)|fail(ed|ure):? .{0,20}deliver|deliver\w* .{0,20}(fail|notif|delay|problem|report)|unzustellbar|non remis|",
        r"não entregue|no se (pudo|ha podido) entregar|nondeliverable|non-?deliver|rejected|bounce|unknown (user|recipient)|user unknown|",
        r"warning: (could not|message)|not delivered|cannot be delivered|could not be delivered|unable to deliver|недостав|",
        r"退信|退回|投递(失败|状态)|投遞|无法(投递|送达)|未送达|邮件(发送)?失败|系统退|送信(エラー|失敗)|配信(不能|エラー)|返送|반송|mail system error|メールエラー|エラー(通知|メール)|could not send|cannot send|errors? from"
    ))
    .unwrap()
});

/// Words of the texts of reports.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static TEXT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(could|can|was|were|been|is|be) ?n[o']t (be )?(able to )?(deliver|sent|reach|be delivered|be sent|be reached)|undeliver|unable to (deliver|send|relay)|",
        r"(delivery|message|mail|send).{0,40}(fail|reject|refus|returned|bounced|not delivered|unsuccessful)|user unknown|unknown user|no such user|did not reach|",
        r"permanent(ly)? (error|fail|fatal)|fatal errors?|mailbox (is )?full|over quota|could not be delivered|not listed in|does not exist|doesn't have|recipient.{0,40}(reject|unknown|not)|",
        r"未能(投递|送达|发送)|无法(投递|送达|发送)|退回|被退|投递失败|配送|届け|送信できません|配信できません|see transcript|\b5\d\d[ -]\d?\.?\d?"
    ))
    .unwrap()
});

/// Words of servers that write "user unknown" to a mail that they have only put off.
const STILL_TRIED: [&str; 7] = [
    "could not send mail for past",
    "will continue to try",
    "will be retried",
    "no action is required",
    "still trying",
    "do not need to resend",
    "not yet been delivered",
];

/// What servers say to one another, as reports quote it.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static DIALOGUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?im)rcpt to:|said: ?[45]\d\d|^(>>>|<<<) |diagnostic-code:|(^|[\s:])5\d\d[ -](5\.\d\.\d|requested action)|smtp error").unwrap()
});

/// Subjects of mails that people answer or pass on.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static PASSED_ON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*(re|fwd?|aw|wg|sv|tr|rv|回复|转发|答复)\s*(\[\d+\])?\s*[:：]").unwrap()
});

/// Is it a report of a failure, for people alone? People write about failures, too: so it must come from nobody, or from
/// a server, or look like one in every other way.
pub(super) fn is_bounce(opened: &Opened) -> bool {
    let headers = &opened.headers;
    let path = headers.get("return-path");
    let is_report =
        opened.report_type.as_deref() == Some("delivery-status") || headers.has("x-failed-recipients");
    let is_from_nobody = path.is_some_and(|path| path.trim() == "<>");
    let mut senders = [headers.get("from"), path].into_iter().flatten();
    let has_subject = SUBJECT.is_match(&opened.subject);
    let has_text = TEXT.is_match(&opened.human);
    let has_dialogue = DIALOGUE.is_match(&opened.human);
    let brings_back = !opened.returned.is_empty();
    let is_letter = PASSED_ON.is_match(&opened.subject) || headers.has("in-reply-to");
    let is_evident = brings_back && (has_dialogue || is_robot(headers.get("from").unwrap_or_default()));
    let is_alike = has_subject && has_text && is_evident && !is_letter;
    let is_of_server = if is_from_nobody || senders.clone().any(|from| is_named(&DAEMON, from)) {
        has_subject || has_text
    } else {
        has_subject && has_text && senders.any(|from| is_named(&MACHINE, from))
    };
    is_report || is_of_server || is_alike
}

/// Is it a mailbox that nobody reads?
fn is_robot(from: &str) -> bool {
    let from = from.to_ascii_lowercase();
    ["no-reply@", "noreply@", "donotreply@"]
        .iter()
        .any(|name| from.contains(name))
}

/// Does the name of a sender, or of the mailbox, say so? Where somebody works says nothing.
fn is_named(names: &Regex, from: &str) -> bool {
    names.is_match(from.rsplit_once('@').map_or(from, |(before, _)| before))
}

/// What was said of a recipient means.
pub(super) fn verdict(returned: &Returned, opened: &Opened, judge: &Judge) -> Option<Verdict> {
    if returned.action == Action::Delivered {
        return None;
    }
    let domain = returned
        .address
        .rsplit_once('@')
        .map(|(_, domain)| domain.to_lowercase());
    let judged = |reply: &Reply| {
        let circumstances = Circumstances {
            stage: returned.stage.filter(|stage| *stage >= Stage::Mail),
            destination: domain.as_deref(),
            ..Circumstances::default()
        };
        judge.rules().meaning(reply, circumstances).verdict
    };
    let first = judged(&coded(returned.reply.clone()));
    if is_known(first.class) {
        return Some(final_word(returned, first, judged));
    }
    // What stands elsewhere in the report, where the field for it says little: beside the address, or anywhere.
    let beside = prose::reason(&opened.human, &returned.address);
    let paragraphs = opened.human.split("\n\n").map(str::to_owned);
    for text in [beside].into_iter().chain(paragraphs) {
        let (said, _) = pasted(&text);
        let whole = Reply {
            enhanced: returned.reply.enhanced.or(said.enhanced),
            ..said
        };
        let verdict = judged(&coded(whole));
        if is_known(verdict.class) {
            return Some(verdict);
        }
    }
    Some(first)
}

/// A server that has given up after days of "user unknown, for now" has found nobody.
fn final_word(returned: &Returned, first: Verdict, judged: impl Fn(&Reply) -> Verdict) -> Verdict {
    if returned.action != Action::Failed || first.suppress || returned.reply.text.is_empty() {
        return first;
    }
    if !matches!(first.class, Class::TransientSystem | Class::UnclassifiedTransient) {
        return first;
    }
    let for_good = Reply {
        code: 0,
        enhanced: None,
        text: returned.reply.text.clone(),
    };
    let again = judged(&for_good);
    if matches!(again.class, Class::UnknownUser | Class::Inactive) {
        again
    } else {
        first
    }
}

pub(super) fn is_still_tried(opened: &Opened) -> bool {
    let text = opened.human.to_lowercase();
    STILL_TRIED.iter().any(|words| text.contains(words))
}

fn is_known(class: Class) -> bool {
    !matches!(
        class,
        Class::UnclassifiedPermanent | Class::UnclassifiedTransient | Class::Delivered
    )
}

/// A report without a code, but with one of RFC 3463 that says "for now", is about something that may pass.
fn coded(mut reply: Reply) -> Reply {
    if (reply.code == 0 || reply.code < 400) && matches!(reply.enhanced, Some(Enhanced { class: 4, .. })) {
        reply.code = 450;
    } else if reply.code < 400 {
        reply.code = 0;
    }
    reply
}
